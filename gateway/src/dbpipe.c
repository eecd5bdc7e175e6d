/*
 * dbpipe.c
 *		Quick routes over one pipelined connection.
 *
 * Statements stand in a ring in the order of their Syncs.  A job is answered at
 * its Sync and not before: an error of the commit comes after the rows.
 *
 * Reads of one thing (by an id, of a chain) that are of one tenant and one route
 * share a statement: starting and ending one costs as much as the answer itself.
 * Two statements of a queue fly, so that the backend has the next while the
 * answers of the last are sent; what comes meanwhile collects.  If a shared one
 * fails, its jobs are asked again, each alone, and then the queue has statements
 * of one job for a while, longer each time: a client that asks for nonsense makes
 * the reads of its tenant as slow as they are alone, and never twice as slow.
 *
 * A statement is prepared when it is first used on a connection, in the same
 * breath as the job, so that a database without the function (not migrated yet)
 * fails that route and no other, and only until it is there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "dbpipe_internal.h"

/* Statements on their way of a queue whose jobs share them. */
#define SHARED_DEPTH 2

/* Jobs of one statement.  More would save little, and everybody else of the loop waits for its end. */
#define SHARED_MOST 32

static void
tally_busy(int change)
{
	atomic_fetch_add_explicit(&db_tallies.busy, change, memory_order_relaxed);
}

/* ---- sending ---- */

/*
 * A page may be long, and so may a tile, which has up to 256 events: many of them
 * would be a long wait for all tenants, while the start of a statement is little
 * of their cost.
 */
static bool
shares(const job_queue *q)
{
	const unsigned matter = ROUTE_READ_ONLY | ROUTE_PAGED | ROUTE_LONG;

	return (q->route->flags & matter) == ROUTE_READ_ONLY && q->route->body == BODY_NONE && q->singles == 0;
}

static bool
may_fly(const job_queue *q)
{
	return q->flying < (shares(q) && !q->first->alone ? SHARED_DEPTH : DBPIPE_DEPTH);
}

statement *
dbpipe_statement(dbpipe *p, const shot *s)
{
	return &p->statements[s->count > 1][s->queue->route - routes];
}

/* The name of the statement, which is prepared with it if need be. */
static void
prepare(dbpipe *p, shot *s, char *name, size_t size)
{
	const route *r = s->queue->route;
	statement  *st = dbpipe_statement(p, s);
	char		sql[400];

	snprintf(name, size, "%s%zu", s->count > 1 ? "many" : "one", (size_t) (r - routes));
	s->generation = st->generation;
	if (st->prepared)
		return;
	if (s->count > 1)
		db_call_many_sql(sql, sizeof(sql), r);
	else
		db_call_sql(sql, sizeof(sql), r);
	dbconn_prepare(&p->conn, name, sql);
	st->prepared = true;
	s->parsing = true;
}

/* The contexts of all, as one array. */
static bool
put_contexts(lc_buf *out, const job *list)
{
	for (const job *j = list; j != NULL; j = j->next)
	{
		lc_buf_putc(out, j == list ? '[' : ',');
		lc_buf_append(out, j->context.data, j->context.len);
	}
	lc_buf_putc(out, ']');
	return out->status == LC_OK;
}

static bool
send_shot(dbpipe *p, shot *s)
{
	const job  *j = s->jobs;
	const route *r = s->queue->route;
	const char *values[] = {j->who.tenant, j->context.data, j->body.data != NULL ? j->body.data : ""};
	const int	lengths[] = {0, 0, (int) j->body.len};
	const int	formats[] = {0, 0, r->body == BODY_BYTES};
	char		name[32];
	lc_buf		contexts;

	lc_buf_init(&contexts, &lc_alloc_malloc);
	if (s->count > 1)
	{
		if (!put_contexts(&contexts, j))
		{
			lc_buf_free(&contexts);
			return false;
		}
		values[1] = contexts.data;
		atomic_fetch_add_explicit(&db_tallies.read_batches, 1, memory_order_relaxed);
		atomic_fetch_add_explicit(&db_tallies.batched_reads, s->count, memory_order_relaxed);
	}
	prepare(p, s, name, sizeof(name));
	dbconn_bind(&p->conn, j->who.tenant, (r->flags & ROUTE_READ_ONLY) != 0);
	dbconn_execute(&p->conn, name, r->body != BODY_NONE ? 3 : 2, values, lengths, formats);
	dbconn_sync(&p->conn);
	lc_buf_free(&contexts);
	return true;
}

