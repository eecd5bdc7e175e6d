/*
 * tree.c
 *		A chain's Merkle tree as SQL functions: its durable head, its root as
 *		it grows, and proofs.
 *
 * They serve the owner's SECURITY DEFINER functions (ledger_tree_open), which
 * check what was asked for; leaf index = sequence_no - 1, so a tree's size is
 * the sequence of its last event.
 */
#include "tree.h"

#include "access/htup_details.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "lib/stringinfo.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Roots of subtrees of this height are what the lowest stored tiles hold. */
#define STORED_HEIGHT 8

PG_FUNCTION_INFO_V1(ledger_tree_head);
PG_FUNCTION_INFO_V1(ledger_own_head);
PG_FUNCTION_INFO_V1(ledger_tree_advance);
PG_FUNCTION_INFO_V1(ledger_tree_root);
PG_FUNCTION_INFO_V1(ledger_tree_inclusion);
PG_FUNCTION_INFO_V1(ledger_tree_consistency);
PG_FUNCTION_INFO_V1(ledger_force_flush);

/*
 * The newest entry that another transaction committed.  What this one wrote is
 * visible to it and may still be rolled back; it all lies at the chain's end,
 * because the chain's lock is held since.
 */
static bool
last_committed(const TreeChain *chain, int64 *sequence_no, RowOrigin *origin)
{
	LeafScan	scan;
	bool		found;

	ledger_leaf_scan_begin(&scan, chain, 1, PG_INT64_MAX);
	while ((found = ledger_leaf_scan_next(&scan, BackwardScanDirection)))
	{
		*origin = ledger_slot_origin(scan.slot);
		if (!TransactionIdIsNormal(origin->xmin) ||
			!TransactionIdIsCurrentTransactionId(origin->xmin))
			break;
	}
	*sequence_no = found ? scan.sequence_no : 0;
	ledger_leaf_scan_end(&scan);
	return found;
}

/* Entries commit in the order of their sequence, so where the last one is durable, all are. */
static int64
durable_head(TreeChain *chain)
{
	int64		sequence_no;
	RowOrigin	origin;
	bool		found = last_committed(chain, &sequence_no, &origin);

	ledger_tree_close(chain);
	if (found && !RecoveryInProgress())
	{
		ledger_wait_durable(&origin);
		ledger_wait_replicated();
	}
	return sequence_no;
}

/*
 * ledger_tree_head(tenant text, chain uuid) → bigint: how far the chain may be
 * testified to.
 */
Datum
ledger_tree_head(PG_FUNCTION_ARGS)
{
	TreeChain	chain;

	ledger_tree_open(&chain, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), "ledger_tree_head");
	PG_RETURN_INT64(durable_head(&chain));
}

/*
 * ledger_own_head() → bigint: the same of the ledger's own chain, whoever asks.
 * Every anchor says where that chain was, and whoever makes anchors for one
 * tenant is granted nothing of the ledger's.
 */
Datum
ledger_own_head(PG_FUNCTION_ARGS)
{
	static const lc_str own = {LEDGER_RESERVED_TENANT, sizeof(LEDGER_RESERVED_TENANT) - 1};
	pg_uuid_t	chain_id;
	TreeChain	chain;

	ledger_require_owner_context("ledger_own_head");
	/* Its policy version has the same name. */
	ledger_check_status(lc_uuid_chain(chain_id.data, own, own), "chain id");
	chain.tenant = CStringGetTextDatum(LEDGER_RESERVED_TENANT);
	chain.chain_id = UUIDPGetDatum(&chain_id);
	chain.leaf = ledger_open_leaf(own.s, own.n, AccessShareLock);
	PG_RETURN_INT64(durable_head(&chain));
}

/*
 * ledger_force_flush() → void: the present transaction's commit is flushed
 * whatever synchronous_commit says.
 */
Datum
ledger_force_flush(PG_FUNCTION_ARGS)
{
	ForceSyncCommit();
	PG_RETURN_VOID();
}

static lc_status
collect_node(void *arg, unsigned height, uint64_t index, const uint8_t hash[LC_HASH_LEN])
{
	if (height == STORED_HEIGHT)
		appendBinaryStringInfo((StringInfo) arg, (const char *) hash, LC_HASH_LEN);
	return LC_OK;
}

/* Append the leaves of sequences from + 1 to to. */
static void
append_leaves(lc_frontier *frontier, const TreeChain *chain, int64 from, int64 to,
			  const lc_node_sink *sink)
{
	LeafScan	scan;
	int64		next = from + 1;

	ledger_leaf_scan_begin(&scan, chain, next, to);
	while (ledger_leaf_scan_next(&scan, ForwardScanDirection))
	{
		if (scan.sequence_no != next)
			ledger_leaf_missing(chain, next);
		ledger_check_status(lc_frontier_append(frontier, ledger_leaf_scan_hash(&scan), sink),
							"tree");
		next++;
	}
	ledger_leaf_scan_end(&scan);
	if (next <= to)
		ledger_leaf_missing(chain, next);
}

