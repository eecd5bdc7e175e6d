/*
 * project.c
 *		Keeps the derived tables current: the AFTER INSERT statement trigger,
 *		and the rebuild.
 *
 * Set-based: the transition table is folded in batches, and each batch is three
 * statements whatever its size.  A finding belongs to one chain, and the chain's
 * lock is held, so nobody else folds it meanwhile; reading with SnapshotSelf
 * sees the newest committed state.  Above READ COMMITTED the upsert raises 40001
 * if that state is younger than the snapshot: retry.
 */
#include "derived.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

/* A batch is written when it has so many events, or its memory has so many bytes. */
#define BATCH_EVENTS 1000
#define BATCH_BYTES (16 * 1024 * 1024)

typedef struct Batch
{
	MemoryContext context;
	FindingStore store;
	HTAB	   *findings;		/* of FindingEntry */
	DerivedRows history;
	DerivedRows actions;
	int			nevents;
	/* New events register their chains; a rebuild reads registered ones. */
	bool		registers;
	/* History before the horizon was aged out by retention, and is not made again. */
	bool		horizon_known;
	bool		has_horizon;
	TimestampTz horizon;
} Batch;

static void
start_batch(Batch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(batch->context);
	HASHCTL		ctl;

	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = LC_HASH_LEN;
	ctl.entrysize = sizeof(FindingEntry);
	ctl.hcxt = batch->context;
	batch->findings = hash_create("ledger findings", 256, &ctl, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
	ledger_rows_init(&batch->history, &ledger_history_table);
	ledger_rows_init(&batch->actions, &ledger_actions_table);
	batch->nevents = 0;
	MemoryContextSwitchTo(old);
}

/* Length-framed, so that no two triples give the same bytes. */
static void
finding_key(const EventRow *event, uint8 *key)
{
	lc_str		parts[3] = {ledger_row_text(event, EC_TENANT_ID), ledger_row_text(event, EC_FINDING_ID),
	ledger_row_text(event, EC_POLICY_VERSION)};
	uint32		lengths[3] = {(uint32) parts[0].n, (uint32) parts[1].n, (uint32) parts[2].n};
	lc_bytes	bytes[4] = {{lengths, sizeof(lengths)}, {parts[0].s, parts[0].n},
	{parts[1].s, parts[1].n}, {parts[2].s, parts[2].n}};

	ledger_check_status(lc_sha256_parts(bytes, 4, key), "finding key");
}

/*
 * Opened when the first event needs it: the ledger's own events are recorded
 * whatever has become of the derived tables.
 */
static FindingStore *
open_store(Batch *batch)
{
	MemoryContext old;

	if (batch->store.rel != NULL)
		return &batch->store;
	/* It outlives the batch. */
	old = MemoryContextSwitchTo(MemoryContextGetParent(batch->context));
	ledger_store_open(&batch->store);
	MemoryContextSwitchTo(old);
	return &batch->store;
}

static void
close_store(Batch *batch)
{
	if (batch->store.rel != NULL)
		ledger_store_close(&batch->store);
}

/*
 * Was the event recorded in a time that retention has aged out?  Only an import
 * or a rebuild brings such events, so appends do not ask for the horizon.
 */
static bool
past_retention(Batch *batch, const EventRow *event)
{
	TimestampTz recorded_at = DatumGetTimestampTz(event->values[EC_RECORDED_AT]);

	if (!batch->horizon_known && recorded_at < GetCurrentTransactionStartTimestamp() - USECS_PER_DAY)
	{
		MemoryContext caller = CurrentMemoryContext;
		bool		isnull;

		if (SPI_execute("SELECT ledger.ledger_history_horizon()", false, 1) != SPI_OK_SELECT ||
			SPI_processed != 1)
			elog(ERROR, "could not read the horizon of the history");
		batch->horizon = DatumGetTimestampTz(SPI_getbinval(SPI_tuptable->vals[0],
														   SPI_tuptable->tupdesc, 1, &isnull));
		batch->has_horizon = !isnull;
		batch->horizon_known = true;
		SPI_freetuptable(SPI_tuptable);
		MemoryContextSwitchTo(caller);
	}
	return batch->has_horizon && recorded_at < batch->horizon;
}

/* Fold one event; its values live in the batch's context. */
static void
fold_event(Batch *batch, const EventRow *event)
{
	lc_str		name = ledger_row_text(event, EC_EVENT_TYPE);
	lc_str		finding_id = ledger_row_text(event, EC_FINDING_ID);
	const EventType *type = ledger_event_type(name.s, name.n);
	FindingEntry *entry;
	uint8		key[LC_HASH_LEN];
	int			history_before = batch->history.nrows;
	bool		found;

	if (!type->projected || (finding_id.n == strlen(LEDGER_OWN_FINDING) &&
							 memcmp(finding_id.s, LEDGER_OWN_FINDING, finding_id.n) == 0))
		return;
	finding_key(event, key);
	entry = (FindingEntry *) hash_search(batch->findings, key, HASH_ENTER, &found);
	if (!found)
		ledger_store_load(open_store(batch), event, key, &entry->finding);
	ledger_fold(&entry->finding, event, type, false, &batch->history, &batch->actions);
	if (batch->history.nrows > history_before && past_retention(batch, event))
		batch->history.nrows = history_before;
}

static int
compare_findings(const void *a, const void *b)
{
	const Finding *x = &(*(FindingEntry *const *) a)->finding;
	const Finding *y = &(*(FindingEntry *const *) b)->finding;

	for (int c = 0; c < 3; c++)
	{
		int			cmp = ledger_compare_text(x->values[c], y->values[c]);

		if (cmp != 0)
			return cmp;
	}
	return 0;
}

/* Another chain got one of the findings since we looked: name it. */
static void
report_other_chain(const Batch *batch, const DerivedRows *rows)
{
	for (int i = 0; i < rows->nrows; i++)
	{
		EventRow	event;
		Finding		stored;
		uint8		key[LC_HASH_LEN];

		memset(&event, 0, sizeof(event));
		event.values[EC_TENANT_ID] = rows->values[PC_TENANT_ID][i];
		event.values[EC_FINDING_ID] = rows->values[PC_FINDING_ID][i];
		event.values[EC_POLICY_VERSION] = rows->values[PC_POLICY_VERSION][i];
		event.values[EC_CHAIN_ID] = rows->values[PC_CHAIN_ID][i];
		finding_key(&event, key);
		ledger_store_load(&batch->store, &event, key, &stored);
		ledger_require_chain(&stored, &event);
	}
	elog(ERROR, "a finding was not written");
}

/*
 * Insert what is new in key order, so that two folds never wait crosswise;
 * update the rest, which only the holder of the chain's lock touches.
 */
static void
write_findings(Batch *batch)
{
	long		n = hash_get_num_entries(batch->findings);
	FindingEntry **entries = (FindingEntry **) palloc(Max(n, 1) * sizeof(FindingEntry *));
	HASH_SEQ_STATUS seq;
	DerivedRows rows;
	int			in_place = 0;
	int			i = 0;

	hash_seq_init(&seq, batch->findings);
	while ((entries[i] = (FindingEntry *) hash_seq_search(&seq)) != NULL)
		if (++i == n)
		{
			hash_seq_term(&seq);
			break;
		}
	qsort(entries, n, sizeof(FindingEntry *), compare_findings);
	ledger_rows_init(&rows, &ledger_projection_table);
	for (i = 0; i < n; i++)
	{
		if (entries[i]->finding.in_place)
			entries[in_place++] = entries[i];
		else
			ledger_rows_add(&rows, entries[i]->finding.values, entries[i]->finding.nulls);
	}
	if (ledger_rows_write(&rows) != rows.nrows)
		report_other_chain(batch, &rows);
	ledger_store_update(&batch->store, entries, in_place);
}

static void
flush_batch(Batch *batch)
{
	MemoryContext old = MemoryContextSwitchTo(batch->context);

	write_findings(batch);
	(void) ledger_rows_write(&batch->history);
	(void) ledger_rows_write(&batch->actions);
	MemoryContextSwitchTo(old);
	MemoryContextReset(batch->context);
	start_batch(batch);
}

static void
fold_tuple(Batch *batch, HeapTuple tuple, TupleDesc desc, const EventColumnMap *map)
{
	MemoryContext old = MemoryContextSwitchTo(batch->context);
	EventRow	row;

	ledger_row_from_tuple(heap_copytuple(tuple), desc, map, &row);
	if (batch->registers)
		ledger_register_chain(&row);
	fold_event(batch, &row);
	MemoryContextSwitchTo(old);
	if (++batch->nevents >= BATCH_EVENTS ||
		MemoryContextMemAllocated(batch->context, false) > BATCH_BYTES)
		flush_batch(batch);
	CHECK_FOR_INTERRUPTS();
}

static void
fold_transition_table(Batch *batch, TriggerData *data)
{
	TupleDesc	desc = RelationGetDescr(data->tg_relation);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsMinimalTuple);
	EventColumnMap map;

	ledger_map_columns(desc, &map);
	while (tuplestore_gettupleslot(data->tg_newtable, true, false, slot))
	{
		bool		should_free;
		HeapTuple	tuple = ExecFetchSlotHeapTuple(slot, false, &should_free);

		fold_tuple(batch, tuple, desc, &map);
		if (should_free)
			heap_freetuple(tuple);
	}
	ExecDropSingleTupleTableSlot(slot);
}

