/*
 * lc_jsonparse_internal.h
 *		The parser's state, shared by lc_jsonparse.c and lc_jsonstring.c and
 *		by nothing else.
 */
#ifndef LC_JSONPARSE_INTERNAL_H
#define LC_JSONPARSE_INTERNAL_H

#include "lc_jsonparse.h"

typedef struct name
{
	const char *s;
	size_t		n;
	size_t		offset;			/* where it stands in the input */
} name;

/* One open object or array. */
typedef struct frame
{
	bool		is_object;
	bool		unsorted;		/* else every name was greater than the last */
	bool		in_member;		/* between a name and the end of its value */
	size_t		first;			/* its first name in names[] */
	size_t		index;			/* of the current element, arrays only */
} frame;

typedef struct chunk
{
	struct chunk *next;
	size_t		used;
	size_t		size;
	char		bytes[];
} chunk;

typedef struct parser
{
	const char *text;
	size_t		n;
	size_t		pos;
	size_t		fault;			/* offset to report */
	size_t		max_depth;
	const lc_json_handler *handler;
	const lc_alloc *alloc;
	frame	   *frames;
	size_t		nframes;
	size_t		max_frames;
	name	   *names;			/* of all open objects, innermost last */
	size_t		nnames;
	size_t		max_names;
	chunk	   *arena;
} parser;

/* Remember where it went wrong; returns status. */
extern lc_status lc_json_fail(parser *p, size_t offset, lc_status status);

/* The string at p->pos (its quote), decoded; moves behind it. */
extern lc_status lc_json_read_string(parser *p, lc_str *out);

#endif
