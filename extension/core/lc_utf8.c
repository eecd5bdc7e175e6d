/*
 * lc_utf8.c
 *		UTF-8 validity, and order by UTF-16 code units without converting.
 *
 * Pure functions of their arguments; they neither allocate nor fail.
 */
#include <string.h>

#include "lc_utf8.h"

#define HIGH_BITS UINT64_C(0x8080808080808080)

/*
 * Length of the well-formed sequence at s (n >= 1 bytes left), or 0.
 *
 * The bounds on the second byte are table 3-7 of the Unicode standard: they
 * alone exclude overlong forms (a second spelling of "/" or of a key),
 * surrogates, and everything above U+10FFFF.
 */
static size_t
sequence_length(const uint8_t *s, size_t n)
{
	uint8_t		lead = s[0];
	uint8_t		low = 0x80;
	uint8_t		high = 0xBF;
	size_t		len;
	size_t		i;

	if (lead < 0x80)
		return 1;
	if (lead >= 0xC2 && lead <= 0xDF)
		len = 2;
	else if (lead >= 0xE0 && lead <= 0xEF)
		len = 3;
	else if (lead >= 0xF0 && lead <= 0xF4)
		len = 4;
	else
		return 0;

	if (n < len)
		return 0;
	if (lead == 0xE0)
		low = 0xA0;				/* else overlong */
	else if (lead == 0xED)
		high = 0x9F;			/* else a surrogate */
	else if (lead == 0xF0)
		low = 0x90;				/* else overlong */
	else if (lead == 0xF4)
		high = 0x8F;			/* else above U+10FFFF */
	if (s[1] < low || s[1] > high)
		return 0;
	for (i = 2; i < len; i++)
	{
		if ((s[i] & 0xC0) != 0x80)
			return 0;
	}
	return len;
}

bool
lc_utf8_valid(const char *s, size_t n, size_t *bad)
{
	const uint8_t *p = (const uint8_t *) s;
	size_t		i = 0;

	while (i < n)
	{
		size_t		len;

		if (n - i >= sizeof(uint64_t))
		{
			uint64_t	word;

			memcpy(&word, p + i, sizeof(word));
			if ((word & HIGH_BITS) == 0)
			{
				i += sizeof(word);
				continue;
			}
		}
		len = sequence_length(p + i, n - i);
		if (len == 0)
		{
			if (bad != NULL)
				*bad = i;
			return false;
		}
		i += len;
	}
	return true;
}

int
lc_utf16_compare(const char *a, size_t an, const char *b, size_t bn)
{
	const uint8_t *x = (const uint8_t *) a;
	const uint8_t *y = (const uint8_t *) b;
	size_t		n = (an < bn) ? an : bn;
	size_t		i = 0;

	while (n - i >= sizeof(uint64_t) && memcmp(x + i, y + i, sizeof(uint64_t)) == 0)
		i += sizeof(uint64_t);
	while (i < n && x[i] == y[i])
		i++;
	if (i == n)
		return (an > bn) - (an < bn);

	/*
	 * Bytes of well-formed UTF-8 compare as code points do.  UTF-16 differs in
	 * one case: a character above U+FFFF begins with a surrogate, D800 to
	 * DFFF, and so sorts before U+E000 to U+FFFF.  The latter have the lead
	 * bytes EE and EF, the former F0 to F4; both are lead bytes only, so the
	 * first differing byte settles it.
	 */
	if (x[i] >= 0xEE && y[i] >= 0xEE && (x[i] >= 0xF0) != (y[i] >= 0xF0))
		return (x[i] >= 0xF0) ? -1 : 1;
	return (x[i] < y[i]) ? -1 : 1;
}
