/*
 * body.h
 *		A body of JSON: checked, and made canonical.
 */
#ifndef GATEWAY_BODY_H
#define GATEWAY_BODY_H

#include "loop.h"
#include "problem.h"
#include "route.h"

/* Bodies up to here are read in the loop's thread: sooner done than handed over. */
#define BODY_INLINE 65536

typedef struct body_work
{
	/* In. */
	route_body	kind;			/* BODY_JSON or BODY_EVENTS */
	bool		lines;			/* application/x-ndjson */
	size_t		max_depth;
	lc_buf		raw;

	/* Out. */
	bool		good;
	problem		problem;
	lc_buf		body;			/* canonical */
	uint64_t	events;			/* of BODY_EVENTS: how many there are */

	/* For body_submit. */
	loop	   *loop;
	loop_call	call;			/* posted to loop when it is done */
	struct request *request;	/* the loop's; NULL: it gave up */
	bool		back;			/* the loop's: the call came */
	struct body_work *next;
} body_work;

extern body_work *body_work_new(void);	/* NULL: no memory */
extern void body_work_free(body_work *w);

extern void body_parse(body_work *w);	/* any thread */

/* body_queue.c: has it parsed in a thread of its own.  False: there is none, or none any more. */
extern bool body_submit(body_work *w);

/* Before the loops end: the rest comes back refused, and the thread is gone. */
extern void body_stop(void);

#endif
