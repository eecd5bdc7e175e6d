/*
 * canonical.c
 *		jsonb and json to canonical JSON (RFC 8785): feeds the core's writer
 *		from PostgreSQL's iterator, or hands it the text.
 */
#include "ledger.h"

#include "lc_jcs.h"
#include "lc_jsonparse.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

/* How many bytes of a member's path an error shows. */
#define PATH_SHOWN 200
#define NUMBER_SHOWN 40

static void *
palloc_resize(void *ctx, void *ptr, size_t size)
{
	return ptr == NULL ? palloc(size) : repalloc(ptr, size);
}

static void
palloc_release(void *ctx, void *ptr)
{
	if (ptr != NULL)
		pfree(ptr);
}

/* The core's allocator in a backend: the current memory context. */
const lc_alloc ledger_palloc = {palloc_resize, palloc_release, NULL};

/*
 * Hashes are over UTF-8.  In another encoding the same text would have other
 * bytes, so the ledger refuses to run rather than convert.
 */
void
ledger_require_utf8(void)
{
	if (GetDatabaseEncoding() != PG_UTF8)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_NOT_READY),
				 errmsg("the ledger needs a database with encoding UTF8"),
				 errdetail("This database has encoding %s.", GetDatabaseEncodingName()),
				 /* ASCII only: these bytes would be taken for another encoding's. */
				 errhint("Create one with CREATE DATABASE name ENCODING 'UTF8' TEMPLATE template0.")));
}

/* Report a failure of the core about something that has no path of its own. */
void
ledger_check_status(lc_status status, const char *what)
{
	if (likely(status == LC_OK))
		return;
	if (status == LC_ERR_CRYPTO || status == LC_ERR_MISUSE)
		elog(ERROR, "%s: %s", what, lc_status_text(status));
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_INVALID),
			 errmsg("%s: %s", what, lc_status_text(status))));
}

/*
 * Digits behind the point that a number may have.  The form of a double has 340
 * at most; what goes beyond is zeros at the end, which jsonb keeps.  0e-16383
 * is nine bytes of input and twelve of storage, but 16 KB whenever it is
 * written: a small payload full of them could never be read or dumped again.
 */
#define MAX_SCALE 400

static lc_status
write_number(lc_jcs *w, Numeric number)
{
	char	   *text;
	lc_status	status;

	if (DatumGetInt32(DirectFunctionCall1(numeric_scale, NumericGetDatum(number))) > MAX_SCALE)
		return LC_ERR_TOO_LONG;
	text = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(number)));
	status = lc_jcs_number(w, text, strlen(text));
	pfree(text);
	return status;
}

static lc_status
write_scalar(lc_jcs *w, const JsonbValue *v)
{
	switch (v->type)
	{
		case jbvNull:
			return lc_jcs_null(w);
		case jbvBool:
			return lc_jcs_boolean(w, v->val.boolean);
		case jbvString:
			return lc_jcs_string(w, v->val.string.val, v->val.string.len);
		case jbvNumeric:
			return write_number(w, v->val.numeric);
		default:
			elog(ERROR, "unexpected jsonb value type %d", (int) v->type);
	}
	return LC_ERR_MISUSE;
}

/* A refusal that names the member: the payload is the caller's to mend. */
static void
report_jsonb(lc_jcs *w, lc_status status, JsonbValue *v, const char *what)
{
	lc_buf		path;
	const char *number;

	lc_buf_init(&path, &ledger_palloc);
	lc_jcs_path(w, &path);
	/* A deep one is long, and its beginning says where to look. */
	if (path.len > PATH_SHOWN)
		strcpy(path.data + pg_mbcliplen(path.data, path.len, PATH_SHOWN), "…");
	if (status == LC_ERR_NUMBER)
	{
		number = DatumGetCString(DirectFunctionCall1(numeric_out, NumericGetDatum(v->val.numeric)));
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_UNPROCESSABLE),
				 errmsg("number at %s of %s cannot be represented exactly", path.data, what),
				 errdetail("It is %.*s%s; canonical JSON (RFC 8785) writes numbers as IEEE 754 doubles, "
						   "which would round it.",
						   NUMBER_SHOWN, number, strlen(number) > NUMBER_SHOWN ? "…" : ""),
				 errhint("Send it as a string.")));
	}
	if (status == LC_ERR_TOO_LONG)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_UNPROCESSABLE),
				 errmsg("number at %s of %s is too long", path.data, what),
				 errdetail("It has more than %d digits behind the point.", MAX_SCALE),
				 errhint("Leave out the zeros at its end, or send it as a string.")));
	ereport(ERROR,
			(errcode(ERRCODE_LEDGER_UNPROCESSABLE),
			 errmsg("%s cannot be written as canonical JSON at %s: %s", what, path.data,
					lc_status_text(status))));
}

