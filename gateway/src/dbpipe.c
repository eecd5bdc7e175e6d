/*
 * dbpipe.c
 *		Quick routes over one pipelined connection.
 *
 * Jobs stand in a ring: first those that were sent and not answered yet, in
 * the order of their Syncs, then those that wait.  A job is answered at its
 * Sync and not before: an error of the commit comes after the rows.
 *
 * A route's statement is prepared when it is first used on a connection, in the
 * same breath as the job, so that a database without the function (not migrated
 * yet) fails that route and no other, and only until it is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "dbconn.h"
#include "dbpipe.h"

/*
 * Sent at once.  More would gain nothing: one backend answers them in turn,
 * and what waits here can still be dropped.
 */
#define DEPTH 128

typedef struct slot
{
	job		   *job;
	PGresult   *answer;			/* the last rows that came */
	PGresult   *error;			/* the first failure; what follows it is its echo */
	bool		again;			/* sent for the second time */
	bool		parsing;		/* its statement is prepared with it, and that has not come back yet */
	unsigned	generation;		/* of its statement, when it was sent */
} slot;

/* What this connection knows of a route.  The generation counts Parses that failed. */
typedef struct statement
{
	bool		prepared;
	unsigned	generation;
} statement;

struct dbpipe
{
	dbconn		conn;
	slot	   *ring;
	size_t		capacity, head, sent, count;	/* of the count from head on, the first sent are on their way */
	statement  *statements;
	bool		up;				/* counted as such */
};

static slot *
at(dbpipe *p, size_t i)
{
	return &p->ring[(p->head + i) % p->capacity];
}

static void
tally(int waiting, int busy)
{
	if (waiting != 0)
		atomic_fetch_add(&db_tallies.waiting, waiting);
	if (busy != 0)
		atomic_fetch_add(&db_tallies.busy, busy);
}

static void
send_job(dbpipe *p, slot *s)
{
	job		   *j = s->job;
	statement  *st = &p->statements[j->route - routes];
	bool		with_body = j->route->body != BODY_NONE;
	const char *values[] = {j->who.tenant, j->context.data, j->body.data != NULL ? j->body.data : ""};
	const int	lengths[] = {0, 0, (int) j->body.len};
	const int	formats[] = {0, 0, j->route->body == BODY_BYTES};
	char		name[32];
	char		sql[256];

	snprintf(name, sizeof(name), "r%zu", (size_t) (j->route - routes));
	s->generation = st->generation;
	if (!st->prepared)
	{
		db_call_sql(sql, sizeof(sql), j->route);
		dbconn_prepare(&p->conn, name, sql);
		st->prepared = true;
		s->parsing = true;
	}
	dbconn_bind(&p->conn, j->who.tenant, (j->route->flags & ROUTE_READ_ONLY) != 0);
	dbconn_execute(&p->conn, name, with_body ? 3 : 2, values, lengths, formats);
	dbconn_sync(&p->conn);
}

static void
clear_results(slot *s)
{
	PQclear(s->answer);
	PQclear(s->error);
	s->answer = s->error = NULL;
}

/* Takes the first of the ring out. */
static job *
shift(dbpipe *p)
{
	slot	   *s = at(p, 0);
	job		   *j = s->job;

	clear_results(s);
	s->job = NULL;
	p->head = (p->head + 1) % p->capacity;
	p->count--;
	if (p->sent > 0)
	{
		p->sent--;
		tally(0, -1);
	}
	else
		tally(-1, 0);
	return j;
}

/* Sends what waits, as long as it is wanted.  Only the first that wait can be dropped without shifting others. */
static void
pump(dbpipe *p)
{
	while (dbconn_ready(&p->conn) && p->sent < p->count && p->sent < DEPTH)
	{
		slot	   *s = at(p, p->sent);

		if (p->sent == 0 && (job_abandoned(s->job) || s->job->deadline <= loop_now(p->conn.loop)))
		{
			job_refuse(shift(p), "deadline", "the request waited too long for the database");
			continue;
		}
		send_job(p, s);
		p->sent++;
		tally(-1, 1);
	}
}

/* ---- answers ---- */

static void
enqueue(dbpipe *p, job *j, bool again)
{
	slot	   *s = at(p, p->count);

	memset(s, 0, sizeof(*s));
	s->job = j;
	s->again = again;
	p->count++;
	tally(1, 0);
}

/*
 * A statement that nobody has prepared: either its Parse failed a moment ago, for
 * a job before, and is tried again with this one; or the session was reset.
 */
