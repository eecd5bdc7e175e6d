/*
 * lc_merkle.c
 *		The tree of RFC 6962 section 2.1: roots, frontiers, proofs and their
 *		verification.
 *
 * No memory is allocated.  A verifier's input is hostile: sizes, positions,
 * hashes and their number may be anything; a prover's source is trusted.
 */
#include <string.h>

#include "lc_merkle.h"

/* RFC 6962 section 2.1: a node must never be taken for a leaf, whose prefix is 0x00. */
#define NODE_PREFIX 0x01

lc_status
lc_merkle_node(const uint8_t left[LC_HASH_LEN], const uint8_t right[LC_HASH_LEN],
			   uint8_t out[LC_HASH_LEN])
{
	uint8_t		input[1 + 2 * LC_HASH_LEN];

	input[0] = NODE_PREFIX;
	memcpy(input + 1, left, LC_HASH_LEN);
	memcpy(input + 1 + LC_HASH_LEN, right, LC_HASH_LEN);
	return lc_sha256(input, sizeof(input), out);
}

lc_status
lc_merkle_empty_root(uint8_t out[LC_HASH_LEN])
{
	return lc_sha256("", 0, out);
}

static size_t
count_bits(uint64_t n)
{
	size_t		bits = 0;

	for (; n != 0; n &= n - 1)
		bits++;
	return bits;
}

/* The height of the largest complete subtree of n > 0 leaves: 2^height <= n. */
static unsigned
height_within(uint64_t n)
{
	unsigned	height = 0;

	while ((n >>= 1) != 0)
		height++;
	return height;
}

/* Where RFC 6962 splits n > 1 leaves: the largest power of two below n. */
static uint64_t
split_point(uint64_t n)
{
	return UINT64_C(1) << height_within(n - 1);
}

void
lc_frontier_init(lc_frontier *f)
{
	f->size = 0;
	f->count = 0;
}

lc_status
lc_frontier_load(lc_frontier *f, uint64_t size, const uint8_t *hashes, size_t n)
{
	size_t		count = count_bits(size);

	if (size > LC_MERKLE_MAX_SIZE || n != count * LC_HASH_LEN)
		return LC_ERR_RANGE;
	f->size = size;
	f->count = count;
	if (n > 0)
		memcpy(f->hashes, hashes, n);
	return LC_OK;
}

lc_status
lc_frontier_append(lc_frontier *f, const uint8_t leaf_hash[LC_HASH_LEN], const lc_node_sink *sink)
{
	return lc_frontier_append_node(f, 0, leaf_hash, sink);
}

/*
 * Like a carry in binary addition: as long as the size has the bit, the last
 * root of the frontier and the new node are the two halves of a greater one.
 * The frontier itself changes only at the end, when nothing can fail any more.
 */
lc_status
lc_frontier_append_node(lc_frontier *f, unsigned height, const uint8_t hash[LC_HASH_LEN],
						const lc_node_sink *sink)
{
	uint8_t		node[LC_HASH_LEN];
	uint64_t	added;
	size_t		count = f->count;

	if (height >= LC_MERKLE_MAX_HEIGHT)
		return LC_ERR_RANGE;
	added = UINT64_C(1) << height;
	if (added > LC_MERKLE_MAX_SIZE - f->size)
		return LC_ERR_RANGE;
	if (f->size % added != 0)
		return LC_ERR_MISUSE;

	memcpy(node, hash, LC_HASH_LEN);
	for (; (f->size >> height & 1) != 0; height++)
	{
		lc_status	status = lc_merkle_node(f->hashes[--count], node, node);

		if (status == LC_OK && sink != NULL)
			status = sink->node(sink->arg, height + 1, f->size >> (height + 1), node);
		if (status != LC_OK)
			return status;
	}
	memcpy(f->hashes[count], node, LC_HASH_LEN);
	f->count = count + 1;
	f->size += added;
	return LC_OK;
}

/* From the smallest subtree up: each is the right half of all that comes before it. */
lc_status
lc_frontier_root(const lc_frontier *f, uint8_t out[LC_HASH_LEN])
{
	uint8_t		root[LC_HASH_LEN];
	size_t		i;

	if (f->count == 0)
		return lc_merkle_empty_root(out);
	memcpy(root, f->hashes[f->count - 1], LC_HASH_LEN);
	for (i = f->count - 1; i > 0; i--)
	{
		lc_status	status = lc_merkle_node(f->hashes[i - 1], root, root);

		if (status != LC_OK)
			return status;
	}
	memcpy(out, root, LC_HASH_LEN);
	return LC_OK;
}