/* One statement of a queue that may have one. */
static void
fly(dbpipe *p, job_queue *q)
{
	shot	   *s = &p->ring[(p->head + p->sent) % DBPIPE_DEPTH];

	memset(s, 0, sizeof(*s));
	s->queue = q;
	s->jobs = job_queue_take(q, shares(q) ? SHARED_MOST : 1, &s->count);
	if (s->jobs != NULL && send_shot(p, s))
	{
		p->sent++;
		p->jobs += s->count;
		q->flying++;
		if (q->singles > 0)
			q->singles--;
		tally_busy(1);
	}
	else
		while (s->jobs != NULL)
			job_refuse(job_list_next(&s->jobs), "pool_exhausted", "out of memory");
	job_queue_settle(q);
}

void
dbpipe_run(dbpipe *p)
{
	job_queue  *q;

	while (dbconn_ready(&p->conn) && p->sent < DBPIPE_DEPTH && (q = job_queues_next(&p->queues, true)) != NULL)
		fly(p, q);
}

/* ---- results ---- */

/* Takes the first of the ring out. */
static shot
shift(dbpipe *p)
{
	shot		s = p->ring[p->head];

	p->head = (p->head + 1) % DBPIPE_DEPTH;
	p->sent--;
	p->jobs -= s.count;
	tally_busy(-1);
	return s;
}

static void
finish_first(dbpipe *p)
{
	shot		s = shift(p);

	shot_finish(p, &s);
	s.queue->flying--;
	job_queue_settle(s.queue);
}

static void
take(void *arg, PGresult *result)
{
	dbpipe	   *p = arg;
	shot	   *s = &p->ring[p->head];

	switch (PQresultStatus(result))
	{
		case PGRES_PIPELINE_SYNC:
			PQclear(result);
			finish_first(p);
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
		p->statements[false][i].prepared = p->statements[true][i].prepared = false;
}

void
dbpipe_refuse_away(job *j, void *arg)
{
	dbpipe	   *p = arg;

	db_job_problem(NULL, j, dbconn_retry_after(&p->conn));
	job_done(j);
}

/* If the database cannot be reached at all, everyone is told at once. */
static void
down(void *arg)
{
	dbpipe	   *p = arg;
	shot		lost[DBPIPE_DEPTH];
	size_t		n = p->sent;

	if (p->up)
		atomic_fetch_sub(&db_tallies.quick_connected, 1);
	p->up = false;
	for (size_t i = 0; i < n; i++)
		lost[i] = shift(p);
	/* From the last to the first, each in front of the others.  A queue lives while one of it flies. */
	for (size_t i = n; i-- > 0;)
	{
		shot_lose(p, &lost[i]);
		lost[i].queue->flying--;
		job_queue_settle(lost[i].queue);
	}
	if (dbconn_away(&p->conn))
		job_queues_refuse(&p->queues, dbpipe_refuse_away, p);
}

void
dbpipe_submit(dbpipe *p, job *j)
{
	if (dbconn_away(&p->conn))
		dbpipe_refuse_away(j, p);
	else if (p->queues.waiting + p->jobs >= (size_t) config_now()->db_queue)
	{
		atomic_fetch_add(&db_tallies.timeouts, 1);
		job_refuse(j, "pool_exhausted", "%zu requests wait for the database already", p->queues.waiting + p->jobs);
	}
	else
	{
		j->weight = j->context.len;
		(void) job_queues_add(&p->queues, j);
	}
}

static void
refuse(job *j, const char *code, const char *detail)
{
	job_refuse(j, code, "%s", detail);
}

static void
schedule(void *arg)
{
	dbpipe_run(arg);
}

dbpipe *
dbpipe_new(loop *l)
{
	dbpipe	   *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	for (int i = 0; i < 2; i++)
		p->statements[i] = calloc(routes_count, sizeof(**p->statements));
	if (p->statements[0] == NULL || p->statements[1] == NULL)
	{
		free(p->statements[0]);
		free(p->statements[1]);
		free(p);
		return NULL;
	}
	job_queues_init(&p->queues, l, p);
	p->queues.may_fly = may_fly;
	p->queues.refuse = refuse;
	p->queues.schedule = schedule;
	p->conn.loop = l;
	p->conn.purpose = "quick";
	p->conn.arg = p;
	p->conn.up = up;
	p->conn.result = take;
	p->conn.down = down;
	dbconn_start(&p->conn);
	return p;
}

static void
refuse_draining(job *j, void *arg)
{
	(void) arg;
	job_refuse(j, "draining", "the gateway is shutting down");
}

void
dbpipe_free(dbpipe *p)
{
	if (p == NULL)
		return;
	if (p->up)
		atomic_fetch_sub(&db_tallies.quick_connected, 1);
	dbconn_stop(&p->conn);
	while (p->sent > 0)
	{
		shot		s = shift(p);

		PQclear(s.answer);
		PQclear(s.error);
		while (s.jobs != NULL)
			refuse_draining(job_list_next(&s.jobs), NULL);
	}
	job_queues_refuse(&p->queues, refuse_draining, NULL);
	job_queues_free(&p->queues);
	free(p->statements[0]);
	free(p->statements[1]);
	free(p);
}
