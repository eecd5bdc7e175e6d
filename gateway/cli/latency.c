/*
 * latency.c
 *		Cells that grow with their values, as in HdrHistogram.
 */
#include "latency.h"

const uint64_t latency_bounds[LATENCY_BOUNDS] = {
	1000, 2500, 5000, 10000, 25000, 50000, 100000, 120000, 250000, 500000, 1000000, 2500000, 10000000
};

/* Up to 63 a cell has one value; then 32 cells for every power of two. */
static size_t
cell_of(uint64_t us)
{
	unsigned	shift = 0;

	while (us >> shift >= 2 * LATENCY_STEPS)
		shift++;
	return shift * LATENCY_STEPS + (size_t) (us >> shift);
}

/* The greatest value that falls into a cell. */
static uint64_t
cell_end(size_t cell)
{
	unsigned	shift = cell < 2 * LATENCY_STEPS ? 0 : (unsigned) (cell / LATENCY_STEPS) - 1;
	uint64_t	step = cell - (uint64_t) shift * LATENCY_STEPS;

	return ((step + 1) << shift) - 1;
}

void
latency_add(latency *l, uint64_t us)
{
	size_t		bound = 0;

	while (bound < LATENCY_BOUNDS && us > latency_bounds[bound])
		bound++;
	l->shown[bound]++;
	l->cells[cell_of(us)]++;
	l->count++;
	l->sum_us += us;
	if (us > l->max_us)
		l->max_us = us;
}

void
latency_merge(latency *into, const latency *l)
{
	for (size_t i = 0; i <= LATENCY_BOUNDS; i++)
		into->shown[i] += l->shown[i];
	for (size_t i = 0; i < LATENCY_CELLS; i++)
		into->cells[i] += l->cells[i];
	into->count += l->count;
	into->sum_us += l->sum_us;
	if (l->max_us > into->max_us)
		into->max_us = l->max_us;
}

uint64_t
latency_per_mille(const latency *l, unsigned share)
{
	uint64_t	wanted = (l->count * share + 999) / 1000;
	uint64_t	seen = 0;

	for (size_t i = 0; i < LATENCY_CELLS; i++)
	{
		seen += l->cells[i];
		if (seen >= wanted && seen > 0)
			return cell_end(i) < l->max_us ? cell_end(i) : l->max_us;
	}
	return l->max_us;
}
