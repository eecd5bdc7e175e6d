/*
 * fuzz_merkle.c
 *		Trees: proofs made in one hold, and with any bit changed do not; any
 *		arguments of a verifier get a verdict; any frontier grows as it should.
 */
#include "fuzz.h"
#include "lc_merkle.h"

#define MAX_LEAVES 80
#define HASHES(proof) ((const uint8_t (*)[LC_HASH_LEN]) (proof).hashes)

static uint8_t leaves[MAX_LEAVES][LC_HASH_LEN];

static lc_status
node_of_leaves(void *arg, unsigned height, uint64_t index, uint8_t out[LC_HASH_LEN])
{
	lc_frontier f;
	uint64_t	i;

	HOLDS(((index + 1) << height) <= *(uint64_t *) arg);
	lc_frontier_init(&f);
	for (i = index << height; i < (index + 1) << height; i++)
		HOLDS(lc_frontier_append(&f, leaves[i], NULL) == LC_OK);
	HOLDS(f.count == 1);
	return lc_frontier_root(&f, out);
}

static void
root_of(uint64_t size, uint8_t out[LC_HASH_LEN])
{
	lc_frontier f;
	uint64_t	i;

	lc_frontier_init(&f);
	for (i = 0; i < size; i++)
		HOLDS(lc_frontier_append(&f, leaves[i], NULL) == LC_OK);
	HOLDS(lc_frontier_root(&f, out) == LC_OK);
}

static void
flip(uint8_t hash[LC_HASH_LEN], uint8_t bit)
{
	hash[bit / 8] ^= (uint8_t) (1 << bit % 8);
}

/* Leaves from the input; only the end of it leaves them equal. */
static uint64_t
take_tree(input *in)
{
	uint64_t	size = 1 + take_byte(in) % MAX_LEAVES;
	uint64_t	i;

	memset(leaves, 0, sizeof(leaves));
	for (i = 0; i < size; i++)
		take_bytes(in, leaves[i], 2);
	return size;
}

static void
check_inclusion(input in)
{
	uint64_t	index = take_byte(&in);
	uint8_t		bit = take_byte(&in);
	uint8_t		which = take_byte(&in);
	uint64_t	size = take_tree(&in);
	lc_node_source source = {node_of_leaves, &size};
	uint8_t		leaf[LC_HASH_LEN];
	uint8_t		root[LC_HASH_LEN];
	lc_proof	p;
	lc_status	status = lc_merkle_inclusion(&source, index, size, &p);

	HOLDS(status == (index < size ? LC_OK : LC_ERR_RANGE));
	if (status != LC_OK)
		return;
	memcpy(leaf, leaves[index], LC_HASH_LEN);
	root_of(size, root);
	HOLDS(lc_merkle_verify_inclusion(leaf, index, size, HASHES(p), p.count, root) == LC_OK);
	which = (uint8_t) (which % (p.count + 2));
	flip(which == 0 ? leaf : which == 1 ? root : p.hashes[which - 2], bit);
	HOLDS(lc_merkle_verify_inclusion(leaf, index, size, HASHES(p), p.count, root) == LC_ERR_PROOF);
}

static void
check_consistency(input in)
{
	uint64_t	older = take_byte(&in);
	uint8_t		bit = take_byte(&in);
	uint8_t		which = take_byte(&in);
	uint64_t	size = take_tree(&in);
	lc_node_source source = {node_of_leaves, &size};
	uint8_t		root1[LC_HASH_LEN];
	uint8_t		root2[LC_HASH_LEN];
	lc_proof	p;
	lc_status	status = lc_merkle_consistency(&source, older, size, &p);

	HOLDS(status == (older <= size ? LC_OK : LC_ERR_RANGE));
	if (status != LC_OK)
		return;
	root_of(older, root1);
	root_of(size, root2);
	HOLDS((p.count == 0) == (older == 0 || older == size));
	HOLDS(lc_merkle_verify_consistency(older, root1, size, root2, HASHES(p), p.count) ==
		  (older > 0 ? LC_OK : LC_ERR_PROOF));
	which = (uint8_t) (which % (p.count + 2));
	flip(which == 0 ? root1 : which == 1 ? root2 : p.hashes[which - 2], bit);
	HOLDS(lc_merkle_verify_consistency(older, root1, size, root2, HASHES(p), p.count) == LC_ERR_PROOF);
}

