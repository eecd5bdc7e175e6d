/*
 * admit.c
 *		What can be judged when the header is complete and needs no identity:
 *		HTTP, target, route, lengths, media types, names of query parameters.
 *
 * All before the body is read: what will be refused is not worth receiving.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "config.h"
#include "door.h"
#include "media.h"
#include "request.h"
#include "strict.h"

/* The connection ends behind the answer, whatever else is on its way in it. */
static bool
refuse_close(request *r, problem *p)
{
	request_problem(r, p);
	r->reply.close = true;
	return false;
}

static bool
check_header_size(request *r, problem *p)
{
	const union MHD_ConnectionInfo *info =
		MHD_get_connection_info(r->connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	size_t		limit = (size_t) config_now()->max_header;

	if (info == NULL || info->header_size <= limit)
		return true;
	problem_set(p, "header_too_large", "The header has %zu bytes; %zu are allowed.", info->header_size, limit);
	return refuse_close(r, p);
}

static bool
check_target(request *r, problem *p)
{
	const char *host = request_header(r, "Host");

	if (r->target_too_long)
		problem_set(p, "target_too_long", "A target may have %d bytes, its path %zu.", TARGET_MAX_LENGTH,
					sizeof(r->target.path) - 1);
	/* "OPTIONS *" asks about the server as a whole: nothing is to be said. */
	else if (r->target_fault != NULL)
		problem_set(p, "http_malformed", "The request target is malformed: %s.", r->target_fault);
	else if (r->target.authority[0] != '\0' && (host == NULL || strcasecmp(r->target.authority, host) != 0))
		problem_set(p, "http_malformed", "The request target names another host than the header field Host.");
	else
		return true;
	return false;
}

/* ---- method and route ---- */

static bool
is_method(const char *method)
{
	static const char *const known[] = {
		"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"
	};

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strcmp(method, known[i]) == 0)
			return true;
	return false;
}

static bool
check_route(request *r, problem *p)
{
	bool		found = route_find(r->method, &r->target, &r->match);

	if (found && door_is_admin(r->peer->door) && (r->match.route->flags & ROUTE_ADMIN) == 0)
	{
		found = false;
		r->match.route = NULL;
		r->match.allowed[0] = '\0';
	}
	if (found)
		return true;
	if (r->match.allowed[0] != '\0')
	{
		problem_set(p, "method_not_allowed", "%s is not possible here; allowed: %s.", r->method, r->match.allowed);
		request_problem(r, p);
		reply_header_set(&r->reply, "Allow", r->match.allowed);
		return false;
	}
	if (r->target.slashed != 0)
		problem_set(p, "http_malformed", "The request target is malformed: %%2F stands where no slash is allowed.");
	else
		problem_set(p, "not_found", "There is nothing at this path.");
	return false;
}

/* ---- the body to come ---- */

/* How long it says to be; chunked: 0. */
static uint64_t
body_length(request *r, bool *chunked)
{
	const char *length = request_header(r, "Content-Length");

	*chunked = request_header(r, "Transfer-Encoding") != NULL;
	return length != NULL ? strtoull(length, NULL, 10) : 0;
}

static size_t
body_limit(const route *row)
{
	const config *settings = config_now();

	if (row->body == BODY_NONE)
		return 0;
	if (row->body_limit != 0)
		return row->body_limit;
	return (size_t) (row->body == BODY_EVENTS ? settings->max_batch : settings->max_body);
}

static bool
check_body(request *r, uint64_t length, bool chunked, problem *p)
{
	const route *row = r->match.route;
	const char *coding = request_header(r, "Content-Encoding");

	r->body_limit = body_limit(row);
	if (row->body == BODY_NONE)
	{
		if (length == 0 && !chunked)
			return true;
		problem_set(p, "http_malformed", "A %s here takes no body.", r->method);
		return refuse_close(r, p);
	}
	if (length > r->body_limit)
	{
		problem_set(p, "body_too_large", "This route takes bodies of up to %zu bytes.", r->body_limit);
		return false;
	}
	if (coding != NULL && strcasecmp(coding, "identity") != 0)
		problem_set(p, "media_type", "The body must not be compressed: Content-Encoding is not supported.");
	else if (!media_check_body(row->body, request_header(r, "Content-Type"), length > 0 || chunked))
		problem_set(p, "media_type", "This route takes %s.", media_of_body(row->body));
	else
		return true;
	request_problem(r, p);
	reply_header_set(&r->reply, "Accept-Post", media_of_body(row->body));
	return false;
}

/* ---- the query ---- */

static bool
is_known(const char *names, const char *name)
{
	size_t		n = strlen(name);

	for (const char *at = names; at != NULL && *at != '\0'; at += strspn(at, " "))
	{
		size_t		length = strcspn(at, " ");

		if (length == n && memcmp(at, name, n) == 0)
			return true;
		at += length;
	}
	return false;
}

static bool
check_query(const request *r, problem *p)
{
	const route *row = r->match.route;

	for (size_t i = 0; i < r->target.query_count; i++)
		if (!is_known(row->query, r->target.query[i].name))
		{
			problem_set(p, "query_invalid", "There is no query parameter \"%.100s\" here.", r->target.query[i].name);
			if (row->query != NULL)
				snprintf(p->hint, sizeof(p->hint), "Known are: %s.", row->query);
			return false;
		}
	return true;
}

static bool
check_expect(request *r, problem *p)
{
	const char *expect = request_header(r, "Expect");

	if (expect == NULL || strcasecmp(expect, "100-continue") == 0)
		return true;
	problem_set(p, "expectation", NULL);
	return false;
}

bool
admit_header(request *r, const char *method, const char *version, problem *p)
{
	bool		chunked;
	uint64_t	length;

	if (!strict_check(r->connection, method, r->target_length, version, p))
		return refuse_close(r, p);
	length = body_length(r, &chunked);
	r->has_body = length > 0 || chunked;
	if (r->peer->over)
	{
		problem_set(p, "pool_exhausted", "The gateway has as many connections as it takes.");
		return refuse_close(r, p);
	}
	if (!check_header_size(r, p))
		return false;
	if (!is_method(method))
	{
		problem_set(p, "unsupported", "The gateway knows no such method.");
		return refuse_close(r, p);
	}
	if (!check_expect(r, p) || !check_target(r, p) || !check_route(r, p) || !check_body(r, length, chunked, p))
		return false;
	if (r->match.route->class != ROUTE_LOCAL && !check_query(r, p))
		return false;
	if (!media_accepts(request_header(r, "Accept"), r->match.route->produces))
	{
		problem_set(p, "not_acceptable", "This route answers with %s.",
					r->match.route->produces != NULL ? r->match.route->produces : "application/json");
		return false;
	}
	return true;
}
