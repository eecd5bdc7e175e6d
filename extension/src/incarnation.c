/*
 * incarnation.c
 *		What a restored copy needs to know: which library serves it, and where
 *		each chain ends.
 *
 * A restore rolls every chain back to where the dump found it.  The copy says
 * so in each chain itself (ledger.incarnation_started), naming the last sequence
 * that was present.  That number must be the head at the moment the event is
 * written, so all chains are locked before the first is read.
 */
#include "ledger.h"

#include "access/table.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"

PG_FUNCTION_INFO_V1(ledger_library_version);
PG_FUNCTION_INFO_V1(ledger_lock_chains);

typedef struct RegisteredChain
{
	int64		lock_key;
	Datum		tenant;
	Datum		chain_id;
	bool		anchored;
	int64		tree_size;		/* of its newest anchor */
	Datum		root;
} RegisteredChain;

/*
 * ledger_library_version() → text: the version compiled into the loaded library.
 * The catalog's extversion says which script ran, not which file is there now.
 */
Datum
ledger_library_version(PG_FUNCTION_ARGS)
{
	PG_RETURN_TEXT_P(cstring_to_text(LEDGER_VERSION));
}

static int
compare_lock_keys(const void *a, const void *b)
{
	int64		x = ((const RegisteredChain *) a)->lock_key;
	int64		y = ((const RegisteredChain *) b)->lock_key;

	return x < y ? -1 : x > y;
}

static lc_str
tenant_text(Datum tenant)
{
	text	   *t = DatumGetTextPP(tenant);

	return (lc_str) {VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)};
}

/* The registered chains of all tenants with their newest anchors, in the order in which batches lock them. */
static RegisteredChain *
read_registry(int *n)
{
	MemoryContext caller = CurrentMemoryContext;
	RegisteredChain *chains;
	int			save_sec_context;
	Oid			save_userid = ledger_owner_enter(ledger_events_relid(), &save_sec_context);

	SPI_connect();
	if (SPI_execute("SELECT c.tenant_id, c.chain_id, r.tree_size, r.root_hash FROM ledger.ledger_chains AS c"
					" LEFT JOIN LATERAL (SELECT a.tree_size, a.root_hash FROM ledger.ledger_merkle_roots AS a"
					"  WHERE a.tenant_id = c.tenant_id AND a.chain_id = c.chain_id"
					"  ORDER BY a.tree_size DESC LIMIT 1) AS r ON true", false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read the registry of chains");
	*n = (int) SPI_processed;
	chains = (RegisteredChain *) MemoryContextAlloc(caller, Max(*n, 1) * sizeof(RegisteredChain));
	for (int i = 0; i < *n; i++)
	{
		HeapTuple	tuple = SPI_tuptable->vals[i];
		TupleDesc	desc = SPI_tuptable->tupdesc;
		MemoryContext old = MemoryContextSwitchTo(caller);
		bool		isnull;

		chains[i].tenant = datumCopy(SPI_getbinval(tuple, desc, 1, &isnull), false, -1);
		chains[i].chain_id = datumCopy(SPI_getbinval(tuple, desc, 2, &isnull), false, UUID_LEN);
		chains[i].tree_size = DatumGetInt64(SPI_getbinval(tuple, desc, 3, &isnull));
		chains[i].root = SPI_getbinval(tuple, desc, 4, &isnull);
		chains[i].anchored = !isnull;
		if (chains[i].anchored)
			chains[i].root = datumCopy(chains[i].root, false, -1);
		chains[i].lock_key = ledger_chain_lock_key(tenant_text(chains[i].tenant),
												   DatumGetUUIDP(chains[i].chain_id)->data);
		MemoryContextSwitchTo(old);
	}
	SPI_finish();
	ledger_owner_leave(save_userid, save_sec_context);
	qsort(chains, *n, sizeof(RegisteredChain), compare_lock_keys);
	return chains;
}

/*
 * ledger_lock_chains() → setof (tenant_id, chain_id, policy_version, sequence_no,
 * anchored_size, anchored_root)
 *
 * It reads every tenant's chains whoever the session is, so only the ledger's
 * own functions may call it, and they must not hand the rows on.
 */
Datum
ledger_lock_chains(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	RegisteredChain *chains;
	int			n;

	if (!ledger_is_owner_context(ledger_events_relid()))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_FORBIDDEN),
				 errmsg("ledger_lock_chains() is for the ledger's own functions"),
				 errhint("A restored copy is taken over by CALL ledger.ledger_after_restore(reason).")));
	ledger_init_materialized_srf(fcinfo);
	chains = read_registry(&n);
	for (int i = 0; i < n; i++)
		ledger_chain_lock_any(chains[i].lock_key);
	for (int i = 0; i < n; i++)
	{
		lc_str		tenant = tenant_text(chains[i].tenant);
		Relation	leaf = ledger_open_leaf(tenant.s, tenant.n, AccessShareLock);
		Datum		values[6] = {chains[i].tenant, chains[i].chain_id};
		bool		nulls[6] = {false};
		ChainHead	head;

		ledger_chain_head(leaf, chains[i].tenant, chains[i].chain_id, &head);
		table_close(leaf, NoLock);
		if (!head.exists)
			continue;
		values[2] = CStringGetTextDatum(head.policy_version);
		values[3] = Int64GetDatum(head.sequence_no);
		nulls[4] = nulls[5] = !chains[i].anchored;
		values[4] = Int64GetDatum(chains[i].tree_size);
		values[5] = chains[i].root;
		tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
	}
	return (Datum) 0;
}
