/*
 * append.c
 *		The write path behind ledger_append(), ledger_append_request() and
 *		ledger_append_many(): idempotency, order of locks, one INSERT.
 *
 * Rows come in shaped like ledger_events with the caller's columns filled.
 * What an event id already stands for is answered from the table; the rest
 * goes through one INSERT, in the order of the chains' lock keys, so that two
 * batches never wait for each other crosswise.
 *
 * A retry that arrives while its first attempt still runs is settled by the
 * link trigger, under the chain's lock: it skips the row, and the stored event
 * is answered.
 */
#include "ledger.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "tcop/utility.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

/* The columns a caller may fill, as the INSERT lists them. */
static const EventColumn caller_columns[] = {
	EC_TENANT_ID, EC_CHAIN_ID, EC_EVENT_ID, EC_EVENT_TYPE, EC_POLICY_VERSION, EC_FINDING_ID,
	EC_ARTIFACT_ID, EC_VULN_ID, EC_SOURCE_RUN_ID, EC_ACTOR_ID, EC_ACTOR_TYPE, EC_OCCURRED_AT,
	EC_EVIDENCE_BUNDLE_REF, EC_EVENT_BODY
};

#define CALLER_COLUMNS lengthof(caller_columns)

typedef struct AppendItem
{
	EventRow	row;
	int			ordinal;		/* place in the request */
	bool		supplied;		/* the caller chose the event id */
	int64		lock_key;
	int			same_as;		/* ordinal of an equal item before it, or -1 */
	bool		created;
	bool		done;
	Datum		stored;			/* composite of type ledger_events */
} AppendItem;

/* Which member of a repeated event differs from the first attempt, or NULL. */
static const char *
differing_member(const EventRow *asked, const EventRow *stored)
{
	uint8		hash[LC_HASH_LEN];
	const uint8 *stored_hash = ledger_row_hash(stored, EC_PAYLOAD_HASH);
	lc_buf		canonical;

	for (int i = 0; i < CALLER_COLUMNS; i++)
	{
		EventColumn c = caller_columns[i];
		Oid			type = ledger_event_columns[c].type;
		TypeCacheEntry *cache;

		if (c == EC_EVENT_BODY || (c == EC_OCCURRED_AT && asked->nulls[c]))
			continue;
		if (asked->nulls[c] != stored->nulls[c])
			return ledger_event_columns[c].member;
		if (asked->nulls[c])
			continue;
		cache = lookup_type_cache(type, TYPECACHE_EQ_OPR_FINFO);
		if (!DatumGetBool(FunctionCall2Coll(&cache->eq_opr_finfo, C_COLLATION_OID, asked->values[c],
											stored->values[c])))
			return ledger_event_columns[c].member;
	}

	/* Payloads are equal if they hash alike under the stored salt; an erased one compares all the same. */
	lc_buf_init(&canonical, &ledger_palloc);
	ledger_canonicalize(&canonical, DatumGetJsonbP(asked->values[EC_EVENT_BODY]), "payload");
	if (stored->nulls[EC_PAYLOAD_SALT])
		return "payload";
	ledger_salted_hash(LC_DOMAIN_PAYLOAD, stored->values[EC_PAYLOAD_SALT], false, &canonical, hash);
	if (stored_hash == NULL || memcmp(hash, stored_hash, LC_HASH_LEN) != 0)
		return "payload";
	return NULL;
}

static void
require_same(const EventRow *asked, const EventRow *stored)
{
	const char *member = differing_member(asked, stored);
	char	   *id;

	if (member == NULL)
		return;
	id = DatumGetCString(DirectFunctionCall1(uuid_out, asked->values[EC_EVENT_ID]));
	if (stored->nulls[EC_SEQUENCE_NO])
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_CONFLICT),
				 errmsg("event %s stands twice in the batch with another %s", id, member),
				 errhint("Another event needs another id, or another Idempotency-Key.")));
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_CONFLICT),
			 errmsg("event %s exists with another %s", id, member),
			 errdetail("It is sequence %lld of chain %s.",
					   (long long) DatumGetInt64(stored->values[EC_SEQUENCE_NO]),
					   DatumGetCString(DirectFunctionCall1(uuid_out, stored->values[EC_CHAIN_ID]))),
			 errhint("Another event needs another id, or another Idempotency-Key.")));
}

