/*
 * verify_tree.c
 *		The tree of a chain once more, from its leaf hashes: the roots and
 *		frontiers of the sizes asked for, and every tile on the way.
 *
 * One pass in key order, whatever is asked: the anchors of a chain, a mark,
 * or checkpoints that an auditor brought.  In memory are a frontier and one
 * unfinished tile for each level.  The pass ends where the leaves do, at a gap,
 * at a number that comes twice or at a leaf without a hash: sizes beyond it get
 * no row.  It reads by an ordinary query, so it sees what the caller may see, in
 * the caller's snapshot, also on a hot standby and in a table that lost its key.
 */
#include "ledger.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "lc_merkle.h"

#define FETCH_ROWS 1000
#define TILE_HEIGHT 8
#define TILE_HASHES (1 << TILE_HEIGHT)
#define LEVELS 7				/* 1 … 7: heights 8 … 56 */

/* The unfinished tile of a level; unknown is one that began before the pass did. */
typedef struct Tile
{
	int64		index;
	int			count;
	bool		unknown;
	uint8		hashes[TILE_HASHES][LC_HASH_LEN];
} Tile;

typedef struct Pass
{
	ReturnSetInfo *rsinfo;
	lc_frontier frontier;
	Tile	   *tiles;			/* of level 1 at index 0, and so on */
	int64	   *sizes;			/* asked for, ascending */
	int			nsizes;
	int			answered;
} Pass;

enum
{
	OUT_TREE_SIZE,
	OUT_ROOT,
	OUT_FRONTIER,
	OUT_LEVEL,
	OUT_TILE_INDEX,
	OUT_HASHES,
	OUT_COUNT
};

static void
put_tile(Pass *pass, int level, const Tile *tile)
{
	Datum		values[OUT_COUNT] = {0};
	bool		nulls[OUT_COUNT] = {false, true, true, false, false, false};

	values[OUT_TREE_SIZE] = Int64GetDatum((int64) pass->frontier.size);
	values[OUT_LEVEL] = Int16GetDatum((int16) level);
	values[OUT_TILE_INDEX] = Int64GetDatum(tile->index);
	values[OUT_HASHES] = ledger_bytea(tile->hashes, tile->count * LC_HASH_LEN);
	tuplestore_putvalues(pass->rsinfo->setResult, pass->rsinfo->setDesc, values, nulls);
	pfree(DatumGetPointer(values[OUT_HASHES]));
}

/* lc_node_sink: the nodes that tiles are made of have heights 8, 16, … */
static lc_status
take_node(void *arg, unsigned height, uint64_t index, const uint8_t hash[LC_HASH_LEN])
{
	Pass	   *pass = (Pass *) arg;
	int			level = (int) height / TILE_HEIGHT;
	Tile	   *tile;

	if (height % TILE_HEIGHT != 0 || level < 1 || level > LEVELS)
		return LC_OK;
	tile = &pass->tiles[level - 1];
	memcpy(tile->hashes[index % TILE_HASHES], hash, LC_HASH_LEN);
	tile->count = (int) (index % TILE_HASHES) + 1;
	if (tile->count == TILE_HASHES)
	{
		if (!tile->unknown)
			put_tile(pass, level, tile);
		tile->index++;
		tile->count = 0;
		tile->unknown = false;
	}
	return LC_OK;
}

/* Where the tiles of each level stand after the leaves that the pass does not read. */
static void
start_tiles(Pass *pass)
{
	uint64		size = pass->frontier.size;

	pass->tiles = (Tile *) palloc0(LEVELS * sizeof(Tile));
	for (int i = 0; i < LEVELS; i++)
	{
		uint64		nodes = size >> (TILE_HEIGHT * (i + 1));

		pass->tiles[i].index = (int64) (nodes / TILE_HASHES);
		pass->tiles[i].count = (int) (nodes % TILE_HASHES);
		pass->tiles[i].unknown = pass->tiles[i].count > 0;
	}
}

/* Of the largest size: what no tile has yet. */
static void
put_edge(Pass *pass)
{
	for (int i = 0; i < LEVELS; i++)
		if (pass->tiles[i].count > 0 && !pass->tiles[i].unknown)
			put_tile(pass, i + 1, &pass->tiles[i]);
}

static void
put_head(Pass *pass)
{
	Datum		values[OUT_COUNT] = {0};
	bool		nulls[OUT_COUNT] = {false, false, false, true, true, true};
	uint8		root[LC_HASH_LEN];

	ledger_check_status(lc_frontier_root(&pass->frontier, root), "tree root");
	values[OUT_TREE_SIZE] = Int64GetDatum((int64) pass->frontier.size);
	values[OUT_ROOT] = ledger_bytea(root, LC_HASH_LEN);
	values[OUT_FRONTIER] = ledger_bytea(pass->frontier.hashes, pass->frontier.count * LC_HASH_LEN);
	tuplestore_putvalues(pass->rsinfo->setResult, pass->rsinfo->setDesc, values, nulls);
	pfree(DatumGetPointer(values[OUT_ROOT]));
	pfree(DatumGetPointer(values[OUT_FRONTIER]));
}

/* Answer the sizes that the frontier has come to; true if none is left. */
static bool
answer(Pass *pass)
{
	while (pass->answered < pass->nsizes &&
		   pass->sizes[pass->answered] <= (int64) pass->frontier.size)
	{
		if (pass->sizes[pass->answered] == (int64) pass->frontier.size)
			put_head(pass);
		if (++pass->answered == pass->nsizes)
			put_edge(pass);
	}
	return pass->answered == pass->nsizes;
}

