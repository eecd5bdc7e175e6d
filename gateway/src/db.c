/*
 * db.c
 *		What the executors share: parameters of a connection, settings of a
 *		session, results to replies, failures to problems, the numbers of all.
 *
 * Everything is schema-qualified and search_path is pg_catalog alone: a role
 * that can make objects elsewhere cannot put its own in the way.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/rand.h>

#include "config.h"
#include "db_internal.h"
#include "lc_jcs.h"
#include "lc_jsontree.h"
#include "log.h"

db_tally	db_tallies;

static PQconninfoOption *options;	/* what the operator gave */
static char timeout[24];

/* ---- connecting ---- */

static void
put(db_params *out, size_t *n, const char *keyword, const char *value)
{
	if (*n < sizeof(out->keywords) / sizeof(out->keywords[0]) - 1)
	{
		out->keywords[*n] = keyword;
		out->values[*n] = value;
		(*n)++;
	}
}

/* Once: the setting does not change while we run.  config.c has made keywords or a URI of it, and tried it. */
static void
read_parameters(void)
{
	options = PQconninfoParse(config_now()->db_connection, NULL);
	if (options == NULL)
		log_line(LOG_ERROR, "db.parameters", "no memory for the parameters of the connection");
	snprintf(timeout, sizeof(timeout), "%" PRId64, (config_now()->db_connect_timeout_ms + 999) / 1000);
}

/*
 * The operator's words come between ours: later ones win in libpq, so that
 * the first are defaults and the last are not up for choice.
 */
void
db_connect_params(db_params *out, const char *purpose)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	size_t		n = 0;

	pthread_once(&once, read_parameters);

	memset(out, 0, sizeof(*out));
	put(out, &n, "connect_timeout", timeout);
	put(out, &n, "keepalives_idle", "30");
	put(out, &n, "keepalives_interval", "5");
	put(out, &n, "keepalives_count", "3");
	snprintf(out->application, sizeof(out->application), "findings-ledger-gateway %s", purpose);
	put(out, &n, "fallback_application_name", out->application);
	for (const PQconninfoOption *o = options; o != NULL && o->keyword != NULL; o++)
		if (o->val != NULL && strcmp(o->keyword, "client_encoding") != 0)
			put(out, &n, o->keyword, o->val);
	put(out, &n, "client_encoding", "UTF8");
}

void
db_settings_sql(char *out, size_t size, int64_t statement_timeout_ms, int64_t lock_timeout_ms)
{
	snprintf(out, size,
			 "SELECT pg_catalog.set_config(s.name, s.value, false) FROM (VALUES"
			 " ('search_path', 'pg_catalog'),"
			 " ('default_transaction_isolation', 'read committed'),"
			 " ('row_security', 'on'),"
			 " ('standard_conforming_strings', 'on'),"
			 " ('timezone', 'UTC'), ('datestyle', 'ISO'), ('intervalstyle', 'postgres'),"
			 " ('bytea_output', 'hex'), ('extra_float_digits', '1'),"
			 " ('jit', 'off'),"
			 " ('client_min_messages', 'warning'),"
			 " ('statement_timeout', '%" PRId64 "'),"
			 " ('lock_timeout', '%" PRId64 "'),"
			 " ('idle_in_transaction_session_timeout', '60000')) AS s (name, value)",
			 statement_timeout_ms, lock_timeout_ms);
}

/* By the place that it comes from: its words may be in any language, and its code is that of any warning. */
static void
take_notice(void *arg, const PGresult *notice)
{
	const char *function = PQresultErrorField(notice, PG_DIAG_SOURCE_FUNCTION);

	if (function != NULL && strcmp(function, "SyncRepWaitForLSN") == 0)
		*(bool *) arg = true;
}

void
db_take_notices(PGconn *conn, bool *unreplicated)
{
	*unreplicated = false;
	PQsetNoticeReceiver(conn, take_notice, unreplicated);
}

void
db_call_sql(char *out, size_t size, const route *r)
{
	snprintf(out, size, "SELECT status, headers, body FROM ledger.%s($1, $2%s)", r->function,
			 r->body == BODY_NONE ? "" : ", $3");
}

void
db_call_many_sql(char *out, size_t size, const route *r)
{
	snprintf(out, size, "SELECT c.number::integer, r.status, r.headers, r.body"
			 " FROM pg_catalog.jsonb_array_elements($2::jsonb) WITH ORDINALITY AS c (context, number),"
			 " LATERAL ledger.%s($1, c.context) AS r", r->function);
}

/* ---- results ---- */

