/*
 * strict.c
 *		What libmicrohttpd 0.9.75 lets through and RFC 9112 does not.
 *
 * Two servers in a row that read one stream of bytes differently can be made to
 * disagree where a request ends: the rest is then a request that the first one
 * never judged.  So whatever could be read in two ways is refused, and the
 * connection closed behind it.
 *
 * Some of it cannot be seen in names and values: a line that ended in a bare LF,
 * a NUL that cut a value, a folded line.  But libmicrohttpd parses in place: it
 * overwrites CR LF with two NULs and hands out pointers into the text as it
 * came.  So if every line begins where the line before it ended, nothing was
 * lost in between.  That holds for the version we know, and is asked of no other.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "strict.h"

#define MAX_FIELDS 100

typedef struct field
{
	const char *name,
			   *value;
	size_t		name_len,
				value_len;
} field;

typedef struct fields
{
	size_t		count;
	bool		too_many;
	field		of[MAX_FIELDS];
} fields;

static enum MHD_Result
collect(void *cls, enum MHD_ValueKind kind, const char *name, size_t name_len, const char *value, size_t value_len)
{
	fields	   *f = cls;

	(void) kind;
	if (f->count == MAX_FIELDS)
	{
		f->too_many = true;
		return MHD_NO;
	}
	f->of[f->count++] = (field) {name, value != NULL ? value : "", name_len, value != NULL ? value_len : 0};
	return MHD_YES;
}

/* ---- names and values ---- */

static bool
is_token(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'A' && s[i] <= 'Z') || (s[i] >= 'a' && s[i] <= 'z') ||
			  (s[i] != '\0' && strchr("!#$%&'*+-.^_`|~", s[i]) != NULL)))
			return false;
	return n > 0;
}

static bool
is_value(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (((unsigned char) s[i] < ' ' && s[i] != '\t') || s[i] == 0x7F)
			return false;
	return true;
}

static bool
named(const field *f, const char *name)
{
	return f->name_len == strlen(name) && strncasecmp(f->name, name, f->name_len) == 0;
}

/* Fields that mean nothing sensible when they stand twice. */
static bool
is_single(const field *f)
{
	static const char *const single[] = {
		"Host", "Content-Length", "Transfer-Encoding", "Content-Type", "Content-Encoding", "Authorization",
		"Expect", "X-Stella-Tenant", "Idempotency-Key", "X-Request-Id", "traceparent", "If-Match", "If-None-Match"
	};

	for (size_t i = 0; i < sizeof(single) / sizeof(single[0]); i++)
		if (named(f, single[i]))
			return true;
	return false;
}

static bool
judge_field(const fields *all, size_t i, problem *p)
{
	const field *f = &all->of[i];

	if (!is_token(f->name, f->name_len))
		problem_set(p, "http_malformed", "The name of a header field holds a character that it must not.");
	else if (!is_value(f->value, f->value_len))
		problem_set(p, "http_malformed", "The header field %.*s holds a control character.",
					(int) (f->name_len < 64 ? f->name_len : 64), f->name);
	else
	{
		bool		twice = false;

		for (size_t k = 0; k < i && is_single(f); k++)
			twice = twice || (all->of[k].name_len == f->name_len &&
							  strncasecmp(all->of[k].name, f->name, f->name_len) == 0);
		if (!twice)
			return true;
		problem_set(p, "http_malformed", "The header field %.*s stands there twice.", (int) f->name_len, f->name);
	}
	return false;
}

/* ---- framing ---- */

static const field *
find(const fields *all, const char *name)
{
	for (size_t i = 0; i < all->count; i++)
		if (named(&all->of[i], name))
			return &all->of[i];
	return NULL;
}

static bool
is_length(const field *f)
{
	for (size_t i = 0; i < f->value_len; i++)
		if (f->value[i] < '0' || f->value[i] > '9')
			return false;
	return f->value_len > 0 && f->value_len < 19;
}

static bool
judge_framing(const fields *all, bool http_1_1, problem *p)
{
	const field *length = find(all, "Content-Length");
	const field *coding = find(all, "Transfer-Encoding");

	if (length != NULL && coding != NULL)
		problem_set(p, "http_malformed", "Content-Length and Transfer-Encoding exclude each other.");
	else if (length != NULL && !is_length(length))
		problem_set(p, "http_malformed", "Content-Length is not a number.");
	else if (coding != NULL && !http_1_1)
		problem_set(p, "http_malformed", "HTTP/1.0 has no Transfer-Encoding.");
	else if (coding != NULL && !(coding->value_len == 7 && strncasecmp(coding->value, "chunked", 7) == 0))
		problem_set(p, "unsupported", "The only transfer coding is chunked.");
	else
		return true;
	return false;
}

