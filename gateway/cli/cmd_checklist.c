/*
 * cmd_checklist.c
 *		ledgerctl checklist: the post-deploy checklist, each point with evidence.
 *
 * A point that cannot be looked at with what was given is "not applicable", with
 * the option that would let it be: it fails nothing, and is no "ok".
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checklist.h"
#include "http.h"
#include "online.h"
#include "span.h"

typedef struct checklist
{
	uint64_t	max_age;
	uint64_t	max_restore_age;
	uint64_t	horizon;
	growth		measured;
} checklist;

/* ---- the database ---- */

/* Bytes of everything that an event brings with it, and the mean rate since the first chain began. */
#define LEDGER \
	"WITH m AS (SELECT coalesce(sum(value) FILTER (WHERE metric = 'ledger_chain_events'), 0) AS events," \
	"   max(value) FILTER (WHERE metric = 'ledger_projection_lag_seconds') AS lag FROM ledger.ledger_metrics())," \
	" a AS (SELECT count(*) AS n, max(anchored_at) AS last," \
	"   max(anchored_at) FILTER (WHERE strpos(checkpoint, E'\\n\\n') > 0) AS signed" \
	"   FROM ledger.ledger_newest_anchors())," \
	" b AS (SELECT sum(pg_total_relation_size(c.oid)) AS bytes FROM pg_class AS c" \
	"   WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind = 'r')," \
	" s AS (SELECT extract(epoch FROM now() - min(c.created_at)) AS age FROM ledger.ledger_chains AS c)" \
	" SELECT m.events::bigint AS events, coalesce(round(m.lag::numeric, 3), 0) AS lag, m.lag IS NULL AS blind," \
	"   a.n AS anchors," \
	"   round(extract(epoch FROM now() - a.last))::bigint AS anchor_age," \
	"   round(extract(epoch FROM now() - a.signed))::bigint AS signed_age, r.degraded, r.detail," \
	"   CASE WHEN m.events > 0 THEN b.bytes / m.events ELSE 0 END AS each," \
	"   CASE WHEN s.age > 0 THEN m.events / s.age ELSE 0 END AS rate" \
	" FROM m, a, b, s, ledger.ledger_http_ready(ledger.ledger_schema_version()) AS r WHERE r.name = 'anchoring'"

static void
check_anchors(const PGresult *row)
{
	bool		late = *db_text(row, 0, "degraded") == 't';
	bool		is_signed = !db_is_null(row, 0, "signed_age");

	if (*db_text(row, 0, "blind") == 't')
		check_tell("anchors", CHECK_NONE, NULL, "this role sees no event that could be anchored");
	else if (db_is_null(row, 0, "anchor_age"))
		check_tell("anchors", CHECK_FAIL, "Run ledgerctl anchor, or let the gateway do it: docs/how-to/anchor.md.",
				   "ledger_merkle_roots has none for %s events", db_text(row, 0, "events"));
	else
		check_tell("anchors", late ? CHECK_FAIL : CHECK_OK,
				   "Is the signer running? Its messages say why a chain is left out.",
				   "%s chains in ledger_merkle_roots, the newest %s s old, signed %s%s; %s", db_text(row, 0, "anchors"),
				   db_text(row, 0, "anchor_age"), is_signed ? db_text(row, 0, "signed_age") : "none",
				   is_signed ? " s ago" : "", db_text(row, 0, "detail"));
}

static void
check_lag(const PGresult *row)
{
	if (*db_text(row, 0, "blind") == 't')
		check_tell("projection lag", CHECK_NONE, NULL, "this role sees no tenant with events");
	else
		check_tell("projection lag", atof(db_text(row, 0, "lag")) < 30 ? CHECK_OK : CHECK_FAIL,
				   "ledger_guard_state() names what is off; then ledgerctl rebuild.",
				   "ledger_projection_lag_seconds is %s, less than 30 is wanted", db_text(row, 0, "lag"));
}

