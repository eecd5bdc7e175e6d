/*
 * note.c
 *		Signed notes, checkpoints, verifier keys and proof bundles as SQL
 *		functions.  Pure functions of their arguments.
 *
 * A key comes from an operator and is judged aloud (LG400).  A note
 * comes from anywhere: if it is malformed, it is not signed, and the answer is
 * false or NULL.
 */
#include "tree.h"

#include "access/htup_details.h"
#include "lc_note.h"
#include "lc_tlogproof.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(ledger_key_id);
PG_FUNCTION_INFO_V1(ledger_verify_note);
PG_FUNCTION_INFO_V1(ledger_note_keys);
PG_FUNCTION_INFO_V1(ledger_note_text);
PG_FUNCTION_INFO_V1(ledger_checkpoint_text);
PG_FUNCTION_INFO_V1(ledger_parse_checkpoint);
PG_FUNCTION_INFO_V1(ledger_proof_text);

static lc_str
text_argument(FunctionCallInfo fcinfo, int n)
{
	text	   *t = PG_GETARG_TEXT_PP(n);

	return (lc_str) {VARDATA_ANY(t), VARSIZE_ANY_EXHDR(t)};
}

static Datum
text_datum(lc_str s)
{
	return PointerGetDatum(cstring_to_text_with_len(s.s, s.n));
}

/*
 * Is what came well-formed and signed?  What says no; out of memory or a broken
 * OpenSSL says neither.
 */
bool
ledger_accepted(lc_status status, const char *what)
{
	if (status == LC_ERR_CRYPTO || status == LC_ERR_MEMORY || status == LC_ERR_MISUSE)
		ledger_check_status(status, what);
	return status == LC_OK;
}

void
ledger_key_argument(FunctionCallInfo fcinfo, int n, lc_verifier *key)
{
	lc_str		s = text_argument(fcinfo, n);
	lc_status	status;

	ledger_require_utf8();
	status = lc_verifier_parse(s.s, s.n, key);
	if (ledger_accepted(status, "public_key"))
		return;
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_INVALID),
			 status == LC_ERR_RANGE ? errmsg("public_key is a weak key") :
			 errmsg("public_key is not a verifier key"),
			 status == LC_ERR_RANGE ?
			 errdetail("It is a point for which signatures can be made without a private key.") :
			 errdetail("A key is <name>+<8 hex digits>+<base64>, of type 1 (Ed25519) or 4 (cosignature)."),
			 errhint("Give the public key as ledgerctl keygen or Go's sumdb/note prints it.")));
}

