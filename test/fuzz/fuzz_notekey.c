/*
 * fuzz_notekey.c
 *		Keys of notes on any bytes: what is read is written as the same bytes,
 *		and names are what a signature line can hold.
 */
#include "fuzz.h"
#include "lc_note.h"

static void
check_verifier(const char *text, size_t n)
{
	lc_verifier v;
	lc_buf		out;

	if (lc_verifier_parse(text, n, &v) != LC_OK)
		return;
	lc_buf_init(&out, &lc_alloc_malloc);
	lc_verifier_format(&out, &v);
	HOLDS(out.len == n && memcmp(out.data, text, n) == 0);
	HOLDS(lc_ed25519_check_public(v.public_key) == LC_OK);
	lc_buf_free(&out);
}

static void
check_signer(const char *text, size_t n)
{
	lc_signer	s;
	lc_verifier v;
	lc_buf		out;

	if (lc_signer_parse(text, n, &s) != LC_OK)
		return;
	lc_buf_init(&out, &lc_alloc_malloc);
	lc_signer_format(&out, &s);
	HOLDS(out.len == n && memcmp(out.data, text, n) == 0);
	lc_buf_reset(&out);
	lc_verifier_format(&out, &s.verifier);
	HOLDS(lc_verifier_parse(out.data, out.len, &v) == LC_OK);
	HOLDS(memcmp(&v, &s.verifier, sizeof(v)) == 0);
	lc_buf_free(&out);
}

/* A line with this name is read if, and only if, the name is one. */
static void
check_name(const char *name, size_t n)
{
	lc_note_signature s;
	lc_buf		line;
	lc_status	status;

	lc_buf_init(&line, &lc_alloc_malloc);
	lc_buf_puts(&line, "\xE2\x80\x94 ");
	lc_buf_append(&line, name, n);
	lc_buf_puts(&line, " AAAAAAA=\n");
	status = lc_note_parse_line(line.data, line.len, &s);
	HOLDS((status == LC_OK) == lc_note_name_valid(name, n));
	if (status == LC_OK)
		HOLDS(s.name.n == n && memcmp(s.name.s, name, n) == 0);
	HOLDS(lc_key_name_valid(name, n) == (n <= LC_KEY_NAME_MAX && status == LC_OK));
	lc_buf_free(&line);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *) data;

	check_verifier(text, size);
	check_signer(text, size);
	check_name(text, size);
	return 0;
}
