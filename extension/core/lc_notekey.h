/*
 * lc_notekey.h
 *		Keys of signed notes as text: C2SP signed-note "Verifier keys", and the
 *		private form that Go's sumdb/note writes.
 *
 *		verifier	<name>+<8 hex digits: key id>+base64(type || public key)
 *		signer		PRIVATE+KEY+<name>+<key id>+base64(type || seed)
 *
 * Key id = SHA-256(name || 0x0A || type || public key)[:4].
 */
#ifndef LC_NOTEKEY_H
#define LC_NOTEKEY_H

#include "lc_ed25519.h"

#define LC_KEY_NAME_MAX 512
#define LC_KEY_ID_LEN 4

/* Signature types of C2SP signed-note. */
#define LC_KEY_ED25519 0x01
#define LC_KEY_COSIGNATURE 0x04	/* timestamped, C2SP tlog-cosignature */

typedef struct lc_verifier
{
	char		name[LC_KEY_NAME_MAX + 1];	/* NUL-terminated */
	uint8_t		type;			/* LC_KEY_… */
	uint8_t		id[LC_KEY_ID_LEN];
	uint8_t		public_key[LC_ED25519_KEY_LEN];
} lc_verifier;

typedef struct lc_signer
{
	lc_verifier verifier;
	uint8_t		seed[LC_ED25519_KEY_LEN];
} lc_signer;

/*
 * A name is UTF-8 without white space (Unicode's, as Go's unicode.IsSpace),
 * ASCII control characters and '+', of at least one byte.  The specification
 * sets no limit, so what a signature line may name has none; a key of ours has
 * at most LC_KEY_NAME_MAX bytes.
 */
extern bool lc_note_name_valid(const char *name, size_t n);
extern bool lc_key_name_valid(const char *name, size_t n);

/* LC_ERR_SYNTAX for what is no such name or type, LC_ERR_RANGE for a weak key (lc_ed25519_check_public). */
extern lc_status lc_verifier_make(const char *name, uint8_t type,
								  const uint8_t public_key[LC_ED25519_KEY_LEN], lc_verifier *out);

/* Exactly the text, no white space around it.  The id must be the key's. */
extern lc_status lc_verifier_parse(const char *text, size_t n, lc_verifier *out);
extern void lc_verifier_format(lc_buf *out, const lc_verifier *v);

/* <name>+<key id>: how a DSSE keyid and the table of keys name it. */
extern void lc_verifier_key_id(lc_buf *out, const lc_verifier *v);

extern lc_status lc_signer_make(const char *name, uint8_t type,
								const uint8_t seed[LC_ED25519_KEY_LEN], lc_signer *out);
extern lc_status lc_signer_parse(const char *text, size_t n, lc_signer *out);

/* In one piece, so that no copy stays where the buffer grew; the caller wipes out. */
extern void lc_signer_format(lc_buf *out, const lc_signer *s);
extern void lc_signer_wipe(lc_signer *s);

#endif
