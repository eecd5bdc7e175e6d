/*
 * verify_row.c
 *		What one row of ledger_events says about itself: do its columns give its
 *		hashes, do payload and evaluation give theirs (docs/verification.md).
 *
 * A row under verification may hold anything, so nothing here raises an error
 * about its content: what cannot be computed is absent.
 */
#include "ledger.h"

#include "utils/builtins.h"

/* SHA-256(domain || salt || JCS(value)), or false if there is none. */
static bool
salted_hash_now(const EventRow *row, EventColumn column, uint8 domain, uint8 *out)
{
	bytea	   *salt;
	lc_buf		canonical;
	bool		ok;

	if (row->nulls[column] || row->nulls[EC_PAYLOAD_SALT])
		return false;
	salt = DatumGetByteaPP(row->values[EC_PAYLOAD_SALT]);
	lc_buf_init(&canonical, &ledger_palloc);
	ok = ledger_try_canonicalize(&canonical, DatumGetJsonbP(row->values[column])) == LC_OK &&
		lc_salted_hash(domain, (const uint8 *) VARDATA_ANY(salt), VARSIZE_ANY_EXHDR(salt),
					   canonical.data, canonical.len, out) == LC_OK;
	lc_buf_free(&canonical);
	return ok;
}

static bool
hash_is(const EventRow *row, EventColumn column, bool has_computed, const uint8 *computed)
{
	const uint8 *stored = ledger_row_hash(row, column);

	return stored != NULL && has_computed && memcmp(stored, computed, LC_HASH_LEN) == 0;
}

/* What is wrong with payload, salt or evaluation; NULL if nothing is. */
static const char *
payload_fault(const EventRow *row, const RowFacts *facts)
{
	bool		has_evaluation = !row->nulls[EC_EVALUATION];

	if (!facts->has_payload)
		return !row->nulls[EC_PAYLOAD_SALT] || has_evaluation ?
			"the payload is erased but its salt or evaluation is there" : NULL;
	if (!JB_ROOT_IS_OBJECT(DatumGetJsonbP(row->values[EC_EVENT_BODY])) ||
		!hash_is(row, EC_PAYLOAD_HASH, facts->has_payload_now, facts->payload_now))
		return "payload does not give payload_hash";
	if (has_evaluation != !row->nulls[EC_EVALUATION_HASH] ||
		(has_evaluation &&
		 !hash_is(row, EC_EVALUATION_HASH, facts->has_evaluation_now, facts->evaluation_now)))
		return "evaluation does not give evaluation_hash";
	return NULL;
}

/* Compute all of the row's hashes again and compare them with what is stored. */
void
ledger_judge_row(const EventRow *row, RowFacts *facts)
{
	uint8		leaf[LC_HASH_LEN];
	lc_buf		envelope;

	memset(facts, 0, sizeof(*facts));
	lc_buf_init(&envelope, &ledger_palloc);
	facts->computable = ledger_try_row_envelope(row, &envelope);
	if (facts->computable)
	{
		ledger_check_status(lc_event_hash(envelope.data, envelope.len, facts->computed),
							"event hash");
		ledger_check_status(lc_leaf_hash(envelope.data, envelope.len, leaf), "leaf hash");
	}
	lc_buf_free(&envelope);
	facts->sound = hash_is(row, EC_EVENT_HASH, facts->computable, facts->computed);
	facts->leaf_sound = hash_is(row, EC_MERKLE_LEAF_HASH, facts->computable, leaf);

	facts->has_payload = !row->nulls[EC_EVENT_BODY];
	facts->has_payload_now = salted_hash_now(row, EC_EVENT_BODY, LC_DOMAIN_PAYLOAD,
											 facts->payload_now);
	facts->has_evaluation_now = salted_hash_now(row, EC_EVALUATION, LC_DOMAIN_EVALUATION,
												facts->evaluation_now);
	facts->payload_fault = payload_fault(row, facts);
}

static Datum
hash_or_null(bool present, const uint8 *hash, bool *isnull)
{
	*isnull = !present;
	return present ? ledger_bytea(hash, LC_HASH_LEN) : (Datum) 0;
}

PG_FUNCTION_INFO_V1(ledger_row_facts);
PG_FUNCTION_INFO_V1(ledger_computed_hash);

/*
 * ledger_row_facts(event anyelement, OUT computed bytea, OUT sound boolean, OUT leaf_sound
 * boolean, OUT payload_fault text, OUT payload_now bytea, OUT evaluation_now bytea,
 * OUT stub anyelement).  The stub is the row without its long columns; only an unsound row
 * gets one, because only such a row is looked at again.
 */
Datum
ledger_row_facts(PG_FUNCTION_ARGS)
{
	TupleDesc	desc;
	RowFacts	facts;
	EventRow	row;
	Datum		values[7];
	bool		nulls[7] = {false};

	ledger_require_rowtype(get_fn_expr_argtype(fcinfo->flinfo, 0));
	ledger_row_from_datum(fcinfo, PG_GETARG_DATUM(0), &row);
	ledger_judge_row(&row, &facts);
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");

	values[0] = hash_or_null(facts.computable, facts.computed, &nulls[0]);
	values[1] = BoolGetDatum(facts.sound);
	values[2] = BoolGetDatum(facts.leaf_sound);
	nulls[3] = facts.payload_fault == NULL;
	values[3] = nulls[3] ? (Datum) 0 : CStringGetTextDatum(facts.payload_fault);
	values[4] = hash_or_null(facts.has_payload_now, facts.payload_now, &nulls[4]);
	values[5] = hash_or_null(facts.has_evaluation_now, facts.evaluation_now, &nulls[5]);
	nulls[6] = facts.sound;
	values[6] = (Datum) 0;
	if (!facts.sound)
	{
		row.nulls[EC_EVENT_BODY] = true;
		row.nulls[EC_EVALUATION] = true;
		values[6] = ledger_row_to_composite(&row, get_fn_expr_argtype(fcinfo->flinfo, 0));
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* ledger_computed_hash(event record) → bytea: as ledger_event_hash, but NULL where there is none */
Datum
ledger_computed_hash(PG_FUNCTION_ARGS)
{
	uint8		hash[LC_HASH_LEN];
	EventRow	row;
	lc_buf		envelope;

	ledger_row_from_datum(fcinfo, PG_GETARG_DATUM(0), &row);
	lc_buf_init(&envelope, &ledger_palloc);
	if (!ledger_try_row_envelope(&row, &envelope))
		PG_RETURN_NULL();
	ledger_check_status(lc_event_hash(envelope.data, envelope.len, hash), "event hash");
	PG_RETURN_DATUM(ledger_bytea(hash, LC_HASH_LEN));
}
