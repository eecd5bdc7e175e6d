/*
 * context.c
 *		What a route's SQL function is told besides the tenant and the body
 *		(docs/decisions/0017-routes-are-data.md), and page tokens.
 *
 * A page token is bound to the filters of its list: path and query, without
 * the token itself and without the length of a page, which may change on the way.
 */
#include <string.h>

#include "cursor.h"
#include "lc_jcs.h"
#include "media.h"
#include "request.h"

static bool
is_token_name(const char *name)
{
	return strcmp(name, "cursor") == 0 || strcmp(name, "page_token") == 0;
}

static bool
is_filter(const char *name)
{
	return !is_token_name(name) && strcmp(name, "limit") != 0 && strcmp(name, "page_size") != 0;
}

/* ---- filters ---- */

static void
write_path(lc_jcs *w, const request *r)
{
	lc_jcs_key(w, "path", 4);
	lc_jcs_begin_object(w);
	for (size_t i = 0; i < r->match.count; i++)
	{
		const route_param *param = &r->match.params[i];

		lc_jcs_key(w, param->name, param->name_len);
		lc_jcs_string(w, param->value, strlen(param->value));
	}
	lc_jcs_end_object(w);
}

/* The values of the i-th parameter's name, if it is the first of that name. */
static void
write_values(lc_jcs *w, const target *t, size_t i)
{
	const char *name = t->query[i].name;

	for (size_t k = 0; k < i; k++)
		if (strcmp(t->query[k].name, name) == 0)
			return;
	lc_jcs_key(w, name, strlen(name));
	lc_jcs_begin_array(w);
	for (size_t k = i; k < t->query_count; k++)
		if (strcmp(t->query[k].name, name) == 0)
			lc_jcs_string(w, t->query[k].value, strlen(t->query[k].value));
	lc_jcs_end_array(w);
}

static void
write_query(lc_jcs *w, const request *r, bool (*wanted) (const char *name))
{
	lc_jcs_key(w, "query", 5);
	lc_jcs_begin_object(w);
	for (size_t i = 0; i < r->target.query_count; i++)
		if (wanted(r->target.query[i].name))
			write_values(w, &r->target, i);
	lc_jcs_end_object(w);
}

static bool
write_filters(const request *r, lc_buf *out)
{
	lc_jcs	   *w = lc_jcs_new(out, &lc_alloc_malloc);
	bool		good;

	if (w == NULL)
		return false;
	lc_jcs_begin_object(w);
	write_path(w, r);
	write_query(w, r, is_filter);
	lc_jcs_end_object(w);
	good = lc_jcs_finish(w) == LC_OK;
	lc_jcs_free(w);
	return good;
}

/* ---- page tokens ---- */

static const char *
given_token(const request *r)
{
	const char *token = target_query(&r->target, "cursor");

	return token != NULL ? token : target_query(&r->target, "page_token");
}

static bool
read_token(const request *r, lc_str filters, lc_buf *position, problem *p)
{
	const char *token = given_token(r);

	if (token == NULL || cursor_read(token, r->match.route->name, r->who.tenant, filters, position))
		return true;
	problem_set(p, "cursor_invalid", NULL);
	return false;
}

static void
put_escaped(lc_buf *out, const char *s)
{
	for (; *s != '\0'; s++)
	{
		uint8_t		c = (uint8_t) *s;
		char		digits[4];

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || strchr("-._~", c) != NULL)
			lc_buf_putc(out, *s);
		else
		{
			digits[0] = '%';
			digits[1] = "0123456789ABCDEF"[c >> 4];
			digits[2] = "0123456789ABCDEF"[c & 15];
			lc_buf_append(out, digits, 3);
		}
	}
}

void
context_next(const request *r, lc_str position, lc_buf *token, lc_buf *link)
{
	const char *name = r->match.route->query != NULL && strstr(r->match.route->query, "page_token") != NULL ?
		"page_token" : "cursor";
	lc_buf		filters;

	lc_buf_init(&filters, &lc_alloc_malloc);
	if (write_filters(r, &filters))
		cursor_make(token, r->match.route->name, r->who.tenant, (lc_str) {filters.data, filters.len}, position);
	lc_buf_free(&filters);
	lc_buf_puts(link, "<");
	lc_buf_puts(link, r->target.path);
	lc_buf_putc(link, '?');
	for (size_t i = 0; i < r->target.query_count; i++)
		if (!is_token_name(r->target.query[i].name))
		{
			put_escaped(link, r->target.query[i].name);
			lc_buf_putc(link, '=');
			put_escaped(link, r->target.query[i].value);
			lc_buf_putc(link, '&');
		}
	lc_buf_puts(link, name);
	lc_buf_putc(link, '=');
	lc_buf_append(link, token->data, token->len);
	lc_buf_puts(link, ">; rel=\"next\"");
}

