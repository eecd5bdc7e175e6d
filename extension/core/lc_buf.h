/*
 * lc_buf.h
 *		Growable byte buffer, and the allocator through which the core gets
 *		all its memory: the only seam between the core and its hosts.
 *
 * In a PostgreSQL backend the allocator is palloc's, which does not return
 * on failure but jumps out; so no core function may hold anything but memory
 * (no lock, no half-updated static) across an allocation.
 */
#ifndef LC_BUF_H
#define LC_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lc_error.h"

typedef struct lc_alloc
{
	/* Like realloc(3): ptr may be NULL; NULL back means out of memory. */
	void	   *(*resize) (void *ctx, void *ptr, size_t size);
	void		(*release) (void *ctx, void *ptr);	/* ptr may be NULL */
	void	   *ctx;
} lc_alloc;

/* malloc and free. */
extern const lc_alloc lc_alloc_malloc;

/*
 * A buffer remembers its first failure and ignores all later appends, so
 * that a writer checks once at the end.  data is NUL-terminated whenever it
 * is not NULL; len does not count that NUL.
 */
typedef struct lc_buf
{
	char	   *data;
	size_t		len;
	size_t		cap;
	lc_status	status;
	const lc_alloc *alloc;
} lc_buf;

extern void lc_buf_init(lc_buf *buf, const lc_alloc *alloc);
extern void lc_buf_reset(lc_buf *buf);	/* empty, keeps its memory */
extern void lc_buf_free(lc_buf *buf);

/*
 * Back to its first len bytes, as if what came after had not been written:
 * a failure is forgotten too, unless it was the allocator's.
 */
extern void lc_buf_truncate(lc_buf *buf, size_t len);
extern void lc_buf_append(lc_buf *buf, const void *bytes, size_t n);
extern void lc_buf_puts(lc_buf *buf, const char *cstring);
extern void lc_buf_putc(lc_buf *buf, char c);
extern void lc_buf_put_int64(lc_buf *buf, int64_t value);	/* decimal */
extern void lc_buf_put_hex(lc_buf *buf, const uint8_t *bytes, size_t n);

/* Borrowed bytes, not NUL-terminated.  s == NULL means absent. */
typedef struct lc_str
{
	const char *s;
	size_t		n;
} lc_str;

#endif
