/*
 * fuzz_tlogproof.c
 *		Proof bundles on any bytes: what is read is written as the same bytes.
 */
#include "fuzz.h"
#include "lc_tlogproof.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	lc_tlogproof p;
	lc_buf		out;

	if (lc_tlogproof_parse((const char *) data, size, &p) != LC_OK)
		return 0;
	HOLDS(p.index <= (uint64_t) INT64_MAX && p.proof.count <= LC_MERKLE_MAX_HEIGHT);
	HOLDS(p.checkpoint.n > 0);
	lc_buf_init(&out, &lc_alloc_malloc);
	lc_tlogproof_format(&out, &p);
	HOLDS(out.len == size && memcmp(out.data, data, size) == 0);
	lc_buf_free(&out);
	return 0;
}
