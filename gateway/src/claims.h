/*
 * claims.h
 *		What the payload of a verified token says (RFC 7519, RFC 9068), and
 *		whether it is for us and for now.
 *
 * Reading and judging are two steps, because a cached token is judged anew
 * each time it is used.
 */
#ifndef GATEWAY_CLAIMS_H
#define GATEWAY_CLAIMS_H

#include <time.h>

#include "identity.h"
#include "lc_buf.h"

typedef struct claims
{
	identity	who;
	int64_t		expires;
	int64_t		not_before;		/* INT64_MIN: it does not say */
	int64_t		issued;			/* likewise */
	char	   *texts;			/* one after another, each with a NUL: iss, then each aud */
	size_t		texts_len;
} claims;

/*
 * NULL, or why they are none of ours, in a few words (for the log).  Required
 * are iss, aud, sub (1 to 255 bytes), exp and the claim of that name with the
 * tenant.
 *
 * actor_type is the claim of that name if it is one of the ledger's words; else
 * "integration" for a client that speaks for itself (RFC 6749 section 4.4: its
 * azp or client_id is its sub), and "operator" for people.
 */
extern const char *claims_read(const char *payload, size_t n, const char *tenant_claim, claims *out);
extern void claims_free(claims *c);

typedef struct claims_want
{
	const char *issuer;
	const char *audience;
	int64_t		skew;			/* seconds that clocks may differ */
} claims_want;

typedef enum claims_verdict
{
	CLAIMS_GOOD,
	CLAIMS_EXPIRED,
	CLAIMS_EARLY,				/* nbf or iat lie in the future */
	CLAIMS_ISSUER,
	CLAIMS_AUDIENCE
} claims_verdict;

extern claims_verdict claims_check(const claims *c, const claims_want *want, time_t now);

/* ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$, as the ledger's table of tenants has it. */
extern bool tenant_name_valid(const char *s, size_t n);

#endif
