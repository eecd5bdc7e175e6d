/*
 * merkle_trees.h
 *		Trees for the tests of lc_merkle: one of 128 different leaves with the
 *		root at every size, and one of any number of equal leaves.
 *
 * Roots come from the definition of MTH in RFC 6962 section 2.1, recursion and
 * all, and share nothing with the code under test but the hash of a node.
 */
#ifndef MERKLE_TREES_H
#define MERKLE_TREES_H

#include "lc_merkle.h"

#define LEAVES 128
#define HASHES(proof) ((const uint8_t (*)[LC_HASH_LEN]) (proof).hashes)

static uint8_t leaves[LEAVES][LC_HASH_LEN];
static uint8_t roots[LEAVES + 1][LC_HASH_LEN];

/* The complete subtrees of equal leaves, by height. */
static uint8_t equal_subtrees[LC_MERKLE_MAX_HEIGHT][LC_HASH_LEN];

static int	nodes_read;
static MAYBE_UNUSED int reads_left;

/* MTH(D[start:end]) */
static void
definition(uint64_t start, uint64_t end, uint8_t out[LC_HASH_LEN])
{
	uint8_t		left[LC_HASH_LEN];
	uint8_t		right[LC_HASH_LEN];
	uint64_t	k = 1;

	if (end - start == 1)
	{
		memcpy(out, leaves[start], LC_HASH_LEN);
		return;
	}
	while (2 * k < end - start)
		k *= 2;
	definition(start, start + k, left);
	definition(start + k, end, right);
	if (lc_merkle_node(left, right, out) != LC_OK)
		abort();
}

/* A subtree of the 128 leaves.  One that reaches beyond them must never be asked for. */
static lc_status
stored_node(void *arg, unsigned height, uint64_t index, uint8_t out[LC_HASH_LEN])
{
	(void) arg;
	nodes_read++;
	if (height > 7 || (index + 1) << height > LEAVES)
		abort();
	definition(index << height, (index + 1) << height, out);
	return LC_OK;
}

static const lc_node_source stored_nodes = {stored_node, NULL};

static MAYBE_UNUSED lc_status
failing_node(void *arg, unsigned height, uint64_t index, uint8_t out[LC_HASH_LEN])
{
	return reads_left-- > 0 ? stored_node(arg, height, index, out) : LC_ERR_ABSENT;
}

static const MAYBE_UNUSED lc_node_source failing_nodes = {failing_node, NULL};

static MAYBE_UNUSED lc_status
equal_node(void *arg, unsigned height, uint64_t index, uint8_t out[LC_HASH_LEN])
{
	(void) arg;
	if (height >= LC_MERKLE_MAX_HEIGHT || index > (LC_MERKLE_MAX_SIZE >> height) - 1)
		abort();
	memcpy(out, equal_subtrees[height], LC_HASH_LEN);
	return LC_OK;
}

static const MAYBE_UNUSED lc_node_source equal_nodes = {equal_node, NULL};

/* The frontier of the first leaves. */
static MAYBE_UNUSED void
frontier_of(uint64_t size, lc_frontier *f)
{
	uint64_t	i;

	lc_frontier_init(f);
	for (i = 0; i < size; i++)
	{
		if (lc_frontier_append(f, leaves[i], NULL) != LC_OK)
			abort();
	}
}

static MAYBE_UNUSED void
equal_leaves_frontier(uint64_t size, lc_frontier *f)
{
	uint8_t		hashes[LC_MERKLE_MAX_HEIGHT * LC_HASH_LEN];
	size_t		n = 0;
	int			height;

	for (height = LC_MERKLE_MAX_HEIGHT - 1; height >= 0; height--)
	{
		if ((size >> height & 1) == 0)
			continue;
		memcpy(hashes + n, equal_subtrees[height], LC_HASH_LEN);
		n += LC_HASH_LEN;
	}
	if (lc_frontier_load(f, size, hashes, n) != LC_OK)
		abort();
}

static MAYBE_UNUSED bool
equal_leaves_root(uint64_t size, uint8_t out[LC_HASH_LEN])
{
	lc_frontier f;

	equal_leaves_frontier(size, &f);
	return lc_frontier_root(&f, out) == LC_OK;
}

static bool
make_trees(void)
{
	lc_frontier f;
	int			i;

	lc_frontier_init(&f);
	if (lc_merkle_empty_root(roots[0]) != LC_OK)
		return false;
	for (i = 0; i < LEAVES; i++)
	{
		if (lc_sha256(&i, sizeof(i), leaves[i]) != LC_OK ||
			lc_frontier_append(&f, leaves[i], NULL) != LC_OK ||
			lc_frontier_root(&f, roots[i + 1]) != LC_OK)
			return false;
	}
	memcpy(equal_subtrees[0], leaves[0], LC_HASH_LEN);
	for (i = 1; i < LC_MERKLE_MAX_HEIGHT; i++)
	{
		if (lc_merkle_node(equal_subtrees[i - 1], equal_subtrees[i - 1], equal_subtrees[i]) != LC_OK)
			return false;
	}
	return true;
}

#endif
