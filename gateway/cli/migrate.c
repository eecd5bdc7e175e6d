/*
 * migrate.c
 *		Migrations against a database.
 *
 * Each file is one transaction under one advisory lock: several runners may
 * start at once, and each migration is applied once.  The row in the record is
 * written before the file runs: the guard against DDL lets only a transaction
 * through that has recorded a migration.  The first migration makes the table,
 * so there it is written after.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "migrate.h"

/* One constant for every runner: nobody else has a reason to take this lock. */
#define LOCK "SELECT pg_advisory_xact_lock(5497853135693827906)"
#define RECORD "ledger.ledger_schema_migrations"

/*
 * By a look at the catalog itself: to_regclass() may answer from a cache that is
 * older than the lock which was just got.
 */
#define EXISTS(table) "EXISTS (SELECT FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace" \
	" WHERE n.nspname = 'ledger' AND c.relname = '" table "')"
#define RECORD_EXISTS EXISTS("ledger_schema_migrations")

/* ---- asking ---- */

static bool
run(PGconn *conn, const char *sql, fault *f)
{
	PGresult   *result = db_query(conn, f, sql, 0, NULL);

	PQclear(result);
	return result != NULL;
}

/* One value as text, cut to size; false and a fault, also if there is no row. */
static bool
ask(PGconn *conn, const char *sql, int n, const char *const *values, char *out, size_t size, fault *f)
{
	PGresult   *result = db_query(conn, f, sql, n, values);
	bool		good = result != NULL && (PQntuples(result) == 1 || fault_set(f, "the database did not answer"));

	if (good)
		snprintf(out, size, "%s", PQgetvalue(result, 0, 0));
	PQclear(result);
	return good;
}

static bool
is_true(PGconn *conn, const char *sql, bool *out, fault *f)
{
	char		text[8];

	if (!ask(conn, sql, 0, NULL, text, sizeof(text), f))
		return false;
	*out = *text == 't';
	return true;
}

/* ---- the database ---- */

/* Notices such as "already exists" tell nothing. */
static bool
prepare(PGconn *conn, fault *f)
{
	return run(conn, "SELECT set_config('client_min_messages', 'warning', false),"
			   " set_config('standard_conforming_strings', 'on', false)", f);
}

static cli_exit
look_at_server(migrator *m)
{
	fault		f;
	PGresult   *facts = db_query(m->conn, &f,
								 "SELECT current_setting('server_version_num')::int / 10000 AS major,"
								 " current_setting('server_encoding') AS encoding, r.rolsuper AS super,"
								 " current_database() AS name, current_user AS login, pg_is_in_recovery() AS standby"
								 " FROM pg_roles AS r WHERE r.rolname = current_user", 0, NULL);
	cli_exit	code = CLI_GOOD;

	if (facts == NULL)
		return db_said(&f);
	snprintf(m->database, sizeof(m->database), "%s", db_text(facts, 0, "name"));
	snprintf(m->login, sizeof(m->login), "%s", db_text(facts, 0, "login"));
	m->is_superuser = *db_text(facts, 0, "super") == 't';
	if (atoi(db_text(facts, 0, "major")) < 14)
		code = cli_error(CLI_USAGE, "the server is PostgreSQL %s; 14 or newer is needed", db_text(facts, 0, "major"));
	else if (strcmp(db_text(facts, 0, "encoding"), "UTF8") != 0)
		code = cli_error(CLI_USAGE, "the encoding of database %s is %s; it must be UTF8: CREATE DATABASE … "
						 "TEMPLATE template0 ENCODING 'UTF8'", m->database, db_text(facts, 0, "encoding"));
	else if (*db_text(facts, 0, "standby") == 't')
		code = cli_error(CLI_USAGE, "this server is a standby: migrate the primary");
	PQclear(facts);
	return code;
}

static cli_exit
need_owner(migrator *m)
{
	bool		member = false;
	fault		f;

	if (m->is_superuser)
		return CLI_GOOD;
	if (!is_true(m->conn, "SELECT count(*) = 1 FROM pg_roles"
				 " WHERE rolname = 'ledger_owner' AND pg_has_role(oid, 'MEMBER')", &member, &f))
		return db_said(&f);
	if (!member)
		return cli_error(CLI_USAGE, "role %s is not a member of ledger_owner; as superuser: "
						 "GRANT ledger_owner TO \"%s\"", m->login, m->login);
	return CLI_GOOD;
}

