/*
 * seal.c
 *		Seals and opens attachments.
 */
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <string.h>

#include "lc_hex.h"
#include "lc_jcs.h"
#include "lc_sha256.h"
#include "seal.h"

static void
put_member(lc_jcs *w, const char *name, lc_str value)
{
	lc_jcs_key(w, name, strlen(name));
	lc_jcs_string(w, value.s, value.n);
}

/*
 * What an encryption is bound to, as canonical JSON: members cannot run into
 * each other, and the purpose keeps a wrapped key from being taken for a payload.
 */
static bool
bind(lc_buf *out, const seal_subject *subject, const char *purpose)
{
	lc_jcs	   *w;
	bool		good;

	lc_buf_init(out, &lc_alloc_malloc);
	w = lc_jcs_new(out, &lc_alloc_malloc);
	if (w == NULL)
		return false;
	lc_jcs_begin_object(w);
	put_member(w, "attachmentId", subject->attachment);
	put_member(w, "digest", subject->digest);
	put_member(w, "fileName", subject->file_name);
	put_member(w, "findingId", subject->finding);
	put_member(w, "mediaType", subject->media_type);
	put_member(w, "purpose", (lc_str) {purpose, strlen(purpose)});
	put_member(w, "tenant", subject->tenant);
	lc_jcs_end_object(w);
	good = lc_jcs_finish(w) == LC_OK && out->status == LC_OK;
	lc_jcs_free(w);
	return good;
}

bool
seal_digest(const void *bytes, size_t n, char out[SEAL_DIGEST + 1])
{
	uint8_t		hash[LC_HASH_LEN];

	if (lc_sha256(bytes, n, hash) != LC_OK)
		return false;
	memcpy(out, "sha256:", 7);
	lc_hex_encode(hash, sizeof(hash), out + 7);
	out[SEAL_DIGEST] = '\0';
	return true;
}

static bool
wrap(const keyring *ring, const seal_subject *subject, const uint8_t data_key[AEAD_KEY], seal *to)
{
	uint8_t    *nonce = to->wrapped_key,
			   *text = nonce + AEAD_NONCE,
			   *tag = text + AEAD_KEY;
	lc_buf		aad;
	bool		good;

	good = bind(&aad, subject, "key") && RAND_bytes(nonce, AEAD_NONCE) == 1 &&
		aead_seal(ring->keys[0].wrap, nonce, (lc_str) {aad.data, aad.len}, data_key, AEAD_KEY, text, tag);
	lc_buf_free(&aad);
	memcpy(to->key_id, ring->keys[0].id, sizeof(to->key_id));
	return good;
}

static seal_result
unwrap(const keyring *ring, const seal_subject *subject, const seal *from, uint8_t data_key[AEAD_KEY])
{
	const keyring_key *key = keyring_find(ring, from->key_id);
	const uint8_t *text = from->wrapped_key + AEAD_NONCE;
	lc_buf		aad;
	seal_result result = SEAL_FAILED;

	if (key == NULL)
		return SEAL_NO_KEY;
	if (bind(&aad, subject, "key"))
		result = aead_open(key->wrap, from->wrapped_key, (lc_str) {aad.data, aad.len}, text, AEAD_KEY,
						   text + AEAD_KEY, data_key) ? SEAL_OK : SEAL_BROKEN;
	lc_buf_free(&aad);
	return result;
}

seal_result
seal_make(const keyring *ring, const seal_subject *subject, const void *plain, size_t n, seal *made, void *out)
{
	uint8_t		data_key[AEAD_KEY];
	lc_buf		aad;
	bool		good;

	if (ring->count == 0)
		return SEAL_NO_KEY;
	good = bind(&aad, subject, "payload") && RAND_priv_bytes(data_key, sizeof(data_key)) == 1 &&
		RAND_bytes(made->nonce, sizeof(made->nonce)) == 1 && wrap(ring, subject, data_key, made) &&
		aead_seal(data_key, made->nonce, (lc_str) {aad.data, aad.len}, plain, n, out, made->tag);
	OPENSSL_cleanse(data_key, sizeof(data_key));
	lc_buf_free(&aad);
	return good ? SEAL_OK : SEAL_FAILED;
}

seal_result
seal_open(const keyring *ring, const seal_subject *subject, const seal *with, const void *sealed, size_t n, void *out)
{
	uint8_t		data_key[AEAD_KEY];
	char		digest[SEAL_DIGEST + 1];
	seal_result result = unwrap(ring, subject, with, data_key);
	lc_buf		aad;

	if (result != SEAL_OK)
		return result;
	if (!bind(&aad, subject, "payload"))
		result = SEAL_FAILED;
	else if (!aead_open(data_key, with->nonce, (lc_str) {aad.data, aad.len}, sealed, n, with->tag, out))
		result = SEAL_BROKEN;
	else if (!seal_digest(out, n, digest))
		result = SEAL_FAILED;
	/* What was sealed is authentic now; that it is what the ledger's event tells, only the digest says. */
	else if (subject->digest.n != SEAL_DIGEST || CRYPTO_memcmp(subject->digest.s, digest, SEAL_DIGEST) != 0)
		result = SEAL_BROKEN;
	OPENSSL_cleanse(data_key, sizeof(data_key));
	lc_buf_free(&aad);
	if (result != SEAL_OK && n > 0)
		OPENSSL_cleanse(out, n);
	return result;
}

seal_result
seal_rewrap(const keyring *ring, const seal_subject *subject, seal *io)
{
	uint8_t		data_key[AEAD_KEY];
	seal		made = *io;
	seal_result result;

	if (ring->count == 0)
		return SEAL_NO_KEY;
	result = unwrap(ring, subject, io, data_key);
	if (result != SEAL_OK)
		return result;
	result = wrap(ring, subject, data_key, &made) ? SEAL_OK : SEAL_FAILED;
	OPENSSL_cleanse(data_key, sizeof(data_key));
	if (result == SEAL_OK)
		*io = made;
	return result;
}
