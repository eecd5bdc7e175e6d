/*
 * key_set.c
 *		A counted set of keys, and which is the present one.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "key_set.h"

struct key_set
{
	atomic_int	refs;
	jwk_set		set;
};

/* Held for a moment by every request that brings a token. */
static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static key_set *present = NULL;
static uint64_t generation = 1;

key_set *
key_set_parse(const char *text, size_t n, jwk_skipped skipped, fault *f)
{
	key_set    *s = calloc(1, sizeof(*s));

	if (s == NULL)
	{
		fault_set(f, "out of memory");
		return NULL;
	}
	atomic_init(&s->refs, 1);
	if (jwk_set_parse(text, n, &s->set, skipped, NULL, f))
		return s;
	free(s);
	return NULL;
}

const jwk_set *
key_set_keys(const key_set *s)
{
	return &s->set;
}

key_set *
key_set_take(uint64_t *generation_out)
{
	key_set    *s;

	pthread_rwlock_rdlock(&lock);
	s = present;
	if (s != NULL)
		atomic_fetch_add(&s->refs, 1);
	*generation_out = generation;
	pthread_rwlock_unlock(&lock);
	return s;
}

void
key_set_give(key_set *s)
{
	if (s == NULL || atomic_fetch_sub(&s->refs, 1) != 1)
		return;
	jwk_set_clear(&s->set);
	free(s);
}

uint64_t
key_set_replace(key_set *fresh)
{
	key_set    *old;
	uint64_t	now;

	pthread_rwlock_wrlock(&lock);
	old = present;
	present = fresh;
	now = ++generation;
	pthread_rwlock_unlock(&lock);
	key_set_give(old);
	return now;
}

uint64_t
key_set_next_generation(void)
{
	uint64_t	now;

	pthread_rwlock_wrlock(&lock);
	now = ++generation;
	pthread_rwlock_unlock(&lock);
	return now;
}
