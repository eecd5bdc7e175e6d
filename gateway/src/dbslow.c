/*
 * dbslow.c
 *		The pool of slow routes: threads that take jobs from one queue, and a
 *		keeper that looks after those who wait and those who were given up.
 *
 * A thread without connection takes no job; it connects when its pause is over.
 * Only when no thread has one are jobs refused for that, and then at once.
 *
 * A tenant gets no more than three quarters of them: clients that read exports
 * as slowly as they may would otherwise keep everybody else out for as long.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "dbslow_internal.h"
#include "lc_sha256.h"

#define LONGEST_WAIT_MS 1000
#define LOOK_MS 100				/* how often the keeper looks for requests that gave up */
#define STOP_MS 1500			/* what is cancelled at the end has so long */

typedef struct waiting
{
	job		   *job;
	int64_t		since;
	struct waiting *next;
} waiting;

pthread_mutex_t dbslow_lock = PTHREAD_MUTEX_INITIALIZER;
pthread_cond_t dbslow_changed;	/* on CLOCK_MONOTONIC */
int			dbslow_stop_fd = -1;
static dbslow_conn *conns;
static size_t conns_count;
static waiting *first, **last = &first;
static size_t queued;
static pthread_t keeper_thread;
static bool started, stopping;
static int64_t stop_until;		/* connections whose statements run on are severed then */

void
dbslow_wait_until(int64_t at)
{
	struct timespec until = {at / 1000, (at % 1000) * 1000000};

	pthread_cond_timedwait(&dbslow_changed, &dbslow_lock, &until);
}

/* Under the lock: may this one run, as far as others of its tenant go? */
static bool
has_share(const job *j)
{
	size_t		most = conns_count - conns_count / 4;
	size_t		held = 0;

	for (size_t i = 0; i < conns_count; i++)
		held += conns[i].running != NULL && strcmp(conns[i].running->who.tenant, j->who.tenant) == 0;
	return held < most;
}

/* Under the lock: where the first stands that may run; NULL: there is none. */
static waiting **
next_place(void)
{
	for (waiting **at = &first; *at != NULL; at = &(*at)->next)
		if (has_share((*at)->job))
			return at;
	return NULL;
}

/* Under the lock. */
static job *
take_out(waiting **at)
{
	waiting    *w = *at;
	job		   *j = w->job;

	*at = w->next;
	if (*at == NULL)
		last = at;
	free(w);
	queued--;
	atomic_fetch_sub(&db_tallies.waiting, 1);
	return j;
}

/* ---- workers ---- */

/* NULL: stop. */
static job *
next_job(dbslow_conn *c)
{
	job		   *j = NULL;
	waiting   **at;

	pthread_mutex_lock(&dbslow_lock);
	while (!stopping && j == NULL)
	{
		if (c->conn == NULL && dbthread_now() >= c->retry_at)
		{
			pthread_mutex_unlock(&dbslow_lock);
			dbslow_connect(c);
			pthread_mutex_lock(&dbslow_lock);
		}
		else if (c->conn == NULL)
			dbslow_wait_until(c->retry_at);
		else if ((at = next_place()) == NULL)
			pthread_cond_wait(&dbslow_changed, &dbslow_lock);
		else
			j = take_out(at);
	}
	if (j != NULL)
	{
		c->running = j;
		c->cancelled = false;
	}
	pthread_mutex_unlock(&dbslow_lock);
	return j;
}

static void *
work(void *arg)
{
	dbslow_conn *c = arg;
	job		   *j;
	bool		wanted;

	while ((j = next_job(c)) != NULL)
	{
		atomic_fetch_add(&db_tallies.busy, 1);
		wanted = !job_abandoned(j);
		if (wanted)
			dbslow_run(c, j);
		pthread_mutex_lock(&dbslow_lock);
		dbslow_cancel_over(c);
		c->running = NULL;		/* before job_done: the keeper must not see it any more */
		/* One of its tenant may have waited for this share, and this connection may be lost. */
		if (first != NULL)
			pthread_cond_broadcast(&dbslow_changed);
		pthread_mutex_unlock(&dbslow_lock);
		atomic_fetch_sub(&db_tallies.busy, 1);
		if (wanted)
			job_done(j);
		else
			job_refuse(j, "deadline", "the request waited too long for the database");
	}
	dbopen_abandon(&c->opening);
	dbslow_disconnect(c);
	lc_sha256_thread_end();
	return NULL;
}

/* ---- the keeper ---- */

