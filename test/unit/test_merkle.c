/*
 * test_merkle.c
 *		lc_merkle: trees of up to 128 leaves against the RFC's definition of a
 *		root, written out; trees of up to 2^63 - 1 equal leaves; failures of
 *		what it calls.  Proofs that must fail: test_merkle_refusals.
 */
#include <openssl/evp.h>

#include "harness.h"
#include "merkle_trees.h"

/* Every root, by the frontier and by the definition. */
static void
test_roots(void)
{
	uint8_t		want[LC_HASH_LEN];
	uint8_t		got[LC_HASH_LEN];
	uint64_t	size;
	int			wrong = 0;

	for (size = 1; size <= LEAVES; size++)
	{
		definition(0, size, want);
		wrong += memcmp(want, roots[size], LC_HASH_LEN) != 0;
		wrong += lc_merkle_range_root(&stored_nodes, 0, size, got) != LC_OK;
		wrong += memcmp(want, got, LC_HASH_LEN) != 0;
	}
	is_int(wrong, 0, "roots of 1 to 128 leaves, by frontier and from nodes");
	is_hex(roots[0], LC_HASH_LEN,
		   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "root of no leaves");
}

static void
test_ranges(void)
{
	uint8_t		want[LC_HASH_LEN];
	uint8_t		got[LC_HASH_LEN];
	uint64_t	start;
	uint64_t	end;
	int			wrong = 0;

	for (end = 1; end <= 70; end++)
	{
		for (start = 0; start < end; start++)
		{
			definition(start, end, want);
			wrong += lc_merkle_range_root(&stored_nodes, start, end, got) != LC_OK;
			wrong += memcmp(want, got, LC_HASH_LEN) != 0;
		}
	}
	is_int(wrong, 0, "roots of every range within 70 leaves");
	nodes_read = 0;
	is_status(lc_merkle_range_root(&stored_nodes, 64, 127, got), LC_OK, "a range as proofs have it");
	is_int(nodes_read, 6, "reads a node for each bit of its length");
	is_status(lc_merkle_range_root(&stored_nodes, 3, 2, got), LC_ERR_RANGE, "a range that ends before it starts");
	is_status(lc_merkle_range_root(&stored_nodes, UINT64_C(1) << 63, UINT64_C(1) << 63, got),
			  LC_ERR_RANGE, "a range beyond the greatest size");
	is_status(lc_merkle_range_root(&stored_nodes, 99, 99, got), LC_OK, "an empty range");
	ok(memcmp(got, roots[0], LC_HASH_LEN) == 0, "has the root of no leaves");
}

/* What a sink was told, in its order. */
typedef struct told
{
	unsigned	count;
	unsigned	wrong;
	unsigned	last_height;
	unsigned	refuse_at;		/* the call that fails, 0 for none */
} told;

static lc_status
hear(void *arg, unsigned height, uint64_t index, const uint8_t hash[LC_HASH_LEN])
{
	told	   *t = arg;
	uint8_t		want[LC_HASH_LEN];

	if (++t->count == t->refuse_at)
		return LC_ERR_ABSENT;
	definition(index << height, (index + 1) << height, want);
	t->wrong += memcmp(want, hash, LC_HASH_LEN) != 0 || height == 0;
	t->last_height = height;
	return LC_OK;
}

static void
test_sink(void)
{
	told		t = {0, 0, 0, 0};
	lc_node_sink sink = {hear, &t};
	lc_frontier f;
	lc_frontier before;
	unsigned	i;
	unsigned	bad = 0;

	lc_frontier_init(&f);
	for (i = 0; i < LEAVES; i++)
		bad += lc_frontier_append(&f, leaves[i], &sink) != LC_OK;
	is_int(bad, 0, "128 leaves appended with a sink");
	is_int(t.count, 127, "which hears of every node above the leaves");
	is_int(t.wrong, 0, "by its height, place and hash");
	is_int(t.last_height, 7, "at last of the root");

	/* The 128th leaf completes seven subtrees; the sink fails at the fourth. */
	lc_frontier_init(&f);
	for (i = 0; i < LEAVES - 1; i++)
		bad += lc_frontier_append(&f, leaves[i], NULL) != LC_OK;
	before = f;
	t.count = 0;
	t.refuse_at = 4;
	is_status(lc_frontier_append(&f, leaves[i], &sink), LC_ERR_ABSENT, "a sink's failure is passed on");
	ok(f.size == before.size && f.count == before.count &&
	   memcmp(f.hashes, before.hashes, f.count * LC_HASH_LEN) == 0, "and nothing was appended");
	t.refuse_at = 0;
	is_status(lc_frontier_append(&f, leaves[i], &sink), LC_OK, "so that it can be tried again");
	is_int(t.wrong + bad, 0, "with the right nodes");
}

