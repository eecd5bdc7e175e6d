/*
 * dbpipe_answer.c
 *		What becomes of the jobs of a statement: answered, asked again, refused.
 */

#include "dbpipe_internal.h"

/* Jobs alone after the first failure of a shared statement; twice as many after the next, and so on. */
#define SINGLES_FIRST 64
#define SINGLES_MOST 65536

/* ---- who may be asked again ---- */

static bool
may_once(job *j)
{
	bool		first = !j->again;

	j->again = true;
	return first;
}

/* Of a lost connection: reads, for nothing can have happened twice. */
static bool
may_read_once(job *j)
{
	return (j->route->flags & ROUTE_READ_ONLY) != 0 && may_once(j);
}

static bool
may_thrice(job *j)
{
	return j->tries++ < 3;
}

static bool
may_alone(job *j)
{
	j->alone = true;
	return true;
}

static bool
may_not(job *j)
{
	(void) j;
	return false;
}

/* Puts back who may ask once more, and tells the others of the error (none: the database is away). */
static void
again(dbpipe *p, shot *s, bool (*may) (job *j))
{
	job		   *kept = NULL;
	job		  **end = &kept;

	while (s->jobs != NULL)
	{
		job		   *j = job_list_next(&s->jobs);

		if (may(j))
		{
			*end = j;
			end = &j->next;
			atomic_fetch_add_explicit(&db_tallies.retries, 1, memory_order_relaxed);
		}
		else if (s->error != NULL)
		{
			db_job_problem(s->error, j, 0);
			job_done(j);
		}
		else
			dbpipe_refuse_away(j, p);
	}
	job_queue_put_back(s->queue, kept);
}

/* ---- failures ---- */

/* So many jobs more of the queue go alone. */
static void
part(job_queue *q)
{
	q->singles = (size_t) SINGLES_FIRST << q->tries;
	if (q->singles < SINGLES_MOST)
		q->tries++;
}

/*
 * A statement that nobody has prepared: either its Parse failed a moment ago, for
 * a job before, and is tried again with this one; or the session was reset.
 */
static void
fail(dbpipe *p, shot *s)
{
	statement  *st = dbpipe_statement(p, s);
	bool		stale = db_session_stale(s->error);

	if (stale && s->generation == st->generation)
		dbconn_renew(&p->conn);
	if (s->parsing)
	{
		st->prepared = false;
		st->generation++;
	}
	if (stale)
		again(p, s, may_once);
	else if (s->count > 1)
	{
		part(s->queue);
		again(p, s, may_alone);
	}
	else
		again(p, s, db_sqlstate_retry(db_sqlstate(s->error)) ? may_thrice : may_not);
}

/* ---- answers ---- */

/* Rows come in the order of the contexts; an answer that is another's must never go out. */
static bool
row_is(const PGresult *rows, int row, bool numbered)
{
	int32_t		number;

	return !numbered || (db_int4(rows, row, 0, &number) && number == row + 1);
}

static void
answer(shot *s)
{
	const PGresult *rows = s->answer;
	bool		numbered = s->count > 1;
	bool		good = rows != NULL && PQnfields(rows) == 3 + numbered && PQntuples(rows) == (int) s->count;

	if (numbered)
		s->queue->tries = 0;
	for (int row = 0; s->jobs != NULL; row++)
	{
		job		   *j = job_list_next(&s->jobs);

		if (good && row_is(rows, row, numbered) && db_row_reply(rows, row, numbered, j))
			job_done(j);
		else
			job_refuse(j, "internal", "the function of the route gave no answer");
	}
}

static void
clear_results(shot *s)
{
	PQclear(s->answer);
	PQclear(s->error);
	s->answer = s->error = NULL;
}

void
shot_finish(dbpipe *p, shot *s)
{
	if (s->error != NULL)
		fail(p, s);
	else
		answer(s);
	clear_results(s);
}

void
shot_lose(dbpipe *p, shot *s)
{
	clear_results(s);
	again(p, s, may_read_once);
}
