/*
 * leafscan.c
 *		The entries of one chain in the order of its primary key, under the
 *		active snapshot: what a tree is built from.
 *
 * A snapshot, and not SnapshotSelf as in chain.c: nothing may be testified that
 * another transaction can still roll back.
 *
 * Scans in C bypass row-level security, so the tenant is checked here.
 */
#include "tree.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_collation.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

/*
 * The tree functions serve the owner's SECURITY DEFINER functions only: those
 * say what of it may be handed out.
 */
void
ledger_require_owner_context(const char *function)
{
	if (!ledger_is_owner_context(ledger_events_relid()))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_FORBIDDEN),
				 errmsg("%s() is for the ledger's own functions", function),
				 errhint("Ask for ledger_chain_root(), ledger_inclusion_proof(), "
						 "ledger_consistency_proof() or ledger_checkpoint().")));
}

/* Open the tenant's leaf for one of them. */
void
ledger_tree_open(TreeChain *chain, Datum tenant, Datum chain_id, const char *function)
{
	text	   *t = DatumGetTextPP(tenant);

	ledger_require_owner_context(function);
	ledger_require_tenant(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t));
	chain->tenant = PointerGetDatum(t);
	chain->chain_id = chain_id;
	chain->leaf = ledger_open_leaf(VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t), AccessShareLock);
}

void
ledger_tree_close(TreeChain *chain)
{
	table_close(chain->leaf, NoLock);
	chain->leaf = NULL;
}

/* The entries of sequences first to last. */
void
ledger_leaf_scan_begin(LeafScan *scan, const TreeChain *chain, int64 first, int64 last)
{
	const LeafInfo *info = ledger_leaf_info(chain->leaf);
	ScanKeyData keys[4];
	int			n = last == PG_INT64_MAX ? 3 : 4;

	scan->columns = info->columns;
	scan->index = index_open(info->chain_index, AccessShareLock);
	scan->slot = table_slot_create(chain->leaf, NULL);
	ScanKeyEntryInitialize(&keys[0], 0, 1, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID,
						   F_TEXTEQ, chain->tenant);
	ScanKeyInit(&keys[1], 2, BTEqualStrategyNumber, F_UUID_EQ, chain->chain_id);
	ScanKeyInit(&keys[2], 3, BTGreaterEqualStrategyNumber, F_INT8GE, Int64GetDatum(first));
	ScanKeyInit(&keys[3], 3, BTLessEqualStrategyNumber, F_INT8LE, Int64GetDatum(last));
	/* The last key is compared with every entry of a page, so not without need. */
	scan->scan = ledger_index_beginscan(chain->leaf, scan->index, GetActiveSnapshot(), n);
	index_rescan(scan->scan, keys, n, NULL, 0);
}

bool
ledger_leaf_scan_next(LeafScan *scan, ScanDirection direction)
{
	bool		isnull;

	CHECK_FOR_INTERRUPTS();
	if (!index_getnext_slot(scan->scan, direction, scan->slot))
		return false;
	scan->sequence_no = DatumGetInt64(slot_getattr(scan->slot,
												   scan->columns.attno[EC_SEQUENCE_NO], &isnull));
	return true;
}

/* merkle_leaf_hash of the entry that was found, borrowed until the next is. */
const uint8 *
ledger_leaf_scan_hash(LeafScan *scan)
{
	bool		isnull;
	Datum		value = slot_getattr(scan->slot, scan->columns.attno[EC_MERKLE_LEAF_HASH], &isnull);
	bytea	   *hash = isnull ? NULL : DatumGetByteaPP(value);

	if (hash == NULL || VARSIZE_ANY_EXHDR(hash) != LC_HASH_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_CORRUPTED),
				 errmsg("the event of sequence %lld has no leaf hash", (long long) scan->sequence_no),
				 errhint("Run ledger_verify(), and keep the evidence.")));
	return (const uint8 *) VARDATA_ANY(hash);
}

void
ledger_leaf_scan_end(LeafScan *scan)
{
	index_endscan(scan->scan);
	ExecDropSingleTupleTableSlot(scan->slot);
	index_close(scan->index, AccessShareLock);
}

void
ledger_leaf_missing(const TreeChain *chain, int64 sequence_no)
{
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_CORRUPTED),
			 errmsg("the event of sequence %lld is missing", (long long) sequence_no),
			 errdetail("Tenant \"%s\", chain %s.", TextDatumGetCString(chain->tenant),
					   DatumGetCString(DirectFunctionCall1(uuid_out, chain->chain_id))),
			 errhint("Run ledger_verify(), and keep the evidence.")));
}
