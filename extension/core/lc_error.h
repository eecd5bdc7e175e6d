/*
 * lc_error.h
 *		The one list of things that can go wrong in the core.
 *
 * The core knows neither SQLSTATEs nor HTTP: callers map these to theirs.
 * Every fallible function returns an lc_status and leaves its outputs
 * untouched or empty on failure; nothing in the core prints or aborts.
 */
#ifndef LC_ERROR_H
#define LC_ERROR_H

typedef enum lc_status
{
	LC_OK = 0,
	LC_ERR_MEMORY,				/* the allocator returned NULL */
	LC_ERR_SYNTAX,				/* not JSON (RFC 8259) */
	LC_ERR_TRAILING,			/* bytes after the JSON value */
	LC_ERR_UTF8,				/* ill-formed UTF-8 (RFC 3629) */
	LC_ERR_SURROGATE,			/* a lone surrogate escape */
	LC_ERR_NUL,					/* U+0000 in a string: PostgreSQL cannot store it */
	LC_ERR_DUPLICATE,			/* a member name stands twice in one object */
	LC_ERR_NUMBER,				/* a double would round it */
	LC_ERR_DEPTH,				/* nested deeper than the limit */
	LC_ERR_TOO_LONG,			/* over a documented length limit */
	LC_ERR_RANGE,				/* a value outside its documented range */
	LC_ERR_MISUSE,				/* the caller broke the call order: a bug */
	LC_ERR_CRYPTO,				/* OpenSSL refused */
	LC_ERR_PROOF,				/* a Merkle proof does not lead to the root */
	LC_ERR_SIGNATURE,			/* a signature that the key did not make */
	LC_ERR_ABSENT				/* what was asked for is not there */
} lc_status;

/* A short English phrase without full stop, for messages and test output. */
extern const char *lc_status_text(lc_status status);

#endif
