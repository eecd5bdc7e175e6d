/*
 * whole.c
 *		Rows that bring the ledger's own columns: imported or replicated.
 *
 * Such a row must be what a ledger would have written.  Here are the checks
 * that the link trigger adds for it; nothing is set or mended.  What does not
 * fit in itself is LG422, what does not fit the stored chain LG409.
 *
 * recordedAt and recordedBy are the source's and cannot be recomputed: they
 * are as true as the source.  Who brought the row is another question, and
 * ledger.import_recorded answers it.
 */
#include "ledger.h"

#include "catalog/pg_type.h"
#include "utils/builtins.h"

static long long
sequence_of(const EventRow *row)
{
	return (long long) DatumGetInt64(row->values[EC_SEQUENCE_NO]);
}

static void
compare_hash(const EventRow *row, EventColumn column, const uint8 *computed)
{
	const uint8 *given = ledger_row_hash(row, column);

	if (given == NULL || memcmp(given, computed, LC_HASH_LEN) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_UNPROCESSABLE),
				 errmsg("event does not verify: %s differs", ledger_event_columns[column].member),
				 errdetail("Sequence %lld: given %s, computed %s.", sequence_of(row),
						   given == NULL ? "nothing" : ledger_hash_hex(given),
						   ledger_hash_hex(computed)),
				 errhint("Bring the event as its source has it, and verify the source.")));
}

static void
require_columns(const EventRow *row)
{
	static const EventColumn required[] = {EC_CHAIN_ID, EC_SEQUENCE_NO, EC_EVENT_ID, EC_OCCURRED_AT,
	EC_RECORDED_AT, EC_RECORDED_BY, EC_SCHEMA_VERSION, EC_PAYLOAD_HASH, EC_PREVIOUS_HASH,
	EC_EVENT_HASH, EC_MERKLE_LEAF_HASH};

	for (int i = 0; i < lengthof(required); i++)
	{
		const EventColumnInfo *info = &ledger_event_columns[required[i]];

		if (row->nulls[required[i]])
			ereport(ERROR,
					(errcode(ERRCODE_LEDGER_INVALID),
					 errmsg("%s is required", info->member),
					 errdetail("Column \"%s\" is null.", info->name)));
		if (info->type == BYTEAOID && ledger_row_hash(row, required[i]) == NULL)
			ereport(ERROR,
					(errcode(ERRCODE_LEDGER_INVALID),
					 errmsg("%s must be a hash of 32 bytes", info->member)));
	}
}

static void
check_schema(const EventRow *row)
{
	lc_str		schema = ledger_row_text(row, EC_SCHEMA_VERSION);

	if (schema.n != strlen(LC_EVENT_SCHEMA_V1) || memcmp(schema.s, LC_EVENT_SCHEMA_V1, schema.n) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("schema \"%s\" is not known", pnstrdup(schema.s, Min(schema.n, 80))),
				 errhint("This version reads %s.", LC_EVENT_SCHEMA_V1)));
}

/* A name of a role: never empty, never longer than one can be. */
static void
check_recorded_by(const EventRow *row)
{
	lc_str		name = ledger_row_text(row, EC_RECORDED_BY);

	if (name.n == 0 || name.n >= NAMEDATALEN)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("recordedBy must be the name of a role"),
				 errdetail("It has %zu bytes.", name.n),
				 errhint("Use 1 to %d bytes.", NAMEDATALEN - 1)));
}

/*
 * A ledger refuses events from the future, so a row cannot have happened long
 * after it was recorded.  Its own clock is not asked in replication: clocks
 * that differ are no forgery, and would stop the apply worker.
 */
static void
check_times(const EventRow *row, bool against_clock)
{
	TimestampTz occurred = DatumGetTimestampTz(row->values[EC_OCCURRED_AT]);
	TimestampTz recorded = DatumGetTimestampTz(row->values[EC_RECORDED_AT]);
	TimestampTz now = GetCurrentTimestamp();

	(void) ledger_unix_us(recorded, "recordedAt");
	if (occurred > recorded + LEDGER_FUTURE_LIMIT_US)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("occurredAt lies more than 5 minutes after recordedAt"),
				 errdetail("It is %s.", timestamptz_to_str(occurred))));
	if (against_clock && recorded > now + LEDGER_FUTURE_LIMIT_US)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("recordedAt lies more than 5 minutes in the future"),
				 errdetail("It is %s.", timestamptz_to_str(recorded)),
				 errhint("Check this server's clock, and the source's.")));
}

