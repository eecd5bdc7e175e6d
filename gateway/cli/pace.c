/*
 * pace.c
 *		How fast a piece of work goes and when it will be done, as text.
 *
 * The rate is a moving average: work whose parts differ (small chains first,
 * the large one last) has an end that the rate since the beginning would not
 * foretell.  At the end it is the mean of the whole.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "pace.h"

#define SAMPLE_MS 500
#define WEIGHT 0.3				/* of the newest sample */
#define BAR_MIN 8
#define BAR_MAX 40

void
pace_begin(pace *p, const char *what, uint64_t done, uint64_t total, int64_t now)
{
	*p = (pace) {.what = what, .done = done, .total = total, .began = now, .seen = now,
	.begun_at = done, .seen_at = done};
}

void
pace_see(pace *p, uint64_t done, uint64_t total, int64_t now)
{
	double		rate;

	p->done = done;
	p->total = total;
	if (now - p->seen < SAMPLE_MS || done < p->seen_at)
		return;
	rate = (double) (done - p->seen_at) * 1000.0 / (double) (now - p->seen);
	p->rate = p->rate > 0 ? WEIGHT * rate + (1 - WEIGHT) * p->rate : rate;
	p->seen = now;
	p->seen_at = done;
}

static unsigned
percent(const pace *p)
{
	/* 100 only when all is done. */
	return p->done >= p->total ? 100 : (unsigned) ((double) p->done * 100.0 / (double) p->total);
}

/* 1:02:03 or 2:03. */
static void
put_span(char *out, size_t size, double seconds)
{
	uint64_t	s = seconds < 3600000.0 ? (uint64_t) seconds : 3600000;

	if (s >= 3600)
		snprintf(out, size, "%" PRIu64 ":%02u:%02u", s / 3600, (unsigned) (s / 60 % 60), (unsigned) (s % 60));
	else
		snprintf(out, size, "%u:%02u", (unsigned) (s / 60), (unsigned) (s % 60));
}

/* 0.25/s, 12.5/s, 740/s, 12.3k/s, 4.56M/s: three figures. */
static void
put_rate(char *out, size_t size, double rate)
{
	const char *unit = rate >= 999500.0 ? "M" : rate >= 9995.0 ? "k" : "";

	rate /= *unit == 'M' ? 1000000.0 : *unit == 'k' ? 1000.0 : 1.0;
	snprintf(out, size, "%.*f%s/s", rate < 9.995 ? 2 : rate < 99.95 ? 1 : 0, rate, unit);
}

/* Nothing, or ", 0:12 left": only who knows the end and the rate can tell. */
static void
put_left(const pace *p, char *out, size_t size)
{
	*out = '\0';
	if (p->total > p->done && p->rate > 0)
		put_span(out, size, (double) (p->total - p->done) / p->rate + 0.5);
}

static void
put_count(const pace *p, char *out, size_t size)
{
	if (p->total > 0)
		snprintf(out, size, "%s %" PRIu64 " of %" PRIu64 " (%u %%)", p->what, p->done, p->total, percent(p));
	else
		snprintf(out, size, "%s %" PRIu64, p->what, p->done);
}

void
pace_line(const pace *p, char *out, size_t size)
{
	char		count[160];
	char		rate[32] = "";
	char		left[32];

	put_count(p, count, sizeof(count));
	put_left(p, left, sizeof(left));
	if (p->rate > 0)
		put_rate(rate, sizeof(rate), p->rate);
	snprintf(out, size, "%s%s%s%s%s%s", count, *rate != '\0' ? ", " : "", rate,
			 *left != '\0' ? ", " : "", left, *left != '\0' ? " left" : "");
}

void
pace_last(const pace *p, int64_t now, char *out, size_t size)
{
	double		seconds = (double) (now - p->began) / 1000.0;
	char		count[160];
	char		rate[32];
	char		took[32];

	put_count(p, count, sizeof(count));
	put_span(took, sizeof(took), seconds);
	/* What took no time that can be measured has no rate. */
	if (seconds < 0.01 || p->done <= p->begun_at)
	{
		snprintf(out, size, "%s in %s", count, took);
		return;
	}
	put_rate(rate, sizeof(rate), (double) (p->done - p->begun_at) / seconds);
	snprintf(out, size, "%s in %s, %s", count, took, rate);
}

void
pace_bar(const pace *p, size_t columns, char *out, size_t size)
{
	char		tail[160];
	char		rate[32] = "";
	char		left[32];
	size_t		used;
	size_t		width;
	size_t		full;
	size_t		at;

	put_left(p, left, sizeof(left));
	if (p->rate > 0)
		put_rate(rate, sizeof(rate), p->rate);
	snprintf(tail, sizeof(tail), " %u %% %" PRIu64 "/%" PRIu64 "%s%s%s%s", percent(p), p->done, p->total,
			 *rate != '\0' ? " " : "", rate, *left != '\0' ? " " : "", left);
	used = strlen(p->what) + strlen(" []") + strlen(tail);
	if (p->total == 0 || used + BAR_MIN > columns || columns >= size)
	{
		pace_line(p, out, columns < size ? columns + 1 : size);
		return;
	}
	width = columns - used < BAR_MAX ? columns - used : BAR_MAX;
	full = p->done >= p->total ? width : (size_t) ((double) p->done / (double) p->total * (double) width);
	at = (size_t) snprintf(out, size, "%s [", p->what);
	for (size_t i = 0; i < width; i++)
		out[at++] = i < full ? '=' : i == full ? '>' : ' ';
	snprintf(out + at, size - at, "]%s", tail);
}
