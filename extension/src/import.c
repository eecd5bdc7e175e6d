/*
 * import.c
 *		The work of ledger_import(): lines of docs/formats.md section 10 into
 *		ledger_events.
 *
 * An import writes what another ledger recorded, with its times and its names,
 * and so could forge anything but a hash.  It is therefore for one privileged
 * role, and ledger_import() leaves an event that says who did it; which is why
 * the function here answers only to that one.
 *
 * Lines that are stored already, byte for byte, are counted and skipped, so that
 * an import can be repeated.  The rest goes through one INSERT, in the order of
 * the chains' lock keys, and the link trigger checks each row under its chain's
 * lock as it checks replicated ones (whole.c).
 */
#include "import.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/lsyscache.h"

typedef struct ImportLine
{
	EventRow	row;
	int			number;			/* from 1 on, for messages */
	int			chain;			/* index into Import.chains */
	int64		lock_key;
	lc_buf		canonical;
} ImportLine;

typedef struct ImportChain
{
	Datum		tenant;
	Datum		chain_id;
	int64		first;
	int64		last;
	int			last_line;
	int64		present;		/* lines that were stored before */
} ImportChain;

typedef struct ChainEntry
{
	struct
	{
		uint8		chain_id[LC_UUID_LEN];
		char		tenant[LEDGER_MAX_TENANT];	/* padded with zeros */
	}			key;
	int			chain;
} ChainEntry;

typedef struct Import
{
	ImportLine *lines;
	int			nlines;
	ImportChain *chains;
	int			nchains;
	HTAB	   *by_chain;
	ImportLine **todo;			/* lines to insert, in lock order */
	int			ntodo;
	int			at;				/* number of the line at work, or 0 */
	AppendContext context;
} Import;

/* The line's chain; its first line makes it known, if the caller may touch it. */
static ImportChain *
chain_of(Import *import, ImportLine *line)
{
	lc_str		tenant = ledger_row_text(&line->row, EC_TENANT_ID);
	ImportChain *chain;
	ChainEntry	probe;
	ChainEntry *entry;
	bool		found;

	memset(&probe, 0, sizeof(probe));
	memcpy(probe.key.chain_id, DatumGetUUIDP(line->row.values[EC_CHAIN_ID])->data, LC_UUID_LEN);
	memcpy(probe.key.tenant, tenant.s, tenant.n);
	entry = (ChainEntry *) hash_search(import->by_chain, &probe.key, HASH_ENTER, &found);
	if (found)
	{
		line->chain = entry->chain;
		return &import->chains[entry->chain];
	}
	if (tenant.n == strlen(LEDGER_RESERVED_TENANT) &&
		memcmp(tenant.s, LEDGER_RESERVED_TENANT, tenant.n) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_FORBIDDEN),
				 errmsg("tenant \"%s\" is reserved to the ledger", LEDGER_RESERVED_TENANT),
				 errhint("Its events are about the copy that wrote them: leave them out.")));
	table_close(ledger_open_leaf(tenant.s, tenant.n, AccessShareLock), NoLock);
	ledger_require_tenant(tenant.s, tenant.n);
	line->chain = entry->chain = import->nchains++;
	chain = &import->chains[line->chain];
	chain->tenant = line->row.values[EC_TENANT_ID];
	chain->chain_id = line->row.values[EC_CHAIN_ID];
	return chain;
}

static void
check_order(ImportChain *chain, const ImportLine *line)
{
	int64		sequence = DatumGetInt64(line->row.values[EC_SEQUENCE_NO]);

	if (chain->last_line == 0)
		chain->first = sequence;
	else if (sequence != chain->last + 1)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_CONFLICT),
				 errmsg("envelope.sequence %lld does not follow %lld of line %d", (long long) sequence,
						(long long) chain->last, chain->last_line),
				 errhint("Lines of one chain stand in its order, without gap.")));
	chain->last = sequence;
	chain->last_line = line->number;
}