/* Evaluation and its hash come together, or not at all; an erased event keeps the hash. */
static void
check_evaluation(const EventRow *row, bool erased)
{
	uint8		hash[LC_HASH_LEN];
	lc_buf		canonical;

	if (row->nulls[EC_EVALUATION])
	{
		if (!row->nulls[EC_EVALUATION_HASH] && !erased)
			ereport(ERROR,
					(errcode(ERRCODE_LEDGER_UNPROCESSABLE),
					 errmsg("event does not verify: evaluation is missing"),
					 errdetail("Its envelope has an evaluationHash.")));
		return;
	}
	if (erased || row->nulls[EC_EVALUATION_HASH])
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_UNPROCESSABLE),
				 erased ? errmsg("an erased event has no evaluation") :
				 errmsg("event does not verify: evaluationHash is missing")));
	lc_buf_init(&canonical, &ledger_palloc);
	ledger_canonicalize(&canonical, DatumGetJsonbP(row->values[EC_EVALUATION]), "evaluation");
	if (canonical.len > ledger_max_payload_bytes)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_TOO_LARGE),
				 errmsg("evaluation is too large"),
				 errdetail("Its canonical form has %zu bytes; ledger.max_payload_bytes is %d.",
						   canonical.len, ledger_max_payload_bytes)));
	ledger_salted_hash(LC_DOMAIN_EVALUATION, row->values[EC_PAYLOAD_SALT], false, &canonical, hash);
	compare_hash(row, EC_EVALUATION_HASH, hash);
	lc_buf_free(&canonical);
}

/* What needs no lock: the columns there, and each in itself possible. */
void
ledger_whole_fields(const EventRow *row, bool against_clock)
{
	bool		erased = row->nulls[EC_EVENT_BODY];

	if (erased != row->nulls[EC_PAYLOAD_SALT])
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("payload and salt are null together, or not at all"),
				 errhint("Both are null for an erased event, and only then.")));
	require_columns(row);
	check_schema(row);
	check_recorded_by(row);
	check_times(row, against_clock);
	check_evaluation(row, erased);
}

/* Under the chain's lock: does the row follow the head? */
void
ledger_whole_place(const EventRow *row, const ChainHead *head, const uint8 *previous)
{
	int64		next = head->exists ? head->sequence_no + 1 : 1;
	const uint8 *given = ledger_row_hash(row, EC_PREVIOUS_HASH);

	if (sequence_of(row) != next)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_CONFLICT),
				 errmsg("event has sequence %lld, but the chain goes on with %lld", sequence_of(row),
						(long long) next),
				 errhint("Import into an empty chain, or what follows its head, in order.")));
	if (given == NULL || memcmp(given, previous, LC_HASH_LEN) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_CONFLICT),
				 errmsg("event does not follow the chain's head: previousHash differs"),
				 errdetail("Sequence %lld: given %s, the chain has %s.", sequence_of(row),
						   given == NULL ? "nothing" : ledger_hash_hex(given),
						   ledger_hash_hex(previous)),
				 errhint("The two chains have parted, or an event between them is missing.")));
}

/*
 * The hashes over payload and envelope.  If neither hash fits the envelope, it
 * is the envelope that was changed.
 */
void
ledger_whole_seal(const EventRow *row, const uint8 *payload_hash, const uint8 *event_hash,
				  const uint8 *leaf_hash)
{
	const uint8 *event_given = ledger_row_hash(row, EC_EVENT_HASH);
	const uint8 *leaf_given = ledger_row_hash(row, EC_MERKLE_LEAF_HASH);

	compare_hash(row, EC_PAYLOAD_HASH, payload_hash);
	if (event_given != NULL && memcmp(event_given, event_hash, LC_HASH_LEN) != 0 &&
		leaf_given != NULL && memcmp(leaf_given, leaf_hash, LC_HASH_LEN) != 0)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_UNPROCESSABLE),
				 errmsg("event does not verify: envelope differs"),
				 errdetail("Sequence %lld: it gives neither eventHash nor merkleLeafHash.",
						   sequence_of(row)),
				 errhint("Bring the event as its source has it, and verify the source.")));
	compare_hash(row, EC_EVENT_HASH, event_hash);
	compare_hash(row, EC_MERKLE_LEAF_HASH, leaf_hash);
}

/*
 * The same for a row that no trigger will see: payload, envelope and both
 * hashes.
 */
void
ledger_whole_verify(const EventRow *row)
{
	uint8		payload_hash[LC_HASH_LEN];
	uint8		event_hash[LC_HASH_LEN];
	uint8		leaf_hash[LC_HASH_LEN];
	lc_buf		text;

	lc_buf_init(&text, &ledger_palloc);
	if (row->nulls[EC_EVENT_BODY])
		memcpy(payload_hash, ledger_row_hash(row, EC_PAYLOAD_HASH), LC_HASH_LEN);
	else
	{
		ledger_canonicalize(&text, DatumGetJsonbP(row->values[EC_EVENT_BODY]), "payload");
		ledger_salted_hash(LC_DOMAIN_PAYLOAD, row->values[EC_PAYLOAD_SALT], false, &text,
						   payload_hash);
		lc_buf_reset(&text);
	}
	ledger_row_envelope(row, &text);
	ledger_check_status(lc_event_hash(text.data, text.len, event_hash), "event hash");
	ledger_check_status(lc_leaf_hash(text.data, text.len, leaf_hash), "leaf hash");
	ledger_whole_seal(row, payload_hash, event_hash, leaf_hash);
	lc_buf_free(&text);
}
