/*
 * auth.h
 *		From a bearer token (or the peer's certificate) to an identity.
 *
 * Any thread may call; no call waits for a network.
 */
#ifndef GATEWAY_AUTH_H
#define GATEWAY_AUTH_H

#include <time.h>

#include "identity.h"
#include "loop.h"
#include "problem.h"

typedef enum auth_result
{
	AUTH_GOOD,
	AUTH_REFUSED,				/* p says why: 401 and WWW-Authenticate */
	AUTH_WAIT					/* keys are being fetched: ask again when the waiter is called */
} auth_result;

/* The detail of every token_invalid: which check failed is for the log alone. */
#define AUTH_NOT_GOOD "The token is not good here."

/* Loads keys, starts the thread that fetches them.  False after a message. */
extern bool auth_start(void);
extern void auth_reload(void);	/* SIGHUP: settings and key files anew */
extern void auth_stop(void);

/* token: what stands behind "Bearer ", not NUL-terminated. */
extern auth_result auth_token(const char *token, size_t n, time_t now, identity *out, problem *p);

/* The peer's certificate, DER, already found to be signed by the client CA and valid now. */
extern auth_result auth_certificate(const uint8_t *der, size_t n, identity *out, problem *p);

/* After AUTH_WAIT: call is posted to l when the fetch has ended, however it ended.  False: it has already. */
extern bool auth_wait(loop *l, loop_call *call);
extern void auth_wait_end(loop_call *call);	/* the request gave up first */

/* Are there keys at all (or is only mutual TLS configured)?  For readiness. */
extern bool auth_ready(void);

typedef struct auth_counters
{
	uint64_t	cache_requests, cache_hits, cache_evictions;
	uint64_t	jwks_fetches, jwks_failures;
	int64_t		jwks_last_success;	/* seconds since 1970; 0: never */
	int			keys;
} auth_counters;
extern void auth_count(auth_counters *out);

#endif
