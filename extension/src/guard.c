/*
 * guard.c
 *		The triggers that refuse: append-only tables, and statements aimed at a
 *		leaf.
 *
 * In C, so that nobody can patch them with CREATE OR REPLACE FUNCTION.  They
 * must be ENABLE ALWAYS (session_replication_role = replica skips others), and
 * statement triggers must stand on every leaf, because they are not cloned.
 */
#include "ledger.h"

#include "commands/trigger.h"

static const char *
verb(TriggerEvent event)
{
	if (TRIGGER_FIRED_BY_INSERT(event))
		return "INSERT";
	if (TRIGGER_FIRED_BY_UPDATE(event))
		return "UPDATE";
	if (TRIGGER_FIRED_BY_DELETE(event))
		return "DELETE";
	return "TRUNCATE";
}

static TriggerData *
trigger_data(FunctionCallInfo fcinfo)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called by the trigger manager")));
	return (TriggerData *) fcinfo->context;
}

PG_FUNCTION_INFO_V1(ledger_refuse_change);
PG_FUNCTION_INFO_V1(ledger_refuse_direct);

/* ledger_refuse_change() → trigger: what is recorded stays as it is */
Datum
ledger_refuse_change(PG_FUNCTION_ARGS)
{
	TriggerData *data = trigger_data(fcinfo);

	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_APPEND_ONLY),
			 errmsg("%s on \"%s\" is refused: the table is append-only", verb(data->tg_event),
					RelationGetRelationName(data->tg_relation)),
			 errhint("Append a correcting event instead.")));
	return PointerGetDatum(NULL);
}

/*
 * ledger_refuse_direct() → trigger: a statement aimed at a leaf would fire its
 * row triggers but not the parent's statement triggers, and so link without
 * projecting.
 */
Datum
ledger_refuse_direct(PG_FUNCTION_ARGS)
{
	TriggerData *data = trigger_data(fcinfo);

	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_APPEND_ONLY),
			 errmsg("%s on \"%s\" is refused: it is a partition of ledger_events",
					verb(data->tg_event), RelationGetRelationName(data->tg_relation)),
			 errhint("Use ledger_append(), or ledger_events itself.")));
	return PointerGetDatum(NULL);
}
