/*
 * test_base64.c
 *		lc_base64, both ways: the test vectors of RFC 4648 section 10, and every way to
 *		spell a text wrong.
 */
#include "harness.h"
#include "lc_base64.h"

static void
decodes(const char *text, const char *bytes)
{
	uint8_t		out[16];
	size_t		n;

	ok(lc_base64_decode(text, strlen(text), out, sizeof(out), &n) == LC_OK &&
	   n == strlen(bytes) && memcmp(out, bytes, n) == 0, "\"%s\" is \"%s\"", text, bytes);
}

static void
refuses(const char *text, size_t len, lc_status wanted, const char *name)
{
	uint8_t		out[4];
	size_t		n;
	char	   *copy = malloc(len);	/* of that length, so that a look behind it is seen */

	if (copy == NULL)
		abort();
	memcpy(copy, text, len);
	ok(lc_base64_decode(copy, len, out, sizeof(out), &n) == wanted, "refused: %s", name);
	free(copy);
}

/* ---- checking and writing ---- */

static void
encodes(const char *bytes, size_t n, const char *want)
{
	lc_buf		out;
	size_t		count;

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_buf_put_base64(&out, bytes, n);
	is_text(&out, want, want);
	ok(lc_base64_check(want, strlen(want), &count) == LC_OK && count == n, "stands for %zu bytes", n);
	lc_buf_free(&out);
}

static void
test_encode(void)
{
	encodes("", 0, "");
	encodes("f", 1, "Zg==");
	encodes("fo", 2, "Zm8=");
	encodes("foo", 3, "Zm9v");
	encodes("foob", 4, "Zm9vYg==");
	encodes("fooba", 5, "Zm9vYmE=");
	encodes("foobar", 6, "Zm9vYmFy");
	encodes("\xfb\xf0\x3d\xff\x00", 5, "+/A9/wA=");
}

/* To a buffer, in either alphabet. */
static void
appends(const char *text, lc_status want, const char *bytes, size_t n)
{
	size_t		len = strlen(text);
	char	   *copy = exact_copy(text, len);
	lc_buf		out;

	lc_buf_init(&out, &lc_alloc_malloc);
	lc_buf_puts(&out, "kept");
	is_status(lc_buf_put_base64_decoded(&out, copy, len), want, text);
	is_bytes(out.data + 4, out.len - 4, bytes, n, "appended");
	lc_buf_free(&out);
	free(copy);
}

static void
test_append(void)
{
	appends("", LC_OK, "", 0);
	appends("Zm9vYmE=", LC_OK, "fooba", 5);
	appends("+/A9", LC_OK, "\xfb\xf0\x3d", 3);
	appends("-_A9", LC_OK, "\xfb\xf0\x3d", 3);
	appends("-/A9", LC_ERR_SYNTAX, "", 0);
	appends("+_A9", LC_ERR_SYNTAX, "", 0);
	appends("Zm9vZh==", LC_ERR_SYNTAX, "", 0);
	appends("Zm9vZg=", LC_ERR_SYNTAX, "", 0);
}

/* Longer than the pieces that it is decoded in. */
static void
test_pieces(void)
{
	lc_buf		text;
	lc_buf		out;
	size_t		n;
	char		bytes[500];

	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_init(&out, &lc_alloc_malloc);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (char) (i * 7);
	lc_buf_put_base64(&text, bytes, sizeof(bytes));
	ok(lc_base64_check(text.data, text.len, &n) == LC_OK && n == sizeof(bytes), "500 bytes");
	is_status(lc_buf_put_base64_decoded(&out, text.data, text.len), LC_OK, "decode");
	is_bytes(out.data, out.len, bytes, sizeof(bytes), "to what they were");

	/* A wrong digit in the second piece, when the first has been decoded. */
	text.data[300] = '?';
	lc_buf_reset(&out);
	is_status(lc_buf_put_base64_decoded(&out, text.data, text.len), LC_ERR_SYNTAX, "a wrong digit further on");
	is_int((int64_t) out.len, 0, "leaves nothing");
	text.data[300] = 'A';

	/* Padding at the end of the first piece. */
	text.data[255] = '=';
	text.data[254] = 'A';
	is_status(lc_base64_check(text.data, text.len, &n), LC_ERR_SYNTAX, "padding in the middle");
	lc_buf_reset(&out);
	is_status(lc_buf_put_base64_decoded(&out, text.data, text.len), LC_ERR_SYNTAX, "nor does it decode");
	is_int((int64_t) out.len, 0, "to anything");
	lc_buf_free(&text);
	lc_buf_free(&out);
}

int
main(void)
{
	uint8_t		out[4];
	size_t		n;

	decodes("", "");
	decodes("Zg==", "f");
	decodes("Zm8=", "fo");
	decodes("Zm9v", "foo");
	decodes("Zm9vYg==", "foob");
	decodes("Zm9vYmE=", "fooba");
	decodes("Zm9vYmFy", "foobar");
	is_status(lc_base64_decode("+/A9", 4, out, sizeof(out), &n), LC_OK, "every kind of digit decodes");
	is_bytes((char *) out, n, "\xfb\xf0\x3d", 3, "to its bytes");

	refuses("Zg=", 3, LC_ERR_SYNTAX, "missing padding");
	refuses("Zg", 2, LC_ERR_SYNTAX, "no padding");
	refuses("Zh==", 4, LC_ERR_SYNTAX, "stray bits before ==");
	refuses("Zm9=", 4, LC_ERR_SYNTAX, "stray bits before =");
	refuses("Z===", 4, LC_ERR_SYNTAX, "three paddings");
	refuses("====", 4, LC_ERR_SYNTAX, "only padding");
	refuses("Zg==Zg==", 8, LC_ERR_SYNTAX, "padding in the middle");
	refuses("Zm9v\n", 5, LC_ERR_SYNTAX, "a newline behind");
	refuses("Zm\n9", 4, LC_ERR_SYNTAX, "a newline inside");
	refuses("-_A9", 4, LC_ERR_SYNTAX, "the other alphabet");
	refuses("Zm9vYmFy", 8, LC_ERR_TOO_LONG, "more bytes than there is room for");
	test_encode();
	test_append();
	test_pieces();
	return done();
}
