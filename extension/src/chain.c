/*
 * chain.c
 *		A chain: its lock, its last entry, its events by id.
 *
 * There is no head row.  An append takes a transaction-level advisory lock on
 * (tenant, chain) and reads the last entry by primary key in the tenant's
 * leaf.  A head row updated per event makes many appends in one transaction
 * quadratic and collapses while any old snapshot (a pg_dump) is open.
 *
 * The probe uses SnapshotSelf: under the lock nobody else can have an entry of
 * this chain in progress, so it sees what others committed and what this
 * transaction wrote, rows of the running statement included, whatever the
 * isolation level, and not what a rolled-back savepoint wrote.
 */
#include "ledger.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/partition.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_index.h"
#include "common/hashfn.h"
#include "partitioning/partbounds.h"
#include "partitioning/partdesc.h"
#include "storage/bufmgr.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/partcache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/* SQL's advisory functions use field4 1 and 2; with 3 nobody can take or hold ours from SQL. */
#define LEDGER_LOCK_CLASS 3

static HTAB *leaves = NULL;

/* Chains this transaction holds, and the subtransaction that will give each back. */
typedef struct HeldChain
{
	int64		key;
	SubTransactionId subid;
} HeldChain;

static HTAB *held = NULL;

static void
leaf_inval_callback(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS seq;
	LeafInfo   *info;

	if (leaves == NULL)
		return;
	hash_seq_init(&seq, leaves);
	while ((info = (LeafInfo *) hash_seq_search(&seq)) != NULL)
		if (!OidIsValid(relid) || info->relid == relid)
			(void) hash_search(leaves, &info->relid, HASH_REMOVE, NULL);
}

static void
chain_xact_callback(XactEvent event, void *arg)
{
	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT && event != XACT_EVENT_PREPARE)
		return;
	if (held != NULL)
		hash_destroy(held);
	held = NULL;
	/* An error or a skipped row can have left the pointer behind. */
	ledger_append_context = NULL;
}

static void
chain_subxact_callback(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	HASH_SEQ_STATUS seq;
	HeldChain  *chain;

	if (held == NULL || (event != SUBXACT_EVENT_ABORT_SUB && event != SUBXACT_EVENT_COMMIT_SUB))
		return;
	hash_seq_init(&seq, held);
	while ((chain = (HeldChain *) hash_seq_search(&seq)) != NULL)
	{
		if (chain->subid != mine)
			continue;
		if (event == SUBXACT_EVENT_COMMIT_SUB)
			chain->subid = parent;
		else
			(void) hash_search(held, &chain->key, HASH_REMOVE, NULL);
	}
}

void
ledger_chain_init(void)
{
	CacheRegisterRelcacheCallback(leaf_inval_callback, (Datum) 0);
	RegisterXactCallback(chain_xact_callback, NULL);
	RegisterSubXactCallback(chain_subxact_callback, NULL);
}

Oid
ledger_events_relid(void)
{
	Oid			relid = get_relname_relid("ledger_events",
										  get_namespace_oid(LEDGER_SCHEMA, false));

	if (!OidIsValid(relid))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_NOT_READY),
				 errmsg("table ledger.ledger_events does not exist"),
				 errhint("Run the migrations: ledgerctl migrate.")));
	return relid;
}

/*
 * Open a tenant's leaf, found through the partition bounds and so exactly where
 * the server would route the row.
 */
Relation
ledger_open_leaf(const char *tenant, size_t n, LOCKMODE lockmode)
{
	Relation	parent = table_open(ledger_events_relid(), AccessShareLock);
	PartitionKey key = RelationGetPartitionKey(parent);
	PartitionDesc desc = RelationGetPartitionDesc(parent, true);
	Relation	leaf = NULL;

	if (desc->boundinfo != NULL)
	{
		Datum		value = PointerGetDatum(cstring_to_text_with_len(tenant, n));
		bool		equal = false;
		int			off = partition_list_bsearch(key->partsupfunc, key->partcollation,
												 desc->boundinfo, value, &equal);

		if (off >= 0 && equal)
			leaf = table_open(desc->oids[desc->boundinfo->indexes[off]], lockmode);
	}
	table_close(parent, NoLock);
	if (leaf == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_UNKNOWN),
				 errmsg("tenant \"%s\" does not exist", pnstrdup(tenant, Min(n, 128))),
				 errhint("An operator can create it with ledger_create_tenant().")));
	return leaf;
}

/*
 * Anyone who may execute a trigger function could put it on a table of his own,
 * and so take locks, register chains and read error texts in another tenant's
 * name: the link trigger serves the leaves of ledger_events and nothing else.
 */
static void
require_leaf(Relation relation)
{
	if (relation->rd_rel->relispartition &&
		get_partition_parent(RelationGetRelid(relation), true) == ledger_events_relid())
		return;
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_FORBIDDEN),
			 errmsg("\"%s\" is no partition of ledger_events", RelationGetRelationName(relation)),
			 errhint("The ledger's trigger functions serve the ledger's own tables only.")));
}

