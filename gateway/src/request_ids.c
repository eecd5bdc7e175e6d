/*
 * request_ids.c
 *		What a request is called in logs: X-Request-Id and W3C trace context.
 *
 * A caller's are taken if they are well-formed; they are copied into answers
 * and logs, so anything else is replaced and not repaired.
 */
#include <string.h>

#include "loop_internal.h"
#include "request.h"

static bool
take_id(request *r, const char *given)
{
	size_t		n = given != NULL ? strlen(given) : 0;

	if (n == 0 || n >= sizeof(r->id))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!((given[i] >= '0' && given[i] <= '9') || (given[i] >= 'a' && given[i] <= 'z') ||
			  (given[i] >= 'A' && given[i] <= 'Z') || strchr("-_.", given[i]) != NULL))
			return false;
	strcpy(r->id, given);
	return true;
}

/* n digits of lower-case hex, not all zero unless zero is allowed. */
static bool
is_hex(const char *s, size_t n, bool zero)
{
	for (size_t i = 0; i < n; i++)
	{
		if (!((s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f')))
			return false;
		zero = zero || s[i] != '0';
	}
	return zero;
}

/* 00-<trace id>-<parent id>-<flags>; a later version may have more behind that. */
static bool
take_traceparent(request *r, const char *given)
{
	size_t		n = given != NULL ? strlen(given) : 0;

	if (n < 55 || !is_hex(given, 2, true) || memcmp(given, "ff", 2) == 0 || given[2] != '-' ||
		!is_hex(given + 3, 32, false) || given[35] != '-' || !is_hex(given + 36, 16, false) || given[52] != '-' ||
		!is_hex(given + 53, 2, true))
		return false;
	if (n > 55 && (memcmp(given, "00", 2) == 0 || given[55] != '-'))
		return false;
	memcpy(r->trace_id, given + 3, 32);
	memcpy(r->trace_flags, given + 53, 2);
	return true;
}

static void
random_hex(request *r, char *out, size_t bytes)
{
	static const char digits[] = "0123456789abcdef";
	unsigned char random[16];

	loop_random(r->loop, random, bytes);
	for (size_t i = 0; i < bytes; i++)
	{
		out[2 * i] = digits[random[i] >> 4];
		out[2 * i + 1] = digits[random[i] & 15];
	}
	out[2 * bytes] = '\0';
}

void
request_identify(request *r)
{
	if (!take_id(r, request_header(r, "X-Request-Id")))
		random_hex(r, r->id, 16);
	if (!take_traceparent(r, request_header(r, "traceparent")))
	{
		random_hex(r, r->trace_id, 16);
		strcpy(r->trace_flags, "00");
	}
	random_hex(r, r->span_id, 8);
}
