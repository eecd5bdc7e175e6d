/*
 * register.c
 *		The registry of chains: a row of ledger_chains for each chain that has
 *		an event.
 *
 * Written once the chain's first event is stored, not when it is linked: a row
 * that the link trigger let through can still be dropped (ON CONFLICT DO
 * NOTHING), and a registered chain without events is a finding of the verifier.
 */
#include "ledger.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"

/* Register the chain of this event, if it is the chain's first; the chain's lock is held. */
void
ledger_register_chain(const EventRow *event)
{
	static SPIPlanPtr plan = NULL;
	Datum		values[4] = {event->values[EC_TENANT_ID], event->values[EC_CHAIN_ID],
	event->values[EC_POLICY_VERSION], event->values[EC_RECORDED_AT]};
	int			save_sec_context;
	Oid			save_userid;

	if (DatumGetInt64(event->values[EC_SEQUENCE_NO]) != 1)
		return;
	save_userid = ledger_owner_enter(ledger_events_relid(), &save_sec_context);
	SPI_connect();
	if (plan == NULL)
	{
		Oid			types[4] = {TEXTOID, UUIDOID, TEXTOID, TIMESTAMPTZOID};

		plan = SPI_prepare("INSERT INTO ledger.ledger_chains"
						   " (tenant_id, chain_id, policy_version, created_at)"
						   " VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING", 4, types);
		if (plan == NULL)
			elog(ERROR, "could not prepare the registration: %s",
				 SPI_result_code_string(SPI_result));
		SPI_keepplan(plan);
	}
	if (SPI_execute_plan(plan, values, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not register the chain");
	SPI_finish();
	ledger_owner_leave(save_userid, save_sec_context);
}
