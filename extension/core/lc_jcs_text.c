/*
 * lc_jcs_text.c
 *		Canonical string literals, and the steps of a path.
 *
 * The escapes are RFC 8785's and no others: DEL, U+2028 and everything else
 * above U+001F but quote and backslash stand as they are.
 */
#include "lc_jcs.h"
#include "lc_utf8.h"

/* RFC 8785 section 3.2.2.2: these seven have short forms, no others. */
static void
put_escape(lc_buf *out, unsigned char c)
{
	static const char hex[] = "0123456789abcdef";
	char		escape[6] = {'\\', 0, '0', '0', 0, 0};

	switch (c)
	{
		case '\b':
			escape[1] = 'b';
			break;
		case '\t':
			escape[1] = 't';
			break;
		case '\n':
			escape[1] = 'n';
			break;
		case '\f':
			escape[1] = 'f';
			break;
		case '\r':
			escape[1] = 'r';
			break;
		case '"':
		case '\\':
			escape[1] = (char) c;
			break;
		default:
			escape[1] = 'u';
			escape[4] = hex[c >> 4];
			escape[5] = hex[c & 15];
			lc_buf_append(out, escape, 6);
			return;
	}
	lc_buf_append(out, escape, 2);
}

void
lc_jcs_put_string(lc_buf *out, const char *s, size_t n)
{
	size_t		run = 0;		/* start of what needs no escape */
	size_t		i;

	if (out->status != LC_OK)
		return;
	if (!lc_utf8_valid(s, n, NULL))
	{
		out->status = LC_ERR_UTF8;
		return;
	}
	lc_buf_putc(out, '"');
	for (i = 0; i < n; i++)
	{
		unsigned char c = (unsigned char) s[i];

		if (c >= 0x20 && c != '"' && c != '\\')
			continue;
		lc_buf_append(out, s + run, i - run);
		put_escape(out, c);
		run = i + 1;
	}
	lc_buf_append(out, s + run, n - run);
	lc_buf_putc(out, '"');
}

/* ECMAScript's identifiers, ASCII only: what may stand behind a dot. */
static bool
is_identifier(const char *s, size_t n)
{
	size_t		i;

	for (i = 0; i < n; i++)
	{
		char		c = s[i];

		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$')
			continue;
		if (i == 0 || c < '0' || c > '9')
			return false;
	}
	return n > 0;
}

void
lc_jcs_put_path_key(lc_buf *out, const char *s, size_t n)
{
	if (is_identifier(s, n))
	{
		lc_buf_putc(out, '.');
		lc_buf_append(out, s, n);
		return;
	}
	lc_buf_putc(out, '[');
	lc_jcs_put_string(out, s, n);
	lc_buf_putc(out, ']');
}

void
lc_jcs_put_path_index(lc_buf *out, size_t index)
{
	lc_buf_putc(out, '[');
	lc_buf_put_int64(out, (int64_t) index);
	lc_buf_putc(out, ']');
}
