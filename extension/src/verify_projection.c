/*
 * verify_projection.c
 *		Folds all events again, in fold order, and compares the result with the
 *		three derived tables, row by row and column by column.
 *
 * Four ordered streams are merged: events, and each table in the order of its
 * key.  One finding's state is in memory at a time, so memory does not grow
 * with the ledger.  The caller has SELECT on the tables; row-level security
 * decides which tenants are seen, on both sides alike.
 */
#include "derived.h"

#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

#define FETCH_ROWS 500
/* A finding's state is copied out of its scratch memory after so many steps, or bytes. */
#define STEPS_A_SCRATCH 256
#define SCRATCH_BYTES (8 * 1024 * 1024)
#define KEY_COLUMNS 3			/* tenant, finding, policy version; then sequence */

/* A cursor over rows in order, looked at one at a time. */
typedef struct Stream
{
	Portal		portal;
	SPITupleTable *rows;
	uint64		at;
} Stream;

/* One derived table: what is stored, in key order. */
typedef struct Stored
{
	const DerivedTable *table;
	Stream		stream;
	TupleDesc	desc;
	/* The last row whose key was expected: two events may claim one key, and it answers both. */
	HeapTuple	met;
	MemoryContext met_context;
} Stored;

typedef struct Comparison
{
	ReturnSetInfo *rsinfo;
	Stored		tables[3];		/* findings_projection, finding_history, triage_actions */
	bool		has_horizon;
	TimestampTz horizon;
	int64		folded;
	Finding		finding;
	MemoryContext states[2];	/* the finding's values live in states[current] */
	int			current;
	int			steps;
} Comparison;

enum
{
	T_PROJECTION,
	T_HISTORY,
	T_ACTIONS
};

static void
open_stream(Stream *stream, const char *sql, Datum *tenant)
{
	Oid			types[1] = {TEXTOID};
	SPIPlanPtr	plan = SPI_prepare(sql, tenant == NULL ? 0 : 1, types);

	if (plan == NULL)
		elog(ERROR, "could not prepare: %s", SPI_result_code_string(SPI_result));
	stream->portal = SPI_cursor_open(NULL, plan, tenant, NULL, true);
	stream->rows = NULL;
	stream->at = 0;
}

/* The present row, or NULL after the last one. */
static HeapTuple
peek(Stream *stream)
{
	if (stream->rows != NULL && stream->at < stream->rows->numvals)
		return stream->rows->vals[stream->at];
	if (stream->portal == NULL)
		return NULL;
	if (stream->rows != NULL)
		SPI_freetuptable(stream->rows);
	SPI_cursor_fetch(stream->portal, true, FETCH_ROWS);
	stream->rows = SPI_tuptable;
	stream->at = 0;
	if (stream->rows->numvals > 0)
		return stream->rows->vals[0];
	SPI_cursor_close(stream->portal);
	stream->portal = NULL;
	return NULL;
}

static void
open_stored(Stored *stored, const DerivedTable *table, Datum *tenant)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int c = 0; c < table->ncolumns; c++)
		appendStringInfo(&sql, "%s%s", c > 0 ? ", " : "", table->columns[c].name);
	appendStringInfo(&sql, " FROM ledger.%s%s ORDER BY tenant_id, finding_id, policy_version",
					 table->name, tenant == NULL ? "" : " WHERE tenant_id = $1");
	if (table->nkeys > KEY_COLUMNS)
		appendStringInfoString(&sql, ", sequence_no");
	stored->table = table;
	open_stream(&stored->stream, sql.data, tenant);
	stored->desc = CreateTupleDescCopy(stored->stream.portal->tupDesc);
	stored->met = NULL;
	stored->met_context = AllocSetContextCreate(CurrentMemoryContext, "ledger verify met row",
												ALLOCSET_SMALL_SIZES);
	for (int c = 0; c < table->ncolumns; c++)
		ledger_require_column_type(table, c, TupleDescAttr(stored->desc, c)->atttypid);
}

/*
 * The table's key of an expected row and of a stored one: three texts, and the
 * sequence where it belongs to the key.  A stored NULL sorts last.
 */
