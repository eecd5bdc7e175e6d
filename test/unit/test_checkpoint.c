/*
 * test_checkpoint.c
 *		The checkpoint half of lc_note: C2SP tlog-checkpoint's example, and
 *		what is none.
 */
#include "examples.h"
#include "harness.h"
#include "lc_note.h"

#define ROOT_LINE "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
#define ROOT_HEX "0ac5186a91863e8e1d90c808014aa89bf5da8e3ee1d9f07630f0378f68f1ab62"

/* The text of C2SP tlog-checkpoint's first example. */
#define SPEC "example.com/behind-the-sofa\n20852163\n" ROOT_LINE

static lc_status
parse_exact(const char *text, size_t n, lc_checkpoint *out)
{
	char	   *copy = exact_copy(text, n);
	lc_status	status = lc_checkpoint_parse(copy, n, out);

	/* What is borrowed must not be looked at any more. */
	free(copy);
	return status;
}

static void
test_spec(void)
{
	lc_checkpoint c;
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	is_status(lc_checkpoint_parse(SPEC, strlen(SPEC), &c), LC_OK, "the example of the specification");
	ok(same(c.origin, "example.com/behind-the-sofa"), "its origin");
	is_int((int64_t) c.size, 20852163, "its size");
	is_hex(c.root, sizeof(c.root), ROOT_HEX, "its root");
	ok(c.extensions.s == NULL && c.extensions.n == 0, "no extension");
	lc_checkpoint_format(&out, c.origin, c.size, c.root);
	is_text(&out, SPEC, "written it is the same text");
	lc_buf_free(&out);
}

static void
test_more(void)
{
	lc_checkpoint c;
	static const char extended[] = "any origin + more\n0\n" ROOT_LINE "one\ntwo\n";

	is_status(lc_checkpoint_parse(extended, strlen(extended), &c), LC_OK, "extension lines");
	ok(same(c.extensions, "one\ntwo\n"), "are kept");
	ok(same(c.origin, "any origin + more"), "an origin may hold spaces and pluses");
	is_int((int64_t) c.size, 0, "a tree may be empty");
	is_status(lc_checkpoint_parse("o\n9223372036854775807\n" ROOT_LINE, 67, &c), LC_OK, "the greatest size");
}

static void
refuses(const char *text, lc_status want, const char *name)
{
	lc_checkpoint c;

	c.size = 42;
	ok(parse_exact(text, strlen(text), &c) == want && c.size == 42, "refused: %s", name);
}

static void
test_refusals(void)
{
	lc_checkpoint c;
	char	   *huge = malloc(LC_NOTE_MAX_LEN + 1);

	refuses("", LC_ERR_SYNTAX, "nothing");
	refuses("\n3\n" ROOT_LINE, LC_ERR_SYNTAX, "an empty origin");
	refuses("o\n", LC_ERR_SYNTAX, "no size");
	refuses("o\n\n" ROOT_LINE, LC_ERR_SYNTAX, "an empty size");
	refuses("o\n03\n" ROOT_LINE, LC_ERR_SYNTAX, "a leading zero");
	refuses("o\n-3\n" ROOT_LINE, LC_ERR_SYNTAX, "a sign");
	refuses("o\n3 \n" ROOT_LINE, LC_ERR_SYNTAX, "a space behind the size");
	refuses("o\n9223372036854775808\n" ROOT_LINE, LC_ERR_SYNTAX, "a size of 2^63");
	refuses("o\n3\n", LC_ERR_SYNTAX, "no root");
	refuses("o\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=", LC_ERR_SYNTAX, "no last newline");
	refuses("o\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n", LC_ERR_SYNTAX, "stray bits in the root");
	refuses("o\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxqw==\n", LC_ERR_SYNTAX, "a root of 31 bytes");
	refuses("o\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2Ir\n", LC_ERR_SYNTAX, "a root of 33 bytes");
	refuses("o\n3\n" ROOT_LINE "\n", LC_ERR_SYNTAX, "an empty extension line");
	refuses("o\n3\n" ROOT_LINE "one\n\ntwo\n", LC_ERR_SYNTAX, "one between others");
	refuses("o\n3\n" ROOT_LINE "one", LC_ERR_SYNTAX, "an extension without newline");
	refuses("o\n3\n" ROOT_LINE "\n" LOG_LINE, LC_ERR_SYNTAX, "a signed note, of which the text is wanted");
	refuses("o\r\n3\n" ROOT_LINE, LC_ERR_SYNTAX, "a carriage return");
	refuses("o\xff\n3\n" ROOT_LINE, LC_ERR_UTF8, "bad UTF-8");

	if (huge == NULL)
		abort();
	memset(huge, 'o', LC_NOTE_MAX_LEN + 1);
	is_status(lc_checkpoint_parse(huge, LC_NOTE_MAX_LEN + 1, &c), LC_ERR_TOO_LONG, "more than a megabyte");
	is_status(lc_checkpoint_parse(huge, LC_NOTE_MAX_LEN, &c), LC_ERR_SYNTAX, "a megabyte is looked at");
	free(huge);
}

/* What is written is what will be read. */
static void
writes(lc_str origin, uint64_t size, lc_status want, const char *name)
{
	uint8_t		root[LC_HASH_LEN] = {0};
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_checkpoint_format(&out, origin, size, root);
	ok(out.status == want && (want == LC_OK) == (out.len > 0), "%s %s", name,
	   want == LC_OK ? "is written" : "is not written");
	lc_buf_free(&out);
}

static void
test_writing(void)
{
	writes(str("o"), (uint64_t) INT64_MAX, LC_OK, "the greatest size");
	writes(str("o"), (uint64_t) INT64_MAX + 1, LC_ERR_RANGE, "a size of 2^63");
	writes(str(""), 3, LC_ERR_SYNTAX, "an empty origin");
	writes(str("o\n9"), 3, LC_ERR_SYNTAX, "an origin with a newline");
	writes(str("o\n"), 3, LC_ERR_SYNTAX, "an origin that ends with one");
	writes(str("o\t"), 3, LC_ERR_SYNTAX, "an origin with a tab");
	writes(str("\xff"), 3, LC_ERR_UTF8, "an origin that is no text");
}

int
main(void)
{
	test_spec();
	test_more();
	test_refusals();
	test_writing();
	return done();
}
