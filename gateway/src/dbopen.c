/*
 * dbopen.c
 *		Attempts to connect; see dbopen.h.
 *
 * An attempt belongs to its owner and to its thread, and is freed by the one
 * that leaves it last: the thread when it was abandoned, else the owner.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "db.h"
#include "dbopen.h"
#include "dbthread.h"

#define LONGEST_STOP_MS 200

struct dbopen
{
	db_params	params;
	int			done;			/* an eventfd: it has ended */
	int			stop;			/* an eventfd: it was abandoned */
	atomic_llong until;			/* dbthread_now() */
	PGconn	   *conn;			/* the thread's, and the owner's once it has ended */
	fault		why;

	/* Under the lock. */
	bool		ended, abandoned;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int	threads;			/* under the lock */

static void
release(dbopen *o)
{
	PQfinish(o->conn);
	if (o->done >= 0)
		close(o->done);
	if (o->stop >= 0)
		close(o->stop);
	free(o);
}

/* ---- in the thread ---- */

/* libpq would write them to standard error, among the log's lines. */
static void
ignore_notice(void *arg, const PGresult *result)
{
	(void) arg;
	(void) result;
}

static bool
open_connection(dbopen *o)
{
	o->conn = PQconnectStartParams(o->params.keywords, o->params.values, 0);
	if (o->conn == NULL)
		return fault_set(&o->why, "out of memory");
	PQsetNoticeReceiver(o->conn, ignore_notice, NULL);
	for (PostgresPollingStatusType want = PGRES_POLLING_WRITING; PQstatus(o->conn) != CONNECTION_BAD;)
	{
		if (want == PGRES_POLLING_OK)
			return true;
		if (want == PGRES_POLLING_FAILED)
			break;
		/* The time is asked for each time: the owner may have given it more while the resolver hung. */
		if (!dbthread_wait(o->conn, o->stop, want == PGRES_POLLING_READING ? POLLIN : POLLOUT,
						   atomic_load(&o->until), &o->why))
			return false;
		want = PQconnectPoll(o->conn);
	}
	return fault_set(&o->why, "%s", PQerrorMessage(o->conn));
}

static void *
run(void *arg)
{
	dbopen	   *o = arg;
	bool		abandoned;

	if (!open_connection(o))
	{
		PQfinish(o->conn);
		o->conn = NULL;
	}
	pthread_mutex_lock(&lock);
	o->ended = true;
	abandoned = o->abandoned;
	/* Under the lock: as soon as it is left, the owner may close it. */
	if (!abandoned)
		eventfd_write(o->done, 1);
	pthread_mutex_unlock(&lock);
	if (abandoned)
		release(o);
	/* Last: until then the program's end waits. */
	pthread_mutex_lock(&lock);
	threads--;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return NULL;
}

/* ---- for the owner ---- */

static bool
start_thread(dbopen *o)
{
	pthread_attr_t detached;
	pthread_t	thread;
	bool		good;

	pthread_mutex_lock(&lock);
	threads++;
	pthread_mutex_unlock(&lock);
	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	good = pthread_create(&thread, &detached, run, o) == 0;
	pthread_attr_destroy(&detached);
	if (!good)
	{
		pthread_mutex_lock(&lock);
		threads--;
		pthread_mutex_unlock(&lock);
	}
	return good;
}

static bool
has_failed(dbopen *o)
{
	bool		failed;

	pthread_mutex_lock(&lock);
	failed = o->ended && o->conn == NULL;
	pthread_mutex_unlock(&lock);
	return failed;
}

bool
dbopen_begin(dbopen **o, const char *purpose, int64_t timeout_ms, fault *f)
{
	dbopen	   *fresh;

	if (*o != NULL && !has_failed(*o))
	{
		atomic_store(&(*o)->until, dbthread_now() + timeout_ms);
		return true;
	}
	dbopen_abandon(o);
	fresh = calloc(1, sizeof(*fresh));
	if (fresh == NULL)
		return fault_set(f, "out of memory");
	fresh->done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	fresh->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	atomic_store(&fresh->until, dbthread_now() + timeout_ms);
	/* Here and not in the thread: one that hangs must not look at settings while they are taken down. */
	db_connect_params(&fresh->params, purpose);
	if (fresh->done < 0 || fresh->stop < 0 || !start_thread(fresh))
	{
		release(fresh);
		return fault_set(f, "no descriptor or no thread to connect with");
	}
	*o = fresh;
	return true;
}

int
dbopen_fd(const dbopen *o)
{
	return o->done;
}

PGconn *
dbopen_take(dbopen **o, fault *f)
{
	dbopen	   *ended = *o;
	PGconn	   *conn;

	*o = NULL;
	/* The thread has left it, once the lock is free. */
	pthread_mutex_lock(&lock);
	conn = ended->conn;
	ended->conn = NULL;
	pthread_mutex_unlock(&lock);
	if (conn == NULL)
		*f = ended->why;
	release(ended);
	return conn;
}

void
dbopen_abandon(dbopen **o)
{
	dbopen	   *left = *o;
	bool		ended;

	if (left == NULL)
		return;
	*o = NULL;
	pthread_mutex_lock(&lock);
	ended = left->ended;
	left->abandoned = true;
	if (!ended)
		eventfd_write(left->stop, 1);
	pthread_mutex_unlock(&lock);
	if (ended)
		release(left);
}

void
dbopen_stop(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += LONGEST_STOP_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&lock);
	while (threads > 0 && pthread_cond_timedwait(&changed, &lock, &until) == 0)
		;
	pthread_mutex_unlock(&lock);
}
