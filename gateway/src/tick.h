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

#include <stdint.h>

extern bool tick_start(void);
extern void tick_anchor_soon(void);	/* any thread: the backlog grows */
extern void tick_stop(void);	/* waits for the child */

typedef struct tick_counters
{
	uint64_t	anchor_runs, anchor_failures;
	uint64_t	maintenance_runs, maintenance_failures;
	int64_t		anchor_last_success;	/* seconds since 1970; 0: never */
	int64_t		maintenance_last_success;
} tick_counters;
extern void tick_count(tick_counters *out);

#endif
