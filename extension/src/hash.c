/*
 * hash.c
 *		The hash recipes as SQL functions, over values and over rows shaped
 *		like ledger_events.  The recipes themselves are the core's
 *		(lc_envelope.h); here a Datum becomes bytes.
 */
#include "ledger.h"

#include "lc_uuid.h"
#include "utils/builtins.h"

/* Unix microseconds of a timestamptz; infinity has none. */
int64
ledger_unix_us(TimestampTz t, const char *member)
{
	if (TIMESTAMP_NOT_FINITE(t))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("%s must be a finite time", member),
				 errdetail("It is %s.", TIMESTAMP_IS_NOBEGIN(t) ? "-infinity" : "infinity"),
				 errhint("Leave it out to use the present time.")));
	return t + LEDGER_PG_EPOCH_UNIX_US;
}

static void
require_present(const EventRow *row, EventColumn column)
{
	if (row->nulls[column])
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("column \"%s\" of the row is null", ledger_event_columns[column].name)));
}

static void
copy_hash(const EventRow *row, EventColumn column, uint8 *out)
{
	const uint8 *hash = ledger_row_hash(row, column);

	if (hash == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("column \"%s\" of the row is not a 32-byte hash",
						ledger_event_columns[column].name)));
	memcpy(out, hash, LC_HASH_LEN);
}

static void
copy_uuid(const EventRow *row, EventColumn column, uint8 *out)
{
	memcpy(out, DatumGetUUIDP(row->values[column])->data, LC_UUID_LEN);
}

static const EventColumn required[] = {
	EC_TENANT_ID, EC_CHAIN_ID, EC_SEQUENCE_NO, EC_EVENT_ID, EC_EVENT_TYPE, EC_POLICY_VERSION,
	EC_FINDING_ID, EC_ARTIFACT_ID, EC_ACTOR_ID, EC_ACTOR_TYPE, EC_OCCURRED_AT, EC_RECORDED_AT,
	EC_RECORDED_BY
};

/* The row as the core knows it; its required columns are there, its times finite. */
static void
fill_event(const EventRow *row, lc_event *event)
{
	memset(event, 0, sizeof(*event));
	event->tenant = ledger_row_text(row, EC_TENANT_ID);
	event->type = ledger_row_text(row, EC_EVENT_TYPE);
	event->policy_version = ledger_row_text(row, EC_POLICY_VERSION);
	event->finding_id = ledger_row_text(row, EC_FINDING_ID);
	event->artifact_id = ledger_row_text(row, EC_ARTIFACT_ID);
	event->vuln_id = ledger_row_text(row, EC_VULN_ID);
	event->actor_id = ledger_row_text(row, EC_ACTOR_ID);
	event->actor_type = ledger_row_text(row, EC_ACTOR_TYPE);
	event->recorded_by = ledger_row_text(row, EC_RECORDED_BY);
	event->evidence_bundle_ref = ledger_row_text(row, EC_EVIDENCE_BUNDLE_REF);
	copy_uuid(row, EC_EVENT_ID, event->id);
	copy_uuid(row, EC_CHAIN_ID, event->chain_id);
	event->has_source_run_id = !row->nulls[EC_SOURCE_RUN_ID];
	if (event->has_source_run_id)
		copy_uuid(row, EC_SOURCE_RUN_ID, event->source_run_id);
	event->occurred_us = ledger_unix_us(DatumGetTimestampTz(row->values[EC_OCCURRED_AT]),
										"occurredAt");
	event->recorded_us = ledger_unix_us(DatumGetTimestampTz(row->values[EC_RECORDED_AT]),
										"recordedAt");
	event->sequence = DatumGetInt64(row->values[EC_SEQUENCE_NO]);
	copy_hash(row, EC_PAYLOAD_HASH, event->payload_hash);
	event->has_evaluation_hash = !row->nulls[EC_EVALUATION_HASH];
	if (event->has_evaluation_hash)
		copy_hash(row, EC_EVALUATION_HASH, event->evaluation_hash);
	copy_hash(row, EC_PREVIOUS_HASH, event->previous_hash);
}

/* Are the columns there that every event has? */
bool
ledger_row_complete(const EventRow *row)
{
	for (int i = 0; i < lengthof(required); i++)
		if (row->nulls[required[i]])
			return false;
	return true;
}

/* Append the row's canonical envelope (docs/formats.md section 2) to out. */
void
ledger_row_envelope(const EventRow *row, lc_buf *out)
{
	lc_event	event;

	for (int i = 0; i < lengthof(required); i++)
		require_present(row, required[i]);
	fill_event(row, &event);
	ledger_require_utf8();
	ledger_check_status(lc_event_envelope(out, &event), "event envelope");
}

/* The same of a row that may be anything; false if its columns make no envelope. */
bool
ledger_try_row_envelope(const EventRow *row, lc_buf *out)
{
	lc_str		schema = ledger_row_text(row, EC_SCHEMA_VERSION);
	lc_event	event;

	if (schema.n != strlen(LC_EVENT_SCHEMA_V1) ||
		memcmp(schema.s, LC_EVENT_SCHEMA_V1, schema.n) != 0)
		return false;
	if (!ledger_row_complete(row))
		return false;
	if (TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(row->values[EC_OCCURRED_AT])) ||
		TIMESTAMP_NOT_FINITE(DatumGetTimestampTz(row->values[EC_RECORDED_AT])))
		return false;
	if (ledger_row_hash(row, EC_PAYLOAD_HASH) == NULL ||
		ledger_row_hash(row, EC_PREVIOUS_HASH) == NULL ||
		(!row->nulls[EC_EVALUATION_HASH] && ledger_row_hash(row, EC_EVALUATION_HASH) == NULL))
		return false;
	fill_event(row, &event);
	return lc_event_envelope(out, &event) == LC_OK;
}

