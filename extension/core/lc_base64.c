/*
 * lc_base64.c
 *		Base64, strictly: a salt has one spelling, so that a line that was
 *		changed in any byte is noticed.
 */
#include <string.h>

#include "lc_base64.h"

/* The value of one digit, or -1. */
static int
digit_value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+')
		return 62;
	if (c == '/')
		return 63;
	return -1;
}

/* One group of four digits, of which the last pad are '='. */
static lc_status
decode_group(const char *text, size_t pad, uint8_t out[3])
{
	uint32_t	bits = 0;

	for (size_t i = 0; i < 4; i++)
	{
		int			value = i < 4 - pad ? digit_value(text[i]) : 0;

		if (value < 0)
			return LC_ERR_SYNTAX;
		bits = bits << 6 | (uint32_t) value;
	}
	/* Bits behind the last byte must be zero, or two spellings would mean the same. */
	if ((pad == 1 && (bits & 0xff) != 0) || (pad == 2 && (bits & 0xffff) != 0))
		return LC_ERR_SYNTAX;
	out[0] = (uint8_t) (bits >> 16);
	out[1] = (uint8_t) (bits >> 8);
	out[2] = (uint8_t) bits;
	return LC_OK;
}

lc_status
lc_base64_decode(const char *text, size_t len, uint8_t *out, size_t cap, size_t *n)
{
	*n = 0;
	if (len % 4 != 0)
		return LC_ERR_SYNTAX;
	for (size_t i = 0; i < len; i += 4)
	{
		bool		last = i + 4 == len;
		size_t		pad = last && text[i + 3] == '=' ? (text[i + 2] == '=' ? 2 : 1) : 0;
		uint8_t		bytes[3];
		lc_status	status = decode_group(text + i, pad, bytes);

		if (status != LC_OK)
			return status;
		for (size_t k = 0; k < 3 - pad; k++)
		{
			if (*n == cap)
				return LC_ERR_TOO_LONG;
			out[(*n)++] = bytes[k];
		}
	}
	return LC_OK;
}

/* ---- the alphabet of section 5, and checking without a place to decode to ---- */

/* Bytes that one piece decodes to, on the stack: texts are of any length. */
#define PIECE_DIGITS 256
#define PIECE_BYTES (PIECE_DIGITS / 4 * 3)

/*
 * Decode in pieces, to out if it is not NULL.  Padding may stand in the last
 * piece only; decode_group sees to the rest.
 */
static lc_status
decode_pieces(const char *text, size_t len, bool url, lc_buf *out, size_t *n)
{
	char		digits[PIECE_DIGITS];
	uint8_t		bytes[PIECE_BYTES];

	*n = 0;
	for (size_t i = 0; i < len; i += PIECE_DIGITS)
	{
		size_t		some = len - i < PIECE_DIGITS ? len - i : PIECE_DIGITS;
		size_t		got;
		lc_status	status;

		for (size_t k = 0; k < some; k++)
		{
			char		c = text[i + k];

			if (url && (c == '-' || c == '_'))
				c = c == '-' ? '+' : '/';
			digits[k] = c;
		}
		status = lc_base64_decode(digits, some, bytes, sizeof(bytes), &got);
		if (status == LC_OK && i + some < len && got < PIECE_BYTES)
			status = LC_ERR_SYNTAX;
		if (status != LC_OK)
			return status;
		if (out != NULL)
			lc_buf_append(out, bytes, got);
		*n += got;
	}
	return LC_OK;
}

lc_status
lc_base64_check(const char *text, size_t len, size_t *n)
{
	return decode_pieces(text, len, false, NULL, n);
}

/* Does any of these two characters stand in the text? */
static bool
has_either(const char *text, size_t len, char a, char b)
{
	return len > 0 && (memchr(text, a, len) != NULL || memchr(text, b, len) != NULL);
}

lc_status
lc_buf_put_base64_decoded(lc_buf *out, const char *text, size_t len)
{
	bool		url = has_either(text, len, '-', '_');
	size_t		mark = out->len;
	size_t		n;
	lc_status	status;

	if (url && has_either(text, len, '+', '/'))
		return LC_ERR_SYNTAX;
	status = decode_pieces(text, len, url, out, &n);
	if (status != LC_OK)
	{
		if (out->len > mark)
			lc_buf_truncate(out, mark);
		return status;
	}
	return out->status;
}

/* ---- writing ---- */

static const char base64_digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void
lc_buf_put_base64(lc_buf *buf, const void *bytes, size_t n)
{
	const uint8_t *p = bytes;

	for (size_t i = 0; i < n; i += 3)
	{
		size_t		have = n - i < 3 ? n - i : 3;
		uint32_t	bits = (uint32_t) p[i] << 16;
		char		group[4] = {'=', '=', '=', '='};

		if (have > 1)
			bits |= (uint32_t) p[i + 1] << 8;
		if (have > 2)
			bits |= p[i + 2];
		for (size_t k = 0; k <= have; k++)
			group[k] = base64_digits[bits >> (18 - 6 * k) & 63];
		lc_buf_append(buf, group, sizeof(group));
	}
}
