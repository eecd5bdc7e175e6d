/*
 * stored.c
 *		Stored findings: rows of findings_projection as the fold finds them and
 *		leaves them.
 *
 * A finding that exists is updated through the table's access method, at the
 * place where it was found, not by INSERT … ON CONFLICT.  No version of a row
 * can be removed before the transaction that wrote it ends, and both the look
 * and the upsert's own search walk over all of them: 10,000 appends of one
 * finding in one transaction took three times as long each as the first ones.
 * So the place of what this transaction read or wrote is remembered.  A place
 * is only a hint: the row found there is taken if SnapshotSelf sees it and its
 * key is the wanted one, which by the primary key makes it the current one.
 *
 * The caller holds the chain's lock, and a finding belongs to one chain, so
 * nobody else updates it meanwhile.  Above READ COMMITTED a row that another
 * transaction wrote goes through the upsert, which raises 40001 if the row is
 * younger than the snapshot.
 */
#include "derived.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_collation.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "storage/bufmgr.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

/* More findings than this in one transaction start the memory of places anew. */
#define MAX_PLACES 10000

typedef struct Place
{
	uint8		key[LC_HASH_LEN];
	ItemPointerData tid;
	/* Where it stood when the subtransaction began that wrote tid: its roll-back leads there. */
	ItemPointerData before;
	SubTransactionId subid;
} Place;

/* Lives in TopTransactionContext. */
static HTAB *places = NULL;

static const EventColumn key_columns[3] = {EC_TENANT_ID, EC_FINDING_ID, EC_POLICY_VERSION};

static void
stored_xact_callback(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE)
		places = NULL;
}

void
ledger_stored_init(void)
{
	RegisterXactCallback(stored_xact_callback, NULL);
}

static void
remember_place(const uint8 *key, ItemPointer old, ItemPointer new)
{
	SubTransactionId subid = GetCurrentSubTransactionId();
	Place	   *place;
	bool		found;

	if (places != NULL && hash_get_num_entries(places) >= MAX_PLACES)
	{
		hash_destroy(places);
		places = NULL;
	}
	if (places == NULL)
	{
		HASHCTL		ctl;

		memset(&ctl, 0, sizeof(ctl));
		ctl.keysize = LC_HASH_LEN;
		ctl.entrysize = sizeof(Place);
		ctl.hcxt = TopTransactionContext;
		places = hash_create("ledger places of findings", 64, &ctl,
							 HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	}
	place = (Place *) hash_search(places, key, HASH_ENTER, &found);
	if (!found || place->subid != subid)
		place->before = *old;
	place->tid = *new;
	place->subid = subid;
}

/* By name, and of our type; where columns stand as we list them, the first look finds it. */
static AttrNumber
find_column(TupleDesc desc, int column)
{
	const char *name = ledger_projection_table.columns[column].name;

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, (column + i) % desc->natts);

		if (att->attisdropped || strcmp(NameStr(att->attname), name) != 0)
			continue;
		ledger_require_column_type(&ledger_projection_table, column, att->atttypid);
		return att->attnum;
	}
	elog(ERROR, "findings_projection lacks column %s", name);
}

/* Opened once a statement; the lock stays until the transaction ends. */
void
ledger_store_open(FindingStore *store)
{
	Oid			pkey;

	store->rel = table_open(get_relname_relid("findings_projection",
											  get_rel_namespace(ledger_events_relid())),
							RowExclusiveLock);
	pkey = ledger_primary_key_index(store->rel);
	if (!OidIsValid(pkey))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_CORRUPTED),
				 errmsg("findings_projection has lost its primary key")));
	store->index = index_open(pkey, AccessShareLock);
	store->slot = table_slot_create(store->rel, NULL);
	for (int c = 0; c < PC_COUNT; c++)
		store->atts[c] = find_column(RelationGetDescr(store->rel), c);
}

void
ledger_store_close(FindingStore *store)
{
	ExecDropSingleTupleTableSlot(store->slot);
	index_close(store->index, AccessShareLock);
	table_close(store->rel, NoLock);
}

/* Is the row in the slot the event's finding? */
static bool
has_key(const FindingStore *store, const EventRow *event)
{
	for (int c = 0; c < 3; c++)
	{
		bool		isnull;
		Datum		value = slot_getattr(store->slot, store->atts[c], &isnull);

		if (isnull || !DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID, value,
															event->values[key_columns[c]])))
			return false;
	}
	return true;
}

static bool
find_at(const FindingStore *store, const EventRow *event, ItemPointer tid)
{
	return ItemPointerGetBlockNumber(tid) < RelationGetNumberOfBlocks(store->rel) &&
		table_tuple_fetch_row_version(store->rel, tid, SnapshotSelf, store->slot) &&
		has_key(store, event);
}

