/*
 * respond.c
 *		A reply on its way out: conditional requests, page tokens, the header
 *		fields that every answer has, and libmicrohttpd's response object.
 */
#include <string.h>
#include <strings.h>

#include "clock.h"
#include "config.h"
#include "door.h"
#include "loop_internal.h"
#include "request.h"
#include "stream_internal.h"
#include "wipe.h"

/* ---- If-None-Match ---- */

/* Weakly, as RFC 9110 section 13.1.2 has it for this header: W/ is ignored. */
static bool
tag_in_list(const char *list, const char *tag)
{
	size_t		n;

	tag += strncmp(tag, "W/", 2) == 0 ? 2 : 0;
	n = strlen(tag);
	while (*list != '\0')
	{
		size_t		length;

		list += strspn(list, ", \t");
		list += strncmp(list, "W/", 2) == 0 ? 2 : 0;
		/* A comma may stand in a tag. */
		length = *list == '"' ? strcspn(list + 1, "\"") + 2 : strcspn(list, ", \t");
		if ((length == n && strncmp(list, tag, n) == 0) || (length == 1 && *list == '*'))
			return true;
		list += strnlen(list, length);
	}
	return false;
}

/* 304 keeps what a cache needs, and has no body. */
static void
answer_conditional(request *r)
{
	static const char *const kept[] = {
		"ETag", "Cache-Control", "Vary", "Content-Location", "Link", "Req-Cursor"
	};
	const char *given = request_header(r, "If-None-Match");
	const char *tag = reply_header_get(&r->reply, "ETag");
	reply		bare;

	if (given == NULL || tag == NULL || r->reply.status != 200 || r->reply.stream != NULL ||
		strcmp(r->match.route->method, "GET") != 0 || !tag_in_list(given, tag))
		return;
	reply_init(&bare);
	bare.status = 304;
	bare.close = r->reply.close;
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
	{
		const char *value = reply_header_get(&r->reply, kept[i]);

		if (value != NULL)
			reply_header_set(&bare, kept[i], value);
	}
	reply_clear(&r->reply);
	r->reply = bare;
}

/* ---- pages ---- */

static void
give_next(request *r)
{
	const char *position = reply_header_get(&r->reply, "Ledger-Next");
	lc_buf		token,
				link;

	if (position == NULL)
		return;
	lc_buf_init(&token, &lc_alloc_malloc);
	lc_buf_init(&link, &lc_alloc_malloc);
	context_next(r, (lc_str) {position, strlen(position)}, &token, &link);
	if (token.status == LC_OK && link.status == LC_OK && token.len > 0)
	{
		reply_header_set(&r->reply, "Req-Cursor", token.data);
		reply_header_set(&r->reply, "Link", link.data);
	}
	lc_buf_free(&token);
	lc_buf_free(&link);
	reply_header_remove(&r->reply, "Ledger-Next");
}

/* ---- header fields of every answer ---- */

static void
add(struct MHD_Response *response, const char *name, const char *value)
{
	/* It fails only without memory: an answer without the field is better than none. */
	(void) MHD_add_response_header(response, name, value);
}

static void
add_timing(const request *r, struct MHD_Response *response)
{
	int64_t		end = clock_us(CLOCK_MONOTONIC);
	int64_t		admitted = r->admitted_us != 0 ? r->admitted_us : end;
	char		value[32 + 2 * CLOCK_MS_SIZE];
	char	   *at = stpcpy(value, "admit;dur=");

	at = clock_put_ms(at, admitted - r->started_us);
	at = stpcpy(at, ", work;dur=");
	clock_put_ms(at, end - admitted);
	add(response, "Server-Timing", value);
}

static void
add_common(const request *r, struct MHD_Response *response)
{
	const reply *out = &r->reply;
	const route *row = r->match.route;

	if (reply_header_get(out, "Cache-Control") == NULL)
		add(response, "Cache-Control", "no-store");
	else if (reply_header_get(out, "Vary") == NULL && row != NULL && row->scope != SCOPE_NONE)
		add(response, "Vary", "Authorization, X-Stella-Tenant");
	if (out->status != 304 && out->status != 204 && reply_header_get(out, "Content-Type") == NULL)
		add(response, "Content-Type", "application/json");
	add(response, "X-Content-Type-Options", "nosniff");
	if (reply_header_get(out, "Content-Security-Policy") == NULL)
		add(response, "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
	add(response, "Referrer-Policy", "no-referrer");
	if (door_is_tls(r->peer->door))
		add(response, "Strict-Transport-Security", "max-age=31536000");
	add(response, "X-Request-Id", r->id);
	add_timing(r, response);
	if (out->close || r->peer->over || (r->loop->draining && !door_is_admin(r->peer->door)))
		add(response, "Connection", "close");
}

/* ---- the response ---- */

static struct MHD_Response *
make_response(request *r)
{
	lc_buf	   *body = &r->reply.body;
	struct MHD_Response *response;

	if (r->reply.stream != NULL)
	{
		response = stream_response(r->reply.stream, r);
		if (response == NULL)
			r->reply.stream = NULL;
		return response;
	}
	if (body->len == 0)
		return MHD_create_response_from_buffer(0, (void *) "", MHD_RESPMEM_PERSISTENT);
	response = body->alloc == &wiping_alloc ?
		MHD_create_response_from_buffer_with_free_callback(body->len, body->data, wipe_free) :
		MHD_create_response_from_buffer(body->len, body->data, MHD_RESPMEM_MUST_FREE);
	if (response == NULL)
		return NULL;
	r->sent = strcmp(r->method, "HEAD") == 0 ? 0 : body->len;
	/* Its memory is the response's now. */
	lc_buf_init(body, &lc_alloc_malloc);
	return response;
}

/* What the writer had no memory for is refused; a body that half fits is none. */
static void
check_memory(request *r)
{
	problem		p;
	bool		close = r->reply.close;

	if (r->reply.body.status == LC_OK)
		return;
	if (r->reply.stream != NULL)
		stream_refuse(r->reply.stream);
	problem_set(&p, "53", "There is no memory for the answer.");
	request_problem(r, &p);
	r->reply.close = close;
}

enum MHD_Result
respond(request *r)
{
	struct MHD_Response *response;
	enum MHD_Result queued;

	if (r->match.route != NULL)
	{
		/* Of a batch: its body says the one, and the other was for the counters. */
		reply_header_remove(&r->reply, "Ledger-Code");
		reply_header_remove(&r->reply, "Ledger-New");
		give_next(r);
		answer_conditional(r);
	}
	check_memory(r);
	response = make_response(r);
	if (response == NULL)
		return MHD_NO;
	for (size_t i = 0; i < r->reply.headers_count; i++)
		add(response, r->reply.headers[i].name, r->reply.headers[i].value);
	add_common(r, response);
	r->stage = REQUEST_SENDING;
	r->answered = true;
	door_phase_set(r->peer, DOOR_SENDING,
				   r->reply.stream != NULL ? config_now()->export_timeout_ms : config_now()->request_timeout_ms);
	queued = MHD_queue_response(r->connection, r->reply.status, response);
	MHD_destroy_response(response);
	return queued;
}