/* MTH of at least one leaf.  Each part is at most half as large again: 63 calls deep. */
static lc_status
root_between(const lc_node_source *source, uint64_t start, uint64_t end, uint8_t out[LC_HASH_LEN])
{
	uint64_t	size = end - start;
	unsigned	height = height_within(size);
	uint8_t		left[LC_HASH_LEN];
	uint8_t		right[LC_HASH_LEN];
	uint64_t	middle;
	lc_status	status;

	if (size == UINT64_C(1) << height && start % size == 0)
		return source->node(source->arg, height, start >> height, out);
	middle = start + split_point(size);
	status = root_between(source, start, middle, left);
	if (status == LC_OK)
		status = root_between(source, middle, end, right);
	if (status == LC_OK)
		status = lc_merkle_node(left, right, out);
	return status;
}

lc_status
lc_merkle_range_root(const lc_node_source *source, uint64_t start, uint64_t end,
					 uint8_t out[LC_HASH_LEN])
{
	if (start > end || end > LC_MERKLE_MAX_SIZE)
		return LC_ERR_RANGE;
	if (start == end)
		return lc_merkle_empty_root(out);
	return root_between(source, start, end, out);
}

/* Add MTH(D[start:end]) to the proof. */
static lc_status
add_root(lc_proof *proof, const lc_node_source *source, uint64_t start, uint64_t end)
{
	lc_status	status = root_between(source, start, end, proof->hashes[proof->count]);

	if (status == LC_OK)
		proof->count++;
	return status;
}

/*
 * A proof lists its hashes from the leaves up; they are found from the root
 * down.  One that could not be completed is empty.
 */
static lc_status
finish_proof(lc_proof *proof, lc_status status)
{
	uint8_t		hash[LC_HASH_LEN];
	size_t		i;

	if (status != LC_OK)
	{
		proof->count = 0;
		return status;
	}
	for (i = 0; i < proof->count / 2; i++)
	{
		size_t		other = proof->count - 1 - i;

		memcpy(hash, proof->hashes[i], LC_HASH_LEN);
		memcpy(proof->hashes[i], proof->hashes[other], LC_HASH_LEN);
		memcpy(proof->hashes[other], hash, LC_HASH_LEN);
	}
	return LC_OK;
}

/* Go into the half of [*start, *end) that holds the leaf, and note the other half's root. */
static lc_status
step_down(lc_proof *proof, const lc_node_source *source, uint64_t leaf,
		  uint64_t *start, uint64_t *end)
{
	uint64_t	middle = *start + split_point(*end - *start);
	lc_status	status;

	if (leaf < middle)
	{
		status = add_root(proof, source, middle, *end);
		*end = middle;
	}
	else
	{
		status = add_root(proof, source, *start, middle);
		*start = middle;
	}
	return status;
}

lc_status
lc_merkle_inclusion(const lc_node_source *source, uint64_t index, uint64_t size, lc_proof *proof)
{
	uint64_t	start = 0;
	uint64_t	end = size;
	lc_status	status = LC_OK;

	proof->count = 0;
	if (index >= size || size > LC_MERKLE_MAX_SIZE)
		return LC_ERR_RANGE;
	while (status == LC_OK && end - start > 1)
		status = step_down(proof, source, index, &start, &end);
	return finish_proof(proof, status);
}

/*
 * Down to the last complete subtree of the old tree, which ends where the old
 * tree ends.  If that is all of the old tree, the verifier knows its root.
 */
lc_status
lc_merkle_consistency(const lc_node_source *source, uint64_t size1, uint64_t size2, lc_proof *proof)
{
	uint64_t	start = 0;
	uint64_t	end = size2;
	lc_status	status = LC_OK;

	proof->count = 0;
	if (size1 > size2 || size2 > LC_MERKLE_MAX_SIZE)
		return LC_ERR_RANGE;
	if (size1 == 0)
		return LC_OK;
	while (status == LC_OK && end != size1)
		status = step_down(proof, source, size1 - 1, &start, &end);
	if (status == LC_OK && start > 0)
		status = add_root(proof, source, start, end);
	return finish_proof(proof, status);
}

/*
 * A last node without a sibling to its right stands for itself in the rows
 * above, up to the one where it is a right child: there is no hash for those.
 */
static void
skip_lone_rows(uint64_t *fn, uint64_t *sn)
{
	while ((*fn & 1) == 0 && *fn != 0)
	{
		*fn >>= 1;
		*sn >>= 1;
	}
}