/* SHA-256(domain || uint8(length of salt) || salt || canonical); a null salt is an empty one. */
void
ledger_salted_hash(uint8 domain, Datum salt, bool salt_null, const lc_buf *canonical, uint8 *out)
{
	const uint8 *bytes = (const uint8 *) "";
	size_t		n = 0;
	lc_status	status;

	if (!salt_null)
	{
		bytea	   *b = DatumGetByteaPP(salt);

		bytes = (const uint8 *) VARDATA_ANY(b);
		n = VARSIZE_ANY_EXHDR(b);
	}
	status = lc_salted_hash(domain, bytes, n, canonical->data, canonical->len, out);
	if (status == LC_ERR_RANGE)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("salt must be empty or 16 to 64 bytes long"),
				 errdetail("It has %zu bytes.", n)));
	ledger_check_status(status, "salted hash");
}

PG_FUNCTION_INFO_V1(ledger_payload_hash);
PG_FUNCTION_INFO_V1(ledger_event_envelope);
PG_FUNCTION_INFO_V1(ledger_event_hash);
PG_FUNCTION_INFO_V1(ledger_leaf_hash);
PG_FUNCTION_INFO_V1(ledger_chain_id);

/* ledger_payload_hash(salt bytea, payload jsonb) → bytea */
Datum
ledger_payload_hash(PG_FUNCTION_ARGS)
{
	Jsonb	   *payload = PG_GETARG_JSONB_P(1);
	uint8		hash[LC_HASH_LEN];
	lc_buf		canonical;

	if (!JB_ROOT_IS_OBJECT(payload))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_UNPROCESSABLE),
				 errmsg("payload must be a JSON object")));
	lc_buf_init(&canonical, &ledger_palloc);
	ledger_canonicalize(&canonical, payload, "payload");
	ledger_salted_hash(LC_DOMAIN_PAYLOAD, PG_GETARG_DATUM(0), false, &canonical, hash);
	PG_RETURN_DATUM(ledger_bytea(hash, LC_HASH_LEN));
}

/* The envelope of a row; a row without payload_hash gets it from payload and salt. */
static void
argument_envelope(FunctionCallInfo fcinfo, lc_buf *out)
{
	EventRow	row;

	ledger_row_from_datum(fcinfo, PG_GETARG_DATUM(0), &row);
	if (row.nulls[EC_PAYLOAD_HASH] && !row.nulls[EC_EVENT_BODY])
	{
		uint8		hash[LC_HASH_LEN];
		lc_buf		canonical;

		lc_buf_init(&canonical, &ledger_palloc);
		ledger_canonicalize(&canonical, DatumGetJsonbP(row.values[EC_EVENT_BODY]), "payload");
		ledger_salted_hash(LC_DOMAIN_PAYLOAD, row.values[EC_PAYLOAD_SALT],
						   row.nulls[EC_PAYLOAD_SALT], &canonical, hash);
		ledger_row_set_hash(&row, EC_PAYLOAD_HASH, hash);
	}
	lc_buf_init(out, &ledger_palloc);
	ledger_row_envelope(&row, out);
}

/* ledger_event_envelope(record) → jsonb */
Datum
ledger_event_envelope(PG_FUNCTION_ARGS)
{
	lc_buf		envelope;

	argument_envelope(fcinfo, &envelope);
	PG_RETURN_DATUM(DirectFunctionCall1(jsonb_in, CStringGetDatum(envelope.data)));
}

/* ledger_event_hash(record) → bytea */
Datum
ledger_event_hash(PG_FUNCTION_ARGS)
{
	uint8		hash[LC_HASH_LEN];
	lc_buf		envelope;

	argument_envelope(fcinfo, &envelope);
	ledger_check_status(lc_event_hash(envelope.data, envelope.len, hash), "event hash");
	PG_RETURN_DATUM(ledger_bytea(hash, LC_HASH_LEN));
}

/* ledger_leaf_hash(record) → bytea */
Datum
ledger_leaf_hash(PG_FUNCTION_ARGS)
{
	uint8		hash[LC_HASH_LEN];
	lc_buf		envelope;

	argument_envelope(fcinfo, &envelope);
	ledger_check_status(lc_leaf_hash(envelope.data, envelope.len, hash), "leaf hash");
	PG_RETURN_DATUM(ledger_bytea(hash, LC_HASH_LEN));
}

/* ledger_chain_id(tenant text, policy_version text) → uuid */
Datum
ledger_chain_id(PG_FUNCTION_ARGS)
{
	text	   *tenant = PG_GETARG_TEXT_PP(0);
	text	   *policy = PG_GETARG_TEXT_PP(1);
	pg_uuid_t  *uuid = (pg_uuid_t *) palloc(sizeof(pg_uuid_t));
	lc_str		t = {VARDATA_ANY(tenant), VARSIZE_ANY_EXHDR(tenant)};
	lc_str		p = {VARDATA_ANY(policy), VARSIZE_ANY_EXHDR(policy)};

	ledger_require_utf8();
	ledger_check_status(lc_uuid_chain(uuid->data, t, p), "chain id");
	PG_RETURN_UUID_P(uuid);
}
