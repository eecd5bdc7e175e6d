/*
 * test_merkle_refusals.c
 *		Proofs that lc_merkle must refuse: every one of trees of up to 128
 *		leaves with one hash changed, dropped, added or moved, with another
 *		leaf's place, and sizes that no tree has.
 */
#include "harness.h"
#include "merkle_trees.h"

/* What a proof is about, so that both kinds are changed by the same code. */
typedef struct claim
{
	bool		consistency;
	uint64_t	at;				/* the leaf's index, or the older size */
	uint64_t	size;
	uint8_t		first[LC_HASH_LEN]; /* the leaf's hash, or the older root */
	uint8_t		root[LC_HASH_LEN];
	lc_proof	proof;
} claim;

static unsigned tried;
static unsigned accepted;

static lc_status
verdict(const claim *c)
{
	if (c->consistency)
		return lc_merkle_verify_consistency(c->at, c->first, c->size, c->root, HASHES(c->proof),
											c->proof.count);
	return lc_merkle_verify_inclusion(c->first, c->at, c->size, HASHES(c->proof), c->proof.count,
									  c->root);
}

static void
must_fail(const claim *c)
{
	tried++;
	if (verdict(c) == LC_ERR_PROOF)
		return;
	if (accepted++ == 0)
		printf("#   accepted: %s %" PRIu64 " %" PRIu64 ", %zu hashes\n",
			   c->consistency ? "consistency" : "inclusion", c->at, c->size, c->proof.count);
}

static claim
make_claim(bool consistency, uint64_t at, uint64_t size)
{
	claim		c;

	memset(&c, 0, sizeof(c));
	c.consistency = consistency;
	c.at = at;
	c.size = size;
	memcpy(c.first, consistency ? roots[at] : leaves[at], LC_HASH_LEN);
	memcpy(c.root, roots[size], LC_HASH_LEN);
	if ((consistency ? lc_merkle_consistency(&stored_nodes, at, size, &c.proof)
		 : lc_merkle_inclusion(&stored_nodes, at, size, &c.proof)) != LC_OK || verdict(&c) != LC_OK)
		abort();
	return c;
}

/* A bit of each hash; which one varies from hash to hash. */
static void
change_hashes(claim *c)
{
	size_t		i;
	size_t		bit = (size_t) (c->at * 31 + c->size * 17);

	for (i = 0; i < c->proof.count + 2; i++, bit += 101)
	{
		uint8_t    *hash = i == 0 ? c->first : i == 1 ? c->root : c->proof.hashes[i - 2];
		uint8_t		mask = (uint8_t) (1 << bit % 8);

		hash[bit / 8 % LC_HASH_LEN] ^= mask;
		must_fail(c);
		hash[bit / 8 % LC_HASH_LEN] ^= mask;
	}
}

/* Without each hash, with each of them twice, and with each pair swapped. */
static void
move_hashes(const claim *c)
{
	claim		changed;
	size_t		i;
	size_t		n = c->proof.count;

	for (i = 0; i < n; i++)
	{
		changed = *c;
		memmove(changed.proof.hashes[i], changed.proof.hashes[i + 1], (n - i - 1) * LC_HASH_LEN);
		changed.proof.count--;
		must_fail(&changed);

		changed = *c;
		memmove(changed.proof.hashes[i + 1], changed.proof.hashes[i], (n - i) * LC_HASH_LEN);
		changed.proof.count++;
		must_fail(&changed);

		if (i == 0)
			continue;
		changed = *c;
		memcpy(changed.proof.hashes[i], c->proof.hashes[i - 1], LC_HASH_LEN);
		memcpy(changed.proof.hashes[i - 1], c->proof.hashes[i], LC_HASH_LEN);
		must_fail(&changed);
	}
	changed = *c;
	memcpy(changed.proof.hashes[n], c->first, LC_HASH_LEN);
	changed.proof.count++;
	must_fail(&changed);
	memcpy(changed.proof.hashes[n], c->root, LC_HASH_LEN);
	must_fail(&changed);
}

