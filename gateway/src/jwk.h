/*
 * jwk.h
 *		Public keys as JSON (RFC 7517, 7518 section 6, 8037): which of them the
 *		gateway takes, and for which algorithms.
 *
 * The algorithm of a token is never a matter of the token alone: a key says
 * what it is for (kty, crv, alg, use, key_ops), and a token must fit its key.
 */
#ifndef GATEWAY_JWK_H
#define GATEWAY_JWK_H

#include <openssl/evp.h>

#include "fault.h"
#include "lc_jsontree.h"

/* Bits, because an RSA key without "alg" serves two of them. */
typedef enum jwt_alg
{
	JWT_NONE = 0,				/* not one of ours: HS256, none, ES512, … */
	JWT_RS256 = 1 << 0,
	JWT_PS256 = 1 << 1,
	JWT_ES256 = 1 << 2,
	JWT_EDDSA = 1 << 3			/* Ed25519 only */
} jwt_alg;

extern jwt_alg jwt_alg_find(lc_str name);

#define JWK_MAX_KID 256
#define JWK_MAX_KEYS 64

typedef struct jwk
{
	char		kid[JWK_MAX_KID + 1];	/* "": it has none */
	size_t		kid_len;
	unsigned	algs;			/* of jwt_alg */
	EVP_PKEY   *key;
} jwk;

/* NULL if it is a key for signatures of ours, else why not, in a few words; then out holds nothing. */
extern const char *jwk_read(const lc_json *object, jwk *out);
extern void jwk_free(jwk *k);

typedef struct jwk_set
{
	size_t		count;
	jwk			keys[JWK_MAX_KEYS];
	uint8_t		digest[32];		/* of what the keys are: the same for the same keys */
} jwk_set;

/* Keys that are not for us are passed over; skipped (may be NULL) is told of each. */
typedef void (*jwk_skipped) (lc_str kid, const char *why, void *arg);

/*
 * A JWK set (RFC 7517 section 5).  False: not one, too many keys, or two usable
 * keys of one kid, between which a token could not choose.  Then out is empty.
 * A set without usable keys is one: an authority may withdraw them all.
 */
extern bool jwk_set_parse(const char *text, size_t n, jwk_set *out, jwk_skipped skipped, void *arg, fault *f);
extern void jwk_set_clear(jwk_set *set);

#endif
