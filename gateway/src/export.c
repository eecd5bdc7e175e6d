/*
 * export.c
 *		GET /ledger/export/findings: lines from the database to the client, in
 *		bounded memory, and a signed manifest behind them (docs/formats.md
 *		section 9).
 *
 * The first transaction records who asked; it is committed before the first
 * byte leaves.  The second is one snapshot, read only: lines and manifest come
 * from it.  A third records what was given, if it was given whole.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>

#include "config.h"
#include "cursor.h"
#include "export.h"
#include "lc_hex.h"
#include "log.h"
#include "problem.h"
#include "stream.h"
#include "work.h"

/* Pieces of this size go to the stream: a lock for each line would cost more than the line. */
#define PIECE 32768

static void
refuse(job *j, const char *code, const char *why)
{
	problem		p;

	problem_set(&p, code, "%s", why);
	problem_reply(&j->reply, &p, j->path, j->trace_id);
}

static db_value
text_value(const lc_buf *text)
{
	return (db_value) {text->len > 0 ? text->data : NULL, text->len, false};
}

/* Appends a column of the first row; nothing for NULL. */
static void
take_column(lc_buf *out, const PGresult *result, int column)
{
	if (!PQgetisnull(result, 0, column))
		lc_buf_append(out, PQgetvalue(result, 0, column), (size_t) PQgetlength(result, 0, column));
}

/* One text from one row, or false with the problem in the reply. */
static bool
ask(export *e, const char *sql, int n, const db_value *values, lc_buf *out)
{
	PGresult   *result = dbslow_query(e->conn, e->job, sql, n, values);

	if (result == NULL)
		return false;
	lc_buf_reset(out);
	if (PQntuples(result) == 1)
		take_column(out, result, 0);
	PQclear(result);
	return out->status == LC_OK;
}

/* ---- what is asked for ---- */

static bool
read_plan(export *e)
{
	db_value	values[] = {{e->job->who.tenant, strlen(e->job->who.tenant), false}, text_value(&e->job->context)};
	PGresult   *result = dbslow_query(e->conn, e->job, "SELECT filters, filters_hash, page_size, after, as_array::text"
									  " FROM ledger.ledger_http_export_plan($1, $2::jsonb)", 2, values);

	if (result == NULL)
		return false;
	take_column(&e->filters, result, 0);
	take_column(&e->filters_hash, result, 1);
	take_column(&e->page_size, result, 2);
	take_column(&e->after, result, 3);
	e->as_array = PQgetlength(result, 0, 4) == 4;	/* true or false */
	PQclear(result);
	if (e->page_size.len > 0)
		e->limit = strtoull(e->page_size.data, NULL, 10);
	return true;
}

/* Who asks for what is recorded before anything is given. */
static bool
record(export *e, const char *action, const lc_buf *object)
{
	db_value	values[] = {{e->job->who.tenant, strlen(e->job->who.tenant), false}, text_value(&e->job->context),
	{action, strlen(action), false}, text_value(object)};
	PGresult   *result = dbslow_query(e->conn, e->job, "SELECT ledger.ledger_log_access($1, $2::jsonb, $3, $4)", 4,
		values);

	PQclear(result);
	return result != NULL;
}

static bool
prepare(export *e)
{
	lc_buf		object;
	bool		good;

	if (!dbslow_begin(e->conn, e->job, false) || !read_plan(e))
		return false;
	lc_buf_init(&object, &lc_alloc_malloc);
	lc_buf_puts(&object, "findings ");
	lc_buf_append(&object, e->filters_hash.data, e->filters_hash.len);
	lc_buf_puts(&object, e->after.len > 0 ? " next page " : " ");
	lc_buf_append(&object, e->filters.data, e->filters.len);
	good = object.status == LC_OK && record(e, "export", &object);
	lc_buf_free(&object);
	return good && dbslow_commit(e->conn, e->job);
}

