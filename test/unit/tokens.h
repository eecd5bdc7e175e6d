/*
 * tokens.h
 *		An authority for tests: makes keys, publishes them, signs tokens.
 */
#ifndef TOKENS_H
#define TOKENS_H

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "base64url.h"
#include "harness.h"
#include "jwk.h"

#define NEVER_FAILS(condition) \
	do { \
		if (!(condition)) \
		{ \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
			abort(); \
		} \
	} while (0)

static MAYBE_UNUSED EVP_PKEY *
make_key(jwt_alg alg)
{
	switch (alg)
	{
		case JWT_ES256:
			return EVP_EC_gen("P-256");
		case JWT_EDDSA:
			return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
		default:
			return EVP_RSA_gen(2048);
	}
}

static MAYBE_UNUSED void
put_number(lc_buf *out, EVP_PKEY *key, const char *param, int size)
{
	BIGNUM	   *n = NULL;
	uint8_t		bytes[1024];

	NEVER_FAILS(EVP_PKEY_get_bn_param(key, param, &n) == 1);
	size = size > 0 ? size : BN_num_bytes(n);
	NEVER_FAILS(BN_bn2binpad(n, bytes, size) == size);
	base64url_append(out, bytes, (size_t) size);
	BN_free(n);
}

/* {"kty":…, the public numbers, and more: members with a comma before them. */
static MAYBE_UNUSED void
put_jwk(lc_buf *out, EVP_PKEY *key, const char *more)
{
	uint8_t		raw[32];
	size_t		n = sizeof(raw);

	if (EVP_PKEY_is_a(key, "RSA"))
	{
		lc_buf_puts(out, "{\"kty\":\"RSA\",\"n\":\"");
		put_number(out, key, OSSL_PKEY_PARAM_RSA_N, 0);
		lc_buf_puts(out, "\",\"e\":\"");
		put_number(out, key, OSSL_PKEY_PARAM_RSA_E, 0);
	}
	else if (EVP_PKEY_is_a(key, "EC"))
	{
		lc_buf_puts(out, "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"");
		put_number(out, key, OSSL_PKEY_PARAM_EC_PUB_X, 32);
		lc_buf_puts(out, "\",\"y\":\"");
		put_number(out, key, OSSL_PKEY_PARAM_EC_PUB_Y, 32);
	}
	else
	{
		NEVER_FAILS(EVP_PKEY_get_raw_public_key(key, raw, &n) == 1);
		lc_buf_puts(out, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
		base64url_append(out, raw, n);
	}
	lc_buf_puts(out, "\"");
	lc_buf_puts(out, more);
	lc_buf_puts(out, "}");
}

/* DER to r || s. */
static MAYBE_UNUSED size_t
pair_of(uint8_t *signature, size_t n)
{
	const unsigned char *p = signature;
	ECDSA_SIG  *pair = d2i_ECDSA_SIG(NULL, &p, (long) n);

	NEVER_FAILS(pair != NULL);
	NEVER_FAILS(BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, 32) == 32);
	NEVER_FAILS(BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + 32, 32) == 32);
	ECDSA_SIG_free(pair);
	return 64;
}

/* As alg says; salt: of PS256 (-1: as long as the hash). */
static MAYBE_UNUSED size_t
sign_text(jwt_alg alg, EVP_PKEY *key, const char *hash, int salt, const lc_buf *text, uint8_t signature[1024])
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *params;
	size_t		n = 1024;

	NEVER_FAILS(EVP_DigestSignInit_ex(ctx, &params, alg == JWT_EDDSA ? NULL : hash, NULL, NULL, key, NULL) == 1);
	if (alg == JWT_PS256)
		NEVER_FAILS(EVP_PKEY_CTX_set_rsa_padding(params, RSA_PKCS1_PSS_PADDING) == 1 &&
					EVP_PKEY_CTX_set_rsa_pss_saltlen(params, salt) == 1);
	NEVER_FAILS(EVP_DigestSign(ctx, signature, &n, (const unsigned char *) text->data, text->len) == 1);
	EVP_MD_CTX_free(ctx);
	return alg == JWT_ES256 ? pair_of(signature, n) : n;
}

/* header "." payload "." signature, of JSON texts. */
static MAYBE_UNUSED void
put_token(lc_buf *out, jwt_alg alg, EVP_PKEY *key, const char *header, const char *payload)
{
	uint8_t		signature[1024];
	size_t		n;

	lc_buf_reset(out);
	base64url_append(out, header, strlen(header));
	lc_buf_putc(out, '.');
	base64url_append(out, payload, strlen(payload));
	n = sign_text(alg, key, "SHA256", RSA_PSS_SALTLEN_DIGEST, out, signature);
	lc_buf_putc(out, '.');
	base64url_append(out, signature, n);
}

/* Reads one key; NULL, or why it is not taken. */
static MAYBE_UNUSED const char *
read_jwk(const char *text, jwk *out)
{
	lc_jsontree *tree = NULL;
	const char *why;

	NEVER_FAILS(lc_jsontree_parse(text, strlen(text), 8, &lc_alloc_malloc, &tree, NULL) == LC_OK);
	why = jwk_read(lc_jsontree_root(tree), out);
	lc_jsontree_free(tree);
	return why;
}

#endif
