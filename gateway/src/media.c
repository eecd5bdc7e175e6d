/*
 * media.c
 *		Content-Type, Accept and Accept-Encoding (RFC 9110 sections 8.3 and 12.5).
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lc_buf.h"
#include "media.h"

static const char json[] = "application/json";

static lc_str
trim(lc_str s)
{
	while (s.n > 0 && (*s.s == ' ' || *s.s == '\t'))
		s.s++, s.n--;
	while (s.n > 0 && (s.s[s.n - 1] == ' ' || s.s[s.n - 1] == '\t'))
		s.n--;
	return s;
}

/* What stands before the next separator; *rest goes behind it. */
static lc_str
cut(lc_str *rest, char separator)
{
	const char *end = memchr(rest->s, separator, rest->n);
	lc_str		part = {rest->s, end != NULL ? (size_t) (end - rest->s) : rest->n};
	size_t		used = part.n + (end != NULL ? 1 : 0);

	rest->s += used;
	rest->n -= used;
	return trim(part);
}

static bool
same(lc_str s, const char *text)
{
	return s.n == strlen(text) && strncasecmp(s.s, text, s.n) == 0;
}

static bool
is_json(lc_str type)
{
	return same(type, json) ||
		(type.n > 17 && strncasecmp(type.s, "application/", 12) == 0 &&
		 strncasecmp(type.s + type.n - 5, "+json", 5) == 0);
}

static bool
is_lines(lc_str type)
{
	return same(type, "application/x-ndjson") || same(type, "application/ndjson") || same(type, "application/jsonl");
}

/* JSON is UTF-8; who says it is something else means other bytes than we would read. */
static bool
charset_is_utf8(lc_str parameters)
{
	while (parameters.n > 0)
	{
		lc_str		p = cut(&parameters, ';');

		if (p.n >= 8 && strncasecmp(p.s, "charset=", 8) == 0 &&
			!same((lc_str) {p.s + 8, p.n - 8}, "utf-8") && !same((lc_str) {p.s + 8, p.n - 8}, "\"utf-8\""))
			return false;
	}
	return true;
}

bool
media_check_body(route_body body, const char *content_type, bool has_body)
{
	lc_str		rest,
				type;

	if (body == BODY_BYTES || body == BODY_NONE)
		return true;
	if (content_type == NULL)
		return !has_body;
	rest = (lc_str) {content_type, strlen(content_type)};
	type = cut(&rest, ';');
	return (is_json(type) || (body == BODY_EVENTS && is_lines(type))) && charset_is_utf8(rest);
}

const char *
media_of_body(route_body body)
{
	return body == BODY_EVENTS ? "application/json, application/x-ndjson" : body == BODY_JSON ? json : "*/*";
}

bool
media_is_lines(const char *content_type)
{
	lc_str		rest = {content_type, content_type != NULL ? strlen(content_type) : 0};

	return content_type != NULL && is_lines(cut(&rest, ';'));
}

/* "q=0" and the like: not wanted at all. */
static bool
is_refused(lc_str parameters)
{
	while (parameters.n > 0)
	{
		lc_str		p = cut(&parameters, ';');

		if (p.n < 3 || strncasecmp(p.s, "q=", 2) != 0)
			continue;
		for (size_t i = 2; i < p.n; i++)
			if (p.s[i] != '0' && p.s[i] != '.')
				return false;
		return true;
	}
	return false;
}

/* How exactly a range names a type: 0 not, 1 any, 2 any of its kind, 3 by name. */
static int
precision(lc_str range, lc_str type)
{
	const char *slash = memchr(type.s, '/', type.n);
	size_t		kind = slash != NULL ? (size_t) (slash - type.s) + 1 : type.n;

	if (range.n == type.n && strncasecmp(range.s, type.s, type.n) == 0)
		return 3;
	if (range.n == kind + 1 && range.s[kind] == '*' && strncasecmp(range.s, type.s, kind) == 0)
		return 2;
	return same(range, "*/*") || same(range, "*") || (type.n == 3 && memcmp(type.s, "*/*", 3) == 0);
}

/* The most exact range decides. */
static bool
allowed(const char *accept, lc_str type)
{
	lc_str		rest = {accept, strlen(accept)};
	int			best = 0;
	bool		good = false;

	while (rest.n > 0)
	{
		lc_str		item = cut(&rest, ',');
		lc_str		range = cut(&item, ';');
		int			exact = precision(range, type);

		if (exact > best)
		{
			best = exact;
			good = !is_refused(item);
		}
	}
	return good;
}

bool
media_accepts(const char *accept, const char *produces)
{
	lc_str		rest = {produces != NULL ? produces : json, strlen(produces != NULL ? produces : json)};

	/* What was stored with the type that it came with: only a look into the database would tell. */
	if (accept == NULL || *accept == '\0' || strcmp(rest.s, "*/*") == 0)
		return true;
	while (rest.n > 0)
	{
		lc_str		type = cut(&rest, ' ');

		if (type.n > 0 && allowed(accept, type))
			return true;
	}
	return false;
}

bool
media_accepts_gzip(const char *accept_encoding)
{
	return accept_encoding != NULL && allowed(accept_encoding, (lc_str) {"gzip", 4});
}
