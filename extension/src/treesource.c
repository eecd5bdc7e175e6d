/*
 * treesource.c
 *		Where proofs get the nodes of a chain's tree from.
 *
 * Nodes whose height is a multiple of 8 are stored, 256 in a tile: those of
 * height 0 are the leaf hashes of the events themselves, the others lie in
 * ledger_merkle_tiles when their tile is full and in ledger_merkle_edge while
 * it is not.  What is not stored (the heights between, and what no anchor
 * covers yet) is hashed from its children.  So a proof reads at most two tiles
 * of each level, however long the chain is.
 *
 * Nothing stored is trusted more for being here: a wrong tile gives a wrong
 * proof, which leads to no signed root, and ledger_verify() names the tile.
 */
#include "tree.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"

#define TILE_HEIGHT 8
#define TILE_WIDTH (1 << TILE_HEIGHT)
#define LEVELS (LC_MERKLE_MAX_HEIGHT / TILE_HEIGHT + 1)
/* Of each level the tile of the path to a leaf, and the one at the right edge. */
#define TILES_KEPT 2

typedef struct Tile
{
	int64		index;
	int			count;			/* hashes stored, from the left */
	uint8		hashes[TILE_WIDTH][LC_HASH_LEN];
} Tile;

struct TreeSource
{
	const TreeChain *chain;
	int64		tree_size;
	lc_node_source nodes;
	Tile	   *tiles[LEVELS][TILES_KEPT];
	int			oldest[LEVELS];
};

/* The leaf hashes of a tile, as far as the tree reaches. */
static void
read_leaves(const TreeSource *source, Tile *tile)
{
	int64		first = tile->index * TILE_WIDTH + 1;
	int64		last = Min(first + (TILE_WIDTH - 1), source->tree_size);
	LeafScan	scan;

	ledger_leaf_scan_begin(&scan, source->chain, first, last);
	while (ledger_leaf_scan_next(&scan, ForwardScanDirection))
	{
		if (scan.sequence_no != first + tile->count)
			break;
		memcpy(tile->hashes[tile->count++], ledger_leaf_scan_hash(&scan), LC_HASH_LEN);
	}
	ledger_leaf_scan_end(&scan);
	if (first + tile->count <= last)
		ledger_leaf_missing(source->chain, first + tile->count);
}

/* Fill a tile from the column "hashes" of a row. */
static void
take_hashes(Tile *tile, HeapTuple tuple, Relation rel)
{
	bool		isnull;
	Datum		value = heap_getattr(tuple, get_attnum(RelationGetRelid(rel), "hashes"),
									 RelationGetDescr(rel), &isnull);
	bytea	   *hashes = isnull ? NULL : DatumGetByteaPP(value);
	size_t		n = hashes == NULL ? 0 : VARSIZE_ANY_EXHDR(hashes);

	if (n % LC_HASH_LEN != 0 || n > sizeof(tile->hashes))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_CORRUPTED),
				 errmsg("a tile in \"%s\" has %zu bytes", RelationGetRelationName(rel), n),
				 errhint("Run ledger_verify(), and keep the evidence.")));
	tile->count = n / LC_HASH_LEN;
	memcpy(tile->hashes, VARDATA_ANY(hashes), n);
}

static int64
tile_index_of(HeapTuple tuple, Relation rel)
{
	bool		isnull;

	return DatumGetInt64(heap_getattr(tuple, get_attnum(RelationGetRelid(rel), "tile_index"),
									  RelationGetDescr(rel), &isnull));
}

/* Look for the tile in one of the two tables; the edge has one tile of each level, of whatever index. */
static bool
read_stored(const TreeSource *source, int level, Tile *tile, const char *table, int nkeys)
{
	static const char *const columns[] = {"tenant_id", "chain_id", "level", "tile_index"};
	Oid			relid = get_relname_relid(table, get_namespace_oid(LEDGER_SCHEMA, false));
	Relation	rel = table_open(relid, AccessShareLock);
	Oid			index = ledger_primary_key_index(rel);
	ScanKeyData keys[4];
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	ScanKeyEntryInitialize(&keys[0], 0, get_attnum(relid, columns[0]), BTEqualStrategyNumber,
						   InvalidOid, C_COLLATION_OID, F_TEXTEQ, source->chain->tenant);
	ScanKeyInit(&keys[1], get_attnum(relid, columns[1]), BTEqualStrategyNumber, F_UUID_EQ,
				source->chain->chain_id);
	ScanKeyInit(&keys[2], get_attnum(relid, columns[2]), BTEqualStrategyNumber, F_INT2EQ,
				Int16GetDatum(level));
	ScanKeyInit(&keys[3], get_attnum(relid, columns[3]), BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(tile->index));
	scan = systable_beginscan(rel, index, OidIsValid(index), GetActiveSnapshot(), nkeys, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple) && tile_index_of(tuple, rel) == tile->index)
	{
		take_hashes(tile, tuple, rel);
		found = true;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/* The tile as it is stored, from memory if it was read before; count is 0 if it is not stored. */
static const Tile *
get_tile(TreeSource *source, int level, int64 index)
{
	Tile	  **kept = source->tiles[level];
	Tile	   *tile;

	for (int i = 0; i < TILES_KEPT; i++)
		if (kept[i] != NULL && kept[i]->index == index)
			return kept[i];

	tile = kept[source->oldest[level]];
	if (tile == NULL)
		tile = kept[source->oldest[level]] = (Tile *) palloc(sizeof(Tile));
	source->oldest[level] = (source->oldest[level] + 1) % TILES_KEPT;
	tile->index = index;
	tile->count = 0;
	if (level == 0)
		read_leaves(source, tile);
	else if (!read_stored(source, level, tile, "ledger_merkle_tiles", 4))
		(void) read_stored(source, level, tile, "ledger_merkle_edge", 3);
	return tile;
}

static lc_status
get_node(void *arg, unsigned height, uint64_t index, uint8_t out[LC_HASH_LEN])
{
	uint8		left[LC_HASH_LEN];
	uint8		right[LC_HASH_LEN];
	lc_status	status;

	if (height % TILE_HEIGHT == 0)
	{
		const Tile *tile = get_tile((TreeSource *) arg, height / TILE_HEIGHT, index / TILE_WIDTH);
		int			place = index % TILE_WIDTH;

		if (place < tile->count)
		{
			memcpy(out, tile->hashes[place], LC_HASH_LEN);
			return LC_OK;
		}
		/* Every leaf within the tree was read, or reported as missing. */
		if (height == 0)
			return LC_ERR_MISUSE;
	}
	status = get_node(arg, height - 1, 2 * index, left);
	if (status == LC_OK)
		status = get_node(arg, height - 1, 2 * index + 1, right);
	return status == LC_OK ? lc_merkle_node(left, right, out) : status;
}

/* For the tree of that size; good for one call, with the snapshot active now. */
TreeSource *
ledger_tree_source(const TreeChain *chain, int64 tree_size)
{
	TreeSource *source = (TreeSource *) palloc0(sizeof(TreeSource));

	source->chain = chain;
	source->tree_size = tree_size;
	source->nodes.node = get_node;
	source->nodes.arg = source;
	return source;
}

const lc_node_source *
ledger_tree_nodes(TreeSource *source)
{
	return &source->nodes;
}
