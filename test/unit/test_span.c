/*
 * test_span.c
 *		Lengths of time as settings write them.
 */
#include "harness.h"
#include "span.h"

static void
gives(const char *text, uint64_t expected)
{
	uint64_t	ms = 0;

	ok(span_parse(text, &ms) && ms == expected, "%s is %" PRIu64 " ms", text, expected);
}

static void
fails(const char *text)
{
	uint64_t	ms;

	ok(!span_parse(text, &ms), "\"%s\" is refused", text);
}

int
main(void)
{
	static const char *const wrong[] = {
		"", " ", "5", "-5s", "5 s", "5S", "1.5s", "s", "5min", "00:60:00", "24:00:00", "00:00:60", "00:05", "00:05:00 ",
		":00:00", "00::00", "1.2.00:00:00", "1.00:00:00.5", "3651.00:00:00", "3651d", "999999999999999s",
		"18446744073709551616ms", "5m5s", "00:05:00s"
	};

	gives("00:05:00", 300000);
	gives("1.00:00:00", 86400000);
	gives("0:0:1", 1000);
	gives("00:00:00", 0);
	gives("3650.00:00:00", UINT64_C(315360000000));
	gives("0s", 0);
	gives("500ms", 500);
	gives("30s", 30000);
	gives("5m", 300000);
	gives("12h", 43200000);
	gives("3650d", UINT64_C(315360000000));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		fails(wrong[i]);
	return done();
}
