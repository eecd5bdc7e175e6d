/*
 * eventjson.c
 *		An event as a line of an export (docs/formats.md section 10): what the
 *		gateway answers, what ledger_import() and ledgerctl read.
 *
 * The line is JCS, and its members have one order, so canonical parts are put
 * side by side and nothing is parsed again.
 */
#include "ledger.h"

#include "lc_base64.h"
#include "lc_hex.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(ledger_event_json);

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

/* ledger_event_json(record) → text */
Datum
ledger_event_json(PG_FUNCTION_ARGS)
{
	EventRow	row;
	lc_buf		out;

	ledger_row_from_datum(fcinfo, PG_GETARG_DATUM(0), &row);
	lc_buf_init(&out, &ledger_palloc);
	lc_buf_puts(&out, "{\"envelope\":");
	ledger_row_envelope(&row, &out);
	/* Of an erased event the evaluation is gone with the payload. */
	if (!row.nulls[EC_EVALUATION])
	{
		lc_buf_puts(&out, ",\"evaluation\":");
		put_document(&out, &row, EC_EVALUATION, "evaluation");
	}
	put_hash(&out, ",\"eventHash\":\"", &row, EC_EVENT_HASH);
	put_hash(&out, ",\"merkleLeafHash\":\"", &row, EC_MERKLE_LEAF_HASH);
	lc_buf_puts(&out, ",\"payload\":");
	put_document(&out, &row, EC_EVENT_BODY, "payload");
	lc_buf_puts(&out, ",\"salt\":");
	put_salt(&out, &row);
	lc_buf_putc(&out, '}');
	ledger_check_status(out.status, "event");
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
