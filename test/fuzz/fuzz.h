/*
 * fuzz.h
 *		What the fuzz targets share: a property that must hold, and input cut
 *		into pieces.
 *
 * A property that does not hold ends the program, as a sanitizer's report
 * does; libFuzzer then keeps the input.
 */
#ifndef FUZZ_H
#define FUZZ_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lc_buf.h"

extern int	LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOLDS(property) \
	do { \
		if (!(property)) \
		{ \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #property); \
			abort(); \
		} \
	} while (0)

/* What is left of the input. */
typedef struct input
{
	const uint8_t *p;
	size_t		n;
} input;

/* The next byte, 0 at the end. */
static inline uint8_t
take_byte(input *in)
{
	if (in->n == 0)
		return 0;
	in->n--;
	return *in->p++;
}

/* Up to as many bytes as the next byte says, borrowed from the input. */
static inline lc_str
take_text(input *in)
{
	lc_str		text;

	text.n = take_byte(in);
	if (text.n > in->n)
		text.n = in->n;
	text.s = (const char *) in->p;
	in->p += text.n;
	in->n -= text.n;
	return text;
}

static inline int64_t
take_int64(input *in)
{
	uint64_t	value = 0;
	int			i;

	for (i = 0; i < 8; i++)
		value = value << 8 | take_byte(in);
	return (int64_t) value;
}

static inline void
take_bytes(input *in, uint8_t *to, size_t n)
{
	while (n-- > 0)
		*to++ = take_byte(in);
}

static inline bool
same_text(const lc_buf *a, const lc_buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

#endif
