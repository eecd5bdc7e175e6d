/*
 * checksum.h
 *		SHA-256 over hashes that come one by one, and the checksums of a ledger
 *		that are made of them (docs/formats.md section 13).
 *
 *		chain digest			over the event hashes of a chain, in its order
 *		eventStreamChecksum		over the chain digests, by (tenant, chain id)
 *		rootsChecksum			over the roots of the chains' trees, likewise
 *		projectionChecksum		over the cycle hashes, by (tenant, finding id, policy version)
 *
 * Texts are compared as bytes, so no locale has a say.
 */
#ifndef LEDGERCTL_CHECKSUM_H
#define LEDGERCTL_CHECKSUM_H

#include "lc_sha256.h"

typedef struct checksum
{
	void	   *ctx;			/* OpenSSL's; NULL: it cannot hash, and checksum_end says so */
	uint64_t	count;			/* hashes so far */
} checksum;

extern void checksum_begin(checksum *c);
extern void checksum_add(checksum *c, const uint8_t hash[LC_HASH_LEN]);

/* False: OpenSSL cannot hash.  Frees what begin made, and may be called for that alone. */
extern bool checksum_end(checksum *c, uint8_t out[LC_HASH_LEN]);

#endif