/* Grown from every size by every subtree that fits there, to the same frontier as leaf by leaf. */
static void
test_append_node(void)
{
	lc_frontier f;
	lc_frontier want;
	uint8_t		node[LC_HASH_LEN];
	uint64_t	size;
	uint64_t	i;
	unsigned	height;
	int			wrong = 0;
	int			misuses = 0;

	for (size = 0; size < LEAVES; size++)
	{
		for (height = 0; size + (UINT64_C(1) << height) <= LEAVES; height++)
		{
			uint64_t	end = size + (UINT64_C(1) << height);

			frontier_of(size, &f);
			want = f;
			definition(size, end, node);
			if (size % (UINT64_C(1) << height) != 0)
			{
				misuses += lc_frontier_append_node(&f, height, node, NULL) == LC_ERR_MISUSE;
				wrong += f.size != size;
				continue;
			}
			for (i = size; i < end; i++)
				wrong += lc_frontier_append(&want, leaves[i], NULL) != LC_OK;
			wrong += lc_frontier_append_node(&f, height, node, NULL) != LC_OK;
			wrong += f.size != want.size || f.count != want.count ||
				memcmp(f.hashes, want.hashes, f.count * LC_HASH_LEN) != 0;
		}
	}
	is_int(wrong, 0, "subtrees appended where they fit");
	/* Of 777 that end within 128 leaves, 255 stand where they fit. */
	is_int(misuses, 522, "and refused where they do not");
}

static void
test_load(void)
{
	lc_frontier f;
	lc_frontier loaded;
	uint8_t		got[LC_HASH_LEN];
	uint64_t	size;
	int			wrong = 0;

	for (size = 0; size <= LEAVES; size++)
	{
		frontier_of(size, &f);
		wrong += lc_frontier_load(&loaded, size, f.hashes[0], f.count * LC_HASH_LEN) != LC_OK;
		wrong += lc_frontier_root(&loaded, got) != LC_OK || loaded.size != size;
		wrong += memcmp(got, roots[size], LC_HASH_LEN) != 0;
	}
	is_int(wrong, 0, "frontiers of 0 to 128 leaves loaded from their hashes");

	frontier_of(7, &f);
	loaded = f;
	is_status(lc_frontier_load(&loaded, 7, f.hashes[0], 64), LC_ERR_RANGE, "a hash short");
	is_status(lc_frontier_load(&loaded, 7, f.hashes[0], 128), LC_ERR_RANGE, "a hash more");
	is_status(lc_frontier_load(&loaded, 7, f.hashes[0], 95), LC_ERR_RANGE, "a byte short");
	is_status(lc_frontier_load(&loaded, 0, f.hashes[0], 32), LC_ERR_RANGE, "hashes of no leaves");
	is_status(lc_frontier_load(&loaded, UINT64_C(1) << 63, f.hashes[0], 32), LC_ERR_RANGE, "2^63 leaves");
	ok(loaded.size == 7 && loaded.count == 3, "none of which changes the frontier");
	is_status(lc_frontier_load(&loaded, 0, NULL, 0), LC_OK, "no leaves have no hashes");
}

static void
test_proofs(void)
{
	lc_proof	proof;
	uint64_t	at;
	uint64_t	size;
	int			wrong = 0;

	for (size = 1; size <= LEAVES; size++)
	{
		for (at = 0; at < size; at++)
		{
			wrong += lc_merkle_inclusion(&stored_nodes, at, size, &proof) != LC_OK;
			wrong += lc_merkle_verify_inclusion(leaves[at], at, size, HASHES(proof), proof.count,
												roots[size]) != LC_OK;
		}
	}
	is_int(wrong, 0, "every leaf of trees of 1 to 128 leaves is shown to be in them");
	for (size = 1; size <= LEAVES; size++)
	{
		wrong += lc_merkle_consistency(&stored_nodes, 0, size, &proof) != LC_OK || proof.count != 0;
		for (at = 1; at <= size; at++)
		{
			wrong += lc_merkle_consistency(&stored_nodes, at, size, &proof) != LC_OK;
			wrong += lc_merkle_verify_consistency(at, roots[at], size, roots[size], HASHES(proof),
												  proof.count) != LC_OK;
		}
	}
	is_int(wrong, 0, "every two trees of 1 to 128 leaves are shown to be consistent");
	is_status(lc_merkle_inclusion(&stored_nodes, 5, 5, &proof), LC_ERR_RANGE, "no proof of a leaf behind the last");
	is_status(lc_merkle_inclusion(&stored_nodes, 0, 0, &proof), LC_ERR_RANGE, "nor of one in the empty tree");
	is_status(lc_merkle_consistency(&stored_nodes, 6, 5, &proof), LC_ERR_RANGE, "no proof that a tree shrank");
	is_status(lc_merkle_inclusion(&stored_nodes, 0, UINT64_C(1) << 63, &proof), LC_ERR_RANGE,
			  "no inclusion in 2^63 leaves");
	is_status(lc_merkle_consistency(&stored_nodes, 1, UINT64_C(1) << 63, &proof), LC_ERR_RANGE,
			  "no consistency with 2^63 leaves");
}

