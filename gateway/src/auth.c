/*
 * auth.c
 *		Puts the pieces together: cache, keys, signature, claims; and the map of
 *		client certificates.
 *
 * What a caller learns is the same for every token that is not good: which of
 * the checks failed would help whoever forges one.  Only that a token is too
 * old is told, and only if its signature holds.  The log tells the reason at
 * level debug, without the token.
 */
#include <pthread.h>
#include <string.h>

#include "auth.h"
#include "claims.h"
#include "client_map.h"
#include "config.h"
#include "http.h"
#include "jwks.h"
#include "jwt.h"
#include "key_set.h"
#include "lc_sha256.h"
#include "log.h"
#include "token_cache.h"

/* Of a token that names no key at most so many are tried: each try costs a signature. */
#define MAX_TRIES 8

static token_cache *cache = NULL;

static pthread_rwlock_t clients_lock = PTHREAD_RWLOCK_INITIALIZER;
static client_map *clients = NULL;

/* ---- refusals ---- */

static auth_result
refuse(problem *p, const char *why)
{
	log_line(LOG_DEBUG, "auth.refused", "token refused: %s", why);
	problem_set(p, "token_invalid", AUTH_NOT_GOOD);
	return AUTH_REFUSED;
}

static auth_result
judge(claims_verdict verdict, const identity *who, identity *out, problem *p)
{
	switch (verdict)
	{
		case CLAIMS_GOOD:
			*out = *who;
			return AUTH_GOOD;
		case CLAIMS_EXPIRED:
			problem_set(p, "token_expired", "The token has expired.");
			return AUTH_REFUSED;
		case CLAIMS_EARLY:
			problem_set(p, "token_expired", "The token is not good yet.");
			return AUTH_REFUSED;
		case CLAIMS_ISSUER:
			return refuse(p, "another issuer");
		case CLAIMS_AUDIENCE:
			break;
	}
	return refuse(p, "another audience");
}

/* ---- the key ---- */

typedef enum signature
{
	SIGNATURE_GOOD,
	SIGNATURE_BAD,
	SIGNATURE_NO_KEY			/* none that could have made it: perhaps the authority has new ones */
} signature;

static signature
check_named(const jwt *t, const jwk_set *keys)
{
	for (size_t i = 0; i < keys->count; i++)
	{
		const jwk  *k = &keys->keys[i];

		if (k->kid_len == t->kid_len && memcmp(k->kid, t->kid, t->kid_len) == 0)
			return jwt_verify(t, k) ? SIGNATURE_GOOD : SIGNATURE_BAD;
	}
	return SIGNATURE_NO_KEY;
}

static signature
check_unnamed(const jwt *t, const jwk_set *keys)
{
	int			tries = 0;

	for (size_t i = 0; i < keys->count && tries < MAX_TRIES; i++)
	{
		if (!jwt_fits(t, &keys->keys[i]))
			continue;
		tries++;
		if (jwt_verify(t, &keys->keys[i]))
			return SIGNATURE_GOOD;
	}
	return SIGNATURE_NO_KEY;
}

/* ---- tokens ---- */

static auth_result
read_claims(const jwt *t, const uint8_t hash[32], uint64_t generation, time_t now, identity *out, problem *p)
{
	const config *c = config_now();
	const claims_want want = {c->auth_issuer, c->auth_audience, c->auth_skew_s};
	claims		said;
	claims_verdict verdict;
	identity	who;
	const char *why = claims_read(t->payload, t->payload_len, c->auth_tenant_claim, &said);

	if (why != NULL)
		return refuse(p, why);
	verdict = claims_check(&said, &want, now);
	who = said.who;
	/* One that is expired will not become good again. */
	if (verdict == CLAIMS_EXPIRED)
		claims_free(&said);
	else
		token_cache_put(cache, hash, generation, &said, want.skew, now);
	return judge(verdict, &who, out, p);
}

/* Without keys the fault is ours, not the token's: 401 would make clients throw a good one away. */
static auth_result
no_keys(problem *p)
{
	if (config_now()->auth_jwks[0] == '\0')
		return refuse(p, "no authority is configured");
	if (jwks_want())
		return AUTH_WAIT;
	problem_set(p, "keys_missing", "The authority's keys are not there yet.");
	return AUTH_REFUSED;
}

