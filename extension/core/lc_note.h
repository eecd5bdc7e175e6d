/*
 * lc_note.h
 *		Signed notes (C2SP signed-note) and checkpoints (C2SP tlog-checkpoint).
 *
 * A parsed note borrows from its text.  Signature lines of keys that are not
 * known are kept and never judged.
 */
#ifndef LC_NOTE_H
#define LC_NOTE_H

#include "lc_notekey.h"
#include "lc_sha256.h"

#define LC_NOTE_MAX_LEN 1000000
#define LC_NOTE_MAX_SIGNATURES 100

typedef struct lc_note_signature
{
	lc_str		line;			/* the whole line with its newline */
	lc_str		name;
	uint8_t		id[LC_KEY_ID_LEN];
	lc_str		base64;			/* of id and signature */
} lc_note_signature;

typedef struct lc_note
{
	lc_str		text;			/* with its final newline */
	size_t		count;
	lc_note_signature signatures[LC_NOTE_MAX_SIGNATURES];
} lc_note;

/*
 * LC_ERR_SYNTAX for what is no note, a note without signature lines included;
 * LC_ERR_UTF8, LC_ERR_TOO_LONG.
 */
extern lc_status lc_note_parse(const char *note, size_t n, lc_note *out);

/*
 * LC_OK if the key signed the text; LC_ERR_ABSENT if no line has its name and
 * id; LC_ERR_SIGNATURE if one has and is wrong, however many others are right.
 * For LC_KEY_COSIGNATURE the text must be a checkpoint, and *time (if not NULL)
 * becomes the witness's time in seconds since 1970, of the newest line; else 0.
 */
extern lc_status lc_note_verify(const lc_note *note, const lc_verifier *key, uint64_t *time,
								const lc_alloc *alloc);

/* Is it a signature line, and nothing more?  For what a witness answers: lines one by one. */
extern lc_status lc_note_parse_line(const char *line, size_t n, lc_note_signature *out);

/*
 * Append the signature line of a text, which ends with a newline and is what a
 * note may hold (LC_ERR_SYNTAX, LC_ERR_UTF8, LC_ERR_TOO_LONG else).  For
 * LC_KEY_COSIGNATURE it must be a checkpoint, and the message is that of
 * tlog-cosignature with the time, at most INT64_MAX (LC_ERR_RANGE); else time
 * is not looked at.
 */
extern lc_status lc_note_sign(lc_buf *out, const char *text, size_t n, const lc_signer *key,
							  uint64_t time, const lc_alloc *alloc);

typedef struct lc_checkpoint
{
	lc_str		origin;
	uint64_t	size;
	uint8_t		root[LC_HASH_LEN];
	lc_str		extensions;		/* further lines with their newlines, or s == NULL */
} lc_checkpoint;

/* The text of a note, or the whole of an unsigned checkpoint.  Borrows from it. */
extern lc_status lc_checkpoint_parse(const char *text, size_t n, lc_checkpoint *out);

/*
 * Append the text.  An origin that is no line makes the buffer fail with
 * LC_ERR_SYNTAX, a size above INT64_MAX with LC_ERR_RANGE: what is written is
 * what will be read.
 */
extern void lc_checkpoint_format(lc_buf *out, lc_str origin, uint64_t size,
								 const uint8_t root[LC_HASH_LEN]);

#endif
