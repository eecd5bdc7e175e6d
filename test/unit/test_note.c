/*
 * test_note.c
 *		lc_note: C2SP's examples, notes and cosignatures that Go made, and every
 *		way in which a note is none or not signed.
 */
#include "examples.h"
#include "harness.h"
#include "lc_note.h"

/* C2SP signed-note: the note at its head, and the one of section "Example" with its key. */
#define QUASIMODO_TEXT \
	"Ognuno sta solo sul cuor della terra\n" \
	"trafitto da un raggio di sole:\n" \
	"\n" \
	"ed \xC3\xA8 subito sera.\n"
#define QUASIMODO \
	QUASIMODO_TEXT "\n" DASH " quasimodo.example/salvatore " \
	"NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
#define SPEC_VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
#define SPEC_NOTE \
	"This is an example message.\n" \
	"\n" \
	DASH " example.com/foo " \
	"Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"

/* C2SP tlog-cosignature's example: two lines of keys that are not published. */
#define COSIGNED \
	"example.com/behind-the-sofa\n" \
	"20852163\n" \
	"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n" \
	"\n" \
	DASH " example.com/behind-the-sofa " \
	"Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n" \
	DASH " witness.example.com/w1 " \
	"jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"

static lc_verifier
verifier(const char *text)
{
	lc_verifier v;

	if (lc_verifier_parse(text, strlen(text), &v) != LC_OK)
		abort();
	return v;
}

static lc_signer
signer(const char *text)
{
	lc_signer	s;

	if (lc_signer_parse(text, strlen(text), &s) != LC_OK)
		abort();
	return s;
}

/* ---- reading ---- */

static void
test_spec(void)
{
	lc_note		note;
	lc_verifier key = verifier(SPEC_VKEY);
	uint64_t	time = 42;

	is_status(lc_note_parse(QUASIMODO, strlen(QUASIMODO), &note), LC_OK, "the note of the specification");
	ok(same(note.text, QUASIMODO_TEXT), "its text has an empty line");
	ok(note.count == 1 && same(note.signatures[0].name, "quasimodo.example/salvatore"), "its signer");
	is_hex(note.signatures[0].id, LC_KEY_ID_LEN, "367ba04b", "and the key's id");
	is_status(lc_note_verify(&note, &key, &time, &lc_alloc_malloc), LC_ERR_ABSENT,
			  "a key that did not sign it");

	is_status(lc_note_parse(SPEC_NOTE, strlen(SPEC_NOTE), &note), LC_OK, "the signed example");
	is_status(lc_note_verify(&note, &key, &time, &lc_alloc_malloc), LC_OK, "holds by its key");
	is_int((int64_t) time, 0, "and has no time");
	key = verifier(LOG_VKEY);
	is_status(lc_note_verify(&note, &key, NULL, &lc_alloc_malloc), LC_ERR_ABSENT, "not by another");

	is_status(lc_note_parse(COSIGNED, strlen(COSIGNED), &note), LC_OK, "the cosigned example");
	ok(note.count == 2 && same(note.signatures[1].name, "witness.example.com/w1"), "has two lines");
	is_hex(note.signatures[1].id, LC_KEY_ID_LEN, "8d66cf3f", "the second of a key that is not known");
	key = verifier(WITNESS_VKEY);
	is_status(lc_note_verify(&note, &key, NULL, &lc_alloc_malloc), LC_ERR_ABSENT,
			  "which is not ours, though of one name");
}

static lc_status
parse_exact(const char *text, size_t n)
{
	lc_note    *note = malloc(sizeof(*note));
	char	   *copy = exact_copy(text, n);
	lc_status	status;

	if (note == NULL)
		abort();
	status = lc_note_parse(copy, n, note);
	if (status != LC_OK && note->count != 0)
		ok(false, "a refused note has no signatures");
	free(note);
	free(copy);
	return status;
}

static void
refuses(const char *text, lc_status want, const char *name)
{
	is_status(parse_exact(text, strlen(text)), want, name);
}

static void
takes(const char *text, const char *name)
{
	is_status(parse_exact(text, strlen(text)), LC_OK, name);
}

