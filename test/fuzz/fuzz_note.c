/*
 * fuzz_note.c
 *		Notes on any bytes: text and lines make up the note again, each line
 *		is one, and a signature that holds is the one that the key makes.
 */
#include "fuzz.h"
#include "lc_note.h"
#include "lc_utf8.h"

/* The keys that signed the corpus. */
static const char log_key[] = "PRIVATE+KEY+example.com/log+cc714670+AZ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
static const char witness_key[] =
	"PRIVATE+KEY+witness.example.com/w1+e8498172+BEzNCJso/5banbbDRuwRTg9bijGfNaumJNqM9u1PuKb7";

static bool
same_str(lc_str a, lc_str b)
{
	return a.n == b.n && memcmp(a.s, b.s, a.n) == 0;
}

static void
check_parts(const lc_note *note, const char *text, size_t n)
{
	lc_buf		whole;
	lc_note_signature again;

	lc_buf_init(&whole, &lc_alloc_malloc);
	lc_buf_append(&whole, note->text.s, note->text.n);
	lc_buf_putc(&whole, '\n');
	for (size_t i = 0; i < note->count; i++)
	{
		const lc_note_signature *s = &note->signatures[i];

		lc_buf_append(&whole, s->line.s, s->line.n);
		HOLDS(lc_note_parse_line(s->line.s, s->line.n, &again) == LC_OK);
		HOLDS(same_str(again.name, s->name) && same_str(again.base64, s->base64));
		HOLDS(memcmp(again.id, s->id, LC_KEY_ID_LEN) == 0);
	}
	HOLDS(whole.len == n && memcmp(whole.data, text, n) == 0);
	HOLDS(note->count > 0 && lc_utf8_valid(text, n, NULL));
	lc_buf_free(&whole);
}

static void
check_key(const lc_note *note, const char *key, size_t n)
{
	lc_signer	signer;
	lc_buf		line;
	uint64_t	time;
	bool		found = false;

	HOLDS(lc_signer_parse(key, n, &signer) == LC_OK);
	if (lc_note_verify(note, &signer.verifier, &time, &lc_alloc_malloc) != LC_OK)
	{
		HOLDS(time == 0);
		return;
	}
	lc_buf_init(&line, &lc_alloc_malloc);
	HOLDS(lc_note_sign(&line, note->text.s, note->text.n, &signer, time, &lc_alloc_malloc) == LC_OK);
	for (size_t i = 0; i < note->count; i++)
	{
		lc_str		made = {line.data, line.len};

		found = found || same_str(note->signatures[i].line, made);
	}
	HOLDS(found);
	lc_buf_free(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	lc_note		note;

	if (lc_note_parse((const char *) data, size, &note) != LC_OK)
	{
		HOLDS(note.count == 0);
		return 0;
	}
	check_parts(&note, (const char *) data, size);
	check_key(&note, log_key, sizeof(log_key) - 1);
	check_key(&note, witness_key, sizeof(witness_key) - 1);
	return 0;
}
