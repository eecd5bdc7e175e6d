/*
 * test_notekey.c
 *		lc_notekey: the key of C2SP's example, keys that Go made, every other
 *		spelling refused, seeds wiped.
 */
#include "examples.h"
#include "harness.h"
#include "lc_notekey.h"
#include "lc_sha256.h"

/* C2SP signed-note, section "Example". */
#define SPEC_VKEY "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"

static lc_status
parse_exact(const char *text, lc_verifier *v)
{
	size_t		n = strlen(text);
	char	   *copy = exact_copy(text, n);
	lc_status	status = lc_verifier_parse(copy, n, v);

	free(copy);
	return status;
}

static void
reads(const char *text, const char *name, uint8_t type, const char *id)
{
	lc_verifier v;
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	ok(parse_exact(text, &v) == LC_OK && strcmp(v.name, name) == 0 && v.type == type,
	   "the key of %s", name);
	is_hex(v.id, sizeof(v.id), id, "its id");
	lc_verifier_format(&out, &v);
	is_text(&out, text, "written it is the same text");
	lc_buf_free(&out);
}

static void
refuses(const char *text, lc_status want, const char *name)
{
	lc_verifier v;

	memset(&v, 'x', sizeof(v));
	ok(parse_exact(text, &v) == want && v.name[0] == 'x', "refused: %s", name);
}

static void
test_verifiers(void)
{
	char		longest[LC_KEY_NAME_MAX + 2];
	uint8_t		key[LC_ED25519_KEY_LEN] = {2};
	lc_verifier v;

	reads(SPEC_VKEY, "example.com/foo", 0x01, "530d903a");
	reads(LOG_VKEY, "example.com/log", 0x01, "cc714670");
	reads(WITNESS_VKEY, "witness.example.com/w1", 0x04, "e8498172");

	refuses("", LC_ERR_SYNTAX, "nothing");
	refuses("example.com/log", LC_ERR_SYNTAX, "only a name");
	refuses("example.com/log+cc714670", LC_ERR_SYNTAX, "no key");
	refuses("+cc714670+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea", LC_ERR_SYNTAX, "no name");
	refuses("example.com/log+CC714670+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea", LC_ERR_SYNTAX,
			"capital hex, which Go takes");
	refuses("example.com/log+cc714671+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea", LC_ERR_SYNTAX,
			"another id");
	refuses("example.com/loh+cc714670+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea", LC_ERR_SYNTAX,
			"another name");
	refuses("example.com/log+cc714670-AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea", LC_ERR_SYNTAX,
			"another separator");
	refuses("example.com/log+cc714670+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1E", LC_ERR_SYNTAX, "a digit less");
	refuses(LOG_VKEY "A", LC_ERR_SYNTAX, "a digit more");
	refuses(LOG_VKEY "\n", LC_ERR_SYNTAX, "a newline behind");
	refuses(" " LOG_VKEY, LC_ERR_SYNTAX, "a space before");
	refuses(LOG_SKEY, LC_ERR_SYNTAX, "a private key");
	refuses("example.com/log+cc714670+AtdamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1Ea", LC_ERR_SYNTAX,
			"ECDSA, type 0x02");
	refuses("example.com/log+cc714670+AddamAGCsQq31Uv+08lkBzoO4XLz2qYjJa8CGmj3B1==", LC_ERR_SYNTAX,
			"a key of 30 bytes");
	refuses("weak+00000000+AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", LC_ERR_RANGE, "a weak key");

	memset(longest, 'n', sizeof(longest));
	longest[LC_KEY_NAME_MAX + 1] = '\0';
	is_status(lc_verifier_make(longest, 1, key, &v), LC_ERR_SYNTAX, "a name of 513 bytes is too long");
	longest[LC_KEY_NAME_MAX] = '\0';
	is_status(lc_verifier_make(longest, 1, key, &v), LC_OK, "one of 512 is not");
	is_status(lc_verifier_make("name", 2, key, &v), LC_ERR_SYNTAX, "type 2 is not made");
	key[0] = 1;
	is_status(lc_verifier_make("name", 1, key, &v), LC_ERR_RANGE, "nor a weak key");
}

/* A longest name's key still fits wherever it is written and read. */
static void
test_longest(void)
{
	char		name[LC_KEY_NAME_MAX + 1];
	uint8_t		seed[LC_ED25519_KEY_LEN] = {7};
	lc_signer	signer;
	lc_signer	again;
	lc_buf		out;

	memset(name, 'n', LC_KEY_NAME_MAX);
	name[LC_KEY_NAME_MAX] = '\0';
	lc_buf_init(&out, &lc_alloc_malloc);
	is_status(lc_signer_make(name, 4, seed, &signer), LC_OK, "a signer of the longest name");
	lc_signer_format(&out, &signer);
	is_int((int64_t) out.len, 12 + 512 + 1 + 8 + 1 + 44, "is that long");
	ok(lc_signer_parse(out.data, out.len, &again) == LC_OK &&
	   memcmp(&again.verifier, &signer.verifier, sizeof(again.verifier)) == 0 &&
	   memcmp(again.seed, seed, sizeof(seed)) == 0, "and reads back");
	lc_buf_free(&out);
}