/* Is the item's id taken?  Then it is answered from the table, once that is durable. */
static bool
answer_stored(AppendItem *item, Oid rowtype)
{
	lc_str		tenant = ledger_row_text(&item->row, EC_TENANT_ID);
	Relation	leaf = ledger_open_leaf(tenant.s, tenant.n, AccessShareLock);
	RowOrigin	origin;
	EventRow	stored;
	bool		found;

	found = ledger_find_event(leaf, item->row.values[EC_TENANT_ID], item->row.values[EC_EVENT_ID],
							  &stored, &origin);
	if (found)
	{
		ledger_wait_durable(&origin);
		/* As its own commit would have waited, had nobody cancelled that. */
		if (synchronous_commit > SYNCHRONOUS_COMMIT_LOCAL_FLUSH)
			ledger_wait_replicated();
		require_same(&item->row, &stored);
		item->stored = ledger_row_to_composite(&stored, rowtype);
		item->created = false;
		item->done = true;
	}
	table_close(leaf, NoLock);
	return found;
}

/* Defaults, validation, access, and an id: all that needs no lock. */
static void
prepare_item(AppendItem *item)
{
	lc_str		tenant;

	for (int c = 0; c < EC_COUNT; c++)
		if (ledger_event_columns[c].ledger_owned && !item->row.nulls[c])
			ereport(ERROR,
					(errcode(ERRCODE_LEDGER_FORBIDDEN),
					 errmsg("%s is set by the ledger", ledger_event_columns[c].member),
					 errhint("Leave it out.")));
	ledger_default_row(&item->row);
	ledger_validate_row(&item->row, false);
	tenant = ledger_row_text(&item->row, EC_TENANT_ID);
	table_close(ledger_open_leaf(tenant.s, tenant.n, AccessShareLock), NoLock);
	ledger_require_tenant(tenant.s, tenant.n);

	item->supplied = !item->row.nulls[EC_EVENT_ID];
	item->same_as = -1;
	if (!item->supplied)
	{
		item->row.values[EC_EVENT_ID] = UUIDPGetDatum(ledger_new_event_id());
		item->row.nulls[EC_EVENT_ID] = false;
	}
	item->lock_key = ledger_chain_lock_key(tenant,
										   DatumGetUUIDP(item->row.values[EC_CHAIN_ID])->data);
}

static int
compare_ids(const void *a, const void *b)
{
	const AppendItem *x = *(AppendItem *const *) a;
	const AppendItem *y = *(AppendItem *const *) b;
	int			cmp = ledger_compare_text(x->row.values[EC_TENANT_ID], y->row.values[EC_TENANT_ID]);

	if (cmp == 0)
		cmp = memcmp(DatumGetUUIDP(x->row.values[EC_EVENT_ID])->data,
					 DatumGetUUIDP(y->row.values[EC_EVENT_ID])->data, UUID_LEN);
	return cmp != 0 ? cmp : x->ordinal - y->ordinal;
}

static int
compare_lock_keys(const void *a, const void *b)
{
	const AppendItem *x = *(AppendItem *const *) a;
	const AppendItem *y = *(AppendItem *const *) b;

	if (x->lock_key != y->lock_key)
		return x->lock_key < y->lock_key ? -1 : 1;
	return x->ordinal - y->ordinal;
}