static bool
same_value(Oid type, Datum a, Datum b)
{
	if (type == INT8OID || type == TIMESTAMPTZOID)
		return DatumGetInt64(a) == DatumGetInt64(b);
	if (type == UUIDOID)
		return memcmp(DatumGetUUIDP(a)->data, DatumGetUUIDP(b)->data, UUID_LEN) == 0;
	/* text, or bytea, which is laid out alike */
	return ledger_compare_text(a, b) == 0;
}

/* Which member of a line differs from the stored event; "" if none does. */
static const char *
differing_member(const EventRow *line, const EventRow *stored)
{
	if (line->nulls[EC_EVENT_BODY] != stored->nulls[EC_EVENT_BODY])
		return "payload";
	for (int c = 0; c < EC_COUNT; c++)
	{
		/* The hashes stand for the body; a salt that differs gives another hash. */
		if (c == EC_EVENT_BODY || c == EC_PAYLOAD_SALT || c == EC_EVALUATION)
			continue;
		if (line->nulls[c] != stored->nulls[c] ||
			(!line->nulls[c] && !same_value(ledger_event_columns[c].type, line->values[c],
											stored->values[c])))
			return ledger_event_columns[c].member;
	}
	return "";
}

static void
require_identical(const EventRow *line, const EventRow *stored)
{
	const char *name = differing_member(line, stored);

	if (name[0] == '\0')
		return;
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_CONFLICT),
			 errmsg("event %s is stored with another %s",
					DatumGetCString(DirectFunctionCall1(uuid_out, line->values[EC_EVENT_ID])), name),
			 strcmp(name, "payload") != 0 ?
			 errdetail("It is sequence %lld of chain %s.",
					   (long long) DatumGetInt64(stored->values[EC_SEQUENCE_NO]),
					   DatumGetCString(DirectFunctionCall1(uuid_out, stored->values[EC_CHAIN_ID]))) :
			 stored->nulls[EC_EVENT_BODY] ? errdetail("Its payload was erased here.") :
			 errdetail("Its payload was erased at the source; here it is still stored."),
			 errhint("An import changes nothing that is stored.")));
}

/* Is the line's event stored already?  Then it must be the same, and durable. */
static bool
line_present(const ImportLine *line, bool *ours)
{
	lc_str		tenant = ledger_row_text(&line->row, EC_TENANT_ID);
	Relation	leaf = ledger_open_leaf(tenant.s, tenant.n, AccessShareLock);
	RowOrigin	origin;
	EventRow	stored;
	bool		found;

	found = ledger_find_event(leaf, line->row.values[EC_TENANT_ID], line->row.values[EC_EVENT_ID],
							  &stored, &origin);
	table_close(leaf, NoLock);
	if (!found)
		return false;
	ledger_wait_durable(&origin);
	require_identical(&line->row, &stored);
	*ours = TransactionIdIsCurrentTransactionId(origin.xmin);
	return true;
}

/* By lock key, and within a chain in its order. */
static int
compare_lines(const void *a, const void *b)
{
	const ImportLine *x = *(ImportLine *const *) a;
	const ImportLine *y = *(ImportLine *const *) b;

	if (x->lock_key != y->lock_key)
		return x->lock_key < y->lock_key ? -1 : 1;
	return x->number - y->number;
}

static void
read_lines(Import *import, Jsonb *array)
{
	JsonbIterator *it = JsonbIteratorInit(&array->root);
	JsonbIteratorToken token;
	JsonbValue	v;
	int			n = 0;

	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		ImportLine *line = &import->lines[n];
		ImportChain *chain;
		bool		ours;

		if (token != WJB_ELEM)
			continue;
		import->at = line->number = ++n;
		lc_buf_init(&line->canonical, &ledger_palloc);
		ledger_read_line(&v, &line->row, &line->canonical);
		chain = chain_of(import, line);
		check_order(chain, line);
		line->lock_key = ledger_chain_lock_key(ledger_row_text(&line->row, EC_TENANT_ID),
											   DatumGetUUIDP(line->row.values[EC_CHAIN_ID])->data);
		if (line_present(line, &ours))
		{
			ledger_whole_verify(&line->row);
			chain->present++;
		}
		else
			import->todo[import->ntodo++] = line;
		CHECK_FOR_INTERRUPTS();
	}
	import->at = 0;
}

