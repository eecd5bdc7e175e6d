/*
 * keyring.h
 *		The deployment's keys for attachments: one that is used, and earlier ones
 *		that may still open what they sealed.
 *
 * A key of 32 bytes is never used itself.  HKDF-SHA-256 (RFC 5869) makes one key
 * of it that wraps data keys and one that signs links, so that neither use can
 * help an attack on the other.
 */
#ifndef GATEWAY_KEYRING_H
#define GATEWAY_KEYRING_H

#include "aead.h"
#include "fault.h"

#define KEYRING_MAX 9			/* the one that is used, and eight earlier ones */
#define KEYRING_ID 16			/* hex digits of a key's id */

typedef struct keyring_key
{
	char		id[KEYRING_ID + 1];
	uint8_t		wrap[AEAD_KEY];
	uint8_t		sign[32];
} keyring_key;

typedef struct keyring
{
	size_t		count;			/* 0: no key is set */
	keyring_key keys[KEYRING_MAX];	/* keys[0] is the one that is used */
} keyring;

/*
 * current: base64 of 32 bytes, or "" for none.  previous: the same, several
 * separated by ";".  False: f says what is wrong, without the value.
 */
extern bool keyring_read(const char *current, const char *previous, keyring *out, fault *f);
extern const keyring_key *keyring_find(const keyring *ring, const char *id);	/* NULL: unknown */
extern void keyring_wipe(keyring *ring);

#endif
