/*
 * aead.h
 *		AES-256-GCM (NIST SP 800-38D) with a 96-bit nonce and a 128-bit tag: the
 *		only sizes that the gateway makes, and so the only ones it takes.
 */
#ifndef GATEWAY_AEAD_H
#define GATEWAY_AEAD_H

#include "lc_buf.h"

#define AEAD_KEY 32
#define AEAD_NONCE 12
#define AEAD_TAG 16

/*
 * out has n bytes, and may be where plain is.  A nonce must never be used twice
 * with a key.  False: the library failed, and out is wiped.
 */
extern bool aead_seal(const uint8_t key[AEAD_KEY], const uint8_t nonce[AEAD_NONCE], lc_str aad,
					  const void *plain, size_t n, void *out, uint8_t tag[AEAD_TAG]);

/* False: not what was sealed with this key, nonce and aad; out is wiped then, so nothing unproven is seen. */
extern bool aead_open(const uint8_t key[AEAD_KEY], const uint8_t nonce[AEAD_NONCE], lc_str aad,
					  const void *sealed, size_t n, const uint8_t tag[AEAD_TAG], void *out);

#endif
