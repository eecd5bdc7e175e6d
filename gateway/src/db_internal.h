/*
 * db_internal.h
 *		What db.c has for the executors and nobody else.
 */
#ifndef GATEWAY_DB_INTERNAL_H
#define GATEWAY_DB_INTERNAL_H

#include <stdatomic.h>

#include "db.h"
#include "problem.h"

/* The numbers behind db_count().  Relaxed: each is right, together they are a moment's blur. */
typedef struct db_tally
{
	atomic_int	connections, connected, quick_connected, busy, waiting;
	atomic_ullong timeouts, reconnects, retries, batches, batched, read_batches, batched_reads;
} db_tally;
extern db_tally db_tallies;

/* Names and texts of what every connection prepares: binding a tenant for one transaction. */
#define DB_BIND "bind"
#define DB_BIND_READ_ONLY "bind_read_only"
#define DB_BIND_SQL "SELECT pg_catalog.set_config('app.current_tenant', $1, true)"
#define DB_BIND_READ_ONLY_SQL DB_BIND_SQL ", pg_catalog.set_config('transaction_read_only', 'on', true)"

/* Settings of a session, as one SELECT of set_config: it works through a pooler too, which startup options do not. */
extern void db_settings_sql(char *out, size_t size, int64_t statement_timeout_ms, int64_t lock_timeout_ms);

/*
 * Notices would go to standard error, among the log's lines.  One is more than
 * that: "canceling wait for synchronous replication", before an ordinary success
 * of the commit.  It sets *unreplicated: committed here, and perhaps lost by a
 * fail-over.
 */
extern void db_take_notices(PGconn *conn, bool *unreplicated);

/* SELECT status, headers, body FROM the route's function. */
extern void db_call_sql(char *out, size_t size, const route *r);

/* The same for several, whose contexts are an array: SELECT number (from 1), status, headers, body, in their order. */
extern void db_call_many_sql(char *out, size_t size, const route *r);

/* A row of a function into the reply; a status of 400 and more is a refusal that came as data. */
extern bool db_row_reply(const PGresult *result, int row, int first_column, job *j);

/* Fills the job's reply with the problem of a failed result (NULL: a lost connection), and logs what is not told. */
extern void db_job_problem(const PGresult *result, job *j, unsigned retry_after);

/* "" for a lost connection. */
extern const char *db_sqlstate(const PGresult *result);

/* Worth another try: 40001, 40P01. */
extern bool db_sqlstate_retry(const char *sqlstate);

/* The server went away or is about to: class 08, 57P01 … 57P03, or no SQLSTATE at all. */
extern bool db_sqlstate_lost(const char *sqlstate);

/*
 * The session is not the one that was set up: its prepared statements are gone
 * (a pooler in between said DISCARD ALL), or one was planned for a function that
 * a migration has replaced since.  Only a new connection is right in all of it.
 */
extern bool db_session_stale(const PGresult *error);

/* Milliseconds before try number n (1, 2, …) of a base, doubled each time, at most max, with jitter of a quarter. */
extern int64_t db_pause(unsigned n, int64_t base, int64_t max);

/* Big-endian, as binary results have it. */
extern bool db_int4(const PGresult *result, int row, int column, int32_t *out);

#endif
