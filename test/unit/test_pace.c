/*
 * test_pace.c
 *		How far, how fast, how long: the texts, with a clock of the test's own.
 */
#include "harness.h"
#include "pace.h"

static char text[256];

static void
is_line(const pace *p, const char *want, const char *name)
{
	pace_line(p, text, sizeof(text));
	is_bytes(text, strlen(text), want, strlen(want), name);
}

static void
is_bar(const pace *p, size_t columns, const char *want, const char *name)
{
	pace_bar(p, columns, text, sizeof(text));
	is_bytes(text, strlen(text), want, strlen(want), name);
}

static void
is_last(const pace *p, int64_t now, const char *want, const char *name)
{
	pace_last(p, now, text, sizeof(text));
	is_bytes(text, strlen(text), want, strlen(want), name);
}

static void
test_lines(void)
{
	pace		p;

	pace_begin(&p, "leaves", 0, 2048, 5000);
	is_line(&p, "leaves 0 of 2048 (0 %)", "nothing is done: no rate, no end");
	pace_see(&p, 100, 2048, 5100);
	is_line(&p, "leaves 100 of 2048 (4 %)", "too early for a rate");
	pace_see(&p, 512, 2048, 9000);
	is_line(&p, "leaves 512 of 2048 (25 %), 128/s, 0:12 left", "a rate, and when it will be done");
	pace_see(&p, 2047, 2048, 13000);
	is_line(&p, "leaves 2047 of 2048 (99 %), 205/s, 0:00 left", "100 % only when all is done");
	pace_see(&p, 2048, 2048, 13001);
	is_line(&p, "leaves 2048 of 2048 (100 %), 205/s", "and then nothing is left");
	is_last(&p, 21000, "leaves 2048 of 2048 (100 %) in 0:16, 128/s", "the last word has the mean of the whole");
}

static void
test_unknown_end(void)
{
	pace		p;

	pace_begin(&p, "files", 10, 0, 0);
	is_line(&p, "files 10", "no end is known");
	is_bar(&p, 60, "files 10", "and so there is no bar");
	pace_see(&p, 11, 0, 4000);
	is_line(&p, "files 11, 0.25/s", "a slow rate");
	is_last(&p, 4000, "files 11 in 0:04, 0.25/s", "what was there before is no work of ours");
	is_last(&p, 5, "files 11 in 0:00", "no rate of no time");
}

static void
test_rates(void)
{
	static const struct
	{
		uint64_t	done;
		const char *want;
	}			cases[] = {
		{1, "n 1, 1.00/s"}, {9, "n 9, 9.00/s"}, {10, "n 10, 10.0/s"}, {999, "n 999, 999/s"},
		{9994, "n 9994, 9994/s"}, {9995, "n 9995, 10.0k/s"}, {12345, "n 12345, 12.3k/s"},
		{999499, "n 999499, 999k/s"}, {999500, "n 999500, 1.00M/s"}, {45600000, "n 45600000, 45.6M/s"}
	};
	pace		p;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		pace_begin(&p, "n", 0, 0, 0);
		pace_see(&p, cases[i].done, 0, 1000);
		is_line(&p, cases[i].want, cases[i].want);
	}
}

static void
test_spans(void)
{
	pace		p;

	pace_begin(&p, "n", 0, 1000000, 0);
	pace_see(&p, 1, 1000000, 1000);
	is_line(&p, "n 1 of 1000000 (0 %), 1.00/s, 277:46:39 left", "hours");
	pace_begin(&p, "n", 0, UINT64_MAX, 0);
	pace_see(&p, 1, UINT64_MAX, 100000);
	is_line(&p, "n 1 of 18446744073709551615 (0 %), 0.01/s, 1000:00:00 left", "no number of hours is too large");
}

static void
test_smoothing(void)
{
	pace		p;

	pace_begin(&p, "n", 0, 1000, 0);
	pace_see(&p, 100, 1000, 1000);
	pace_see(&p, 100, 1000, 2000);
	is_line(&p, "n 100 of 1000 (10 %), 70.0/s, 0:13 left", "a stop slows the rate down, not at once");
	pace_see(&p, 50, 1000, 3000);
	is_line(&p, "n 50 of 1000 (5 %), 70.0/s, 0:14 left", "and a step back is no rate");
}

static void
test_bars(void)
{
	pace		p;

	pace_begin(&p, "leaves", 0, 2048, 0);
	pace_see(&p, 512, 2048, 4000);
	is_bar(&p, 79, "leaves [==========>                             ] 25 % 512/2048 128/s 0:12", "a bar of 40");
	is_bar(&p, 45, "leaves [==>        ] 25 % 512/2048 128/s 0:12", "a bar that fits");
	is_bar(&p, 30, "leaves 512 of 2048 (25 %), 128", "no room for one: as much of the line as fits");
	pace_see(&p, 2048, 2048, 4001);
	is_bar(&p, 40, "leaves [=========] 100 % 2048/2048 128/s", "a full one");
	pace_see(&p, 3000, 2048, 4002);
	is_bar(&p, 40, "leaves [=========] 100 % 3000/2048 128/s", "more than there was to do does not overflow");
}

int
main(void)
{
	test_lines();
	test_unknown_end();
	test_rates();
	test_spans();
	test_smoothing();
	test_bars();
	return done();
}
