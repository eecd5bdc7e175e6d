/*
 * cmd_status.c
 *		ledgerctl status: what there is, how late it is, and whether anything is
 *		wrong.
 *
 * Everything comes from functions that cost what the number of chains costs,
 * not that of events.  A role sees the tenants that are granted to it, and is
 * told when there are others.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checks.h"
#include "db.h"
#include "online.h"
#include "span.h"

/* The contract: the projection is behind by less. */
#define LAG_MAX_SECONDS 30.0
#define CONNECTIONS_MAX_PERCENT 90

typedef struct status_run
{
	PGconn	   *conn;
	uint64_t	max_verification_age;	/* milliseconds; 0: not judged */
	double		lag;					/* the worst of all tenants */
	double		verified_age;			/* the oldest; < 0: none was ever verified */
	double		verified_ratio;			/* the least */
	uint64_t	seen;					/* tenants with events that the role sees */
} status_run;

/* ---- sections: a line for people, members for programs ---- */

typedef struct field
{
	const char *column;
	const char *member;
	const char *label;			/* NULL: for programs only */
} field;

/* One row, as an object. */
static void
tell_row(const char *section, const PGresult *row, const field *fields, size_t n)
{
	cli_json_object(section);
	for (size_t i = 0; i < n; i++)
	{
		uint64_t	number;

		if (db_is_null(row, 0, fields[i].column))
			continue;
		if (db_uint(row, 0, fields[i].column, &number))
			cli_json_uint(fields[i].member, number);
		else
			cli_json_text(fields[i].member, db_text(row, 0, fields[i].column));
		if (fields[i].label != NULL)
			cli_print("%-22s %s", fields[i].label, db_text(row, 0, fields[i].column));
	}
	lc_jcs_end_object(cli_json());
}

static bool
ask_row(PGconn *conn, const char *sql, PGresult **row, fault *f)
{
	*row = db_query(conn, f, sql, 0, NULL);
	if (*row != NULL && PQntuples(*row) != 1)
	{
		PQclear(*row);
		*row = NULL;
		fault_set(f, "the database has no settings of a ledger");
	}
	return *row != NULL;
}

#define SERVER \
	"SELECT current_setting('server_version') AS version, current_database() AS name," \
	" CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE 'primary' END AS role," \
	" date_trunc('second', now() - pg_postmaster_start_time())::text AS up," \
	" (SELECT extversion FROM pg_extension WHERE extname = 'findings_ledger') AS extension," \
	" ledger.ledger_library_version() AS library, ledger.ledger_schema_version() AS schema," \
	" (SELECT count(*) FROM ledger.ledger_schema_migrations) AS migrations," \
	" s.origin, s.incarnation FROM ledger.ledger_settings AS s"

#define SPACE \
	"SELECT pg_database_size(current_database()) AS database," \
	" pg_size_pretty(pg_database_size(current_database())) AS pretty," \
	" coalesce(sum(pg_total_relation_size(c.oid)) FILTER (" \
	"   WHERE c.relname LIKE 'ledger_events%'), 0)::bigint AS events," \
	" coalesce(sum(pg_total_relation_size(c.oid)) FILTER (" \
	"   WHERE c.relname LIKE 'ledger_merkle%'), 0)::bigint AS merkle," \
	" coalesce(sum(pg_total_relation_size(c.oid)) FILTER (" \
	"   WHERE c.relname ~ '^(findings_projection|finding_history|triage_actions)'), 0)::bigint AS derived," \
	" (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS used," \
	" current_setting('max_connections') AS allowed" \
	" FROM pg_class AS c WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'm')"

static bool
tell_server(PGconn *conn, fault *f)
{
	static const field server[] = {
		{"name", "database", "database"}, {"role", "role", "role"}, {"version", "version", "PostgreSQL"},
		{"up", "up", "up for"}, {"extension", "extension", "extension"}, {"library", "library", NULL},
		{"schema", "schema", "schema"}, {"migrations", "migrations", "migrations"}, {"origin", "origin", "origin"},
		{"incarnation", "incarnation", "incarnation"}
	};
	PGresult   *row;

	if (!ask_row(conn, SERVER, &row, f))
		return false;
	tell_row("server", row, server, sizeof(server) / sizeof(server[0]));
	PQclear(row);
	return true;
}