bool
db_int4(const PGresult *result, int row, int column, int32_t *out)
{
	const unsigned char *b = (const unsigned char *) PQgetvalue(result, row, column);

	if (PQgetisnull(result, row, column) || PQgetlength(result, row, column) != 4 || PQfformat(result, column) != 1)
		return false;
	*out = (int32_t) ((uint32_t) b[0] << 24 | (uint32_t) b[1] << 16 | (uint32_t) b[2] << 8 | b[3]);
	return true;
}

static bool
row_reply(const PGresult *result, int row, int first, reply *out)
{
	int32_t		status;

	if (!db_int4(result, row, first, &status) || status < 200 || status > 599)
		return false;
	reply_clear(out);
	out->status = (unsigned) status;
	if (!PQgetisnull(result, row, first + 1) &&
		!reply_headers_from_json(out, PQgetvalue(result, row, first + 1), (size_t) PQgetlength(result, row, first + 1)))
		return false;
	if (!PQgetisnull(result, row, first + 2))
		lc_buf_append(&out->body, PQgetvalue(result, row, first + 2), (size_t) PQgetlength(result, row, first + 2));
	return out->body.status == LC_OK;
}

bool
db_result_reply(const PGresult *result, reply *out)
{
	return PQresultStatus(result) == PGRES_TUPLES_OK && PQnfields(result) == 3 && PQntuples(result) == 1 &&
		row_reply(result, 0, 0, out);
}

/* ---- failures ---- */

const char *
db_sqlstate(const PGresult *result)
{
	const char *state = result != NULL ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

	return state != NULL ? state : "";
}

bool
db_sqlstate_retry(const char *sqlstate)
{
	return *sqlstate != '\0' && problem_find(sqlstate)->retry;
}

bool
db_sqlstate_lost(const char *sqlstate)
{
	return *sqlstate == '\0' || strncmp(sqlstate, "08", 2) == 0 || strncmp(sqlstate, "57P0", 4) == 0;
}

/* 0A000 that a function raises by itself comes from another place: no request can have connections made anew. */
bool
db_session_stale(const PGresult *error)
{
	const char *state = db_sqlstate(error);
	const char *function = error != NULL ? PQresultErrorField(error, PG_DIAG_SOURCE_FUNCTION) : NULL;

	return strcmp(state, "26000") == 0 ||
		(strcmp(state, "0A000") == 0 && function != NULL && strcmp(function, "RevalidateCachedQuery") == 0);
}

/* The role is the gateway's own, which is nobody's business outside. */
static bool
names_role(const char *message)
{
	return strncmp(message, "role \"", 6) == 0;
}

/* What the database said, where it is for callers. */
static void
tell(problem *p, const char *message, const char *detail, const char *hint)
{
	if (!p->kind->tell || message == NULL)
		return;
	if (names_role(message))
		snprintf(p->detail, sizeof(p->detail), "the tenant is not granted to this gateway");
	else if (detail != NULL && *detail != '\0')
		snprintf(p->detail, sizeof(p->detail), "%s: %s", message, detail);
	else
		snprintf(p->detail, sizeof(p->detail), "%s", message);
	if (hint != NULL)
		snprintf(p->hint, sizeof(p->hint), "%s", hint);
}

void
db_result_problem(const PGresult *result, problem *out)
{
	const char *state = db_sqlstate(result);

	problem_set(out, *state != '\0' ? state : "database_away", NULL);
	if (*state != '\0')
		tell(out, PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY),
			 PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL),
			 PQresultErrorField(result, PG_DIAG_MESSAGE_HINT));
}

/*
 * What callers are not told is for the operator.  Messages of classes 22 and
 * 23 quote values, and values may be payload: of those only the place is logged.
 */
static void
log_failure(const PGresult *result, const job *j)
{
	const char *state = db_sqlstate(result);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
	bool		quotes = strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0;

	log_line(LOG_ERROR, "db.error", "%s %s in %s: %s (trace %s)", j->route->name, state,
			 function != NULL ? function : "?", quotes || message == NULL ? "not shown" : message, j->trace_id);
}

/* COLUMN of an error names what it is about: a member of the body, or a parameter. */
static void
name_member(problem *p, const char *column, const route *r)
{
	if (!p->kind->tell || column == NULL || strpbrk(column, "/~") != NULL)
		return;
	if (r->body == BODY_NONE)
		snprintf(p->parameter, sizeof(p->parameter), "%s", column);
	else
		snprintf(p->pointer, sizeof(p->pointer), "#/%s", column);
}