static int
compare_keys(const DerivedTable *table, const Datum *a, const Datum *b, const bool *b_nulls)
{
	for (int c = 0; c < KEY_COLUMNS; c++)
	{
		int			cmp = b_nulls[c] ? -1 : ledger_compare_text(a[c], b[c]);

		if (cmp != 0)
			return cmp;
	}
	if (table->nkeys > KEY_COLUMNS)
	{
		int64		x = DatumGetInt64(a[KEY_COLUMNS]);
		int64		y = b_nulls[KEY_COLUMNS] ? PG_INT64_MAX : DatumGetInt64(b[KEY_COLUMNS]);

		return x < y ? -1 : x > y ? 1 : 0;
	}
	return 0;
}

static bool
same_value(Oid type, Datum a, bool a_null, Datum b, bool b_null)
{
	TypeCacheEntry *cache;

	if (a_null || b_null)
		return a_null && b_null;
	cache = lookup_type_cache(type, TYPECACHE_EQ_OPR_FINFO);
	return DatumGetBool(FunctionCall2Coll(&cache->eq_opr_finfo, C_COLLATION_OID, a, b));
}

static void
append_value(StringInfo out, Oid type, Datum value, bool isnull)
{
	Oid			output;
	bool		varlena;

	if (isnull)
	{
		appendStringInfoString(out, "NULL");
		return;
	}
	getTypeOutputInfo(type, &output, &varlena);
	appendStringInfoString(out, OidOutputFunctionCall(output, value));
}

/* "table (tenant, finding, policy version, sequence): ", which begins every detail. */
static void
append_place(StringInfo out, const DerivedTable *table, const Datum *row, const bool *row_nulls)
{
	appendStringInfo(out, "%s (", table->name);
	for (int c = 0; c < table->nkeys; c++)
	{
		appendStringInfoString(out, c > 0 ? ", " : "");
		append_value(out, table->columns[c].type, row[c], row_nulls[c]);
	}
	appendStringInfoString(out, "): ");
}

/* One finding: its key, the place of the row, the chain that the stored row names, and why. */
static void
report(Comparison *cmp, const DerivedTable *table, const Datum *row, const bool *row_nulls,
	   const Datum *stored, const bool *stored_nulls, const char *detail)
{
	text	   *why = cstring_to_text(detail);
	Datum		values[8] = {row[0], row[1], row[2], row[table->chain_column],
	row[table->sequence_column], stored == NULL ? (Datum) 0 : stored[table->chain_column],
	PointerGetDatum(why), (Datum) 0};
	bool		nulls[8] = {row_nulls[0], row_nulls[1], row_nulls[2], row_nulls[table->chain_column],
		row_nulls[table->sequence_column],
		stored == NULL || stored_nulls[table->chain_column], false, true};

	tuplestore_putvalues(cmp->rsinfo->setResult, cmp->rsinfo->setDesc, values, nulls);
	pfree(why);
}

static void
report_plainly(Comparison *cmp, const DerivedTable *table, const Datum *row, const bool *row_nulls,
			   const Datum *stored, const bool *stored_nulls, const char *what)
{
	StringInfoData detail;

	initStringInfo(&detail);
	append_place(&detail, table, row, row_nulls);
	appendStringInfoString(&detail, what);
	report(cmp, table, row, row_nulls, stored, stored_nulls, detail.data);
	pfree(detail.data);
}

/* Compare column by column; a finding lists those that differ.  Are they the same? */
static bool
compare_rows(Comparison *cmp, const DerivedTable *table, const Datum *expected,
			 const bool *expected_nulls, const Datum *stored, const bool *stored_nulls)
{
	StringInfoData detail;
	bool		differs = false;

	initStringInfo(&detail);
	append_place(&detail, table, expected, expected_nulls);
	for (int c = table->nkeys; c < table->ncolumns; c++)
	{
		Oid			type = table->columns[c].type;

		if (same_value(type, expected[c], expected_nulls[c], stored[c], stored_nulls[c]))
			continue;
		appendStringInfo(&detail, "%s%s is ", differs ? "; " : "", table->columns[c].name);
		append_value(&detail, type, stored[c], stored_nulls[c]);
		appendStringInfoString(&detail, ", should be ");
		append_value(&detail, type, expected[c], expected_nulls[c]);
		differs = true;
	}
	if (differs)
		report(cmp, table, expected, expected_nulls, stored, stored_nulls, detail.data);
	pfree(detail.data);
	return !differs;
}

