/*
 * wipe.c
 *		malloc and free, with the block wiped before it is freed.
 */
#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

#include "wipe.h"

void
wipe_free(void *block)
{
	if (block != NULL)
		OPENSSL_cleanse(block, malloc_usable_size(block));
	free(block);
}

static void
release(void *ctx, void *block)
{
	(void) ctx;
	wipe_free(block);
}

/* realloc would leave the old block behind as it was. */
static void *
resize(void *ctx, void *block, size_t size)
{
	size_t		had = block == NULL ? 0 : malloc_usable_size(block);
	void	   *fresh = malloc(size);

	(void) ctx;
	if (fresh == NULL)
		return NULL;
	if (block != NULL)
		memcpy(fresh, block, had < size ? had : size);
	wipe_free(block);
	return fresh;
}

const lc_alloc wiping_alloc = {resize, release, NULL};