static void
name_is(bool want, const char *name, const char *what)
{
	size_t		n = strlen(name);
	char	   *copy = exact_copy(name, n);

	ok(lc_key_name_valid(copy, n) == want && lc_note_name_valid(copy, n) == want, "a name %s %s",
	   want ? "may be" : "may not be", what);
	free(copy);
}

/* White_Space of Unicode 15 (PropList.txt), all of it. */
static void
test_names(void)
{
	static const char *const spaces[] = {
		"\t", "\n", "\v", "\f", "\r", " ", "\xC2\x85", "\xC2\xA0", "\xE1\x9A\x80", "\xE2\x80\x80",
		"\xE2\x80\x81", "\xE2\x80\x82", "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86",
		"\xE2\x80\x87", "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\xA8", "\xE2\x80\xA9",
		"\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80"
	};
	static const char *const others[] = {
		"\xC2\x84", "\xC2\xA1", "\xE1\x9A\x81", "\xE2\x80\x8B", "\xE2\x80\xAA", "\xE2\x81\x9E",
		"\xE3\x80\x81", "\xE1\xA0\x8E", "\x7f"
	};
	char		name[8];

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
	{
		snprintf(name, sizeof(name), "a%sb", spaces[i]);
		name_is(false, name, name);
		snprintf(name, sizeof(name), "a%s", spaces[i]);
		name_is(false, name, "with it at the end");
	}
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
	{
		snprintf(name, sizeof(name), "a%sb", others[i]);
		name_is(true, name, name);
	}
	name_is(false, "", "empty");
	name_is(false, "a+b", "a sum");
	name_is(false, "a\x1f", "with a control character");
	name_is(false, "a\xC3", "cut in a character");
	name_is(false, "\xED\xA0\x80", "a surrogate");
	name_is(true, "a", "one letter");
	ok(!lc_key_name_valid("a\0b", 3), "nor hold a NUL");
}

static void
signer_reads(const char *text, const char *vkey)
{
	size_t		n = strlen(text);
	char	   *copy = exact_copy(text, n);
	lc_signer	signer;
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	if (ok(lc_signer_parse(copy, n, &signer) == LC_OK, "the private key of %s", vkey))
	{
		lc_signer_format(&out, &signer);
		is_text(&out, text, "written it is the same text");
		lc_buf_reset(&out);
		lc_verifier_format(&out, &signer.verifier);
		is_text(&out, vkey, "and has that public one");
	}
	lc_buf_free(&out);
	free(copy);
}

static void
signer_refuses(const char *text, lc_status want, const char *name)
{
	size_t		n = strlen(text);
	char	   *copy = exact_copy(text, n);
	lc_signer	signer;

	memset(&signer, 'x', sizeof(signer));
	ok(lc_signer_parse(copy, n, &signer) == want && signer.seed[0] == 'x', "refused: %s", name);
	free(copy);
}

static void
test_signers(void)
{
	lc_signer	signer;
	lc_buf		out;
	uint8_t		zeros[sizeof(lc_signer)] = {0};

	signer_reads(LOG_SKEY, LOG_VKEY);
	signer_reads(WITNESS_SKEY, WITNESS_VKEY);
	signer_reads(OTHER_SKEY, OTHER_VKEY);
	signer_refuses(LOG_VKEY, LC_ERR_SYNTAX, "a public key");
	signer_refuses("PRIVATE+KEY+", LC_ERR_SYNTAX, "the prefix alone");
	signer_refuses("PRIVATE+KEY+example.com/log+cc714671+AZ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g",
				   LC_ERR_SYNTAX, "another id");
	signer_refuses("PRIVATE+KEY+example.com/log+cc714670+BJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g",
				   LC_ERR_SYNTAX, "another type, whose id it is not");
	signer_refuses("PRIVATE+KEY+example.com/log+cc714670+BZ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g",
				   LC_ERR_SYNTAX, "a type that is not ours");
	signer_refuses("private+KEY+example.com/log+cc714670+AZ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g",
				   LC_ERR_SYNTAX, "another prefix");

	lc_buf_init(&out, &lc_alloc_malloc);
	if (lc_signer_parse(LOG_SKEY, strlen(LOG_SKEY), &signer) != LC_OK)
		abort();
	lc_verifier_key_id(&out, &signer.verifier);
	is_text(&out, "example.com/log+cc714670", "a key id as text");
	lc_signer_wipe(&signer);
	ok(memcmp(&signer, zeros, sizeof(signer)) == 0, "a wiped signer is all zeros");
	lc_buf_free(&out);
}

int
main(void)
{
	test_verifiers();
	test_longest();
	test_names();
	test_signers();
	lc_sha256_thread_end();
	return done();
}
