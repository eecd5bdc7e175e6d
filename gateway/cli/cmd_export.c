/*
 * cmd_export.c
 *		ledgerctl export --fixture: a ledger's events as lines that another
 *		ledger takes (docs/formats.md section 10), and beside them what that
 *		ledger must look like then (section 13).
 *
 * Everything is read in one snapshot, and every hash is recomputed on the way
 * out: a fixture that does not hold would be a false alarm elsewhere.  Memory
 * does not grow with the number of events.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checksum.h"
#include "expected.h"
#include "fixture_line.h"
#include "online.h"
#include "stored_finding.h"
#include "tenants.h"

typedef struct export_run
{
	const cli_args *args;
	PGconn	   *conn;
	cli_out		lines;
	cli_out		expected;
	lc_buf		line;
	lc_frontier tree;			/* of the chain at hand, like the next one */
	checksum	chain;
	checksum	events;
	checksum	findings;
	expected_totals totals;
	uint64_t	about;			/* events there are, as the planner's statistics have it: for the progress */
	uint8_t   (*chosen)[LC_UUID_LEN];	/* --chain */
	size_t		chosen_count;
} export_run;

static bool
put_line(export_run *x, cli_out *out, fault *f)
{
	if (x->line.status != LC_OK)
		return fault_set(f, "%s", lc_status_text(x->line.status));
	if (!cli_out_line(out, &x->line))
		return fault_set(f, "%s: %s", out->path, strerror(errno));
	lc_buf_reset(&x->line);
	return true;
}

static cli_exit
take_event(void *arg, const stored_event *event, fault *f)
{
	export_run *x = arg;

	fixture_line(&x->line, event);
	if (!put_line(x, &x->lines, f))
		return CLI_USAGE;
	if (lc_frontier_append(&x->tree, event->leaf_hash, NULL) != LC_OK)
	{
		fault_set(f, "OpenSSL cannot hash");
		return CLI_USAGE;
	}
	checksum_add(&x->chain, event->event_hash);
	x->totals.events++;
	cli_progress("exporting events", x->totals.events, x->about);
	return CLI_GOOD;
}

static bool
is_chosen(const export_run *x, const uint8_t chain[LC_UUID_LEN])
{
	for (size_t i = 0; i < x->chosen_count; i++)
		if (memcmp(x->chosen[i], chain, LC_UUID_LEN) == 0)
			return true;
	return x->chosen_count == 0;
}

static cli_exit
export_chain(export_run *x, const char *tenant, const char *id, fault *f)
{
	expected_chain c = {.tenant = {tenant, strlen(tenant)}};
	uint8_t		digest[LC_HASH_LEN];
	cli_exit	code;

	if (lc_uuid_parse(id, strlen(id), c.chain_id) != LC_OK || !is_chosen(x, c.chain_id))
		return CLI_GOOD;
	lc_frontier_init(&x->tree);
	checksum_begin(&x->chain);
	code = chain_visit(x->conn, tenant, id, take_event, x, f);
	c.size = x->tree.size;
	if (!checksum_end(&x->chain, digest) || lc_frontier_root(&x->tree, c.root) != LC_OK)
	{
		fault_set(f, "OpenSSL cannot hash");
		return CLI_USAGE;
	}
	if (code != CLI_GOOD)
		return code;
	checksum_add(&x->events, digest);
	x->totals.chains++;
	expected_put_chain(&x->line, &c);
	return put_line(x, &x->expected, f) ? CLI_GOOD : CLI_USAGE;
}

static cli_exit
export_events(export_run *x, const tenant_list *tenants, fault *f)
{
	cli_exit	code = CLI_GOOD;

	for (size_t t = 0; t < tenants->count && code == CLI_GOOD; t++)
	{
		chain_list	chains;

		if (!chains_read(x->conn, tenants->names[t], &chains, f))
			return CLI_USAGE;
		for (size_t i = 0; i < chains.count && code == CLI_GOOD; i++)
			code = export_chain(x, tenants->names[t], chains.ids[i], f);
		chains_free(&chains);
	}
	return code;
}

