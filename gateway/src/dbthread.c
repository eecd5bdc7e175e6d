/*
 * dbthread.c
 *		A connection with an end to every wait; see dbthread.h.
 *
 * statement_timeout alone is not enough: a server that is stopped, or a network
 * that is gone, answers nothing at all.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "dbthread.h"

/* So that an attempt can tell itself what it waited for. */
#define GRACE_MS 50

int64_t
dbthread_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

bool
dbthread_sleep(const dbthread *t, int64_t ms)
{
	struct pollfd fds[1] = {{.fd = t->stop, .events = POLLIN}};
	int64_t		until = dbthread_now() + ms;

	for (int64_t left = ms; left > 0; left = until - dbthread_now())
		if (poll(fds, 1, (int) left) > 0)
			return true;
	return poll(fds, 1, 0) > 0;
}

void
dbthread_close(dbthread *t)
{
	dbopen_abandon(&t->opening);
	PQfinish(t->conn);
	t->conn = NULL;
}

/* Until fd is ready for events; false: too late, or it is to end. */
static bool
wait_for(int fd, int stop, short events, int64_t until, fault *f)
{
	for (;;)
	{
		struct pollfd fds[2] = {{.fd = fd, .events = events}, {.fd = stop, .events = POLLIN}};
		int64_t		left = until - dbthread_now();
		int			n;

		if (left <= 0)
			return fault_set(f, "the database did not answer in time");
		n = poll(fds, 2, (int) left);
		if (n < 0 && errno != EINTR)
			return fault_set(f, "poll: %s", strerror(errno));
		if (n > 0 && fds[1].revents != 0)
			return fault_set(f, "stopping");
		if (n > 0 && fds[0].revents != 0)
			return true;
	}
}

bool
dbthread_wait(const PGconn *conn, int stop, short events, int64_t until, fault *f)
{
	return wait_for(PQsocket(conn), stop, events, until, f);
}

/* An attempt that outlasts its time, in the resolver, is kept: the next call goes on with it. */
static bool
connect_until(dbthread *t, int timeout_ms, fault *f)
{
	int64_t		until = dbthread_now() + timeout_ms;

	if (!dbopen_begin(&t->opening, t->purpose, timeout_ms, f) ||
		!wait_for(dbopen_fd(t->opening), t->stop, POLLIN, until + GRACE_MS, f))
		return false;
	t->conn = dbopen_take(&t->opening, f);
	return t->conn != NULL;
}

bool
dbthread_connect(dbthread *t, int timeout_ms, fault *f)
{
	char		timeout[24];
	const char *values[] = {timeout};
	PGresult   *result;

	if (t->conn != NULL && PQstatus(t->conn) == CONNECTION_OK)
		return true;
	PQfinish(t->conn);
	t->conn = NULL;
	if (!connect_until(t, timeout_ms, f))
		return false;
	/* So that it is the server that says it took too long, while it can. */
	snprintf(timeout, sizeof(timeout), "%d", timeout_ms > 500 ? timeout_ms - 250 : timeout_ms);
	result = dbthread_query(t, "SELECT set_config('search_path', 'pg_catalog', false),"
							" set_config('default_transaction_isolation', 'read committed', false),"
							" set_config('row_security', 'on', false), set_config('jit', 'off', false),"
							" set_config('timezone', 'UTC', false), set_config('statement_timeout', $1, false)",
							1, values, timeout_ms, f);
	PQclear(result);
	if (result == NULL)
		dbthread_close(t);
	return result != NULL;
}

/* The last result of a statement; NULL: none came. */
static PGresult *
read_result(dbthread *t, int64_t until, fault *f)
{
	PGresult   *last = NULL,
			   *next;

	for (;;)
	{
		while (PQisBusy(t->conn))
			if (!dbthread_wait(t->conn, t->stop, POLLIN, until, f) || !PQconsumeInput(t->conn))
			{
				if (PQstatus(t->conn) == CONNECTION_BAD)
					fault_set(f, "%s", PQerrorMessage(t->conn));
				PQclear(last);
				return NULL;
			}
		next = PQgetResult(t->conn);
		if (next == NULL)
			return last;
		PQclear(last);
		last = next;
	}
}

PGresult *
dbthread_query(dbthread *t, const char *sql, int n, const char *const *values, int timeout_ms, fault *f)
{
	PGresult   *result = NULL;

	if (!PQsendQueryParams(t->conn, sql, n, NULL, values, NULL, NULL, 0))
		fault_set(f, "%s", PQerrorMessage(t->conn));
	else
		result = read_result(t, dbthread_now() + timeout_ms, f);
	if (result == NULL)
	{
		dbthread_close(t);
		return NULL;
	}
	if (PQresultStatus(result) == PGRES_TUPLES_OK || PQresultStatus(result) == PGRES_COMMAND_OK)
		return result;
	fault_set(f, "%s: %s", PQresultErrorField(result, PG_DIAG_SQLSTATE) != NULL ?
			  PQresultErrorField(result, PG_DIAG_SQLSTATE) : "?",
			  PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) != NULL ?
			  PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : PQerrorMessage(t->conn));
	if (PQstatus(t->conn) != CONNECTION_OK)
		dbthread_close(t);
	PQclear(result);
	return NULL;
}
