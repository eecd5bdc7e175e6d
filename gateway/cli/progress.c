/*
 * progress.c
 *		How far a long piece of work has come: a bar for who watches a terminal,
 *		a line now and then for a log.
 *
 * On a terminal the bar is redrawn at most ten times a second, and wiped before
 * anything else is written.  Where standard error is no terminal there is a
 * line after two seconds, one every ten seconds at most, and one at the end.
 * Work that is done before the first of them shows none: what runs every hour
 * and goes well has nothing to say.  With --json or --quiet there is nothing.
 */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"
#include "pace.h"

#define REDRAW_MS 100
#define FIRST_LINE_MS 2000
#define LINE_MS 10000
#define COLUMNS 80
#define COLUMNS_MAX 200

static struct
{
	bool		silent;
	bool		terminal;
	bool		begun;			/* p is a piece of work that goes on */
	bool		shown;			/* a bar stands on the terminal */
	bool		drawn;			/* at least once */
	int64_t		last;			/* when something was written */
	pace		p;
} progress = {.silent = true};

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void
cli_progress_begin(bool silent)
{
	progress.silent = silent;
	progress.terminal = isatty(STDERR_FILENO) != 0;
	progress.begun = false;
	progress.drawn = false;
}

/* The last column stays free: some terminals wrap when it is written to. */
static size_t
columns(void)
{
	struct winsize size = {0};

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
		return COLUMNS - 1;
	return (size_t) (size.ws_col < COLUMNS_MAX ? size.ws_col : COLUMNS_MAX) - 1;
}

static void
draw(int64_t now)
{
	char		text[COLUMNS_MAX + 1];

	if (progress.terminal)
	{
		pace_bar(&progress.p, columns(), text, sizeof(text));
		fprintf(stderr, "\r\033[K%s", text);
		fflush(stderr);
		progress.shown = true;
	}
	else
	{
		pace_line(&progress.p, text, sizeof(text));
		fprintf(stderr, "ledgerctl: %s\n", text);
	}
	progress.drawn = true;
	progress.last = now;
}

static void
begin(const char *what, uint64_t done, uint64_t total, int64_t now)
{
	cli_progress_end();
	pace_begin(&progress.p, what, done, total, now);
	progress.begun = true;
	progress.drawn = false;
	progress.last = now;
}

/* How long after the last one the next is due. */
static int64_t
interval(void)
{
	if (progress.terminal)
		return REDRAW_MS;
	return progress.drawn ? LINE_MS : FIRST_LINE_MS;
}

void
cli_progress(const char *what, uint64_t done, uint64_t total)
{
	int64_t		now;

	if (progress.silent)
		return;
	now = now_ms();
	if (!progress.begun || strcmp(what, progress.p.what) != 0)
		begin(what, done, total, now);
	pace_see(&progress.p, done, total, now);
	if (now - progress.last >= interval())
		draw(now);
}

void
cli_progress_clear(void)
{
	if (progress.shown)
		fprintf(stderr, "\r\033[K");
	progress.shown = false;
}

void
cli_progress_end(void)
{
	char		text[COLUMNS_MAX + 1];

	cli_progress_clear();
	if (!progress.begun)
		return;
	progress.begun = false;
	/* The last word of what took long enough to be watched. */
	if (progress.drawn)
	{
		pace_last(&progress.p, now_ms(), text, sizeof(text));
		fprintf(stderr, "ledgerctl: %s\n", text);
	}
}
