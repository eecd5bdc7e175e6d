/*
 * dbthread.h
 *		The connection of a thread that looks after the database by itself
 *		(probe.c, tick.c): every wait has an end, and stopping ends it early.
 */
#ifndef GATEWAY_DBTHREAD_H
#define GATEWAY_DBTHREAD_H

#include <poll.h>

#include "dbopen.h"

typedef struct dbthread
{
	const char *purpose;		/* part of application_name */
	int			stop;			/* a descriptor that becomes readable when all is to end */
	PGconn	   *conn;			/* NULL: not connected */
	dbopen	   *opening;		/* an attempt to connect that goes on; dbthread_close ends it */
} dbthread;

/* Connects if it is not connected.  statement_timeout is set a little below timeout_ms. */
extern bool dbthread_connect(dbthread *t, int timeout_ms, fault *f);

/* Text in, text out.  NULL after a failure; one that leaves the connection in doubt closes it. */
extern PGresult *dbthread_query(dbthread *t, const char *sql, int n, const char *const *values,
								int timeout_ms, fault *f);
extern void dbthread_close(dbthread *t);

/* Until the connection is ready for poll's events; false: too late, or stop is readable. */
extern bool dbthread_wait(const PGconn *conn, int stop, short events, int64_t until, fault *f);

/* Sleeps; true: it is to end. */
extern bool dbthread_sleep(const dbthread *t, int64_t ms);

/* Milliseconds of the monotonic clock. */
extern int64_t dbthread_now(void);

#endif
