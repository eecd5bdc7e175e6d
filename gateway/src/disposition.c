/*
 * disposition.c
 *		Checks names of attachments and writes their headers.
 */
#include <string.h>

#include "disposition.h"
#include "lc_utf8.h"

#define NAME_MAX_BYTES 255

static const char digits_letters[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/* token of RFC 9110 section 5.6.2; how long it is. */
static size_t
token(const char *s)
{
	size_t		n = 0;

	while (s[n] != '\0' && (strchr(digits_letters, s[n]) != NULL || strchr("!#$%&'*+-.^_`|~", s[n]) != NULL))
		n++;
	return n;
}

/* quoted-string of RFC 9110 section 5.6.4, in ASCII; how long it is, 0: it is none. */
static size_t
quoted(const char *s)
{
	size_t		n = 1;

	if (s[0] != '"')
		return 0;
	for (; s[n] != '\0' && s[n] != '"'; n++)
	{
		if (s[n] == '\\')
			n++;
		if (s[n] < ' ' || s[n] > '~')
			return 0;
	}
	return s[n] == '"' ? n + 1 : 0;
}

bool
media_type_good(const char *text)
{
	size_t		n;

	if (strlen(text) > NAME_MAX_BYTES || (n = token(text)) == 0 || text[n] != '/')
		return false;
	text += n + 1;
	if ((n = token(text)) == 0)
		return false;
	text += n;
	while (*text != '\0')
	{
		text += strspn(text, " \t");
		if (*text != ';')
			return false;
		text += 1 + strspn(text + 1, " \t");
		if ((n = token(text)) == 0 || text[n] != '=')
			return false;
		text += n + 1;
		n = *text == '"' ? quoted(text) : token(text);
		if (n == 0)
			return false;
		text += n;
	}
	return true;
}

bool
file_name_good(const char *name)
{
	size_t		n = strlen(name),
				i;

	if (n == 0 || n > NAME_MAX_BYTES || !lc_utf8_valid(name, n, NULL) ||
		strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return false;
	for (i = 0; i < n; i++)
	{
		const unsigned char c = (unsigned char) name[i];

		/* U+0080 to U+009F are control characters too. */
		if (c < ' ' || c == 0x7f || c == '/' || c == '\\' || (c == 0xC2 && (unsigned char) name[i + 1] < 0xA0))
			return false;
	}
	return true;
}

/* value-chars of RFC 8187 section 3.2.1 stand for themselves. */
static void
put_extended(lc_buf *out, const char *name)
{
	static const char hex[] = "0123456789ABCDEF";

	lc_buf_puts(out, "; filename*=UTF-8''");
	for (; *name != '\0'; name++)
		if (strchr(digits_letters, *name) != NULL || strchr("!#$&+-.^_`|~", *name) != NULL)
			lc_buf_putc(out, *name);
		else
		{
			lc_buf_putc(out, '%');
			lc_buf_putc(out, hex[(unsigned char) *name >> 4]);
			lc_buf_putc(out, hex[(unsigned char) *name & 15]);
		}
}

/* For readers that do not know filename*: "_" for what is quoted, percent or not ASCII. */
static void
put_plain(lc_buf *out, const char *name)
{
	lc_buf_puts(out, "; filename=\"");
	for (; *name != '\0'; name++)
		/* Of a character of several bytes the first alone counts. */
		if (((unsigned char) *name & 0xC0) != 0x80)
			lc_buf_putc(out, *name < ' ' || *name > '~' || strchr("\"%\\", *name) != NULL ? '_' : *name);
	lc_buf_putc(out, '"');
}

void
disposition_set(reply *r, const char *media_type, const char *file_name)
{
	lc_buf		value;

	lc_buf_init(&value, &lc_alloc_malloc);
	lc_buf_puts(&value, "attachment");
	if (file_name[0] != '\0')
	{
		put_plain(&value, file_name);
		put_extended(&value, file_name);
	}
	reply_header_set(r, "Content-Type", media_type);
	reply_header_set(r, "Content-Disposition", value.status == LC_OK ? value.data : "attachment");
	/* That types are not to be guessed, every answer says (respond.c). */
	reply_header_set(r, "Content-Security-Policy", "default-src 'none'; sandbox");
	reply_header_set(r, "Cache-Control", "private, no-store");
	lc_buf_free(&value);
}