/* INSERT of whole rows by parallel arrays, in the order of ledger_event_columns. */
static SPIPlanPtr
insert_plan(void)
{
	static SPIPlanPtr plan = NULL;
	Oid			types[EC_COUNT];
	StringInfoData sql;

	if (plan != NULL)
		return plan;
	initStringInfo(&sql);
	appendStringInfoString(&sql, "INSERT INTO ledger.ledger_events (");
	for (int c = 0; c < EC_COUNT; c++)
		appendStringInfo(&sql, "%s%s", c > 0 ? ", " : "", ledger_event_columns[c].name);
	appendStringInfoString(&sql, ") SELECT * FROM ROWS FROM (");
	for (int c = 0; c < EC_COUNT; c++)
	{
		types[c] = get_array_type(ledger_event_columns[c].type);
		appendStringInfo(&sql, "%spg_catalog.unnest($%d)", c > 0 ? ", " : "", c + 1);
	}
	appendStringInfoChar(&sql, ')');
	plan = SPI_prepare(sql.data, EC_COUNT, types);
	if (plan == NULL)
		elog(ERROR, "could not prepare the import: %s", SPI_result_code_string(SPI_result));
	SPI_keepplan(plan);
	return plan;
}

static Datum
column_array(const Import *import, EventColumn column)
{
	Oid			type = ledger_event_columns[column].type;
	Datum	   *values = (Datum *) palloc(import->ntodo * sizeof(Datum));
	bool	   *nulls = (bool *) palloc(import->ntodo * sizeof(bool));
	int			dims[1] = {import->ntodo};
	int			lbs[1] = {1};
	int16		typlen;
	bool		typbyval;
	char		typalign;

	for (int i = 0; i < import->ntodo; i++)
	{
		values[i] = import->todo[i]->row.values[column];
		nulls[i] = import->todo[i]->row.nulls[column];
	}
	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	return PointerGetDatum(construct_md_array(values, nulls, 1, dims, lbs, type, typlen, typbyval,
											  typalign));
}

/*
 * Rows were skipped: the same import ran at the same time and came first, or an
 * event id stands twice in this one.  Every event must be stored as its line says.
 */
static void
settle_skipped(Import *import)
{
	for (int i = 0; i < import->ntodo; i++)
	{
		ImportLine *line = import->todo[i];
		bool		ours;

		import->at = line->number;
		if (!line_present(line, &ours))
			ereport(ERROR,
					(errcode(ERRCODE_LEDGER_CORRUPTED),
					 errmsg("event was neither stored nor found"),
					 errhint("A foreign trigger may have dropped it: see ledger_guard_state().")));
		if (!ours)
		{
			ledger_whole_verify(&line->row);
			import->chains[line->chain].present++;
		}
	}
	import->at = 0;
}

