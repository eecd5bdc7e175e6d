/*
 * test_merkle_vectors.c
 *		lc_merkle on trees written down by hand (test/vectors/rfc6962), and on
 *		the proofs of $LEDGER_VECTORS/merkle where that is set.
 *
 * Run from the checkout's top folder.
 */
#include <dirent.h>

#include "harness.h"
#include "lc_base64.h"
#include "lc_envelope.h"
#include "lc_hex.h"
#include "lc_merkle.h"

#define CASES "test/vectors/rfc6962/cases.txt"
#define LEAVES 16
#define HASHES(proof) ((const uint8_t (*)[LC_HASH_LEN]) (proof).hashes)

/* What the lines before the current one have said. */
static uint8_t leaves[LEAVES][LC_HASH_LEN];
static uint8_t roots[LEAVES + 1][LC_HASH_LEN];
static lc_frontier frontier;

/* A complete subtree of the 16 leaves, by way of a frontier. */
static lc_status
node_of_leaves(void *arg, unsigned height, uint64_t index, uint8_t out[LC_HASH_LEN])
{
	lc_frontier f;
	uint64_t	i;
	lc_status	status = LC_OK;

	(void) arg;
	lc_frontier_init(&f);
	for (i = index << height; i < (index + 1) << height && status == LC_OK; i++)
		status = lc_frontier_append(&f, leaves[i], NULL);
	return status == LC_OK ? lc_frontier_root(&f, out) : status;
}

static const lc_node_source source = {node_of_leaves, NULL};

static void
leaf_is(uint64_t index, const char *entry, const uint8_t want[LC_HASH_LEN])
{
	uint8_t		bytes[128];
	size_t		n = strcmp(entry, "-") == 0 ? 0 : strlen(entry) / 2;

	ok(index < LEAVES && n <= sizeof(bytes) && lc_hex_decode(entry, 2 * n, bytes, n) == LC_OK &&
	   lc_leaf_hash((const char *) bytes, n, leaves[index]) == LC_OK &&
	   memcmp(leaves[index], want, LC_HASH_LEN) == 0, "leaf %" PRIu64, index);
}

/* The lines of roots come in the order of sizes. */
static void
root_is(uint64_t size, const uint8_t want[LC_HASH_LEN])
{
	uint8_t		got[LC_HASH_LEN];
	bool		same = size <= LEAVES && size == (size == 0 ? 0 : frontier.size + 1);

	if (same && size > 0)
		same = lc_frontier_append(&frontier, leaves[size - 1], NULL) == LC_OK;
	same = same && lc_frontier_root(&frontier, got) == LC_OK && memcmp(got, want, LC_HASH_LEN) == 0;
	ok(same, "root of %" PRIu64, size);
	if (size <= LEAVES)
		memcpy(roots[size], want, LC_HASH_LEN);
}

static void
range_is(uint64_t start, uint64_t end, const uint8_t want[LC_HASH_LEN])
{
	uint8_t		got[LC_HASH_LEN];

	ok(lc_merkle_range_root(&source, start, end, got) == LC_OK && memcmp(got, want, LC_HASH_LEN) == 0,
	   "root of leaves %" PRIu64 " to %" PRIu64, start, end);
}

static void
proof_is(bool consistency, uint64_t at, uint64_t size, const lc_proof *want)
{
	lc_proof	got;
	lc_status	status;

	if (!ok(at <= size && size <= LEAVES, "the proof is one of this tree"))
		return;
	status = consistency ? lc_merkle_consistency(&source, at, size, &got)
		: lc_merkle_inclusion(&source, at, size, &got);
	ok(status == LC_OK && got.count == want->count &&
	   memcmp(got.hashes, want->hashes, want->count * LC_HASH_LEN) == 0, "%s %" PRIu64 " %" PRIu64,
	   consistency ? "growth from" : "path of", at, size);
	status = consistency ?
		lc_merkle_verify_consistency(at, roots[at], size, roots[size], HASHES(*want), want->count) :
		lc_merkle_verify_inclusion(leaves[at], at, size, HASHES(*want), want->count, roots[size]);
	if (consistency && at == 0)
		is_status(status, LC_ERR_PROOF, "says nothing");
	else
		is_status(status, LC_OK, "holds");
}

/* One line of cases.txt; README.md there says what it may be. */
static bool
take_case(char *line)
{
	char	   *kind = strtok(line, " \n");
	char	   *first = strtok(NULL, " \n");
	char	   *second = NULL;
	char	   *word;
	lc_proof	hashes;

	hashes.count = 0;
	if (kind == NULL || first == NULL)
		return false;
	if (strcmp(kind, "root") != 0)
		second = strtok(NULL, " \n");
	while ((word = strtok(NULL, " \n")) != NULL)
	{
		if (hashes.count == LC_PROOF_MAX ||
			lc_hex_decode(word, strlen(word), hashes.hashes[hashes.count++], LC_HASH_LEN) != LC_OK)
			return false;
	}
	if (strcmp(kind, "root") == 0 && hashes.count == 1)
		root_is(strtoull(first, NULL, 10), hashes.hashes[0]);
	else if (second == NULL)
		return false;
	else if (strcmp(kind, "leaf") == 0 && hashes.count == 1)
		leaf_is(strtoull(first, NULL, 10), second, hashes.hashes[0]);
	else if (strcmp(kind, "range") == 0 && hashes.count == 1)
		range_is(strtoull(first, NULL, 10), strtoull(second, NULL, 10), hashes.hashes[0]);
	else if (strcmp(kind, "inclusion") == 0 || strcmp(kind, "consistency") == 0)
		proof_is(kind[0] == 'c', strtoull(first, NULL, 10), strtoull(second, NULL, 10), &hashes);
	else
		return false;
	return true;
}

