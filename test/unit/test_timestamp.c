/*
 * test_timestamp.c
 *		lc_timestamp_format and lc_timestamp_parse.
 *
 * The microseconds of each text are what JavaScript's Date.parse says.
 */
#include "harness.h"
#include "lc_envelope.h"

static void
pair(int64_t us, const char *text)
{
	lc_buf		out;
	int64_t		back = 12345;

	lc_buf_init(&out, &lc_alloc_malloc);
	is_status(lc_timestamp_format(&out, us), LC_OK, text);
	is_text(&out, text, "written");
	is_status(lc_timestamp_parse(text, strlen(text), &back), LC_OK, "read");
	is_int(back, us, "as the same");
	lc_buf_free(&out);
}

static void
test_pairs(void)
{
	pair(0, "1970-01-01T00:00:00.000000Z");
	pair(1, "1970-01-01T00:00:00.000001Z");
	pair(-1, "1969-12-31T23:59:59.999999Z");
	pair(-1000000, "1969-12-31T23:59:59.000000Z");
	pair(-1000001, "1969-12-31T23:59:58.999999Z");
	pair(INT64_C(1795462200123456), "2026-11-23T19:30:00.123456Z");
	pair(INT64_C(1798761599999999), "2026-12-31T23:59:59.999999Z");
	pair(INT64_C(951782400000000), "2000-02-29T00:00:00.000000Z");
	pair(INT64_C(1709251199000000), "2024-02-29T23:59:59.000000Z");
	pair(INT64_C(4107456000000000), "2100-02-28T00:00:00.000000Z");
	pair(INT64_C(4107542400000000), "2100-03-01T00:00:00.000000Z");
	pair(INT64_C(-2203891201000000), "1900-02-28T23:59:59.000000Z");
	pair(INT64_C(-2203891200000000), "1900-03-01T00:00:00.000000Z");
	pair(INT64_C(-11670953104000000), "1600-02-29T12:34:56.000000Z");
	pair(INT64_C(-12219292800000000), "1582-10-15T00:00:00.000000Z");
	pair(INT64_C(-59006361600000000), "0100-03-01T00:00:00.000000Z");
	pair(INT64_C(-62035891200000000), "0004-02-29T00:00:00.000000Z");
	pair(INT64_C(-62135596800000000), "0001-01-01T00:00:00.000000Z");
	pair(INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z");
}

static void
out_of_range(int64_t us, const char *name)
{
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	ok(lc_timestamp_format(&out, us) == LC_ERR_RANGE && out.len == 0, "out of range: %s", name);
	lc_buf_free(&out);
}

static void
refuses(const char *text, lc_status want)
{
	int64_t		us = 12345;

	ok(lc_timestamp_parse(text, strlen(text), &us) == want && us == 12345,
	   "%s: %s", text, lc_status_text(want));
}

static void
test_syntax(void)
{
	refuses("", LC_ERR_SYNTAX);
	refuses("2026-11-23T19:30:00Z", LC_ERR_SYNTAX);
	refuses("2026-11-23T19:30:00.000Z", LC_ERR_SYNTAX);
	refuses("2026-11-23T19:30:00.0000000Z", LC_ERR_SYNTAX);
	refuses("2026-11-23 19:30:00.000000Z", LC_ERR_SYNTAX);
	refuses("2026-11-23t19:30:00.000000Z", LC_ERR_SYNTAX);
	refuses("2026-11-23T19:30:00.000000z", LC_ERR_SYNTAX);
	refuses("2026-11-23T19:30:00,000000Z", LC_ERR_SYNTAX);
	refuses("2026-11-23T19:30:00.000000 ", LC_ERR_SYNTAX);
	refuses("2026-1x-23T19:30:00.000000Z", LC_ERR_SYNTAX);
	refuses("2026/11/23T19:30:00.000000Z", LC_ERR_SYNTAX);
	refuses("+026-11-23T19:30:00.000000Z", LC_ERR_SYNTAX);
	refuses("-026-11-23T19:30:00.000000Z", LC_ERR_SYNTAX);
	refuses("2026-11-23T19:30: 0.000000Z", LC_ERR_SYNTAX);
}

static void
test_range(void)
{
	out_of_range(INT64_C(253402300800000000), "the year 10000");
	out_of_range(INT64_C(-62135596800000001), "before the year 1");
	out_of_range(INT64_MAX, "the greatest number, infinity in PostgreSQL");
	out_of_range(INT64_MIN, "the least number, minus infinity");

	refuses("0000-12-31T00:00:00.000000Z", LC_ERR_RANGE);
	refuses("2026-00-01T00:00:00.000000Z", LC_ERR_RANGE);
	refuses("2026-13-01T00:00:00.000000Z", LC_ERR_RANGE);
	refuses("2026-01-00T00:00:00.000000Z", LC_ERR_RANGE);
	refuses("2026-01-32T00:00:00.000000Z", LC_ERR_RANGE);
	refuses("2026-04-31T00:00:00.000000Z", LC_ERR_RANGE);
	refuses("2026-02-29T00:00:00.000000Z", LC_ERR_RANGE);
	refuses("2100-02-29T00:00:00.000000Z", LC_ERR_RANGE);
	refuses("2000-02-30T00:00:00.000000Z", LC_ERR_RANGE);
	refuses("2026-01-01T24:00:00.000000Z", LC_ERR_RANGE);
	refuses("2026-01-01T00:60:00.000000Z", LC_ERR_RANGE);
	refuses("2026-12-31T23:59:60.000000Z", LC_ERR_RANGE);
}

/* The date after a date, by the calendar's rules written down a second time. */
static void
next_date(int *year, int *month, int *day)
{
	bool		leap = *year % 400 == 0 || (*year % 4 == 0 && *year % 100 != 0);
	int			last = 31;

	if (*month == 2)
		last = leap ? 29 : 28;
	else if (*month == 4 || *month == 6 || *month == 9 || *month == 11)
		last = 30;
	if (++*day <= last)
		return;
	*day = 1;
	if (++*month <= 12)
		return;
	*month = 1;
	++*year;
}

static void
test_every_day(void)
{
	int			year = 1;
	int			month = 1;
	int			day = 1;
	int64_t		us = INT64_C(-62135596800000000);
	int64_t		back;
	char		want[64];
	lc_buf		out;
	bool		right = true;

	lc_buf_init(&out, &lc_alloc_malloc);
	for (; year < 10000; us += INT64_C(86400000000))
	{
		snprintf(want, sizeof(want), "%04d-%02d-%02dT00:00:00.000000Z", year, month, day);
		lc_buf_reset(&out);
		right = right && lc_timestamp_format(&out, us) == LC_OK && strcmp(out.data, want) == 0 &&
			lc_timestamp_parse(want, strlen(want), &back) == LC_OK && back == us;
		next_date(&year, &month, &day);
	}
	ok(right && us == INT64_C(253402300800000000), "every day from 0001-01-01 to 9999-12-31");
	lc_buf_free(&out);
}

int
main(void)
{
	test_pairs();
	test_syntax();
	test_range();
	test_every_day();
	return done();
}
