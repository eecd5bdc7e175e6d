/*
 * lc_hex.c
 *		Bytes to lower-case hex and back.
 *
 * Decoding is strict because a hash has one spelling: two texts that decode
 * to the same bytes would be two different envelopes for the same event.
 * Nothing secret passes through here, so nothing tries to be constant-time.
 */
#include "lc_hex.h"

static const char hex_digits[] = "0123456789abcdef";

void
lc_hex_encode(const uint8_t *bytes, size_t n, char *out)
{
	size_t		i;

	for (i = 0; i < n; i++)
	{
		out[2 * i] = hex_digits[bytes[i] >> 4];
		out[2 * i + 1] = hex_digits[bytes[i] & 15];
	}
}

/* The value of one digit, or -1. */
static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

lc_status
lc_hex_decode(const char *text, size_t len, uint8_t *out, size_t n)
{
	size_t		i;

	if (n > SIZE_MAX / 2 || len != 2 * n)
		return LC_ERR_SYNTAX;

	/* Look at all of it first: out stays untouched on failure. */
	for (i = 0; i < len; i++)
	{
		if (hex_value(text[i]) < 0)
			return LC_ERR_SYNTAX;
	}
	for (i = 0; i < n; i++)
		out[i] = (uint8_t) (hex_value(text[2 * i]) << 4 | hex_value(text[2 * i + 1]));
	return LC_OK;
}