/* ledger_key_id(public_key text) → text: <name>+<8 hex digits> */
Datum
ledger_key_id(PG_FUNCTION_ARGS)
{
	lc_verifier key;
	lc_buf		out;

	ledger_key_argument(fcinfo, 0, &key);
	lc_buf_init(&out, &ledger_palloc);
	lc_verifier_key_id(&out, &key);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

static bool
note_argument(FunctionCallInfo fcinfo, int n, lc_note *note)
{
	lc_str		s = text_argument(fcinfo, n);

	return ledger_accepted(lc_note_parse(s.s, s.n, note), "note");
}

/* ledger_verify_note(note text, public_key text) → boolean */
Datum
ledger_verify_note(PG_FUNCTION_ARGS)
{
	lc_verifier key;
	lc_note		note;

	ledger_key_argument(fcinfo, 1, &key);
	PG_RETURN_BOOL(note_argument(fcinfo, 0, &note) &&
				   ledger_accepted(lc_note_verify(&note, &key, NULL, &ledger_palloc), "note"));
}

/* <name>+<8 hex digits>, as lc_verifier_key_id() writes it. */
static Datum
line_key_id(const lc_note_signature *line)
{
	lc_buf		id;

	lc_buf_init(&id, &ledger_palloc);
	lc_buf_append(&id, line->name.s, line->name.n);
	lc_buf_putc(&id, '+');
	lc_buf_put_hex(&id, line->id, LC_KEY_ID_LEN);
	return text_datum((lc_str) {id.data, id.len});
}

/* ledger_note_keys(note text) → setof text: of each signature line, in order */
Datum
ledger_note_keys(PG_FUNCTION_ARGS)
{
	FuncCallContext *call;
	Datum	   *ids;

	if (SRF_IS_FIRSTCALL())
	{
		MemoryContext old;
		lc_note		note;

		call = SRF_FIRSTCALL_INIT();
		old = MemoryContextSwitchTo(call->multi_call_memory_ctx);
		if (note_argument(fcinfo, 0, &note))
		{
			ids = (Datum *) palloc(note.count * sizeof(Datum));
			for (size_t i = 0; i < note.count; i++)
				ids[i] = line_key_id(&note.signatures[i]);
			call->user_fctx = ids;
			call->max_calls = note.count;
		}
		MemoryContextSwitchTo(old);
	}
	call = SRF_PERCALL_SETUP();
	if (call->call_cntr >= call->max_calls)
		SRF_RETURN_DONE(call);
	/* The macro counts before it looks at its argument. */
	ids = (Datum *) call->user_fctx + call->call_cntr;
	SRF_RETURN_NEXT(call, *ids);
}

/* ledger_note_text(note text) → text: what is signed, with its final newline; NULL if it is no note */
Datum
ledger_note_text(PG_FUNCTION_ARGS)
{
	lc_note		note;

	if (!note_argument(fcinfo, 0, &note))
		PG_RETURN_NULL();
	PG_RETURN_DATUM(text_datum(note.text));
}

/* ledger_checkpoint_text(origin text, tree_size bigint, root bytea) → text */
Datum
ledger_checkpoint_text(PG_FUNCTION_ARGS)
{
	lc_str		origin = text_argument(fcinfo, 0);
	int64		size = PG_GETARG_INT64(1);
	bytea	   *root = PG_GETARG_BYTEA_PP(2);
	lc_buf		out;

	if (origin.n == 0 || memchr(origin.s, '\n', origin.n) != NULL)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("origin must be one line that is not empty")));
	if (size < 0)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("tree_size must not be negative"),
				 errdetail("It is %lld.", (long long) size)));
	if (VARSIZE_ANY_EXHDR(root) != LC_HASH_LEN)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("root must be a hash of %d bytes", LC_HASH_LEN),
				 errdetail("It has %zu bytes.", (size_t) VARSIZE_ANY_EXHDR(root))));
	ledger_require_utf8();
	lc_buf_init(&out, &ledger_palloc);
	lc_checkpoint_format(&out, origin, size, (const uint8 *) VARDATA_ANY(root));
	if (out.status != LC_OK)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("origin must not have control characters")));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/*
 * ledger_parse_checkpoint(checkpoint text, OUT origin text, OUT tree_size bigint,
 * OUT root bytea, OUT signed boolean): of a signed note, or of an unsigned text.
 */
Datum
ledger_parse_checkpoint(PG_FUNCTION_ARGS)
{
	lc_str		s = text_argument(fcinfo, 0);
	Datum		values[4] = {0};
	bool		nulls[4] = {true, true, true, true};
	lc_checkpoint checkpoint;
	lc_note		note;
	bool		is_note;
	TupleDesc	desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	is_note = note_argument(fcinfo, 0, &note);
	if (is_note)
		s = note.text;
	if (ledger_accepted(lc_checkpoint_parse(s.s, s.n, &checkpoint), "checkpoint") &&
		checkpoint.size <= LC_MERKLE_MAX_SIZE)
	{
		memset(nulls, false, sizeof(nulls));
		values[0] = text_datum(checkpoint.origin);
		values[1] = Int64GetDatum((int64) checkpoint.size);
		values[2] = ledger_bytea(checkpoint.root, LC_HASH_LEN);
		values[3] = BoolGetDatum(is_note);
	}
	PG_RETURN_DATUM(HeapTupleGetDatum(heap_form_tuple(BlessTupleDesc(desc), values, nulls)));
}

/* ledger_proof_text(leaf_index bigint, proof bytea[], checkpoint text) → text */
Datum
ledger_proof_text(PG_FUNCTION_ARGS)
{
	int64		index = PG_GETARG_INT64(0);
	lc_tlogproof bundle = {{NULL, 0}};
	lc_buf		out;

	if (index < 0 || !ledger_proof_argument(fcinfo, 1, &bundle.proof))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_INVALID),
				 errmsg("leaf_index must not be negative, and proof a list of hashes")));
	bundle.index = index;
	bundle.checkpoint = text_argument(fcinfo, 2);
	ledger_require_utf8();
	lc_buf_init(&out, &ledger_palloc);
	lc_tlogproof_format(&out, &bundle);
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
