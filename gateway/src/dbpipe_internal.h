/*
 * dbpipe_internal.h
 *		The two halves of dbpipe: sending statements (dbpipe.c), and what becomes
 *		of their jobs (dbpipe_answer.c).
 */
#ifndef GATEWAY_DBPIPE_INTERNAL_H
#define GATEWAY_DBPIPE_INTERNAL_H

#include "dbconn.h"
#include "dbpipe.h"
#include "job_queue.h"

/*
 * On their way at once.  More would gain nothing: one backend answers them in turn,
 * and what waits here can still be dropped.
 */
#define DBPIPE_DEPTH 128

/* One statement on its way. */
typedef struct shot
{
	job_queue  *queue;
	job		   *jobs;			/* in the order of their numbers */
	size_t		count;
	PGresult   *answer;			/* the last rows that came */
	PGresult   *error;			/* the first failure; what follows it is its echo */
	bool		parsing;		/* it is prepared now, and that has not come back yet */
	unsigned	generation;		/* of the prepared statement, when it was sent */
} shot;

/* What this connection knows of a route.  The generation counts Parses that failed. */
typedef struct statement
{
	bool		prepared;
	unsigned	generation;
} statement;

struct dbpipe
{
	dbconn		conn;
	job_queues	queues;
	shot		ring[DBPIPE_DEPTH];
	size_t		head, sent;
	size_t		jobs;			/* on their way */
	statement  *statements[2];	/* of a route for one job; for several */
	bool		up;				/* counted as such */
};

/* What the connection knows of the statement that was, or is to be, sent. */
extern statement *dbpipe_statement(dbpipe *p, const shot *s);

/* dbpipe_answer.c, of a statement that is no longer in the ring: its Sync has come; its connection is lost. */
extern void shot_finish(dbpipe *p, shot *s);
extern void shot_lose(dbpipe *p, shot *s);

/* Answers a job that cannot be asked: the database is away. */
extern void dbpipe_refuse_away(job *j, void *arg);

#endif
