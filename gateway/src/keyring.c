/*
 * keyring.c
 *		Reads the keys and derives what is used of them.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <string.h>

#include "keyring.h"
#include "lc_base64.h"
#include "lc_hex.h"
#include "lc_sha256.h"

static const char wrap_label[] = "findings-ledger attachment key wrap v1";
static const char sign_label[] = "findings-ledger attachment link v1";
static const char id_label[] = "findings-ledger attachment key id v1";

/* No salt: the keys are uniformly random already (RFC 5869 section 3.1). */
static bool
derive(const uint8_t key[32], const char *label, uint8_t out[32])
{
	char		digest[] = "SHA256";
	EVP_KDF    *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	EVP_KDF_CTX *c = kdf == NULL ? NULL : EVP_KDF_CTX_new(kdf);
	OSSL_PARAM	params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *) key, 32),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *) label, strlen(label)),
		OSSL_PARAM_construct_end()
	};
	bool		good = c != NULL && EVP_KDF_derive(c, out, 32, params) == 1;

	EVP_KDF_CTX_free(c);
	EVP_KDF_free(kdf);
	return good;
}

/* Of 256 random bits 64 bits of a hash tell nothing. */
static bool
name_key(const uint8_t key[32], char id[KEYRING_ID + 1])
{
	lc_bytes	parts[] = {{id_label, strlen(id_label)}, {key, 32}};
	uint8_t		hash[LC_HASH_LEN];

	if (lc_sha256_parts(parts, 2, hash) != LC_OK)
		return false;
	lc_hex_encode(hash, KEYRING_ID / 2, id);
	id[KEYRING_ID] = '\0';
	return true;
}

static bool
add_key(keyring *ring, const char *text, size_t n, const char *which, fault *f)
{
	uint8_t		key[32];
	size_t		got = 0;
	keyring_key *to = &ring->keys[ring->count];
	bool		good;

	if (ring->count == KEYRING_MAX)
		return fault_set(f, "there are more than %d previous keys of attachments", KEYRING_MAX - 1);
	if (lc_base64_decode(text, n, key, sizeof(key), &got) != LC_OK || got != sizeof(key))
	{
		OPENSSL_cleanse(key, sizeof(key));
		return fault_set(f, "%s key of attachments must be 32 bytes in base64", which);
	}
	good = derive(key, wrap_label, to->wrap) && derive(key, sign_label, to->sign) && name_key(key, to->id);
	OPENSSL_cleanse(key, sizeof(key));
	if (!good)
		return fault_set(f, "%s key of attachments cannot be derived from", which);
	ring->count++;
	return true;
}

bool
keyring_read(const char *current, const char *previous, keyring *out, fault *f)
{
	bool		good = true;

	out->count = 0;
	if (current == NULL || current[0] == '\0')
		return true;
	good = add_key(out, current, strlen(current), "the", f);
	while (good && previous != NULL && previous[0] != '\0')
	{
		size_t		n = strcspn(previous, ";");

		/* A ";" at the end is no further key. */
		good = n == 0 || add_key(out, previous, n, "a previous", f);
		previous += n + (previous[n] == ';');
	}
	if (!good)
		keyring_wipe(out);
	return good;
}

const keyring_key *
keyring_find(const keyring *ring, const char *id)
{
	size_t		i;

	for (i = 0; i < ring->count; i++)
		if (strcmp(ring->keys[i].id, id) == 0)
			return &ring->keys[i];
	return NULL;
}

void
keyring_wipe(keyring *ring)
{
	OPENSSL_cleanse(ring, sizeof(*ring));
}