static cli_exit
take_finding(void *arg, const stored_finding *finding, fault *f)
{
	export_run *x = arg;
	const lc_projection *p = &finding->columns;
	expected_finding line = {.tenant = p->tenant, .finding_id = p->finding_id,
	.policy_version = p->policy_version, .sequence = (uint64_t) p->current_sequence};

	if (!is_chosen(x, p->chain_id))
		return CLI_GOOD;
	memcpy(line.cycle_hash, finding->cycle_hash, LC_HASH_LEN);
	checksum_add(&x->findings, finding->cycle_hash);
	expected_put_finding(&x->line, &line);
	cli_progress("exporting findings", ++x->totals.findings, 0);
	return put_line(x, &x->expected, f) ? CLI_GOOD : CLI_USAGE;
}

static cli_exit
export_totals(export_run *x, fault *f)
{
	if (!checksum_end(&x->events, x->totals.events_checksum) ||
		!checksum_end(&x->findings, x->totals.projection_checksum))
	{
		fault_set(f, "OpenSSL cannot hash");
		return CLI_USAGE;
	}
	expected_put_totals(&x->line, &x->totals);
	return put_line(x, &x->expected, f) ? CLI_GOOD : CLI_USAGE;
}

/* By the planner's statistics. */
static const char how_many[] =
	"SELECT coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint AS n FROM ledger.ledger_tenants AS t"
	" JOIN pg_class AS c ON c.relname = t.leaf AND c.relnamespace = 'ledger'::regnamespace"
	" WHERE NOT t.reserved";

