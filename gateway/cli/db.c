/*
 * db.c
 *		One connection to the database.
 *
 * Everything is schema-qualified and search_path is pg_catalog alone: a role
 * that can make objects elsewhere cannot put its own in the way.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "connstring.h"
#include "db.h"
#include "lc_hex.h"
#include "lc_uuid.h"

#define CONNECTION_MAX 65536

static _Thread_local char last_sqlstate[6];

const char *
setting(const char *name)
{
	char		variable[128];
	const char *value;

	snprintf(variable, sizeof(variable), "LEDGER__%s", name);
	value = getenv(variable);
	return value != NULL && *value != '\0' ? value : NULL;
}

/* A WARNING of a tick, for example, names a chain that could not be anchored. */
static void
take_notice(void *arg, const PGresult *result)
{
	const char *severity = PQresultErrorField(result, PG_DIAG_SEVERITY_NONLOCALIZED);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);

	(void) arg;
	if (severity != NULL && strcmp(severity, "WARNING") == 0)
		cli_note("%s%s%s", message != NULL ? message : "", detail != NULL ? ": " : "",
				 detail != NULL ? detail : "");
}

static bool
make_known(PGconn *conn, fault *f)
{
	PGresult   *result = db_query(conn, f,
								  "SELECT set_config('search_path', 'pg_catalog', false),"
								  " set_config('default_transaction_isolation', 'read committed', false),"
								  " set_config('row_security', 'on', false),"
								  " set_config('bytea_output', 'hex', false),"
								  " set_config('timezone', 'UTC', false)", 0, NULL);

	PQclear(result);
	return result != NULL;
}

/*
 * What --connection says, or the environment, or a file that the environment
 * names: a mounted secret, a credential of systemd.
 */
cli_exit
db_connection(const cli_args *args, lc_buf *out)
{
	const char *dsn = cli_value(args, "connection");
	const char *path;
	cli_exit	code;

	if (dsn == NULL)
		dsn = setting("DB__CONNECTIONSTRING");
	if (dsn == NULL && (path = setting("DB__CONNECTIONSTRING_FILE")) != NULL)
	{
		code = cli_read_file(path, CONNECTION_MAX, out);
		if (code == CLI_GOOD && out->len > 0 && out->data[out->len - 1] == '\n')
			out->len--;
		lc_buf_putc(out, '\0');
		return code == CLI_NOT_FOUND ? CLI_USAGE : code;
	}
	lc_buf_init(out, &cli_alloc);
	lc_buf_puts(out, dsn != NULL ? dsn : "");
	lc_buf_putc(out, '\0');
	return CLI_GOOD;
}

/* What libpq takes, or a message and false.  The caller frees out either way. */
static bool
translate(const char *dsn, lc_buf *out)
{
	fault		f;

	lc_buf_init(out, &cli_alloc);
	if (connstring_libpq(dsn, out, NULL, &f))
		return true;
	cli_error(CLI_USAGE, "the connection string: %s", f.text);
	return false;
}

PGconn *
db_connect_to(const char *dsn)
{
	const char *const keywords[] = {"dbname", "fallback_application_name", "client_encoding", NULL};
	const char *values[] = {NULL, "ledgerctl", "UTF8", NULL};
	lc_buf		libpq;
	PGconn	   *conn;
	fault		f;

	if (!translate(dsn, &libpq))
	{
		lc_buf_free(&libpq);
		return NULL;
	}
	values[0] = libpq.data != NULL ? libpq.data : "";
	conn = PQconnectdbParams(keywords, values, 1);
	lc_buf_free(&libpq);
	if (PQstatus(conn) != CONNECTION_OK)
		fault_set(&f, "%s", PQerrorMessage(conn));	/* lines become one */
	else
	{
		PQsetNoticeReceiver(conn, take_notice, NULL);
		if (make_known(conn, &f))
			return conn;
	}
	cli_error(CLI_USAGE, "the database: %s", f.text);
	PQfinish(conn);
	return NULL;
}

PGconn *
db_connect(const cli_args *args)
{
	lc_buf		dsn;
	PGconn	   *conn = NULL;

	if (db_connection(args, &dsn) == CLI_GOOD)
		conn = db_connect_to(dsn.data);
	lc_buf_free(&dsn);
	return conn;
}

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* In the words of pg_isready. */
static const char *
why_not(PGPing ping)
{
	return ping == PQPING_REJECT ? "the server is starting up or shutting down" :
		ping == PQPING_NO_ATTEMPT ? "the connection string is not valid" : "no server answers";
}

bool
db_wait(const char *dsn, uint64_t milliseconds)
{
	const char *const keywords[] = {"connect_timeout", "dbname", NULL};
	const char *values[] = {"5", NULL, NULL};
	const struct timespec pause = {0, 200000000};
	int64_t		until = now_ms() + (int64_t) milliseconds;
	lc_buf		libpq;
	PGPing		ping = PQPING_NO_ATTEMPT;

	if (translate(dsn, &libpq))
	{
		values[1] = libpq.data != NULL ? libpq.data : "";
		while ((ping = PQpingParams(keywords, values, 1)) != PQPING_OK && ping != PQPING_NO_ATTEMPT &&
			   now_ms() < until)
			nanosleep(&pause, NULL);
		if (ping != PQPING_OK)
			cli_error(CLI_USAGE, "the database: %s, after waiting for %llu s", why_not(ping),
					  (unsigned long long) milliseconds / 1000);
	}
	lc_buf_free(&libpq);
	return ping == PQPING_OK;
}