/* ---- the context ---- */

/*
 * Idempotency-Key is a structured string (RFC 8941): "…" with \" and \\ in it.
 * A bare word is taken too, since most clients send that.  False: neither.
 */
static bool
read_key(const char *given, char *out, size_t size)
{
	bool		quoted = *given == '"';
	size_t		n = 0;

	for (given += quoted; *given != '\0' && !(quoted && *given == '"'); given++)
	{
		if (quoted && *given == '\\' && (given[1] == '"' || given[1] == '\\'))
			given++;
		else if (*given < ' ' || *given > '~' || (!quoted && strchr(" \"\\,;", *given) != NULL))
			return false;
		if (n + 1 == size)
			return false;
		out[n++] = *given;
	}
	out[n] = '\0';
	return n > 0 && strcmp(given, quoted ? "\"" : "") == 0;
}

static void
put_member(lc_jcs *w, const char *name, const char *value)
{
	if (value == NULL)
		return;
	lc_jcs_key(w, name, strlen(name));
	lc_jcs_string(w, value, strlen(value));
}

static bool
is_any(const char *name)
{
	return !is_token_name(name);
}

/* Header fields that a function or handler may want; a value that is no UTF-8 is none. */
static bool
put_headers(lc_jcs *w, const request *r, problem *p)
{
	const route *row = r->match.route;
	const char *given = request_header(r, "Idempotency-Key");
	char		key[256];

	if (given != NULL && (row->body == BODY_JSON || row->body == BODY_EVENTS || row->body == BODY_BYTES))
	{
		if (!read_key(given, key, sizeof(key)))
		{
			problem_set(p, "http_malformed", "Idempotency-Key is not a string of up to 255 visible characters.");
			return false;
		}
		put_member(w, "idempotencyKey", key);
	}
	if (row->work != NULL)
		put_member(w, "accept", request_header(r, "Accept"));
	if (row->body == BODY_BYTES)
		put_member(w, "contentType", request_header(r, "Content-Type"));
	put_member(w, "ifMatch", request_header(r, "If-Match"));
	return true;
}

static bool
put_context(lc_jcs *w, const request *r, const job *j, problem *p)
{
	char		hash[65];

	put_member(w, "requestId", r->id);
	put_member(w, "traceId", r->trace_id);
	put_member(w, "subject", r->who.subject);
	put_member(w, "actorType", r->who.actor_type);
	lc_jcs_key(w, "anyActor", 8);
	lc_jcs_boolean(w, (r->who.scopes & SCOPE_EVENTS_ACTOR) != 0);
	put_member(w, "via", r->who.link ? "link" : r->who.certificate ? "certificate" : "token");
	write_path(w, r);
	write_query(w, r, is_any);
	if ((r->match.route->flags & ROUTE_PAGED) != 0)
	{
		cursor_filters_hash((lc_str) {j->filters.data, j->filters.len}, hash);
		put_member(w, "filtersHash", hash);
	}
	return put_headers(w, r, p);
}

/* A JSON object that a function of ours wrote, and the token proves it: into the context as it is. */
static bool
put_position(lc_buf *context, const lc_buf *position)
{
	lc_buf_truncate(context, context->len - 1);
	lc_buf_puts(context, ",\"after\":");
	lc_buf_append(context, position->data, position->len);
	lc_buf_putc(context, '}');
	return context->status == LC_OK;
}

bool
context_write(const request *r, job *j, problem *p)
{
	bool		paged = (r->match.route->flags & ROUTE_PAGED) != 0;
	lc_buf		position;
	lc_jcs	   *w;
	bool		good = true;

	lc_buf_init(&position, &lc_alloc_malloc);
	j->accepts_gzip = (r->match.route->flags & ROUTE_GZIP) != 0 &&
		media_accepts_gzip(request_header(r, "Accept-Encoding"));
	problem_set(p, "53", "There is no memory for the request.");
	if (paged)
		good = write_filters(r, &j->filters) &&
			read_token(r, (lc_str) {j->filters.data, j->filters.len}, &position, p);
	w = good ? lc_jcs_new(&j->context, &lc_alloc_malloc) : NULL;
	if (w != NULL)
	{
		lc_status	status;

		lc_jcs_begin_object(w);
		good = put_context(w, r, j, p);
		lc_jcs_end_object(w);
		status = lc_jcs_finish(w);
		if (good && status == LC_ERR_UTF8)
			problem_set(p, "http_malformed", "A header field is not UTF-8.");
		good = good && status == LC_OK;
		lc_jcs_free(w);
		if (good && position.len > 0)
			good = put_position(&j->context, &position);
	}
	else
		good = false;
	lc_buf_free(&position);
	return good;
}
