/*
 * lc_note.c
 *		Signed notes (C2SP signed-note), and timestamped cosignatures of
 *		checkpoints (C2SP tlog-cosignature).
 *
 * Where Go's sumdb/note differs, the specification decides:
 *	- base64 has one spelling here; Go ignores stray bits behind the last byte.
 *	- every line of a known key must hold; Go looks at its first line only.
 *	- a cosignature is one of a checkpoint; of another text it is not valid.
 * Both take at most 100 signatures and demand a byte behind the key id.
 */
#include <string.h>

#include "lc_base64.h"
#include "lc_note.h"
#include "lc_text.h"

#define SIGNATURE_PREFIX "\xE2\x80\x94 "	/* em dash, space */
#define TIME_LEN 8
#define COSIGNATURE_LEN (TIME_LEN + LC_ED25519_SIGNATURE_LEN)

/* Key id and signature of the types that are known here. */
#define RAW_MAX (LC_KEY_ID_LEN + COSIGNATURE_LEN)

/* ---- reading ---- */

/* The key id that the base64 begins with; whether it is base64 at all. */
static bool
read_id(lc_str base64, uint8_t id[LC_KEY_ID_LEN])
{
	uint8_t		start[6];
	size_t		n;

	if (lc_base64_check(base64.s, base64.n, &n) != LC_OK || n <= LC_KEY_ID_LEN)
		return false;
	/* More than four bytes are at least two groups of digits. */
	if (lc_base64_decode(base64.s, 8, start, sizeof(start), &n) != LC_OK)
		return false;
	memcpy(id, start, LC_KEY_ID_LEN);
	return true;
}

lc_status
lc_note_parse_line(const char *line, size_t n, lc_note_signature *out)
{
	lc_str		rest = {line, n};
	lc_note_signature s;
	lc_str		text;
	const char *space;

	s.line = rest;
	if (n > LC_NOTE_MAX_LEN)
		return LC_ERR_TOO_LONG;
	if (!lc_text_line(&rest, &text) || rest.n > 0 || !lc_text_skip(&text, SIGNATURE_PREFIX))
		return LC_ERR_SYNTAX;
	space = text.n > 0 ? memchr(text.s, ' ', text.n) : NULL;
	if (space == NULL)
		return LC_ERR_SYNTAX;
	s.name.s = text.s;
	s.name.n = (size_t) (space - text.s);
	s.base64.s = space + 1;
	s.base64.n = text.n - s.name.n - 1;
	if (!lc_note_name_valid(s.name.s, s.name.n) || !read_id(s.base64, s.id))
		return LC_ERR_SYNTAX;
	*out = s;
	return LC_OK;
}

/* Offset of the last empty line, the one before the signatures; n if there is none. */
static size_t
find_separator(const char *note, size_t n)
{
	for (size_t i = n; i >= 2; i--)
	{
		if (note[i - 1] == '\n' && note[i - 2] == '\n')
			return i - 1;
	}
	return n;
}

lc_status
lc_note_parse(const char *note, size_t n, lc_note *out)
{
	lc_str		rest;
	lc_status	status;
	size_t		separator;

	out->count = 0;
	if (n > LC_NOTE_MAX_LEN)
		return LC_ERR_TOO_LONG;
	status = lc_text_printable(note, n);
	if (status != LC_OK)
		return status;
	separator = find_separator(note, n);
	if (separator >= n - 1 || n == 0)
		return LC_ERR_SYNTAX;
	out->text.s = note;
	out->text.n = separator;
	rest.s = note + separator + 1;
	rest.n = n - separator - 1;
	while (status == LC_OK && rest.n > 0)
	{
		lc_str		start = rest;
		lc_str		line;

		if (out->count == LC_NOTE_MAX_SIGNATURES)
			status = LC_ERR_TOO_LONG;
		else if (!lc_text_line(&rest, &line))
			status = LC_ERR_SYNTAX;
		else
			status = lc_note_parse_line(start.s, line.n + 1, &out->signatures[out->count]);
		if (status == LC_OK)
			out->count++;
	}
	if (status != LC_OK)
		out->count = 0;
	return status;
}

/* ---- cosignatures ---- */

/* What a witness signs. */
static void
put_cosigned(lc_buf *out, uint64_t time, lc_str text)
{
	lc_buf_puts(out, "cosignature/v1\ntime ");
	lc_buf_put_int64(out, (int64_t) time);
	lc_buf_putc(out, '\n');
	lc_buf_append(out, text.s, text.n);
}

static bool
is_checkpoint(lc_str text)
{
	lc_checkpoint checkpoint;

	return lc_checkpoint_parse(text.s, text.n, &checkpoint) == LC_OK;
}

