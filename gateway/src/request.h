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

typedef enum request_stage
{
	REQUEST_HEADER,				/* its header is not complete */
	REQUEST_KEYS,				/* suspended until keys have come */
	REQUEST_BODY,				/* admitted; its body is coming in */
	REQUEST_DISCARD,			/* refused: the reply is there, the body is read and forgotten */
	REQUEST_PARSING,			/* suspended: its body is being read in another thread, or has been */
	REQUEST_WORKING,			/* suspended; a job runs, or what became of it is in the reply */
	REQUEST_SENDING
} request_stage;

typedef struct request
{
	loop	   *loop;
	struct MHD_Connection *connection;
	struct door_connection *peer;	/* of the connection: certificate, deadline, admin port */
	char		method[16];
	const char *target_fault;	/* NULL: it is good */
	bool		target_too_long;
	size_t		target_length;	/* of the text in the request line */
	route_match match;			/* match.route NULL: none */
	identity	who;
	char		id[40];			/* X-Request-Id: the caller's if it is a good one, else ours */
	char		trace_id[33];	/* of traceparent, else ours */
	char		span_id[17];	/* of this request */
	char		trace_flags[3];
	int64_t		started_us;		/* CLOCK_MONOTONIC */
	int64_t		admitted_us;	/* the header was judged */
	size_t		body_limit;
	bool		has_body;
	lc_buf		raw;			/* body as it came */
	lc_buf		body;			/* canonical JSON */
	uint64_t	events;			/* of BODY_EVENTS: how many there are */
	size_t		counted;		/* bytes of the body, as they count in LEDGER__HTTP__BODYMEMORY */
	struct body_work *parsing;	/* of a long body */
	struct job *job;			/* while one runs for it */
	loop_timer	deadline;
	loop_call	keys;			/* waiting for keys (auth.h) */
	int			keys_waits;
	request_stage stage;
	bool		suspended, answered;
	bool		broken;			/* its client went away before all was sent */
	size_t		sent;			/* bytes of the answer's body */
	/* Long, and set up by functions of their own: from here on nothing is zeroed before. */
	target		target;
	reply		reply;
} request;

/* A header of the request; NULL: none.  Values were found free of control bytes. */
extern const char *request_header(const request *r, const char *name);

/* Local handlers fill r->reply; these are shorthands. */
extern void request_problem(request *r, const problem *p);
extern void request_text(request *r, unsigned status, const char *content_type, const char *text, size_t n);

/* ---- for the door ---- */

/* libmicrohttpd's callbacks: request line read; header, piece of the body, end; over. */
extern void *request_begin(void *cls, const char *target, struct MHD_Connection *connection);
extern enum MHD_Result request_handle(void *cls, struct MHD_Connection *connection, const char *url,
									  const char *method, const char *version, const char *data, size_t *n,
									  void **context);
extern void request_completed(void *cls, struct MHD_Connection *connection, void **context,
							  enum MHD_RequestTerminationCode how);

/* It did not arrive in full in time: 408, and the connection is cut. */
extern void request_too_slow(request *r);

/* While suspended: whatever it waits for is forgotten, and p is its answer. */
extern void request_give_up(request *r, const problem *p);

/* While suspended: the reply is there. */
extern void request_ready(request *r);

/* ---- parts of it, each in a file of its own ---- */

typedef enum admission
{
	ADMIT_GOOD,
	ADMIT_REFUSED,				/* p says why, or r->reply does already */
	ADMIT_WAIT					/* r->keys will be called */
} admission;

extern void request_identify(request *r);	/* request_ids.c: id, trace_id, span_id */
/* admit.c: all that needs no identity.  False: p says why, or r->reply does already. */
extern bool admit_header(request *r, const char *method, const char *version, problem *p);
extern admission admit_identity(request *r, problem *p);	/* admit_identity.c: token, tenant, scope, quota */
extern bool context_write(const request *r, job *j, problem *p);	/* context.c: context and filters */
extern enum MHD_Result respond(request *r);	/* respond.c: queues the reply */

/* context.c: the page token for what is behind this page, as query of a link too. */
extern void context_next(const request *r, lc_str position, lc_buf *token, lc_buf *link);

#endif