static bool
open_snapshot(export *e)
{
	char		timeout[32];
	db_value	limit = {timeout, 0, false};
	db_value	values[] = {{e->job->who.tenant, strlen(e->job->who.tenant), false}, text_value(&e->filters),
	text_value(&e->after), text_value(&e->page_size)};
	lc_buf		ignored;
	bool		good;

	limit.n = (size_t) snprintf(timeout, sizeof(timeout), "%" PRId64, config_now()->export_timeout_ms);
	lc_buf_init(&ignored, &lc_alloc_malloc);
	good = dbslow_begin(e->conn, e->job, true) &&
		ask(e, "SELECT pg_catalog.set_config('statement_timeout', $1, true)", 1, &limit, &ignored) &&
		ask(e, "SELECT ledger.ledger_http_export_open($1, $2::jsonb, $3::jsonb, $4::integer)", 4, values, &e->pins);
	lc_buf_free(&ignored);
	return good;
}

/* ---- lines ---- */

static bool
flush(export *e)
{
	bool		good = e->piece.status == LC_OK && stream_write(e->stream, e->piece.data, e->piece.len);

	lc_buf_reset(&e->piece);
	return good;
}

/* A line, or an element of the array: both end with a newline, so that both can be read with eyes. */
static bool
put_line(export *e, const char *line, size_t n)
{
	if (e->as_array)
		lc_buf_puts(&e->piece, e->lines++ == 0 ? "[" : ",");
	lc_buf_append(&e->piece, line, n);
	lc_buf_putc(&e->piece, '\n');
	return e->piece.len < PIECE || flush(e);
}

static bool
put_row(export *e, const PGresult *row)
{
	if (PQnfields(row) != 3 || PQgetlength(row, 0, 1) != LC_HASH_LEN || PQfformat(row, 1) != 1)
		return false;
	if (e->limit > 0 && e->count == e->limit)
	{
		e->more = true;
		return true;
	}
	if (e->count++ == 0)
		take_column(&e->first, row, 2);
	lc_buf_reset(&e->last);
	take_column(&e->last, row, 2);
	return e->last.status == LC_OK && EVP_DigestUpdate(e->dataset, PQgetvalue(row, 0, 1), LC_HASH_LEN) == 1 &&
		put_line(e, PQgetvalue(row, 0, 0), (size_t) PQgetlength(row, 0, 0));
}

static bool
put_rows(export *e)
{
	PGresult   *row;
	bool		failed = false;
	bool		good = true;

	if (!dbslow_rows_begin(e->conn, e->job, "FETCH FORWARD ALL FROM ledger_http_export_rows", 0, NULL))
		return false;
	while (good && (row = dbslow_rows_next(e->conn, e->job, &failed)) != NULL)
	{
		good = put_row(e, row);
		PQclear(row);
	}
	return good && !failed;
}

/* ---- what stands behind them ---- */

/* The token of the next page, if there is one. */
static bool
make_token(export *e)
{
	db_value	values[] = {text_value(&e->pins), text_value(&e->last)};
	lc_buf		position;
	bool		good;

	if (!e->more)
		return true;
	lc_buf_init(&position, &lc_alloc_malloc);
	good = ask(e, "SELECT ledger.ledger_http_export_after($1::jsonb, $2::jsonb)", 2, values, &position);
	if (good)
		cursor_make(&e->token, e->job->route->name, e->job->who.tenant,
					(lc_str) {e->job->filters.data, e->job->filters.len}, (lc_str) {position.data, position.len});
	lc_buf_free(&position);
	return good && e->token.status == LC_OK;
}

static void
put_member(lc_buf *out, const char *name, const lc_buf *value, const char *quote)
{
	if (value->len == 0)
		return;
	lc_buf_puts(out, ",\"");
	lc_buf_puts(out, name);
	lc_buf_puts(out, "\":");
	lc_buf_puts(out, quote);
	lc_buf_append(out, value->data, value->len);
	lc_buf_puts(out, quote);
}

/* What only the gateway knows; all of it numbers, hashes, tokens, and JSON of ours. */
static bool
write_page(export *e, lc_buf *out)
{
	uint8_t		digest[EVP_MAX_MD_SIZE];

	if (EVP_DigestFinal_ex(e->dataset, digest, NULL) != 1)
		return false;
	lc_buf_puts(out, "{\"count\":");
	lc_buf_put_int64(out, (int64_t) e->count);
	lc_buf_puts(out, ",\"datasetSha256\":\"");
	lc_buf_put_hex(out, digest, LC_HASH_LEN);
	lc_buf_putc(out, '"');
	put_member(out, "firstPosition", &e->first, "");
	put_member(out, "lastPosition", &e->last, "");
	put_member(out, "pageSize", &e->page_size, "");
	put_member(out, "nextPageToken", &e->token, "\"");
	lc_buf_putc(out, '}');
	return out->status == LC_OK;
}