static void
swap_roots(const claim *c)
{
	claim		changed = *c;

	memcpy(changed.first, c->root, LC_HASH_LEN);
	must_fail(&changed);
	memcpy(changed.root, c->first, LC_HASH_LEN);
	must_fail(&changed);
	memcpy(changed.first, c->first, LC_HASH_LEN);
	must_fail(&changed);
}

static void
test_changed_proofs(void)
{
	uint64_t	at;
	uint64_t	size;
	claim		c;

	tried = accepted = 0;
	for (size = 1; size <= LEAVES; size++)
	{
		for (at = 0; at < size; at++)
		{
			c = make_claim(false, at, size);
			change_hashes(&c);
			move_hashes(&c);
		}
	}
	is_int(accepted, 0, "inclusion: no proof with a changed, missing, doubled or moved hash holds");
	ok(tried > 200000, "inclusion: %u changes tried", tried);

	tried = accepted = 0;
	for (size = 1; size <= LEAVES; size++)
	{
		for (at = 1; at <= size; at++)
		{
			c = make_claim(true, at, size);
			change_hashes(&c);
			move_hashes(&c);
			if (at < size)
				swap_roots(&c);
		}
	}
	is_int(accepted, 0, "consistency: likewise");
	ok(tried > 200000, "consistency: %u changes tried", tried);
}

/* A leaf's proof holds at no other place of the tree, and a proof of growth from no other size. */
static void
test_other_places(void)
{
	uint64_t	at;
	uint64_t	other;
	uint64_t	size;
	claim		c;

	tried = accepted = 0;
	for (size = 1; size <= 40; size++)
	{
		for (at = 0; at < size; at++)
		{
			c = make_claim(false, at, size);
			for (other = 0; other < 2 * size; other++)
			{
				c.at = other;
				if (other != at)
					must_fail(&c);
			}
		}
	}
	is_int(accepted, 0, "a leaf is shown at its own place only");
	ok(tried > 40000, "%u places tried", tried);

	/* With the roots of the sizes that are claimed. */
	tried = accepted = 0;
	for (size = 2; size <= 40; size++)
	{
		for (at = 1; at < size; at++)
		{
			c = make_claim(true, at, size);
			for (other = 0; other < 2 * size; other++)
			{
				c.at = other;
				memcpy(c.first, roots[other], LC_HASH_LEN);
				if (other != at)
					must_fail(&c);
			}
		}
	}
	is_int(accepted, 0, "the growth from one size is not that from another");
	ok(tried > 40000, "%u sizes tried", tried);
}

/* A proof of one tree is none of a tree twice as large that has its root: such a tree is higher. */
static void
test_higher_trees(void)
{
	uint64_t	at;
	uint64_t	size;
	claim		c;

	tried = accepted = 0;
	for (size = 1; size <= LEAVES; size++)
	{
		for (at = 0; at < size; at++)
		{
			c = make_claim(false, at, size);
			c.size = 2 * size;
			must_fail(&c);
			c = make_claim(true, at + 1, size);
			c.size = 2 * size;
			must_fail(&c);
		}
	}
	is_int(accepted, 0, "a root is not that of a higher tree");
	is_int(tried, LEAVES * (LEAVES + 1), "whatever the leaf and the older size");
}

static void
test_empty_and_equal(void)
{
	claim		c;

	memset(&c, 0, sizeof(c));
	c.consistency = true;
	memcpy(c.first, roots[0], LC_HASH_LEN);
	memcpy(c.root, roots[0], LC_HASH_LEN);
	is_status(verdict(&c), LC_ERR_PROOF, "nothing is shown from the empty tree to itself");
	c.size = 9;
	memcpy(c.root, roots[9], LC_HASH_LEN);
	is_status(verdict(&c), LC_ERR_PROOF, "nor to any other");
	c.proof.count = 1;
	is_status(verdict(&c), LC_ERR_PROOF, "with a hash for a proof neither");
	c.proof.count = 0;

	c.at = c.size = 9;
	memcpy(c.first, roots[9], LC_HASH_LEN);
	memcpy(c.root, roots[9], LC_HASH_LEN);
	is_status(verdict(&c), LC_OK, "a tree is consistent with itself");
	c.proof.count = 1;
	is_status(verdict(&c), LC_ERR_PROOF, "without a proof");
	c.proof.count = 0;
	c.root[0] ^= 0x80;
	is_status(verdict(&c), LC_ERR_PROOF, "but not with another of its size");
	memcpy(c.root, roots[10], LC_HASH_LEN);
	c.size = 10;
	is_status(verdict(&c), LC_ERR_PROOF, "nor, without a proof, with a larger one");
	c.size = 8;
	memcpy(c.root, roots[8], LC_HASH_LEN);
	is_status(verdict(&c), LC_ERR_PROOF, "nor with a smaller one");
}

