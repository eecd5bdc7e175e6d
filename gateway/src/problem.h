/*
 * problem.h
 *		Refusals and failures: RFC 9457 application/problem+json, and the one
 *		table of codes (own ones, and SQLSTATEs to HTTP).
 *
 * {"type":"/problems/LG409","title":…,"status":409,"detail":…,"instance":"/v1/…",
 *  "code":"LG409","hint":…,"traceId":…,"errors":[{"detail":…,"pointer":"#/payload/a",…}]}
 *
 * type is served by the gateway itself (GET /problems/{code}).  Nothing internal
 * is told: of an SQLSTATE that is not in the table only its class.
 */
#ifndef GATEWAY_PROBLEM_H
#define GATEWAY_PROBLEM_H

#include "reply.h"

typedef struct problem_kind
{
	const char *code;			/* "LG409", "40001", or an own one: "token_invalid" */
	unsigned	status;
	const char *title;			/* the same for every occurrence */
	const char *help;			/* what GET /problems/{code} says, and the reference page */
	bool		tell;			/* message, detail and hint of the database are for callers */
	bool		retry;			/* worth another try by the gateway itself: 40001, 40P01 */
	unsigned	retry_after;	/* seconds; 0: no such header */
} problem_kind;

/* Of that code, else of its class ("53"), else of internal errors.  Never NULL. */
extern const problem_kind *problem_find(const char *code);
extern const problem_kind *problem_table(size_t *count);

/* What is told of one occurrence; zeroed members are left out. */
typedef struct problem
{
	const problem_kind *kind;
	char		detail[1024];
	char		hint[512];
	char		pointer[300];	/* RFC 6901, with "#" before it: errors[0].pointer */
	char		parameter[64];	/* of the query: errors[0].parameter */
	size_t		offset, line, column;	/* of a JSON text; line 0: none */
	unsigned	retry_after;	/* instead of the kind's */
	lc_buf	   *errors;			/* instead of pointer …: a JSON array, written already */
} problem;

extern void problem_set(problem *p, const char *code, const char *format, ...)
			__attribute__((format(printf, 3, 4)));

/* Replaces what the reply holds.  instance is the path, trace_id 32 hex digits; either may be NULL. */
extern void problem_reply(reply *out, const problem *p, const char *instance, const char *trace_id);

/* The same as one object of a list (a batch's items). */
extern void problem_write(lc_buf *out, const problem *p, const char *instance, const char *trace_id);

#endif