static void
fail_job(dbpipe *p, job *j, PGresult *error, const slot *sent)
{
	statement  *st = &p->statements[j->route - routes];
	bool		again = sent->again;
	bool		stale = db_session_stale(error);
	bool		retry = db_sqlstate_retry(db_sqlstate(error)) && j->tries < 3;

	if (stale && sent->generation == st->generation)
		dbconn_renew(&p->conn);
	if (sent->parsing)
	{
		st->prepared = false;
		st->generation++;
	}
	if ((stale && !again) || retry)
	{
		if (retry)
			j->tries++;
		atomic_fetch_add(&db_tallies.retries, 1);
		enqueue(p, j, again || stale);
		return;
	}
	db_job_problem(error, j, 0);
	job_done(j);
}

static void
finish_first(dbpipe *p)
{
	slot	   *s = at(p, 0);
	slot		sent = *s;
	PGresult   *answer = s->answer;
	PGresult   *error = s->error;
	job		   *j;

	s->answer = s->error = NULL;
	j = shift(p);
	if (error != NULL)
		fail_job(p, j, error, &sent);
	else if (answer == NULL || PQnfields(answer) != 3 || PQntuples(answer) != 1 || !db_row_reply(answer, 0, 0, j))
		job_refuse(j, "internal", "the function of the route gave no answer");
	else
		job_done(j);
	PQclear(answer);
	PQclear(error);
}

static void
take(void *arg, PGresult *result)
{
	dbpipe	   *p = arg;
	slot	   *s = at(p, 0);

	switch (PQresultStatus(result))
	{
		case PGRES_PIPELINE_SYNC:
			PQclear(result);
			finish_first(p);
			pump(p);
			return;
		case PGRES_TUPLES_OK:
			PQclear(s->answer);
			s->answer = result;
			return;
		case PGRES_COMMAND_OK:	/* of a Parse */
			s->parsing = false;
			break;
		case PGRES_PIPELINE_ABORTED:
			break;
		default:
			if (s->error == NULL)
			{
				s->error = result;
				return;
			}
	}
	PQclear(result);
}

/* ---- connection ---- */

static void
up(void *arg)
{
	dbpipe	   *p = arg;

	p->up = true;
	atomic_fetch_add(&db_tallies.quick_connected, 1);
	for (size_t i = 0; i < routes_count; i++)
		p->statements[i].prepared = false;
	pump(p);
}

static void
refuse_away(dbpipe *p, job *j)
{
	db_job_problem(NULL, j, dbconn_retry_after(&p->conn));
	job_done(j);
}

/*
 * Reads whose answers are lost are asked once more: nothing can have happened
 * twice.  If the database cannot be reached at all, everyone is told at once.
 */
static void
down(void *arg)
{
	dbpipe	   *p = arg;
	size_t		n = p->count;
	size_t		lost = p->sent;

	if (p->up)
		atomic_fetch_sub(&db_tallies.quick_connected, 1);
	p->up = false;
	for (size_t i = 0; i < n; i++)
	{
		bool		again = at(p, 0)->again;
		job		   *j = shift(p);

		if (dbconn_away(&p->conn) ||
			(i < lost && (again || (j->route->flags & ROUTE_READ_ONLY) == 0)))
			refuse_away(p, j);
		else
		{
			if (i < lost)
				atomic_fetch_add(&db_tallies.retries, 1);
			enqueue(p, j, again || i < lost);
		}
	}
}

void
dbpipe_submit(dbpipe *p, job *j)
{
	if (dbconn_away(&p->conn))
		refuse_away(p, j);
	else if (p->count == p->capacity)
	{
		atomic_fetch_add(&db_tallies.timeouts, 1);
		job_refuse(j, "pool_exhausted", "%zu requests wait for the database already", p->count);
	}
	else
	{
		enqueue(p, j, false);
		pump(p);
	}
}

dbpipe *
dbpipe_new(loop *l)
{
	dbpipe	   *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->capacity = (size_t) config_now()->db_queue;
	p->ring = calloc(p->capacity, sizeof(*p->ring));
	p->statements = calloc(routes_count, sizeof(*p->statements));
	if (p->ring == NULL || p->statements == NULL)
	{
		free(p->ring);
		free(p->statements);
		free(p);
		return NULL;
	}
	p->conn.loop = l;
	p->conn.purpose = "quick";
	p->conn.arg = p;
	p->conn.up = up;
	p->conn.result = take;
	p->conn.down = down;
	dbconn_start(&p->conn);
	return p;
}

void
dbpipe_free(dbpipe *p)
{
	if (p == NULL)
		return;
	if (p->up)
		atomic_fetch_sub(&db_tallies.quick_connected, 1);
	dbconn_stop(&p->conn);
	while (p->count > 0)
		job_refuse(shift(p), "draining", "the gateway is shutting down");
	free(p->ring);
	free(p->statements);
	free(p);
}
