/*
 * checksum.c
 *		SHA-256 over hashes that come one by one.
 */
#include <openssl/evp.h>

#include "checksum.h"

static void
give_up(checksum *c)
{
	EVP_MD_CTX_free(c->ctx);
	c->ctx = NULL;
}

void
checksum_begin(checksum *c)
{
	c->count = 0;
	c->ctx = EVP_MD_CTX_new();
	if (c->ctx != NULL && EVP_DigestInit_ex(c->ctx, EVP_sha256(), NULL) != 1)
		give_up(c);
}

void
checksum_add(checksum *c, const uint8_t hash[LC_HASH_LEN])
{
	c->count++;
	if (c->ctx != NULL && EVP_DigestUpdate(c->ctx, hash, LC_HASH_LEN) != 1)
		give_up(c);
}

bool
checksum_end(checksum *c, uint8_t out[LC_HASH_LEN])
{
	bool		good = c->ctx != NULL && EVP_DigestFinal_ex(c->ctx, out, NULL) == 1;

	give_up(c);
	return good;
}
