/*
 * eventjson.c
 *		An event as a line of an export (docs/formats.md section 10): what the
 *		gateway answers, what ledger_import() and ledgerctl read.
 *
 * The line is JCS, and its members have one order, so canonical parts are put
 * side by side and nothing is parsed again.
 */
#include "ledger.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "lc_base64.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

PG_FUNCTION_INFO_V1(ledger_event_json);
PG_FUNCTION_INFO_V1(ledger_event_line);

static void
put_hash(lc_buf *out, const char *name, const EventRow *row, EventColumn column)
{
	const uint8 *hash = ledger_row_hash(row, column);

	if (hash == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("column \"%s\" of the row is not a 32-byte hash",
						ledger_event_columns[column].name)));
	lc_buf_puts(out, name);
	lc_buf_put_hex(out, hash, LC_HASH_LEN);
	lc_buf_putc(out, '"');
}

static void
put_document(lc_buf *out, const EventRow *row, EventColumn column, const char *what)
{
	if (row->nulls[column])
		lc_buf_puts(out, "null");
	else
		ledger_canonicalize(out, DatumGetJsonbP(row->values[column]), what);
}

static void
put_salt(lc_buf *out, const EventRow *row)
{
	bytea	   *salt;

	if (row->nulls[EC_PAYLOAD_SALT])
	{
		lc_buf_puts(out, "null");
		return;
	}
	salt = DatumGetByteaPP(row->values[EC_PAYLOAD_SALT]);
	lc_buf_putc(out, '"');
	lc_buf_put_base64(out, VARDATA_ANY(salt), VARSIZE_ANY_EXHDR(salt));
	lc_buf_putc(out, '"');
}

static text *
event_json(const EventRow *row)
{
	lc_buf		out;

	lc_buf_init(&out, &ledger_palloc);
	lc_buf_puts(&out, "{\"envelope\":");
	ledger_row_envelope(row, &out);
	/* Of an erased event the evaluation is gone with the payload. */
	if (!row->nulls[EC_EVALUATION])
	{
		lc_buf_puts(&out, ",\"evaluation\":");
		put_document(&out, row, EC_EVALUATION, "evaluation");
	}
	put_hash(&out, ",\"eventHash\":\"", row, EC_EVENT_HASH);
	put_hash(&out, ",\"merkleLeafHash\":\"", row, EC_MERKLE_LEAF_HASH);
	lc_buf_puts(&out, ",\"payload\":");
	put_document(&out, row, EC_EVENT_BODY, "payload");
	lc_buf_puts(&out, ",\"salt\":");
	put_salt(&out, row);
	lc_buf_putc(&out, '}');
	ledger_check_status(out.status, "event");
	return cstring_to_text_with_len(out.data, out.len);
}

/* ledger_event_json(record) → text */
Datum
ledger_event_json(PG_FUNCTION_ARGS)
{
	EventRow	row;

	ledger_row_from_datum(fcinfo, PG_GETARG_DATUM(0), &row);
	PG_RETURN_TEXT_P(event_json(&row));
}

/* What a query of ledger_events would be refused, or see nothing of, is refused here likewise. */
static bool
may_read(Datum tenant)
{
	AclResult	acl = pg_class_aclcheck(ledger_events_relid(), GetUserId(), ACL_SELECT);

	if (acl != ACLCHECK_OK)
		aclcheck_error(acl, OBJECT_TABLE, "ledger_events");
	return DatumGetBool(DirectFunctionCall1(ledger_tenant_selected, tenant));
}

static bool
read_event(Relation leaf, Datum tenant, Datum event_id, EventRow *row)
{
	const LeafInfo *info = ledger_leaf_info(leaf);
	EventColumnMap columns = info->columns;
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyEntryInitialize(&keys[0], 0, columns.attno[EC_TENANT_ID], BTEqualStrategyNumber, InvalidOid,
						   C_COLLATION_OID, F_TEXTEQ, tenant);
	ScanKeyInit(&keys[1], columns.attno[EC_EVENT_ID], BTEqualStrategyNumber, F_UUID_EQ, event_id);
	scan = systable_beginscan(leaf, info->id_index, OidIsValid(info->id_index), GetActiveSnapshot(), 2, keys);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		ledger_row_from_tuple(heap_copytuple(tuple), RelationGetDescr(leaf), &columns, row);
	systable_endscan(scan);
	return HeapTupleIsValid(tuple);
}

/*
 * ledger_event_line(tenant text, event_id uuid, OUT chain_id uuid, OUT sequence_no
 * bigint, OUT line text).  A query would be planned for every call, or lock the
 * leaves of all tenants: either takes longer than all the rest.
 */
Datum
ledger_event_line(PG_FUNCTION_ARGS)
{
	text	   *tenant = PG_GETARG_TEXT_PP(0);
	Datum		values[3];
	bool		nulls[3] = {true, true, true};
	TupleDesc	desc = ledger_result_row(fcinfo);
	Relation	leaf;
	EventRow	row;

	if (may_read(PointerGetDatum(tenant)))
	{
		leaf = ledger_open_leaf(VARDATA_ANY(tenant), VARSIZE_ANY_EXHDR(tenant), AccessShareLock);
		if (read_event(leaf, PointerGetDatum(tenant), PG_GETARG_DATUM(1), &row))
		{
			memset(nulls, false, sizeof(nulls));
			values[0] = row.values[EC_CHAIN_ID];
			values[1] = row.values[EC_SEQUENCE_NO];
			values[2] = PointerGetDatum(event_json(&row));
		}
		table_close(leaf, NoLock);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
}
