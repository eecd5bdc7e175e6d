/*
 * cmd_replay.c
 *		ledgerctl replay: a ledger made again from its events, and compared with
 *		what it was.
 *
 * With fixtures, in an empty ledger; without, where the ledger stands, after a
 * restore: the projections are folded anew.  Either way everything is then read
 * back and recomputed here, and the report says what it came to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crew.h"
#include "replay_format.h"
#include "online.h"
#include "replay.h"

#define PARALLEL_DEFAULT 4
#define BATCH_DEFAULT 500
#define BATCH_MAX 10000
#define WAIT_DEFAULT 30
#define WAIT_MAX 86400

static void
now_text(char out[32])
{
	struct timespec now;
	lc_buf		text;

	clock_gettime(CLOCK_REALTIME, &now);
	lc_buf_init(&text, &cli_alloc);
	(void) lc_timestamp_format(&text, (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000);
	snprintf(out, 32, "%.*s", (int) text.len, text.data != NULL ? text.data : "");
	lc_buf_free(&text);
}

static cli_exit
connect_all(replay *r)
{
	r->conns = cli_alloc.resize(NULL, NULL, r->connections * sizeof(*r->conns));
	memset(r->conns, 0, r->connections * sizeof(*r->conns));
	for (size_t i = 0; i < r->connections; i++)
		if ((r->conns[i] = db_connect(r->args)) == NULL)
			return CLI_USAGE;
	return CLI_GOOD;
}

/* ---- the two ways ---- */

static cli_exit
check_fixtures(replay *r)
{
	uint64_t	begun = replay_clock();
	cli_exit	code;

	for (size_t i = 0; i < cli_count(r->args, "fixture"); i++)
		fixture_add(r->fixture, cli_value_at(r->args, "fixture", i));
	code = fixture_check(r->fixture);
	r->timings.checked_us = replay_clock() - begun;
	return code;
}

/* Nothing is written before every line was found good. */
static cli_exit
feed_fixtures(replay *r)
{
	cli_exit	code = check_fixtures(r);

	if (code == CLI_GOOD)
		code = connect_all(r);
	if (code == CLI_GOOD)
		code = replay_prepare(r);
	if (code == CLI_GOOD)
		code = tenants_read(r->conns[0], cli_value(r->args, "tenant"), &r->tenants);
	if (code == CLI_GOOD)
		code = replay_feed(r);
	return code;
}

static cli_exit
rebuild_here(replay *r)
{
	cli_exit	code = connect_all(r);

	if (code == CLI_GOOD)
		code = tenants_read(r->conns[0], cli_value(r->args, "tenant"), &r->tenants);
	if (code == CLI_GOOD && r->tenants.count == 0)
		code = cli_error(CLI_NOT_FOUND, "the ledger has no tenants: there is nothing to rebuild.  After a restore: is "
						 "this the database?");
	if (code == CLI_GOOD)
		code = replay_findings_before(r);
	if (code == CLI_GOOD)
		code = replay_rebuild(r);
	return code;
}

static cli_exit
verify_result(replay *r)
{
	uint64_t	begun = replay_clock();
	cli_exit	code = replay_wait(r);

	if (code == CLI_GOOD)
		code = replay_events(r);
	if (code == CLI_GOOD)
		code = replay_findings(r);
	r->timings.verified_us = replay_clock() - begun - r->timings.waited_us;
	if (code == CLI_GOOD && r->totals.events == 0 && r->difference_count == 0)
		return cli_error(CLI_FAILED, "there are no events: nothing is verified");
	return code;
}

/* ---- what is told ---- */

static void
tell(const replay *r)
{
	const replay_totals *t = &r->totals;

	cli_json_text("result", r->difference_count == 0 ? "match" : "mismatch");
	cli_json_uint("events", t->events);
	cli_json_uint("chains", r->chain_count);
	cli_json_uint("findings", t->findings);
	cli_json_hex("eventStreamChecksum", t->events_checksum, LC_HASH_LEN);
	cli_json_hex("projectionChecksum", t->projection_checksum, LC_HASH_LEN);
	if (r->difference_count > 0)
		return;
	cli_print("%llu events of %zu chains, %llu findings: every hash, link, root and cycle hash recomputed%s",
			  (unsigned long long) t->events, r->chain_count, (unsigned long long) t->findings,
			  r->fixture != NULL ? ", all as in the fixture" : "");
}

static cli_exit
run_all(replay *r, const char *path, const lc_signer *key)
{
	cli_exit	code;
	cli_exit	next = CLI_GOOD;

	now_text(r->timings.started);
	code = r->fixture != NULL ? feed_fixtures(r) : rebuild_here(r);
	if (code == CLI_GOOD)
		code = verify_result(r);
	if (code != CLI_GOOD)
		return code;
	now_text(r->timings.finished);
	tell(r);
	if (path != NULL)
		next = replay_report(r, path, key);
	if (r->difference_count > 0)
		return CLI_FAILED;
	return next;
}

/* ---- the command line ---- */

