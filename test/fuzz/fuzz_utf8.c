/*
 * fuzz_utf8.c
 *		UTF-8 validity and the order by UTF-16, against a decoder that works
 *		character by character and makes real UTF-16.
 */
#include "fuzz.h"
#include "lc_utf8.h"

#define MOST 4096

/*
 * Decode by the arithmetic of RFC 3629: value first, then whether it needed so
 * many bytes.  False at the first sequence that is none, *at there.
 */
static bool
decode(const uint8_t *s, size_t n, uint16_t *units, size_t *count, size_t *at)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t		i;

	*count = 0;
	for (*at = 0; *at < n; *at += i)
	{
		uint8_t		lead = s[*at];
		size_t		len = lead < 0x80 ? 1 : lead >> 5 == 6 ? 2 : lead >> 4 == 14 ? 3 : lead >> 3 == 30 ? 4 : 0;
		uint32_t	c = len < 2 ? lead : lead & (0xFFu >> (len + 1));

		if (len == 0 || len > n - *at)
			return false;
		for (i = 1; i < len; i++)
		{
			if (s[*at + i] >> 6 != 2)
				return false;
			c = c * 64 + s[*at + i] % 64;
		}
		if (c < least[len] || c > 0x10FFFF || (c >= 0xD800 && c < 0xE000))
			return false;
		if (c >= 0x10000)
			units[(*count)++] = (uint16_t) (0xD800 + ((c - 0x10000) >> 10));
		units[(*count)++] = (uint16_t) (c >= 0x10000 ? 0xDC00 + ((c - 0x10000) & 0x3FF) : c);
	}
	return true;
}

static int
compare_units(const uint16_t *a, size_t an, const uint16_t *b, size_t bn)
{
	size_t		i;

	for (i = 0; i < an && i < bn; i++)
	{
		if (a[i] != b[i])
			return a[i] < b[i] ? -1 : 1;
	}
	return (an > bn) - (an < bn);
}

static int
sign(int value)
{
	return (value > 0) - (value < 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint16_t a[MOST];
	static uint16_t b[MOST];
	size_t		an;
	size_t		bn;
	size_t		at;
	size_t		bad = size;
	size_t		half;
	bool		valid;

	if (size > MOST)
		return 0;
	valid = decode(data, size, a, &an, &at);
	HOLDS(lc_utf8_valid((const char *) data, size, &bad) == valid);
	HOLDS(bad == at);
	if (size < 1)
		return 0;

	/* The first byte says where to cut the rest into two. */
	half = 1 + data[0] % size;
	if (decode(data + 1, half - 1, a, &an, &at) && decode(data + half, size - half, b, &bn, &at))
	{
		const char *x = (const char *) data + 1;
		const char *y = (const char *) data + half;

		HOLDS(sign(lc_utf16_compare(x, half - 1, y, size - half)) == compare_units(a, an, b, bn));
		HOLDS(sign(lc_utf16_compare(y, size - half, x, half - 1)) == compare_units(b, bn, a, an));
	}
	return 0;
}
