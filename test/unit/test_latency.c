/*
 * test_latency.c
 *		Percentiles and buckets of call times.
 */
#include "harness.h"
#include "latency.h"

static latency l;

static void
is_time(uint64_t got, uint64_t want, const char *name)
{
	ok(got == want, "%s: %" PRIu64 ", wanted %" PRIu64, name, got, want);
}

static void
test_empty(void)
{
	memset(&l, 0, sizeof(l));
	is_time(latency_per_mille(&l, 500), 0, "no call has no median");
	is_time(latency_per_mille(&l, 1000), 0, "and no longest");
}

static void
test_exact(void)
{
	memset(&l, 0, sizeof(l));
	for (uint64_t us = 1; us <= 60; us++)
		latency_add(&l, us);
	is_time(latency_per_mille(&l, 500), 30, "short times are kept exactly: the median");
	is_time(latency_per_mille(&l, 950), 57, "the 95th percentile");
	is_time(latency_per_mille(&l, 1), 1, "the least");
	is_time(latency_per_mille(&l, 1000), 60, "the greatest");
	is_time(l.sum_us, 60 * 61 / 2, "their sum");
}

/* A percentile is never below the value that it stands for, and at most 1/32 above. */
static void
test_error(void)
{
	uint64_t	worst = 0;

	for (uint64_t us = 1; us < UINT64_C(1) << 62; us += us / 7 + 1)
	{
		uint64_t	got;

		memset(&l, 0, sizeof(l));
		latency_add(&l, us);
		latency_add(&l, UINT64_MAX);	/* so that the greatest does not cap it */
		got = latency_per_mille(&l, 500);
		if (got < us)
			worst = UINT64_MAX;
		else if ((got - us) > us / 32 && worst < got - us)
			worst = got - us;
	}
	is_time(worst, 0, "no percentile is off by more than 1/32");
	is_time(latency_per_mille(&l, 1000), UINT64_MAX, "the longest time there is has a cell");
}

static void
test_buckets(void)
{
	latency		other;
	uint64_t	count = 0;

	memset(&l, 0, sizeof(l));
	memset(&other, 0, sizeof(other));
	latency_add(&l, latency_bounds[0]);
	latency_add(&l, latency_bounds[0] + 1);
	latency_add(&other, latency_bounds[LATENCY_BOUNDS - 1] + 1);
	is_time(l.shown[0], 1, "a bound belongs to its bucket");
	is_time(l.shown[1], 1, "and what is above it to the next");
	latency_merge(&l, &other);
	is_time(l.shown[LATENCY_BOUNDS], 1, "what is beyond the last bound is counted");
	for (size_t i = 0; i <= LATENCY_BOUNDS; i++)
		count += l.shown[i];
	is_time(count, l.count, "every call is in one bucket");
	is_time(l.max_us, latency_bounds[LATENCY_BOUNDS - 1] + 1, "merged: the longest of both");
	for (size_t i = 1; i < LATENCY_BOUNDS; i++)
		if (latency_bounds[i] <= latency_bounds[i - 1])
			ok(false, "bound %zu is not above the one before", i);
}

int
main(void)
{
	test_empty();
	test_exact();
	test_error();
	test_buckets();
	return done();
}