/* Was the expected row's key met before, by another event?  Then that stored row answers again. */
static bool
met_before(Comparison *cmp, Stored *stored, const Datum *expected, const bool *expected_nulls)
{
	Datum		values[DERIVED_MAX_COLUMNS];
	bool		nulls[DERIVED_MAX_COLUMNS];

	if (expected == NULL || stored->met == NULL)
		return false;
	heap_deform_tuple(stored->met, stored->desc, values, nulls);
	if (compare_keys(stored->table, expected, values, nulls) != 0)
		return false;
	(void) compare_rows(cmp, stored->table, expected, expected_nulls, values, nulls);
	return true;
}

static void
remember_met(Stored *stored, HeapTuple tuple)
{
	MemoryContext old;

	MemoryContextReset(stored->met_context);
	old = MemoryContextSwitchTo(stored->met_context);
	stored->met = heap_copytuple(tuple);
	MemoryContextSwitchTo(old);
}

/*
 * Move a table's stream past the expected row's key (to its end if there is no
 * more): rows before it are rows that no event makes, rows with it are compared.
 */
static void
advance(Comparison *cmp, int t, const Datum *expected, const bool *expected_nulls)
{
	Stored	   *stored = &cmp->tables[t];
	const DerivedTable *table = stored->table;
	bool		found = met_before(cmp, stored, expected, expected_nulls);
	bool		found_same = false;
	HeapTuple	tuple;

	while ((tuple = peek(&stored->stream)) != NULL)
	{
		Datum		values[DERIVED_MAX_COLUMNS];
		bool		nulls[DERIVED_MAX_COLUMNS];
		int			order;

		heap_deform_tuple(tuple, stored->stream.rows->tupdesc, values, nulls);
		order = expected == NULL ? 1 : compare_keys(table, expected, values, nulls);
		if (order < 0)
			break;
		if (order > 0)
			report_plainly(cmp, table, values, nulls, values, nulls, "no event makes this row");
		else
		{
			bool		same = compare_rows(cmp, table, expected, expected_nulls, values, nulls);

			if (same && found_same)
				report_plainly(cmp, table, expected, expected_nulls, NULL, NULL,
							   "the row is there a second time");
			found_same |= same;
			found = true;
			remember_met(stored, tuple);
		}
		stored->stream.at++;
	}
	if (expected != NULL && !found)
		report_plainly(cmp, table, expected, expected_nulls, NULL, NULL, "the row is missing");
}

/* The rows of one table that an event made (at most one). */
static void
expect_rows(Comparison *cmp, int t, const DerivedRows *rows)
{
	for (int i = 0; i < rows->nrows; i++)
	{
		Datum		values[DERIVED_MAX_COLUMNS];
		bool		nulls[DERIVED_MAX_COLUMNS];

		for (int c = 0; c < rows->table->ncolumns; c++)
		{
			values[c] = rows->values[c][i];
			nulls[c] = rows->nulls[c][i];
		}
		advance(cmp, t, values, nulls);
	}
}

/* The finding's last event was folded: its projection must be this. */
static void
finish_finding(Comparison *cmp)
{
	if (!cmp->finding.exists)
		return;
	advance(cmp, T_PROJECTION, cmp->finding.values, cmp->finding.nulls);
	cmp->folded++;
	MemoryContextReset(cmp->states[0]);
	MemoryContextReset(cmp->states[1]);
	memset(&cmp->finding, 0, sizeof(cmp->finding));
	cmp->steps = 0;
}

/* Steps leave garbage: now and then the state moves to fresh memory. */
static void
renew_state(Comparison *cmp)
{
	MemoryContext fresh = cmp->states[1 - cmp->current];
	MemoryContext old = MemoryContextSwitchTo(fresh);

	ledger_finding_copy(&cmp->finding);
	MemoryContextSwitchTo(old);
	MemoryContextReset(cmp->states[cmp->current]);
	cmp->current = 1 - cmp->current;
	cmp->steps = 0;
}

static bool
same_finding(const Finding *finding, const EventRow *event)
{
	return finding->exists &&
		ledger_compare_text(finding->values[PC_TENANT_ID], event->values[EC_TENANT_ID]) == 0 &&
		ledger_compare_text(finding->values[PC_FINDING_ID], event->values[EC_FINDING_ID]) == 0 &&
		ledger_compare_text(finding->values[PC_POLICY_VERSION], event->values[EC_POLICY_VERSION]) == 0;
}

