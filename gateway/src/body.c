/*
 * body.c
 *		A body of JSON: checked by the strict parser, and made canonical.
 *
 * What goes on to the database is what was checked: one reading of one text.
 */
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "lc_error.h"
#include "lc_jsonparse.h"
#include "media.h"
#include "request.h"

/* ---- the place of an error, as RFC 6901 has it ---- */

typedef struct pointer
{
	char	   *text;
	size_t		size,
				n;
} pointer;

static void
put(pointer *out, char c)
{
	if (out->n + 1 < out->size)
		out->text[out->n++] = c;
	out->text[out->n] = '\0';
}

/* "~" and "/" have a meaning in a pointer. */
static void
put_escaped(pointer *out, char c)
{
	if (c == '~' || c == '/')
	{
		put(out, '~');
		c = c == '~' ? '0' : '1';
	}
	put(out, c);
}

/* ["a b"]: what is behind the closing quote, or the end, for the path may be cut. */
static const char *
put_quoted(pointer *out, const char *path)
{
	for (; *path != '\0' && *path != '"'; path++)
	{
		if (*path == '\\' && path[1] != '\0')
			path++;
		put_escaped(out, *path);
	}
	return *path == '"' ? path + 1 : path;
}

/* $.risk.scores[3]["a b"] is #/risk/scores/3/a b. */
static void
path_to_pointer(const char *path, char *text, size_t size)
{
	pointer		out = {text, size, strlen(text)};

	path += *path == '$';
	while (*path != '\0')
	{
		if (*path == '.' || *path == '[')
			put(&out, '/');
		else if (*path == '"')
		{
			path = put_quoted(&out, path + 1);
			continue;
		}
		else if (*path != ']')
			put_escaped(&out, *path);
		path++;
	}
}

/* ---- one text ---- */

/* first: the offset of the text in the body.  line 0: as the parser counts; else the line of the body that it is. */
static void
malformed(problem *p, const lc_json_error *err, const char *prefix, size_t first, size_t line)
{
	if (err->status == LC_ERR_MEMORY)
	{
		problem_set(p, "53", "There is no memory for the body.");
		return;
	}
	problem_set(p, "json_malformed", "Line %zu, column %zu: %s.", line != 0 ? line : err->line, err->column,
				lc_status_text(err->status));
	p->offset = first + err->offset;
	p->line = line != 0 ? line : err->line;
	p->column = err->column;
	snprintf(p->pointer, sizeof(p->pointer), "#%s", prefix);
	path_to_pointer(err->path, p->pointer, sizeof(p->pointer));
}

static bool
wrong_type(problem *p, const char *prefix, size_t offset, size_t line, const char *what)
{
	problem_set(p, "json_malformed", "Line %zu, column 1: %s is expected.", line, what);
	snprintf(p->pointer, sizeof(p->pointer), "#%s", prefix);
	p->offset = offset;
	p->line = line;
	p->column = 1;
	return false;
}

static bool
canonicalize(request *r, const char *text, size_t n, lc_json_error *err)
{
	return lc_json_canonicalize_to_depth(text, n, (size_t) config_now()->max_depth, &r->body, &lc_alloc_malloc,
										 err) == LC_OK;
}

/* ---- events ---- */

/* Elements of a canonical array, each of which must be an object. */
static bool
count_events(request *r, problem *p)
{
	const char *s = r->body.data;
	size_t		depth = 0;
	bool		in_string = false;

	for (size_t i = 0; i < r->body.len; i++)
	{
		if (in_string)
		{
			if (s[i] == '\\')
				i++;
			else if (s[i] == '"')
				in_string = false;
			continue;
		}
		if (depth == 1 && (s[i - 1] == '[' || s[i - 1] == ',') && s[i] != ']')
		{
			char		prefix[32];

			snprintf(prefix, sizeof(prefix), "/%llu", (unsigned long long) r->events);
			if (s[i] != '{')
			{
				problem_set(p, "json_malformed", "Element %llu is not an object.", (unsigned long long) r->events);
				snprintf(p->pointer, sizeof(p->pointer), "#%s", prefix);
				return false;
			}
			r->events++;
		}
		in_string = s[i] == '"';
		depth += s[i] == '{' || s[i] == '[';
		depth -= s[i] == '}' || s[i] == ']';
	}
	return true;
}

/* Lines of JSON into one array.  A blank line is no event. */
static bool
read_lines(request *r, problem *p)
{
	const char *text = r->raw.data != NULL ? r->raw.data : "";
	const char *end = text + r->raw.len;
	size_t		line = 1;

	lc_buf_putc(&r->body, '[');
	for (const char *at = text; at < end; line++)
	{
		const char *stop = memchr(at, '\n', (size_t) (end - at));
		size_t		n = (size_t) ((stop != NULL ? stop : end) - at);
		size_t		before;
		char		prefix[32];
		lc_json_error err;

		snprintf(prefix, sizeof(prefix), "/%llu", (unsigned long long) r->events);
		if (n > 0 && !(n == 1 && *at == '\r'))
		{
			if (r->events > 0)
				lc_buf_putc(&r->body, ',');
			before = r->body.len;
			if (!canonicalize(r, at, n, &err))
			{
				malformed(p, &err, prefix, (size_t) (at - text), line);
				return false;
			}
			if (r->body.data[before] != '{')
				return wrong_type(p, prefix, (size_t) (at - text), line, "an object");
			r->events++;
		}
		at += n + 1;
	}
	lc_buf_putc(&r->body, ']');
	return true;
}

static bool
read_text(request *r, problem *p)
{
	bool		events = r->match.route->body == BODY_EVENTS;
	lc_json_error err;

	if (!canonicalize(r, r->raw.data != NULL ? r->raw.data : "", r->raw.len, &err))
	{
		malformed(p, &err, "", 0, 0);
		return false;
	}
	if (r->body.data[0] != (events ? '[' : '{'))
		return wrong_type(p, "", 0, 1, events ? "an array of objects" : "an object");
	return !events || count_events(r, p);
}

bool
body_read(request *r, problem *p)
{
	route_body	kind = r->match.route->body;
	bool		good;

	if (kind == BODY_NONE || kind == BODY_BYTES)
		return true;
	good = kind == BODY_EVENTS && media_is_lines(request_header(r, "Content-Type")) ? read_lines(r, p) :
		read_text(r, p);
	if (good && r->body.status != LC_OK)
	{
		problem_set(p, "53", "There is no memory for the body.");
		good = false;
	}
	lc_buf_free(&r->raw);
	lc_buf_init(&r->raw, &lc_alloc_malloc);
	return good;
}