/*
 * Is this a valid unique index of all rows whose key is exactly these columns?  The
 * last entry is read backwards, so the one with three must be the primary key,
 * which is never in descending order.
 */
static bool
index_has_key(HeapTuple tuple, const AttrNumber *atts, int natts)
{
	Form_pg_index index = (Form_pg_index) GETSTRUCT(tuple);

	if (!index->indisvalid || !index->indisunique || index->indnkeyatts != natts)
		return false;
	if (!heap_attisnull(tuple, Anum_pg_index_indpred, NULL) || (natts == 3 && !index->indisprimary))
		return false;
	for (int i = 0; i < natts; i++)
		if (index->indkey.values[i] != atts[i])
			return false;
	return true;
}

static Oid
find_unique_index(Relation leaf, const AttrNumber *atts, int natts)
{
	List	   *indexes = RelationGetIndexList(leaf);
	ListCell   *cell;
	Oid			result = InvalidOid;

	foreach(cell, indexes)
	{
		HeapTuple	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(lfirst_oid(cell)));

		if (!HeapTupleIsValid(tuple))
			continue;
		if (index_has_key(tuple, atts, natts))
			result = lfirst_oid(cell);
		ReleaseSysCache(tuple);
		if (OidIsValid(result))
			break;
	}
	list_free(indexes);
	if (!OidIsValid(result))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_CORRUPTED),
				 errmsg("relation \"%s\" has lost a unique key of the ledger",
						RelationGetRelationName(leaf)),
				 errhint("See ledger_guard_state().")));
	return result;
}

/* Columns and indexes of a leaf; the cache entry lives until the leaf changes. */
const LeafInfo *
ledger_leaf_info(Relation leaf)
{
	Oid			relid = RelationGetRelid(leaf);
	LeafInfo   *info;
	LeafInfo	fresh;
	AttrNumber	atts[3];

	if (leaves == NULL)
	{
		HASHCTL		ctl;

		memset(&ctl, 0, sizeof(ctl));
		ctl.keysize = sizeof(Oid);
		ctl.entrysize = sizeof(LeafInfo);
		leaves = hash_create("ledger leaves", 64, &ctl, HASH_ELEM | HASH_BLOBS);
	}
	info = (LeafInfo *) hash_search(leaves, &relid, HASH_FIND, NULL);
	if (info != NULL)
		return info;

	require_leaf(leaf);
	fresh.relid = relid;
	ledger_map_columns(RelationGetDescr(leaf), &fresh.columns);
	atts[0] = fresh.columns.attno[EC_TENANT_ID];
	atts[1] = fresh.columns.attno[EC_CHAIN_ID];
	atts[2] = fresh.columns.attno[EC_SEQUENCE_NO];
	fresh.chain_index = find_unique_index(leaf, atts, 3);
	atts[1] = fresh.columns.attno[EC_EVENT_ID];
	fresh.id_index = find_unique_index(leaf, atts, 2);

	info = (LeafInfo *) hash_search(leaves, &relid, HASH_ENTER, NULL);
	*info = fresh;
	return info;
}

/* 64 bits from (tenant, chain); two chains that collide only share a lock. */
int64
ledger_chain_lock_key(lc_str tenant, const uint8 *chain_id)
{
	uint64		seed = hash_bytes_extended((const unsigned char *) tenant.s, (int) tenant.n, 0);

	return (int64) hash_bytes_extended(chain_id, LC_UUID_LEN, seed);
}

static void
remember_chain(int64 key)
{
	HeldChain  *chain;
	bool		found;

	if (held == NULL)
	{
		HASHCTL		ctl;

		memset(&ctl, 0, sizeof(ctl));
		ctl.keysize = sizeof(int64);
		ctl.entrysize = sizeof(HeldChain);
		ctl.hcxt = TopTransactionContext;
		held = hash_create("ledger chains held", 64, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	chain = (HeldChain *) hash_search(held, &key, HASH_ENTER, &found);
	if (!found)
		chain->subid = GetCurrentSubTransactionId();
}

/*
 * Take a chain's lock whatever number is held already: for what concerns every
 * chain at once.  Appends go through ledger_chain_lock().
 */
void
ledger_chain_lock_any(int64 key)
{
	LOCKTAG		tag;

	SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, (uint32) ((uint64) key >> 32), (uint32) key,
						 LEDGER_LOCK_CLASS);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	remember_chain(key);
}

/*
 * Take the chain's lock until the transaction ends (or the savepoint that took
 * it is rolled back).
 */
void
ledger_chain_lock(lc_str tenant, const uint8 *chain_id)
{
	int64		key = ledger_chain_lock_key(tenant, chain_id);

	if (held != NULL && hash_search(held, &key, HASH_FIND, NULL) != NULL)
		return;
	if (held != NULL && hash_get_num_entries(held) >= ledger_max_chains_per_transaction)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_TOO_MANY_CHAINS),
				 errmsg("transaction appends to more than %d chains",
						ledger_max_chains_per_transaction),
				 errdetail("Each chain holds a lock until the transaction ends."),
				 errhint("Split the batch, or raise ledger.max_chains_per_transaction together with "
						 "max_locks_per_transaction.")));
	ledger_chain_lock_any(key);
}

