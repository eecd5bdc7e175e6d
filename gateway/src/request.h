/*
 * request.h
 *		One HTTP request, from its header to its answer, in its loop's thread.
 *
 *		header complete -> strict checks (strict.h), route, identity, tenant, quota
 *		body complete   -> parsed, made canonical
 *		dispatched      -> suspended; a job runs
 *		job done, or the deadline passed -> resumed, answered, logged
 */
#ifndef GATEWAY_REQUEST_H
#define GATEWAY_REQUEST_H

#include <microhttpd.h>

#include "identity.h"
#include "job.h"
#include "loop.h"
#include "problem.h"
#include "reply.h"
#include "route.h"
#include "target.h"

typedef struct request
{
	loop	   *loop;
	struct MHD_Connection *connection;
	struct door_connection *peer;	/* of the connection: certificate, deadline, admin port */
	char		method[16];
	target		target;
	route_match match;			/* match.route NULL: none */
	identity	who;
	char		id[40];			/* X-Request-Id: the caller's if it is a good one, else ours */
	char		trace_id[33];	/* of traceparent, else ours */
	char		span_id[17];	/* of this request */
	int64_t		started_us;		/* CLOCK_MONOTONIC */
	lc_buf		raw;			/* body as it came */
	lc_buf		body;			/* canonical JSON */
	reply		reply;
	struct job *job;			/* while one runs for it */
	loop_timer	deadline;
	loop_call	keys;			/* waiting for keys (auth.h) */
	bool		suspended, answered;
	size_t		sent;			/* bytes of the answer's body */
} request;

/* A header of the request; NULL: none.  Values were found free of control bytes. */
extern const char *request_header(const request *r, const char *name);

/* Local handlers fill r->reply; these are shorthands. */
extern void request_problem(request *r, const problem *p);
extern void request_text(request *r, unsigned status, const char *content_type, const char *text, size_t n);

#endif