/* The same id twice in one batch: equal content counts once, other content is an error. */
static void
match_repeats(AppendItem *items, int n)
{
	AppendItem **byid = (AppendItem **) palloc(n * sizeof(AppendItem *));

	for (int i = 0; i < n; i++)
		byid[i] = &items[i];
	qsort(byid, n, sizeof(AppendItem *), compare_ids);
	for (int i = 1; i < n; i++)
	{
		AppendItem *first = byid[i - 1];
		AppendItem *again = byid[i];

		if (!again->supplied ||
			memcmp(DatumGetUUIDP(first->row.values[EC_EVENT_ID])->data,
				   DatumGetUUIDP(again->row.values[EC_EVENT_ID])->data, UUID_LEN) != 0 ||
			ledger_compare_text(first->row.values[EC_TENANT_ID],
								again->row.values[EC_TENANT_ID]) != 0)
			continue;
		again->same_as = first->same_as >= 0 ? first->same_as : first->ordinal;
		{
			EventRow	asked = again->row;
			EventRow	head = items[again->same_as].row;
			bytea	   *empty = (bytea *) DatumGetPointer(ledger_bytea("", 0));
			uint8		hash[LC_HASH_LEN];
			lc_buf		canonical;

			/* Compare as if the first were stored, under an empty salt. */
			lc_buf_init(&canonical, &ledger_palloc);
			ledger_canonicalize(&canonical, DatumGetJsonbP(head.values[EC_EVENT_BODY]), "payload");
			head.values[EC_PAYLOAD_SALT] = PointerGetDatum(empty);
			head.nulls[EC_PAYLOAD_SALT] = false;
			ledger_salted_hash(LC_DOMAIN_PAYLOAD, head.values[EC_PAYLOAD_SALT], false, &canonical,
							   hash);
			ledger_row_set_hash(&head, EC_PAYLOAD_HASH, hash);
			require_same(&asked, &head);
		}
	}
}

static void
append_column_list(StringInfo sql)
{
	for (int i = 0; i < CALLER_COLUMNS; i++)
		appendStringInfo(sql, "%s%s", i > 0 ? ", " : "",
						 ledger_event_columns[caller_columns[i]].name);
}

/* INSERT of one row by VALUES, or of many by parallel arrays; prepared once each. */
static SPIPlanPtr
insert_plan(bool many)
{
	static SPIPlanPtr plans[2] = {NULL, NULL};
	Oid			types[CALLER_COLUMNS];
	StringInfoData sql;

	if (plans[many] != NULL)
		return plans[many];
	initStringInfo(&sql);
	appendStringInfoString(&sql, "INSERT INTO ledger.ledger_events (");
	append_column_list(&sql);
	appendStringInfoString(&sql, many ? ") SELECT * FROM ROWS FROM (" : ") VALUES (");
	for (int i = 0; i < CALLER_COLUMNS; i++)
	{
		Oid			type = ledger_event_columns[caller_columns[i]].type;

		types[i] = many ? get_array_type(type) : type;
		appendStringInfo(&sql, many ? "%spg_catalog.unnest($%d)" : "%s$%d", i > 0 ? ", " : "", i + 1);
	}
	appendStringInfoString(&sql, ") RETURNING ledger_events");
	plans[many] = SPI_prepare(sql.data, CALLER_COLUMNS, types);
	if (plans[many] == NULL)
		elog(ERROR, "could not prepare the append: %s", SPI_result_code_string(SPI_result));
	SPI_keepplan(plans[many]);
	return plans[many];
}

static Datum
column_array(AppendItem **items, int n, EventColumn column)
{
	Oid			type = ledger_event_columns[column].type;
	Datum	   *values = (Datum *) palloc(n * sizeof(Datum));
	bool	   *nulls = (bool *) palloc(n * sizeof(bool));
	int			dims[1];
	int			lbs[1] = {1};
	int16		typlen;
	bool		typbyval;
	char		typalign;

	dims[0] = n;
	for (int i = 0; i < n; i++)
	{
		values[i] = items[i]->row.values[column];
		nulls[i] = items[i]->row.nulls[column];
	}
	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	return PointerGetDatum(construct_md_array(values, nulls, 1, dims, lbs, type, typlen, typbyval,
											  typalign));
}

