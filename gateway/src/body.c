/*
 * body.c
 *		A body of JSON: checked by the strict parser, and made canonical.
 *
 * What goes on to the database is what was checked: one reading of one text.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "body.h"
#include "lc_error.h"
#include "lc_jsonparse.h"

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
canonicalize(body_work *w, const char *text, size_t n, lc_json_error *err)
{
	return lc_json_canonicalize_to_depth(text, n, w->max_depth, &w->body, &lc_alloc_malloc,
										 err) == LC_OK;
}

/* ---- events ---- */

/* As ledger_http_append_batch() has it; said here before the database reads megabytes of them. */
#define MAX_EVENTS 10000

static bool
one_more(body_work *w)
{
	if (++w->events <= MAX_EVENTS)
		return true;
	problem_set(&w->problem, "body_too_large", "A batch has at most %d events.", MAX_EVENTS);
	return false;
}

/* Elements of a canonical array, each of which must be an object. */
static bool
count_events(body_work *w)
{
	const char *s = w->body.data;
	size_t		depth = 0;
	bool		in_string = false;

	for (size_t i = 0; i < w->body.len; i++)
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

			snprintf(prefix, sizeof(prefix), "/%llu", (unsigned long long) w->events);
			if (s[i] != '{')
			{
				problem_set(&w->problem, "json_malformed", "Element %llu is not an object.",
							(unsigned long long) w->events);
				snprintf(w->problem.pointer, sizeof(w->problem.pointer), "#%s", prefix);
				return false;
			}
			if (!one_more(w))
				return false;
		}
		in_string = s[i] == '"';
		depth += s[i] == '{' || s[i] == '[';
		depth -= s[i] == '}' || s[i] == ']';
	}
	return true;
}

/* Lines of JSON into one array.  A blank line is no event. */
static bool
read_lines(body_work *w)
{
	const char *text = w->raw.data != NULL ? w->raw.data : "";
	const char *end = text + w->raw.len;
	size_t		line = 1;

	lc_buf_putc(&w->body, '[');
	for (const char *at = text; at < end; line++)
	{
		const char *stop = memchr(at, '\n', (size_t) (end - at));
		size_t		n = (size_t) ((stop != NULL ? stop : end) - at);
		size_t		before;
		char		prefix[32];
		lc_json_error err;

		snprintf(prefix, sizeof(prefix), "/%llu", (unsigned long long) w->events);
		if (n > 0 && !(n == 1 && *at == '\r'))
		{
			if (w->events > 0)
				lc_buf_putc(&w->body, ',');
			before = w->body.len;
			if (!canonicalize(w, at, n, &err))
			{
				malformed(&w->problem, &err, prefix, (size_t) (at - text), line);
				return false;
			}
			if (w->body.data[before] != '{')
				return wrong_type(&w->problem, prefix, (size_t) (at - text), line, "an object");
			if (!one_more(w))
				return false;
		}
		at += n + 1;
	}
	lc_buf_putc(&w->body, ']');
	return true;
}

static bool
read_text(body_work *w)
{
	bool		events = w->kind == BODY_EVENTS;
	lc_json_error err;

	if (w->raw.len == 0)
	{
		problem_set(&w->problem, "json_malformed", "Line 1, column 1: the body is empty; JSON is expected.");
		strcpy(w->problem.pointer, "#");
		w->problem.line = w->problem.column = 1;
		return false;
	}
	if (!canonicalize(w, w->raw.data != NULL ? w->raw.data : "", w->raw.len, &err))
	{
		malformed(&w->problem, &err, "", 0, 0);
		return false;
	}
	if (w->body.data[0] != (events ? '[' : '{'))
		return wrong_type(&w->problem, "", 0, 1, events ? "an array of objects" : "an object");
	return !events || count_events(w);
}

void
body_parse(body_work *w)
{
	w->good = w->lines ? read_lines(w) : read_text(w);
	if (w->good && w->body.status != LC_OK)
	{
		problem_set(&w->problem, "53", "There is no memory for the body.");
		w->good = false;
	}
	lc_buf_free(&w->raw);
}

body_work *
body_work_new(void)
{
	body_work  *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return NULL;
	lc_buf_init(&w->raw, &lc_alloc_malloc);
	lc_buf_init(&w->body, &lc_alloc_malloc);
	return w;
}

void
body_work_free(body_work *w)
{
	lc_buf_free(&w->raw);
	lc_buf_free(&w->body);
	free(w);
}