/* The root that a proof leads to, be it a good one or not. */
static void
test_inclusion_root(void)
{
	lc_proof	proof;
	uint8_t		got[LC_HASH_LEN];
	uint8_t		before[LC_HASH_LEN];

	is_status(lc_merkle_inclusion(&stored_nodes, 4, 7, &proof), LC_OK, "leaf 4 of 7");
	is_status(lc_merkle_inclusion_root(leaves[4], 4, 7, HASHES(proof), 3, got), LC_OK, "leads to a root");
	ok(memcmp(got, roots[7], LC_HASH_LEN) == 0, "that of its tree");
	is_status(lc_merkle_inclusion_root(leaves[5], 4, 7, HASHES(proof), 3, got), LC_OK,
			  "another leaf does too");
	ok(memcmp(got, roots[7], LC_HASH_LEN) != 0, "to another one");
	memcpy(before, got, LC_HASH_LEN);
	is_status(lc_merkle_inclusion_root(leaves[4], 4, 7, HASHES(proof), 2, got), LC_ERR_PROOF,
			  "a hash short leads nowhere");
	is_status(lc_merkle_inclusion_root(leaves[4], 4, 7, HASHES(proof), 4, got), LC_ERR_PROOF, "nor a hash more");
	is_status(lc_merkle_inclusion_root(leaves[4], 7, 7, HASHES(proof), 3, got), LC_ERR_PROOF,
			  "nor a place behind the last leaf");
	memset(proof.hashes, 7, sizeof(proof.hashes));
	is_status(lc_merkle_inclusion_root(leaves[4], 4, UINT64_C(1) << 63, HASHES(proof), 63, got), LC_ERR_PROOF,
			  "nor as many hashes as 2^63 leaves would take");
	ok(memcmp(got, before, LC_HASH_LEN) == 0, "and then no root is given");
	is_status(lc_merkle_inclusion_root(leaves[4], 4, LC_MERKLE_MAX_SIZE, HASHES(proof), 63, got), LC_OK,
			  "2^63 - 1 leaves take as many");
}

/* Each read of a proof's nodes fails in its turn. */
static void
test_source_failures(void)
{
	lc_proof	proof;
	uint8_t		root[LC_HASH_LEN];
	int			wrong = 0;
	int			failures = 0;

	for (reads_left = 0; lc_merkle_inclusion(&failing_nodes, 77, 127, &proof) != LC_OK; failures++)
	{
		wrong += proof.count != 0;
		reads_left = failures + 1;
	}
	is_int(failures, 11, "a proof of inclusion that reads eleven nodes fails at each");
	failures = 0;
	for (reads_left = 0; lc_merkle_consistency(&failing_nodes, 77, 127, &proof) != LC_OK; failures++)
	{
		wrong += proof.count != 0;
		reads_left = failures + 1;
	}
	is_int(failures, 12, "and one of consistency that reads twelve");
	is_int(wrong, 0, "and is then empty");
	reads_left = 3;
	is_status(lc_merkle_range_root(&failing_nodes, 0, 127, root), LC_ERR_ABSENT,
			  "the failure is the source's own");
}

/* A tree of equal leaves at the greatest sizes. */
static void
test_greatest(void)
{
	static const uint64_t sizes[] = {
		UINT64_C(1) << 62, (UINT64_C(1) << 62) - 1, (UINT64_C(1) << 62) + 1,
		LC_MERKLE_MAX_SIZE, LC_MERKLE_MAX_SIZE - 1, UINT64_C(0x5555555555555555)
	};
	size_t		n = sizeof(sizes) / sizeof(sizes[0]);
	uint8_t		root[LC_HASH_LEN];
	uint8_t		other[LC_HASH_LEN];
	lc_proof	proof;
	size_t		most = 0;
	size_t		i;
	size_t		j;
	int			wrong = 0;

	for (i = 0; i < n; i++)
	{
		uint64_t	places[] = {0, 1, sizes[i] / 2, (UINT64_C(1) << 61) + 12345, sizes[i] - 2, sizes[i] - 1};

		wrong += !equal_leaves_root(sizes[i], root);
		for (j = 0; j < sizeof(places) / sizeof(places[0]); j++)
		{
			wrong += lc_merkle_inclusion(&equal_nodes, places[j], sizes[i], &proof) != LC_OK;
			wrong += lc_merkle_verify_inclusion(leaves[0], places[j], sizes[i], HASHES(proof), proof.count,
												root) != LC_OK;
		}
		for (j = 0; j < n; j++)
		{
			if (sizes[j] > sizes[i])
				continue;
			wrong += !equal_leaves_root(sizes[j], other);
			wrong += lc_merkle_consistency(&equal_nodes, sizes[j], sizes[i], &proof) != LC_OK;
			wrong += lc_merkle_verify_consistency(sizes[j], other, sizes[i], root, HASHES(proof),
												  proof.count) != LC_OK;
			most = proof.count > most ? proof.count : most;
		}
	}
	is_int(wrong, 0, "proofs within trees of 2^62 - 1 to 2^63 - 1 leaves");
	is_int((int64_t) most, LC_PROOF_MAX, "the longest of them is as long as a proof can be");
}

