/*
 * dbslow_cancel.c
 *		Cancelling a statement of the pool, with an end to it.
 *
 * libpq's PQcancel connects and waits without an end of its own, so each has a
 * thread that nobody joins.  Until it has returned, when the server has delivered
 * the signal, its connection takes no other job: so the statement that is
 * cancelled is still this one's.  If it does not return in time, the connection
 * is severed; then the signal, whenever it arrives, meets nobody's statement.
 */
#include <stdlib.h>
#include <sys/socket.h>

#include "dbslow_internal.h"
#include "log.h"

#define LONGEST_CANCEL_MS 1000

/* Threads that may hang at once: a dead network can hold each for minutes. */
#define MOST_CANCELS 32

struct dbslow_cancel
{
	PGcancel   *cancel;			/* the connection's, and given back */
	dbslow_conn *conn;			/* NULL: given up; changed under the lock */
};
static int	under_way;			/* under the lock */

static void *
run(void *arg)
{
	dbslow_cancel *k = arg;
	char		ignored[256];

	PQcancel(k->cancel, ignored, sizeof(ignored));
	pthread_mutex_lock(&dbslow_lock);
	if (k->conn != NULL)
	{
		k->conn->cancelling = NULL;
		k->conn->cancel = k->cancel;
		k->cancel = NULL;
	}
	under_way--;
	pthread_cond_broadcast(&dbslow_changed);
	pthread_mutex_unlock(&dbslow_lock);
	PQfreeCancel(k->cancel);
	free(k);
	return NULL;
}

static bool
start(dbslow_cancel *k)
{
	pthread_attr_t detached;
	pthread_t	thread;
	bool		good;

	pthread_attr_init(&detached);
	pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
	good = pthread_create(&thread, &detached, run, k) == 0;
	pthread_attr_destroy(&detached);
	under_way += good;
	return good;
}

/* Whoever waits for an answer over it finds it lost. */
void
dbslow_sever(dbslow_conn *c)
{
	if (c->fd >= 0)
		shutdown(c->fd, SHUT_RDWR);
}

void
dbslow_cancel_begin(dbslow_conn *c)
{
	dbslow_cancel *k;

	c->cancelled = true;
	if (c->conn == NULL || c->cancelling != NULL)
		return;
	k = under_way < MOST_CANCELS ? calloc(1, sizeof(*k)) : NULL;
	if (k != NULL)
		*k = (dbslow_cancel) {c->cancel, c};
	if (k == NULL || c->cancel == NULL || !start(k))
	{
		free(k);
		dbslow_sever(c);
		return;
	}
	c->cancel = NULL;
	c->cancelling = k;
	c->cancel_until = dbthread_now() + LONGEST_CANCEL_MS;
}

void
dbslow_cancel_look(dbslow_conn *c)
{
	if (c->cancelling == NULL || dbthread_now() < c->cancel_until)
		return;
	c->cancelling->conn = NULL;
	c->cancelling = NULL;
	log_line(LOG_WARN, "db.lost", "slow connection: a statement could not be cancelled in time");
	dbslow_sever(c);
}

void
dbslow_cancel_over(dbslow_conn *c)
{
	while (c->cancelling != NULL)
	{
		dbslow_wait_until(c->cancel_until);
		dbslow_cancel_look(c);
	}
}
