/*
 * test_utf8.c
 *		lc_utf8.
 */
#include "harness.h"
#include "lc_utf8.h"

static void
good(const char *s, size_t n, const char *name)
{
	size_t		bad = 12345;

	ok(lc_utf8_valid(s, n, &bad) && bad == 12345, "well-formed: %s", name);
}

static void
bad_at(const char *s, size_t n, size_t want, const char *name)
{
	size_t		bad = 12345;

	if (!ok(!lc_utf8_valid(s, n, &bad) && bad == want && !lc_utf8_valid(s, n, NULL),
			"ill-formed: %s", name))
		printf("#   found at %zu, expected at %zu\n", bad, want);
}

#define GOOD(literal, name) good(literal, sizeof(literal) - 1, name)
#define BAD(literal, at, name) bad_at(literal, sizeof(literal) - 1, at, name)

static void
test_validity(void)
{
	GOOD("", "nothing");
	GOOD("plain ASCII, longer than a word", "ASCII");
	GOOD("a\0b", "U+0000 is UTF-8");
	GOOD("\xc2\x80 \xdf\xbf", "first and last of two bytes");
	GOOD("\xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80 \xef\xbf\xbf", "first and last of three bytes");
	GOOD("\xf0\x90\x80\x80 \xf4\x8f\xbf\xbf", "first and last of four bytes");
	BAD("\x80", 0, "a continuation alone");
	BAD("12345678\xbf", 8, "the same behind a whole word");
	BAD("abc\xc3", 3, "cut after one byte of two");
	BAD("abc\xe2\x82", 3, "cut after two bytes of three");
	BAD("abc\xf0\x9f\x98", 3, "cut after three bytes of four");
	BAD("\xc3(", 0, "second byte is none");
	BAD("\xe2\x82(", 0, "third byte is none");
	BAD("\xf0\x9f\x98(", 0, "fourth byte is none");
	BAD("\xc0\xaf", 0, "overlong slash, two bytes");
	BAD("\xc1\xbf", 0, "overlong, lead C1");
	BAD("\xe0\x80\xaf", 0, "overlong slash, three bytes");
	BAD("\xe0\x9f\xbf", 0, "overlong, last of its kind");
	BAD("\xf0\x80\x80\xaf", 0, "overlong slash, four bytes");
	BAD("\xf0\x8f\xbf\xbf", 0, "overlong, last of its kind");
	BAD("\xed\xa0\x80", 0, "the first surrogate");
	BAD("\xed\xbf\xbf", 0, "the last surrogate");
	BAD("\xf4\x90\x80\x80", 0, "U+110000");
	BAD("\xf5\x80\x80\x80", 0, "lead F5");
	BAD("\xff", 0, "FF");
	BAD("\xfe", 0, "FE");
	BAD("\xc3\xa9\xc3\xa9\xc3\xa9\xc3\xa9\xff\xc3", 8, "behind good ones");
}

/* ASCII is passed over in words: each byte of a word is looked at all the same. */
static void
test_words(void)
{
	char		text[24];
	size_t		at;
	size_t		bad;
	bool		right = true;

	for (at = 0; at < sizeof(text); at++)
	{
		memset(text, 'a', sizeof(text));
		text[at] = (char) 0x80;
		right = !lc_utf8_valid(text, sizeof(text), &bad) && bad == at && right;
	}
	ok(right, "a bad byte is found wherever it stands");
}

/* Encode without the core: the code points below U+110000 that are characters. */
static size_t
encode(uint32_t c, char *to)
{
	if (c < 0x80)
		return (size_t) sprintf(to, "%c", (int) c);
	if (c < 0x800)
		return (size_t) sprintf(to, "%c%c", (int) (0xC0 + c / 64), (int) (0x80 + c % 64));
	if (c < 0x10000)
		return (size_t) sprintf(to, "%c%c%c", (int) (0xE0 + c / 4096),
								(int) (0x80 + c / 64 % 64), (int) (0x80 + c % 64));
	return (size_t) sprintf(to, "%c%c%c%c", (int) (0xF0 + c / 262144),
							(int) (0x80 + c / 4096 % 64), (int) (0x80 + c / 64 % 64),
							(int) (0x80 + c % 64));
}

static void
test_every_character(void)
{
	char		text[8];
	uint32_t	c;
	bool		right = true;

	for (c = 1; c < 0x110000; c++)
	{
		size_t		n = encode(c, text);
		bool		surrogate = c >= 0xD800 && c <= 0xDFFF;

		right = right && lc_utf8_valid(text, n, NULL) == !surrogate;
	}
	ok(right, "every code point but the surrogates is well-formed");
}

/* UTF-16 units of a code point, most significant first. */
static uint32_t
utf16_key(uint32_t c)
{
	if (c < 0x10000)
		return c << 16;
	c -= 0x10000;
	return (0xD800 + (c >> 10)) << 16 | (0xDC00 + (c & 0x3FF));
}

static int
sign(int value)
{
	return (value > 0) - (value < 0);
}

static void
compare_is(const char *a, const char *b, int want, const char *name)
{
	ok(sign(lc_utf16_compare(a, strlen(a), b, strlen(b))) == want &&
	   sign(lc_utf16_compare(b, strlen(b), a, strlen(a))) == -want, "order: %s", name);
}

static void
test_order(void)
{
	static const uint32_t points[] = {
		1, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xefff, 0xf000, 0xfb33, 0xfffd, 0xffff,
		0x10000, 0x103ff, 0x10400, 0x1f600, 0x3ffff, 0x40000, 0x100000, 0x10ffff,
	};
	size_t		count = sizeof(points) / sizeof(points[0]);
	size_t		i;
	size_t		j;
	bool		right = true;

	compare_is("", "", 0, "nothing equals nothing");
	compare_is("", "a", -1, "nothing comes first");
	compare_is("a", "aa", -1, "a prefix comes first");
	compare_is("12345678abc", "12345678abd", -1, "behind a whole word");
	compare_is("12345678", "123456789", -1, "a whole word as a prefix");
	compare_is("\xf0\x9f\x98\x80", "\xef\xac\xb3", -1, "U+1F600 before U+FB33");
	compare_is("x\xf0\x9f\x98\x80", "x\xee\x80\x80", -1, "U+1F600 before U+E000");
	compare_is("\xf0\x9f\x98\x80", "\xed\x9f\xbf", 1, "U+1F600 behind U+D7FF");
	compare_is("\xf0\x9f\x98\x80", "\xf0\x9f\x98\x81", -1, "two above U+FFFF");
	compare_is("\xee\x80\x80", "\xef\xbf\xbf", -1, "two of U+E000 to U+FFFF");
	compare_is("\xf0\x9f\x98\x80z", "\xf0\x9f\x98\x80", 1, "a suffix after an astral character");

	for (i = 0; i < count; i++)
	{
		for (j = 0; j < count; j++)
		{
			char		a[8];
			char		b[8];
			size_t		an = encode(points[i], a);
			size_t		bn = encode(points[j], b);
			uint32_t	x = utf16_key(points[i]);
			uint32_t	y = utf16_key(points[j]);

			right = right && sign(lc_utf16_compare(a, an, b, bn)) == (x > y) - (x < y);
		}
	}
	ok(right, "order of all pairs of edge characters is that of their UTF-16");
}

int
main(void)
{
	test_validity();
	test_words();
	test_every_character();
	test_order();
	return done();
}