/* Under the lock.  Does any run? */
static bool
look_after_running(void)
{
	bool		running = false;

	for (size_t i = 0; i < conns_count; i++)
	{
		dbslow_conn *c = &conns[i];

		if (c->running == NULL)
			continue;
		running = true;
		if (c->conn != NULL && !c->cancelled && (stopping || job_abandoned(c->running)))
			dbslow_cancel_begin(c);
		dbslow_cancel_look(c);
		/* A server that was told and does not obey keeps nobody here. */
		if (stopping && dbthread_now() >= stop_until)
			dbslow_sever(c);
	}
	return running;
}

static void *
keep(void *arg)
{
	(void) arg;
	pthread_mutex_lock(&dbslow_lock);
	for (;;)
	{
		bool		running = look_after_running();
		int64_t		now = dbthread_now();

		if (stopping && !running)
			break;
		if (!stopping && first != NULL && now - first->since >= LONGEST_WAIT_MS)
		{
			job		   *j = take_out(&first);

			pthread_mutex_unlock(&dbslow_lock);
			atomic_fetch_add(&db_tallies.timeouts, 1);
			job_refuse(j, "pool_exhausted", "no connection of the pool for slow requests became free in time");
			pthread_mutex_lock(&dbslow_lock);
		}
		else if (running)
			dbslow_wait_until(now + LOOK_MS);
		else if (first != NULL)
			dbslow_wait_until(first->since + LONGEST_WAIT_MS);
		else
			pthread_cond_wait(&dbslow_changed, &dbslow_lock);
	}
	pthread_mutex_unlock(&dbslow_lock);
	return NULL;
}

/* ---- the pool ---- */

/* Under the lock: 0 if a connection is there, or its first attempt since it was lost is being made; else seconds. */
static unsigned
away(void)
{
	unsigned	soonest = 0;

	for (size_t i = 0; i < conns_count; i++)
	{
		unsigned	after = dbslow_retry_after(&conns[i]);

		if (conns[i].conn != NULL || conns[i].failures == 0)
			return 0;
		if (soonest == 0 || after < soonest)
			soonest = after;
	}
	return soonest;
}

static void
refuse_away(job *j, unsigned after)
{
	db_job_problem(NULL, j, after);
	job_done(j);
}

void
dbslow_submit(job *j)
{
	waiting    *w = calloc(1, sizeof(*w));
	unsigned	after;
	bool		full;

	pthread_mutex_lock(&dbslow_lock);
	after = away();
	full = w == NULL || stopping || !started || queued >= (size_t) config_now()->db_queue;
	if (after == 0 && !full)
	{
		w->job = j;
		w->since = dbthread_now();
		*last = w;
		last = &w->next;
		queued++;
		atomic_fetch_add(&db_tallies.waiting, 1);
		pthread_cond_broadcast(&dbslow_changed);
		w = NULL;
	}
	pthread_mutex_unlock(&dbslow_lock);
	if (after != 0)
		refuse_away(j, after);
	else if (full)
	{
		atomic_fetch_add(&db_tallies.timeouts, 1);
		job_refuse(j, "pool_exhausted", "too many slow requests wait already");
	}
	free(w);
}

bool
dbslow_start(void)
{
	pthread_condattr_t monotonic;
	size_t		wanted = (size_t) config_now()->db_slow_connections;

	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&dbslow_changed, &monotonic);
	pthread_condattr_destroy(&monotonic);
	dbslow_stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (dbslow_stop_fd < 0)
		return false;
	conns = calloc(wanted, sizeof(*conns));
	for (size_t i = 0; conns != NULL && i < wanted; i++)
		conns[i].fd = -1;
	if (conns == NULL || pthread_create(&keeper_thread, NULL, keep, NULL) != 0)
		return false;
	started = true;
	for (size_t i = 0; i < wanted; i++)
	{
		if (pthread_create(&conns[i].thread, NULL, work, &conns[i]) != 0)
			break;
		pthread_mutex_lock(&dbslow_lock);
		conns_count++;
		pthread_mutex_unlock(&dbslow_lock);
		atomic_fetch_add(&db_tallies.connections, 1);
	}
	return conns_count > 0;
}

void
dbslow_stop(void)
{
	if (!started)
		return;
	pthread_mutex_lock(&dbslow_lock);
	stopping = true;
	stop_until = dbthread_now() + STOP_MS;
	pthread_cond_broadcast(&dbslow_changed);
	pthread_mutex_unlock(&dbslow_lock);
	eventfd_write(dbslow_stop_fd, 1);
	pthread_join(keeper_thread, NULL);
	for (size_t i = 0; i < conns_count; i++)
		pthread_join(conns[i].thread, NULL);
	while (first != NULL)
		job_refuse(take_out(&first), "draining", "the gateway is shutting down");
	close(dbslow_stop_fd);
	dbslow_stop_fd = -1;
	free(conns);
	conns = NULL;
	conns_count = 0;
	started = false;
}
