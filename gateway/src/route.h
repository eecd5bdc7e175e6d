/*
 * route.h
 *		The table of routes: what the gateway can be asked, one row each.
 *
 * Most rows name a SQL function, which does the work:
 *
 *		ledger.<function>(tenant text, context jsonb[, body jsonb])
 *			RETURNS TABLE (status integer, headers json, body text or bytea)
 *
 * docs/decisions/0017-routes-are-data.md has the shape of context.  A row with
 * a handler instead is answered here.
 */
#ifndef GATEWAY_ROUTE_H
#define GATEWAY_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "identity.h"

struct request;
struct job;
struct dbslow_conn;

typedef enum route_class
{
	ROUTE_LOCAL,				/* local(): answered at once, without the database */
	ROUTE_QUICK,				/* the loop's pipelined connection */
	ROUTE_APPEND,				/* collected into batches (dbappend.h) */
	ROUTE_SLOW					/* a thread of the small pool (dbslow.h) */
} route_class;

typedef enum route_body
{
	BODY_NONE,					/* a request with one is refused */
	BODY_JSON,					/* application/json; checked, and handed on in canonical form */
	BODY_EVENTS,				/* an array, or application/x-ndjson: handed on as an array */
	BODY_BYTES					/* as it comes */
} route_body;

enum
{
	ROUTE_ADMIN = 1 << 0,		/* on the admin port too */
	ROUTE_READ_ONLY = 1 << 1,	/* in a READ ONLY transaction */
	ROUTE_PAGED = 1 << 2,		/* takes and gives cursors */
	ROUTE_SIGNED_URL = 1 << 3,	/* a valid signed link stands in for the token (link.h) */
	ROUTE_GZIP = 1 << 4,		/* compressed if the client wants it */
	ROUTE_LONG = 1 << 5			/* one answer may take as long as a page */
};

typedef struct route
{
	const char *name;			/* operationId; label of metrics and of log lines */
	const char *method;			/* GET also answers HEAD */
	/* "/v1/ledger/events/{eventId}"; "{name*}" may hold a slash (%2F), a last "{name...}" takes the rest. */
	const char *pattern;
	uint32_t	scope;			/* one of them suffices; SCOPE_NONE: public, without tenant */
	route_class class;
	route_body	body;
	size_t		body_limit;		/* bytes; 0: LEDGER__HTTP__MAXBODY, for BODY_EVENTS …MAXBATCH */
	const char *function;		/* SQL; NULL: local or work */
	const char *query;			/* names of query parameters, separated by spaces; others are 400 */
	const char *produces;		/* media types of its answer; NULL: application/json; any: what was stored.  For 406 */
	unsigned	flags;
	void		(*local) (struct request *r);
	/* In a thread of the pool, instead of the function; fills job->reply. */
	void		(*work) (struct job *job, struct dbslow_conn *conn);
} route;

extern const route routes[];
extern const size_t routes_count;

/* A path segment that matched a {name}; decoded, NUL-terminated. */
#define ROUTE_MAX_PARAMS 4
typedef struct route_param
{
	const char *name;
	size_t		name_len;
	const char *value;
} route_param;

typedef struct route_match
{
	const route *route;
	size_t		count;
	route_param params[ROUTE_MAX_PARAMS];
	char		rest[512];		/* the value of a "{name...}" */
	char		allowed[64];	/* for the header Allow */
} route_match;

/* False: no such path, or, with allowed not empty, not with this method (405). */
struct target;
extern bool route_find(const char *method, const struct target *t, route_match *out);

#endif
