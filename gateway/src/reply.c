/*
 * reply.c
 *		Status, headers and body of an answer, before anyone sends it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lc_jsontree.h"
#include "reply.h"

void
reply_init(reply *r)
{
	/* Not the fields that are not there yet: each request does this several times. */
	r->status = 200;
	r->headers_count = 0;
	lc_buf_init(&r->body, &lc_alloc_malloc);
	r->stream = NULL;
	r->close = false;
}

void
reply_clear(reply *r)
{
	for (size_t i = 0; i < r->headers_count; i++)
		free(r->headers[i].value);
	lc_buf_free(&r->body);
	reply_init(r);
}

static reply_header *
find(const reply *r, const char *name)
{
	for (size_t i = 0; i < r->headers_count; i++)
		if (strcasecmp(r->headers[i].name, name) == 0)
			return (reply_header *) &r->headers[i];
	return NULL;
}

static void
set(reply *r, const char *name, const char *value, size_t n)
{
	reply_header *h = find(r, name);
	char	   *copy;
	size_t		good = 0;

	/* A line end in it would let whoever chose the value write headers of their own. */
	while (good < n && ((unsigned char) value[good] >= ' ' || value[good] == '\t') && value[good] != 0x7F)
		good++;
	if (h == NULL && (r->headers_count == REPLY_MAX_HEADERS || strlen(name) >= sizeof(h->name)))
		return;
	copy = malloc(good + 1);
	if (copy == NULL)
	{
		r->body.status = LC_ERR_MEMORY;
		return;
	}
	memcpy(copy, value, good);
	copy[good] = '\0';
	if (h == NULL)
	{
		h = &r->headers[r->headers_count++];
		strcpy(h->name, name);
	}
	else
		free(h->value);
	h->value = copy;
}

void
reply_header_set(reply *r, const char *name, const char *value)
{
	set(r, name, value, strlen(value));
}

void
reply_header_setf(reply *r, const char *name, const char *format, ...)
{
	char		value[1024];
	va_list		args;

	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	reply_header_set(r, name, value);
}

const char *
reply_header_get(const reply *r, const char *name)
{
	const reply_header *h = find(r, name);

	return h != NULL ? h->value : NULL;
}

void
reply_header_remove(reply *r, const char *name)
{
	reply_header *h = find(r, name);

	if (h == NULL)
		return;
	free(h->value);
	*h = r->headers[--r->headers_count];
}

/* Header names that may come out of the database: tokens (RFC 9110 section 5.1). */
static bool
is_name(lc_str s)
{
	for (size_t i = 0; i < s.n; i++)
		if (!((s.s[i] >= 'a' && s.s[i] <= 'z') || (s.s[i] >= 'A' && s.s[i] <= 'Z') ||
			  (s.s[i] >= '0' && s.s[i] <= '9') || s.s[i] == '-'))
			return false;
	return s.n > 0 && s.n < sizeof(((reply_header *) NULL)->name);
}

bool
reply_headers_from_json(reply *r, const char *json, size_t n)
{
	lc_jsontree *tree;
	const lc_json *root;
	bool		good;

	if (lc_jsontree_parse(json, n, 4, &lc_alloc_malloc, &tree, NULL) != LC_OK)
		return false;
	root = lc_jsontree_root(tree);
	good = root->type == LC_JSON_OBJECT;
	for (const lc_json *m = good ? root->child : NULL; m != NULL && good; m = m->next)
	{
		char		name[sizeof(r->headers[0].name)];

		good = is_name(m->key) && r->headers_count < REPLY_MAX_HEADERS;
		if (!good)
			break;
		memcpy(name, m->key.s, m->key.n);
		name[m->key.n] = '\0';
		/* A position is an object; it goes into the page token as it stands. */
		if (m->type == LC_JSON_OBJECT && strcasecmp(name, "Ledger-Next") == 0)
			set(r, name, m->source.s, m->source.n);
		else if (m->type == LC_JSON_STRING)
			set(r, name, m->text.s, m->text.n);
		else
			good = m->type == LC_JSON_NULL;
	}
	lc_jsontree_free(tree);
	return good;
}
