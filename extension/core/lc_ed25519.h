/*
 * lc_ed25519.h
 *		Ed25519 (RFC 8032) through OpenSSL's EVP.
 *
 * Keys are the raw 32 bytes of RFC 8032: a seed is the private key, and its
 * caller wipes it (OPENSSL_cleanse).
 */
#ifndef LC_ED25519_H
#define LC_ED25519_H

#include "lc_buf.h"

#define LC_ED25519_KEY_LEN 32
#define LC_ED25519_SIGNATURE_LEN 64

/* A new seed from OpenSSL's private random generator. */
extern lc_status lc_ed25519_generate(uint8_t seed[LC_ED25519_KEY_LEN]);

extern lc_status lc_ed25519_public(const uint8_t seed[LC_ED25519_KEY_LEN],
								   uint8_t public_key[LC_ED25519_KEY_LEN]);

/*
 * LC_ERR_RANGE for what no honest signer has: a point of small order or an
 * encoding that is not canonical.  With such a key one signature can hold for
 * many messages, so it is refused where keys come in, not at each verification.
 * Whether the point is on the curve is not asked: if not, no signature holds.
 */
extern lc_status lc_ed25519_check_public(const uint8_t public_key[LC_ED25519_KEY_LEN]);

extern lc_status lc_ed25519_sign(const uint8_t seed[LC_ED25519_KEY_LEN], const void *message,
								 size_t n, uint8_t signature[LC_ED25519_SIGNATURE_LEN]);

/* LC_OK, or LC_ERR_SIGNATURE; LC_ERR_CRYPTO only if OpenSSL cannot work. */
extern lc_status lc_ed25519_verify(const uint8_t public_key[LC_ED25519_KEY_LEN],
								   const void *message, size_t n,
								   const uint8_t *signature, size_t signature_len);

#endif
