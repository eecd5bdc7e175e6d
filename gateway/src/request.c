/*
 * request.c
 *		The life of a request: libmicrohttpd's callbacks drive it.
 *
 * libmicrohttpd 0.9.75 takes an answer when the header is complete (and then
 * closes the connection behind it) or when the body is complete, but not in
 * between.  So a refusal waits for the end of a short body, to keep the
 * connection; one that comes in the middle of a long body is written past it.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "auth.h"
#include "body.h"
#include "clock.h"
#include "config.h"
#include "door.h"
#include "log.h"
#include "loop_internal.h"
#include "media.h"
#include "prom.h"
#include "quota.h"
#include "request.h"
#include "stream_internal.h"
#include "wipe.h"

/* A refused request's body up to here is read, so that the connection can go on. */
#define DISCARD_MAX 65536

/* An answer of SQL's slow class is waited for a little longer than the statement may run. */
#define SLOW_GRACE_MS 2000

const char *
request_header(const request *r, const char *name)
{
	return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

void
request_problem(request *r, const problem *p)
{
	problem_reply(&r->reply, p, r->target.path, r->trace_id);
}

void
request_text(request *r, unsigned status, const char *content_type, const char *text, size_t n)
{
	reply_clear(&r->reply);
	r->reply.status = status;
	reply_header_set(&r->reply, "Content-Type", content_type);
	lc_buf_append(&r->reply.body, text, n);
}

/* ---- waiting ---- */

static void
wait_begin(request *r, int64_t at)
{
	r->suspended = true;
	MHD_suspend_connection(r->connection);
	door_phase_set(r->peer, DOOR_WORKING, -1);
	loop_timer_set(r->loop, &r->deadline, at);
}

static void
wait_end(request *r)
{
	loop_timer_end(r->loop, &r->deadline);
	if (!r->suspended)
		return;
	r->suspended = false;
	MHD_resume_connection(r->connection);
	door_phase_set(r->peer, DOOR_SENDING, config_now()->request_timeout_ms);
	door_touch(r->peer->door);
}

void
request_ready(request *r)
{
	r->stage = REQUEST_WORKING;
	wait_end(r);
}

static void
forget_work(request *r)
{
	/* One that has come back and was not looked at is nobody else's. */
	if (r->parsing != NULL && r->parsing->back)
		body_work_free(r->parsing);
	else if (r->parsing != NULL)
		r->parsing->request = NULL;
	r->parsing = NULL;
	if (r->job == NULL)
		return;
	r->job->request = NULL;
	atomic_store_explicit(&r->job->abandoned, true, memory_order_relaxed);
	r->job = NULL;
}

void
request_give_up(request *r, const problem *p)
{
	/* An answer that is being streamed cannot be taken back. */
	if (r->answered)
		return;
	if (r->stage == REQUEST_KEYS)
		auth_wait_end(&r->keys);
	forget_work(r);
	request_problem(r, p);
	r->reply.close = r->has_body && r->stage == REQUEST_KEYS;
	r->stage = r->stage == REQUEST_KEYS ? REQUEST_DISCARD : REQUEST_WORKING;
	wait_end(r);
}

static void
deadline_passed(void *arg)
{
	request    *r = arg;
	problem		p;

	problem_set(&p, "deadline", NULL);
	request_give_up(r, &p);
}

static void
keys_came(void *arg)
{
	request    *r = arg;

	wait_end(r);
	door_phase_set(r->peer, DOOR_READING, config_now()->request_timeout_ms);
}

/* ---- the header ---- */

void *
request_begin(void *cls, const char *raw, struct MHD_Connection *connection)
{
	door	   *d = cls;
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
	door_connection *peer = info != NULL ? info->socket_context : NULL;
	request    *r = peer != NULL ? malloc(sizeof(*r)) : NULL;

	if (r == NULL)
		return NULL;
	memset(r, 0, offsetof(request, target));
	r->loop = door_loop(d);
	r->connection = connection;
	r->peer = peer;
	r->started_us = clock_us(CLOCK_MONOTONIC);
	r->deadline.fire = deadline_passed;
	r->deadline.arg = r;
	r->keys.fn = keys_came;
	r->keys.arg = r;
	reply_init(&r->reply);
	lc_buf_init(&r->raw, &lc_alloc_malloc);
	lc_buf_init(&r->body, &lc_alloc_malloc);
	/* There is none in "GET\r\n". */
	raw = raw != NULL ? raw : "";
	r->target_length = strlen(raw);
	r->target_too_long = target_too_long(raw, r->target_length);
	r->target_fault = target_parse(raw, r->target_length, &r->target);
	peer->request = r;
	if (peer->phase == DOOR_IDLE)
		door_phase_set(peer, DOOR_READING, config_now()->request_timeout_ms);
	atomic_fetch_add_explicit(&r->loop->requests, 1, memory_order_relaxed);
	prom_in_flight(1);
	return r;
}

/*
 * A refusal, by p unless the reply holds it already.  If a long body is on its
 * way, it goes out now and the connection ends.
 */
static enum MHD_Result
refuse(request *r, const problem *p)
{
	const char *length = request_header(r, "Content-Length");
	bool		whole = r->has_body;

	if (r->reply.status < 400)
		request_problem(r, p);
	if (length != NULL && strtoull(length, NULL, 10) <= DISCARD_MAX && request_header(r, "Expect") == NULL)
		whole = false;
	r->stage = REQUEST_DISCARD;
	if (!r->reply.close && !whole)
		return MHD_YES;
	r->peer->cut_short = r->has_body;
	return respond(r);
}

static enum MHD_Result
identity_judged(request *r)
{
	problem		p;

	switch (admit_identity(r, &p))
	{
		case ADMIT_REFUSED:
			return refuse(r, &p);
		case ADMIT_WAIT:
			r->stage = REQUEST_KEYS;
			wait_begin(r, r->loop->now + config_now()->request_timeout_ms);
			return MHD_YES;
		default:
			r->admitted_us = clock_us(CLOCK_MONOTONIC);
			r->stage = REQUEST_BODY;
			return MHD_YES;
	}
}

static enum MHD_Result
header_complete(request *r, const char *method, const char *version)
{
	problem		p;

	snprintf(r->method, sizeof(r->method), "%s", method);
	request_identify(r);
	if (!admit_header(r, method, version, &p))
		return refuse(r, &p);
	return identity_judged(r);
}

/* ---- the body ---- */

/* An answer in the middle of the body. */
static enum MHD_Result
break_off(request *r, const problem *p)
{
	const char *reason = MHD_get_reason_phrase_for(p->kind->status);
	const char *after;
	lc_buf		text;

	request_problem(r, p);
	after = reply_header_get(&r->reply, "Retry-After");
	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_puts(&text, "HTTP/1.1 ");
	lc_buf_put_int64(&text, p->kind->status);
	lc_buf_putc(&text, ' ');
	lc_buf_puts(&text, reason);
	lc_buf_puts(&text, "\r\nConnection: close\r\nCache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
				"Content-Type: application/problem+json\r\nContent-Length: ");
	lc_buf_put_int64(&text, (int64_t) r->reply.body.len);
	if (after != NULL)
	{
		lc_buf_puts(&text, "\r\nRetry-After: ");
		lc_buf_puts(&text, after);
	}
	if (r->id[0] != '\0')
	{
		lc_buf_puts(&text, "\r\nX-Request-Id: ");
		lc_buf_puts(&text, r->id);
	}
	lc_buf_puts(&text, "\r\n\r\n");
	lc_buf_append(&text, r->reply.body.data, r->reply.body.len);
	if (text.status == LC_OK)
		door_write(r->peer, text.data, text.len);
	r->sent = r->reply.body.len;
	r->answered = true;
	r->peer->cut_short = true;
	lc_buf_free(&text);
	return MHD_NO;
}

void
request_too_slow(request *r)
{
	problem		p;

	problem_set(&p, "request_timeout", NULL);
	(void) break_off(r, &p);
	door_cut(r->peer);
}

/* Bytes of bodies that are held, of all loops: each connection may hold megabytes, and there are a thousand. */
static _Atomic int64_t bodies_held;

static bool
hold_bytes(request *r, size_t n)
{
	if (atomic_fetch_add_explicit(&bodies_held, (int64_t) n, memory_order_relaxed) + (int64_t) n >
		config_now()->body_memory)
	{
		atomic_fetch_sub_explicit(&bodies_held, (int64_t) n, memory_order_relaxed);
		return false;
	}
	r->counted += n;
	return true;
}

/*
 * Made canonical, a body can be several times as long as it came: 1e20 has 21
 * digits.  What grew past the limit was there already, but one at a time.
 */
static bool
hold_growth(request *r, size_t canonical, problem *p)
{
	if (canonical <= r->counted || hold_bytes(r, canonical - r->counted))
		return true;
	if (canonical > (size_t) config_now()->body_memory)
		problem_set(p, "body_too_large", "The body has %zu bytes in canonical form; this gateway holds at most %lld.",
					canonical, (long long) config_now()->body_memory);
	else
		problem_set(p, "pool_exhausted", "The gateway holds as many bytes of bodies as it takes.");
	return false;
}

static enum MHD_Result
take_body(request *r, const char *data, size_t n)
{
	problem		p;

	if (r->stage == REQUEST_DISCARD)
		return MHD_YES;
	if (n > r->body_limit - r->raw.len)
	{
		problem_set(&p, "body_too_large", "This route takes bodies of up to %zu bytes.", r->body_limit);
		return break_off(r, &p);
	}
	if (!hold_bytes(r, n))
	{
		problem_set(&p, "pool_exhausted", "The gateway holds as many bytes of bodies as it takes.");
		return break_off(r, &p);
	}
	/* Attachments are confidential; the other bodies are stored in the clear anyway. */
	if (r->raw.data == NULL && r->match.route->body == BODY_BYTES)
		r->raw.alloc = &wiping_alloc;
	lc_buf_append(&r->raw, data, n);
	if (r->raw.status == LC_OK)
		return MHD_YES;
	problem_set(&p, "53", "There is no memory for the body.");
	return break_off(r, &p);
}

/* ---- the work ---- */

static int64_t
job_deadline(const request *r)
{
	const config *settings = config_now();
	int64_t		ms = settings->request_timeout_ms;

	if (r->match.route->class == ROUTE_SLOW && settings->db_slow_timeout_ms + SLOW_GRACE_MS > ms)
		ms = settings->db_slow_timeout_ms + SLOW_GRACE_MS;
	return r->loop->now + ms;
}

static enum MHD_Result
dispatch(request *r)
{
	problem		p;
	job		   *j = job_new(r);

	if (j == NULL)
		problem_set(&p, "53", "There is no memory for the request.");
	if (j == NULL || !context_write(r, j, &p))
	{
		if (j != NULL)
			job_free(j);
		request_problem(r, &p);
		return respond(r);
	}
	/* What stands in raw is wanted as it is; what is in body replaces it. */
	if (r->match.route->body == BODY_BYTES)
	{
		j->body = r->raw;
		lc_buf_init(&r->raw, &lc_alloc_malloc);
	}
	else
	{
		j->body = r->body;
		lc_buf_init(&r->body, &lc_alloc_malloc);
	}
	j->events = r->events;
	j->deadline = job_deadline(r);
	r->job = j;
	r->stage = REQUEST_WORKING;
	/* Suspended first: the job may be over before job_submit returns. */
	wait_begin(r, j->deadline);
	job_submit(j);
	return MHD_YES;
}

/* The body has been read, or none was wanted. */
static enum MHD_Result
perform(request *r)
{
	if (r->match.route->class != ROUTE_LOCAL)
		return dispatch(r);
	r->match.route->local(r);
	return respond(r);
}

static enum MHD_Result
body_parsed(request *r, body_work *w)
{
	bool		good = w->good;
	problem		p = w->problem;

	/* How many events a batch has is known now; one alone was asked for at the header. */
	r->events = w->events;
	good = good && hold_growth(r, w->body.len, &p);
	if (good && w->kind == BODY_EVENTS)
		good = quota_take(r->who.tenant, w->events, &p);
	r->body = w->body;
	lc_buf_init(&w->body, &lc_alloc_malloc);
	body_work_free(w);
	if (good)
		return perform(r);
	request_problem(r, &p);
	return respond(r);
}

/* In the loop, after the other thread. */
static void
parsed(void *arg)
{
	body_work  *w = arg;

	w->back = true;
	if (w->request == NULL)
		body_work_free(w);
	else
		wait_end(w->request);
}

static enum MHD_Result
parse(request *r)
{
	body_work  *w = body_work_new();
	problem		p;
	size_t		n = r->raw.len;

	if (w == NULL)
	{
		problem_set(&p, "53", "There is no memory for the request.");
		request_problem(r, &p);
		return respond(r);
	}
	w->kind = r->match.route->body;
	w->lines = w->kind == BODY_EVENTS && media_is_lines(request_header(r, "Content-Type"));
	w->max_depth = (size_t) config_now()->max_depth;
	w->raw = r->raw;
	w->loop = r->loop;
	w->call = (loop_call) {parsed, w, NULL};
	w->request = r;
	lc_buf_init(&r->raw, &lc_alloc_malloc);
	if (n > BODY_INLINE && body_submit(w))
	{
		r->parsing = w;
		r->stage = REQUEST_PARSING;
		wait_begin(r, r->loop->now + config_now()->request_timeout_ms);
		return MHD_YES;
	}
	body_parse(w);
	return body_parsed(r, w);
}

static enum MHD_Result
body_complete(request *r)
{
	route_body	kind;

	if (r->stage == REQUEST_DISCARD)
		return respond(r);
	kind = r->match.route->body;
	return kind == BODY_JSON || kind == BODY_EVENTS ? parse(r) : perform(r);
}

enum MHD_Result
request_handle(void *cls, struct MHD_Connection *connection, const char *url, const char *method,
			   const char *version, const char *data, size_t *n, void **context)
{
	request    *r = *context;
	size_t		size = *n;

	(void) cls;
	(void) connection;
	(void) url;
	*n = 0;
	/* No memory for it. */
	if (r == NULL)
		return MHD_NO;
	switch (r->stage)
	{
		case REQUEST_HEADER:
			return header_complete(r, method, version);
		case REQUEST_KEYS:
			return identity_judged(r);
		case REQUEST_BODY:
		case REQUEST_DISCARD:
			return size > 0 ? take_body(r, data, size) : body_complete(r);
		case REQUEST_PARSING:
			{
				body_work  *w = r->parsing;

				r->parsing = NULL;
				return body_parsed(r, w);
			}
		default:
			return r->answered ? MHD_YES : respond(r);
	}
}

/* ---- the end ---- */

void
request_completed(void *cls, struct MHD_Connection *connection, void **context,
				  enum MHD_RequestTerminationCode how)
{
	request    *r = *context;

	(void) cls;
	(void) connection;
	if (r == NULL)
		return;
	*context = NULL;
	r->broken = how != MHD_REQUEST_TERMINATED_COMPLETED_OK;
	/* libmicrohttpd refused it itself, or the client left: the number nginx logs for that. */
	if (!r->answered)
		r->reply.status = r->broken ? 499 : 400;
	if (r->stage == REQUEST_KEYS)
		auth_wait_end(&r->keys);
	forget_work(r);
	if (r->reply.stream != NULL && !r->answered)
		stream_refuse(r->reply.stream);
	loop_timer_end(r->loop, &r->deadline);
	log_request(r);
	prom_request(r, (double) (clock_us(CLOCK_MONOTONIC) - r->started_us) / 1e6);
	prom_in_flight(-1);
	atomic_fetch_sub_explicit(&r->loop->requests, 1, memory_order_relaxed);
	atomic_fetch_sub_explicit(&bodies_held, (int64_t) r->counted, memory_order_relaxed);
	r->peer->request = NULL;
	door_phase_set(r->peer, DOOR_IDLE, config_now()->idle_timeout_ms + config_now()->request_timeout_ms);
	target_free(&r->target);
	reply_clear(&r->reply);
	lc_buf_free(&r->raw);
	lc_buf_free(&r->body);
	free(r);
}