PG_FUNCTION_INFO_V1(ledger_project);
PG_FUNCTION_INFO_V1(ledger_refold);

/* ledger_project() → trigger */
Datum
ledger_project(PG_FUNCTION_ARGS)
{
	TriggerData *data = (TriggerData *) fcinfo->context;
	int			save_sec_context;
	Oid			save_userid;
	Batch		batch;

	if (!CALLED_AS_TRIGGER(fcinfo) || !TRIGGER_FIRED_AFTER(data->tg_event) ||
		!TRIGGER_FIRED_FOR_STATEMENT(data->tg_event) || !TRIGGER_FIRED_BY_INSERT(data->tg_event) ||
		data->tg_newtable == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("ledger_project must be fired AFTER INSERT FOR EACH STATEMENT with a transition table")));

	/* On another table it would act, and read findings, in another tenant's name. */
	if (RelationGetRelid(data->tg_relation) != ledger_events_relid())
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_FORBIDDEN),
				 errmsg("\"%s\" is not ledger_events", RelationGetRelationName(data->tg_relation)),
				 errhint("The ledger's trigger functions serve the ledger's own tables only.")));

	memset(&batch, 0, sizeof(batch));
	batch.context = AllocSetContextCreate(CurrentMemoryContext, "ledger projection",
										  ALLOCSET_DEFAULT_SIZES);
	batch.registers = true;
	start_batch(&batch);
	save_userid = ledger_owner_enter(RelationGetRelid(data->tg_relation), &save_sec_context);
	SPI_connect();
	fold_transition_table(&batch, data);
	flush_batch(&batch);
	close_store(&batch);
	SPI_finish();
	ledger_owner_leave(save_userid, save_sec_context);
	MemoryContextDelete(batch.context);
	return PointerGetDatum(NULL);
}

