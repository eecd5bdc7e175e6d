/*
 * lc_base64.c
 *		Base64, strictly: a salt has one spelling, so that a line that was
 *		changed in any byte is noticed.
 */
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
