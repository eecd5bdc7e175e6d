/*
 * aead.c
 *		AES-256-GCM by OpenSSL's EVP.
 */
#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "aead.h"

/* EVP counts in int. */
static bool
fits(size_t n, size_t aad)
{
	return n <= INT_MAX && aad <= INT_MAX;
}

bool
aead_seal(const uint8_t key[AEAD_KEY], const uint8_t nonce[AEAD_NONCE], lc_str aad,
		  const void *plain, size_t n, void *out, uint8_t tag[AEAD_TAG])
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int			took = 0;
	uint8_t		none = 0;
	bool		good;

	good = c != NULL && fits(n, aad.n) &&
		EVP_EncryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
		EVP_EncryptUpdate(c, NULL, &took, aad.n > 0 ? (const uint8_t *) aad.s : &none, (int) aad.n) == 1 &&
		(n == 0 || EVP_EncryptUpdate(c, out, &took, plain, (int) n) == 1) &&
		EVP_EncryptFinal_ex(c, &none, &took) == 1 &&
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_GET_TAG, AEAD_TAG, tag) == 1;
	EVP_CIPHER_CTX_free(c);		/* which wipes the key schedule */
	if (!good && n > 0)
		OPENSSL_cleanse(out, n);
	return good;
}

bool
aead_open(const uint8_t key[AEAD_KEY], const uint8_t nonce[AEAD_NONCE], lc_str aad,
		  const void *sealed, size_t n, const uint8_t tag[AEAD_TAG], void *out)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();
	int			took = 0;
	uint8_t		none = 0,
				expected[AEAD_TAG];
	bool		good;

	memcpy(expected, tag, AEAD_TAG);	/* EVP wants it writable */
	good = c != NULL && fits(n, aad.n) &&
		EVP_DecryptInit_ex(c, EVP_aes_256_gcm(), NULL, key, nonce) == 1 &&
		EVP_DecryptUpdate(c, NULL, &took, aad.n > 0 ? (const uint8_t *) aad.s : &none, (int) aad.n) == 1 &&
		(n == 0 || EVP_DecryptUpdate(c, out, &took, sealed, (int) n) == 1) &&
		EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_GCM_SET_TAG, AEAD_TAG, expected) == 1 &&
		EVP_DecryptFinal_ex(c, &none, &took) == 1;	/* compares the tags, in constant time */
	EVP_CIPHER_CTX_free(c);
	if (!good && n > 0)
		OPENSSL_cleanse(out, n);
	return good;
}
