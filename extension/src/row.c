/*
 * row.c
 *		Rows of ledger_events as arrays of values.
 *
 * Columns are found by name: a later migration may add columns, a restore may
 * lay them out differently, and a leaf need not have its parent's order.
 */
#include "ledger.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

const EventColumnInfo ledger_event_columns[EC_COUNT] = {
	[EC_TENANT_ID] = {"tenant_id", TEXTOID, "tenant", false, LEDGER_MAX_TENANT},
	[EC_CHAIN_ID] = {"chain_id", UUIDOID, "chainId", false, 0},
	[EC_SEQUENCE_NO] = {"sequence_no", INT8OID, "sequence", true, 0},
	[EC_EVENT_ID] = {"event_id", UUIDOID, "id", false, 0},
	[EC_EVENT_TYPE] = {"event_type", TEXTOID, "type", false, 63},
	[EC_POLICY_VERSION] = {"policy_version", TEXTOID, "policyVersion", false, LEDGER_MAX_POLICY},
	[EC_FINDING_ID] = {"finding_id", TEXTOID, "finding.id", false, LEDGER_MAX_FINDING},
	[EC_ARTIFACT_ID] = {"artifact_id", TEXTOID, "finding.artifactId", false, LEDGER_MAX_ARTIFACT},
	[EC_VULN_ID] = {"vuln_id", TEXTOID, "finding.vulnId", false, LEDGER_MAX_VULN},
	[EC_SOURCE_RUN_ID] = {"source_run_id", UUIDOID, "sourceRunId", false, 0},
	[EC_ACTOR_ID] = {"actor_id", TEXTOID, "actor.id", false, LEDGER_MAX_ACTOR},
	[EC_ACTOR_TYPE] = {"actor_type", TEXTOID, "actor.type", false, 16},
	[EC_OCCURRED_AT] = {"occurred_at", TIMESTAMPTZOID, "occurredAt", false, 0},
	[EC_RECORDED_AT] = {"recorded_at", TIMESTAMPTZOID, "recordedAt", true, 0},
	[EC_RECORDED_BY] = {"recorded_by", TEXTOID, "recordedBy", true, 0},
	[EC_EVIDENCE_BUNDLE_REF] = {"evidence_bundle_ref", TEXTOID, "evidenceBundleRef", false,
	LEDGER_MAX_EVIDENCE},
	[EC_SCHEMA_VERSION] = {"schema_version", TEXTOID, "schema", true, 0},
	[EC_EVENT_BODY] = {"event_body", JSONBOID, "payload", false, 0},
	[EC_PAYLOAD_SALT] = {"payload_salt", BYTEAOID, "salt", true, 0},
	[EC_PAYLOAD_HASH] = {"payload_hash", BYTEAOID, "payloadHash", true, 0},
	[EC_EVALUATION] = {"evaluation", JSONBOID, "evaluation", true, 0},
	[EC_EVALUATION_HASH] = {"evaluation_hash", BYTEAOID, "evaluationHash", true, 0},
	[EC_PREVIOUS_HASH] = {"previous_hash", BYTEAOID, "previousHash", true, 0},
	[EC_EVENT_HASH] = {"event_hash", BYTEAOID, "eventHash", true, 0},
	[EC_MERKLE_LEAF_HASH] = {"merkle_leaf_hash", BYTEAOID, "merkleLeafHash", true, 0},
};

/* Fill map from a tuple descriptor; an error names the first column it lacks. */
void
ledger_map_columns(TupleDesc desc, EventColumnMap *map)
{
	for (int c = 0; c < EC_COUNT; c++)
	{
		const EventColumnInfo *info = &ledger_event_columns[c];

		map->attno[c] = InvalidAttrNumber;
		for (int i = 0; i < desc->natts; i++)
		{
			Form_pg_attribute att = TupleDescAttr(desc, i);

			if (att->attisdropped || strcmp(NameStr(att->attname), info->name) != 0)
				continue;
			if (att->atttypid != info->type)
				ereport(ERROR,
						(errcode(ERRCODE_LEDGER_INVALID),
						 errmsg("column \"%s\" has type %s, but ledger_events has %s", info->name,
								format_type_be(att->atttypid), format_type_be(info->type)),
						 errhint("Give a row of ledger_events, or one with its columns.")));
			map->attno[c] = att->attnum;
		}
		if (map->attno[c] == InvalidAttrNumber)
			ereport(ERROR,
					(errcode(ERRCODE_LEDGER_INVALID),
					 errmsg("row is not shaped like ledger_events: column \"%s\" is missing",
							info->name),
					 errhint("Give a row of ledger_events, or one with its columns.")));
	}
}

void
ledger_row_from_tuple(HeapTuple tuple, TupleDesc desc, const EventColumnMap *map, EventRow *row)
{
	Datum	   *values = (Datum *) palloc(desc->natts * sizeof(Datum));
	bool	   *nulls = (bool *) palloc(desc->natts * sizeof(bool));

	heap_deform_tuple(tuple, desc, values, nulls);
	for (int c = 0; c < EC_COUNT; c++)
	{
		row->values[c] = values[map->attno[c] - 1];
		row->nulls[c] = nulls[map->attno[c] - 1];
	}
	pfree(values);
	pfree(nulls);
}

void
ledger_row_from_slot(TupleTableSlot *slot, const EventColumnMap *map, EventRow *row)
{
	slot_getallattrs(slot);
	for (int c = 0; c < EC_COUNT; c++)
	{
		row->values[c] = slot->tts_values[map->attno[c] - 1];
		row->nulls[c] = slot->tts_isnull[map->attno[c] - 1];
	}
}

typedef struct RecordCache
{
	Oid			type;
	int32		typmod;
	EventColumnMap map;
} RecordCache;

