/*
 * job.h
 *		Work for the database, apart from the request that wants it: a
 *		request may give up (deadline, lost connection) while its job runs on.
 *
 * Made and ended in the loop's thread; in between one executor has it.
 */
#ifndef GATEWAY_JOB_H
#define GATEWAY_JOB_H

#include <stdatomic.h>

#include "identity.h"
#include "loop.h"
#include "reply.h"
#include "route.h"

typedef struct job
{
	const route *route;
	loop	   *loop;
	struct request *request;	/* NULL: it gave up; nobody will read the reply */
	identity	who;
	char		trace_id[33];
	char		request_id[40];
	lc_buf		context;		/* JSON for the SQL function */
	lc_buf		filters;		/* of a paged route: JSON, canonical; cursors are bound to it */
	lc_buf		body;			/* canonical JSON, or the bytes of BODY_BYTES */
	uint64_t	events;			/* of a batch */
	bool		accepts_gzip;
	bool		head;			/* nobody wants the body */
	int64_t		deadline;		/* loop_now(): not worth starting after it */
	int64_t		queued_us;		/* for the histogram */
	int			tries;			/* that ended in 40001 or 40P01; of an append also in a lost connection */
	loop_call	call;			/* for job_done from another thread */
	atomic_bool abandoned;		/* nobody waits any more */
	bool		streaming;		/* stream_begin has taken the reply */
	struct job *next;			/* of whichever queue it stands in */
	size_t		weight;			/* bytes that it adds to a statement that it shares */
	bool		alone;			/* one that it shared has failed: now by itself */
	bool		again;			/* asked for the second time: its answer was lost */
	struct append_item *append;	/* of dbappend.c */
	/* Long, and set by job_new: from here on nothing is zeroed before. */
	char		path[1024];		/* "instance" of problems */
	reply		reply;
} job;

/* For request.c.  NULL: no memory.  job_free before job_submit only. */
extern job *job_new(struct request *r);
extern void job_free(job *j);

/* Hands it to the executor of its route's class.  Over: the executor calls job_done. */
extern void job_submit(job *j);

/* Any thread; the reply is filled.  The executor must not touch the job again. */
extern void job_done(job *j);

/* Fills the reply with a problem, then job_done. */
struct problem;
extern void job_refuse(job *j, const char *code, const char *format, ...)
			__attribute__((format(printf, 3, 4)));

/* job->request, asked from any thread: has the client's deadline passed? */
extern bool job_abandoned(const job *j);

#endif