static bool
tell_space(PGconn *conn, fault *f)
{
	static const field space[] = {
		{"pretty", "pretty", "size"}, {"database", "databaseBytes", NULL}, {"events", "eventsBytes", NULL},
		{"merkle", "merkleBytes", NULL}, {"derived", "derivedBytes", NULL}, {"used", "connections", "connections"},
		{"allowed", "maxConnections", "of at most"}
	};
	PGresult   *row;
	uint64_t	used = 0;
	uint64_t	allowed = 1;

	if (!ask_row(conn, SPACE, &row, f))
		return false;
	tell_row("use", row, space, sizeof(space) / sizeof(space[0]));
	db_uint(row, 0, "used", &used);
	db_uint(row, 0, "allowed", &allowed);
	PQclear(row);
	checks_begin();
	check_tell("connections", used * 100 >= allowed * CONNECTIONS_MAX_PERCENT ? CHECK_FAIL : CHECK_OK,
			   "Look for clients that keep idle connections (pg_stat_activity), or raise max_connections.",
			   "%" PRIu64 " of %" PRIu64, used, allowed);
	return true;
}

/* ---- tenants ---- */

#define METRIC(name) "max(m.value) FILTER (WHERE m.metric = '" name "')"
#define TENANTS \
	"WITH metric AS (SELECT m.labels ->> 'tenant' AS tenant_id, " METRIC("ledger_chains") " AS chains, " \
	METRIC("ledger_chain_events") " AS events, " METRIC("ledger_merkle_unanchored_events") " AS unanchored, " \
	METRIC("ledger_projection_lag_seconds") " AS lag, " METRIC("ledger_verified_events_ratio") " AS verified, " \
	METRIC("ledger_verification_age_seconds") " AS verified_age" \
	" FROM ledger.ledger_metrics() AS m WHERE m.labels ? 'tenant' GROUP BY 1)," \
	" anchor AS (SELECT a.tenant_id, max(a.anchored_at) AS anchored," \
	"   max(a.anchored_at) FILTER (WHERE strpos(a.checkpoint, E'\\n\\n') > 0) AS signed" \
	" FROM ledger.ledger_newest_anchors() AS a GROUP BY 1)" \
	" SELECT n.tenant_id AS tenant, n.chains::bigint AS chains, n.events::bigint AS events," \
	" n.unanchored::bigint AS unanchored, round(n.lag::numeric, 3) AS lag," \
	" round(extract(epoch FROM now() - a.anchored))::bigint AS anchor_age," \
	" round(extract(epoch FROM now() - a.signed))::bigint AS signed_age," \
	" round((100 * n.verified)::numeric, 1) AS verified, round(n.verified_age)::bigint AS verified_age" \
	" FROM metric AS n LEFT JOIN anchor AS a USING (tenant_id) WHERE n.chains IS NOT NULL ORDER BY 1"

static const char *
shown(const PGresult *list, int i, const char *column)
{
	return db_is_null(list, i, column) ? "-" : db_text(list, i, column);
}

static void
tell_tenant(status_run *run, const PGresult *list, int i)
{
	static const field members[] = {
		{"tenant", "tenant", NULL}, {"chains", "chains", NULL}, {"events", "events", NULL},
		{"unanchored", "unanchoredEvents", NULL}, {"lag", "projectionLagSeconds", NULL},
		{"anchor_age", "lastAnchorAgeSeconds", NULL}, {"signed_age", "lastSignedAgeSeconds", NULL},
		{"verified", "verifiedPercent", NULL}, {"verified_age", "verificationAgeSeconds", NULL}
	};
	double		lag = atof(db_text(list, i, "lag"));
	double		age = db_is_null(list, i, "verified_age") ? -1 : atof(db_text(list, i, "verified_age"));
	double		verified = atof(db_text(list, i, "verified"));

	cli_json_object(NULL);
	for (size_t k = 0; k < sizeof(members) / sizeof(members[0]); k++)
	{
		const char *text = db_text(list, i, members[k].column);

		if (db_is_null(list, i, members[k].column))
			continue;
		if (k == 0)
			cli_json_text(members[k].member, text);
		else
		{
			lc_jcs_key(cli_json(), members[k].member, strlen(members[k].member));
			lc_jcs_number(cli_json(), text, strlen(text));
		}
	}
	lc_jcs_end_object(cli_json());
	cli_print("%-20s %7s %12s %10s %9s %9s %8s %9s %10s", db_text(list, i, "tenant"), shown(list, i, "chains"),
			  shown(list, i, "events"), shown(list, i, "unanchored"), shown(list, i, "anchor_age"),
			  shown(list, i, "signed_age"), shown(list, i, "lag"), shown(list, i, "verified"),
			  shown(list, i, "verified_age"));
	run->lag = lag > run->lag ? lag : run->lag;
	if (run->seen == 0 || verified < run->verified_ratio)
		run->verified_ratio = verified;
	if (age > run->verified_age)
		run->verified_age = age;
	run->seen++;
}

