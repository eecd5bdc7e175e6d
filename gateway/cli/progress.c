/*
 * progress.c
 *		How far a long piece of work has come, for who watches a terminal.
 *
 * Nothing is written if standard error is no terminal: a log is no place for
 * it.  The line is redrawn at most ten times a second and wiped before
 * anything else is written.
 */
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "cli.h"

#define REDRAW_NS 100000000L

static bool shown;

/* Is it time to draw again?  The first time is only a while after the start: short work shows none. */
static bool
due(void)
{
	static struct timespec last;
	struct timespec now;
	long		elapsed;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (last.tv_sec == 0)
	{
		last = now;
		return false;
	}
	elapsed = (now.tv_sec - last.tv_sec) * 1000000000L + (now.tv_nsec - last.tv_nsec);
	if (elapsed < REDRAW_NS)
		return false;
	last = now;
	return true;
}

void
cli_progress(const char *what, uint64_t done, uint64_t total)
{
	static int	terminal = -1;

	if (terminal < 0)
		terminal = isatty(STDERR_FILENO);
	if (!terminal || !due())
		return;
	if (total > 0)
		fprintf(stderr, "\r\033[K%s %llu of %llu (%u %%)", what, (unsigned long long) done,
				(unsigned long long) total, (unsigned) ((double) done * 100.0 / (double) total));
	else
		fprintf(stderr, "\r\033[K%s %llu", what, (unsigned long long) done);
	fflush(stderr);
	shown = true;
}

void
cli_progress_clear(void)
{
	if (shown)
		fprintf(stderr, "\r\033[K");
	shown = false;
}
