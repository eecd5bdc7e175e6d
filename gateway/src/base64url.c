/*
 * base64url.c
 *		The alphabet of RFC 4648 section 5, without padding.
 */
#include "base64url.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int
digit_of(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

bool
base64url_decode(const char *text, size_t n, uint8_t *out, size_t cap, size_t *len)
{
	uint32_t	bits = 0;
	int			have = 0;		/* bits of bits that are not written yet: 0, 2, 4 or 6 */
	size_t		written = 0;

	for (size_t i = 0; i < n; i++)
	{
		int			digit = digit_of(text[i]);

		if (digit < 0)
			return false;
		bits = (bits << 6 | (uint32_t) digit) & 0xFFF;
		have += 6;
		if (have < 8)
			continue;
		if (written == cap)
			return false;
		have -= 8;
		out[written++] = (uint8_t) (bits >> have);
	}
	/* Six bits over are a lone character; others that are not zero are a second spelling. */
	if (have == 6 || (bits & ((1U << have) - 1)) != 0)
		return false;
	*len = written;
	return true;
}

bool
base64url_append_decoded(lc_buf *out, const char *text, size_t n)
{
	size_t		mark = out->len;
	uint8_t		piece[48];
	size_t		got;

	/* Whole groups of four, so that only the last piece may end within one. */
	while (n > 0)
	{
		size_t		take = n > 64 ? 64 : n;

		if (!base64url_decode(text, take, piece, sizeof(piece), &got))
		{
			lc_buf_truncate(out, mark);
			return false;
		}
		lc_buf_append(out, piece, got);
		text += take;
		n -= take;
	}
	return true;
}

void
base64url_append(lc_buf *out, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	for (; n >= 3; p += 3, n -= 3)
	{
		uint32_t	bits = (uint32_t) p[0] << 16 | (uint32_t) p[1] << 8 | p[2];
		char		group[4] = {digits[bits >> 18], digits[bits >> 12 & 63], digits[bits >> 6 & 63], digits[bits & 63]};

		lc_buf_append(out, group, sizeof(group));
	}
	if (n > 0)
	{
		uint32_t	bits = (uint32_t) p[0] << 16 | (n > 1 ? (uint32_t) p[1] << 8 : 0);
		char		group[3] = {digits[bits >> 18], digits[bits >> 12 & 63], digits[bits >> 6 & 63]};

		lc_buf_append(out, group, n + 1);
	}
}
