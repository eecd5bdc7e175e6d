/*
 * lc_ed25519.c
 *		Ed25519 over OpenSSL's EVP interface.
 *
 * Nothing here allocates through lc_alloc, which may jump out: so no EVP
 * handle can be left behind.  A signature that does not hold is an answer and
 * no failure; what OpenSSL then put into its error queue is taken back.  A
 * failed call (LC_ERR_CRYPTO) leaves it for the host to report.
 */
#include <string.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "lc_ed25519.h"

lc_status
lc_ed25519_generate(uint8_t seed[LC_ED25519_KEY_LEN])
{
	return RAND_priv_bytes(seed, LC_ED25519_KEY_LEN) == 1 ? LC_OK : LC_ERR_CRYPTO;
}

lc_status
lc_ed25519_public(const uint8_t seed[LC_ED25519_KEY_LEN], uint8_t public_key[LC_ED25519_KEY_LEN])
{
	size_t		n = LC_ED25519_KEY_LEN;
	EVP_PKEY   *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, n);
	bool		done = key != NULL && EVP_PKEY_get_raw_public_key(key, public_key, &n) == 1 &&
		n == LC_ED25519_KEY_LEN;

	/* OpenSSL wipes the private half. */
	EVP_PKEY_free(key);
	return done ? LC_OK : LC_ERR_CRYPTO;
}

/* ---- weak keys ---- */

/*
 * The y coordinates, little-endian, of the eight points whose order divides
 * the cofactor 8 (RFC 8032 section 5.1): of order 1, of order 2, two of order
 * 4, four of order 8, which share two.  The same as table 6 of "Taming the Many
 * EdDSAs" (Chalkias, Garillot, Nikolaenko, 2020) once encodings that are not
 * canonical are refused.  The sign bit does not matter: (x, y) and (-x, y)
 * have one order, and where x is 0 a set bit is no encoding at all.
 */
static const uint8_t small_order[][LC_ED25519_KEY_LEN] = {
	{0x01},
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	{0x00},
	{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
		0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
	{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
		0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
};

/* Is y, without the sign bit, below p = 2^255 - 19? */
static bool
is_canonical(const uint8_t y[LC_ED25519_KEY_LEN])
{
	if (y[31] != 0x7f)
		return true;
	for (size_t i = 30; i > 0; i--)
	{
		if (y[i] != 0xff)
			return true;
	}
	return y[0] < 0xed;
}

lc_status
lc_ed25519_check_public(const uint8_t public_key[LC_ED25519_KEY_LEN])
{
	uint8_t		y[LC_ED25519_KEY_LEN];

	memcpy(y, public_key, sizeof(y));
	y[31] &= 0x7f;
	if (!is_canonical(y))
		return LC_ERR_RANGE;
	for (size_t i = 0; i < sizeof(small_order) / sizeof(small_order[0]); i++)
	{
		if (memcmp(y, small_order[i], sizeof(y)) == 0)
			return LC_ERR_RANGE;
	}
	return LC_OK;
}

/* ---- signatures ---- */

lc_status
lc_ed25519_sign(const uint8_t seed[LC_ED25519_KEY_LEN], const void *message, size_t n,
				uint8_t signature[LC_ED25519_SIGNATURE_LEN])
{
	size_t		len = LC_ED25519_SIGNATURE_LEN;
	EVP_PKEY   *key = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, LC_ED25519_KEY_LEN);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool		done = key != NULL && ctx != NULL &&
		EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
		EVP_DigestSign(ctx, signature, &len, message, n) == 1 &&
		len == LC_ED25519_SIGNATURE_LEN;

	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	return done ? LC_OK : LC_ERR_CRYPTO;
}

lc_status
lc_ed25519_verify(const uint8_t public_key[LC_ED25519_KEY_LEN], const void *message, size_t n,
				  const uint8_t *signature, size_t signature_len)
{
	lc_status	status = LC_ERR_CRYPTO;
	EVP_PKEY   *key;
	EVP_MD_CTX *ctx;

	if (signature_len != LC_ED25519_SIGNATURE_LEN)
		return LC_ERR_SIGNATURE;

	ERR_set_mark();
	key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, public_key, LC_ED25519_KEY_LEN);
	ctx = EVP_MD_CTX_new();
	if (key != NULL && ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1)
		status = EVP_DigestVerify(ctx, signature, signature_len, message, n) == 1
			? LC_OK : LC_ERR_SIGNATURE;
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	if (status == LC_ERR_CRYPTO)
		ERR_clear_last_mark();
	else
		ERR_pop_to_mark();
	return status;
}