/* ---- what it has ---- */

/* What was applied must be what lies here, name by name and byte by byte. */
static cli_exit
compare_record(migrator *m, const PGresult *record)
{
	for (int i = 0; i < PQntuples(record); i++)
	{
		const char *name = db_text(record, i, "file_name");
		const sql_file *file = (size_t) i < m->files->count ? &m->files->list[i] : NULL;

		if (file == NULL || strcmp(file->name, name) != 0)
			return cli_error(CLI_FAILED, "%s was applied to database %s and is missing in %s; run the release that "
							 "applied it, or a newer one", name, m->database, m->files->dir);
		if (strcmp(file->sum, db_text(record, i, "checksum")) != 0)
			return cli_error(CLI_FAILED, "%s is not what was applied to database %s; history cannot be edited: "
							 "restore the file and put the change into a new migration", name, m->database);
	}
	m->applied = (size_t) PQntuples(record);
	return CLI_GOOD;
}

/* As ledger_owner, which a plain login is a member of. */
static cli_exit
read_record(migrator *m)
{
	PGresult   *record;
	fault		f;
	cli_exit	code;

	if (!is_true(m->conn, "SELECT " RECORD_EXISTS, &m->begun, &f))
		return db_said(&f);
	if (!m->begun)
		return CLI_GOOD;
	code = need_owner(m);
	if (code != CLI_GOOD)
		return code;
	if (!m->is_superuser && !run(m->conn, "SET ROLE ledger_owner", &f))
		return db_said(&f);
	record = db_query(m->conn, &f, "SELECT file_name, checksum FROM " RECORD " ORDER BY version", 0, NULL);
	code = record != NULL ? compare_record(m, record) : db_said(&f);
	PQclear(record);
	if (code == CLI_GOOD && !m->is_superuser && !run(m->conn, "RESET ROLE", &f))
		code = db_said(&f);
	return code;
}

cli_exit
migrator_open(migrator *m, const char *dsn, const char *superuser_dsn, const migrations *files)
{
	fault		f;
	cli_exit	code;

	memset(m, 0, sizeof(*m));
	m->files = files;
	m->superuser_dsn = superuser_dsn;
	m->conn = db_connect_to(dsn);
	if (m->conn == NULL)
		return CLI_USAGE;
	code = look_at_server(m);
	if (code == CLI_GOOD && !prepare(m->conn, &f))
		code = db_said(&f);
	if (code == CLI_GOOD && m->is_superuser)
		m->superuser = m->conn;
	return code == CLI_GOOD ? read_record(m) : code;
}

void
migrator_close(migrator *m)
{
	if (m->superuser != m->conn)
		PQfinish(m->superuser);
	PQfinish(m->conn);
}

/* ---- one migration ---- */

static cli_exit
need_superuser(migrator *m, const char *name)
{
	const char *values[] = {m->database};
	char		fits[8];
	fault		f;

	if (m->superuser != NULL)
		return CLI_GOOD;
	if (m->superuser_dsn == NULL)
		return cli_error(CLI_USAGE, "%s must be run by a superuser, and %s is none; give a superuser's connection "
						 "with --superuser-connection", name, m->login);
	m->superuser = db_connect_to(m->superuser_dsn);
	if (m->superuser == NULL)
		return CLI_USAGE;
	if (!prepare(m->superuser, &f) ||
		!ask(m->superuser, "SELECT rolsuper AND current_database() = $1 FROM pg_roles WHERE rolname = current_user",
			 1, values, fits, sizeof(fits), &f))
		return db_said(&f);
	if (*fits != 't')
		return cli_error(CLI_USAGE, "--superuser-connection is no superuser's, or leads to another database than %s",
						 m->database);
	return CLI_GOOD;
}

/* Line of the file that a position in characters (from 1) lies on. */
static unsigned
line_of(const lc_buf *text, const char *position)
{
	long		left = position != NULL ? atol(position) : 0;
	unsigned	line = 1;

	if (left <= 0)
		return 0;
	for (const char *p = text->data; *p != '\0'; p++)
	{
		if (((unsigned char) *p & 0xc0) != 0x80 && --left <= 0)
			return line;
		line += *p == '\n';
	}
	return line;
}

