/*
 * lc_jsonstring.c
 *		Strings of the strict parser: UTF-8, escapes, surrogate pairs.
 *
 * A string without escapes is passed on as it stands in the input; a decoded
 * one goes to an arena that lives as long as the parse, because the canonical
 * writer borrows names until their object ends.
 */
#include <string.h>

#include "lc_jsonparse_internal.h"
#include "lc_utf8.h"

#define ARENA_CHUNK 4096

/* n bytes that stay where they are until the parse ends, or NULL. */
static char *
arena_take(parser *p, size_t n)
{
	chunk	   *c = p->arena;
	size_t		size = n > ARENA_CHUNK ? n : ARENA_CHUNK;
	char	   *bytes;

	if (c == NULL || c->size - c->used < n)
	{
		if (size > SIZE_MAX - sizeof(chunk))
			return NULL;
		c = p->alloc->resize(p->alloc->ctx, NULL, sizeof(chunk) + size);
		if (c == NULL)
			return NULL;
		c->next = p->arena;
		c->used = 0;
		c->size = size;
		p->arena = c;
	}
	bytes = c->bytes + c->used;
	c->used += n;
	return bytes;
}

/* Four hex digits at offset, either case; -1 if they are not. */
static int
hex4(const parser *p, size_t offset)
{
	int			value = 0;
	size_t		i;

	if (p->n - offset < 4)
		return -1;
	for (i = offset; i < offset + 4; i++)
	{
		char		c = p->text[i];

		if (c >= '0' && c <= '9')
			value = value * 16 + (c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value * 16 + (c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			value = value * 16 + (c - 'A' + 10);
		else
			return -1;
	}
	return value;
}

static size_t
encode_utf8(uint32_t c, char *to)
{
	if (c < 0x80)
	{
		to[0] = (char) c;
		return 1;
	}
	if (c < 0x800)
	{
		to[0] = (char) (0xC0 | c >> 6);
		to[1] = (char) (0x80 | (c & 0x3F));
		return 2;
	}
	if (c < 0x10000)
	{
		to[0] = (char) (0xE0 | c >> 12);
		to[1] = (char) (0x80 | (c >> 6 & 0x3F));
		to[2] = (char) (0x80 | (c & 0x3F));
		return 3;
	}
	to[0] = (char) (0xF0 | c >> 18);
	to[1] = (char) (0x80 | (c >> 12 & 0x3F));
	to[2] = (char) (0x80 | (c >> 6 & 0x3F));
	to[3] = (char) (0x80 | (c & 0x3F));
	return 4;
}

/* A \u escape at p->pos (the backslash), perhaps a pair; moves behind it. */
static lc_status
decode_unicode_escape(parser *p, char **to)
{
	size_t		start = p->pos;
	int			unit = hex4(p, start + 2);
	int			low;
	uint32_t	c;

	if (unit < 0)
		return lc_json_fail(p, start, LC_ERR_SYNTAX);
	if (unit == 0)
		return lc_json_fail(p, start, LC_ERR_NUL);
	if (unit >= 0xDC00 && unit <= 0xDFFF)
		return lc_json_fail(p, start, LC_ERR_SURROGATE);
	c = (uint32_t) unit;
	p->pos = start + 6;
	if (unit >= 0xD800 && unit <= 0xDBFF)
	{
		if (p->n - p->pos < 2 || p->text[p->pos] != '\\' || p->text[p->pos + 1] != 'u')
			return lc_json_fail(p, start, LC_ERR_SURROGATE);
		low = hex4(p, p->pos + 2);
		if (low < 0)
			return lc_json_fail(p, p->pos, LC_ERR_SYNTAX);
		if (low < 0xDC00 || low > 0xDFFF)
			return lc_json_fail(p, start, LC_ERR_SURROGATE);
		c = 0x10000 + ((c - 0xD800) << 10) + ((uint32_t) low - 0xDC00);
		p->pos += 6;
	}
	*to += encode_utf8(c, *to);
	return LC_OK;
}

/* Any escape at p->pos (the backslash, with a byte behind it). */
static lc_status
decode_escape(parser *p, char **to)
{
	static const char from[] = "\"\\/bfnrt";
	static const char into[] = "\"\\/\b\f\n\r\t";
	char		c = p->text[p->pos + 1];
	const char *found;

	if (c == 'u')
		return decode_unicode_escape(p, to);
	found = (c == '\0') ? NULL : strchr(from, c);
	if (found == NULL)
		return lc_json_fail(p, p->pos, LC_ERR_SYNTAX);
	*(*to)++ = into[found - from];
	p->pos += 2;
	return LC_OK;
}

/*
 * Move p->pos over plain characters to the first quote or backslash.  Anything
 * else that ends the run is an error; so is ill-formed UTF-8 in it.
 */
static lc_status
scan_plain(parser *p)
{
	size_t		start = p->pos;
	size_t		i = start;
	size_t		bad;
	unsigned char seen = 0;

	while (i < p->n)
	{
		unsigned char c = (unsigned char) p->text[i];

		if (c < 0x20 || c == '"' || c == '\\')
			break;
		seen |= c;
		i++;
	}
	p->pos = i;
	if ((seen & 0x80) != 0 && !lc_utf8_valid(p->text + start, i - start, &bad))
		return lc_json_fail(p, start + bad, LC_ERR_UTF8);
	if (i == p->n)
		return lc_json_fail(p, i, LC_ERR_SYNTAX);
	if (p->text[i] == '\0')
		return lc_json_fail(p, i, LC_ERR_NUL);
	if ((unsigned char) p->text[i] < 0x20)
		return lc_json_fail(p, i, LC_ERR_SYNTAX);
	return LC_OK;
}

/* Offset of the closing quote of a string whose body goes on at offset. */
static size_t
find_closing_quote(const parser *p, size_t offset)
{
	while (offset < p->n && p->text[offset] != '"')
		offset += (p->text[offset] == '\\') ? 2 : 1;
	return offset < p->n ? offset : p->n;
}

lc_status
lc_json_read_string(parser *p, lc_str *out)
{
	size_t		start = ++p->pos;
	size_t		run = start;
	char	   *to;
	lc_status	status = scan_plain(p);

	if (status != LC_OK)
		return status;
	if (p->text[p->pos] == '"')
	{
		out->s = p->text + start;
		out->n = p->pos++ - start;
		return LC_OK;
	}

	/* An escape is never shorter than what it stands for. */
	to = arena_take(p, find_closing_quote(p, p->pos) - start);
	if (to == NULL)
		return lc_json_fail(p, p->pos, LC_ERR_MEMORY);
	out->s = to;
	for (;;)
	{
		memcpy(to, p->text + run, p->pos - run);
		to += p->pos - run;
		if (p->text[p->pos] == '"')
			break;
		if (p->n - p->pos < 2)
			return lc_json_fail(p, p->n, LC_ERR_SYNTAX);
		status = decode_escape(p, &to);
		run = p->pos;
		if (status == LC_OK)
			status = scan_plain(p);
		if (status != LC_OK)
			return status;
	}
	p->pos++;
	out->n = (size_t) (to - out->s);
	return LC_OK;
}