static void
test_cases(void)
{
	char		line[2048];
	int			count = 0;
	FILE	   *file = fopen(CASES, "r");

	lc_frontier_init(&frontier);
	if (file != NULL)
	{
		while (fgets(line, sizeof(line), file) != NULL && take_case(line))
			count++;
		fclose(file);
	}
	is_int(count, 76, "all 76 lines of " CASES " were understood");
}

/* What stands behind a member's name in one of the published files; NULL if it is not there. */
static const char *
member(const lc_buf *json, const char *name)
{
	char		quoted[64];
	const char *at;

	snprintf(quoted, sizeof(quoted), "\"%s\": ", name);
	at = strstr(json->data, quoted);
	return at == NULL ? NULL : at + strlen(quoted);
}

/*
 * A hash in base64 at *at, which moves behind it.  Some files have a short text
 * where it is of no importance which hash stands there, only where it stands
 * again: its own hash takes its place.
 */
static bool
take_hash(const char **at, uint8_t hash[LC_HASH_LEN])
{
	const char *end;
	size_t		n = 0;

	if (*at == NULL || **at != '"' || (end = strchr(*at + 1, '"')) == NULL ||
		lc_base64_decode(*at + 1, (size_t) (end - *at) - 1, hash, LC_HASH_LEN, &n) != LC_OK)
		return false;
	*at = end + 1;
	return n == LC_HASH_LEN || (n > 0 && lc_sha256(hash, n, hash) == LC_OK);
}

static bool
hash_member(const lc_buf *json, const char *name, uint8_t hash[LC_HASH_LEN])
{
	const char *at = member(json, name);

	return take_hash(&at, hash);
}

static bool
size_member(const lc_buf *json, const char *name, uint64_t *value)
{
	const char *at = member(json, name);

	if (at == NULL || *at < '0' || *at > '9')
		return false;
	*value = strtoull(at, NULL, 10);
	return true;
}

/* The proof: an array of hashes, or null for none. */
static bool
proof_member(const lc_buf *json, lc_proof *proof)
{
	const char *at = member(json, "proof");

	proof->count = 0;
	if (at == NULL || strncmp(at, "null", 4) == 0)
		return at != NULL;
	for (at = strpbrk(at, "\"]"); at != NULL && *at == '"'; at = strpbrk(at, "\"]"))
	{
		if (proof->count == LC_PROOF_MAX || !take_hash(&at, proof->hashes[proof->count++]))
			return false;
	}
	return at != NULL;
}

/* Is the claim of the file right?  What cannot be read is not. */
static bool
holds(const lc_buf *json, bool consistency)
{
	uint8_t		first[LC_HASH_LEN];
	uint8_t		root[LC_HASH_LEN];
	uint64_t	at;
	uint64_t	size;
	lc_proof	proof;

	if (!size_member(json, consistency ? "size1" : "leafIdx", &at) ||
		!size_member(json, consistency ? "size2" : "treeSize", &size))
		abort();				/* not the files that they should be */
	if (!hash_member(json, consistency ? "root1" : "leafHash", first) ||
		!hash_member(json, consistency ? "root2" : "root", root) || !proof_member(json, &proof))
		return false;
	if (consistency)
		return lc_merkle_verify_consistency(at, first, size, root, HASHES(proof), proof.count) == LC_OK;
	return lc_merkle_verify_inclusion(first, at, size, HASHES(proof), proof.count, root) == LC_OK;
}

typedef struct published
{
	int			files;
	int			good;			/* of which say that they are right */
} published;

/* Every file of a folder and those below it. */
static void
decide_folder(const char *path, bool consistency, published *p)
{
	DIR		   *dir = opendir(path);
	struct dirent *entry;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
	{
		char		name[1024];
		const char *dot = strrchr(entry->d_name, '.');
		const char *want;
		lc_buf		json;

		snprintf(name, sizeof(name), "%s/%s", path, entry->d_name);
		if (dot == NULL)
			decide_folder(name, consistency, p);
		if (dot == NULL || strcmp(dot, ".json") != 0)
			continue;
		lc_buf_init(&json, &lc_alloc_malloc);
		if (read_file(name, &json) && (want = member(&json, "wantErr")) != NULL)
		{
			p->files++;
			p->good += *want == 'f';
			ok(holds(&json, consistency) == (*want == 'f'), "%s", strstr(name, "/merkle/") + 8);
		}
		lc_buf_free(&json);
	}
	if (dir != NULL)
		closedir(dir);
}

static void
test_published(const char *kind)
{
	const char *vectors = getenv("LEDGER_VECTORS");
	char		folder[512];
	published	p = {0, 0};

	if (vectors == NULL)
	{
		skip(kind, "LEDGER_VECTORS is not set");
		return;
	}
	snprintf(folder, sizeof(folder), "%s/merkle/%s", vectors, kind);
	decide_folder(folder, kind[0] == 'c', &p);
	is_int(p.files, 98, "98 published proofs");
	is_int(p.good, 6, "six of which are good");
}

int
main(void)
{
	test_cases();
	test_published("inclusion");
	test_published("consistency");
	lc_sha256_thread_end();
	return done();
}