static lc_status
verify_cosignature(lc_str text, const lc_verifier *key, const uint8_t *cosignature, uint64_t *time,
				   const lc_alloc *alloc)
{
	uint64_t	at = 0;
	lc_buf		message;
	lc_status	status;

	for (size_t i = 0; i < TIME_LEN; i++)
		at = at << 8 | cosignature[i];
	if (at > (uint64_t) INT64_MAX)
		return LC_ERR_SIGNATURE;
	lc_buf_init(&message, alloc);
	put_cosigned(&message, at, text);
	status = message.status;
	if (status == LC_OK)
		status = lc_ed25519_verify(key->public_key, message.data, message.len,
								   cosignature + TIME_LEN, LC_ED25519_SIGNATURE_LEN);
	lc_buf_free(&message);
	if (status == LC_OK && at > *time)
		*time = at;
	return status;
}

/* ---- verifying ---- */

static bool
is_of_key(const lc_note_signature *s, const lc_verifier *key)
{
	return s->name.n == strlen(key->name) && memcmp(s->name.s, key->name, s->name.n) == 0 &&
		memcmp(s->id, key->id, LC_KEY_ID_LEN) == 0;
}

static lc_status
verify_line(lc_str text, const lc_note_signature *s, const lc_verifier *key, uint64_t *time,
			const lc_alloc *alloc)
{
	uint8_t		raw[RAW_MAX];
	const uint8_t *signature = raw + LC_KEY_ID_LEN;
	size_t		n;

	if (lc_base64_decode(s->base64.s, s->base64.n, raw, sizeof(raw), &n) != LC_OK)
		return LC_ERR_SIGNATURE;
	n -= LC_KEY_ID_LEN;
	if (key->type == LC_KEY_ED25519)
		return lc_ed25519_verify(key->public_key, text.s, text.n, signature, n);
	if (key->type != LC_KEY_COSIGNATURE || n != COSIGNATURE_LEN || !is_checkpoint(text))
		return LC_ERR_SIGNATURE;
	return verify_cosignature(text, key, signature, time, alloc);
}

lc_status
lc_note_verify(const lc_note *note, const lc_verifier *key, uint64_t *time, const lc_alloc *alloc)
{
	uint64_t	newest = 0;
	lc_status	status = LC_ERR_ABSENT;

	for (size_t i = 0; i < note->count; i++)
	{
		if (!is_of_key(&note->signatures[i], key))
			continue;
		status = verify_line(note->text, &note->signatures[i], key, &newest, alloc);
		if (status != LC_OK)
			break;
	}
	if (time != NULL)
		*time = status == LC_OK ? newest : 0;
	return status;
}

/* ---- signing ---- */

/* May a note have this text, and may the key sign it at that time? */
static lc_status
check_signing(lc_str text, const lc_signer *key, uint64_t time)
{
	lc_status	status;

	if (text.n > LC_NOTE_MAX_LEN)
		return LC_ERR_TOO_LONG;
	if (text.n == 0 || text.s[text.n - 1] != '\n')
		return LC_ERR_SYNTAX;
	status = lc_text_printable(text.s, text.n);
	if (status != LC_OK || key->verifier.type == LC_KEY_ED25519)
		return status;
	if (key->verifier.type != LC_KEY_COSIGNATURE || !is_checkpoint(text))
		return LC_ERR_SYNTAX;
	return time > (uint64_t) INT64_MAX ? LC_ERR_RANGE : LC_OK;
}

/* The signature of the key's type, *n bytes. */
static lc_status
make_signature(lc_str text, const lc_signer *key, uint64_t time, uint8_t *signature, size_t *n,
			   const lc_alloc *alloc)
{
	lc_buf		message;
	lc_status	status;

	*n = LC_ED25519_SIGNATURE_LEN;
	if (key->verifier.type == LC_KEY_ED25519)
		return lc_ed25519_sign(key->seed, text.s, text.n, signature);

	*n = COSIGNATURE_LEN;
	for (size_t i = 0; i < TIME_LEN; i++)
		signature[i] = (uint8_t) (time >> (56 - 8 * i));
	lc_buf_init(&message, alloc);
	put_cosigned(&message, time, text);
	status = message.status;
	if (status == LC_OK)
		status = lc_ed25519_sign(key->seed, message.data, message.len, signature + TIME_LEN);
	lc_buf_free(&message);
	return status;
}

lc_status
lc_note_sign(lc_buf *out, const char *text, size_t n, const lc_signer *key, uint64_t time,
			 const lc_alloc *alloc)
{
	lc_str		signed_text = {text, n};
	uint8_t		raw[RAW_MAX];
	size_t		len;
	lc_status	status = check_signing(signed_text, key, time);

	memcpy(raw, key->verifier.id, LC_KEY_ID_LEN);
	if (status == LC_OK)
		status = make_signature(signed_text, key, time, raw + LC_KEY_ID_LEN, &len, alloc);
	if (status != LC_OK)
		return status;
	lc_buf_puts(out, SIGNATURE_PREFIX);
	lc_buf_puts(out, key->verifier.name);
	lc_buf_putc(out, ' ');
	lc_buf_put_base64(out, raw, LC_KEY_ID_LEN + len);
	lc_buf_putc(out, '\n');
	return out->status;
}
