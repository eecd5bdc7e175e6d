/*
 * test_base64.c
 *		lc_base64: the test vectors of RFC 4648 section 10, and every way to
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
	return done();
}
