/*
 * test_dboutage.c
 *		What the log tells while the database is away.
 */
#include <stdarg.h>

#include "dboutage.h"
#include "harness.h"
#include "log.h"

static char said[300];
static int	lines;

/* The program's own has a thread. */
void
log_line(log_level level, const char *event, const char *format, ...)
{
	va_list		args;
	int			n = snprintf(said, sizeof(said), "%s %s: ", level == LOG_WARN ? "warn" : "info", event);

	va_start(args, format);
	vsnprintf(said + n, sizeof(said) - (size_t) n, format, args);
	va_end(args);
	lines++;
}

/* Nothing since the last time, or this one line. */
static void
told(const char *line, const char *when)
{
	bool		as_expected = line == NULL ? lines == 0 : lines == 1 && strcmp(said, line) == 0;

	ok(as_expected, "%s: %s", when, line != NULL ? line : "nothing");
	lines = 0;
}

static void
fail_at(int64_t now, int times)
{
	for (int i = 0; i < times; i++)
		dboutage_failed(now, "quick", "refused");
}

int
main(void)
{
	dboutage_connected(0);
	told(NULL, "a first success");
	fail_at(1000, 1);
	told("warn db.unreachable: quick connection: refused", "the first failure");
	fail_at(60999, 9);
	told(NULL, "within a minute");
	fail_at(61000, 1);
	told("warn db.unreachable: still, after 60 s and 11 attempts; quick connection: refused", "a minute later");
	fail_at(120999, 1);
	told(NULL, "within the next");
	fail_at(121000, 1);
	told("warn db.unreachable: still, after 120 s and 13 attempts; quick connection: refused", "after it");
	dboutage_connected(125500);
	told("info db.reachable: again, after 124 s and 13 attempts", "the first success");
	dboutage_connected(125500);
	told(NULL, "the second");
	fail_at(125600, 1);
	told("warn db.unreachable: quick connection: refused", "the next outage");
	return done();
}