/* How many hashes lead from a leaf to the root, by the splits of RFC 6962. */
static size_t
path_length(uint64_t index, uint64_t size)
{
	size_t		length = 0;

	while (size > 1)
	{
		uint64_t	k = 1;

		while (k < size - k)
			k *= 2;
		length++;
		if (index < k)
			size = k;
		else
		{
			index -= k;
			size -= k;
		}
	}
	return length;
}

/* Any arguments, with the hashes in a block of their own so that no other byte is read. */
static void
check_verifiers(input in)
{
	uint64_t	at = (uint64_t) take_int64(&in);
	uint64_t	size = (uint64_t) take_int64(&in);
	size_t		count = take_byte(&in) % (LC_PROOF_MAX + 2);
	uint8_t		first[LC_HASH_LEN];
	uint8_t		root[LC_HASH_LEN];
	uint8_t    *hashes = malloc(count * LC_HASH_LEN + 1);
	const uint8_t (*given)[LC_HASH_LEN] = (const uint8_t (*)[LC_HASH_LEN]) hashes;
	lc_status	status;

	HOLDS(hashes != NULL);
	take_bytes(&in, first, LC_HASH_LEN);
	memcpy(root, first, LC_HASH_LEN);
	take_bytes(&in, hashes, count * LC_HASH_LEN);

	status = lc_merkle_verify_consistency(at, first, size, root, given, count);
	HOLDS(status == LC_ERR_PROOF || (status == LC_OK && at == size && at > 0 && count == 0));
	status = lc_merkle_inclusion_root(first, at, size, given, count, root);
	HOLDS(status == LC_OK || status == LC_ERR_PROOF);
	HOLDS((status == LC_OK) ==
		  (size <= LC_MERKLE_MAX_SIZE && at < size && count == path_length(at, size)));
	if (status == LC_OK)
		HOLDS(lc_merkle_verify_inclusion(first, at, size, given, count, root) == LC_OK);
	free(hashes);
}

/* A loaded frontier takes a subtree as it takes its two halves. */
static void
check_frontier(input in)
{
	uint64_t	size = (uint64_t) take_int64(&in);
	unsigned	height = take_byte(&in) % 70;
	uint8_t		halves[2][LC_HASH_LEN];
	uint8_t		node[LC_HASH_LEN];
	lc_frontier f;
	lc_frontier g;
	lc_status	status;

	take_bytes(&in, halves[0], sizeof(halves));
	if (lc_frontier_load(&f, size, in.p, in.n - in.n % LC_HASH_LEN) != LC_OK)
		return;
	HOLDS(size <= LC_MERKLE_MAX_SIZE && f.size == size && f.count <= LC_MERKLE_MAX_HEIGHT);
	g = f;
	HOLDS(lc_merkle_node(halves[0], halves[1], node) == LC_OK);
	status = lc_frontier_append_node(&f, height, node, NULL);
	if (status != LC_OK)
	{
		HOLDS(f.size == size);
		return;
	}
	HOLDS(f.size == size + (UINT64_C(1) << height));
	if (height == 0)
		return;
	HOLDS(lc_frontier_append_node(&g, height - 1, halves[0], NULL) == LC_OK);
	HOLDS(lc_frontier_append_node(&g, height - 1, halves[1], NULL) == LC_OK);
	HOLDS(f.size == g.size && f.count == g.count);
	HOLDS(memcmp(f.hashes, g.hashes, f.count * LC_HASH_LEN) == 0);
	HOLDS(lc_frontier_root(&f, node) == LC_OK && lc_frontier_root(&g, halves[0]) == LC_OK);
	HOLDS(memcmp(node, halves[0], LC_HASH_LEN) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	input		in = {data, size};

	switch (take_byte(&in) % 4)
	{
		case 0:
			check_inclusion(in);
			break;
		case 1:
			check_consistency(in);
			break;
		case 2:
			check_verifiers(in);
			break;
		default:
			check_frontier(in);
			break;
	}
	return 0;
}
