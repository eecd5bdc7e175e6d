/*
 * test_clock.c
 *		Times as text: always three decimals, at least one digit before them.
 */
#include <stdint.h>
#include <string.h>

#include "clock.h"
#include "harness.h"

static void
writes(int64_t us, const char *wanted)
{
	char		text[CLOCK_MS_SIZE];
	char	   *end = clock_put_ms(text, us);

	ok(strcmp(text, wanted) == 0 && end == text + strlen(wanted), "%lld us are %s ms (%s)",
	   (long long) us, wanted, text);
}

int
main(void)
{
	int64_t		before = clock_us(CLOCK_MONOTONIC);

	writes(0, "0.000");
	writes(7, "0.007");
	writes(999, "0.999");
	writes(1000, "1.000");
	writes(12345, "12.345");
	writes(60000001, "60000.001");
	writes(INT64_MAX, "9223372036854775.807");
	/* A clock that was set back. */
	writes(-5, "0.000");
	ok(clock_us(CLOCK_MONOTONIC) >= before, "the clock does not run back");
	return done();
}
