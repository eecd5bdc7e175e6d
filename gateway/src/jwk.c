/*
 * jwk.c
 *		From JSON to OpenSSL's keys.
 */
#include <stdio.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/x509.h>

#include "base64url.h"
#include "jwk.h"
#include "lc_ed25519.h"
#include "lc_sha256.h"

/* A verification with 8,192 bits costs 16 times that with 2,048: more is no key but an attack on our time. */
#define RSA_MIN_BITS 2048
#define RSA_MAX_BITS 8192
#define RSA_MAX_BYTES (RSA_MAX_BITS / 8)

/* Depth of a set: {"keys":[{"x5c":[…]}]}, and room for members that are not ours. */
#define SET_DEPTH 16

static bool
is(lc_str s, const char *text)
{
	return s.s != NULL && s.n == strlen(text) && memcmp(s.s, text, s.n) == 0;
}

jwt_alg
jwt_alg_find(lc_str name)
{
	static const struct
	{
		const char *name;
		jwt_alg		alg;
	}			algs[] = {{"RS256", JWT_RS256}, {"PS256", JWT_PS256}, {"ES256", JWT_ES256}, {"EdDSA", JWT_EDDSA}};

	for (size_t i = 0; i < sizeof(algs) / sizeof(algs[0]); i++)
		if (is(name, algs[i].name))
			return algs[i].alg;
	return JWT_NONE;
}

/* A member as bytes.  False: missing, no string, not base64url, or longer than cap. */
static bool
member_bytes(const lc_json *object, const char *name, uint8_t *out, size_t cap, size_t *n)
{
	lc_str		text = lc_json_string(object, name);

	return text.s != NULL && base64url_decode(text.s, text.n, out, cap, n);
}

/* ---- what a key may be used for ---- */

/*
 * "use" and "key_ops" (RFC 7517 sections 4.2 and 4.3).  A key for encryption
 * must not verify: who can have it decrypt chosen texts may make signatures.
 */
static const char *
check_purpose(const lc_json *object)
{
	const lc_json *use = lc_json_member(object, "use");
	const lc_json *ops = lc_json_member(object, "key_ops");
	bool		verify = false;

	if (use != NULL && (use->type != LC_JSON_STRING || !is(use->text, "sig")))
		return "its use is not \"sig\"";
	if (ops == NULL)
		return NULL;
	if (ops->type != LC_JSON_ARRAY)
		return "its key_ops is no array";
	for (const lc_json *op = ops->child; op != NULL; op = op->next)
		verify = verify || (op->type == LC_JSON_STRING && is(op->text, "verify"));
	return verify ? NULL : "its key_ops has no \"verify\"";
}

/* Which of the algorithms that its type can do the key allows. */
static const char *
narrow_algs(const lc_json *object, unsigned can, jwk *out)
{
	const lc_json *alg = lc_json_member(object, "alg");

	out->algs = can;
	if (alg == NULL)
		return NULL;
	out->algs &= alg->type == LC_JSON_STRING ? (unsigned) jwt_alg_find(alg->text) : JWT_NONE;
	return out->algs != JWT_NONE ? NULL : "its alg is not one of RS256, PS256, ES256 and EdDSA, or not of its kty";
}

static const char *
read_kid(const lc_json *object, jwk *out)
{
	const lc_json *kid = lc_json_member(object, "kid");

	if (kid == NULL)
		return NULL;
	if (kid->type != LC_JSON_STRING || kid->text.n == 0 || kid->text.n > JWK_MAX_KID)
		return "its kid is not a string of 1 to 256 bytes";
	memcpy(out->kid, kid->text.s, kid->text.n);
	out->kid_len = kid->text.n;
	return NULL;
}

/* ---- the three types ---- */

/* Takes params; NULL if OpenSSL does not find them to be a public key. */
static EVP_PKEY *
key_from(const char *type, OSSL_PARAM *params)
{
	EVP_PKEY   *key = NULL;
	EVP_PKEY_CTX *ctx = params == NULL ? NULL : EVP_PKEY_CTX_new_from_name(NULL, type, NULL);

	if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
		EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
		key = NULL;
	EVP_PKEY_CTX_free(ctx);
	OSSL_PARAM_free(params);
	return key;
}

