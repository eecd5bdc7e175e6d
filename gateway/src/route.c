/*
 * route.c
 *		Which row of the table a path and a method belong to.
 */
#include <stdio.h>
#include <string.h>

#include "route.h"
#include "target.h"

/* What a segment of a pattern is. */
typedef struct pattern_part
{
	const char *text;			/* a literal, or the name of a parameter */
	size_t		n;
	bool		param;
	bool		slash;			/* {name*} */
	bool		rest;			/* {name...} */
} pattern_part;

/* The next segment; false at the end. */
static bool
next_part(const char **pattern, pattern_part *out)
{
	const char *p = *pattern;

	memset(out, 0, sizeof(*out));
	if (*p == '/')
		p++;
	if (*p == '\0')
		return false;
	out->text = p;
	out->n = strcspn(p, "/");
	*pattern = p + out->n;
	if (*p != '{')
		return true;
	out->param = true;
	out->text++;
	out->n -= 2;
	out->slash = out->text[out->n - 1] == '*';
	out->rest = out->n > 3 && memcmp(out->text + out->n - 3, "...", 3) == 0;
	out->n -= out->rest ? 3 : out->slash ? 1 : 0;
	return true;
}

/* All segments from i on, joined again. */
static bool
join_rest(const target *t, size_t i, route_match *m)
{
	size_t		n = 0;

	for (; i < t->segments_count; i++)
	{
		int			added = snprintf(m->rest + n, sizeof(m->rest) - n, "%s%s", n > 0 ? "/" : "", t->segments[i]);

		if ((t->slashed >> i & 1) != 0 || added < 0 || (size_t) added >= sizeof(m->rest) - n)
			return false;
		n += (size_t) added;
	}
	return n > 0;
}

/* How many literal segments match; -1: it does not. */
static int
match(const char *pattern, const target *t, route_match *m)
{
	pattern_part part;
	int			literals = 0;
	size_t		i = 0;

	m->count = 0;
	for (; next_part(&pattern, &part); i++)
	{
		const char *segment;

		if (i == t->segments_count)
			return -1;
		segment = t->segments[i];
		if (!part.param)
		{
			if (strlen(segment) != part.n || memcmp(segment, part.text, part.n) != 0)
				return -1;
			literals++;
			continue;
		}
		if (m->count == ROUTE_MAX_PARAMS || (part.rest && !join_rest(t, i, m)))
			return -1;
		if ((t->slashed >> i & 1) != 0 && !part.slash)
			return -1;
		m->params[m->count++] = (route_param) {part.text, part.n, part.rest ? m->rest : segment};
		if (part.rest)
			return literals;
	}
	return i == t->segments_count ? literals : -1;
}

static void
allow(route_match *m, const char *method)
{
	size_t		n = strlen(m->allowed);

	if (strstr(m->allowed, method) != NULL)
		return;
	snprintf(m->allowed + n, sizeof(m->allowed) - n, "%s%s", n > 0 ? ", " : "", method);
	if (strcmp(method, "GET") == 0)
		allow(m, "HEAD");
}

bool
route_find(const char *method, const target *t, route_match *out)
{
	/* A HEAD is a GET whose body is not sent. */
	const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
	int			best = -1;
	route_match m;

	memset(out, 0, sizeof(*out));
	m.rest[0] = '\0';
	for (size_t i = 0; i < routes_count; i++)
	{
		int			literals = match(routes[i].pattern, t, &m);

		if (literals < 0)
			continue;
		if (strcmp(routes[i].method, wanted) != 0)
			allow(out, routes[i].method);
		else if (literals > best)
		{
			best = literals;
			out->route = &routes[i];
			out->count = m.count;
			memcpy(out->params, m.params, sizeof(m.params));
			if (m.count > 0 && m.params[m.count - 1].value == m.rest)
			{
				strcpy(out->rest, m.rest);
				out->params[m.count - 1].value = out->rest;
			}
		}
	}
	return out->route != NULL;
}