static bool
put_manifest(export *e)
{
	lc_buf		page, payload, line;
	bool		good;

	lc_buf_init(&page, &lc_alloc_malloc);
	lc_buf_init(&payload, &lc_alloc_malloc);
	lc_buf_init(&line, &lc_alloc_malloc);
	good = make_token(e) && write_page(e, &page);
	if (good)
	{
		db_value	values[] = {{e->job->who.tenant, strlen(e->job->who.tenant), false}, text_value(&e->filters),
		text_value(&e->pins), text_value(&e->after), text_value(&page)};

		good = ask(e, "SELECT ledger.ledger_http_export_manifest($1, $2::jsonb, $3::jsonb, $4::jsonb, $5::jsonb)",
			5, values,
				   &payload);
	}
	good = good && export_manifest_line(&line, &payload, &e->token) && put_line(e, line.data, line.len);
	if (e->as_array)
		lc_buf_puts(&e->piece, "]\n");
	lc_buf_free(&page);
	lc_buf_free(&payload);
	lc_buf_free(&line);
	return good && flush(e);
}

/* What was given whole is recorded; the client has it already, so a failure is told in the log alone. */
static void
record_end(export *e)
{
	lc_buf		object;
	bool		good;

	lc_buf_init(&object, &lc_alloc_malloc);
	lc_buf_puts(&object, "findings ");
	lc_buf_append(&object, e->filters_hash.data, e->filters_hash.len);
	lc_buf_puts(&object, " count ");
	lc_buf_put_int64(&object, (int64_t) e->count);
	good = object.status == LC_OK && dbslow_commit(e->conn, e->job) && dbslow_begin(e->conn, e->job, false) &&
		record(e, "export.sent", &object) && dbslow_commit(e->conn, e->job);
	if (!good)
		log_line(LOG_WARN, "export.unrecorded", "the end of an export could not be recorded");
	lc_buf_free(&object);
}

static bool
begin_answer(export *e)
{
	job		   *j = e->job;

	j->reply.status = 200;
	reply_header_set(&j->reply, "Content-Type", e->as_array ? "application/json" : "application/x-ndjson");
	reply_header_set(&j->reply, "Cache-Control", "private, no-store");
	reply_header_setf(&j->reply, "Ledger-Filters-Hash", "%.64s", e->filters_hash.data);
	e->stream = stream_begin(j, j->accepts_gzip);
	if (e->stream == NULL)
	{
		reply_clear(&j->reply);
		refuse(j, "53", "There is no memory for the export.");
	}
	return e->stream != NULL;
}

/* HEAD: the filters are judged, and nothing is looked up, given or recorded. */
static void
send_head(export *e)
{
	if (dbslow_begin(e->conn, e->job, true) && read_plan(e) && begin_answer(e))
		stream_end(e->stream, true);
}

static void
send_all(export *e)
{
	bool		good;

	if (!begin_answer(e))
		return;
	good = put_rows(e) && put_manifest(e);
	stream_end(e->stream, good);
	if (good)
		record_end(e);
}

static void
export_init(export *e, job *j, dbslow_conn *c)
{
	lc_buf	   *all[] = {&e->filters, &e->filters_hash, &e->page_size, &e->after, &e->pins, &e->first, &e->last,
		&e->token,
	&e->piece};

	memset(e, 0, sizeof(*e));
	e->job = j;
	e->conn = c;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		lc_buf_init(all[i], &lc_alloc_malloc);
}

static void
export_free(export *e)
{
	lc_buf	   *all[] = {&e->filters, &e->filters_hash, &e->page_size, &e->after, &e->pins, &e->first, &e->last,
		&e->token,
	&e->piece};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		lc_buf_free(all[i]);
	EVP_MD_CTX_free(e->dataset);
}

void
export_findings(job *j, dbslow_conn *c)
{
	export		e;

	export_init(&e, j, c);
	e.dataset = EVP_MD_CTX_new();
	if (e.dataset == NULL || EVP_DigestInit_ex(e.dataset, EVP_sha256(), NULL) != 1)
		refuse(j, "internal", "OpenSSL cannot hash");
	else if (j->head)
		send_head(&e);
	else if (prepare(&e) && open_snapshot(&e))
		send_all(&e);
	export_free(&e);
}