static void
test_shapes(void)
{
	takes("\n\n" LOG_LINE, "an empty line is a text");
	takes("t\n\n\n" LOG_LINE, "so is one that ends with an empty line");
	takes("t\x7f\n\n" LOG_LINE, "DEL is no control character here");
	takes("t\n\n" DASH " n AAAAAAA=\n", "a signature of one byte, of an unknown key");
	takes("t\n\n" DASH " n+ AAAAAAA=\n\n" LOG_LINE, "the last empty line separates");

	refuses("", LC_ERR_SYNTAX, "nothing");
	refuses("\n", LC_ERR_SYNTAX, "a newline");
	refuses("\n\n", LC_ERR_SYNTAX, "two");
	refuses("t\n", LC_ERR_SYNTAX, "a text alone");
	refuses("t\n\n", LC_ERR_SYNTAX, "no signature");
	refuses("t\n" LOG_LINE, LC_ERR_SYNTAX, "no empty line");
	refuses("\n" LOG_LINE, LC_ERR_SYNTAX, "no text");
	refuses("t\n\n" LOG_LINE "\n", LC_ERR_SYNTAX, "an empty line behind");
	refuses("t\n\n" LOG_LINE "x", LC_ERR_SYNTAX, "a line without newline");
	refuses("t\n\n" LOG_LINE "x\n", LC_ERR_SYNTAX, "a line that is no signature");
	refuses("t\n\n- n AAAAAAA=\n", LC_ERR_SYNTAX, "a hyphen for the dash");
	refuses("t\n\n" DASH "n AAAAAAA=\n", LC_ERR_SYNTAX, "no space behind the dash");
	refuses("t\n\n" DASH " nAAAAAAA=\n", LC_ERR_SYNTAX, "no space behind the name");
	refuses("t\n\n" DASH "  AAAAAAA=\n", LC_ERR_SYNTAX, "no name");
	refuses("t\n\n" DASH " a+b AAAAAAA=\n", LC_ERR_SYNTAX, "a plus in the name");
	refuses("t\n\n" DASH " a\xC2\xA0" "b AAAAAAA=\n", LC_ERR_SYNTAX, "a no-break space in the name");
	refuses("t\n\n" DASH " a\xE3\x80\x80" "b AAAAAAA=\n", LC_ERR_SYNTAX, "an ideographic space in the name");
	refuses("t\n\n" DASH " n \n", LC_ERR_SYNTAX, "no signature behind the name");
	refuses("t\n\n" DASH " n AAAAAA==\n", LC_ERR_SYNTAX, "a key id alone");
	refuses("t\n\n" DASH " n AAA=\n", LC_ERR_SYNTAX, "less than a key id");
	refuses("t\n\n" DASH " n AAAAAAB=\n", LC_ERR_SYNTAX, "stray bits in base64, which Go takes");
	refuses("t\n\n" DASH " n AAAAAAA\n", LC_ERR_SYNTAX, "no padding");
	refuses("t\n\n" DASH " n AAAAAAA= \n", LC_ERR_SYNTAX, "a space behind");
	refuses("t\n\n" DASH " n  AAAAAAA=\n", LC_ERR_SYNTAX, "two spaces");
	refuses("t\n\n" DASH " n _____w==\n", LC_ERR_SYNTAX, "the other alphabet");
	refuses("t\r\n\n" LOG_LINE, LC_ERR_SYNTAX, "a carriage return");
	refuses("t\t\n\n" LOG_LINE, LC_ERR_SYNTAX, "a tab");
	refuses("t\xC3\n\n" LOG_LINE, LC_ERR_UTF8, "bad UTF-8 in the text");
	refuses("t\n\n" DASH " \xED\xA0\x80 AAAAAAA=\n", LC_ERR_UTF8, "bad UTF-8 in a name");
	is_status(parse_exact("t\0\n\n" LOG_LINE, 4 + strlen(LOG_LINE)), LC_ERR_SYNTAX, "a NUL");
}