static int
run_insert(AppendItem **items, int n)
{
	Datum		values[CALLER_COLUMNS];
	char		nulls[CALLER_COLUMNS];

	for (int i = 0; i < CALLER_COLUMNS; i++)
	{
		EventColumn c = caller_columns[i];

		if (n == 1)
		{
			values[i] = items[0]->row.values[c];
			nulls[i] = items[0]->row.nulls[c] ? 'n' : ' ';
		}
		else
		{
			values[i] = column_array(items, n, c);
			nulls[i] = ' ';
		}
	}
	return SPI_execute_plan(insert_plan(n > 1), values, nulls, false, 0);
}

/*
 * The id was free when we looked and is taken now, by an event of another
 * chain (the same chain would have waited for our lock): name it as ours.
 */
static void
rename_unique_violation(MemoryContext context)
{
	ErrorData  *error;

	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	if (error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION && error->constraint_name != NULL &&
		strstr(error->constraint_name, "event_id") != NULL)
	{
		FlushErrorState();
		ledger_wait_durable_all();
		error->sqlerrcode = ERRCODE_LEDGER_CONFLICT;
		error->message = pstrdup("event exists with another chainId");
		ReThrowError(error);
	}
	FreeErrorData(error);
}

/* Give the returned rows to their items: the order is the same, skipped rows aside. */
static void
take_returned(AppendItem **items, int n, Oid rowtype)
{
	uint64		r = 0;

	for (int i = 0; i < n && r < SPI_processed; i++)
	{
		bool		isnull;
		Datum		composite = SPI_getbinval(SPI_tuptable->vals[r], SPI_tuptable->tupdesc, 1, &isnull);
		HeapTupleHeader header = DatumGetHeapTupleHeader(composite);
		Datum		id = GetAttributeByName(header, "event_id", &isnull);

		Datum		tenant = GetAttributeByName(header, "tenant_id", &isnull);

		/* Ids are unique in a tenant only. */
		if (memcmp(DatumGetUUIDP(id)->data, DatumGetUUIDP(items[i]->row.values[EC_EVENT_ID])->data,
				   UUID_LEN) != 0 ||
			ledger_compare_text(tenant, items[i]->row.values[EC_TENANT_ID]) != 0)
			continue;
		items[i]->stored = SPI_datumTransfer(composite, false, -1);
		items[i]->created = true;
		items[i]->done = true;
		r++;
	}
}

