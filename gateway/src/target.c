/*
 * target.c
 *		The request target, decoded once and strictly.
 *
 * Whatever two readers of one target could read differently is refused here:
 * that is how a proxy's rule for /admin is passed by /x/..%2fadmin.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lc_utf8.h"
#include "target.h"

static const char too_long[] = "it is too long";
static const char no_memory[] = "there is no memory for it";

/* Where text goes: never more than the raw target has bytes. */
typedef struct writer
{
	char	   *to;
	bool		slashed;
} writer;

bool
target_too_long(const char *raw, size_t n)
{
	const char *query = memchr(raw, '?', n);

	return n > TARGET_MAX_LENGTH ||
		(query != NULL ? (size_t) (query - raw) : n) >= sizeof(((target *) NULL)->path);
}

static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* Characters that RFC 3986 has in a path or a query, besides escapes. */
static bool
is_plain(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		(c != '\0' && strchr("-._~!$&'()*+,;=:@/?", c) != NULL);
}

/* Bytes from raw to end, decoded, with a NUL behind them. */
static const char *
decode(writer *w, const char *raw, const char *end, bool query, const char **out)
{
	char	   *start = w->to;
	size_t		bad;

	w->slashed = false;
	while (raw < end)
	{
		unsigned char c = (unsigned char) *raw++;

		if (c == '%')
		{
			int			high = end - raw >= 2 ? hex_digit(raw[0]) : -1;
			int			low = high >= 0 ? hex_digit(raw[1]) : -1;

			if (low < 0)
				return "it has a bad escape";
			c = (unsigned char) (high << 4 | low);
			raw += 2;
			if (c < ' ' || c == 0x7F)
				return "it holds a control character";
			if (!query && c == '\\')
				return "it holds a backslash";
			w->slashed = w->slashed || c == '/';
		}
		else if (!is_plain((char) c))
			return c == '#' ? "it has a fragment" : "it holds a character that must be escaped";
		else if (c == '+' && query)
			c = ' ';
		*w->to++ = (char) c;
	}
	if (!lc_utf8_valid(start, (size_t) (w->to - start), &bad))
		return "it is not UTF-8";
	*w->to++ = '\0';
	*out = start;
	return NULL;
}

static const char *
parse_path(writer *w, const char *raw, const char *end, target *out)
{
	const char *fault = NULL;

	if (raw == end || *raw != '/')
		return "it does not begin with a slash";
	if (end - raw == 1)
		return NULL;
	while (raw < end && fault == NULL)
	{
		const char *slash = memchr(raw + 1, '/', (size_t) (end - raw - 1));
		const char **segment = &out->segments[out->segments_count];

		if (slash == NULL)
			slash = end;
		if (out->segments_count == TARGET_MAX_SEGMENTS)
			return "it has too many segments";
		*segment = "";
		fault = decode(w, raw + 1, slash, false, segment);
		if (fault == NULL && (**segment == '\0' || strcmp(*segment, ".") == 0 || strcmp(*segment, "..") == 0))
			fault = "it has an empty segment, or \".\" or \"..\"";
		if (w->slashed)
			out->slashed |= UINT32_C(1) << out->segments_count;
		out->segments_count++;
		raw = slash;
	}
	return fault;
}

static const char *
parse_pair(writer *w, const char *raw, const char *end, target *out)
{
	const char *equals = memchr(raw, '=', (size_t) (end - raw));
	target_pair *pair = &out->query[out->query_count];
	const char *fault;

	if (out->query_count == TARGET_MAX_QUERY)
		return "it has too many parameters";
	pair->name = pair->value = "";
	fault = decode(w, raw, equals != NULL ? equals : end, true, &pair->name);
	if (fault == NULL && *pair->name == '\0')
		return "it has a parameter without a name";
	if (fault == NULL && equals != NULL)
		fault = decode(w, equals + 1, end, true, &pair->value);
	out->query_count++;
	return fault;
}

static const char *
parse_query(writer *w, const char *raw, const char *end, target *out)
{
	const char *fault = NULL;

	while (raw < end && fault == NULL)
	{
		const char *amp = memchr(raw, '&', (size_t) (end - raw));

		if (amp == NULL)
			amp = end;
		/* "a=1&&b=2" and "a=1&" say nothing ambiguous. */
		if (amp > raw)
			fault = parse_pair(w, raw, amp, out);
		raw = amp + 1;
	}
	return fault;
}

/* The absolute form, "http://host/path": where the path begins.  NULL: no good host. */
static const char *
skip_authority(const char *raw, size_t n, target *out)
{
	static const char *const schemes[] = {"http://", "https://"};

	for (size_t i = 0; i < 2; i++)
	{
		size_t		scheme = strlen(schemes[i]);
		size_t		host;

		if (n < scheme || strncasecmp(raw, schemes[i], scheme) != 0)
			continue;
		for (host = 0; scheme + host < n && strchr("/?", raw[scheme + host]) == NULL; host++)
			;
		if (host == 0 || host >= sizeof(out->authority))
			return NULL;
		memcpy(out->authority, raw + scheme, host);
		out->authority[host] = '\0';
		return raw + scheme + host;
	}
	return raw;
}

const char *
target_parse(const char *raw, size_t n, target *out)
{
	const char *end = raw + n;
	const char *query;
	const char *path_end;
	const char *fault;
	writer		w;

	/* Not the room for what is not there: each request does this. */
	out->text = NULL;
	out->authority[0] = out->path[0] = '\0';
	out->segments_count = out->query_count = 0;
	out->slashed = 0;
	if (target_too_long(raw, n))
		return too_long;
	raw = skip_authority(raw, n, out);
	if (raw == NULL)
		return "it names no host";
	n = (size_t) (end - raw);
	query = memchr(raw, '?', n);
	path_end = query != NULL ? query : end;
	/* Each part is followed by a separator or the end, which leaves room for its NUL. */
	out->text = malloc(n + 2);
	if (out->text == NULL)
		return no_memory;
	w = (writer) {out->text, false};
	fault = parse_path(&w, raw, path_end, out);
	if (fault == NULL && query != NULL)
		fault = parse_query(&w, query + 1, end, out);
	if (fault == NULL)
	{
		memcpy(out->path, raw, (size_t) (path_end - raw));
		out->path[path_end - raw] = '\0';
	}
	return fault;
}

void
target_free(target *t)
{
	free(t->text);
	t->text = NULL;
}

const char *
target_query(const target *t, const char *name)
{
	for (size_t i = 0; i < t->query_count; i++)
		if (strcmp(t->query[i].name, name) == 0)
			return t->query[i].value;
	return NULL;
}
