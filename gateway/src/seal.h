/*
 * seal.h
 *		Envelope encryption of one attachment (docs/formats.md, "Attachments").
 *
 * The payload is encrypted under a random data key of its own, the data key under
 * the deployment's.  Both encryptions are bound to what the attachment is (tenant,
 * finding, id, digest, media type, file name), so that none can be shown as
 * another.  When the deployment's key changes only the data key is wrapped anew.
 */
#ifndef GATEWAY_SEAL_H
#define GATEWAY_SEAL_H

#include "keyring.h"

#define SEAL_WRAPPED (AEAD_NONCE + AEAD_KEY + AEAD_TAG)	/* nonce || encrypted data key || tag */
#define SEAL_ALGORITHM "AES-256-GCM"

typedef struct seal_subject
{
	lc_str		tenant, finding, attachment, digest, media_type, file_name;
} seal_subject;

typedef struct seal
{
	char		key_id[KEYRING_ID + 1];
	uint8_t		wrapped_key[SEAL_WRAPPED];
	uint8_t		nonce[AEAD_NONCE];
	uint8_t		tag[AEAD_TAG];
} seal;

typedef enum seal_result
{
	SEAL_OK,
	SEAL_NO_KEY,				/* the key that wrapped it is not in the ring */
	SEAL_BROKEN,				/* something of it was changed */
	SEAL_FAILED					/* of memory or of the library */
} seal_result;

/* out: n bytes, may be where plain is. */
extern seal_result seal_make(const keyring *ring, const seal_subject *subject, const void *plain, size_t n,
							 seal *made, void *out);

/* The digest, "sha256:" and 64 hex digits, is compared too. */
extern seal_result seal_open(const keyring *ring, const seal_subject *subject, const seal *with,
							 const void *sealed, size_t n, void *out);

/* Wraps the data key anew with the ring's first key. */
extern seal_result seal_rewrap(const keyring *ring, const seal_subject *subject, seal *io);

/* "sha256:" and 64 hex digits, and a NUL. */
#define SEAL_DIGEST (7 + 64)
extern bool seal_digest(const void *bytes, size_t n, char out[SEAL_DIGEST + 1]);

#endif