/* Up to 100 signatures, up to a million bytes, names and signatures of any length. */
static void
test_limits(void)
{
	lc_buf		note;
	lc_buf		big;

	lc_buf_init(&note, &lc_alloc_malloc);
	lc_buf_puts(&note, "t\n\n");
	for (int i = 0; i < 100; i++)
		lc_buf_puts(&note, DASH " n AAAAAAA=\n");
	is_status(parse_exact(note.data, note.len), LC_OK, "a hundred signatures");
	lc_buf_puts(&note, DASH " n AAAAAAA=\n");
	is_status(parse_exact(note.data, note.len), LC_ERR_TOO_LONG, "one more");

	lc_buf_init(&big, &lc_alloc_malloc);
	lc_buf_puts(&big, "t\n\n" DASH " ");
	for (int i = 0; i < 1000; i++)
		lc_buf_puts(&big, "name");
	lc_buf_putc(&big, ' ');
	for (int i = 0; i < 2000; i++)
		lc_buf_puts(&big, "AAAA");
	lc_buf_puts(&big, "AA==\n");
	is_status(parse_exact(big.data, big.len), LC_OK, "a name of 4,000 bytes, a signature of 6,001");
	big.data[big.len - 9] = '=';
	is_status(parse_exact(big.data, big.len), LC_ERR_SYNTAX, "padding in the middle of it");
	big.data[big.len - 9] = 'A';
	big.data[4100] = '=';
	is_status(parse_exact(big.data, big.len), LC_ERR_SYNTAX, "or near its start");
	big.data[4100] = 'A';

	lc_buf_reset(&big);
	while (big.len + strlen("\n\n" LOG_LINE) < LC_NOTE_MAX_LEN)
		lc_buf_putc(&big, 't');
	lc_buf_puts(&big, "\n\n" LOG_LINE);
	is_status(parse_exact(big.data, big.len), LC_OK, "a million bytes");
	lc_buf_putc(&big, 'x');
	is_status(parse_exact(big.data, big.len), LC_ERR_TOO_LONG, "one more");
	lc_buf_free(&note);
	lc_buf_free(&big);
}

static void
test_lines(void)
{
	lc_note_signature s;
	static const char *const wrong[] = {
		"", "\n", LOG_LINE LOG_LINE, "\n" LOG_LINE, LOG_LINE "\n", DASH " n AAAAAAA="
	};

	is_status(lc_note_parse_line(WITNESS_LINE, strlen(WITNESS_LINE), &s), LC_OK, "one line");
	ok(same(s.line, WITNESS_LINE) && same(s.name, "witness.example.com/w1"), "is read whole");
	is_hex(s.id, sizeof(s.id), "e8498172", "with its id");
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
	{
		size_t		n = strlen(wrong[i]);
		char	   *copy = exact_copy(wrong[i], n);

		is_status(lc_note_parse_line(copy, n, &s), LC_ERR_SYNTAX, "not one line");
		free(copy);
	}
}

/* ---- verifying ---- */

static void
judges(const char *text, const char *vkey, lc_status want, uint64_t want_time, const char *name)
{
	lc_note		note;
	lc_verifier key = verifier(vkey);
	uint64_t	time = 42;

	if (lc_note_parse(text, strlen(text), &note) != LC_OK)
		abort();
	ok(lc_note_verify(&note, &key, &time, &lc_alloc_malloc) == want && time == want_time, "%s", name);
}

/* LOG_LINE with another signature behind the same id. */
#define WRONG_LINE \
	DASH " example.com/log " \
	"zHFGcH82hRH/6SGTX3Q6lpgBIyOtUNvE56+/BT9NVHL1RIA4v3V1rqI0q9V04tvfzKX7oO8grBXzjUUqwzMMe6H/OQc=\n"
#define SHORT_LINE DASH " example.com/log zHFGcF82\n"