/*
 * A polymorphic argument can be anything; what is no row must not be read as one.
 * Its columns are checked when they are mapped.
 */
void
ledger_require_rowtype(Oid type)
{
	if (OidIsValid(type) && type_is_rowtype(type))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_INVALID),
			 errmsg("event must be a row shaped like ledger_events"),
			 errdetail("It has type %s.", format_type_be(type))));
}

/*
 * Take a composite argument apart.  The column map is kept with the call site,
 * which sees one row type in practice.
 */
void
ledger_row_from_datum(FunctionCallInfo fcinfo, Datum record, EventRow *row)
{
	HeapTupleHeader header = DatumGetHeapTupleHeader(record);
	Oid			type = HeapTupleHeaderGetTypeId(header);
	int32		typmod = HeapTupleHeaderGetTypMod(header);
	TupleDesc	desc = lookup_rowtype_tupdesc(type, typmod);
	RecordCache *cache = (RecordCache *) fcinfo->flinfo->fn_extra;
	HeapTupleData tuple;

	if (cache == NULL || cache->type != type || cache->typmod != typmod)
	{
		RecordCache *fresh;

		fresh = (RecordCache *) MemoryContextAlloc(fcinfo->flinfo->fn_mcxt, sizeof(RecordCache));
		ledger_map_columns(desc, &fresh->map);
		fresh->type = type;
		fresh->typmod = typmod;
		fcinfo->flinfo->fn_extra = cache = fresh;
	}
	tuple.t_len = HeapTupleHeaderGetDatumLength(header);
	ItemPointerSetInvalid(&tuple.t_self);
	tuple.t_tableOid = InvalidOid;
	tuple.t_data = header;
	ledger_row_from_tuple(&tuple, desc, &cache->map, row);
	ReleaseTupleDesc(desc);
}

/* A text column's bytes; absent (s == NULL) if it is null. */
lc_str
ledger_row_text(const EventRow *row, EventColumn column)
{
	lc_str		str = {NULL, 0};

	if (!row->nulls[column])
	{
		text	   *t = DatumGetTextPP(row->values[column]);

		str.s = VARDATA_ANY(t);
		str.n = VARSIZE_ANY_EXHDR(t);
	}
	return str;
}

/* A hash column's 32 bytes, or NULL if it is null or has another length. */
const uint8 *
ledger_row_hash(const EventRow *row, EventColumn column)
{
	bytea	   *b;

	if (row->nulls[column])
		return NULL;
	b = DatumGetByteaPP(row->values[column]);
	if (VARSIZE_ANY_EXHDR(b) != LC_HASH_LEN)
		return NULL;
	return (const uint8 *) VARDATA_ANY(b);
}

void
ledger_row_set_text(EventRow *row, EventColumn column, const char *text)
{
	row->values[column] = CStringGetTextDatum(text);
	row->nulls[column] = false;
}

void
ledger_row_set_hash(EventRow *row, EventColumn column, const uint8 *hash)
{
	row->values[column] = ledger_bytea(hash, LC_HASH_LEN);
	row->nulls[column] = false;
}

Datum
ledger_bytea(const void *bytes, size_t n)
{
	bytea	   *b = (bytea *) palloc(n + VARHDRSZ);

	SET_VARSIZE(b, n + VARHDRSZ);
	memcpy(VARDATA(b), bytes, n);
	return PointerGetDatum(b);
}

/* The row as a value of a row type shaped like ledger_events. */
Datum
ledger_row_to_composite(const EventRow *row, Oid rowtype)
{
	TupleDesc	desc = lookup_rowtype_tupdesc(rowtype, -1);
	Datum	   *values = (Datum *) palloc0(desc->natts * sizeof(Datum));
	bool	   *nulls = (bool *) palloc(desc->natts * sizeof(bool));
	EventColumnMap map;
	Datum		result;

	memset(nulls, true, desc->natts * sizeof(bool));
	ledger_map_columns(desc, &map);
	for (int c = 0; c < EC_COUNT; c++)
	{
		values[map.attno[c] - 1] = row->values[c];
		nulls[map.attno[c] - 1] = row->nulls[c];
	}
	result = heap_copy_tuple_as_datum(heap_form_tuple(desc, values, nulls), desc);
	ReleaseTupleDesc(desc);
	return result;
}

/*
 * The row that a function of OUT parameters returns.  Found once for all calls of
 * a query: putting it together takes as long as a probe of an index.
 */
TupleDesc
ledger_result_row(FunctionCallInfo fcinfo)
{
	FmgrInfo   *function = fcinfo->flinfo;

	if (function->fn_extra == NULL)
	{
		MemoryContext before = MemoryContextSwitchTo(function->fn_mcxt);
		TupleDesc	desc;

		if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
			elog(ERROR, "return type must be a row type");
		function->fn_extra = BlessTupleDesc(desc);
		MemoryContextSwitchTo(before);
	}
	return function->fn_extra;
}

/* By bytes, as COLLATE "C" orders; neither is null. */
int
ledger_compare_text(Datum a, Datum b)
{
	text	   *ta = DatumGetTextPP(a);
	text	   *tb = DatumGetTextPP(b);
	int			na = VARSIZE_ANY_EXHDR(ta);
	int			nb = VARSIZE_ANY_EXHDR(tb);
	int			cmp = memcmp(VARDATA_ANY(ta), VARDATA_ANY(tb), Min(na, nb));

	return cmp != 0 ? cmp : na - nb;
}

/* 64 hex digits, for messages. */
char *
ledger_hash_hex(const uint8 *hash)
{
	lc_buf		buf;

	lc_buf_init(&buf, &ledger_palloc);
	lc_buf_put_hex(&buf, hash, LC_HASH_LEN);
	return buf.data;
}