bool
db_select_tenant(PGconn *conn, const char *tenant, fault *f)
{
	const char *values[] = {tenant};
	PGresult   *result = db_query(conn, f, "SELECT set_config('app.current_tenant', $1, false)", 1, values);

	PQclear(result);
	return result != NULL;
}

bool
db_alive(PGconn *conn)
{
	return PQstatus(conn) == CONNECTION_OK;
}

void
db_take_error(const PGresult *result, PGconn *conn, fault *f)
{
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *hint = PQresultErrorField(result, PG_DIAG_MESSAGE_HINT);

	snprintf(last_sqlstate, sizeof(last_sqlstate), "%s", state != NULL ? state : "");
	if (message == NULL)
		fault_set(f, "%s", PQerrorMessage(conn));
	else
		fault_set(f, "%s: %s%s%s%s%s", last_sqlstate, message, detail != NULL ? "; " : "",
				  detail != NULL ? detail : "", hint != NULL ? "; " : "", hint != NULL ? hint : "");
}

PGresult *
db_query(PGconn *conn, fault *f, const char *sql, int n, const char *const *values)
{
	PGresult   *result = PQexecParams(conn, sql, n, NULL, values, NULL, NULL, 0);
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return result;
	db_take_error(result, conn, f);
	PQclear(result);
	return NULL;
}

cli_exit
db_said(const fault *f)
{
	return cli_error(strcmp(last_sqlstate, "LG404") == 0 ? CLI_NOT_FOUND : CLI_USAGE, "%s", f->text);
}

const char *
db_sqlstate(void)
{
	return last_sqlstate;
}

const char *
db_text(const PGresult *result, int row, const char *column)
{
	return PQgetvalue(result, row, PQfnumber(result, column));
}

bool
db_is_null(const PGresult *result, int row, const char *column)
{
	return PQgetisnull(result, row, PQfnumber(result, column)) != 0;
}

bool
db_uint(const PGresult *result, int row, const char *column, uint64_t *out)
{
	const char *text = db_text(result, row, column);
	size_t		n = strspn(text, "0123456789");

	if (n == 0 || n > 19 || text[n] != '\0')
		return false;
	*out = strtoull(text, NULL, 10);
	return *out <= LC_MERKLE_MAX_SIZE;
}

/* bytea_output is hex: \x and the digits. */
bool
db_hash(const PGresult *result, int row, const char *column, uint8_t out[LC_HASH_LEN])
{
	const char *text = db_text(result, row, column);

	return strncmp(text, "\\x", 2) == 0 &&
		lc_hex_decode(text + 2, strlen(text + 2), out, LC_HASH_LEN) == LC_OK;
}

static bool
is_uuid(const char *text)
{
	uint8_t		uuid[LC_UUID_LEN];

	return lc_uuid_parse(text, strlen(text), uuid) == LC_OK;
}

/* docs/formats.md section 3: no slash, and no dot at the beginning. */
static bool
is_tenant(const char *text)
{
	size_t		n = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-");

	return n > 0 && n <= 128 && text[n] == '\0' && strchr("._-", text[0]) == NULL;
}

bool
db_names_valid(const char *tenant, const char *chain, const char *anchor_id, fault *f)
{
	return (is_tenant(tenant) && is_uuid(chain) && is_uuid(anchor_id)) ||
		fault_set(f, "the database names an anchor \"%s\" of \"%s\" \"%s\", which no ledger does",
				  anchor_id, tenant, chain);
}

bool
db_consistency(PGconn *conn, const char *tenant, const char *chain, uint64_t from, uint64_t to,
			   lc_proof *out, fault *f)
{
	char		sizes[2][24];
	const char *values[] = {tenant, chain, sizes[0], sizes[1]};
	PGresult   *result;
	bool		good = true;

	snprintf(sizes[0], sizeof(sizes[0]), "%" PRIu64, from);
	snprintf(sizes[1], sizeof(sizes[1]), "%" PRIu64, to);
	result = db_query(conn, f,
					  "SELECT p.hash FROM ledger.ledger_consistency_proof($1, $2, $3, $4) AS c (proof),"
					  " unnest(c.proof) WITH ORDINALITY AS p (hash, n) ORDER BY p.n", 4, values);
	if (result == NULL)
		return false;
	out->count = (size_t) PQntuples(result);
	if (out->count > LC_PROOF_MAX)
		good = fault_set(f, "the database answered with a proof of %zu hashes", out->count);
	for (size_t i = 0; good && i < out->count; i++)
		if (!db_hash(result, (int) i, "hash", out->hashes[i]))
			good = fault_set(f, "the database answered with a proof that is not made of hashes");
	PQclear(result);
	return good;
}