static void
test_verify(void)
{
	judges(CHECKPOINT "\n" LOG_LINE, LOG_VKEY, LC_OK, 0, "Go's signature holds");
	judges(CHECKPOINT "\n" WITNESS_LINE LOG_LINE, LOG_VKEY, LC_OK, 0, "in any order");
	judges(CHECKPOINT "\n" LOG_LINE LOG_LINE, LOG_VKEY, LC_OK, 0, "twice");
	judges(CHECKPOINT "\n" LOG_LINE, OTHER_VKEY, LC_ERR_ABSENT, 0, "not by a key that is not named");
	judges("x" CHECKPOINT "\n" LOG_LINE, LOG_VKEY, LC_ERR_SIGNATURE, 0, "not for another text");
	judges(CHECKPOINT "\n\n" LOG_LINE, LOG_VKEY, LC_ERR_SIGNATURE, 0, "not with a line more");
	judges(CHECKPOINT "\n" WRONG_LINE, LOG_VKEY, LC_ERR_SIGNATURE, 0, "a changed signature");
	judges(CHECKPOINT "\n" LOG_LINE WRONG_LINE, LOG_VKEY, LC_ERR_SIGNATURE, 0,
		   "behind a right one, where Go does not look");
	judges(CHECKPOINT "\n" WRONG_LINE LOG_LINE, LOG_VKEY, LC_ERR_SIGNATURE, 0, "before a right one");
	judges(CHECKPOINT "\n" LOG_LINE SHORT_LINE, LOG_VKEY, LC_ERR_SIGNATURE, 0, "a signature cut short");
	judges(CHECKPOINT "\n" LOG_LINE
		   DASH " example.com/log "
		   "zHFGcF82hRH/6SGTX3Q6lpgBIyOtUNvE56+/BT9NVHL1RIA4v3V1rqI0q9V0"
		   "4tvfzKX7oO8grBXzjUUqwzMMe6H/OQcAAAAAAAAAAAAAAAAA\n",
		   LOG_VKEY, LC_ERR_SIGNATURE, 0, "one that is too long");
	judges("\n\n" DASH " example.com/log "
		   "zHFGcGXiLlbWbPUzgT4xZK+gKAh+qXFEG5YLPXo0Q7DD/qoykxi/X9Dt2+VZHyyt4OqgnJ4VvDpoJa3seObg0O2OWAY=\n",
		   LOG_VKEY, LC_OK, 0, "of a text of one newline");
}

static void
test_cosignatures(void)
{
	judges(CHECKPOINT "\n" LOG_LINE WITNESS_LINE, WITNESS_VKEY, LC_OK, 1679315147, "Go's cosignature holds");
	judges(CHECKPOINT "\n" WITNESS_LINE LATER_LINE, WITNESS_VKEY, LC_OK, 1679315150, "the newest counts");
	judges(CHECKPOINT "\n" LATER_LINE WITNESS_LINE, WITNESS_VKEY, LC_OK, 1679315150, "in any order");
	judges(CHECKPOINT "\n" NEVER_LINE, WITNESS_VKEY, LC_ERR_SIGNATURE, 0, "a time of 2^63 does not");
	judges(CHECKPOINT "\n"
		   DASH " witness.example.com/w1 "
		   "6EmBcoAAAAAAAAAADjqKu0qwdB5IgjoefcotKkQ5rW95aoIssg7X2S4ik1PM4EMG3UyJ2wQQwUYCIiIWuvMKegvTHfGSQUIrfFJ6Bg==\n",
		   WITNESS_VKEY, LC_ERR_SIGNATURE, 0, "nor does the same number below zero");
	judges(CHECKPOINT "\n" WITNESS_LINE
		   DASH " witness.example.com/w1 "
		   "6EmBcgAAAABkGFDL+4qVELNkV3hr2DJRw/lK2t/6KHDW115uTbTczjN+WlMl+Wjco+Vo3doJM2A0xvOr2tdGKcNw6KbC7y67zRFT\n",
		   WITNESS_VKEY, LC_ERR_SIGNATURE, 0, "nor a byte short, behind the whole");
	judges(CHECKPOINT "extension\n\n" WITNESS_LINE, WITNESS_VKEY, LC_ERR_SIGNATURE, 0,
		   "nor with an extension line more");
	judges(CHECKPOINT "\n"
		   DASH " witness.example.com/w1 "
		   "6EmBcgAAAABkGFDM+4qVELNkV3hr2DJRw/lK2t/6KHDW115uTbTczjN+WlMl"
		   "+Wjco+Vo3doJM2A0xvOr2tdGKcNw6KbC7y67zRFTAw==\n",
		   WITNESS_VKEY, LC_ERR_SIGNATURE, 0, "nor for a second later");
	judges(CHECKPOINT "\n"
		   DASH " witness.example.com/w1 "
		   "6EmBcvuKlRCzZFd4a9gyUcP5Strf+ihw1tdebk203M4zflpTJflo3KPlaN3aCTNgNMbzq9rXRinDcOimwu8uu80RUwM=\n",
		   WITNESS_VKEY, LC_ERR_SIGNATURE, 0, "nor without its time");
}

