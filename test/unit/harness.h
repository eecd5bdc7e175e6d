/*
 * harness.h
 *		The least that a unit test needs: checks that print TAP, and
 *		allocators that fail on purpose.
 *
 * One program per module; main calls its tests and returns done().
 */
#ifndef HARNESS_H
#define HARNESS_H

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lc_buf.h"

#define MAYBE_UNUSED __attribute__((unused))

static int	tests_run = 0;
static int	tests_failed = 0;

/* Print bytes, and what is no printable ASCII as \xNN. */
static MAYBE_UNUSED void
put_visible(const char *s, size_t n)
{
	size_t		i;

	for (i = 0; i < n; i++)
	{
		if (s[i] >= 0x20 && s[i] < 0x7f)
			putchar(s[i]);
		else
			printf("\\x%02x", (unsigned char) s[i]);
	}
}

/* printf into TAP: one test, named by the format (cut if it is long). */
static MAYBE_UNUSED bool
ok(bool passed, const char *name, ...)
{
	char		text[200];
	va_list		args;

	tests_run++;
	if (!passed)
		tests_failed++;
	va_start(args, name);
	vsnprintf(text, sizeof(text), name, args);
	va_end(args);
	printf("%s %d - ", passed ? "ok" : "not ok", tests_run);
	put_visible(text, strlen(text));
	putchar('\n');
	return passed;
}

static MAYBE_UNUSED void
skip(const char *name, const char *why)
{
	printf("ok %d - %s # SKIP %s\n", ++tests_run, name, why);
}

static MAYBE_UNUSED void
show(const char *what, const char *s, size_t n)
{
	printf("#   %s: ", what);
	put_visible(s, n);
	putchar('\n');
}

static MAYBE_UNUSED void
is_bytes(const char *got, size_t n, const char *want, size_t want_n, const char *name)
{
	if (!ok(n == want_n && (n == 0 || memcmp(got, want, n) == 0), "%s", name))
	{
		show("got     ", got, n);
		show("expected", want, want_n);
	}
}

/* A buffer's whole text; tells a NUL in it from its end. */
static MAYBE_UNUSED void
is_text(const lc_buf *buf, const char *want, const char *name)
{
	is_bytes(buf->data != NULL ? buf->data : "", buf->len, want, strlen(want), name);
}

static MAYBE_UNUSED void
is_int(int64_t got, int64_t want, const char *name)
{
	if (!ok(got == want, "%s", name))
		printf("#   got %" PRId64 ", expected %" PRId64 "\n", got, want);
}

static MAYBE_UNUSED void
is_status(lc_status got, lc_status want, const char *name)
{
	if (!ok(got == want, "%s", name))
		printf("#   got \"%s\", expected \"%s\"\n", lc_status_text(got), lc_status_text(want));
}

/* Bytes against their hex. */
static MAYBE_UNUSED void
is_hex(const uint8_t *got, size_t n, const char *want, const char *name)
{
	lc_buf		hex;

	lc_buf_init(&hex, &lc_alloc_malloc);
	lc_buf_put_hex(&hex, got, n);
	is_text(&hex, want, name);
	lc_buf_free(&hex);
}

/* Exactly these bytes in memory of their own, so that a look behind them is seen. */
static MAYBE_UNUSED char *
exact_copy(const char *s, size_t n)
{
	char	   *copy = malloc(n);

	if (copy == NULL && n > 0)
		abort();
	if (n > 0)
		memcpy(copy, s, n);
	return copy;
}

static MAYBE_UNUSED bool
same(lc_str got, const char *want)
{
	return got.s != NULL && got.n == strlen(want) && memcmp(got.s, want, got.n) == 0;
}

static MAYBE_UNUSED lc_str
str(const char *s)
{
	lc_str		result = {s, strlen(s)};

	return result;
}

static MAYBE_UNUSED int
done(void)
{
	printf("1..%d\n", tests_run);
	return tests_failed == 0 ? 0 : 1;
}

/* The whole of a file; false if it cannot be read. */
static MAYBE_UNUSED bool
read_file(const char *path, lc_buf *to)
{
	char		block[4096];
	size_t		n;
	FILE	   *file = fopen(path, "rb");

	if (file == NULL)
		return false;
	while ((n = fread(block, 1, sizeof(block), file)) > 0)
		lc_buf_append(to, block, n);
	return fclose(file) == 0 && to->status == LC_OK;
}

/*
 * An allocator that serves so many requests and then either returns NULL or,
 * as PostgreSQL's does, jumps out.  It knows every block it gave, as a memory
 * context does: broken_free_all() frees what a jump left behind.
 */
#define BROKEN_BLOCKS 1024

typedef struct broken
{
	int			left;			/* requests still served */
	bool		jumps;
	jmp_buf		escape;
	void	   *blocks[BROKEN_BLOCKS];
	int			nblocks;
} broken;

static MAYBE_UNUSED void *
broken_resize(void *ctx, void *ptr, size_t size)
{
	broken	   *b = ctx;
	void	   *fresh;
	int			i;

	if (b->left-- <= 0)
	{
		if (b->jumps)
			longjmp(b->escape, 1);
		return NULL;
	}
	for (i = 0; i < b->nblocks && b->blocks[i] != ptr; i++)
		;
	if (ptr == NULL || i == b->nblocks)
	{
		if (ptr != NULL || b->nblocks == BROKEN_BLOCKS)
			abort();			/* not ours, or more than a test should need */
		i = b->nblocks++;
		b->blocks[i] = NULL;
	}
	fresh = realloc(b->blocks[i], size);
	if (fresh == NULL)
		abort();
	b->blocks[i] = fresh;
	return fresh;
}

static MAYBE_UNUSED void
broken_release(void *ctx, void *ptr)
{
	broken	   *b = ctx;
	int			i;

	if (ptr == NULL)
		return;
	for (i = 0; i < b->nblocks && b->blocks[i] != ptr; i++)
		;
	if (i == b->nblocks)
		abort();
	free(ptr);
	b->blocks[i] = b->blocks[--b->nblocks];
}

static MAYBE_UNUSED void
broken_free_all(broken *b)
{
	while (b->nblocks > 0)
		free(b->blocks[--b->nblocks]);
}

#endif