static void
init_keys(ScanKeyData *keys, Datum tenant, AttrNumber second, RegProcedure equal, Datum value)
{
	ScanKeyEntryInitialize(&keys[0], 0, 1, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID,
						   F_TEXTEQ, tenant);
	ScanKeyInit(&keys[1], second, BTEqualStrategyNumber, equal, value);
}

/* The slot holds a row of a heap, and so the buffer that it lies in. */
RowOrigin
ledger_slot_origin(TupleTableSlot *slot)
{
	RowOrigin	origin = {FrozenTransactionId, InvalidXLogRecPtr};
	bool		should_free;
	HeapTuple	tuple = ExecFetchSlotHeapTuple(slot, false, &should_free);

	Assert(TTS_IS_BUFFERTUPLE(slot));
	if (HeapTupleHeaderXminFrozen(tuple->t_data))
		origin.frozen_lsn = BufferGetLSNAtomic(((BufferHeapTupleTableSlot *) slot)->buffer);
	else
		origin.xmin = HeapTupleHeaderGetRawXmin(tuple->t_data);
	if (should_free)
		heap_freetuple(tuple);
	return origin;
}

/* The chain's last entry.  The caller holds the chain's lock. */
void
ledger_chain_head(Relation leaf, Datum tenant, Datum chain_id, ChainHead *head)
{
	const LeafInfo *info = ledger_leaf_info(leaf);
	EventColumnMap columns = info->columns;
	Relation	index = index_open(info->chain_index, AccessShareLock);
	TupleTableSlot *slot = table_slot_create(leaf, NULL);
	IndexScanDesc scan;
	ScanKeyData keys[2];

	init_keys(keys, tenant, 2, F_UUID_EQ, chain_id);
	scan = ledger_index_beginscan(leaf, index, SnapshotSelf, 2);
	index_rescan(scan, keys, 2, NULL, 0);
	head->exists = index_getnext_slot(scan, BackwardScanDirection, slot);
	if (head->exists)
	{
		EventRow	row;
		const uint8 *hash;
		lc_str		policy;

		ledger_row_from_slot(slot, &columns, &row);
		hash = ledger_row_hash(&row, EC_EVENT_HASH);
		policy = ledger_row_text(&row, EC_POLICY_VERSION);
		if (hash == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_LEDGER_CORRUPTED),
					 errmsg("the chain's last entry has no event hash")));
		head->sequence_no = DatumGetInt64(row.values[EC_SEQUENCE_NO]);
		memcpy(head->event_hash, hash, LC_HASH_LEN);
		head->policy_version = pnstrdup(policy.s, policy.n);
		head->origin = ledger_slot_origin(slot);
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, AccessShareLock);
}

/* One look; *wait_for is the transaction whose insert of this id is in progress. */
static bool
look_for_event(Relation leaf, Datum tenant, Datum event_id, EventRow *row, RowOrigin *origin,
			   TransactionId *wait_for)
{
	const LeafInfo *info = ledger_leaf_info(leaf);
	EventColumnMap columns = info->columns;
	Relation	index = index_open(info->id_index, AccessShareLock);
	TupleTableSlot *slot = table_slot_create(leaf, NULL);
	SnapshotData dirty;
	IndexScanDesc scan;
	ScanKeyData keys[2];
	bool		found;

	InitDirtySnapshot(dirty);
	init_keys(keys, tenant, 2, F_UUID_EQ, event_id);
	scan = ledger_index_beginscan(leaf, index, &dirty, 2);
	index_rescan(scan, keys, 2, NULL, 0);
	found = index_getnext_slot(scan, ForwardScanDirection, slot);
	*wait_for = found ? dirty.xmin : InvalidTransactionId;
	if (found && !TransactionIdIsValid(*wait_for))
	{
		bool		should_free;
		HeapTuple	copy = heap_copytuple(ExecFetchSlotHeapTuple(slot, false, &should_free));

		ledger_row_from_tuple(copy, RelationGetDescr(leaf), &columns, row);
		*origin = ledger_slot_origin(slot);
	}
	index_endscan(scan);
	ExecDropSingleTupleTableSlot(slot);
	index_close(index, AccessShareLock);
	return found;
}

/*
 * The event of that id, wherever it stands; if another transaction is just
 * writing one, wait for its end.  The row's values live in the current context.
 */
bool
ledger_find_event(Relation leaf, Datum tenant, Datum event_id, EventRow *row, RowOrigin *origin)
{
	for (;;)
	{
		TransactionId wait_for;

		if (!look_for_event(leaf, tenant, event_id, row, origin, &wait_for))
			return false;
		if (!TransactionIdIsValid(wait_for))
			return true;
		XactLockTableWait(wait_for, leaf, NULL, XLTW_None);
		CHECK_FOR_INTERRUPTS();
	}
}
