/*
 * token_cache.h
 *		Tokens whose signature was found good, so that it need not be found
 *		again: an ES256 signature costs 90 microseconds, a look here one.
 *
 * Only that a signature holds is remembered, and what the token says; whether
 * it is for us and for now is asked anew each time (claims.h).  An entry counts
 * for one set of keys: when that changes, all are gone.  Any thread.
 *
 * The key is the SHA-256 of the whole token, so that no token is kept.  Eviction
 * is SIEVE: a hit costs one bit, and a flood of tokens used once does not push
 * out those in use.
 */
#ifndef GATEWAY_TOKEN_CACHE_H
#define GATEWAY_TOKEN_CACHE_H

#include "claims.h"

typedef struct token_cache token_cache;

/* capacity 0: nothing is ever kept.  NULL: no memory. */
extern token_cache *token_cache_new(size_t capacity);
extern void token_cache_free(token_cache *c);

typedef enum token_found
{
	TOKEN_UNKNOWN,
	TOKEN_JUDGED				/* *verdict and *who are set */
} token_found;

/*
 * Looks for a token verified with the keys of that generation, and judges it.
 * One that has expired is taken out.
 */
extern token_found token_cache_get(token_cache *c, const uint8_t hash[32], uint64_t generation,
								   const claims_want *want, time_t now,
								   claims_verdict *verdict, identity *who);

/*
 * Takes the claims over, also when they are not kept: because those keys are
 * not the present ones any more.  Looks at a few other entries too, and takes
 * those out whose time (and the skew) is over: nobody may ask for them again.
 */
extern void token_cache_put(token_cache *c, const uint8_t hash[32], uint64_t generation, claims *verified,
							int64_t skew, time_t now);

/* Other keys or settings: all that is there goes, and nothing of an older generation comes in any more. */
extern void token_cache_empty(token_cache *c, uint64_t generation);

typedef struct token_cache_counters
{
	uint64_t	requests, hits, evictions;
	size_t		entries;
} token_cache_counters;
extern void token_cache_count(token_cache *c, token_cache_counters *out);

#endif
