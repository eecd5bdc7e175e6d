/*
 * token_cache.c
 *		A table of a fixed number of entries, under one lock, which is held for
 *		a lookup or an insertion and never while a signature is verified.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "token_cache.h"

/* Entries looked at for their age in each insertion: none waits for a whole sweep. */
#define SWEEP 4

/* iss and aud longer than this are not kept, so that the table's size is bounded in bytes too. */
#define MAX_TEXTS 2048

#define NONE UINT32_MAX

typedef struct entry
{
	uint8_t		hash[32];
	claims		claims;
	uint32_t	in_bucket;		/* the next of the same bucket; of the free list if not used */
	uint32_t	newer,
				older;
	bool		used,
				visited;
} entry;

struct token_cache
{
	pthread_mutex_t lock;
	uint64_t	generation;
	uint32_t	capacity,
				buckets_mask;
	uint32_t   *buckets;
	entry	   *entries;
	uint32_t	free;
	uint32_t	newest,
				oldest,
				hand,			/* where the next eviction looks first; NONE: at the oldest */
				sweep;
	token_cache_counters counters;
};

static void
all_free(token_cache *c)
{
	memset(c->buckets, 0xFF, ((size_t) c->buckets_mask + 1) * sizeof(uint32_t));	/* NONE */
	for (uint32_t i = 0; i < c->capacity; i++)
		c->entries[i].in_bucket = i + 1 < c->capacity ? i + 1 : NONE;
	c->free = c->capacity > 0 ? 0 : NONE;
	c->newest = c->oldest = c->hand = NONE;
	c->sweep = 0;
	c->counters.entries = 0;
}

token_cache *
token_cache_new(size_t capacity)
{
	token_cache *c = calloc(1, sizeof(*c));
	size_t		buckets = 16;

	if (c == NULL)
		return NULL;
	if (capacity > UINT32_MAX / 4)
		capacity = UINT32_MAX / 4;
	while (buckets < capacity)
		buckets *= 2;
	c->capacity = (uint32_t) capacity;
	c->buckets_mask = (uint32_t) (buckets - 1);
	c->buckets = malloc(buckets * sizeof(uint32_t));
	c->entries = calloc(capacity > 0 ? capacity : 1, sizeof(entry));
	if (c->buckets == NULL || c->entries == NULL || pthread_mutex_init(&c->lock, NULL) != 0)
	{
		free(c->buckets);
		free(c->entries);
		free(c);
		return NULL;
	}
	all_free(c);
	return c;
}

/* ---- with the lock held ---- */

/* A hash is as good as random: its first bytes choose the bucket. */
static uint32_t *
bucket_of(token_cache *c, const uint8_t hash[32])
{
	uint32_t	bits;

	memcpy(&bits, hash, sizeof(bits));
	return &c->buckets[bits & c->buckets_mask];
}

static uint32_t
find(token_cache *c, const uint8_t hash[32])
{
	uint32_t	i = *bucket_of(c, hash);

	while (i != NONE && memcmp(c->entries[i].hash, hash, 32) != 0)
		i = c->entries[i].in_bucket;
	return i;
}

static void
unlink_age(token_cache *c, uint32_t i)
{
	entry	   *e = &c->entries[i];

	if (c->hand == i)
		c->hand = e->newer;
	if (e->newer != NONE)
		c->entries[e->newer].older = e->older;
	else
		c->newest = e->older;
	if (e->older != NONE)
		c->entries[e->older].newer = e->newer;
	else
		c->oldest = e->newer;
}

static void
take_out(token_cache *c, uint32_t i)
{
	entry	   *e = &c->entries[i];
	uint32_t   *at = bucket_of(c, e->hash);

	while (*at != i)
		at = &c->entries[*at].in_bucket;
	*at = e->in_bucket;
	unlink_age(c, i);
	claims_free(&e->claims);
	e->used = false;
	e->in_bucket = c->free;
	c->free = i;
	c->counters.entries--;
}

/* From the oldest to the newest and round again: what was used since the last visit gets another round. */
static void
evict(token_cache *c)
{
	uint32_t	i = c->hand != NONE ? c->hand : c->oldest;

	while (c->entries[i].visited)
	{
		c->entries[i].visited = false;
		i = c->entries[i].newer != NONE ? c->entries[i].newer : c->oldest;
	}
	c->hand = i;				/* take_out moves it on */
	take_out(c, i);
	c->counters.evictions++;
}

static void
sweep(token_cache *c, int64_t skew, time_t now)
{
	for (int n = 0; n < SWEEP; n++)
	{
		uint32_t	i = c->sweep++ % c->capacity;

		if (c->entries[i].used && (int64_t) now >= c->entries[i].claims.expires + skew)
			take_out(c, i);
	}
}

static void
put_in(token_cache *c, const uint8_t hash[32], claims *verified)
{
	uint32_t	i = c->free;
	entry	   *e = &c->entries[i];
	uint32_t   *bucket = bucket_of(c, hash);

	c->free = e->in_bucket;
	memcpy(e->hash, hash, sizeof(e->hash));
	e->claims = *verified;
	verified->texts = NULL;
	e->used = true;
	e->visited = false;
	e->in_bucket = *bucket;
	*bucket = i;
	e->newer = NONE;
	e->older = c->newest;
	if (c->newest != NONE)
		c->entries[c->newest].newer = i;
	else
		c->oldest = i;
	c->newest = i;
	c->counters.entries++;
}

/* ---- any thread ---- */

token_found
token_cache_get(token_cache *c, const uint8_t hash[32], uint64_t generation,
				const claims_want *want, time_t now, claims_verdict *verdict, identity *who)
{
	uint32_t	i;
	token_found found = TOKEN_UNKNOWN;

	pthread_mutex_lock(&c->lock);
	c->counters.requests++;
	i = c->generation == generation ? find(c, hash) : NONE;
	if (i != NONE)
	{
		entry	   *e = &c->entries[i];

		c->counters.hits++;
		found = TOKEN_JUDGED;
		e->visited = true;
		*verdict = claims_check(&e->claims, want, now);
		*who = e->claims.who;
		if (*verdict == CLAIMS_EXPIRED)
			take_out(c, i);
	}
	pthread_mutex_unlock(&c->lock);
	return found;
}

void
token_cache_put(token_cache *c, const uint8_t hash[32], uint64_t generation, claims *verified, int64_t skew, time_t now)
{
	pthread_mutex_lock(&c->lock);
	/* Another thread may have verified the same token meanwhile. */
	if (c->generation == generation && c->capacity > 0 && verified->texts_len <= MAX_TEXTS && find(c, hash) == NONE)
	{
		sweep(c, skew, now);
		if (c->free == NONE)
			evict(c);
		put_in(c, hash, verified);
	}
	pthread_mutex_unlock(&c->lock);
	claims_free(verified);
}

void
token_cache_empty(token_cache *c, uint64_t generation)
{
	pthread_mutex_lock(&c->lock);
	for (uint32_t i = 0; i < c->capacity; i++)
	{
		if (c->entries[i].used)
			claims_free(&c->entries[i].claims);
		c->entries[i].used = false;
	}
	all_free(c);
	c->generation = generation;
	pthread_mutex_unlock(&c->lock);
}

void
token_cache_count(token_cache *c, token_cache_counters *out)
{
	pthread_mutex_lock(&c->lock);
	*out = c->counters;
	pthread_mutex_unlock(&c->lock);
}

void
token_cache_free(token_cache *c)
{
	if (c == NULL)
		return;
	token_cache_empty(c, 0);
	pthread_mutex_destroy(&c->lock);
	free(c->buckets);
	free(c->entries);
	free(c);
}
