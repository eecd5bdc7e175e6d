/*
 * latency.h
 *		How long many calls took: percentiles and a histogram, in memory that
 *		does not grow with their number.
 */
#ifndef LEDGERCTL_LATENCY_H
#define LEDGERCTL_LATENCY_H

#include <stddef.h>
#include <stdint.h>

/* Bounds of the histogram that is shown, in microseconds; one more bucket is beyond. */
#define LATENCY_BOUNDS 13
extern const uint64_t latency_bounds[LATENCY_BOUNDS];

/* 32 steps for every doubling: a percentile is at most 1/32 above the value that it stands for. */
#define LATENCY_STEPS 32
#define LATENCY_CELLS (LATENCY_STEPS * 60)

typedef struct latency
{
	uint64_t	count;
	uint64_t	sum_us;
	uint64_t	max_us;
	uint64_t	shown[LATENCY_BOUNDS + 1];	/* not cumulated */
	uint64_t	cells[LATENCY_CELLS];
} latency;

extern void latency_add(latency *l, uint64_t us);
extern void latency_merge(latency *into, const latency *l);

/* What `share` per mille of the calls did not exceed; 0 if there were none. */
extern uint64_t latency_per_mille(const latency *l, unsigned share);

#endif
