/*
 * test_token_cache.c
 *		What is remembered of verified tokens, for how long, and that neither a
 *		change of keys nor time lets an old one pass.
 *
 * Three faults that a relative of ours had are here by name: a token that
 * stayed good after the keys had changed, entries that were never taken out,
 * and a sweep of everything within a request (PostgREST #4014, #3788, #3889).
 */
#include <pthread.h>

#include "token_cache.h"
#include "harness.h"

#define NOW 1800000000
static const claims_want want = {"iss", "aud", 60};

/* The hash of the i-th token: also its bucket. */
static void
hash_of(uint32_t i, uint8_t hash[32])
{
	memset(hash, 0, 32);
	memcpy(hash, &i, sizeof(i));
	memcpy(hash + 16, &i, sizeof(i));
}

static void
put_until(token_cache *c, uint32_t i, uint64_t generation, time_t expires, time_t now)
{
	claims		said = {.expires = expires, .not_before = INT64_MIN, .issued = INT64_MIN};
	uint8_t		hash[32];

	snprintf(said.who.subject, sizeof(said.who.subject), "subject %u", i);
	said.texts = malloc(8);
	memcpy(said.texts, "iss\0aud", 8);
	said.texts_len = 8;
	hash_of(i, hash);
	token_cache_put(c, hash, generation, &said, want.skew, now);
}

static void
put(token_cache *c, uint32_t i, uint64_t generation)
{
	put_until(c, i, generation, NOW + 300, NOW);
}

static bool
known_at(token_cache *c, uint32_t i, uint64_t generation, time_t now, claims_verdict *verdict)
{
	uint8_t		hash[32];
	identity	who = {.subject = ""};
	char		subject[32];

	hash_of(i, hash);
	if (token_cache_get(c, hash, generation, &want, now, verdict, &who) == TOKEN_UNKNOWN)
		return false;
	snprintf(subject, sizeof(subject), "subject %u", i);
	if (strcmp(who.subject, subject) != 0)
		ok(false, "token %u has its own identity, not that of \"%s\"", i, who.subject);
	return true;
}

static bool
known(token_cache *c, uint32_t i, uint64_t generation)
{
	claims_verdict verdict;

	return known_at(c, i, generation, NOW, &verdict) && verdict == CLAIMS_GOOD;
}

static size_t
entries(token_cache *c)
{
	token_cache_counters counters;

	token_cache_count(c, &counters);
	return counters.entries;
}

/* ---- the three faults ---- */

static void
changed_keys(void)
{
	token_cache *c = token_cache_new(10);

	token_cache_empty(c, 1);
	put(c, 1, 1);
	ok(known(c, 1, 1), "a verified token is known");
	ok(!known(c, 1, 2), "not to whom has newer keys already");
	token_cache_empty(c, 2);
	ok(!known(c, 1, 2) && entries(c) == 0, "with other keys all are gone");
	ok(!known(c, 1, 1), "also to whom still has the old ones");
	put(c, 1, 1);
	ok(!known(c, 1, 2) && !known(c, 1, 1) && entries(c) == 0, "and what was verified by the old ones comes in no more");
	token_cache_free(c);
}

static void
expiry(void)
{
	token_cache *c = token_cache_new(10);
	claims_verdict verdict = CLAIMS_GOOD;

	token_cache_empty(c, 1);
	put(c, 1, 1);
	ok(known_at(c, 1, 1, NOW + 359, &verdict) && verdict == CLAIMS_GOOD, "good until its end and the skew");
	ok(known_at(c, 1, 1, NOW + 360, &verdict) && verdict == CLAIMS_EXPIRED,
	   "expired then, though its signature is known");
	is_int((int64_t) entries(c), 0, "and taken out");
	token_cache_free(c);
}

/* Nobody asks for them again; others come. */
static void
sweeping(void)
{
	token_cache *c = token_cache_new(1000);

	token_cache_empty(c, 1);
	for (uint32_t i = 0; i < 500; i++)
		put(c, i, 1);
	is_int((int64_t) entries(c), 500, "500 tokens");
	for (uint32_t i = 1000; i < 1300; i++)
		put_until(c, i, 1, NOW + 10000, NOW + 400);
	is_int((int64_t) entries(c), 300, "that expired are gone after a few insertions of others");
	put_until(c, 2000, 1, NOW + 10000, NOW + 20000);
	ok(entries(c) >= 300 - 4, "but one insertion takes only a few out");
	token_cache_free(c);
}

/* ---- judged anew ---- */

static void
judged(void)
{
	token_cache *c = token_cache_new(10);
	claims_verdict verdict;
	identity	who;
	uint8_t		hash[32];

	token_cache_empty(c, 1);
	put(c, 1, 1);
	hash_of(1, hash);
	ok(token_cache_get(c, hash, 1, &(claims_want) {"other", "aud", 60}, NOW, &verdict, &who) == TOKEN_JUDGED &&
	   verdict == CLAIMS_ISSUER, "another issuer in the settings counts at once");
	ok(token_cache_get(c, hash, 1, &(claims_want) {"iss", "other", 60}, NOW, &verdict, &who) == TOKEN_JUDGED &&
	   verdict == CLAIMS_AUDIENCE, "another audience too");
	ok(token_cache_get(c, hash, 1, &(claims_want) {"iss", "aud", 0}, NOW + 300, &verdict, &who) == TOKEN_JUDGED &&
	   verdict == CLAIMS_EXPIRED, "and another skew");
	token_cache_free(c);
}

