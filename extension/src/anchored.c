/*
 * anchored.c
 *		How far the chains are anchored: what a key's range begins and ends at.
 *
 * A key is registered, retired or revoked for all tenants at once, by an
 * operator who may be granted none.  So this reads past row-level security, and
 * serves the functions that do it only.
 */
#include "tree.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(ledger_anchored_ends);

/* ledger_anchored_ends(before timestamptz) → setof (tenant_id, chain_id, last_sequence) */
Datum
ledger_anchored_ends(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Oid			types[1] = {TIMESTAMPTZOID};
	Datum		before[1] = {PG_ARGISNULL(0) ? (Datum) 0 : PG_GETARG_DATUM(0)};
	char		nulls[2] = {PG_ARGISNULL(0) ? 'n' : ' ', '\0'};
	int			save_sec_context;
	Oid			save_userid;

	ledger_require_owner_context("ledger_anchored_ends");
	ledger_init_materialized_srf(fcinfo);
	save_userid = ledger_owner_enter(ledger_events_relid(), &save_sec_context);
	SPI_connect();
	/* Not read-only: the anchors of a tick that ended while the lock was waited for count. */
	if (SPI_execute_with_args("SELECT tenant_id, chain_id, coalesce(max(tree_size)"
							  " FILTER (WHERE $1 IS NULL OR anchored_at < $1), 0)"
							  " FROM ledger.ledger_merkle_roots GROUP BY tenant_id, chain_id",
							  1, types, before, nulls, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the anchors");
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		Datum		values[3];
		bool		isnull[3];

		for (int column = 0; column < 3; column++)
			values[column] = SPI_getbinval(SPI_tuptable->vals[i], SPI_tuptable->tupdesc,
										   column + 1, &isnull[column]);
		tuplestore_putvalues(result->setResult, result->setDesc, values, isnull);
	}
	SPI_finish();
	ledger_owner_leave(save_userid, save_sec_context);
	return (Datum) 0;
}
