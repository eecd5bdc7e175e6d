/*
 * dbappend.c
 *		Lanes: connections that run batches of appends, one of a tenant at a
 *		time.
 *
 * Rows of a batch come before its commit does, so nobody is answered before its
 * Sync.  When a batch fails as a whole, what becomes of it depends on why:
 *
 *		the connection is lost, 40001, 40P01	again, with its ids it is harmless
 *		a lock, a time-out, no space, no right,
 *		a standby, a damaged ledger				all are told so: alone they would fare no better
 *		anything else							one by one, so that the others are stored
 *
 * A tenant whose batches wait for locks until they are cut off may hold all
 * lanes but one, together with others of the kind: the last one is for those
 * who do not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "append_item.h"
#include "dbappend.h"
#include "dbconn.h"
#include "job_queue.h"

#define MOST_TRIES 5

/* The statement, and its name. */
#define APPEND "append"
#define APPEND_SQL "SELECT item, status, headers, body FROM ledger.ledger_http_append($1, $2)"

typedef struct lane
{
	dbappend   *owner;
	dbconn		conn;
	bool		prepared;
	bool		parsing;		/* the statement goes with the batch, and has not come back yet */
	job_queue  *queue;			/* NULL: idle */
	job		   *batch;			/* in the order of their numbers */
	size_t		count;
	PGresult   *answer, *error;
} lane;

struct dbappend
{
	job_queues	queues;
	lane	   *lanes;
	size_t		lanes_count;
};

/* ---- sending ---- */

static bool
all_away(const dbappend *a)
{
	for (size_t i = 0; i < a->lanes_count; i++)
		if (!dbconn_away(&a->lanes[i].conn))
			return false;
	return true;
}

static unsigned
retry_after(const dbappend *a)
{
	unsigned	soonest = dbconn_retry_after(&a->lanes[0].conn);

	for (size_t i = 1; i < a->lanes_count; i++)
		if (dbconn_retry_after(&a->lanes[i].conn) < soonest)
			soonest = dbconn_retry_after(&a->lanes[i].conn);
	return soonest;
}

static bool
send_batch(lane *l)
{
	lc_buf		items;
	const char *values[] = {l->queue->tenant, NULL};
	bool		good;

	lc_buf_init(&items, &lc_alloc_malloc);
	for (const job *j = l->batch; j != NULL; j = j->next)
	{
		lc_buf_putc(&items, j == l->batch ? '[' : ',');
		lc_buf_append(&items, j->append->text.data, j->append->text.len);
	}
	lc_buf_putc(&items, ']');
	good = items.status == LC_OK;
	if (good)
	{
		if (!l->prepared)
		{
			dbconn_prepare(&l->conn, APPEND, APPEND_SQL);
			l->prepared = l->parsing = true;
		}
		values[1] = items.data;
		dbconn_bind(&l->conn, l->queue->tenant, false);
		dbconn_execute(&l->conn, APPEND, 2, values, NULL, NULL);
		dbconn_sync(&l->conn);
	}
	lc_buf_free(&items);
	return good;
}

static void
refuse_list(job *list, const char *code, const char *detail)
{
	while (list != NULL)
		append_item_refuse(job_list_next(&list), code, detail);
}

/* The lane is idle.  True: it is not any more. */
static bool
start(lane *l, job_queue *q)
{
	l->batch = job_queue_take(q, JOB_BATCH_COUNT, &l->count);
	if (l->batch == NULL)
	{
		job_queue_settle(q);
		return false;
	}
	l->queue = q;
	q->flying++;
	if (send_batch(l))
	{
		atomic_fetch_add(&db_tallies.busy, 1);
		atomic_fetch_add(&db_tallies.batches, 1);
		atomic_fetch_add(&db_tallies.batched, l->count);
		return true;
	}
	refuse_list(l->batch, "pool_exhausted", "out of memory");
	l->batch = NULL;
	l->queue = NULL;
	q->flying--;
	job_queue_settle(q);
	return false;
}

/* Is there a lane left for others when one more goes to a slow tenant? */
static bool
slow_welcome(const dbappend *a)
{
	size_t		slow = 0;

	for (size_t i = 0; i < a->lanes_count; i++)
		if (a->lanes[i].queue != NULL && a->lanes[i].queue->slow)
			slow++;
	return a->lanes_count == 1 || slow + 1 < a->lanes_count;
}