/* ---- room ---- */

static void
bounds(void)
{
	token_cache *c = token_cache_new(100);
	token_cache_counters counters;
	bool		all = true;

	token_cache_empty(c, 1);
	for (uint32_t i = 0; i < 100; i++)
		put(c, i, 1);
	for (uint32_t i = 0; i < 100; i++)
		all = all && known(c, i, 1);
	ok(all, "as many as there is room for");
	for (uint32_t i = 0; i < 1000; i++)
		put(c, 1000 + i, 1);
	is_int((int64_t) entries(c), 100, "no more than that");
	token_cache_count(c, &counters);
	is_int((int64_t) counters.evictions, 1000, "each further one takes the place of another");
	token_cache_free(c);
	c = token_cache_new(100);
	token_cache_empty(c, 1);
	put(c, 1, 1);
	put(c, 1, 1);
	is_int((int64_t) entries(c), 1, "the same token again, verified by two threads, is one");
	token_cache_free(c);
}

/* The next to be evicted expires first, and another takes its entry. */
static void
hand(void)
{
	token_cache *c = token_cache_new(3);
	claims_verdict verdict;

	token_cache_empty(c, 1);
	for (uint32_t i = 1; i <= 3; i++)
		put_until(c, i, 1, i == 2 ? NOW + 100 : NOW + 300, NOW);
	put(c, 4, 1);
	ok(!known(c, 1, 1), "the oldest went");
	ok(known_at(c, 2, 1, NOW + 200, &verdict) && verdict == CLAIMS_EXPIRED, "the next expires");
	put(c, 5, 1);
	put(c, 6, 1);
	ok(!known(c, 3, 1) && known(c, 4, 1) && known(c, 5, 1) && known(c, 6, 1), "so the one behind it goes next");
	token_cache_free(c);
}

/* SIEVE: tokens in use outlive a flood of tokens used once. */
static void
flood(void)
{
	token_cache *c = token_cache_new(100);
	bool		all = true;

	token_cache_empty(c, 1);
	for (uint32_t i = 0; i < 50; i++)
		put(c, i, 1);
	for (uint32_t round = 0; round < 100; round++)
	{
		for (uint32_t i = 0; i < 50; i++)
			all = all && known(c, i, 1);
		for (uint32_t i = 0; i < 40; i++)
			put(c, 1000 + round * 40 + i, 1);
	}
	ok(all, "tokens in use stay, whatever passes by");
	token_cache_free(c);
}

/*
 * Tokens come, are used for a while, and end, some while they are in use:
 * whatever is done, there are never more than there is room for, and what is
 * known of a token is that token's.
 */
static void
at_random(void)
{
	enum { ROOM = 17, STEPS = 20000 };
	token_cache *c = token_cache_new(ROOM);
	uint32_t	dice = 12345;
	int			hits = 0;
	bool		honest = true;

	token_cache_empty(c, 1);
	for (int step = 0; step < STEPS; step++)
	{
		uint32_t	i;
		time_t		now = NOW + step / 4,
					end;
		claims_verdict verdict = CLAIMS_GOOD;

		dice = dice * 1664525 + 1013904223;
		i = (uint32_t) step / 40 + (dice >> 16) % 30;
		end = NOW + (time_t) i * 10 + (time_t) (i % 7) * 20 - 150;
		if (known_at(c, i, 1, now, &verdict))
		{
			hits++;
			honest = honest && (verdict == CLAIMS_EXPIRED) == (now >= end + 60);
		}
		else if ((dice >> 8) % 2 == 0)
			put_until(c, i, 1, end, now);
		honest = honest && entries(c) <= ROOM;
	}
	ok(honest, "20,000 steps at random: never more than there is room for, and each token's own end");
	ok(hits > STEPS / 10, "with %d hits", hits);
	token_cache_free(c);
}

static void
none(void)
{
	token_cache *c = token_cache_new(0);

	token_cache_empty(c, 1);
	put(c, 1, 1);
	ok(!known(c, 1, 1), "without room nothing is kept");
	token_cache_free(c);
	token_cache_free(NULL);
}

/* ---- threads ---- */

static token_cache *shared;

static void *
worker(void *arg)
{
	uint32_t	from = *(uint32_t *) arg;
	claims_verdict verdict;

	for (uint32_t i = 0; i < 5000; i++)
	{
		uint32_t	token = (from + i * 7) % 200;
		uint64_t	generation = 1 + i / 1000;

		if (!known_at(shared, token, generation, NOW, &verdict))
			put(shared, token, generation);
		if (i % 1000 == 999)
			token_cache_empty(shared, generation + 1);
	}
	return NULL;
}

static void
threads(void)
{
	pthread_t	ids[4];
	uint32_t	from[4] = {0, 50, 100, 150};

	shared = token_cache_new(64);
	token_cache_empty(shared, 1);
	for (int i = 0; i < 4; i++)
		pthread_create(&ids[i], NULL, worker, &from[i]);
	for (int i = 0; i < 4; i++)
		pthread_join(ids[i], NULL);
	ok(entries(shared) <= 64, "four threads at once");
	token_cache_free(shared);
}

int
main(void)
{
	changed_keys();
	expiry();
	sweeping();
	judged();
	bounds();
	hand();
	flood();
	at_random();
	none();
	threads();
	return done();
}