/* Is the point on the curve, and not the one at infinity? */
static bool
check_point(EVP_PKEY *key)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
	bool		good = ctx != NULL && EVP_PKEY_public_check(ctx) == 1;

	EVP_PKEY_CTX_free(ctx);
	return good;
}

static OSSL_PARAM *
rsa_params(const uint8_t *n, size_t n_len, const uint8_t *e, size_t e_len)
{
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	BIGNUM	   *modulus = BN_bin2bn(n, (int) n_len, NULL);
	BIGNUM	   *exponent = BN_bin2bn(e, (int) e_len, NULL);
	OSSL_PARAM *params = NULL;

	if (build != NULL && modulus != NULL && exponent != NULL &&
		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
		OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	BN_free(exponent);
	BN_free(modulus);
	OSSL_PARAM_BLD_free(build);
	return params;
}

static const char *
read_rsa(const lc_json *object, jwk *out)
{
	uint8_t		n[RSA_MAX_BYTES],
				e[8];
	size_t		n_len,
				e_len;
	uint64_t	exponent = 0;

	/* Base64urlUInt has no leading zero byte (RFC 7518 section 2): with one, bits would be counted wrong. */
	if (!member_bytes(object, "n", n, sizeof(n), &n_len) || n_len == 0 || n[0] == 0)
		return "its n is no base64url number of at most 8,192 bits";
	if (!member_bytes(object, "e", e, sizeof(e), &e_len) || e_len == 0 || e[0] == 0)
		return "its e is no base64url number of at most 64 bits";
	if (n_len < RSA_MIN_BITS / 8 || (n_len == RSA_MIN_BITS / 8 && n[0] < 0x80))
		return "its n has less than 2,048 bits";
	if ((n[n_len - 1] & 1) == 0)
		return "its n is even";
	for (size_t i = 0; i < e_len; i++)
		exponent = exponent << 8 | e[i];
	/* e = 1 makes every text its own signature; an even e belongs to no key. */
	if (exponent < 3 || exponent % 2 == 0 || exponent > UINT64_C(0xFFFFFFFF))
		return "its e is not an odd number from 3 to 2^32";
	/* OpenSSL's own check of n throws dice (Miller-Rabin): a set must be good or not, always. */
	out->key = key_from("RSA", rsa_params(n, n_len, e, e_len));
	return out->key != NULL ? NULL : "its n and e make no key";
}

static const char *
read_ec(const lc_json *object, jwk *out)
{
	uint8_t		point[65] = {0x04};	/* uncompressed: x and y follow */
	char		group[] = "P-256";
	size_t		n;
	OSSL_PARAM	params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, group, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)),
		OSSL_PARAM_construct_end()
	};

	if (!is(lc_json_string(object, "crv"), "P-256"))
		return "its crv is not P-256";
	/* The full 32 bytes each, leading zeros too (RFC 7518 section 6.2.1.2). */
	if (!member_bytes(object, "x", point + 1, 32, &n) || n != 32 ||
		!member_bytes(object, "y", point + 33, 32, &n) || n != 32)
		return "its x or y is not 32 bytes of base64url";
	out->key = key_from("EC", OSSL_PARAM_dup(params));
	if (out->key != NULL && check_point(out->key))
		return NULL;
	EVP_PKEY_free(out->key);
	out->key = NULL;
	return "its x and y are no point of P-256";
}

static const char *
read_okp(const lc_json *object, jwk *out)
{
	uint8_t		x[32];
	size_t		n;

	if (!is(lc_json_string(object, "crv"), "Ed25519"))
		return "its crv is not Ed25519";
	if (!member_bytes(object, "x", x, sizeof(x), &n) || n != sizeof(x))
		return "its x is not 32 bytes of base64url";
	/* A point of small order takes one signature for many texts, without anybody's private key. */
	if (lc_ed25519_check_public(x) != LC_OK)
		return "its x is no key of Ed25519, or a weak one";
	out->key = EVP_PKEY_new_raw_public_key_ex(NULL, "ED25519", NULL, x, sizeof(x));
	return out->key != NULL ? NULL : "its x makes no key";
}

