/*
 * problem.c
 *		One occurrence of a problem, as application/problem+json (RFC 9457).
 *
 * What is told comes from clients and from the database, and is cut to the
 * length of a member: it may end in the middle of a character, which is taken
 * out here, so that an answer is JSON whatever it quotes.
 */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lc_jcs.h"
#include "lc_utf8.h"
#include "problem.h"

void
problem_set(problem *p, const char *code, const char *format, ...)
{
	va_list		args;

	memset(p, 0, sizeof(*p));
	p->kind = problem_find(code);
	if (format == NULL)
		return;
	va_start(args, format);
	vsnprintf(p->detail, sizeof(p->detail), format, args);
	va_end(args);
}

/* A JSON string of text, with "?" for what is no UTF-8; at the very end it was cut, and is left out. */
static void
put_text(lc_buf *out, const char *text)
{
	char		copy[1024];
	size_t		n = strnlen(text, sizeof(copy) - 1);
	size_t		bad;
	size_t		from = 0;

	memcpy(copy, text, n);
	while (!lc_utf8_valid(copy + from, n - from, &bad))
	{
		from += bad;
		if (n - from < 4 && text[n] == '\0' && (copy[from] & 0xC0) == 0xC0)
			n = from;
		else
			copy[from++] = '?';
	}
	lc_jcs_put_string(out, copy, n);
}

static void
put_member(lc_buf *out, const char *name, const char *value)
{
	if (value == NULL || *value == '\0')
		return;
	lc_buf_puts(out, ",\"");
	lc_buf_puts(out, name);
	lc_buf_puts(out, "\":");
	put_text(out, value);
}

static void
put_number(lc_buf *out, const char *name, size_t value)
{
	lc_buf_puts(out, ",\"");
	lc_buf_puts(out, name);
	lc_buf_puts(out, "\":");
	lc_buf_put_int64(out, (int64_t) value);
}

static void
put_errors(lc_buf *out, const problem *p)
{
	if (p->errors != NULL)
	{
		lc_buf_puts(out, ",\"errors\":");
		lc_buf_append(out, p->errors->data, p->errors->len);
		return;
	}
	if (p->pointer[0] == '\0' && p->parameter[0] == '\0' && p->line == 0)
		return;
	lc_buf_puts(out, ",\"errors\":[{\"detail\":");
	put_text(out, p->detail[0] != '\0' ? p->detail : p->kind->title);
	put_member(out, "pointer", p->pointer);
	put_member(out, "parameter", p->parameter);
	if (p->line != 0)
	{
		put_number(out, "offset", p->offset);
		put_number(out, "line", p->line);
		put_number(out, "column", p->column);
	}
	lc_buf_puts(out, "}]");
}

void
problem_write(lc_buf *out, const problem *p, const char *instance, const char *trace_id)
{
	char		type[64];

	snprintf(type, sizeof(type), "/problems/%s", p->kind->code);
	lc_buf_puts(out, "{\"type\":");
	put_text(out, type);
	put_member(out, "title", p->kind->title);
	put_number(out, "status", p->kind->status);
	put_member(out, "detail", p->detail);
	put_member(out, "instance", instance);
	put_member(out, "code", p->kind->code);
	/* Where nothing is known of the occurrence, what is true of all of them helps. */
	put_member(out, "hint", p->hint[0] == '\0' && p->detail[0] == '\0' ? p->kind->help : p->hint);
	put_member(out, "traceId", trace_id);
	put_errors(out, p);
	lc_buf_putc(out, '}');
}

void
problem_reply(reply *out, const problem *p, const char *instance, const char *trace_id)
{
	unsigned	after = p->retry_after != 0 ? p->retry_after : p->kind->retry_after;

	reply_clear(out);
	out->status = p->kind->status;
	reply_header_set(out, "Content-Type", "application/problem+json");
	if (after != 0)
		reply_header_setf(out, "Retry-After", "%u", after);
	problem_write(&out->body, p, instance, trace_id);
	lc_buf_putc(&out->body, '\n');
}
