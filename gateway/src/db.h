/*
 * db.h
 *		What the three executors share: connecting, prepared statements,
 *		results to replies, failures to problems.
 *
 * A tenant is bound inside the implicit transaction of one Sync:
 *
 *		SELECT set_config('app.current_tenant', $1, true), …	(bind)
 *		SELECT status, headers, body FROM ledger.<function>($1, $2[, $3])
 *		Sync
 *
 * so what is bound ends with the transaction, whatever became of it, and no
 * request can see the binding of another.  Read-only routes bind
 * transaction_read_only too.
 */
#ifndef GATEWAY_DB_H
#define GATEWAY_DB_H

#include <libpq-fe.h>

#include "job.h"

/* Parameters for PQconnectStartParams, from LEDGER__DB__CONNECTIONSTRING; application_name is set. */
typedef struct db_params
{
	const char *keywords[64];
	const char *values[64];
	char		application[64];	/* "findings-ledger-gateway quick" */
} db_params;

/* purpose: a word for pg_stat_activity.  out must stay where it is while it is used. */
extern void db_connect_params(db_params *out, const char *purpose);

/* One result of a route's function (binary) into the reply.  False: not what a function returns (LG500). */
extern bool db_result_reply(const PGresult *result, reply *out);

/* A failed result, or a lost connection (NULL), into a problem's code and texts. */
struct problem;
extern void db_result_problem(const PGresult *result, struct problem *out);

/* Gauges and counters of the pools, of all loops (prom.h). */
typedef struct db_counters
{
	int			connections, connected, busy;
	int			waiting;		/* jobs that no connection has taken yet */
	uint64_t	timeouts;		/* jobs refused because none was free in time */
	uint64_t	reconnects, retries;
	uint64_t	batches, batched;	/* append batches, and events in them */
	uint64_t	read_batches, batched_reads;	/* shared statements, and requests that shared them */
} db_counters;
extern void db_count(db_counters *out);

/* Is a connection of this loop up?  Any thread. */
extern bool db_up(void);

#endif