/* Sizes and places that no tree has, with as many hashes as might be asked for. */
static void
test_impossible(void)
{
	static const uint64_t sizes[] = {0, 1, 2, INT64_MAX, UINT64_C(1) << 63, UINT64_MAX - 1, UINT64_MAX};
	size_t		n = sizeof(sizes) / sizeof(sizes[0]);
	uint8_t		(*hashes)[LC_HASH_LEN] = malloc(LC_PROOF_MAX * LC_HASH_LEN);
	size_t		counts[] = {0, 1, 62, 63, 64, 65, SIZE_MAX};
	size_t		i;
	size_t		j;
	size_t		k;
	int			wrong = 0;

	/* A heap block, so that a read behind the 64th hash is noticed whatever count says. */
	if (hashes == NULL)
		abort();
	memset(hashes, 7, LC_PROOF_MAX * LC_HASH_LEN);
	for (i = 0; i < n; i++)
	{
		for (j = 0; j < n; j++)
		{
			for (k = 0; k < sizeof(counts) / sizeof(counts[0]); k++)
			{
				const uint8_t (*given)[LC_HASH_LEN] = (const uint8_t (*)[LC_HASH_LEN]) hashes;

				wrong += lc_merkle_verify_inclusion(leaves[0], sizes[i], sizes[j], given, counts[k],
													roots[1]) == LC_OK
					&& !(sizes[i] == 0 && sizes[j] == 1 && counts[k] == 0);
				wrong += lc_merkle_verify_consistency(sizes[i], roots[1], sizes[j], roots[1], given,
													  counts[k]) == LC_OK
					&& !(sizes[i] == sizes[j] && sizes[i] > 0 && sizes[i] <= INT64_MAX && counts[k] == 0);
			}
		}
	}
	free(hashes);
	is_int(wrong, 0, "impossible sizes and numbers of hashes are refused");
}

/* At the greatest sizes: a bit of each hash of the longest proofs. */
static void
test_greatest(void)
{
	claim		c;

	tried = accepted = 0;
	memset(&c, 0, sizeof(c));
	c.at = (UINT64_C(1) << 62) - 1;
	c.size = LC_MERKLE_MAX_SIZE;
	memcpy(c.first, leaves[0], LC_HASH_LEN);
	ok(equal_leaves_root(c.size, c.root) &&
	   lc_merkle_inclusion(&equal_nodes, c.at, c.size, &c.proof) == LC_OK && verdict(&c) == LC_OK,
	   "a leaf of 2^63 - 1");
	change_hashes(&c);
	c.consistency = true;
	ok(equal_leaves_root(c.at, c.first) &&
	   lc_merkle_consistency(&equal_nodes, c.at, c.size, &c.proof) == LC_OK && verdict(&c) == LC_OK,
	   "growth to 2^63 - 1 leaves");
	is_int((int64_t) c.proof.count, LC_PROOF_MAX, "has 64 hashes");
	change_hashes(&c);
	is_int(tried, 63 + 2 + 64 + 2, "each of whose hashes was changed");
	is_int(accepted, 0, "and none went through");
}

int
main(void)
{
	if (!make_trees())
		return 1;
	test_changed_proofs();
	test_other_places();
	test_higher_trees();
	test_empty_and_equal();
	test_impossible();
	test_greatest();
	lc_sha256_thread_end();
	return done();
}