static bool
tell_tenants(status_run *run, fault *f)
{
	PGresult   *list = db_query(run->conn, f, TENANTS, 0, NULL);

	if (list == NULL)
		return false;
	cli_print("%s", "");
	cli_print("%-20s %7s %12s %10s %9s %9s %8s %9s %10s", "tenant", "chains", "events", "unanchored", "anchored",
			  "signed", "lag", "verified", "verified");
	cli_print("%-20s %7s %12s %10s %9s %9s %8s %9s %10s", "", "", "", "", "s ago", "s ago", "s", "%", "s ago");
	cli_json_list("tenants");
	for (int i = 0; i < PQntuples(list); i++)
		tell_tenant(run, list, i);
	lc_jcs_end_array(cli_json());
	cli_print("%s", "");
	PQclear(list);
	return true;
}

/* ---- partitions ---- */

#define PARTITIONS \
	"SELECT p.oid::regclass::text AS parent, count(c.oid) AS partitions," \
	" coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint AS bytes," \
	" (SELECT pg_relation_size(d.partdefid) FROM pg_partitioned_table AS d" \
	"  WHERE d.partrelid = p.oid AND d.partdefid <> 0) AS default_bytes" \
	" FROM pg_class AS p LEFT JOIN pg_inherits AS i ON i.inhparent = p.oid" \
	" LEFT JOIN pg_class AS c ON c.oid = i.inhrelid" \
	" WHERE p.relnamespace = 'ledger'::regnamespace AND p.relkind = 'p' GROUP BY p.oid ORDER BY 1"

static bool
tell_partitions(PGconn *conn, fault *f)
{
	PGresult   *list = db_query(conn, f, PARTITIONS, 0, NULL);
	uint64_t	number;

	if (list == NULL)
		return false;
	cli_json_list("partitions");
	for (int i = 0; i < PQntuples(list); i++)
	{
		bool		has_default = !db_is_null(list, i, "default_bytes");

		cli_print("%-30s %s partitions, %s bytes%s%s%s", db_text(list, i, "parent"), db_text(list, i, "partitions"),
				  db_text(list, i, "bytes"), has_default ? ", default " : "",
				  has_default ? db_text(list, i, "default_bytes") : "", has_default ? " bytes" : "");
		cli_json_object(NULL);
		cli_json_text("table", db_text(list, i, "parent"));
		if (db_uint(list, i, "partitions", &number))
			cli_json_uint("partitions", number);
		if (db_uint(list, i, "bytes", &number))
			cli_json_uint("bytes", number);
		if (has_default && db_uint(list, i, "default_bytes", &number))
			cli_json_uint("defaultBytes", number);
		lc_jcs_end_object(cli_json());
	}
	lc_jcs_end_array(cli_json());
	PQclear(list);
	return true;
}

/* ---- what must hold ---- */

#define CHECKS \
	"SELECT c.check_name AS name, c.ok, c.detail, c.hint FROM ledger.ledger_check_runtime() AS c" \
	" UNION ALL SELECT r.name, r.ok AND NOT r.degraded, r.detail," \
	"   'Is the signer running? ledgerctl anchor; its messages say why a chain is left out.'" \
	" FROM ledger.ledger_http_ready(ledger.ledger_schema_version()) AS r WHERE r.name = 'anchoring'"