/* Names of RFC 9162 section 2.1.3.2: fn is the node's place in its row, sn the last of that row. */
lc_status
lc_merkle_inclusion_root(const uint8_t leaf_hash[LC_HASH_LEN], uint64_t index, uint64_t size,
						 const uint8_t (*hashes)[LC_HASH_LEN], size_t count,
						 uint8_t root[LC_HASH_LEN])
{
	uint8_t		r[LC_HASH_LEN];
	uint64_t	fn = index;
	uint64_t	sn = size - 1;
	size_t		i;

	if (index >= size || size > LC_MERKLE_MAX_SIZE)
		return LC_ERR_PROOF;
	memcpy(r, leaf_hash, LC_HASH_LEN);
	for (i = 0; i < count; i++)
	{
		lc_status	status;

		if (sn == 0)
			return LC_ERR_PROOF;
		if ((fn & 1) != 0 || fn == sn)
		{
			status = lc_merkle_node(hashes[i], r, r);
			skip_lone_rows(&fn, &sn);
		}
		else
			status = lc_merkle_node(r, hashes[i], r);
		if (status != LC_OK)
			return status;
		fn >>= 1;
		sn >>= 1;
	}
	if (sn != 0)
		return LC_ERR_PROOF;
	memcpy(root, r, LC_HASH_LEN);
	return LC_OK;
}

lc_status
lc_merkle_verify_inclusion(const uint8_t leaf_hash[LC_HASH_LEN], uint64_t index, uint64_t size,
						   const uint8_t (*hashes)[LC_HASH_LEN], size_t count,
						   const uint8_t root[LC_HASH_LEN])
{
	uint8_t		computed[LC_HASH_LEN];
	lc_status	status = lc_merkle_inclusion_root(leaf_hash, index, size, hashes, count, computed);

	if (status == LC_OK && memcmp(computed, root, LC_HASH_LEN) != 0)
		return LC_ERR_PROOF;
	return status;
}

/* Both sizes at least 1 and different; RFC 9162 section 2.1.4.2 from step 2 on. */
static lc_status
verify_growth(uint64_t size1, const uint8_t root1[LC_HASH_LEN], uint64_t size2,
			  const uint8_t root2[LC_HASH_LEN], const uint8_t (*hashes)[LC_HASH_LEN], size_t count)
{
	uint8_t		fr[LC_HASH_LEN];
	uint8_t		sr[LC_HASH_LEN];
	uint64_t	fn = size1 - 1;
	uint64_t	sn = size2 - 1;
	size_t		i = 0;
	lc_status	status = LC_OK;

	/* A power of two is one complete subtree, whose root the proof does not repeat. */
	memcpy(fr, (size1 & fn) == 0 ? root1 : hashes[i++], LC_HASH_LEN);
	memcpy(sr, fr, LC_HASH_LEN);
	for (; (fn & 1) != 0; fn >>= 1)
		sn >>= 1;
	for (; i < count && status == LC_OK; i++)
	{
		if (sn == 0)
			return LC_ERR_PROOF;
		if ((fn & 1) != 0 || fn == sn)
		{
			status = lc_merkle_node(hashes[i], fr, fr);
			if (status == LC_OK)
				status = lc_merkle_node(hashes[i], sr, sr);
			skip_lone_rows(&fn, &sn);
		}
		else
			status = lc_merkle_node(sr, hashes[i], sr);
		fn >>= 1;
		sn >>= 1;
	}
	if (status != LC_OK)
		return status;
	return sn == 0 && memcmp(fr, root1, LC_HASH_LEN) == 0 && memcmp(sr, root2, LC_HASH_LEN) == 0 ?
		LC_OK : LC_ERR_PROOF;
}

lc_status
lc_merkle_verify_consistency(uint64_t size1, const uint8_t root1[LC_HASH_LEN],
							 uint64_t size2, const uint8_t root2[LC_HASH_LEN],
							 const uint8_t (*hashes)[LC_HASH_LEN], size_t count)
{
	if (size1 == 0 || size1 > size2 || size2 > LC_MERKLE_MAX_SIZE)
		return LC_ERR_PROOF;
	if (size1 == size2)
		return count == 0 && memcmp(root1, root2, LC_HASH_LEN) == 0 ? LC_OK : LC_ERR_PROOF;
	return count == 0 ? LC_ERR_PROOF : verify_growth(size1, root1, size2, root2, hashes, count);
}
