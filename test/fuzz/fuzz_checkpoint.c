/*
 * fuzz_checkpoint.c
 *		Checkpoints on any bytes: what is read is written as the same bytes,
 *		and what is written is read.
 */
#include "fuzz.h"
#include "lc_note.h"

static void
check_reading(const char *text, size_t n)
{
	lc_checkpoint c;
	lc_buf		out;

	if (lc_checkpoint_parse(text, n, &c) != LC_OK)
		return;
	lc_buf_init(&out, &lc_alloc_malloc);
	lc_checkpoint_format(&out, c.origin, c.size, c.root);
	lc_buf_append(&out, c.extensions.s, c.extensions.n);
	HOLDS(out.status == LC_OK && out.len == n && memcmp(out.data, text, n) == 0);
	HOLDS(c.size <= (uint64_t) INT64_MAX && c.origin.n > 0);
	lc_buf_free(&out);
}

static void
check_writing(input in)
{
	uint64_t	size = (uint64_t) take_int64(&in);
	uint8_t		root[LC_HASH_LEN] = {0};
	lc_str		origin;
	lc_checkpoint c;
	lc_buf		out;

	take_bytes(&in, root, 8);
	origin = take_text(&in);
	lc_buf_init(&out, &lc_alloc_malloc);
	lc_checkpoint_format(&out, origin, size, root);
	if (out.status == LC_OK)
	{
		HOLDS(lc_checkpoint_parse(out.data, out.len, &c) == LC_OK);
		HOLDS(c.size == size && memcmp(c.root, root, sizeof(root)) == 0 && c.extensions.s == NULL);
		HOLDS(c.origin.n == origin.n && memcmp(c.origin.s, origin.s, origin.n) == 0);
	}
	else
		HOLDS(out.len == 0);
	lc_buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input		in = {data, size};

	check_reading((const char *) data, size);
	check_writing(in);
	return 0;
}