/* Insert what is not answered yet, in lock order. */
static void
insert_items(AppendItem **items, int n, bool has_expected, int64 expected, Oid rowtype)
{
	AppendContext ctx;
	AppendContext *outer = ledger_append_context;
	MemoryContext context = CurrentMemoryContext;
	bool	   *supplied = (bool *) palloc(n * sizeof(bool));

	qsort(items, n, sizeof(AppendItem *), compare_lock_keys);
	for (int i = 0; i < n; i++)
		supplied[i] = items[i]->supplied;
	memset(&ctx, 0, sizeof(ctx));
	ctx.supplied = supplied;
	ctx.nrows = n;
	ctx.has_expected = has_expected;
	ctx.expected = expected;

	SPI_connect();
	ledger_append_context = &ctx;
	PG_TRY();
	{
		if (run_insert(items, n) != SPI_OK_INSERT_RETURNING)
			elog(ERROR, "append did not return the stored events");
	}
	PG_CATCH();
	{
		ledger_append_context = outer;
		rename_unique_violation(context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	ledger_append_context = outer;
	take_returned(items, n, rowtype);
	SPI_finish();
}

static void
append_items(AppendItem *items, int n, bool has_expected, int64 expected, Oid rowtype)
{
	AppendItem **todo = (AppendItem **) palloc(Max(n, 1) * sizeof(AppendItem *));
	int			ntodo = 0;

	/* Also a retry that would only be answered: whether it is must not depend on what is stored. */
	PreventCommandIfReadOnly("ledger_append()");
	for (int i = 0; i < n; i++)
		prepare_item(&items[i]);
	if (n > 1)
		match_repeats(items, n);
	for (int i = 0; i < n; i++)
	{
		if (items[i].same_as >= 0)
			continue;
		if (items[i].supplied && answer_stored(&items[i], rowtype))
			continue;
		todo[ntodo++] = &items[i];
	}
	if (ntodo > 0)
		insert_items(todo, ntodo, has_expected, expected, rowtype);
	for (int i = 0; i < ntodo; i++)
		if (!todo[i]->done && !answer_stored(todo[i], rowtype))
			ereport(ERROR,
					(errcode(ERRCODE_LEDGER_CORRUPTED),
					 errmsg("event was neither stored nor found"),
					 errhint("A foreign trigger may have dropped it: see ledger_guard_state().")));
	for (int i = 0; i < n; i++)
		if (items[i].same_as >= 0)
		{
			items[i].stored = items[items[i].same_as].stored;
			items[i].created = false;
		}
}

/*
 * The answer is typed as the argument is, and holds rows of ledger_events: any
 * other row type would be read with the wrong columns.
 */
static Oid
require_events_rowtype(Oid type)
{
	if (type != get_rel_type_id(ledger_events_relid()))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("event must be a row of ledger_events"),
				 errdetail("It has type %s.", format_type_be(type)),
				 errhint("Use ledger_append().")));
	return type;
}

PG_FUNCTION_INFO_V1(ledger_write);
PG_FUNCTION_INFO_V1(ledger_write_many);

/*
 * ledger_write(event anyelement, expected_sequence bigint, OUT created boolean,
 * OUT event anyelement): append one row shaped like ledger_events.
 */
Datum
ledger_write(PG_FUNCTION_ARGS)
{
	AppendItem	item;
	Oid			rowtype = require_events_rowtype(get_fn_expr_argtype(fcinfo->flinfo, 0));
	TupleDesc	desc;
	Datum		values[2];
	bool		nulls[2] = {false, false};

	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID), errmsg("event must not be null")));
	memset(&item, 0, sizeof(item));
	ledger_row_from_datum(fcinfo, PG_GETARG_DATUM(0), &item.row);
	append_items(&item, 1, !PG_ARGISNULL(1), PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1), rowtype);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	values[0] = BoolGetDatum(item.created);
	values[1] = item.stored;
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/*
 * ledger_write_many(events anyarray) → SETOF (created boolean, event
 * anyelement): all or nothing, answered in the order asked.
 */
Datum
ledger_write_many(PG_FUNCTION_ARGS)
{
	ArrayType  *array = PG_GETARG_ARRAYTYPE_P(0);
	Oid			rowtype = require_events_rowtype(ARR_ELEMTYPE(array));
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Datum	   *elements;
	bool	   *elem_nulls;
	int			n;
	AppendItem *items;
	int16		typlen;
	bool		typbyval;
	char		typalign;

	ledger_init_materialized_srf(fcinfo);
	get_typlenbyvalalign(rowtype, &typlen, &typbyval, &typalign);
	deconstruct_array(array, rowtype, typlen, typbyval, typalign, &elements, &elem_nulls, &n);
	items = (AppendItem *) palloc0(Max(n, 1) * sizeof(AppendItem));
	for (int i = 0; i < n; i++)
	{
		if (elem_nulls[i])
			ereport(ERROR,
					(errcode(ERRCODE_LEDGER_INVALID), errmsg("event %d is null", i + 1)));
		items[i].ordinal = i;
		ledger_row_from_datum(fcinfo, elements[i], &items[i].row);
	}
	append_items(items, n, false, 0, rowtype);
	for (int i = 0; i < n; i++)
	{
		Datum		values[2] = {BoolGetDatum(items[i].created), items[i].stored};
		bool		nulls[2] = {false, false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
