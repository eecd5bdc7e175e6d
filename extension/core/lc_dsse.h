/*
 * lc_dsse.h
 *		DSSE v1 envelopes (secure-systems-lab/dsse, protocol.md and envelope.md)
 *		with Ed25519.
 *
 * Signed is PAE(payloadType, payload) = "DSSEv1" SP LEN(type) SP type SP
 * LEN(payload) SP payload.  keyid is <name>+<key id> of lc_notekey.h; it is a
 * hint and not authenticated, so a signature without keyid is tried with
 * every key, and one with another keyid with none.
 */
#ifndef LC_DSSE_H
#define LC_DSSE_H

#include "lc_notekey.h"

#define LC_DSSE_MAX_SIGNATURES 32
#define LC_DSSE_MAX_PAYLOAD (16 * 1024 * 1024)

typedef struct lc_dsse_signature
{
	lc_str		keyid;			/* s == NULL or empty: none */
	uint8_t		signature[LC_ED25519_SIGNATURE_LEN];
	bool		ed25519;		/* false: another length, of an algorithm that is not ours; kept, never verified */
	lc_str		base64;			/* as it stands */
} lc_dsse_signature;

/* All its bytes come from the allocator and go with lc_dsse_free. */
typedef struct lc_dsse
{
	lc_buf		payload_type;
	lc_buf		payload;		/* decoded; data is not NULL, even if empty */
	size_t		count;
	lc_dsse_signature signatures[LC_DSSE_MAX_SIGNATURES];
	lc_buf		strings;		/* what keyid and base64 point into */
} lc_dsse;

/*
 * Standard or URL-safe base64 with padding; members that are not known are
 * ignored.  LC_ERR_SYNTAX, LC_ERR_TOO_LONG, and those of the parser.
 */
extern lc_status lc_dsse_parse(const char *json, size_t n, const lc_alloc *alloc, lc_dsse *out);
extern void lc_dsse_free(lc_dsse *d);

extern void lc_dsse_pae(lc_buf *out, lc_str payload_type, lc_str payload);

/*
 * LC_OK if one signature of the key holds; LC_ERR_ABSENT if none may be its,
 * which is so for every key but those of type LC_KEY_ED25519; LC_ERR_SIGNATURE
 * else.
 */
extern lc_status lc_dsse_verify(const lc_dsse *d, const lc_verifier *key, const lc_alloc *alloc);

/*
 * Append the envelope as canonical JSON with the signatures of these keys
 * (count may be 0); LC_ERR_MISUSE for a key of another type.
 */
extern lc_status lc_dsse_sign(lc_buf *out, lc_str payload_type, lc_str payload,
							  const lc_signer *keys, size_t count, const lc_alloc *alloc);

/* Append one signature object {"keyid":…,"sig":…} (canonical JSON) made by the key. */
extern lc_status lc_dsse_sign_one(lc_buf *out, lc_str payload_type, lc_str payload,
								  const lc_signer *key, const lc_alloc *alloc);

#endif