/* Fold one event, in the finding's memory, and compare what it makes. */
static void
fold_one(Comparison *cmp, HeapTuple tuple, TupleDesc desc, const EventColumnMap *map)
{
	DerivedRows history;
	DerivedRows actions;
	const EventType *type;
	MemoryContext old;
	EventRow	event;

	ledger_row_from_tuple(tuple, desc, map, &event);
	if (!ledger_is_folded(&event, &type))
		return;
	if (!same_finding(&cmp->finding, &event))
		finish_finding(cmp);
	else if (++cmp->steps > STEPS_A_SCRATCH ||
			 MemoryContextMemAllocated(cmp->states[cmp->current], false) > SCRATCH_BYTES)
		renew_state(cmp);
	old = MemoryContextSwitchTo(cmp->states[cmp->current]);
	ledger_row_from_tuple(heap_copytuple(tuple), desc, map, &event);
	ledger_rows_init(&history, &ledger_history_table);
	ledger_rows_init(&actions, &ledger_actions_table);
	ledger_fold(&cmp->finding, &event, type, true, &history, &actions);
	if (!cmp->has_horizon || DatumGetTimestampTz(event.values[EC_RECORDED_AT]) >= cmp->horizon)
		expect_rows(cmp, T_HISTORY, &history);
	expect_rows(cmp, T_ACTIONS, &actions);
	MemoryContextSwitchTo(old);
}

static void
fold_all(Comparison *cmp, Datum *tenant)
{
	MemoryContext row_context = AllocSetContextCreate(CurrentMemoryContext, "ledger verify row",
													  ALLOCSET_DEFAULT_SIZES);
	StringInfoData sql;
	EventColumnMap map;
	Stream		events;
	HeapTuple	tuple;
	bool		mapped = false;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT * FROM ledger.ledger_events%s ORDER BY tenant_id, finding_id,"
					 " policy_version, sequence_no, chain_id, event_id",
					 tenant == NULL ? "" : " WHERE tenant_id = $1");
	open_stream(&events, sql.data, tenant);
	while ((tuple = peek(&events)) != NULL)
	{
		MemoryContext old = MemoryContextSwitchTo(row_context);

		if (!mapped)
			ledger_map_columns(events.rows->tupdesc, &map);
		mapped = true;
		fold_one(cmp, tuple, events.rows->tupdesc, &map);
		events.at++;
		MemoryContextSwitchTo(old);
		MemoryContextReset(row_context);
		CHECK_FOR_INTERRUPTS();
	}
	finish_finding(cmp);
	for (int t = 0; t < lengthof(cmp->tables); t++)
		advance(cmp, t, NULL, NULL);
}

PG_FUNCTION_INFO_V1(ledger_verify_projection);

/*
 * ledger_verify_projection(tenant text, horizon timestamptz) → SETOF (tenant_id,
 * finding_id, policy_version, chain_id, sequence_no, stored_chain, detail, folded): one row
 * for each derived row that is not as the events make it, then one with the number of
 * findings folded.  tenant NULL: all; history before the horizon is not expected.
 */
Datum
ledger_verify_projection(PG_FUNCTION_ARGS)
{
	static const DerivedTable *const tables[3] = {&ledger_projection_table, &ledger_history_table,
	&ledger_actions_table};
	Datum		tenant = PG_ARGISNULL(0) ? (Datum) 0 : PG_GETARG_DATUM(0);
	Datum	   *which = PG_ARGISNULL(0) ? NULL : &tenant;
	Datum		totals[8] = {0};
	bool		nulls[8] = {true, true, true, true, true, true, true, false};
	Comparison	cmp;

	memset(&cmp, 0, sizeof(cmp));
	ledger_init_materialized_srf(fcinfo);
	cmp.rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	cmp.has_horizon = !PG_ARGISNULL(1);
	if (cmp.has_horizon)
		cmp.horizon = PG_GETARG_TIMESTAMPTZ(1);

	SPI_connect();
	for (int i = 0; i < 2; i++)
		cmp.states[i] = AllocSetContextCreate(CurrentMemoryContext, "ledger verify finding",
											  ALLOCSET_DEFAULT_SIZES);
	for (int t = 0; t < 3; t++)
		open_stored(&cmp.tables[t], tables[t], which);
	fold_all(&cmp, which);
	SPI_finish();

	totals[7] = Int64GetDatum(cmp.folded);
	tuplestore_putvalues(cmp.rsinfo->setResult, cmp.rsinfo->setDesc, totals, nulls);
	return (Datum) 0;
}