/* Look where this transaction left it, or where it stood before a savepoint. */
static bool
find_at_place(const FindingStore *store, const EventRow *event, const uint8 *key)
{
	Place	   *place = NULL;

	if (places != NULL)
		place = (Place *) hash_search(places, key, HASH_FIND, NULL);
	return place != NULL &&
		(find_at(store, event, &place->tid) || find_at(store, event, &place->before));
}

static bool
find_by_index(const FindingStore *store, const EventRow *event)
{
	ScanKeyData keys[3];
	IndexScanDesc scan;
	bool		found;

	for (int i = 0; i < 3; i++)
		ScanKeyEntryInitialize(&keys[i], 0, i + 1, BTEqualStrategyNumber, InvalidOid,
							   C_COLLATION_OID, F_TEXTEQ, event->values[key_columns[i]]);
	scan = ledger_index_beginscan(store->rel, store->index, SnapshotSelf, 3);
	index_rescan(scan, keys, 3, NULL, 0);
	found = index_getnext_slot(scan, ForwardScanDirection, store->slot);
	index_endscan(scan);
	return found;
}

static void
finding_from_slot(const FindingStore *store, Finding *finding)
{
	bool		should_free;
	HeapTuple	tuple = heap_copytuple(ExecFetchSlotHeapTuple(store->slot, false, &should_free));

	for (int c = 0; c < PC_COUNT; c++)
		finding->values[c] = heap_getattr(tuple, store->atts[c], RelationGetDescr(store->rel),
										  &finding->nulls[c]);
	finding->exists = true;
	finding->tid = tuple->t_self;
	finding->in_place = !IsolationUsesXactSnapshot() ||
		TransactionIdIsCurrentTransactionId(HeapTupleHeaderGetRawXmin(tuple->t_data));
}

/* The stored state of the event's finding, if it has one. */
void
ledger_store_load(const FindingStore *store, const EventRow *event, const uint8 *key,
				  Finding *finding)
{
	memset(finding, 0, sizeof(*finding));
	if (find_at_place(store, event, key) || find_by_index(store, event))
		finding_from_slot(store, finding);
	ExecClearTuple(store->slot);
}

/* The row with the finding's values; columns that a later migration added keep theirs. */
static void
fill_slot(const FindingStore *store, const Finding *finding, TupleTableSlot *slot)
{
	int			natts = RelationGetDescr(store->rel)->natts;

	slot_getallattrs(store->slot);
	ExecClearTuple(slot);
	memcpy(slot->tts_values, store->slot->tts_values, natts * sizeof(Datum));
	memcpy(slot->tts_isnull, store->slot->tts_isnull, natts * sizeof(bool));
	for (int c = 0; c < PC_COUNT; c++)
	{
		slot->tts_values[store->atts[c] - 1] = finding->values[c];
		slot->tts_isnull[store->atts[c] - 1] = finding->nulls[c];
	}
	ExecStoreVirtualTuple(slot);
}

/*
 * Update findings whose in_place is set.  Constraints, indexes and triggers are
 * served as by an UPDATE.  The command counter moves before, so that rows of
 * the running command can be updated, and after, so that these can.
 */
void
ledger_store_update(const FindingStore *store, FindingEntry **entries, int n)
{
	EState	   *estate;
	ResultRelInfo *info;
	TupleTableSlot *slot;
	EPQState	epq;

	if (n == 0)
		return;
	CommandCounterIncrement();
	estate = CreateExecutorState();
	estate->es_snapshot = GetActiveSnapshot();
	/* What a BEFORE trigger's look at the old row goes by. */
	estate->es_output_cid = GetCurrentCommandId(true);
	info = makeNode(ResultRelInfo);
	InitResultRelInfo(info, store->rel, 0, NULL, 0);
	ExecOpenIndices(info, false);
	slot = table_slot_create(store->rel, NULL);
	ledger_eval_plan_qual_init(&epq, estate);
	AfterTriggerBeginQuery();
	for (int i = 0; i < n; i++)
	{
		Finding    *finding = &entries[i]->finding;

		if (!table_tuple_fetch_row_version(store->rel, &finding->tid, SnapshotSelf, store->slot))
			elog(ERROR, "a finding was changed while it was folded");
		fill_slot(store, finding, slot);
		ExecSimpleRelationUpdate(info, estate, &epq, store->slot, slot);
		if (ItemPointerIsValid(&slot->tts_tid))
			remember_place(entries[i]->key, &finding->tid, &slot->tts_tid);
		ResetPerTupleExprContext(estate);
	}
	AfterTriggerEndQuery(estate);
	EvalPlanQualEnd(&epq);
	ExecCloseIndices(info);
	ExecClearTuple(store->slot);
	ExecDropSingleTupleTableSlot(slot);
	/* What triggers on the table, if there are any, made it open. */
	ExecCloseResultRelations(estate);
	ExecResetTupleTable(estate->es_tupleTable, false);
	FreeExecutorState(estate);
	CommandCounterIncrement();
}