void
db_job_problem(const PGresult *result, job *j, unsigned retry_after)
{
	problem		p;

	db_result_problem(result, &p);
	if (*db_sqlstate(result) != '\0' && !p.kind->tell)
		log_failure(result, j);
	name_member(&p, result != NULL ? PQresultErrorField(result, PG_DIAG_COLUMN_NAME) : NULL, j->route);
	p.retry_after = retry_after;
	problem_reply(&j->reply, &p, j->path, j->trace_id);
}

/* {"message","detail","hint","pointer"} of a refusal that came as data. */
static void
refusal(job *j, const char *code)
{
	lc_jsontree *tree = NULL;
	problem		p;
	char		texts[4][1024] = {"", "", "", ""};
	static const char *const names[] = {"message", "detail", "hint", "pointer"};

	if (lc_jsontree_parse(j->reply.body.data, j->reply.body.len, 8, &lc_alloc_malloc, &tree, NULL) == LC_OK)
		for (int i = 0; i < 4; i++)
		{
			lc_str		s = lc_json_string(lc_jsontree_root(tree), names[i]);

			if (s.s != NULL)
				snprintf(texts[i], sizeof(texts[i]), "%.*s", (int) (s.n < 1023 ? s.n : 1023), s.s);
		}
	lc_jsontree_free(tree);
	problem_set(&p, code, NULL);
	tell(&p, texts[0], texts[1], texts[2]);
	if (p.kind->tell)
		snprintf(p.pointer, sizeof(p.pointer), "%.*s", (int) sizeof(p.pointer) - 1, texts[3]);
	problem_reply(&j->reply, &p, j->path, j->trace_id);
}

/* The title of a problem that the database wrote: the table of them is ours. */
static bool
add_title(reply *out)
{
	const char *code = reply_header_get(out, "Ledger-Code");
	const char *title;
	lc_buf		whole;

	if (code == NULL || out->body.len < 2 || out->body.data[0] != '{')
		return false;
	title = problem_find(code)->title;
	lc_buf_init(&whole, &lc_alloc_malloc);
	lc_buf_puts(&whole, "{\"title\":");
	lc_jcs_put_string(&whole, title, strlen(title));
	lc_buf_putc(&whole, ',');
	lc_buf_append(&whole, out->body.data + 1, out->body.len - 1);
	lc_buf_free(&out->body);
	out->body = whole;
	return true;
}

bool
db_row_reply(const PGresult *result, int row, int first_column, job *j)
{
	const char *code;
	const char *type;
	char		copy[64];

	if (!row_reply(result, row, first_column, &j->reply))
		return false;
	if (j->reply.status < 400)
		return true;
	/* A refusal that lists what is wrong with many is nearly a whole problem already. */
	type = reply_header_get(&j->reply, "Content-Type");
	if (type != NULL && strcmp(type, "application/problem+json") == 0)
		return add_title(&j->reply);
	code = reply_header_get(&j->reply, "Ledger-Code");
	if (code == NULL || j->reply.body.data == NULL)
		return false;
	snprintf(copy, sizeof(copy), "%s", code);	/* the header goes with the reply */
	refusal(j, copy);
	return true;
}

int64_t
db_pause(unsigned n, int64_t base, int64_t max)
{
	int64_t		pause = base;
	uint16_t	random = 0;

	for (unsigned i = 1; i < n && pause < max; i++)
		pause *= 2;
	if (pause > max)
		pause = max;
	RAND_bytes((unsigned char *) &random, sizeof(random));	/* 0 if it fails: no jitter, no harm */
	return pause * 3 / 4 + pause * random / (4 * UINT16_MAX) + 1;
}

/* ---- the numbers ---- */

void
db_count(db_counters *out)
{
	const db_tally *t = &db_tallies;

	out->connections = atomic_load_explicit(&t->connections, memory_order_relaxed);
	out->connected = atomic_load_explicit(&t->connected, memory_order_relaxed);
	out->busy = atomic_load_explicit(&t->busy, memory_order_relaxed);
	out->waiting = atomic_load_explicit(&t->waiting, memory_order_relaxed);
	out->timeouts = atomic_load_explicit(&t->timeouts, memory_order_relaxed);
	out->reconnects = atomic_load_explicit(&t->reconnects, memory_order_relaxed);
	out->retries = atomic_load_explicit(&t->retries, memory_order_relaxed);
	out->batches = atomic_load_explicit(&t->batches, memory_order_relaxed);
	out->batched = atomic_load_explicit(&t->batched, memory_order_relaxed);
	out->read_batches = atomic_load_explicit(&t->read_batches, memory_order_relaxed);
	out->batched_reads = atomic_load_explicit(&t->batched_reads, memory_order_relaxed);
}

bool
db_up(void)
{
	return atomic_load_explicit(&db_tallies.quick_connected, memory_order_relaxed) > 0;
}