/* ---- signing ---- */

static void
signs(const char *text, const char *skey, uint64_t time, const char *want, const char *name)
{
	lc_signer	key = signer(skey);
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	is_status(lc_note_sign(&out, text, strlen(text), &key, time, &lc_alloc_malloc), LC_OK, name);
	is_text(&out, want, "as Go signs it");
	lc_buf_free(&out);
}

static void
does_not_sign(const char *text, size_t n, const char *skey, uint64_t time, lc_status want,
			  const char *name)
{
	lc_signer	key = signer(skey);
	char	   *copy = exact_copy(text, n);
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	ok(lc_note_sign(&out, copy, n, &key, time, &lc_alloc_malloc) == want && out.len == 0,
	   "not signed: %s", name);
	lc_buf_free(&out);
	free(copy);
}

static void
test_sign(void)
{
	char	   *huge = malloc(LC_NOTE_MAX_LEN + 1);

	signs(CHECKPOINT, LOG_SKEY, 7, LOG_LINE, "a checkpoint");
	signs(CHECKPOINT, WITNESS_SKEY, 1679315147, WITNESS_LINE, "a cosignature");
	signs(CHECKPOINT, WITNESS_SKEY, 1679315150, LATER_LINE, "a later one");
	does_not_sign("", 0, LOG_SKEY, 0, LC_ERR_SYNTAX, "nothing");
	does_not_sign("text", 4, LOG_SKEY, 0, LC_ERR_SYNTAX, "a text without newline");
	does_not_sign("a\tb\n", 4, LOG_SKEY, 0, LC_ERR_SYNTAX, "a tab");
	does_not_sign("a\xff\n", 3, LOG_SKEY, 0, LC_ERR_UTF8, "what is no text");
	does_not_sign("text\n", 5, WITNESS_SKEY, 0, LC_ERR_SYNTAX, "no checkpoint, by a witness");
	does_not_sign(CHECKPOINT, strlen(CHECKPOINT), WITNESS_SKEY, (uint64_t) INT64_MAX + 1, LC_ERR_RANGE,
				  "a time of 2^63");
	if (huge == NULL)
		abort();
	memset(huge, '\n', LC_NOTE_MAX_LEN + 1);
	does_not_sign(huge, LC_NOTE_MAX_LEN + 1, LOG_SKEY, 0, LC_ERR_TOO_LONG, "more than a megabyte");
	free(huge);
}

/* Every bit of a signed note counts: changed, it is no note, or not signed. */
static void
test_bits(void)
{
	static const char whole[] = CHECKPOINT "\n" LOG_LINE;
	size_t		n = strlen(whole);
	char	   *copy = exact_copy(whole, n);
	lc_verifier key = verifier(LOG_VKEY);
	lc_note		note;
	size_t		held = 0;

	for (size_t bit = 0; bit < 8 * n; bit++)
	{
		copy[bit / 8] = (char) (copy[bit / 8] ^ 1 << bit % 8);
		held += lc_note_parse(copy, n, &note) == LC_OK &&
			lc_note_verify(&note, &key, NULL, &lc_alloc_malloc) == LC_OK;
		copy[bit / 8] = (char) (copy[bit / 8] ^ 1 << bit % 8);
	}
	ok(held == 0, "with any of its %zu bits changed a signed note does not hold", 8 * n);
	free(copy);
}

int
main(void)
{
	test_spec();
	test_shapes();
	test_limits();
	test_lines();
	test_verify();
	test_cosignatures();
	test_sign();
	test_bits();
	lc_sha256_thread_end();
	return done();
}