/* The n-th statement failed: where a position is told, the line; else what the server was doing. */
static void
take_failure(const sql_file *file, const PGresult *result, PGconn *conn, int n, fault *f)
{
	const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
	const char *context = PQresultErrorField(result, PG_DIAG_CONTEXT);
	unsigned	line = line_of(&file->text, PQresultErrorField(result, PG_DIAG_STATEMENT_POSITION));
	char		place[64];

	if (line > 0)
		snprintf(place, sizeof(place), "line %u", line);
	else
		snprintf(place, sizeof(place), "statement %d", n);
	fault_set(f, "%s: %s%s%s%s%s", place, message != NULL ? message : PQerrorMessage(conn),
			  detail != NULL ? "; " : "", detail != NULL ? detail : "",
			  context != NULL ? "; " : "", context != NULL ? context : "");
}

/* Every statement of a file, as one simple query: it stands in a transaction already. */
static bool
run_file(PGconn *conn, const sql_file *file, fault *f)
{
	PGresult   *result;
	bool		good = PQsendQuery(conn, file->text.data) != 0 || fault_set(f, "%s", PQerrorMessage(conn));
	int			n = 0;

	while (good && (result = PQgetResult(conn)) != NULL)
	{
		ExecStatusType status = PQresultStatus(result);

		n++;
		if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK && status != PGRES_EMPTY_QUERY)
		{
			take_failure(file, result, conn, n, f);
			good = false;
		}
		PQclear(result);
	}
	while (!good && (result = PQgetResult(conn)) != NULL)
		PQclear(result);
	return good;
}

static bool
record_one(PGconn *conn, size_t number, const sql_file *file, fault *f)
{
	char		version[24];
	const char *values[] = {version, file->name, file->sum};
	PGresult   *result;

	snprintf(version, sizeof(version), "%zu", number);
	result = db_query(conn, f, "INSERT INTO " RECORD " (version, file_name, checksum) VALUES ($1, $2, $3)", 3, values);
	PQclear(result);
	return result != NULL;
}

static bool
begin(PGconn *conn, fault *f)
{
	return run(conn, "BEGIN ISOLATION LEVEL READ COMMITTED", f) && run(conn, LOCK, f);
}

static bool
still_due(PGconn *conn, bool first, size_t number, bool *due, fault *f)
{
	char		sql[160];

	*due = first;
	snprintf(sql, sizeof(sql), "SELECT count(*) = 0 FROM " RECORD " WHERE version = %zu", number);
	return first || is_true(conn, sql, due, f);
}

static bool
apply_in_transaction(PGconn *conn, size_t number, const sql_file *file, bool *due, fault *f)
{
	bool		first = false;

	if (!begin(conn, f) || !is_true(conn, "SELECT NOT " RECORD_EXISTS, &first, f))
		return false;
	if (!file->superuser && !run(conn, "SET LOCAL ROLE ledger_owner", f))
		return false;
	if (!still_due(conn, first, number, due, f))
		return false;
	if (!*due)
		return run(conn, "ROLLBACK", f);
	if (first)
		return run_file(conn, file, f) && record_one(conn, number, file, f) && run(conn, "COMMIT", f);
	return record_one(conn, number, file, f) && run_file(conn, file, f) && run(conn, "COMMIT", f);
}

cli_exit
migrator_apply(migrator *m, size_t number, bool *changed)
{
	const sql_file *file = &m->files->list[number - 1];
	cli_exit	code = file->superuser ? need_superuser(m, file->name) : need_owner(m);
	PGconn	   *conn = file->superuser ? m->superuser : m->conn;
	fault		f;

	if (code != CLI_GOOD)
		return code;
	if (apply_in_transaction(conn, number, file, changed, &f))
		return CLI_GOOD;
	return cli_error(CLI_USAGE, "%s failed, and nothing of it was kept: %s", file->name, f.text);
}

/*
 * The ledger's own chain gets a ledger.migrated event for each migration that
 * has none yet; an interrupted run is caught up by the next.  Before the guards
 * are there, there is no such chain.
 */
