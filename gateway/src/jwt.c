/*
 * jwt.c
 *		header "." payload "." signature
 */
#include <string.h>
#include <strings.h>

#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#include "jwt.h"

#define HEADER_DEPTH 8			/* {"jwk":{…}} and the like, which is not read */

/* r and s of ES256 (RFC 7518 section 3.4), and the signature of Ed25519. */
#define PAIR_LEN 64

/* ---- the three parts ---- */

/* Media types are compared without regard to case (RFC 7515 section 4.1.9). */
static bool
is_type(lc_str type)
{
	static const char *const types[] = {"JWT", "at+jwt", "application/at+jwt"};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (type.n == strlen(types[i]) && strncasecmp(type.s, types[i], type.n) == 0)
			return true;
	return false;
}

static const char *
read_header(const lc_json *header, jwt *out)
{
	const lc_json *kid = lc_json_member(header, "kid");
	const lc_json *typ = lc_json_member(header, "typ");
	lc_str		alg = lc_json_string(header, "alg");

	if (header->type != LC_JSON_OBJECT)
		return "the header is no object";
	out->alg = alg.s != NULL ? jwt_alg_find(alg) : JWT_NONE;
	if (out->alg == JWT_NONE)
		return "the alg is not RS256, PS256, ES256 or EdDSA";
	/* "crit" lists what must be understood, "b64" changes what is signed (RFC 7797). */
	if (lc_json_member(header, "crit") != NULL || lc_json_member(header, "b64") != NULL)
		return "the header has crit or b64";
	/* Other kinds of signed objects are not for access: ID tokens, logout tokens, DPoP proofs … */
	if (typ != NULL && (typ->type != LC_JSON_STRING || !is_type(typ->text)))
		return "the typ is not JWT or at+jwt";
	if (kid == NULL)
		return NULL;
	if (kid->type != LC_JSON_STRING || kid->text.n == 0 || kid->text.n > JWK_MAX_KID)
		return "the kid is not a string of 1 to 256 bytes";
	memcpy(out->kid, kid->text.s, kid->text.n);
	out->kid_len = kid->text.n;
	return NULL;
}

static const char *
parse_header(const char *text, size_t n, jwt *out)
{
	char		json[BASE64URL_BYTES(JWT_MAX)];
	size_t		len;
	lc_jsontree *tree = NULL;
	const char *why;

	if (!base64url_decode(text, n, (uint8_t *) json, sizeof(json), &len))
		return "the header is not base64url";
	if (lc_jsontree_parse(json, len, HEADER_DEPTH, &lc_alloc_malloc, &tree, NULL) != LC_OK)
		return "the header is not JSON";
	why = read_header(lc_jsontree_root(tree), out);
	lc_jsontree_free(tree);
	return why;
}

const char *
jwt_parse(const char *token, size_t n, jwt *out)
{
	const char *first,
			   *second,
			   *end = token + n;
	const char *why;

	out->alg = JWT_NONE;
	out->kid_len = out->signature_len = out->payload_len = 0;
	if (n > JWT_MAX)
		return "it is too long";
	first = memchr(token, '.', n);
	second = first == NULL ? NULL : memchr(first + 1, '.', (size_t) (end - first - 1));
	/* A further "." is found by the signature's decoding: five segments would be encryption. */
	if (second == NULL)
		return "it has not three segments";
	out->text = token;
	out->text_len = (size_t) (second - token);
	why = parse_header(token, (size_t) (first - token), out);
	if (why != NULL)
		return why;
	if (!base64url_decode(first + 1, (size_t) (second - first - 1), (uint8_t *) out->payload,
						  sizeof(out->payload), &out->payload_len))
		return "the payload is not base64url";
	if (!base64url_decode(second + 1, (size_t) (end - second - 1), out->signature,
						  sizeof(out->signature), &out->signature_len))
		return "the signature is not base64url, or too long";
	return NULL;
}

/* ---- the signature ---- */

bool
jwt_fits(const jwt *t, const jwk *k)
{
	if ((k->algs & (unsigned) t->alg) == 0)
		return false;
	return t->kid_len == 0 || (t->kid_len == k->kid_len && memcmp(t->kid, k->kid, t->kid_len) == 0);
}

static bool
set_padding(EVP_PKEY_CTX *ctx, jwt_alg alg)
{
	if (alg == JWT_RS256)
		return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) == 1;
	/* RFC 7518 section 3.5: the salt is as long as the hash, MGF1 uses the same hash. */
	return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1 &&
		EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, "SHA256", NULL) == 1;
}

static bool
check(const jwt *t, EVP_PKEY *key, const uint8_t *signature, size_t n)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	EVP_PKEY_CTX *params = NULL;
	const char *hash = t->alg == JWT_EDDSA ? NULL : "SHA256";
	bool		rsa = t->alg == JWT_RS256 || t->alg == JWT_PS256;
	bool		good;

	good = ctx != NULL &&
		EVP_DigestVerifyInit_ex(ctx, &params, hash, NULL, NULL, key, NULL) == 1 &&
		(!rsa || set_padding(params, t->alg)) &&
		EVP_DigestVerify(ctx, signature, n, (const unsigned char *) t->text, t->text_len) == 1;
	EVP_MD_CTX_free(ctx);
	return good;
}

/* OpenSSL wants ES256's pair as DER.  An over-long one has broken such conversions elsewhere: length first. */
static bool
check_pair(const jwt *t, EVP_PKEY *key)
{
	ECDSA_SIG  *pair = ECDSA_SIG_new();
	BIGNUM	   *r = BN_bin2bn(t->signature, PAIR_LEN / 2, NULL);
	BIGNUM	   *s = BN_bin2bn(t->signature + PAIR_LEN / 2, PAIR_LEN / 2, NULL);
	unsigned char *der = NULL;
	int			n = -1;
	bool		good;

	if (pair != NULL && r != NULL && s != NULL && ECDSA_SIG_set0(pair, r, s) == 1)
	{
		r = s = NULL;			/* they are the pair's now */
		n = i2d_ECDSA_SIG(pair, &der);
	}
	good = n > 0 && check(t, key, der, (size_t) n);
	OPENSSL_free(der);
	BN_free(r);
	BN_free(s);
	ECDSA_SIG_free(pair);
	return good;
}

static bool
check_alg(const jwt *t, EVP_PKEY *key)
{
	switch (t->alg)
	{
		case JWT_RS256:
		case JWT_PS256:
			return t->signature_len == (size_t) EVP_PKEY_get_size(key) && check(t, key, t->signature, t->signature_len);
		case JWT_ES256:
			return t->signature_len == PAIR_LEN && check_pair(t, key);
		case JWT_EDDSA:
			return t->signature_len == PAIR_LEN && check(t, key, t->signature, t->signature_len);
		case JWT_NONE:
			break;
	}
	return false;
}

bool
jwt_verify(const jwt *t, const jwk *k)
{
	bool		good;

	if (k->key == NULL || !jwt_fits(t, k))
		return false;
	/* A signature that does not hold must leave nothing in OpenSSL's queue of errors. */
	ERR_set_mark();
	good = check_alg(t, k->key);
	ERR_pop_to_mark();
	return good;
}