static void
test_full_frontier(void)
{
	lc_frontier f;
	uint8_t		got[LC_HASH_LEN];
	uint8_t		want[LC_HASH_LEN];

	equal_leaves_frontier((UINT64_C(1) << 62) - 1, &f);
	is_int((int64_t) f.count, 62, "2^62 - 1 leaves are 62 subtrees");
	is_status(lc_frontier_append(&f, leaves[0], NULL), LC_OK, "one more leaf");
	ok(f.count == 1 && f.size == UINT64_C(1) << 62, "makes them one");
	is_status(equal_node(NULL, 62, 0, want), LC_OK, "of height 62");
	ok(memcmp(f.hashes[0], want, LC_HASH_LEN) == 0, "with its hash");
	is_status(lc_frontier_append_node(&f, 62, want, NULL), LC_ERR_RANGE, "2^63 leaves are too many");
	is_status(lc_frontier_append_node(&f, 63, want, NULL), LC_ERR_RANGE, "so is a subtree of them");
	is_status(lc_frontier_append_node(&f, 4294967295u, want, NULL), LC_ERR_RANGE, "a height beyond all sizes");
	is_status(lc_frontier_append_node(&f, 61, want, NULL), LC_OK, "half as many can come to 2^62");
	equal_leaves_frontier(LC_MERKLE_MAX_SIZE, &f);
	is_int((int64_t) f.count, LC_MERKLE_MAX_HEIGHT, "2^63 - 1 leaves are 63 subtrees");
	is_status(lc_frontier_root(&f, got), LC_OK, "and have a root");
	is_status(lc_frontier_append(&f, leaves[0], NULL), LC_ERR_RANGE, "but cannot be more");
	is_status(lc_frontier_root(&f, want), LC_OK, "which they");
	ok(memcmp(got, want, LC_HASH_LEN) == 0, "are not");
}

/* OpenSSL without SHA-256: a failure, and no verdict on a proof. */
static void
test_no_sha256(void)
{
	lc_frontier f;
	lc_frontier before;
	lc_proof	inclusion;
	lc_proof	consistency;
	uint8_t		out[LC_HASH_LEN];
	lc_status	status = lc_merkle_inclusion(&stored_nodes, 2, 5, &inclusion);

	if (status == LC_OK)
		status = lc_merkle_consistency(&stored_nodes, 3, 5, &consistency);
	is_status(status, LC_OK, "two proofs");
	frontier_of(7, &f);
	before = f;
	lc_sha256_thread_end();
	EVP_set_default_properties(NULL, "provider=none");
	is_status(lc_merkle_node(leaves[0], leaves[1], out), LC_ERR_CRYPTO, "no node without SHA-256");
	is_status(lc_merkle_empty_root(out), LC_ERR_CRYPTO, "no root of no leaves");
	is_status(lc_frontier_root(&f, out), LC_ERR_CRYPTO, "no root");
	is_status(lc_frontier_append(&f, leaves[7], NULL), LC_ERR_CRYPTO, "no appending");
	ok(f.size == 7 && memcmp(f.hashes, before.hashes, 3 * LC_HASH_LEN) == 0, "the frontier is as before");
	is_status(lc_merkle_range_root(&equal_nodes, 0, 3, out), LC_ERR_CRYPTO, "no root of a range");
	is_status(lc_merkle_verify_inclusion(leaves[2], 2, 5, HASHES(inclusion), inclusion.count, roots[5]),
			  LC_ERR_CRYPTO, "no verdict on inclusion");
	is_status(lc_merkle_verify_consistency(3, roots[3], 5, roots[5], HASHES(consistency),
										   consistency.count),
			  LC_ERR_CRYPTO, "nor on consistency");
	EVP_set_default_properties(NULL, "");
}

int
main(void)
{
	if (!make_trees())
		return 1;
	test_roots();
	test_ranges();
	test_sink();
	test_append_node();
	test_load();
	test_proofs();
	test_inclusion_root();
	test_source_failures();
	test_greatest();
	test_full_frontier();
	test_no_sha256();
	lc_sha256_thread_end();
	return done();
}
