/*
 * foldevents.c
 *		The aggregate ledger_fold_events(): a finding as it was after the
 *		events that are given, by the reducer that keeps the projection.
 *
 * It takes the events of one finding in the order of their sequence, as the
 * query brings them; another order would be another state, so it is refused
 * and not sorted.  Lenient, like the verifier: what an old event says is taken
 * as it stands.
 */
#include "derived.h"

#include "access/htup_details.h"
#include "utils/memutils.h"
#include "utils/typcache.h"

/* So many steps leave their garbage; then the state moves to fresh memory. */
#define STEPS_A_SCRATCH 256

typedef struct FoldState
{
	MemoryContext memory;		/* where the finding's values lie */
	MemoryContext scratch[2];	/* made when a finding has many events */
	int			steps;
	Finding		finding;
} FoldState;

PG_FUNCTION_INFO_V1(ledger_fold_events_add);
PG_FUNCTION_INFO_V1(ledger_fold_events_final);

static void
renew_memory(FoldState *state, MemoryContext aggregate)
{
	MemoryContext old = state->memory;
	MemoryContext caller;
	int			next = old == state->scratch[0] ? 1 : 0;

	if (state->scratch[next] == NULL)
		state->scratch[next] = AllocSetContextCreate(aggregate, "ledger fold", ALLOCSET_SMALL_SIZES);
	state->memory = state->scratch[next];
	caller = MemoryContextSwitchTo(state->memory);
	ledger_finding_copy(&state->finding);
	MemoryContextSwitchTo(caller);
	if (old != aggregate)
		MemoryContextReset(old);
	state->steps = 0;
}

/* The next event of this finding, or the aggregate was given something else. */
static void
require_next(const Finding *finding, const EventRow *event)
{
	static const EventColumn keys[] = {EC_TENANT_ID, EC_FINDING_ID, EC_POLICY_VERSION};

	if (!finding->exists)
		return;
	for (int i = 0; i < lengthof(keys); i++)
		if (ledger_compare_text(finding->values[i], event->values[keys[i]]) != 0)
			ereport(ERROR,
					(errcode(ERRCODE_LEDGER_INVALID),
					 errmsg("events of several findings cannot be folded into one"),
					 errhint("GROUP BY tenant_id, finding_id, policy_version.")));
	if (DatumGetInt64(event->values[EC_SEQUENCE_NO]) <= DatumGetInt64(finding->values[PC_CURRENT_SEQUENCE]))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("events must be folded in the order of their sequence"),
				 errhint("ORDER BY sequence_no.")));
}

/* ledger_fold_events_add(internal, event record, shape anyelement) → internal */
Datum
ledger_fold_events_add(PG_FUNCTION_ARGS)
{
	MemoryContext aggregate;
	MemoryContext caller;
	const EventType *type;
	DerivedRows ignored[2];
	FoldState  *state;
	EventRow	event;

	if (!AggCheckCallContext(fcinfo, &aggregate))
		elog(ERROR, "ledger_fold_events_add called outside an aggregate");
	if (PG_ARGISNULL(0))
	{
		state = (FoldState *) MemoryContextAllocZero(aggregate, sizeof(FoldState));
		state->memory = aggregate;
	}
	else
		state = (FoldState *) PG_GETARG_POINTER(0);
	if (PG_ARGISNULL(1))
		PG_RETURN_POINTER(state);
	ledger_row_from_datum(fcinfo, PG_GETARG_DATUM(1), &event);
	if (!ledger_is_folded(&event, &type))
		PG_RETURN_POINTER(state);
	require_next(&state->finding, &event);
	if (++state->steps > STEPS_A_SCRATCH)
		renew_memory(state, aggregate);
	caller = MemoryContextSwitchTo(state->memory);
	/* The finding borrows from the event, which must live as long. */
	ledger_row_from_datum(fcinfo, PointerGetDatum(PG_GETARG_HEAPTUPLEHEADER_COPY(1)), &event);
	ledger_rows_init(&ignored[0], &ledger_history_table);
	ledger_rows_init(&ignored[1], &ledger_actions_table);
	ledger_fold(&state->finding, &event, type, true, &ignored[0], &ignored[1]);
	MemoryContextSwitchTo(caller);
	PG_RETURN_POINTER(state);
}

/* The finding as a row of the shape that was asked for: columns by their names. */
static Datum
finding_row(const Finding *finding, Oid rowtype)
{
	TupleDesc	desc = lookup_rowtype_tupdesc_copy(rowtype, -1);
	Datum	   *values = (Datum *) palloc0(desc->natts * sizeof(Datum));
	bool	   *nulls = (bool *) palloc(desc->natts * sizeof(bool));

	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);

		nulls[i] = true;
		for (int c = 0; c < PC_COUNT && !att->attisdropped; c++)
		{
			if (strcmp(NameStr(att->attname), ledger_projection_table.columns[c].name) != 0)
				continue;
			ledger_require_column_type(&ledger_projection_table, c, att->atttypid);
			values[i] = finding->values[c];
			nulls[i] = finding->nulls[c];
		}
	}
	return HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}

/* ledger_fold_events_final(internal, event record, shape anyelement) → anyelement */
Datum
ledger_fold_events_final(PG_FUNCTION_ARGS)
{
	Oid			rowtype = get_fn_expr_argtype(fcinfo->flinfo, 2);
	FoldState  *state;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	state = (FoldState *) PG_GETARG_POINTER(0);
	ledger_require_rowtype(rowtype);
	if (!state->finding.exists)
		PG_RETURN_NULL();
	PG_RETURN_DATUM(finding_row(&state->finding, rowtype));
}
