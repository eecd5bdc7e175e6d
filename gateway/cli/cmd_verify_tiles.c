/*
 * cmd_verify_tiles.c
 *		ledgerctl verify-tiles: the whole tree of a chain again, from the files
 *		of C2SP tlog-tiles alone.
 *
 * The leaf hashes are those of the level-0 tiles.  From them the tree grows
 * hash by hash; each subtree of 256^l leaves that is complete is a hash of a
 * tile of level l, and must be the one that is stored there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "lc_envelope.h"
#include "lc_hex.h"
#include "lc_merkle.h"
#include "tiles.h"
#include "trust.h"

#define LEVELS 8
/* After so many faults the rest adds nothing. */
#define FAULTS_MAX 20

static const cli_option options[] = {
	{"key", "KEY", "a public key of the log, or a file that holds one", true, true},
	{"witness", "KEY", "a public key of a witness, or a file that holds one", false, true},
	{"quorum", "N", "how many of these witnesses must have signed (all)", false, false},
	{"origin", "NAME", "the log's origin, if keys of several logs are alike", false, false},
	{NULL, NULL, NULL, false, false}
};

typedef struct fsck
{
	const char *dir;
	lc_frontier tree;
	/* Hashes of the tile of each level that is being filled; level 0 is not used. */
	uint8_t		level[LEVELS][TILE_WIDTH][LC_HASH_LEN];
	unsigned	filled[LEVELS];
	uint64_t	tiles;
	uint64_t	entries;
	unsigned	faults;
} fsck;

/* Tells a fault and goes on, unless there are too many. */
static cli_exit
fault(fsck *f, cli_exit code)
{
	if (code != CLI_FAILED)
		return code;
	if (++f->faults == FAULTS_MAX)
		return cli_error(CLI_FAILED, "%s: the %dth fault: the rest is not read", f->dir, FAULTS_MAX);
	return CLI_GOOD;
}

/* ---- levels above the leaves ---- */

static cli_exit
compare_tile(fsck *f, int level, uint64_t n, unsigned width)
{
	uint8_t		stored[TILE_WIDTH][LC_HASH_LEN];
	char		path[TILE_PATH_MAX];
	char		below[TILE_PATH_MAX];
	char		hex[2][2 * LC_HASH_LEN];
	cli_exit	code = tile_read(f->dir, level, n, width, stored, path);

	f->tiles++;
	if (code != CLI_GOOD)
		return fault(f, code);
	for (unsigned i = 0; i < width && code == CLI_GOOD; i++)
	{
		if (memcmp(stored[i], f->level[level][i], LC_HASH_LEN) == 0)
			continue;
		tile_path(below, level - 1, n * TILE_WIDTH + i, TILE_WIDTH);
		lc_hex_encode(stored[i], LC_HASH_LEN, hex[0]);
		lc_hex_encode(f->level[level][i], LC_HASH_LEN, hex[1]);
		code = fault(f, cli_error(CLI_FAILED, "%s: hash %u of %s is %.64s, but %s gives %.64s", f->dir, i,
								  path, hex[0], below, hex[1]));
	}
	return code;
}

/* A subtree is complete: of those of 256, 65,536 … leaves one is a hash of a tile. */
static lc_status
complete(void *arg, unsigned height, uint64_t index, const uint8_t hash[LC_HASH_LEN])
{
	fsck	   *f = arg;
	unsigned	level = height / TILE_HEIGHT;

	if (height % TILE_HEIGHT != 0 || level >= LEVELS)
		return LC_OK;
	memcpy(f->level[level][f->filled[level]++], hash, LC_HASH_LEN);
	if (f->filled[level] < TILE_WIDTH)
		return LC_OK;
	f->filled[level] = 0;
	/* Any status but LC_OK stops the tree; what was wrong has been told. */
	return compare_tile(f, (int) level, index / TILE_WIDTH, TILE_WIDTH) == CLI_GOOD ? LC_OK
		: LC_ERR_PROOF;
}

static cli_exit
compare_partial_tiles(fsck *f)
{
	cli_exit	code = CLI_GOOD;

	for (int level = 1; level < LEVELS && code == CLI_GOOD; level++)
	{
		uint64_t	hashes = f->tree.size >> (TILE_HEIGHT * level);

		if (f->filled[level] > 0)
			code = compare_tile(f, level, hashes / TILE_WIDTH, f->filled[level]);
	}
	return code;
}

/* ---- leaves ---- */

/* Each entry of a bundle must hash to the leaf at its place; stored of them are there, width in the tree. */
static cli_exit
check_bundle(fsck *f, const char *path, const lc_buf *bundle, unsigned stored, unsigned width,
			 uint8_t leaves[TILE_WIDTH][LC_HASH_LEN])
{
	const uint8_t *p = (const uint8_t *) bundle->data;
	size_t		left = bundle->len;

	for (unsigned i = 0; i < stored; i++)
	{
		size_t		n = left >= 2 ? (size_t) p[0] << 8 | p[1] : 0;
		uint8_t		hash[LC_HASH_LEN];

		if (left < 2 || n > left - 2)
			return cli_error(CLI_FAILED, "%s: %s ends within entry %u", f->dir, path, i);
		if (lc_leaf_hash((const char *) p + 2, n, hash) != LC_OK)
			return cli_error(CLI_USAGE, "OpenSSL cannot hash");
		if (i < width && memcmp(hash, leaves[i], LC_HASH_LEN) != 0)
			return cli_error(CLI_FAILED, "%s: entry %u of %s is not that of its leaf hash", f->dir, i,
							 path);
		p += n + 2;
		left -= n + 2;
		f->entries += i < width;
	}
	return left == 0 ? CLI_GOOD
		: cli_error(CLI_FAILED, "%s: %s has %zu bytes after its last entry", f->dir, path, left);
}