/* One snapshot for all of it: an append meanwhile is in all of the files or in none. */
static bool
take_snapshot(export_run *x, fault *f)
{
	PGresult   *begun = db_query(x->conn, f, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", 0, NULL);
	PGresult   *rows = begun == NULL ? NULL : db_query(x->conn, f, how_many, 0, NULL);

	if (rows != NULL)
		(void) db_uint(rows, 0, "n", &x->about);
	PQclear(begun);
	PQclear(rows);
	return rows != NULL && rows_in_order(x->conn, f);
}

static cli_exit
export_all(export_run *x, const tenant_list *tenants)
{
	fault		f;
	cli_exit	code = take_snapshot(x, &f) ? export_events(x, tenants, &f) : CLI_USAGE;

	for (size_t t = 0; t < tenants->count && code == CLI_GOOD; t++)
		code = findings_visit(x->conn, tenants->names[t], take_finding, x, &f);
	if (code == CLI_GOOD)
		code = export_totals(x, &f);
	cli_progress_clear();
	if (code == CLI_FAILED)
		return cli_error(code, "%s: verify the ledger", f.text);
	if (code != CLI_GOOD)
		return cli_error(code, "%s", f.text);
	if (x->totals.events == 0)
		return cli_error(CLI_NOT_FOUND, "there are no such events: nothing is exported");
	return CLI_GOOD;
}

static cli_exit
write_files(export_run *x, const tenant_list *tenants, const char *path)
{
	size_t		n = strlen(path) + sizeof(EXPECTED_SUFFIX);
	char	   *beside = cli_alloc.resize(NULL, NULL, n);
	cli_exit	code;
	cli_exit	next;

	snprintf(beside, n, "%s" EXPECTED_SUFFIX, path);
	code = cli_out_open(&x->lines, path);
	if (code == CLI_GOOD)
		code = cli_out_open(&x->expected, beside);
	if (code == CLI_GOOD)
		code = export_all(x, tenants);
	next = cli_out_close(&x->lines, code == CLI_GOOD);
	code = code != CLI_GOOD ? code : next;
	next = cli_out_close(&x->expected, code == CLI_GOOD);
	code = code != CLI_GOOD ? code : next;
	free(beside);
	return code;
}

static void
report(const export_run *x, const char *path)
{
	cli_json_text("fixture", path);
	cli_json_uint("events", x->totals.events);
	cli_json_uint("chains", x->totals.chains);
	cli_json_uint("findings", x->totals.findings);
	cli_json_hex("eventStreamChecksum", x->totals.events_checksum, LC_HASH_LEN);
	cli_json_hex("projectionChecksum", x->totals.projection_checksum, LC_HASH_LEN);
	cli_print("%s: %llu events of %llu chains, %llu findings", path,
			  (unsigned long long) x->totals.events, (unsigned long long) x->totals.chains,
			  (unsigned long long) x->totals.findings);
}

static cli_exit
read_chosen(export_run *x)
{
	x->chosen_count = cli_count(x->args, "chain");
	x->chosen = cli_alloc.resize(NULL, NULL, (x->chosen_count + 1) * sizeof(*x->chosen));
	for (size_t i = 0; i < x->chosen_count; i++)
	{
		const char *id = cli_value_at(x->args, "chain", i);

		if (lc_uuid_parse(id, strlen(id), x->chosen[i]) != LC_OK)
			return cli_error(CLI_USAGE, "\"%s\" is no chain id: a UUID in lower case", id);
	}
	return CLI_GOOD;
}

static cli_exit
run(const cli_args *args)
{
	export_run	x = {.args = args, .lines.fd = -1, .expected.fd = -1};
	tenant_list tenants = {0};
	cli_exit	code;

	if (!cli_has(args, "fixture"))
		return cli_error(CLI_USAGE, "export of what?  --fixture: events as lines that a ledger takes.  Findings are "
						 "exported by the gateway, tiles by export-tiles");
	code = read_chosen(&x);
	lc_buf_init(&x.line, &cli_alloc);
	checksum_begin(&x.events);
	checksum_begin(&x.findings);
	if (code == CLI_GOOD && (x.conn = db_connect(args)) == NULL)
		code = CLI_USAGE;
	if (code == CLI_GOOD)
		code = tenants_read(x.conn, cli_value(args, "tenant"), &tenants);
	if (code == CLI_GOOD)
		code = write_files(&x, &tenants, cli_value(args, "out"));
	if (code == CLI_GOOD)
		report(&x, cli_value(args, "out"));
	tenants_free(&tenants);
	PQfinish(x.conn);
	(void) checksum_end(&x.events, x.totals.events_checksum);
	(void) checksum_end(&x.findings, x.totals.projection_checksum);
	lc_buf_free(&x.line);
	free(x.chosen);
	return code;
}

static const cli_option options[] = {
	DB_OPTION,
	{"fixture", NULL, "events as lines that a ledger takes, with all their hashes", false, false},
	{"tenant", "NAME", "whose events: a tenant, or all", true, false},
	{"chain", "ID", "only these chains", false, true},
	{"out", "FILE", "where the lines go; FILE.expected, beside it, is what they must lead to", true, false},
	{NULL, NULL, NULL, false, false}
};

const cli_command export_command = {
	"export", "", 0, 0,
	"write events to a file that replay and an import take",
	"Writes the events of whole chains in one snapshot, one canonical line each\n"
	"(docs/formats.md section 10), by tenant, chain and sequence; and beside them\n"
	"FILE.expected (section 13): size and root of each chain, cycle hash of each finding.\n"
	"Every hash is recomputed on the way out.  ledgerctl replay feeds the lines into an\n"
	"empty ledger and compares; ledgerctl verify-export checks them without a server.\n"
	"\n"
	"The lines hold payloads and salts: the files are for their owner's eyes only.\n",
	options,
	"ledgerctl export --fixture --tenant acme --out acme.ndjson\n"
	"ledgerctl export --fixture --tenant all --out ledger.ndjson --json\n",
	run, true
};