const char *
jwk_read(const lc_json *object, jwk *out)
{
	lc_str		kty = lc_json_string(object, "kty");
	unsigned	can;
	const char *(*read) (const lc_json *object, jwk *out);
	const char *why;

	memset(out, 0, sizeof(*out));
	if (is(kty, "RSA"))
		can = JWT_RS256 | JWT_PS256, read = read_rsa;
	else if (is(kty, "EC"))
		can = JWT_ES256, read = read_ec;
	else if (is(kty, "OKP"))
		can = JWT_EDDSA, read = read_okp;
	else
		return "its kty is not RSA, EC or OKP";
	/* Whoever publishes a private key has lost it: what it signs proves nothing. */
	if (lc_json_member(object, "d") != NULL)
		return "it is a private key";
	why = read_kid(object, out);
	if (why == NULL)
		why = check_purpose(object);
	if (why == NULL)
		why = narrow_algs(object, can, out);
	if (why == NULL)
	{
		/* What OpenSSL has to say of a bad key must not be taken for another failure's reason. */
		ERR_set_mark();
		why = read(object, out);
		ERR_pop_to_mark();
	}
	return why;
}

void
jwk_free(jwk *k)
{
	EVP_PKEY_free(k->key);
	memset(k, 0, sizeof(*k));
}

/* ---- sets ---- */

static bool
same_kid(const jwk *a, const jwk *b)
{
	return a->kid_len == b->kid_len && a->kid_len > 0 && memcmp(a->kid, b->kid, a->kid_len) == 0;
}

static bool
add(jwk_set *set, jwk *k, fault *f)
{
	for (size_t i = 0; i < set->count; i++)
		if (same_kid(&set->keys[i], k))
			return fault_set(f, "two keys have the kid \"%.64s\"", k->kid);
	if (set->count == JWK_MAX_KEYS)
		return fault_set(f, "it has more than %d keys", JWK_MAX_KEYS);
	set->keys[set->count++] = *k;
	return true;
}

static bool
read_keys(const lc_json *keys, jwk_set *out, jwk_skipped skipped, void *arg, fault *f)
{
	for (const lc_json *object = keys->child; object != NULL; object = object->next)
	{
		jwk			k;
		const char *why = object->type == LC_JSON_OBJECT ? jwk_read(object, &k) : "it is no object";

		if (why != NULL)
		{
			if (skipped != NULL)
				skipped(lc_json_string(object, "kid"), why, arg);
		}
		else if (!add(out, &k, f))
		{
			jwk_free(&k);
			return false;
		}
	}
	return true;
}

/* kid, algorithms and SubjectPublicKeyInfo of each, in their order. */
static bool
digest_keys(jwk_set *set, fault *f)
{
	lc_buf		all;
	bool		good = true;

	lc_buf_init(&all, &lc_alloc_malloc);
	for (size_t i = 0; good && i < set->count; i++)
	{
		const jwk  *k = &set->keys[i];
		unsigned char *der = NULL;
		int			n = i2d_PUBKEY(k->key, &der);

		good = n > 0;
		lc_buf_put_int64(&all, (int64_t) k->kid_len);
		lc_buf_putc(&all, ':');
		lc_buf_append(&all, k->kid, k->kid_len);
		lc_buf_putc(&all, (char) k->algs);
		if (good)
			lc_buf_append(&all, der, (size_t) n);
		OPENSSL_free(der);
	}
	good = good && all.status == LC_OK && lc_sha256(all.data != NULL ? all.data : "", all.len, set->digest) == LC_OK;
	lc_buf_free(&all);
	return good || fault_set(f, "out of memory");
}

bool
jwk_set_parse(const char *text, size_t n, jwk_set *out, jwk_skipped skipped, void *arg, fault *f)
{
	lc_jsontree *tree = NULL;
	lc_json_error err;
	const lc_json *keys;
	bool		good;

	memset(out, 0, sizeof(*out));
	if (lc_jsontree_parse(text, n, SET_DEPTH, &lc_alloc_malloc, &tree, &err) != LC_OK)
		return fault_set(f, "not JSON: %s at byte %zu", lc_status_text(err.status), err.offset);
	keys = lc_json_member(lc_jsontree_root(tree), "keys");
	if (keys == NULL || keys->type != LC_JSON_ARRAY)
		good = fault_set(f, "no array \"keys\" in it");
	else
		good = read_keys(keys, out, skipped, arg, f) && digest_keys(out, f);
	lc_jsontree_free(tree);
	if (!good)
		jwk_set_clear(out);
	return good;
}

void
jwk_set_clear(jwk_set *set)
{
	for (size_t i = 0; i < set->count; i++)
		jwk_free(&set->keys[i]);
	set->count = 0;
}
