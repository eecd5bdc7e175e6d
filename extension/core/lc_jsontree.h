/*
 * lc_jsontree.h
 *		A small JSON document in memory, read by the strict parser
 *		(lc_jsonparse.h): for DSSE envelopes, statements and export lines.
 *
 * Everything a tree holds is allocated with it and freed with it.
 */
#ifndef LC_JSONTREE_H
#define LC_JSONTREE_H

#include "lc_jsonparse.h"

typedef enum lc_json_type
{
	LC_JSON_NULL,
	LC_JSON_BOOLEAN,
	LC_JSON_NUMBER,
	LC_JSON_STRING,
	LC_JSON_ARRAY,
	LC_JSON_OBJECT
} lc_json_type;

typedef struct lc_json
{
	lc_json_type type;
	bool		boolean;
	lc_str		text;			/* decoded string, or the number as it stands */
	lc_str		key;			/* its name, if it is a member */
	struct lc_json *child;		/* first element or member, in the text's order */
	struct lc_json *next;		/* next sibling */
	size_t		count;			/* elements or members */
	lc_str		source;			/* the value's text, from the document */
} lc_json;

typedef struct lc_jsontree lc_jsontree;

/* The document must outlive the tree.  err may be NULL. */
extern lc_status lc_jsontree_parse(const char *text, size_t n, size_t max_depth,
								   const lc_alloc *alloc, lc_jsontree **out, lc_json_error *err);
extern void lc_jsontree_free(lc_jsontree *tree);	/* NULL is allowed */
extern const lc_json *lc_jsontree_root(const lc_jsontree *tree);

/* The member, or NULL if the value is no object or has none of that name. */
extern const lc_json *lc_json_member(const lc_json *object, const char *name);

/* The member's string; s == NULL if it is missing or of another type. */
extern lc_str lc_json_string(const lc_json *object, const char *name);

/* The greatest integer that every JSON reader keeps exactly (RFC 7493 section 2.2). */
#define LC_JSON_MAX_INTEGER UINT64_C(9007199254740991)

/* A whole number of 0 … 2^53 - 1 written without sign, point or exponent. */
extern bool lc_json_uint(const lc_json *object, const char *name, uint64_t *out);

#endif
