/*
 * test_tlogproof.c
 *		lc_tlogproof: the example of C2SP tlog-proof but for its elided signatures,
 *		and what is no bundle.
 */
#include "harness.h"
#include "lc_tlogproof.h"

#define FIRST "c2sp.org/tlog-proof@v1\n"
#define HASH "gSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQ=\n"

/* The specification's example up to its signatures, which are cut short there. */
#define SPEC_HEAD \
	FIRST \
	"extra YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ\n" \
	"index 73894\n" \
	HASH \
	"B95lDa8R83lS8n0eG+o0buTxRKQTYFi//1U8anccXmA=\n" \
	"EKNzoDWG8LGC0Yp9o+sv3qllpMP9uHQ9B20KNL+Q1zs=\n" \
	"RoopEkOdqkYqMB4MJXrbt/hMjOxsVn0IrWjpz1ZMMes=\n" \
	"AHCioX9nLjsrse6YhjRRmk1WUEirVOLLRoOQ6vfO5vk=\n" \
	"\n"
#define SPEC_CHECKPOINT \
	"example.com/fancylog\n" \
	"109482\n" \
	"sFodV/vSp5O8n9a8QpW6PRY97tfOSW5bsc2Xl/EQi08=\n" \
	"\n" \
	"what follows is not looked into\n"

static void
test_spec(void)
{
	static const char spec[] = SPEC_HEAD SPEC_CHECKPOINT;
	lc_tlogproof p;
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	is_status(lc_tlogproof_parse(spec, strlen(spec), &p), LC_OK, "the example of the specification");
	is_int((int64_t) p.index, 73894, "its index");
	ok(same(p.extra, "YWdlLXYxLjIuMS1kYXJ3aW4tYXJtNjQudGFyLmd6kYXJ3aW4tYXJ"), "its extra data");
	is_int((int64_t) p.proof.count, 5, "its hashes");
	is_hex(p.proof.hashes[0], LC_HASH_LEN,
		   "8122b25e861952067a8ddb9662b9033804629ce30626f7978e032405371d3e54", "the first");
	is_hex(p.proof.hashes[4], LC_HASH_LEN,
		   "0070a2a17f672e3b2bb1ee988634519a4d565048ab54e2cb468390eaf7cee6f9", "the last");
	ok(same(p.checkpoint, SPEC_CHECKPOINT), "its checkpoint");
	lc_tlogproof_format(&out, &p);
	is_text(&out, spec, "written it is the same text");
	lc_buf_free(&out);
}

static void
test_least(void)
{
	static const char least[] = FIRST "index 0\n\nx";
	lc_tlogproof p;
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	is_status(lc_tlogproof_parse(least, strlen(least), &p), LC_OK, "a tree of one leaf has no hashes");
	ok(p.index == 0 && p.proof.count == 0 && p.extra.s == NULL && same(p.checkpoint, "x"), "and is read so");
	lc_tlogproof_format(&out, &p);
	is_text(&out, least, "written it is the same text");
	lc_buf_free(&out);
}

static lc_status
parse_exact(const char *text, size_t n)
{
	char	   *copy = exact_copy(text, n);
	lc_tlogproof p;
	lc_status	status = lc_tlogproof_parse(copy, n, &p);

	free(copy);
	return status;
}

static void
refuses(const char *text, const char *name)
{
	is_status(parse_exact(text, strlen(text)), LC_ERR_SYNTAX, name);
}

static void
test_refusals(void)
{
	refuses("", "nothing");
	refuses("c2sp.org/tlog-proof@v1", "no newline");
	refuses(FIRST, "the first line alone");
	refuses("c2sp.org/tlog-proof@v2\nindex 0\n\nx", "another version");
	refuses("c2sp.org/tlog-proof@v1 \nindex 0\n\nx", "a space behind the version");
	refuses("\n" FIRST "index 0\n\nx", "an empty line before");
	refuses(FIRST "\n\nx", "no index");
	refuses(FIRST "index \n\nx", "an empty index");
	refuses(FIRST "index 00\n\nx", "a leading zero");
	refuses(FIRST "index -1\n\nx", "a sign");
	refuses(FIRST "index 9223372036854775808\n\nx", "an index of 2^63");
	refuses(FIRST "index 0 \n\nx", "a space behind");
	refuses(FIRST "index  0\n\nx", "two spaces");
	refuses(FIRST "Index 0\n\nx", "a capital");
	refuses(FIRST "index 0\nextra AAAA\n\nx", "extra data behind the index");
	refuses(FIRST "extra AAAA\nextra AAAA\nindex 0\n\nx", "extra data twice");
	refuses(FIRST "extra \nindex 0\n\nx", "empty extra data, which is to be left out");
	refuses(FIRST "extra AAA\nindex 0\n\nx", "extra data without padding");
	refuses(FIRST "extra AAB=\nindex 0\n\nx", "stray bits in it");
	refuses(FIRST "extraAAAA\nindex 0\n\nx", "no space behind extra");
	refuses(FIRST "extra AAAA", "a line that does not end");
	refuses(FIRST "index 0\n" HASH "x", "no empty line");
	refuses(FIRST "index 0\n" HASH, "no empty line and nothing else");
	refuses(FIRST "index 0\n\n", "no checkpoint");
	refuses(FIRST "index 0\ngSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPg==\n\nx", "a hash of 31 bytes");
	refuses(FIRST "index 0\ngSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlQA\n\nx", "one of 33");
	refuses(FIRST "index 0\ngSKyXoYZUgZ6jduWYrkDOARinOMGJveXjgMkBTcdPlR=\n\nx", "stray bits in one");
	refuses(FIRST "index 0\n \n\nx", "a space");
	refuses(FIRST "index 0\r\n\nx", "a carriage return");
}

static void
test_limits(void)
{
	lc_buf		text;

	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_puts(&text, FIRST "index 9223372036854775807\n");
	for (int i = 0; i < LC_MERKLE_MAX_HEIGHT; i++)
		lc_buf_puts(&text, HASH);
	lc_buf_puts(&text, "\nx");
	is_status(parse_exact(text.data, text.len), LC_OK, "63 hashes, the greatest index");
	lc_buf_truncate(&text, text.len - 2);
	lc_buf_puts(&text, HASH "\nx");
	is_status(parse_exact(text.data, text.len), LC_ERR_TOO_LONG, "64 no tree needs");

	lc_buf_reset(&text);
	lc_buf_puts(&text, FIRST "index 0\n\n");
	while (text.len < LC_NOTE_MAX_LEN + strlen(FIRST "index 0\n\n"))
		lc_buf_putc(&text, 'x');
	is_status(parse_exact(text.data, text.len), LC_OK, "a checkpoint of a million bytes");
	lc_buf_putc(&text, 'x');
	is_status(parse_exact(text.data, text.len), LC_ERR_TOO_LONG, "one more");

	lc_buf_reset(&text);
	lc_buf_puts(&text, FIRST "extra ");
	while (text.len <= LC_NOTE_MAX_LEN + strlen(FIRST "extra "))
		lc_buf_puts(&text, "AAAA");
	lc_buf_puts(&text, "\nindex 0\n\nx");
	is_status(parse_exact(text.data, text.len), LC_ERR_TOO_LONG, "extra data of more than a million");
	lc_buf_free(&text);
}

int
main(void)
{
	test_spec();
	test_least();
	test_refusals();
	test_limits();
	return done();
}
