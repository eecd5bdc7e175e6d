/*
 * pace.h
 *		How fast a piece of work goes and when it will be done, as text.  The
 *		clock is the caller's, so that a test can have its own.
 *
 * Times are milliseconds of any clock that only goes forward.
 */
#ifndef LEDGERCTL_PACE_H
#define LEDGERCTL_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct pace
{
	const char *what;			/* "leaves": a string that lives on */
	uint64_t	done;
	uint64_t	total;			/* 0: not known */
	int64_t		began;
	int64_t		seen;			/* when rate was taken last */
	uint64_t	begun_at;		/* done at the beginning: what was there already is no work */
	uint64_t	seen_at;
	double		rate;			/* a second, smoothed; 0: not known yet */
} pace;

extern void pace_begin(pace *p, const char *what, uint64_t done, uint64_t total, int64_t now);
extern void pace_see(pace *p, uint64_t done, uint64_t total, int64_t now);

/* "leaves 512 of 2048 (25 %), 128/s, 0:12 left"; cut if it does not fit. */
extern void pace_line(const pace *p, char *out, size_t size);

/* "leaves 2048 of 2048 (100 %) in 0:16, 128/s": the last word. */
extern void pace_last(const pace *p, int64_t now, char *out, size_t size);

/* "leaves [=====>        ] 25 % 512/2048 128/s 0:12", at most so many columns. */
extern void pace_bar(const pace *p, size_t columns, char *out, size_t size);

#endif