static cli_exit
check_database(const cli_args *args, checklist *list)
{
	PGconn	   *conn = db_connect(args);
	PGresult   *row;
	fault		f;
	cli_exit	code = CLI_GOOD;

	if (conn == NULL)
		return CLI_USAGE;
	row = db_query(conn, &f, LEDGER, 0, NULL);
	if (row == NULL || PQntuples(row) != 1)
		code = row == NULL ? db_said(&f) : cli_error(CLI_USAGE, "the database has no ledger");
	else
	{
		check_anchors(row);
		check_lag(row);
		list->measured.bytes_per_event = atof(db_text(row, 0, "each"));
		list->measured.events_per_second = atof(db_text(row, 0, "rate"));
	}
	PQclear(row);
	PQfinish(conn);
	return code;
}

/* ---- the command ---- */

static cli_exit
read_span(const cli_args *args, const char *option, uint64_t *out)
{
	const char *text = cli_value(args, option);

	if (text == NULL || span_parse(text, out))
		return CLI_GOOD;
	return cli_error(CLI_USAGE, "--%s must be " SPAN_FORMS ", not \"%s\"", option, text);
}

static cli_exit
run_points(const cli_args *args, checklist *list)
{
	const char *admin = cli_value(args, "admin");
	cli_exit	code;
	cli_exit	found;

	checks_begin();
	check_gateway(admin != NULL ? admin : cli_value(args, "gateway"));
	code = check_database(args, list);
	check_grafana(cli_value(args, "grafana"));
	check_backups(cli_value(args, "backup-dir"), list->max_age);
	check_restore(cli_value(args, "restore-report"), list->max_restore_age);
	check_kit(cli_value(args, "offline-kit"));
	check_space(cli_value(args, "data-dir"), &list->measured, list->horizon);
	found = checks_end();
	return code != CLI_GOOD ? code : found;
}

static cli_exit
run_checklist(const cli_args *args)
{
	checklist	list = {.max_age = 26 * 3600000ULL, .max_restore_age = 92 * 86400000ULL};
	cli_exit	code = read_span(args, "max-age", &list.max_age);

	if (code == CLI_GOOD)
		code = read_span(args, "max-restore-age", &list.max_restore_age);
	if (code == CLI_GOOD)
		code = read_span(args, "horizon", &list.horizon);
	if (code == CLI_GOOD && !http_start())
		code = cli_error(CLI_USAGE, "libcurl cannot be used");
	return code == CLI_GOOD ? run_points(args, &list) : code;
}

static const cli_option options[] = {
	DB_OPTION,
	{"gateway", "URL", "the gateway: health and metrics are asked for", false, false},
	{"admin", "URL", "the same, where the gateway answers these at an address of their own", false, false},
	{"grafana", "URL|DIR", "Grafana (a token in LEDGER__GRAFANA__TOKEN), or what it is provisioned from", false, false},
	{"backup-dir", "DIR", "where backups lie: *.dump, or a manifest.json each", false, false},
	{"max-age", "TIME", "how old the newest backup may be; 26h", false, false},
	{"restore-report", "FILE", "the report of the last restore that was rehearsed", false, false},
	{"max-restore-age", "TIME", "how long ago that may be; 92d", false, false},
	{"offline-kit", "DIR", "an air-gapped site: where metrics.tar.gz lies", false, false},
	{"data-dir", "DIR", "the server's data directory, if this is its machine: free space", false, false},
	{"horizon", "TIME", "space for so long, as 365d, by the measured growth; else 200 GB", false, false},
	{NULL, NULL, NULL, false, false}
};

const cli_command checklist_command = {
	"checklist", "", 0, 0,
	"run the post-deploy checklist, each point with evidence",
	"Health and metrics respond; anchors are being written; the projection is less\n"
	"than 30 s behind; dashboards are imported; backups are made and a restore was\n"
	"rehearsed; the offline snapshot is there; there is space.  Each line is ok, fail\n"
	"with what to do, or not applicable: what was not given is not looked at, and says\n"
	"so.  Status 3 if a line fails.  For members of ledger_auditor or ledger_operator.\n",
	options,
	"ledgerctl checklist --gateway http://localhost:8188\n"
	"ledgerctl checklist --gateway https://ledger.example --grafana https://grafana.example \\\n"
	"    --backup-dir /var/backups/ledger --max-age 26h --data-dir /var/lib/postgresql/15/main --horizon 365d\n",
	run_checklist, true
};
