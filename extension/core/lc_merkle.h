/*
 * lc_merkle.h
 *		The tree of RFC 6962 section 2.1 (RFC 9162 section 2.1): leaves and
 *		nodes, a root that grows leaf by leaf, proofs of inclusion and of
 *		consistency, and their verification.
 *
 * The only tree in the repository.  It knows hashes, not where they are
 * stored: who makes a proof hands in a source of complete subtrees.
 *
 * A node is named by (height, index): the root of the 2^height leaves that
 * start at index * 2^height, all of which are in the tree.  Sizes are below
 * 2^63.  Leaf hashes are made by lc_leaf_hash() (lc_envelope.h).
 */
#ifndef LC_MERKLE_H
#define LC_MERKLE_H

#include "lc_sha256.h"

#define LC_MERKLE_MAX_SIZE ((uint64_t) INT64_MAX)
#define LC_MERKLE_MAX_HEIGHT 63
/* An inclusion proof has at most 63 hashes, a consistency proof one more. */
#define LC_PROOF_MAX 64

/* SHA-256(0x01 || left || right). */
extern lc_status lc_merkle_node(const uint8_t left[LC_HASH_LEN], const uint8_t right[LC_HASH_LEN],
								uint8_t out[LC_HASH_LEN]);

/* The root of the tree without leaves: SHA-256(""). */
extern lc_status lc_merkle_empty_root(uint8_t out[LC_HASH_LEN]);

/*
 * A compact range from leaf 0: the roots of the complete subtrees that size
 * decomposes into, the largest first, one for each bit of size.  All that is
 * needed to go on appending, and to know the root.
 */
typedef struct lc_frontier
{
	uint64_t	size;
	size_t		count;			/* bits set in size */
	uint8_t		hashes[LC_MERKLE_MAX_HEIGHT][LC_HASH_LEN];
} lc_frontier;

/*
 * Told of every complete subtree that an append joins of two, in the order of
 * their heights; not of what is handed in.  Its failure leaves the frontier as
 * it was.
 */
typedef struct lc_node_sink
{
	lc_status	(*node) (void *arg, unsigned height, uint64_t index, const uint8_t hash[LC_HASH_LEN]);
	void	   *arg;
} lc_node_sink;

extern void lc_frontier_init(lc_frontier *f);

/* From its hashes, concatenated; LC_ERR_RANGE unless n is 32 for each bit set in size. */
extern lc_status lc_frontier_load(lc_frontier *f, uint64_t size, const uint8_t *hashes, size_t n);

/* sink may be NULL.  LC_ERR_RANGE over LC_MERKLE_MAX_SIZE. */
extern lc_status lc_frontier_append(lc_frontier *f, const uint8_t leaf_hash[LC_HASH_LEN],
									const lc_node_sink *sink);

/* Append 2^height leaves by their root; LC_ERR_MISUSE unless size is a multiple of that. */
extern lc_status lc_frontier_append_node(lc_frontier *f, unsigned height,
										 const uint8_t hash[LC_HASH_LEN], const lc_node_sink *sink);
extern lc_status lc_frontier_root(const lc_frontier *f, uint8_t out[LC_HASH_LEN]);

/* Where a prover gets complete subtrees from; asked only for nodes within the tree's size. */
typedef struct lc_node_source
{
	lc_status	(*node) (void *arg, unsigned height, uint64_t index, uint8_t out[LC_HASH_LEN]);
	void	   *arg;
} lc_node_source;

typedef struct lc_proof
{
	size_t		count;
	uint8_t		hashes[LC_PROOF_MAX][LC_HASH_LEN];
} lc_proof;

/*
 * MTH(D[start:end]): the root over these leaves alone.  LC_ERR_RANGE unless
 * start <= end.  Where start is a multiple of a power of two that is not less
 * than the length, as in every proof, this asks for one node a bit of the
 * length; elsewhere for up to every leaf.
 */
extern lc_status lc_merkle_range_root(const lc_node_source *source, uint64_t start, uint64_t end,
									  uint8_t out[LC_HASH_LEN]);

/* PATH(index, D[0:size]), RFC 9162 section 2.1.3.1.  LC_ERR_RANGE unless index < size. */
extern lc_status lc_merkle_inclusion(const lc_node_source *source, uint64_t index, uint64_t size,
									 lc_proof *proof);

/*
 * PROOF(size1, D[0:size2]), RFC 9162 section 2.1.4.1.  Empty if size1 is 0 or
 * size2; LC_ERR_RANGE unless size1 <= size2.
 */
extern lc_status lc_merkle_consistency(const lc_node_source *source, uint64_t size1, uint64_t size2,
									   lc_proof *proof);

/*
 * The root that a proof leads to, so that a message can show it: steps 1 to 4
 * of RFC 9162 section 2.1.3.2.  LC_ERR_PROOF if it has not as many hashes as
 * the path of that leaf.
 */
extern lc_status lc_merkle_inclusion_root(const uint8_t leaf_hash[LC_HASH_LEN], uint64_t index,
										  uint64_t size, const uint8_t (*hashes)[LC_HASH_LEN],
										  size_t count, uint8_t root[LC_HASH_LEN]);

/*
 * RFC 9162 section 2.1.3.2.  LC_OK, or LC_ERR_PROOF whatever is wrong with the
 * arguments; anything else says that OpenSSL failed.
 */
extern lc_status lc_merkle_verify_inclusion(const uint8_t leaf_hash[LC_HASH_LEN], uint64_t index,
											uint64_t size, const uint8_t (*hashes)[LC_HASH_LEN],
											size_t count, const uint8_t root[LC_HASH_LEN]);

/*
 * RFC 9162 section 2.1.4.2.  LC_OK, LC_ERR_PROOF or OpenSSL's failure likewise.
 * Between equal sizes only the empty proof holds, and the roots must be equal.
 * From size 0 nothing holds, as in the RFC and in other verifiers: every tree
 * begins with the empty one, so that such a proof says nothing about root2.
 */
extern lc_status lc_merkle_verify_consistency(uint64_t size1, const uint8_t root1[LC_HASH_LEN],
											  uint64_t size2, const uint8_t root2[LC_HASH_LEN],
											  const uint8_t (*hashes)[LC_HASH_LEN], size_t count);

#endif
