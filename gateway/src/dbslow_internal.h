/*
 * dbslow_internal.h
 *		The two halves of dbslow: the pool (dbslow.c) and what is done over one
 *		of its connections (dbslow_conn.c).
 */
#ifndef GATEWAY_DBSLOW_INTERNAL_H
#define GATEWAY_DBSLOW_INTERNAL_H

#include <pthread.h>

#include "db_internal.h"
#include "dbslow.h"
#include "dbthread.h"

struct dbslow_conn
{
	pthread_t	thread;
	PGconn	   *conn;			/* NULL: away; changed under the lock */
	int64_t		retry_at;		/* of an attempt to connect; changed under the lock */
	unsigned	failures;		/* attempts in a row; changed under the lock */
	bool		begun;			/* a transaction */
	bool		rows;			/* are coming (dbslow_rows_begin) */
	char		sqlstate[6];	/* of the last failure; "" : the connection is lost */
	bool		lost_before;	/* in this job */

	/* Under the pool's lock, for the keeper. */
	job		   *running;
	PGcancel   *cancel;
	bool		cancelled;
	bool		cancelling;		/* the keeper is at it: cancel must stay, and the next job must wait */
	bool		attempted;		/* to connect, once at least */
};

/* The pool's lock. */
extern pthread_mutex_t dbslow_lock;

/* Under the lock: waits until the keeper has done with the connection. */
extern void dbslow_cancel_over(const dbslow_conn *c);

extern bool dbslow_connect(dbslow_conn *c);
extern void dbslow_disconnect(dbslow_conn *c);
extern unsigned dbslow_retry_after(const dbslow_conn *c);

/* Runs the job: its route's work, or its function. */
extern void dbslow_run(dbslow_conn *c, job *j);

#endif
