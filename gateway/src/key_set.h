/*
 * key_set.h
 *		Which keys are the present ones.  Any thread.
 *
 * A set is not changed once it is there; the last who gives it back frees it.
 * Each change makes a new generation, by which the cache of tokens knows what
 * was verified with other keys or settings.
 */
#ifndef GATEWAY_KEY_SET_H
#define GATEWAY_KEY_SET_H

#include "jwk.h"

typedef struct key_set key_set;

/* jwk_set_parse; NULL: f says why. */
extern key_set *key_set_parse(const char *text, size_t n, jwk_skipped skipped, fault *f);
extern const jwk_set *key_set_keys(const key_set *s);

/* The present one and its generation, to be given back soon.  NULL: there are none. */
extern key_set *key_set_take(uint64_t *generation);
extern void key_set_give(key_set *s);	/* NULL is allowed */

/* Makes it the present one (NULL: there are none any more) and takes it over.  Both give the new generation. */
extern uint64_t key_set_replace(key_set *fresh);
extern uint64_t key_set_next_generation(void);	/* the keys stay */

#endif
