/*
 * dbslow_conn.c
 *		Transactions and statements over a blocking connection, in its thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "append_item.h"
#include "config.h"
#include "dboutage.h"
#include "dbslow_internal.h"
#include "log.h"

#define MOST_TRIES 5

/* ---- connecting ---- */

void
dbslow_disconnect(dbslow_conn *c)
{
	PGconn	   *conn;

	if (c->conn == NULL)
		return;
	pthread_mutex_lock(&dbslow_lock);
	dbslow_cancel_over(c);
	PQfreeCancel(c->cancel);
	c->cancel = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
	conn = c->conn;
	c->conn = NULL;
	pthread_mutex_unlock(&dbslow_lock);
	PQfinish(conn);
	c->begun = c->rows = false;
	atomic_fetch_sub(&db_tallies.connected, 1);
}

/*
 * With an end to every wait, which the pool's own ends early.  A lock may be
 * waited for half the time: who waits gives way before the statement is cut off
 * as too slow.  NULL: no connection.
 */
static PGconn *
open_connection(dbslow_conn *c, fault *f)
{
	dbthread	t = {.purpose = "slow", .stop = dbslow_stop_fd, .opening = c->opening};
	int			timeout = (int) config_now()->db_connect_timeout_ms;
	int64_t		slow = config_now()->db_slow_timeout_ms;
	char		sql[1200];

	db_settings_sql(sql, sizeof(sql), slow, (slow + 1) / 2);
	if (dbthread_connect(&t, timeout, f))
	{
		PGresult   *result = dbthread_query(&t, sql, 0, NULL, timeout, f);

		if (result == NULL)
			dbthread_close(&t);
		PQclear(result);
	}
	c->opening = t.opening;
	return t.conn;
}

bool
dbslow_connect(dbslow_conn *c)
{
	fault		f;
	PGconn	   *conn = open_connection(c, &f);

	if (conn != NULL)
	{
		if (c->attempted)
			atomic_fetch_add(&db_tallies.reconnects, 1);
		atomic_fetch_add(&db_tallies.connected, 1);
		pthread_mutex_lock(&dbslow_lock);
		c->conn = conn;
		c->fd = fcntl(PQsocket(conn), F_DUPFD_CLOEXEC, 3);
		c->cancel = PQgetCancel(conn);
		db_take_notices(conn, &c->unreplicated);
		c->attempted = true;
		c->failures = 0;
		pthread_mutex_unlock(&dbslow_lock);
		dboutage_connected(dbthread_now());
		return true;
	}
	dboutage_failed(dbthread_now(), "slow", f.text);
	pthread_mutex_lock(&dbslow_lock);
	c->failures++;
	c->retry_at = dbthread_now() + db_pause(c->failures, 100, 5000);
	c->attempted = true;
	pthread_mutex_unlock(&dbslow_lock);
	return false;
}

unsigned
dbslow_retry_after(const dbslow_conn *c)
{
	int64_t		left = c->retry_at - dbthread_now();

	return left > 0 ? (unsigned) ((left + 999) / 1000) : 1;
}

/* ---- failures ---- */

/* Keeps the SQLSTATE, puts the problem into the reply, and gives a dead connection up.  Clears the result. */
static void
fail(dbslow_conn *c, job *j, PGresult *result)
{
	const char *state = db_sqlstate(result);
	bool		lost = PQstatus(c->conn) != CONNECTION_OK;
	bool		cancelled;

	pthread_mutex_lock(&dbslow_lock);
	cancelled = c->cancelled;
	pthread_mutex_unlock(&dbslow_lock);
	snprintf(c->sqlstate, sizeof(c->sqlstate), "%s", lost ? "" : state);
	if (cancelled && strcmp(state, "57014") == 0)
	{
		problem		p;

		problem_set(&p, "deadline", "the request was given up");
		problem_reply(&j->reply, &p, j->path, j->trace_id);
	}
	else
		db_job_problem(lost ? NULL : result, j, 0);
	PQclear(result);
	if (lost)
	{
		log_line(LOG_WARN, "db.lost", "slow connection: lost in %s", j->route->name);
		dbslow_disconnect(c);
	}
}

