/*
 * fuzz_base64url.c
 *		Any bytes survive being written, and what is read is the one spelling of
 *		its bytes.
 */
#include "base64url.h"
#include "fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	lc_buf		text,
				bytes;
	uint8_t    *exact = malloc(size > 0 ? size : 1);
	size_t		len;

	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_init(&bytes, &lc_alloc_malloc);
	base64url_append(&text, data, size);
	HOLDS(base64url_decode(text.data != NULL ? text.data : "", text.len, exact, size, &len));
	HOLDS(len == size && (size == 0 || memcmp(exact, data, size) == 0));
	lc_buf_reset(&text);
	if (base64url_append_decoded(&bytes, (const char *) data, size))
	{
		base64url_append(&text, bytes.data, bytes.len);
		HOLDS(text.len == size && (size == 0 || memcmp(text.data, data, size) == 0));
		HOLDS(base64url_decode((const char *) data, size, exact, bytes.len, &len) && len == bytes.len);
	}
	else
		HOLDS(bytes.len == 0);
	lc_buf_free(&text);
	lc_buf_free(&bytes);
	free(exact);
	return 0;
}
