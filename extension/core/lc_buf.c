/*
 * lc_buf.c
 *		Growable byte buffer over a caller's allocator.
 *
 * The allocator may not return (PostgreSQL's palloc jumps out), so a buffer
 * is consistent before every call of it: pointer, length and capacity change
 * only after the new memory is there.
 */
#include <stdlib.h>
#include <string.h>

#include "lc_buf.h"
#include "lc_hex.h"

/* One small envelope fits without growing more than twice. */
#define LC_BUF_FIRST_CAP 256

static void *
malloc_resize(void *ctx, void *ptr, size_t size)
{
	(void) ctx;
	return realloc(ptr, size);
}

static void
malloc_release(void *ctx, void *ptr)
{
	(void) ctx;
	free(ptr);
}

const lc_alloc lc_alloc_malloc = {malloc_resize, malloc_release, NULL};

void
lc_buf_init(lc_buf *buf, const lc_alloc *alloc)
{
	buf->data = NULL;
	buf->len = 0;
	buf->cap = 0;
	buf->status = LC_OK;
	buf->alloc = alloc;
}

void
lc_buf_reset(lc_buf *buf)
{
	buf->len = 0;
	buf->status = LC_OK;
	if (buf->data != NULL)
		buf->data[0] = '\0';
}

void
lc_buf_free(lc_buf *buf)
{
	if (buf->data != NULL)
		buf->alloc->release(buf->alloc->ctx, buf->data);
	lc_buf_init(buf, buf->alloc);
}

void
lc_buf_truncate(lc_buf *buf, size_t len)
{
	if (buf->status != LC_ERR_MEMORY)
		buf->status = LC_OK;
	if (buf->data == NULL || len >= buf->len)
		return;
	buf->len = len;
	buf->data[len] = '\0';
}

/* Make room for n bytes more and the NUL; false once the buffer has failed. */
static bool
buf_reserve(lc_buf *buf, size_t n)
{
	size_t		need;
	size_t		cap = buf->cap;
	char	   *data;

	if (buf->status != LC_OK)
		return false;
	if (n >= SIZE_MAX - buf->len)
	{
		buf->status = LC_ERR_MEMORY;
		return false;
	}
	need = buf->len + n + 1;
	if (need <= cap)
		return true;

	if (cap < LC_BUF_FIRST_CAP)
		cap = LC_BUF_FIRST_CAP;
	while (cap < need)
		cap = (cap > SIZE_MAX / 2) ? need : cap * 2;

	data = buf->alloc->resize(buf->alloc->ctx, buf->data, cap);
	if (data == NULL)
	{
		buf->status = LC_ERR_MEMORY;
		return false;
	}
	buf->data = data;
	buf->cap = cap;
	return true;
}

void
lc_buf_append(lc_buf *buf, const void *bytes, size_t n)
{
	if (!buf_reserve(buf, n))
		return;
	if (n > 0)
		memcpy(buf->data + buf->len, bytes, n);
	buf->len += n;
	buf->data[buf->len] = '\0';
}

void
lc_buf_puts(lc_buf *buf, const char *cstring)
{
	lc_buf_append(buf, cstring, strlen(cstring));
}

void
lc_buf_putc(lc_buf *buf, char c)
{
	if (!buf_reserve(buf, 1))
		return;
	buf->data[buf->len++] = c;
	buf->data[buf->len] = '\0';
}

void
lc_buf_put_int64(lc_buf *buf, int64_t value)
{
	char		digits[20];		/* a sign and 19 digits */
	size_t		at = sizeof(digits);
	uint64_t	rest;

	/* Negate as unsigned: INT64_MIN has no positive counterpart. */
	rest = (value < 0) ? 0 - (uint64_t) value : (uint64_t) value;
	do
	{
		digits[--at] = (char) ('0' + rest % 10);
		rest /= 10;
	} while (rest != 0);
	if (value < 0)
		digits[--at] = '-';
	lc_buf_append(buf, digits + at, sizeof(digits) - at);
}

void
lc_buf_put_hex(lc_buf *buf, const uint8_t *bytes, size_t n)
{
	if (n > SIZE_MAX / 2)
	{
		if (buf->status == LC_OK)
			buf->status = LC_ERR_MEMORY;
		return;
	}
	if (!buf_reserve(buf, n * 2))
		return;
	lc_hex_encode(bytes, n, buf->data + buf->len);
	buf->len += n * 2;
	buf->data[buf->len] = '\0';
}