/* Feed a whole document to the writer; *v is then the last value it was given. */
static lc_status
write_jsonb(lc_jcs *w, Jsonb *jb, JsonbValue *v)
{
	JsonbIterator *it = JsonbIteratorInit(&jb->root);
	bool		raw_scalar = false;
	lc_status	status = LC_OK;
	JsonbIteratorToken token;

	while (status == LC_OK && (token = JsonbIteratorNext(&it, v, false)) != WJB_DONE)
	{
		switch (token)
		{
			case WJB_BEGIN_ARRAY:
				raw_scalar = v->val.array.rawScalar;
				if (!raw_scalar)
					status = lc_jcs_begin_array(w);
				break;
			case WJB_END_ARRAY:
				if (!raw_scalar)
					status = lc_jcs_end_array(w);
				break;
			case WJB_BEGIN_OBJECT:
				status = lc_jcs_begin_object(w);
				break;
			case WJB_END_OBJECT:
				status = lc_jcs_end_object(w);
				break;
			case WJB_KEY:
				status = lc_jcs_key(w, v->val.string.val, v->val.string.len);
				break;
			default:
				status = write_scalar(w, v);
				break;
		}
		CHECK_FOR_INTERRUPTS();
	}
	return status == LC_OK ? lc_jcs_finish(w) : status;
}

/* Append JCS(jb) to out; what names it in messages ("payload"). */
void
ledger_canonicalize(lc_buf *out, Jsonb *jb, const char *what)
{
	lc_jcs	   *w = lc_jcs_new(out, &ledger_palloc);
	JsonbValue	last;
	lc_status	status;

	ledger_require_utf8();
	status = write_jsonb(w, jb, &last);
	if (status != LC_OK)
		report_jsonb(w, status, &last, what);
	lc_jcs_free(w);
}

/* The same for whoever only asks whether jb has a canonical form. */
lc_status
ledger_try_canonicalize(lc_buf *out, Jsonb *jb)
{
	lc_jcs	   *w = lc_jcs_new(out, &ledger_palloc);
	JsonbValue	last;
	lc_status	status = write_jsonb(w, jb, &last);

	lc_jcs_free(w);
	return status;
}

PG_FUNCTION_INFO_V1(ledger_canonical_json);
PG_FUNCTION_INFO_V1(ledger_canonical_json_text);

/* ledger_canonical_json(jsonb) → text */
Datum
ledger_canonical_json(PG_FUNCTION_ARGS)
{
	Jsonb	   *jb = PG_GETARG_JSONB_P(0);
	lc_buf		out;

	lc_buf_init(&out, &ledger_palloc);
	ledger_canonicalize(&out, jb, "document");
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/*
 * ledger_canonical_json(json) → text.  Unlike jsonb, json keeps duplicate
 * members, and they are an error here, with position and member.
 */
Datum
ledger_canonical_json_text(PG_FUNCTION_ARGS)
{
	text	   *in = PG_GETARG_TEXT_PP(0);
	lc_json_error err;
	lc_status	status;
	lc_buf		out;

	ledger_require_utf8();
	lc_buf_init(&out, &ledger_palloc);
	status = lc_json_canonicalize(VARDATA_ANY(in), VARSIZE_ANY_EXHDR(in), &out, &ledger_palloc,
								  &err);
	if (status != LC_OK)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_UNPROCESSABLE),
				 errmsg("document cannot be written as canonical JSON: %s", lc_status_text(status)),
				 errdetail("Line %zu, column %zu, member %s.", err.line, err.column, err.path),
				 status == LC_ERR_NUMBER ? errhint("Send the number as a string.") : 0));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}