/* Fold all events of a tenant in (finding, policy version, sequence) order. */
static int64
refold_tenant(Batch *batch, Datum tenant)
{
	Oid			types[1] = {TEXTOID};
	SPIPlanPtr	plan = SPI_prepare("SELECT * FROM ledger.ledger_events"
								   " WHERE tenant_id OPERATOR(pg_catalog.=) $1"
								   " ORDER BY finding_id, policy_version, sequence_no", 1, types);
	Portal		portal = SPI_cursor_open(NULL, plan, &tenant, NULL, false);
	int64		count = 0;

	for (;;)
	{
		SPITupleTable *table;
		EventColumnMap map;

		SPI_cursor_fetch(portal, true, BATCH_EVENTS);
		table = SPI_tuptable;
		if (SPI_processed == 0)
			break;
		ledger_map_columns(table->tupdesc, &map);
		for (uint64 i = 0; i < table->numvals; i++)
			fold_tuple(batch, table->vals[i], table->tupdesc, &map);
		count += table->numvals;
		SPI_freetuptable(table);
	}
	SPI_cursor_close(portal);
	return count;
}

/*
 * ledger_refold(tenant text, horizon timestamptz) → bigint: fold all events of a
 * tenant into empty derived tables; the core of ledger_rebuild_projection(),
 * which has emptied them and keeps appends out.
 */
Datum
ledger_refold(PG_FUNCTION_ARGS)
{
	text	   *tenant;
	int64		count;
	Batch		batch;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	tenant = PG_GETARG_TEXT_PP(0);
	ledger_require_tenant(VARDATA_ANY(tenant), VARSIZE_ANY_EXHDR(tenant));
	memset(&batch, 0, sizeof(batch));
	batch.horizon_known = true;
	batch.has_horizon = !PG_ARGISNULL(1);
	if (batch.has_horizon)
		batch.horizon = PG_GETARG_TIMESTAMPTZ(1);
	batch.context = AllocSetContextCreate(CurrentMemoryContext, "ledger rebuild",
										  ALLOCSET_DEFAULT_SIZES);
	start_batch(&batch);
	SPI_connect();
	count = refold_tenant(&batch, PG_GETARG_DATUM(0));
	flush_batch(&batch);
	close_store(&batch);
	SPI_finish();
	PG_RETURN_INT64(count);
}
