/*
 * dbslow_internal.h
 *		The parts of dbslow: the pool (dbslow.c), what is done over one of its
 *		connections (dbslow_conn.c), and how that is ended early (dbslow_cancel.c).
 */
#ifndef GATEWAY_DBSLOW_INTERNAL_H
#define GATEWAY_DBSLOW_INTERNAL_H

#include <pthread.h>

#include "db_internal.h"
#include "dbslow.h"
#include "dbthread.h"

typedef struct dbslow_cancel dbslow_cancel;

struct dbslow_conn
{
	pthread_t	thread;
	PGconn	   *conn;			/* NULL: away; changed under the lock */
	dbopen	   *opening;		/* an attempt that outlasted its time: the next goes on with it */
	int64_t		retry_at;		/* of an attempt to connect; changed under the lock */
	unsigned	failures;		/* attempts in a row; changed under the lock */
	bool		begun;			/* a transaction */
	bool		rows;			/* are coming (dbslow_rows_begin) */
	char		sqlstate[6];	/* of the last failure; "" : the connection is lost */
	bool		lost_before;	/* in this job */
	bool		unreplicated;	/* the last commit's wait for the standbys was cancelled */

	/* Under the pool's lock, for the keeper. */
	job		   *running;
	int			fd;				/* a descriptor of the connection's socket that libpq cannot close; -1: none */
	PGcancel   *cancel;			/* NULL: none, or cancelling has it */
	bool		cancelled;
	dbslow_cancel *cancelling;	/* under way: the connection must stay, and the next job must wait */
	int64_t		cancel_until;	/* dbthread_now(): it is given up then */
	bool		attempted;		/* to connect, once at least */
};

/* The pool's lock, and what is told of its changes. */
extern pthread_mutex_t dbslow_lock;
extern pthread_cond_t dbslow_changed;

/* A descriptor that becomes readable when the pool is stopped. */
extern int	dbslow_stop_fd;

/* Under the lock, all of these.  Until dbthread_now() is at, or something changed. */
extern void dbslow_wait_until(int64_t at);

/* Has the running statement cancelled, or its connection severed if that cannot even begin. */
extern void dbslow_cancel_begin(dbslow_conn *c);
extern void dbslow_cancel_look(dbslow_conn *c);		/* gives up what takes too long */
extern void dbslow_cancel_over(dbslow_conn *c);		/* waits until it has ended, or was given up */
extern void dbslow_sever(dbslow_conn *c);

/* In the connection's thread, without the lock. */
extern bool dbslow_connect(dbslow_conn *c);
extern void dbslow_disconnect(dbslow_conn *c);
extern unsigned dbslow_retry_after(const dbslow_conn *c);

/* Runs the job: its route's work, or its function. */
extern void dbslow_run(dbslow_conn *c, job *j);

#endif