/* Take up the tree where the frontier left it. */
static void
load_frontier(lc_frontier *frontier, int64 size, const bytea *hashes)
{
	if (lc_frontier_load(frontier, size, (const uint8 *) VARDATA_ANY(hashes),
						 VARSIZE_ANY_EXHDR(hashes)) == LC_OK)
		return;
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_CORRUPTED),
			 errmsg("frontier does not fit a tree of %lld leaves", (long long) size),
			 errdetail("It has %zu bytes.", (size_t) VARSIZE_ANY_EXHDR(hashes)),
			 errhint("Run ledger_verify(), and keep the evidence.")));
}

/*
 * ledger_tree_advance(tenant text, chain uuid, frontier bytea, from_size bigint,
 * to_size bigint, OUT new_frontier bytea, OUT root bytea, OUT nodes bytea)
 */
Datum
ledger_tree_advance(PG_FUNCTION_ARGS)
{
	int64		from = PG_GETARG_INT64(3);
	int64		to = PG_GETARG_INT64(4);
	uint8		root[LC_HASH_LEN];
	Datum		values[3];
	bool		nulls[3] = {false};
	TreeChain	chain;
	lc_frontier frontier;
	StringInfoData nodes;
	lc_node_sink sink = {collect_node, &nodes};
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	if (from < 0 || to < from)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("to_size must not be smaller than from_size"),
				 errdetail("They are %lld and %lld.", (long long) to, (long long) from)));
	ledger_tree_open(&chain, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), "ledger_tree_advance");
	load_frontier(&frontier, from, PG_GETARG_BYTEA_PP(2));
	initStringInfo(&nodes);
	append_leaves(&frontier, &chain, from, to, &sink);
	ledger_tree_close(&chain);
	ledger_check_status(lc_frontier_root(&frontier, root), "root");

	values[0] = ledger_bytea(frontier.hashes, frontier.count * LC_HASH_LEN);
	values[1] = ledger_bytea(root, LC_HASH_LEN);
	values[2] = ledger_bytea(nodes.data, nodes.len);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

static Datum
proof_array(const lc_proof *proof)
{
	Datum		hashes[LC_PROOF_MAX];

	for (size_t i = 0; i < proof->count; i++)
		hashes[i] = ledger_bytea(proof->hashes[i], LC_HASH_LEN);
	return PointerGetDatum(construct_array(hashes, (int) proof->count, BYTEAOID, -1, false,
										   TYPALIGN_INT));
}

/* What the callers' SQL has checked already; said once more for whoever forgets it. */
static void
require_sizes(int64 least, int64 most)
{
	if (least < 0 || least > most)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("there is no such tree or leaf"),
				 errdetail("Asked for was %lld of %lld.", (long long) least, (long long) most)));
}

/* ledger_tree_root(tenant text, chain uuid, tree_size bigint) → bytea */
Datum
ledger_tree_root(PG_FUNCTION_ARGS)
{
	int64		size = PG_GETARG_INT64(2);
	uint8		root[LC_HASH_LEN];
	TreeChain	chain;

	require_sizes(0, size);
	ledger_tree_open(&chain, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), "ledger_tree_root");
	ledger_check_status(lc_merkle_range_root(ledger_tree_nodes(ledger_tree_source(&chain, size)),
											 0, size, root), "root");
	ledger_tree_close(&chain);
	PG_RETURN_DATUM(ledger_bytea(root, LC_HASH_LEN));
}

/* ledger_tree_inclusion(tenant text, chain uuid, leaf_index bigint, tree_size bigint) → bytea[] */
Datum
ledger_tree_inclusion(PG_FUNCTION_ARGS)
{
	int64		index = PG_GETARG_INT64(2);
	int64		size = PG_GETARG_INT64(3);
	lc_proof	proof;
	TreeChain	chain;

	require_sizes(index, size - 1);
	ledger_tree_open(&chain, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), "ledger_tree_inclusion");
	ledger_check_status(lc_merkle_inclusion(ledger_tree_nodes(ledger_tree_source(&chain, size)),
											index, size, &proof), "inclusion proof");
	ledger_tree_close(&chain);
	PG_RETURN_DATUM(proof_array(&proof));
}

/* ledger_tree_consistency(tenant text, chain uuid, size1 bigint, size2 bigint) → bytea[] */
Datum
ledger_tree_consistency(PG_FUNCTION_ARGS)
{
	int64		size1 = PG_GETARG_INT64(2);
	int64		size2 = PG_GETARG_INT64(3);
	lc_proof	proof;
	TreeChain	chain;

	require_sizes(size1, size2);
	ledger_tree_open(&chain, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), "ledger_tree_consistency");
	ledger_check_status(lc_merkle_consistency(ledger_tree_nodes(ledger_tree_source(&chain, size2)),
											  size1, size2, &proof), "consistency proof");
	ledger_tree_close(&chain);
	PG_RETURN_DATUM(proof_array(&proof));
}