static cli_exit
check_entries(fsck *f, uint64_t n, unsigned width, uint8_t leaves[TILE_WIDTH][LC_HASH_LEN])
{
	char		path[TILE_PATH_MAX];
	lc_buf		bundle;
	unsigned	stored = width;
	cli_exit	code = tile_read_entries(f->dir, n, &stored, &bundle, path);

	if (code == CLI_GOOD && stored > 0)
		code = check_bundle(f, path, &bundle, stored, width, leaves);
	lc_buf_free(&bundle);
	return fault(f, code);
}

/* Without its leaves no tree can be computed: a missing level-0 tile ends the work. */
static cli_exit
add_leaves(fsck *f, uint64_t n, unsigned width)
{
	uint8_t		leaves[TILE_WIDTH][LC_HASH_LEN];
	char		path[TILE_PATH_MAX];
	lc_node_sink sink = {complete, f};
	cli_exit	code = tile_read(f->dir, 0, n, width, leaves, path);

	f->tiles++;
	if (code == CLI_GOOD)
		code = check_entries(f, n, width, leaves);
	for (unsigned i = 0; i < width && code == CLI_GOOD; i++)
	{
		lc_status	status = lc_frontier_append(&f->tree, leaves[i], &sink);

		if (status == LC_ERR_PROOF)
			code = CLI_FAILED;
		else if (status != LC_OK)
			code = cli_error(CLI_USAGE, "%s: %s", path, lc_status_text(status));
	}
	return code;
}

static cli_exit
compare_root(fsck *f, const lc_checkpoint *head)
{
	uint8_t		root[LC_HASH_LEN];
	char		hex[2][2 * LC_HASH_LEN];

	if (lc_frontier_root(&f->tree, root) != LC_OK)
		return cli_error(CLI_USAGE, "OpenSSL cannot hash");
	if (memcmp(root, head->root, LC_HASH_LEN) == 0)
		return f->faults > 0 ? CLI_FAILED : CLI_GOOD;
	lc_hex_encode(root, LC_HASH_LEN, hex[0]);
	lc_hex_encode(head->root, LC_HASH_LEN, hex[1]);
	return cli_error(CLI_FAILED, "%s: the leaf hashes give the root %.64s, but the signed root is %.64s",
					 f->dir, hex[0], hex[1]);
}

static cli_exit
check_tree(fsck *f, const lc_checkpoint *head)
{
	cli_exit	code = CLI_GOOD;

	lc_frontier_init(&f->tree);
	for (uint64_t n = 0; n * TILE_WIDTH < head->size && code == CLI_GOOD; n++)
	{
		uint64_t	left = head->size - n * TILE_WIDTH;

		code = add_leaves(f, n, left < TILE_WIDTH ? (unsigned) left : TILE_WIDTH);
		cli_progress("leaves", f->tree.size, head->size);
	}
	if (code == CLI_GOOD)
		code = compare_partial_tiles(f);
	return code == CLI_GOOD ? compare_root(f, head) : code;
}

static void
report(const fsck *f, const judged *c)
{
	cli_json_string("origin", c->name.origin);
	cli_json_string("tenant", c->name.tenant);
	cli_json_string("chainId", c->name.chain);
	cli_json_uint("treeSize", c->head.size);
	cli_json_hex("rootHash", c->head.root, LC_HASH_LEN);
	cli_json_uint("tiles", f->tiles);
	cli_json_uint("entries", f->entries);
	cli_print("%.*s: %llu leaves, %llu tiles and %llu entries give the signed root",
			  CLI_SHOW(c->head.origin), (unsigned long long) c->head.size,
			  (unsigned long long) f->tiles, (unsigned long long) f->entries);
	if (f->entries < c->head.size)
		cli_note("%llu of the %llu entries are not in the directory; their leaf hashes were taken as "
				 "they are", (unsigned long long) (c->head.size - f->entries),
				 (unsigned long long) c->head.size);
}

static cli_exit
check_directory(const char *dir, const trust *t)
{
	size_t		n = strlen(dir) + sizeof("/checkpoint");
	char	   *path = cli_alloc.resize(NULL, NULL, n);
	fsck	   *f = cli_alloc.resize(NULL, NULL, sizeof(*f));
	judged		c;
	lc_buf		note;
	cli_exit	code;

	memset(f, 0, sizeof(*f));
	f->dir = dir;
	snprintf(path, n, "%s/checkpoint", dir);
	code = cli_read_file(path, LC_NOTE_MAX_LEN, &note);
	if (code == CLI_GOOD)
		code = trust_checkpoint(path, (lc_str) {note.data, note.len}, t, true, &c);
	if (code == CLI_GOOD)
		code = check_tree(f, &c.head);
	if (code == CLI_GOOD)
		report(f, &c);
	lc_buf_free(&note);
	free(f);
	free(path);
	return code;
}

static cli_exit
run(const cli_args *args)
{
	trust		t;
	cli_exit	code = trust_read(args, &t);

	if (code == CLI_GOOD)
		code = check_directory(cli_operand(args, 0), &t);
	trust_free(&t);
	return code;
}

const cli_command cmd_verify_tiles = {
	"verify-tiles", "DIR", 1, 1,
	"recompute a chain's tree from a directory of tiles",
	"Checks a directory as export-tiles writes it, and as other logs of C2SP tlog-tiles do:\n"
	"its checkpoint is signed by a given key, every tile holds what the tiles below it give,\n"
	"the leaf hashes give the signed root, and the entries that are there have these hashes.\n",
	options,
	"ledgerctl verify-tiles tiles/acme --key log.pub\n"
	"ledgerctl verify-tiles tiles/acme --key log.pub --witness w1.pub --json\n",
	run, false
};
