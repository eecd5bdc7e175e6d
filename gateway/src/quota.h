/*
 * quota.h
 *		How much a tenant may write: a rate, and a backlog of events that are
 *		not anchored yet (LEDGER__QUOTA__…).  Any thread.
 */
#ifndef GATEWAY_QUOTA_H
#define GATEWAY_QUOTA_H

#include "identity.h"
#include "problem.h"

/* May the tenant append so many events now?  If not, p is 429 with Retry-After. */
extern bool quota_take(const char *tenant, uint64_t events, problem *p);

/* Appends that are accepted (+1) and answered (-1): they count against the backlog too. */
extern void quota_accepted(const char *tenant, int change);
extern uint64_t quota_accepted_now(const char *tenant);

/* From the probe: events of the tenant that are not anchored yet. */
extern void quota_set_unanchored(const char *tenant, uint64_t events);

/* After a commit: so many new ones; over half of the quota the anchor tick is called. */
extern void quota_add_unanchored(const char *tenant, uint64_t events);

typedef struct quota_state
{
	char		tenant[IDENTITY_TENANT_SIZE];
	uint64_t	backlog;		/* unanchored, and accepted but not answered */
	uint64_t	limit;			/* 0: none */
	uint64_t	rejected_backlog, rejected_rate;
	uint64_t	backpressure;	/* times that the tick was called early */
} quota_state;

/* For metrics: calls fn for each tenant that is known. */
extern void quota_each(void (*fn) (const quota_state *state, void *arg), void *arg);

#endif