static void
judge_tenants(const status_run *run)
{
	double		max_age = (double) run->max_verification_age / 1000.0;
	bool		late = run->verified_age < 0 || run->verified_age > max_age;

	if (run->seen == 0)
	{
		check_tell("projection", CHECK_NONE, NULL, "this role sees no tenant with events");
		return;
	}
	check_tell("projection", run->lag < LAG_MAX_SECONDS ? CHECK_OK : CHECK_FAIL,
			   "Was the projection switched off? ledger_guard_state(); then ledgerctl rebuild.",
			   "%.3f s behind, less than 30 s is wanted", run->lag);
	if (run->verified_age < 0)
		check_tell("verification", run->max_verification_age == 0 ? CHECK_NONE : CHECK_FAIL,
				   "ledgerctl verify --key-file log.key", "never: there are no marks");
	else
		check_tell("verification", run->max_verification_age > 0 && late ? CHECK_FAIL : CHECK_OK,
				   "ledgerctl verify --key-file log.key", "%.0f s ago, covers %.1f %% of the events", run->verified_age,
				   run->verified_ratio);
}

static bool
tell_checks(const status_run *run, fault *f)
{
	PGresult   *list = db_query(run->conn, f, CHECKS, 0, NULL);

	if (list == NULL)
		return false;
	for (int i = 0; i < PQntuples(list); i++)
		check_tell(db_text(list, i, "name"), *db_text(list, i, "ok") == 't' ? CHECK_OK : CHECK_FAIL,
				   db_text(list, i, "hint"), "%s", db_text(list, i, "detail"));
	PQclear(list);
	judge_tenants(run);
	return true;
}

/* Whose tenants are not granted to the role must not read their absence as health. */
static bool
note_unseen(PGconn *conn, fault *f)
{
	PGresult   *row = db_query(conn, f, "SELECT count(*) AS n, count(*) FILTER ("
							   "WHERE NOT ledger.ledger_tenant_allowed(tenant_id)) AS unseen"
							   " FROM ledger.ledger_tenants WHERE NOT reserved", 0, NULL);

	if (row == NULL)
		return false;
	if (strcmp(db_text(row, 0, "unseen"), "0") != 0)
		cli_note("%s of %s tenants are not granted to this role and are not shown", db_text(row, 0, "unseen"),
				 db_text(row, 0, "n"));
	PQclear(row);
	return true;
}

/* ---- the command ---- */

static cli_exit
status_connected(status_run *run)
{
	fault		f;
	bool		good;

	if (!tell_server(run->conn, &f) || !tell_tenants(run, &f) || !tell_partitions(run->conn, &f) ||
		!note_unseen(run->conn, &f) || !tell_space(run->conn, &f))
		return db_said(&f);
	good = tell_checks(run, &f);
	return good ? checks_end() : (checks_end(), db_said(&f));
}

static cli_exit
status(const cli_args *args)
{
	const char *age = cli_value(args, "max-verification-age");
	status_run	run = {.verified_age = -1};
	cli_exit	code;

	if (age != NULL && !span_parse(age, &run.max_verification_age))
		return cli_error(CLI_USAGE, "--max-verification-age must be " SPAN_FORMS ", not \"%s\"", age);
	run.conn = db_connect(args);
	code = run.conn != NULL ? status_connected(&run) : CLI_USAGE;
	PQfinish(run.conn);
	return code;
}

static const cli_option options[] = {
	DB_OPTION,
	{"max-verification-age", "TIME", "wrong if a tenant was not verified within this time, as 7d", false, false},
	{NULL, NULL, NULL, false, false}
};

const cli_command status_command = {
	"status", "", 0, 0,
	"show what there is, how late it is, and whether anything is wrong",
	"Server, extension and migrations; tenants with chains, events, anchors,\n"
	"signatures, projection lag and verification; partitions, space and connections;\n"
	"then one line for each thing that must hold.  Status 3 if one does not, with what\n"
	"to do.  For members of ledger_auditor or ledger_operator, who see the tenants that\n"
	"are granted to them.\n",
	options,
	"ledgerctl status\n"
	"ledgerctl status --max-verification-age 7d --json\n",
	status, true
};
