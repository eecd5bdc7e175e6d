/*
 * watch.c
 *		Where a chain ends, what of it no anchor covers, and what of it was to
 *		be projected last: what a monitor asks of every chain every few seconds.
 *
 * In C because it is a few probes of one index.  As a query over ledger_events
 * it would open every tenant's leaf, however few of them it then reads.
 */
#include "tree.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"

/* How far back the newest event that is projected is looked for. */
#define LOOK_BACK 64

PG_FUNCTION_INFO_V1(ledger_watch_chain);

/* The columns of its result. */
enum
{
	W_HEAD, W_WAITING_SINCE, W_SEQUENCE, W_RECORDED_AT, W_FINDING, W_POLICY, W_COUNT
};

static Datum
column(LeafScan *scan, EventColumn which)
{
	bool		isnull;

	return slot_getattr(scan->slot, scan->columns.attno[which], &isnull);
}

/* Of a type that is projected, and about a finding (docs/projection.md). */
static bool
is_projected(LeafScan *scan)
{
	text	   *name = DatumGetTextPP(column(scan, EC_EVENT_TYPE));
	text	   *finding = DatumGetTextPP(column(scan, EC_FINDING_ID));
	const EventType *type = ledger_find_event_type(VARDATA_ANY(name), VARSIZE_ANY_EXHDR(name));

	return type != NULL && type->projected &&
		!(VARSIZE_ANY_EXHDR(finding) == strlen(LEDGER_OWN_FINDING) &&
		  memcmp(VARDATA_ANY(finding), LEDGER_OWN_FINDING, strlen(LEDGER_OWN_FINDING)) == 0);
}

/*
 * Looks for head and newest projected event from the range's end on, no further
 * than LOOK_BACK entries.
 */
static void
watch_range(const TreeChain *chain, int64 first, int64 last, Datum *values, bool *nulls)
{
	LeafScan	scan;

	ledger_leaf_scan_begin(&scan, chain, first, last);
	for (int i = 0; i < LOOK_BACK && ledger_leaf_scan_next(&scan, BackwardScanDirection); i++)
	{
		if (nulls[W_HEAD])
		{
			values[W_HEAD] = Int64GetDatum(scan.sequence_no);
			nulls[W_HEAD] = false;
		}
		if (!is_projected(&scan))
			continue;
		values[W_SEQUENCE] = Int64GetDatum(scan.sequence_no);
		values[W_RECORDED_AT] = column(&scan, EC_RECORDED_AT);
		values[W_FINDING] = PointerGetDatum(DatumGetTextPCopy(column(&scan, EC_FINDING_ID)));
		values[W_POLICY] = PointerGetDatum(DatumGetTextPCopy(column(&scan, EC_POLICY_VERSION)));
		nulls[W_SEQUENCE] = nulls[W_RECORDED_AT] = nulls[W_FINDING] = nulls[W_POLICY] = false;
		break;
	}
	ledger_leaf_scan_end(&scan);
}

/*
 * An index scan reads all of a page that is in its range, so what is known of
 * the head narrows it: mostly it is the last anchored entry or a few behind it.
 */
static void
watch_end(const TreeChain *chain, int64 anchored, Datum *values, bool *nulls)
{
	const int64 ranges[][2] = {
		{anchored, PG_INT64_MAX}, {anchored - LOOK_BACK, anchored - 1},
		/* One that was cut off below its last anchor. */
		{1, anchored}
	};

	for (int i = 0; i < (int) lengthof(ranges) && nulls[W_SEQUENCE]; i++)
		if (ranges[i][1] > 0 && (i < 2 || nulls[W_HEAD]))
			watch_range(chain, ranges[i][0], ranges[i][1], values, nulls);
}

/* When the first event behind the newest anchor was recorded. */
static void
watch_unanchored(const TreeChain *chain, int64 anchored, Datum *values, bool *nulls)
{
	LeafScan	scan;

	ledger_leaf_scan_begin(&scan, chain, anchored + 1, anchored + 1);
	if (ledger_leaf_scan_next(&scan, ForwardScanDirection))
	{
		values[W_WAITING_SINCE] = column(&scan, EC_RECORDED_AT);
		nulls[W_WAITING_SINCE] = false;
	}
	ledger_leaf_scan_end(&scan);
}

/*
 * ledger_watch_chain(tenant text, chain uuid, anchored bigint, OUT head bigint,
 * OUT waiting_since timestamptz, OUT sequence_no bigint, OUT recorded_at
 * timestamptz, OUT finding_id text, OUT policy_version text)
 */
Datum
ledger_watch_chain(PG_FUNCTION_ARGS)
{
	int64		anchored = PG_GETARG_INT64(2);
	Datum		values[W_COUNT] = {0};
	bool		nulls[W_COUNT] = {true, true, true, true, true, true};
	TupleDesc	desc = ledger_result_row(fcinfo);
	TreeChain	chain;

	ledger_tree_open(&chain, PG_GETARG_DATUM(0), PG_GETARG_DATUM(1), "ledger_watch_chain");
	watch_end(&chain, anchored, values, nulls);
	if (!nulls[W_HEAD] && DatumGetInt64(values[W_HEAD]) > anchored)
		watch_unanchored(&chain, anchored, values, nulls);
	ledger_tree_close(&chain);
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