cli_exit
migrator_record_events(migrator *m)
{
	bool		there = false;
	fault		f;

	if (!is_true(m->conn, "SELECT to_regprocedure('ledger.ledger_record_migrations()') IS NOT NULL", &there, &f))
		return db_said(&f);
	if (!there)
		return CLI_GOOD;
	if (!begin(m->conn, &f) || (!m->is_superuser && !run(m->conn, "SET LOCAL ROLE ledger_owner", &f)) ||
		!is_true(m->conn, "SELECT EXISTS (SELECT FROM " RECORD " WHERE event_id IS NULL)"
				 " AND EXISTS (SELECT FROM ledger.ledger_tenants WHERE tenant_id = 'ledger')", &there, &f) ||
		(there && !run(m->conn, "RESET ROLE", &f)) ||
		(there && !run(m->conn, "SELECT ledger.ledger_record_migrations()", &f)) || !run(m->conn, "COMMIT", &f))
		return cli_error(CLI_USAGE, "the migrations were applied but not recorded as events; run again: %s", f.text);
	return CLI_GOOD;
}

/* ---- and back ---- */

/*
 * The ledger's events about its own migrations go with the tables that they
 * tell of; any other event, and an anchor that may have left the machine, stays.
 */
#define HOLDS \
	"SELECT CASE WHEN EXISTS (SELECT FROM ledger.ledger_events AS e WHERE e.tenant_id <> 'ledger'" \
	"   OR e.event_type NOT IN ('ledger.migrated', 'ledger.guard_changed')) THEN 'events'" \
	" WHEN EXISTS (SELECT FROM ledger.ledger_merkle_roots) THEN 'anchors of its own chain' ELSE '' END"

/* With the guards of the record off for this one statement. */
#define SWITCH(how) \
	" FOREACH v_name IN ARRAY v_names LOOP" \
	"   EXECUTE format('ALTER TABLE " RECORD " " how " TRIGGER %%I', v_name); END LOOP;"
#define FORGET \
	"DO $$ DECLARE v_names name[] := ARRAY(SELECT t.tgname FROM pg_trigger AS t" \
	"   WHERE t.tgrelid = '" RECORD "'::regclass AND NOT t.tgisinternal); v_name name; BEGIN" \
	SWITCH("DISABLE") " DELETE FROM " RECORD " WHERE version = %zu;" SWITCH("ENABLE ALWAYS") " END $$"

/* Whether the step back may be taken, in its transaction: nobody appends any more. */
static bool
may_undo(PGconn *conn, size_t number, fault *f)
{
	char		text[64];
	bool		tables = false;

	if (!ask(conn, "SELECT max(version) FROM " RECORD, 0, NULL, text, sizeof(text), f))
		return false;
	if ((size_t) atol(text) != number)
		return fault_set(f, "another runner was here: its last migration is now %s", text);
	if (!is_true(conn, "SELECT " EXISTS("ledger_merkle_roots"), &tables, f))
		return false;
	if (!tables)
		return true;
	if (!run(conn, "LOCK TABLE ledger.ledger_events, ledger.ledger_merkle_roots IN ACCESS EXCLUSIVE MODE", f) ||
		!ask(conn, HOLDS, 0, NULL, text, sizeof(text), f))
		return false;
	return *text == '\0' || fault_set(f, "the ledger holds %s: it goes forward only", text);
}

static bool
undo_in_transaction(PGconn *conn, size_t number, const sql_file *file, fault *f)
{
	bool		there = false;
	char		forget[1024];

	if (!begin(conn, f) || !may_undo(conn, number, f) || !run_file(conn, file, f) ||
		!is_true(conn, "SELECT " RECORD_EXISTS, &there, f))
		return false;
	snprintf(forget, sizeof(forget), FORGET, number);
	return (!there || run(conn, forget, f)) && run(conn, "COMMIT", f);
}

cli_exit
migrator_undo(migrator *m, size_t number)
{
	const sql_file *file = &m->files->back[number - 1];
	const char *name = m->files->list[number - 1].name;
	fault		f;
	cli_exit	code;

	if (file->name == NULL)
		return cli_error(CLI_FAILED, "%s cannot be undone: there is no rollback/%s", name, name);
	code = need_superuser(m, name);
	if (code != CLI_GOOD)
		return code;
	if (undo_in_transaction(m->superuser, number, file, &f))
		return CLI_GOOD;
	return cli_error(CLI_FAILED, "%s was not undone: %s", name, f.text);
}
