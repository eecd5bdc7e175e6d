/*
 * lc_jsonparse.h
 *		Strict JSON parser (RFC 8259) for text that did not pass through
 *		jsonb: duplicate members, bad UTF-8, lone surrogates, U+0000,
 *		trailing bytes, a byte order mark and depth are errors with a place.
 */
#ifndef LC_JSONPARSE_H
#define LC_JSONPARSE_H

#include "lc_buf.h"

typedef struct lc_json_error
{
	lc_status	status;
	size_t		offset;			/* bytes from the start, 0-based */
	size_t		line;			/* 1-based */
	size_t		column;			/* 1-based, in bytes */
	char		path[256];		/* of the member at fault, cut if longer */
} lc_json_error;

/*
 * Callbacks of a parse, any of which may be NULL.  A status other than
 * LC_OK ends the parse with it.  Decoded strings are valid during the whole
 * parse (so that a key may be handed to lc_jcs_key); number text is as it
 * stands in the input.
 */
typedef struct lc_json_handler
{
	lc_status	(*begin_object) (void *arg);
	lc_status	(*key) (void *arg, const char *s, size_t n);
	lc_status	(*end_object) (void *arg);
	lc_status	(*begin_array) (void *arg);
	lc_status	(*end_array) (void *arg);
	lc_status	(*string) (void *arg, const char *s, size_t n);
	lc_status	(*number) (void *arg, const char *text, size_t n);
	lc_status	(*boolean) (void *arg, bool value);
	lc_status	(*null) (void *arg);
	void	   *arg;

	/* If not NULL: before each call, what it tells of as it stands in the text; a bracket alone. */
	lc_str	   *token;
} lc_json_handler;

/* max_depth 0 means LC_JCS_MAX_DEPTH.  err may be NULL. */
extern lc_status lc_json_parse(const char *text, size_t n, size_t max_depth,
							   const lc_json_handler *handler,
							   const lc_alloc *alloc, lc_json_error *err);

/* Parse and append the canonical form (RFC 8785) to out. */
extern lc_status lc_json_canonicalize(const char *text, size_t n, lc_buf *out,
									  const lc_alloc *alloc, lc_json_error *err);

/* The same with a limit of one's own; 0 means LC_JCS_MAX_DEPTH. */
extern lc_status lc_json_canonicalize_to_depth(const char *text, size_t n, size_t max_depth,
											   lc_buf *out, const lc_alloc *alloc,
											   lc_json_error *err);

#endif