static void
schedule(void *arg)
{
	dbappend   *a = arg;

	for (size_t i = 0; i < a->lanes_count; i++)
	{
		lane	   *l = &a->lanes[i];
		job_queue  *q;

		while (dbconn_ready(&l->conn) && l->queue == NULL &&
			   (q = job_queues_next(&a->queues, slow_welcome(a))) != NULL)
			if (start(l, q))
				break;
	}
}

/* ---- results ---- */

static void
clear_results(lane *l)
{
	PQclear(l->answer);
	PQclear(l->error);
	l->answer = l->error = NULL;
}

/* The lane gives its batch away. */
static job *
release(lane *l)
{
	job		   *list = l->batch;

	l->batch = NULL;
	l->queue->flying--;
	l->queue = NULL;
	atomic_fetch_sub(&db_tallies.busy, 1);
	return list;
}

static void
answer_batch(lane *l, const PGresult *result)
{
	job		   *jobs[JOB_BATCH_COUNT];
	size_t		n = l->count;
	job		   *j = release(l);

	for (size_t i = 0; i < n; i++, j = j->next)
		jobs[i] = j;
	for (int row = 0; row < PQntuples(result); row++)
	{
		int32_t		i;

		if (!db_int4(result, row, 0, &i) || i < 0 || (size_t) i >= n || jobs[i] == NULL)
			continue;
		append_item_answer(jobs[i], result, row, !l->conn.unreplicated);
		jobs[i] = NULL;
	}
	for (size_t i = 0; i < n; i++)
		if (jobs[i] != NULL)
			append_item_refuse(jobs[i], "internal", "the database gave no answer for the event");
}

/*
 * Nobody of the batch can help it: a standby, locks, time-outs, resources,
 * privileges, objects that are not there, a ledger that is damaged or not ready.
 * But LG507, too many chains, is what the batch is as a whole.
 */
static bool
fate_of_all(const char *sqlstate)
{
	static const char *const classes[] = {"25", "42", "3F", "53", "55", "57", "58", "LG500", "LG503"};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strncmp(sqlstate, classes[i], strlen(classes[i])) == 0)
			return true;
	return false;
}

static void
fail_list(job *list, const PGresult *error, unsigned after)
{
	while (list != NULL)
		append_item_fail(job_list_next(&list), error, after);
}

/* Puts back who may try once more, and tells the others. */
static void
again(job_queue *q, job *list, const PGresult *error, unsigned after)
{
	job		   *kept = NULL;
	job		  **end = &kept;

	while (list != NULL)
	{
		job		   *j = job_list_next(&list);

		if (++j->tries > MOST_TRIES)
			append_item_fail(j, error, after);
		else
		{
			*end = j;
			end = &j->next;
		}
	}
	job_queue_put_back(q, kept);
	atomic_fetch_add(&db_tallies.retries, 1);
}

/* What has reset this session has hardly spared the others: those that are idle go too. */
static void
renew(dbappend *a)
{
	for (size_t i = 0; i < a->lanes_count; i++)
		if (a->lanes[i].queue == NULL)
			dbconn_renew(&a->lanes[i].conn);
}

static void
fail_batch(lane *l, const PGresult *error)
{
	job_queue  *q = l->queue;
	const char *state = db_sqlstate(error);
	bool		stale = db_session_stale(error);
	size_t		n = l->count;
	job		   *list = release(l);

	if (l->parsing)
		l->prepared = l->parsing = false;
	if (stale)
	{
		renew(l->owner);
		again(q, list, error, 0);
	}
	else if (db_sqlstate_retry(state))
	{
		job_queue_hold(q, db_pause(++q->tries, 5, 500));
		again(q, list, error, 0);
	}
	else if (n == 1 || fate_of_all(state))
	{
		q->slow = strcmp(state, "55P03") == 0 || strcmp(state, "57014") == 0;
		fail_list(list, error, 0);
	}
	else
	{
		for (job *j = list; j != NULL; j = j->next)
			j->alone = true;
		job_queue_put_back(q, list);
	}
}

