/*
 * test_hex.c
 *		lc_hex.
 */
#include "harness.h"
#include "lc_hex.h"

static void
refuses(const char *text, size_t n, const char *name)
{
	uint8_t		out[4] = {1, 2, 3, 4};

	ok(lc_hex_decode(text, strlen(text), out, n) == LC_ERR_SYNTAX &&
	   memcmp(out, "\1\2\3\4", 4) == 0, "refused, output untouched: %s", name);
}

int
main(void)
{
	uint8_t		all[256];
	uint8_t		back[256];
	char		text[512];
	int			i;

	for (i = 0; i < 256; i++)
		all[i] = (uint8_t) i;
	lc_hex_encode(all, sizeof(all), text);
	is_bytes(text, 8, "00010203", 8, "lower bytes");
	is_bytes(text + 2 * 0x9a, 8, "9a9b9c9d", 8, "both kinds of digit, small letters");
	is_bytes(text + 508, 4, "feff", 4, "upper bytes");
	is_status(lc_hex_decode(text, sizeof(text), back, sizeof(back)), LC_OK, "all bytes decode");
	ok(memcmp(all, back, sizeof(all)) == 0, "to what they were");
	is_status(lc_hex_decode("", 0, back, 0), LC_OK, "nothing decodes to nothing");

	refuses("0102030", 4, "odd length");
	refuses("010203", 4, "too short");
	refuses("0102030405", 4, "too long");
	refuses("0102030A", 4, "a capital");
	refuses("0102030g", 4, "behind f");
	refuses("0102030`", 4, "before a");
	refuses("010203/0", 4, "before 0");
	refuses("010203:0", 4, "behind 9");
	refuses("0x010203", 4, "a prefix");
	refuses("010203\xc3\xa9", 4, "not ASCII");
	return done();
}
