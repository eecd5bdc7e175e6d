/*
 * target.h
 *		The request target as it stands in the request line: path segments
 *		and query parameters (RFC 3986), decoded once and strictly.
 *
 * libmicrohttpd's own decoding cuts a path at %00, so the raw text is taken
 * from MHD_OPTION_URI_LOG_CALLBACK.  Refused: a bad or overlong escape, %00 and
 * other control bytes, %5C, empty, "." and ".." segments, bytes that are not
 * UTF-8, a fragment.  %2F is noted: only a route whose pattern says so takes it.
 */
#ifndef GATEWAY_TARGET_H
#define GATEWAY_TARGET_H

#include "lc_buf.h"

#define TARGET_MAX_LENGTH 8192
#define TARGET_MAX_SEGMENTS 16
#define TARGET_MAX_QUERY 64

typedef struct target_pair
{
	const char *name;
	const char *value;			/* "" if there is no "=" */
} target_pair;

typedef struct target
{
	char	   *text;			/* what the strings below point into */
	char		authority[256];	/* of http://host/path, which must be the Host; "" else */
	char		path[1024];		/* as it came, without the query: for logs and "instance" */
	size_t		segments_count;
	const char *segments[TARGET_MAX_SEGMENTS];	/* "/" has none */
	uint32_t	slashed;		/* bit i: segment i held %2F */
	size_t		query_count;
	target_pair query[TARGET_MAX_QUERY];	/* in the order given; "+" is a blank */
} target;

/* NULL if it is good, else what is wrong with it, in a few words. */
extern const char *target_parse(const char *raw, size_t n, target *out);
extern void target_free(target *t);
extern const char *target_query(const target *t, const char *name);	/* the first, or NULL */

/* Is it longer than target_parse takes (414)? */
extern bool target_too_long(const char *raw, size_t n);

#endif