static auth_result
verify(const char *token, size_t n, const uint8_t hash[32], const jwk_set *keys, uint64_t generation,
	   time_t now, identity *out, problem *p)
{
	jwt			t;
	const char *why = jwt_parse(token, n, &t);

	if (why != NULL)
		return refuse(p, why);
	if (keys == NULL)
		return no_keys(p);
	switch (t.kid_len > 0 ? check_named(&t, keys) : check_unnamed(&t, keys))
	{
		case SIGNATURE_GOOD:
			return read_claims(&t, hash, generation, now, out, p);
		case SIGNATURE_NO_KEY:
			return jwks_want() ? AUTH_WAIT : refuse(p, "no key for it");
		case SIGNATURE_BAD:
			break;
	}
	return refuse(p, "the signature does not hold");
}

auth_result
auth_token(const char *token, size_t n, time_t now, identity *out, problem *p)
{
	uint8_t		hash[LC_HASH_LEN];
	uint64_t	generation;
	key_set    *keys;
	const config *c;
	claims_verdict verdict;
	identity	who;
	auth_result result;

	if (n == 0)
	{
		problem_set(p, "token_missing", "The request has no token.");
		return AUTH_REFUSED;
	}
	if (n > JWT_MAX)
		return refuse(p, "it is too long");
	if (lc_sha256(token, n, hash) != LC_OK)
		return refuse(p, "no SHA-256");
	/* The generation before the settings: what was read by older settings is never kept under a newer one. */
	keys = key_set_take(&generation);
	c = config_now();
	if (token_cache_get(cache, hash, generation, &(claims_want) {c->auth_issuer, c->auth_audience, c->auth_skew_s},
						now, &verdict, &who) == TOKEN_JUDGED)
		result = judge(verdict, &who, out, p);
	else
		result = verify(token, n, hash, keys != NULL ? key_set_keys(keys) : NULL, generation, now, out, p);
	key_set_give(keys);
	return result;
}

bool
auth_wait(loop *l, loop_call *call)
{
	return jwks_wait(l, call);
}

void
auth_wait_end(loop_call *call)
{
	jwks_wait_end(call);
}

/* ---- certificates ---- */

auth_result
auth_certificate(const uint8_t *der, size_t n, identity *out, problem *p)
{
	bool		found;

	pthread_rwlock_rdlock(&clients_lock);
	found = clients != NULL && client_map_find(clients, der, n, out);
	pthread_rwlock_unlock(&clients_lock);
	if (found)
		return AUTH_GOOD;
	problem_set(p, "token_invalid", "The client certificate is not one of those that the gateway knows.");
	return AUTH_REFUSED;
}

/* The file of LEDGER__TLS__CLIENTS; what was there stays if it is not good. */
static bool
load_clients(void)
{
	const char *path = config_now()->tls_clients;
	client_map *fresh = NULL;
	client_map *old;
	fault		f = {""};

	if (path[0] != '\0' && (fresh = client_map_load(path, &f)) == NULL)
	{
		log_line(LOG_ERROR, "auth.clients_failed", "the map of client certificates %s is not good: %s", path, f.text);
		return false;
	}
	pthread_rwlock_wrlock(&clients_lock);
	old = clients;
	clients = fresh;
	pthread_rwlock_unlock(&clients_lock);
	client_map_free(old);
	return true;
}

/* ---- life ---- */

static void
keys_changed(uint64_t generation)
{
	token_cache_empty(cache, generation);
}

bool
auth_start(void)
{
	uint64_t	generation;

	if (cache == NULL)
		cache = token_cache_new((size_t) config_now()->auth_cache);
	if (cache == NULL || !http_start())
	{
		log_line(LOG_ERROR, "auth.start", "no memory for the cache of tokens, or no libcurl");
		return false;
	}
	key_set_give(key_set_take(&generation));
	token_cache_empty(cache, generation);
	return load_clients() && jwks_start(keys_changed);
}

void
auth_reload(void)
{
	load_clients();
	jwks_reload();
}

void
auth_stop(void)
{
	jwks_stop();
}

bool
auth_ready(void)
{
	auth_counters counters = {0};
	bool		mapped;

	jwks_count(&counters);
	if (counters.keys > 0 || config_now()->auth_jwks[0] != '\0')
		return counters.keys > 0;
	pthread_rwlock_rdlock(&clients_lock);
	mapped = clients != NULL;
	pthread_rwlock_unlock(&clients_lock);
	return mapped;
}

void
auth_count(auth_counters *out)
{
	token_cache_counters counted;

	memset(out, 0, sizeof(*out));
	if (cache == NULL)
		return;
	token_cache_count(cache, &counted);
	out->cache_requests = counted.requests;
	out->cache_hits = counted.hits;
	out->cache_evictions = counted.evictions;
	jwks_count(out);
}
