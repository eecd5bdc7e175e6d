/*
 * jwt.h
 *		Signed tokens in compact form (RFC 7515): taken apart, and verified.
 *
 * Narrow on purpose.  Four algorithms, one spelling of base64url, one form; no
 * key comes from a token ("jwk", "jku", "x5c", "x5u" are not read), and nothing
 * that a token declares critical is known here.  What the payload says is
 * claims.h's matter, after the signature was found good.
 */
#ifndef GATEWAY_JWT_H
#define GATEWAY_JWT_H

#include "base64url.h"
#include "jwk.h"

#define JWT_MAX 8192			/* bytes of a token */
#define JWT_MAX_SIGNATURE 1024	/* bytes: that of an RSA key of 8,192 bits */

typedef struct jwt
{
	jwt_alg		alg;
	char		kid[JWK_MAX_KID + 1];
	size_t		kid_len;		/* 0: it names no key */
	const char *text;			/* of the token: what is signed */
	size_t		text_len;
	size_t		signature_len;
	uint8_t		signature[JWT_MAX_SIGNATURE];
	size_t		payload_len;
	char		payload[BASE64URL_BYTES(JWT_MAX)];
} jwt;

/* NULL, or why it is no token of ours, in a few words (for the log).  The token must outlive out. */
extern const char *jwt_parse(const char *token, size_t n, jwt *out);

/* May this key speak for this token?  The algorithm, and the kid if the token has one. */
extern bool jwt_fits(const jwt *t, const jwk *k);

/* Is it signed by that key?  False too for a key that does not fit. */
extern bool jwt_verify(const jwt *t, const jwk *k);

#endif
