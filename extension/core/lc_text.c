/*
 * lc_text.c
 *		Lines and whole numbers, strictly: each has one spelling, so that a
 *		text that was changed in any byte reads differently or not at all.
 *
 * Pure functions of borrowed bytes; they neither allocate nor keep anything.
 */
#include <string.h>

#include "lc_text.h"
#include "lc_utf8.h"

bool
lc_text_line(lc_str *rest, lc_str *line)
{
	const char *end = rest->n > 0 ? memchr(rest->s, '\n', rest->n) : NULL;

	if (end == NULL)
		return false;
	line->s = rest->s;
	line->n = (size_t) (end - rest->s);
	rest->s = end + 1;
	rest->n -= line->n + 1;
	return true;
}

bool
lc_text_skip(lc_str *text, const char *prefix)
{
	size_t		n = strlen(prefix);

	if (text->n < n || memcmp(text->s, prefix, n) != 0)
		return false;
	text->s += n;
	text->n -= n;
	return true;
}

bool
lc_text_uint(lc_str text, uint64_t *value)
{
	uint64_t	sum = 0;

	if (text.n == 0 || (text.n > 1 && text.s[0] == '0'))
		return false;
	for (size_t i = 0; i < text.n; i++)
	{
		unsigned	digit = (unsigned char) text.s[i] - (unsigned) '0';

		/* INT64_MAX ends in 7. */
		if (digit > 9 || sum > (uint64_t) INT64_MAX / 10 ||
			(sum == (uint64_t) INT64_MAX / 10 && digit > 7))
			return false;
		sum = sum * 10 + digit;
	}
	*value = sum;
	return true;
}

lc_status
lc_text_printable(const char *text, size_t n)
{
	if (!lc_utf8_valid(text, n, NULL))
		return LC_ERR_UTF8;
	for (size_t i = 0; i < n; i++)
	{
		if ((unsigned char) text[i] < 0x20 && text[i] != '\n')
			return LC_ERR_SYNTAX;
	}
	return LC_OK;
}
