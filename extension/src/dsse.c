/*
 * dsse.c
 *		DSSE v1 envelopes as SQL functions.  Like notes (note.c): a key is judged
 *		aloud, an envelope that is malformed is not signed.
 */
#include "tree.h"

#include "lc_dsse.h"
#include "lc_jsonparse.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

PG_FUNCTION_INFO_V1(ledger_verify_dsse);

/*
 * A payload as jsonb; NULL if it is no JSON.  The core's parser goes first,
 * because jsonb's raises an error, and what it lets pass jsonb takes too.
 */
static Jsonb *
payload_json(const lc_buf *payload)
{
	lc_buf		canonical;

	lc_buf_init(&canonical, &ledger_palloc);
	if (!ledger_accepted(lc_json_canonicalize(payload->data, payload->len, &canonical, &ledger_palloc, NULL),
				  "payload"))
		return NULL;
	return DatumGetJsonbP(DirectFunctionCall1(jsonb_in, CStringGetDatum(canonical.data)));
}

/* ledger_verify_dsse(envelope jsonb, public_key text) → jsonb */
Datum
ledger_verify_dsse(PG_FUNCTION_ARGS)
{
	Jsonb	   *envelope = PG_GETARG_JSONB_P(0);
	char	   *json = JsonbToCString(NULL, &envelope->root, VARSIZE(envelope));
	Jsonb	   *payload;
	lc_verifier key;
	lc_dsse		dsse;

	ledger_key_argument(fcinfo, 1, &key);
	if (!ledger_accepted(lc_dsse_parse(json, strlen(json), &ledger_palloc, &dsse), "envelope") ||
		!ledger_accepted(lc_dsse_verify(&dsse, &key, &ledger_palloc), "envelope"))
		PG_RETURN_NULL();
	payload = payload_json(&dsse.payload);
	if (payload == NULL)
		PG_RETURN_NULL();
	PG_RETURN_JSONB_P(payload);
}