/* A host, an IPv4 address or an IPv6 address in brackets, and perhaps a port. */
static bool
is_host(const field *f)
{
	for (size_t i = 0; i < f->value_len; i++)
		if (!((f->value[i] >= '0' && f->value[i] <= '9') || (f->value[i] >= 'A' && f->value[i] <= 'Z') ||
			  (f->value[i] >= 'a' && f->value[i] <= 'z') ||
			  (f->value[i] != '\0' && strchr("-._~:[]%!$&'()*+,;=", f->value[i]) != NULL)))
			return false;
	return f->value_len > 0 && f->value_len < 256;
}

static bool
judge_host(const fields *all, bool http_1_1, problem *p)
{
	const field *host = find(all, "Host");

	if (host == NULL && http_1_1)
		problem_set(p, "http_malformed", "The header field Host is missing.");
	else if (host != NULL && !is_host(host))
		problem_set(p, "http_malformed", "The header field Host names no host.");
	else
		return true;
	return false;
}

/* ---- the text as it came ---- */

/* Is this the end of a line as libmicrohttpd leaves it behind: CR LF, overwritten? */
static bool
line_ended(const char *s)
{
	return s[0] == '\0' && s[1] == '\0';
}

/* Between name and value there was a colon, and since then only blanks. */
static bool
adjacent(const field *f)
{
	const char *s = f->name + f->name_len + 1;

	if (f->value < s || (size_t) (f->value - s) > 65536)
		return false;
	for (; s < f->value; s++)
		if (*s != ' ' && *s != '\t')
			return false;
	return true;
}

static bool
text_is_whole(const fields *all, const char *method, size_t target, const char *version, size_t header_size)
{
	const char *next = version + strlen(version);

	/* One blank before the target, one behind it; a NUL in it would have made it shorter. */
	if (version != method + strlen(method) + 1 + target + 1 || !line_ended(next))
		return false;
	next += 2;
	for (size_t i = 0; i < all->count; i++)
	{
		const field *f = &all->of[i];

		if (f->name != next || !adjacent(f) || !line_ended(f->value + f->value_len))
			return false;
		next = f->value + f->value_len + 2;
	}
	/* The empty line. */
	return line_ended(next) && next + 2 == method + header_size;
}

static bool
judge_text(const fields *all, struct MHD_Connection *connection, const char *method, size_t target,
		   const char *version, problem *p)
{
	const union MHD_ConnectionInfo *info;

	if (strcmp(MHD_get_version(), "0.9.75") != 0)
		return true;
	info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
	if (info == NULL || text_is_whole(all, method, target, version, info->header_size))
		return true;
	problem_set(p, "http_malformed", "A line of the header is folded, holds a NUL or does not end in CR LF.");
	return false;
}

/*
 * Optional blanks behind a value are not part of it (RFC 9110 section 5.5), and
 * libmicrohttpd leaves them.  The text is its buffer, so that they can be ended
 * there for whoever asks for the field next.  Framing is judged before, with
 * them: libmicrohttpd has read it already, and takes "chunked " for another
 * coding than chunked.
 */
static void
trim(fields *all)
{
	for (size_t i = 0; i < all->count; i++)
	{
		field	   *f = &all->of[i];

		while (f->value_len > 0 && (f->value[f->value_len - 1] == ' ' || f->value[f->value_len - 1] == '\t'))
			((char *) (uintptr_t) f->value)[--f->value_len] = '\0';
	}
}

bool
strict_check(struct MHD_Connection *connection, const char *method, size_t target, const char *version, problem *p)
{
	fields		all;
	bool		http_1_1 = strcmp(version, "HTTP/1.1") == 0;

	all.count = 0;
	all.too_many = false;
	if (!http_1_1 && strcmp(version, "HTTP/1.0") != 0)
	{
		problem_set(p, "http_malformed", "The version of HTTP is neither 1.0 nor 1.1.");
		return false;
	}
	MHD_get_connection_values_n(connection, MHD_HEADER_KIND, collect, &all);
	if (all.too_many)
	{
		problem_set(p, "header_too_large", "There are more than %d header fields.", MAX_FIELDS);
		return false;
	}
	for (size_t i = 0; i < all.count; i++)
		if (!judge_field(&all, i, p))
			return false;
	if (!judge_text(&all, connection, method, target, version, p) || !judge_framing(&all, http_1_1, p))
		return false;
	trim(&all);
	return judge_host(&all, http_1_1, p);
}