static void
finish(lane *l)
{
	job_queue  *q = l->queue;

	if (l->error != NULL)
		fail_batch(l, l->error);
	else if (l->answer != NULL && PQnfields(l->answer) == 4)
	{
		q->slow = false;
		q->tries = 0;
		answer_batch(l, l->answer);
	}
	else
		refuse_list(release(l), "internal", "the database gave no answer for the event");
	clear_results(l);
	job_queue_settle(q);
	schedule(l->owner);
}

static void
take(void *arg, PGresult *result)
{
	lane	   *l = arg;

	switch (PQresultStatus(result))
	{
		case PGRES_PIPELINE_SYNC:
			PQclear(result);
			if (l->queue != NULL)
				finish(l);
			return;
		case PGRES_TUPLES_OK:
			PQclear(l->answer);	/* the binding's, before */
			l->answer = result;
			return;
		case PGRES_COMMAND_OK:
			l->parsing = false;
			break;
		case PGRES_PIPELINE_ABORTED:
			break;
		default:
			if (l->error == NULL)
			{
				l->error = result;
				return;
			}
	}
	PQclear(result);
}

/* ---- connections ---- */

static void
up(void *arg)
{
	lane	   *l = arg;

	l->prepared = l->parsing = false;
	schedule(l->owner);
}

static void
refuse_away(job *j, void *arg)
{
	append_item_fail(j, NULL, retry_after(arg));
}

static void
down(void *arg)
{
	lane	   *l = arg;
	dbappend   *a = l->owner;
	job_queue  *q = l->queue;

	clear_results(l);
	if (q != NULL)
		again(q, release(l), NULL, dbconn_retry_after(&l->conn));
	if (all_away(a))
		job_queues_refuse(&a->queues, refuse_away, a);
	if (q != NULL)
		job_queue_settle(q);
	schedule(a);
}

void
dbappend_submit(dbappend *a, job *j)
{
	if (a->queues.waiting >= (size_t) config_now()->db_queue)
	{
		atomic_fetch_add(&db_tallies.timeouts, 1);
		job_refuse(j, "pool_exhausted", "%zu events wait for the database already", a->queues.waiting);
		return;
	}
	if (!append_item_make(j))
		return;
	if (all_away(a))
	{
		append_item_fail(j, NULL, retry_after(a));
		return;
	}
	if (job_queues_add(&a->queues, j))
		schedule(a);
}

/* One transaction of a tenant at a time: two would wait for each other's chains. */
static bool
may_fly(const job_queue *q)
{
	return q->flying == 0;
}

dbappend *
dbappend_new(loop *l)
{
	dbappend   *a = calloc(1, sizeof(*a));

	if (a == NULL)
		return NULL;
	job_queues_init(&a->queues, l, a);
	a->queues.may_fly = may_fly;
	a->queues.refuse = append_item_refuse;
	a->queues.schedule = schedule;
	a->lanes_count = (size_t) config_now()->db_append_connections;
	a->lanes = calloc(a->lanes_count, sizeof(*a->lanes));
	if (a->lanes == NULL)
	{
		free(a);
		return NULL;
	}
	for (size_t i = 0; i < a->lanes_count; i++)
	{
		lane	   *one = &a->lanes[i];

		one->owner = a;
		one->conn.loop = l;
		one->conn.purpose = "append";
		one->conn.arg = one;
		one->conn.up = up;
		one->conn.result = take;
		one->conn.down = down;
		dbconn_start(&one->conn);
	}
	return a;
}

static void
refuse_draining(job *j, void *arg)
{
	(void) arg;
	append_item_refuse(j, "draining", "the gateway is shutting down");
}

void
dbappend_free(dbappend *a)
{
	if (a == NULL)
		return;
	for (size_t i = 0; i < a->lanes_count; i++)
	{
		lane	   *l = &a->lanes[i];

		dbconn_stop(&l->conn);
		clear_results(l);
		if (l->queue != NULL)
			refuse_list(release(l), "draining", "the gateway is shutting down");
	}
	job_queues_refuse(&a->queues, refuse_draining, NULL);
	job_queues_free(&a->queues);
	free(a->lanes);
	free(a);
}