static bool
done(dbslow_conn *c, job *j, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
	{
		PQclear(result);
		return true;
	}
	fail(c, j, result);
	return false;
}

/* No connection, or none any more. */
static bool
away(dbslow_conn *c, job *j)
{
	if (c->conn != NULL)
		return false;
	c->sqlstate[0] = '\0';
	db_job_problem(NULL, j, dbslow_retry_after(c));
	return true;
}

/* ---- transactions ---- */

static bool
try_begin(dbslow_conn *c, job *j, bool read_only)
{
	const char *values[] = {j->who.tenant};

	if (!done(c, j, PQexec(c->conn, read_only ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" : "BEGIN")))
		return false;
	c->begun = true;
	if (done(c, j, PQexecParams(c->conn, DB_BIND_SQL, 1, NULL, values, NULL, NULL, 0)))
		return true;
	dbslow_rollback(c);
	return false;
}

/* A connection that died while nobody used it shows it here, where nothing is lost by another try. */
bool
dbslow_begin(dbslow_conn *c, job *j, bool read_only)
{
	if (c->conn != NULL && try_begin(c, j, read_only))
		return true;
	if (c->conn != NULL)
		return false;
	if (!dbslow_connect(c))
		return !away(c, j);
	return try_begin(c, j, read_only);
}

/* Or not as it should be. */
static bool
not_committed(dbslow_conn *c, job *j, PGresult *result, const char *code, const char *detail)
{
	problem		p;

	PQclear(result);
	problem_set(&p, code, "%s", detail);
	problem_reply(&j->reply, &p, j->path, j->trace_id);
	snprintf(c->sqlstate, sizeof(c->sqlstate), "XX000");	/* not a lost connection */
	return false;
}

bool
dbslow_commit(dbslow_conn *c, job *j)
{
	PGresult   *result;

	if (away(c, j))
		return false;
	c->unreplicated = false;
	result = PQexec(c->conn, "COMMIT");
	c->begun = false;
	if (PQresultStatus(result) == PGRES_COMMAND_OK && c->unreplicated)
		return not_committed(c, j, result, "not_replicated", "it is committed, and perhaps not on the standbys");
	/* COMMIT of a transaction that failed is answered with success and the word ROLLBACK. */
	if (PQresultStatus(result) == PGRES_COMMAND_OK && strcmp(PQcmdStatus(result), "COMMIT") != 0)
		return not_committed(c, j, result, "internal", "the transaction was not committed");
	return done(c, j, result);
}

/* Rows that nobody will read are stopped at their source. */
static void
stop_rows(dbslow_conn *c)
{
	PGresult   *result;

	pthread_mutex_lock(&dbslow_lock);
	dbslow_cancel_begin(c);
	dbslow_cancel_over(c);
	pthread_mutex_unlock(&dbslow_lock);
	while ((result = PQgetResult(c->conn)) != NULL)
		PQclear(result);
	c->rows = false;
}

void
dbslow_rollback(dbslow_conn *c)
{
	PGresult   *result;

	if (c->conn != NULL && c->rows)
		stop_rows(c);
	if (c->conn == NULL || !c->begun)
		return;
	result = PQexec(c->conn, "ROLLBACK");
	c->begun = false;
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		dbslow_disconnect(c);	/* nobody gets a connection whose state is unknown */
	PQclear(result);
}

/* ---- statements ---- */

#define MOST_VALUES 32

typedef struct parameters
{
	const char *values[MOST_VALUES];
	int			lengths[MOST_VALUES];
	int			formats[MOST_VALUES];
} parameters;

static void
set_parameters(parameters *p, int n, const db_value *values)
{
	for (int i = 0; i < n && i < MOST_VALUES; i++)
	{
		p->values[i] = values[i].bytes;
		p->lengths[i] = (int) values[i].n;
		p->formats[i] = values[i].binary ? 1 : 0;
	}
}

PGresult *
dbslow_query(dbslow_conn *c, job *j, const char *sql, int n, const db_value *values)
{
	parameters	p;
	PGresult   *result;
	ExecStatusType status;

	if (away(c, j))
		return NULL;
	set_parameters(&p, n, values);
	result = PQexecParams(c->conn, sql, n, NULL, p.values, p.lengths, p.formats, 1);
	status = PQresultStatus(result);
	if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK)
		return result;
	fail(c, j, result);
	return NULL;
}

bool
dbslow_rows_begin(dbslow_conn *c, job *j, const char *sql, int n, const db_value *values)
{
	parameters	p;

	if (away(c, j))
		return false;
	set_parameters(&p, n, values);
	if (PQsendQueryParams(c->conn, sql, n, NULL, p.values, p.lengths, p.formats, 1) != 1 ||
		PQsetSingleRowMode(c->conn) != 1)
	{
		fail(c, j, NULL);
		return false;
	}
	c->rows = true;
	return true;
}

PGresult *
dbslow_rows_next(dbslow_conn *c, job *j, bool *failed)
{
	PGresult   *result;
	ExecStatusType status;

	*failed = false;
	if (!c->rows)
		return NULL;
	result = PQgetResult(c->conn);
	status = PQresultStatus(result);
	if (status == PGRES_SINGLE_TUPLE)
		return result;
	c->rows = false;
	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		PQclear(result);
	else
	{
		*failed = true;
		fail(c, j, result);
	}
	while (c->conn != NULL && (result = PQgetResult(c->conn)) != NULL)
		PQclear(result);
	return NULL;
}

/* ---- a job ---- */

static bool
call_function(dbslow_conn *c, job *j)
{
	const route *r = j->route;
	char		sql[256];
	db_value	values[3] = {{j->who.tenant, strlen(j->who.tenant), false}, {j->context.data, j->context.len, false},
	{j->body.data != NULL ? j->body.data : "", j->body.len, r->body == BODY_BYTES}};
	PGresult   *result;
	bool		good;

	if (!dbslow_begin(c, j, (r->flags & ROUTE_READ_ONLY) != 0))
		return false;
	db_call_sql(sql, sizeof(sql), r);
	result = dbslow_query(c, j, sql, r->body == BODY_NONE ? 2 : 3, values);
	if (result == NULL)
		return false;
	good = PQnfields(result) == 3 && PQntuples(result) == 1 && db_row_reply(result, 0, 0, j);
	PQclear(result);
	if (!good)
	{
		problem		p;

		problem_set(&p, "internal", "the function of the route gave no answer");
		problem_reply(&j->reply, &p, j->path, j->trace_id);
		snprintf(c->sqlstate, sizeof(c->sqlstate), "XX000");	/* not a lost connection */
		return false;
	}
	return dbslow_commit(c, j);
}

static void
pause_for(int64_t ms)
{
	struct timespec rest = {ms / 1000, (ms % 1000) * 1000000};

	while (nanosleep(&rest, &rest) != 0 && errno == EINTR)
		;
}

/*
 * 40001 and 40P01 have stored nothing, so that any job may run again.  After a
 * lost connection nobody knows, and only what is harmless twice does, once.
 */
bool
dbslow_again(dbslow_conn *c, job *j, bool harmless)
{
	bool		lost = c->sqlstate[0] == '\0';

	dbslow_rollback(c);
	if (job_abandoned(j) || dbthread_now() >= j->deadline)
		return false;
	if (lost && !c->lost_before && harmless)
		c->lost_before = true;
	else if (db_sqlstate_retry(c->sqlstate) && ++j->tries < MOST_TRIES)
		pause_for(db_pause((unsigned) j->tries, 10, 500));
	else
		return false;
	atomic_fetch_add(&db_tallies.retries, 1);
	return true;
}

void
dbslow_run(dbslow_conn *c, job *j)
{
	c->lost_before = false;
	if (j->route->work != NULL)
	{
		j->route->work(j, c);
		dbslow_rollback(c);		/* what it left open */
		return;
	}
	while (!call_function(c, j))
		if (!dbslow_again(c, j, (j->route->flags & ROUTE_READ_ONLY) != 0))
			return;
	/* 200: all of it was there before. */
	if (j->route->body == BODY_EVENTS && j->reply.status == 201)
		append_count_batch(j);
}