static void
insert_lines(Import *import)
{
	AppendContext *ctx = &import->context;
	bool	   *supplied = (bool *) palloc(import->ntodo * sizeof(bool));
	Datum		arrays[EC_COUNT];

	qsort(import->todo, import->ntodo, sizeof(ImportLine *), compare_lines);
	memset(supplied, true, import->ntodo * sizeof(bool));
	for (int c = 0; c < EC_COUNT; c++)
		arrays[c] = column_array(import, c);
	ctx->import = true;
	ctx->supplied = supplied;
	ctx->nrows = import->ntodo;

	SPI_connect();
	ledger_append_context = ctx;
	if (SPI_execute_plan(insert_plan(), arrays, NULL, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not insert the lines");
	ledger_append_context = NULL;
	if (SPI_processed < import->ntodo)
		settle_skipped(import);
	SPI_finish();
}

/* Say of a refusal which line it is about. */
static void
name_line(Import *import, MemoryContext context)
{
	int			number = import->at;
	ErrorData  *error;

	if (import->context.linking)
		number = import->todo[import->context.position - 1]->number;
	MemoryContextSwitchTo(context);
	error = CopyErrorData();
	if (number == 0 ||
		ERRCODE_TO_CATEGORY(error->sqlerrcode) != ERRCODE_TO_CATEGORY(ERRCODE_LEDGER_INVALID))
		return;
	FlushErrorState();
	error->message = psprintf("line %d: %s", number, error->message);
	ReThrowError(error);
}

/* Read, check and insert; ledger_append_context is put back however it ends. */
static void
run_import(Import *import, Jsonb *array)
{
	AppendContext *outer = ledger_append_context;
	MemoryContext context = CurrentMemoryContext;

	PG_TRY();
	{
		read_lines(import, array);
		if (import->ntodo > 0)
			insert_lines(import);
	}
	PG_CATCH();
	{
		ledger_append_context = outer;
		name_line(import, context);
		PG_RE_THROW();
	}
	PG_END_TRY();
	ledger_append_context = outer;
}

static void
init_import(Import *import, int nlines)
{
	HASHCTL		ctl;

	memset(import, 0, sizeof(*import));
	import->nlines = nlines;
	import->lines = (ImportLine *) MemoryContextAllocHuge(CurrentMemoryContext,
														  Max(nlines, 1) * sizeof(ImportLine));
	import->todo = (ImportLine **) palloc(Max(nlines, 1) * sizeof(ImportLine *));
	import->chains = (ImportChain *) palloc0(Max(nlines, 1) * sizeof(ImportChain));
	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = sizeof(((ChainEntry *) NULL)->key);
	ctl.entrysize = sizeof(ChainEntry);
	ctl.hcxt = CurrentMemoryContext;
	import->by_chain = hash_create("ledger imported chains", 64, &ctl,
								   HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

/* SHA-256 over the canonical lines, joined by newlines. */
static Datum
source_digest(const Import *import)
{
	Size		size = 2 * (Size) Max(import->nlines, 1) * sizeof(lc_bytes);
	lc_bytes   *parts = (lc_bytes *) MemoryContextAllocHuge(CurrentMemoryContext, size);
	size_t		n = 0;
	uint8		hash[LC_HASH_LEN];

	for (int i = 0; i < import->nlines; i++)
	{
		if (i > 0)
		{
			parts[n].p = "\n";
			parts[n++].n = 1;
		}
		parts[n].p = import->lines[i].canonical.data;
		parts[n++].n = import->lines[i].canonical.len;
	}
	ledger_check_status(lc_sha256_parts(parts, n, hash), "source digest");
	return ledger_bytea(hash, LC_HASH_LEN);
}

PG_FUNCTION_INFO_V1(ledger_import_lines);

/*
 * ledger_import_lines(lines jsonb) → SETOF (tenant_id text, chain_id uuid,
 * first_sequence, last_sequence, imported, present bigint, source_digest bytea):
 * one row a chain, in the order of their first lines.
 */
Datum
ledger_import_lines(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *rsinfo = (ReturnSetInfo *) fcinfo->resultinfo;
	Jsonb	   *array = PG_GETARG_JSONB_P(0);
	Datum		digest;
	Import		import;

	if (!ledger_is_owner_context(ledger_events_relid()))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_FORBIDDEN),
				 errmsg("ledger_import_lines is called by ledger_import() only"),
				 errhint("It would leave no trace of who imported.")));
	if (!JB_ROOT_IS_ARRAY(array) || JB_ROOT_IS_SCALAR(array))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("rows must be a JSON array of lines")));
	ledger_init_materialized_srf(fcinfo);
	init_import(&import, JB_ROOT_COUNT(array));
	run_import(&import, array);
	digest = source_digest(&import);
	for (int i = 0; i < import.nchains; i++)
	{
		ImportChain *chain = &import.chains[i];
		int64		lines = chain->last - chain->first + 1;
		Datum		values[] = {chain->tenant, chain->chain_id, Int64GetDatum(chain->first),
			Int64GetDatum(chain->last), Int64GetDatum(lines - chain->present),
		Int64GetDatum(chain->present), digest};
		bool		nulls[lengthof(values)] = {false};

		tuplestore_putvalues(rsinfo->setResult, rsinfo->setDesc, values, nulls);
	}
	return (Datum) 0;
}