/* Evidence is not overwritten; and better said now than after hours of work. */
static cli_exit
check_paths(const char *path)
{
	char		beside[4200];

	if (path == NULL)
		return CLI_GOOD;
	snprintf(beside, sizeof(beside), "%.4096s" HARNESS_SIGNATURE_SUFFIX, path);
	if (access(path, F_OK) == 0)
		return cli_error(CLI_USAGE, "%s exists, and is not overwritten", path);
	if (access(beside, F_OK) == 0)
		return cli_error(CLI_USAGE, "%s exists, and is not overwritten", beside);
	return CLI_GOOD;
}

static cli_exit
read_numbers(const cli_args *args, replay *r)
{
	uint64_t	parallel = PARALLEL_DEFAULT;
	cli_exit	code = cli_number(args, "max-parallel", 1, CREW_MAX, &parallel);

	r->batch = BATCH_DEFAULT;
	r->wait_seconds = WAIT_DEFAULT;
	if (code == CLI_GOOD)
		code = cli_number(args, "batch", 1, BATCH_MAX, &r->batch);
	if (code == CLI_GOOD)
		code = cli_number(args, "wait", 0, WAIT_MAX, &r->wait_seconds);
	r->connections = (size_t) parallel;
	if (code == CLI_GOOD && r->fixture == NULL && (r->resume || cli_has(args, "batch")))
		return cli_error(CLI_USAGE, "--resume and --batch are about a --fixture, and none is given");
	if (code == CLI_GOOD && cli_has(args, "metrics-endpoint") && !cli_has(args, "report"))
		return cli_error(CLI_USAGE, "--metrics-endpoint goes into a --report, and none is asked for");
	return code;
}

static void
free_all(replay *r)
{
	for (size_t i = 0; i < r->chain_count; i++)
		free(r->chains[i].policy);
	free(r->chains);
	for (size_t i = 0; r->conns != NULL && i < r->connections; i++)
		PQfinish(r->conns[i]);
	free(r->conns);
	tenants_free(&r->tenants);
	lc_buf_free(&r->differences);
	if (r->fixture != NULL)
		fixture_free(r->fixture);
}

static cli_exit
run(const cli_args *args)
{
	replay		r = {.args = args, .resume = cli_has(args, "resume")};
	fixture		x;
	const char *path = cli_value(args, "report");
	lc_signer	key;
	cli_exit	has_key = CLI_NOT_FOUND;
	cli_exit	code;

	lc_buf_init(&r.differences, &cli_alloc);
	r.fixture = cli_has(args, "fixture") ? &x : NULL;
	code = read_numbers(args, &r);
	if (r.fixture != NULL)
		fixture_init(&x, cli_value(args, "tenant"), (unsigned) r.connections);
	if (code == CLI_GOOD)
		code = check_paths(path);
	if (code == CLI_GOOD && path != NULL)
		has_key = signing_key(args, &key);
	if (code == CLI_GOOD && has_key != CLI_GOOD && has_key != CLI_NOT_FOUND)
		code = has_key;
	if (code == CLI_GOOD)
		code = run_all(&r, path, has_key == CLI_GOOD ? &key : NULL);
	if (has_key == CLI_GOOD)
		lc_signer_wipe(&key);
	free_all(&r);
	return code;
}

static const cli_option options[] = {
	DB_OPTION,
	{"tenant", "NAME", "whose events: a tenant, or all", true, false},
	{"fixture", "FILE", "lines of ledgerctl export --fixture, to be fed into an empty ledger", false, true},
	{"max-parallel", "N", "connections at once, each with chains of its own (4)", false, false},
	{"batch", "N", "lines in a call (500)", false, false},
	{"resume", NULL, "go on where a replay of the same fixture was interrupted", false, false},
	{"wait", "SECONDS", "how long the projection may take to catch up (30)", false, false},
	{"report", "FILE", "the report; FILE.sig, beside it, is its signature", false, false},
	{"metrics-endpoint", "URL", "a gateway's /metrics, asked at the end, for the report", false, false},
	{"policy-hash", "HASH", "the policy that the report is bound to; else " POLICY_VARIABLE, false, false},
	{"key-file", "FILE", "the signing key; else LEDGER__MERKLE__SIGNINGKEY_FILE, LEDGER__MERKLE__SIGNINGKEY",
	false, false},
	{NULL, NULL, NULL, false, false}
};

const cli_command replay_command = {
	"replay", "", 0, 0,
	"make a ledger again from its events, and compare every hash",
	"With --fixture: checks every line, feeds them into an empty ledger, waits for the\n"
	"projection, reads everything back and recomputes every event hash, link, Merkle root\n"
	"and cycle hash; compares with what the database says and with the fixture and\n"
	"FILE.expected beside it.\n"
	"\n"
	"Without: rebuilds the projections of a ledger that was restored, and verifies the same\n"
	"of what it has, with the stored roots of its anchors.  A note says so if a projection\n"
	"was not what the events give.\n"
	"\n"
	"Status 3 names the row that differs.  Two replays of a fixture give the same report,\n"
	"byte for byte, but for its member \"timings\".\n",
	options,
	"ledgerctl replay --fixture acme.ndjson --connection \"$LEDGER_DB\" --tenant acme --report out.json\n"
	"ledgerctl replay --connection \"$LEDGER_DB\" --tenant all --report after-restore.json\n",
	run, true
};
