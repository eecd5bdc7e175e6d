/*
 * tick.h
 *		A thread that drives what the ledger does by the clock: anchoring,
 *		maintenance of partitions.  Safe with several gateways at once.
 *
 * Anchoring is "ledgerctl anchor", as a child: there is one signer, and the
 * process that parses what strangers send never holds the signing key.
 */
#ifndef GATEWAY_TICK_H
#define GATEWAY_TICK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

extern bool tick_start(void);
extern void tick_anchor_soon(void);	/* any thread: the backlog grows */
extern void tick_stop(void);	/* waits for the child */

typedef struct tick_counters
{
	const char *name;
	uint64_t	runs,
				failures;
	int64_t		last_success;	/* seconds since 1970; 0: never */
} tick_counters;

/* Of each tick; fills at most max, returns how many. */
#define TICK_MAX 8
extern size_t tick_count(tick_counters *out, size_t max);

/* What LEDGER__<name> is for the child, NULL if it is not set. */
extern const char *tick_setting(const char *name);

#endif