/* The next leaf, if this row is it; false ends the pass. */
static bool
add_leaf(Pass *pass, HeapTuple tuple, TupleDesc desc, const lc_node_sink *sink)
{
	bool		isnull[2];
	Datum		sequence = SPI_getbinval(tuple, desc, 1, &isnull[0]);
	Datum		leaf = SPI_getbinval(tuple, desc, 2, &isnull[1]);
	bytea	   *hash;

	if (isnull[0] || isnull[1] || DatumGetInt64(sequence) != (int64) pass->frontier.size + 1)
		return false;
	hash = DatumGetByteaPP(leaf);
	if (VARSIZE_ANY_EXHDR(hash) != LC_HASH_LEN)
		return false;
	ledger_check_status(lc_frontier_append(&pass->frontier, (const uint8 *) VARDATA_ANY(hash), sink),
						"tree");
	return true;
}

static void
read_leaves(Pass *pass, Datum tenant, Datum chain)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[4] = {TEXTOID, UUIDOID, INT8OID, INT8OID};
	Datum		arguments[4] = {tenant, chain, Int64GetDatum((int64) pass->frontier.size),
	Int64GetDatum(pass->sizes[pass->nsizes - 1])};
	lc_node_sink sink = {take_node, pass};
	Portal		portal;
	bool		more = true;

	if (plan == NULL)
	{
		/* Planned for the very tenant, so that one leaf is opened, and for the index's order. */
		plan = SPI_prepare_cursor("SELECT sequence_no, merkle_leaf_hash FROM ledger.ledger_events"
								  " WHERE tenant_id = $1 AND chain_id = $2 AND sequence_no > $3 AND sequence_no <= $4"
								  " ORDER BY sequence_no",
								  4, types, CURSOR_OPT_CUSTOM_PLAN | CURSOR_OPT_FAST_PLAN);
		if (plan == NULL)
			elog(ERROR, "could not prepare: %s", SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
	}
	portal = SPI_cursor_open(NULL, plan, arguments, NULL, true);
	while (more)
	{
		SPI_cursor_fetch(portal, true, FETCH_ROWS);
		more = SPI_processed == FETCH_ROWS;
		for (uint64 i = 0; i < SPI_processed; i++)
			if (!add_leaf(pass, SPI_tuptable->vals[i], SPI_tuptable->tupdesc, &sink) || answer(pass))
			{
				more = false;
				break;
			}
		SPI_freetuptable(SPI_tuptable);
		CHECK_FOR_INTERRUPTS();
	}
	SPI_cursor_close(portal);
}

static int
compare_sizes(const void *a, const void *b)
{
	int64		x = *(const int64 *) a;
	int64		y = *(const int64 *) b;

	return x < y ? -1 : x > y;
}

static void
take_sizes(Pass *pass, ArrayType *array)
{
	Datum	   *values;
	bool	   *nulls;
	int			n;

	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL, TYPALIGN_DOUBLE, &values, &nulls, &n);
	pass->sizes = (int64 *) palloc(Max(n, 1) * sizeof(int64));
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			pass->sizes[pass->nsizes++] = DatumGetInt64(values[i]);
	qsort(pass->sizes, pass->nsizes, sizeof(int64), compare_sizes);
	n = 0;
	for (int i = 0; i < pass->nsizes; i++)
		if (i == 0 || pass->sizes[i] != pass->sizes[n - 1])
			pass->sizes[n++] = pass->sizes[i];
	pass->nsizes = n;
}

PG_FUNCTION_INFO_V1(ledger_tree_check);
PG_FUNCTION_INFO_V1(ledger_frontier_root);

/*
 * ledger_tree_check(tenant text, chain uuid, sizes bigint[], start bigint, frontier bytea)
 * → SETOF (tree_size, root, frontier, level, tile_index, hashes): for each size that the
 * leaves reach its root and frontier; each full tile with the size at which it was full; and
 * of the largest size, if it was reached, the unfinished tiles.  The leaves after
 * start are read, of which frontier is the frontier; tiles that begin before it are left out.
 */
Datum
ledger_tree_check(PG_FUNCTION_ARGS)
{
	text	   *tenant = PG_GETARG_TEXT_PP(0);
	int64		start = PG_GETARG_INT64(3);
	bytea	   *frontier = PG_GETARG_BYTEA_PP(4);
	Pass		pass;

	ledger_require_tenant(VARDATA_ANY(tenant), VARSIZE_ANY_EXHDR(tenant));
	memset(&pass, 0, sizeof(pass));
	ledger_init_materialized_srf(fcinfo);
	pass.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	if (start < 0 ||
		lc_frontier_load(&pass.frontier, (uint64) start, (const uint8 *) VARDATA_ANY(frontier),
						 VARSIZE_ANY_EXHDR(frontier)) != LC_OK)
		return (Datum) 0;
	take_sizes(&pass, PG_GETARG_ARRAYTYPE_P(2));
	start_tiles(&pass);
	if (answer(&pass))
		return (Datum) 0;
	SPI_connect();
	read_leaves(&pass, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1));
	SPI_finish();
	return (Datum) 0;
}

/* ledger_frontier_root(frontier bytea, tree_size bigint) → bytea; NULL if it has another number of hashes */
Datum
ledger_frontier_root(PG_FUNCTION_ARGS)
{
	bytea	   *hashes = PG_GETARG_BYTEA_PP(0);
	int64		size = PG_GETARG_INT64(1);
	lc_frontier frontier;
	uint8		root[LC_HASH_LEN];

	if (size < 0 ||
		lc_frontier_load(&frontier, (uint64) size, (const uint8 *) VARDATA_ANY(hashes),
						 VARSIZE_ANY_EXHDR(hashes)) != LC_OK)
		PG_RETURN_NULL();
	ledger_check_status(lc_frontier_root(&frontier, root), "tree root");
	PG_RETURN_DATUM(ledger_bytea(root, LC_HASH_LEN));
}
