/*
 * anchor_command.c
 *		ledgerctl anchor: ticks, signs, publishes; once or in a loop.
 *
 * Each round goes on where the one before was interrupted: what is anchored and
 * not signed is signed, what is signed and not published is published.  Only
 * anchors that a transaction after the tick's commit can see are signed, and
 * the tick commits with a flush: nothing is signed that a crash could undo.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

#include "anchor_settings.h"
#include "online.h"
#include "publish.h"
#include "signer.h"

/*
 * The advisory lock that makes signers of one database take turns: "LEDG" and 1.
 * It keeps two signers from doing the work twice.  That none signs what it
 * should not is the state's business: any role can take this lock, or not.
 */
#define SIGNER_LOCK "1279607879, 1"

typedef struct round_counts
{
	uint64_t	anchored;
	uint64_t	signatures;
	uint64_t	refused;		/* chains */
	uint64_t	failed;			/* chains that could not be signed now */
	publish_counts published;
} round_counts;

typedef struct anchor_run
{
	const cli_args *args;
	const char *tenant;
	bool		force;
	signer		s;				/* its connection is this run's */
	publishers	publishers;
} anchor_run;

/* ---- the tick ---- */

static bool
tick(anchor_run *run, round_counts *counts, fault *f)
{
	const char *values[] = {run->tenant, run->force ? "true" : "false"};
	PGresult   *result = db_query(run->s.conn, f,
								  "SELECT count(*) AS anchored FROM ledger.ledger_anchor_tick($1, $2)",
								  2, values);
	bool		good = result != NULL;

	if (good)
		db_uint(result, 0, "anchored", &counts->anchored);
	else
		fault_at(f, "the tick");
	PQclear(result);
	return good;
}

/* ---- signing ---- */

static void
tell_refused(const anchor_row *row, const fault *why)
{
	cli_error(CLI_FAILED, "refused to sign %s/%s: %s", row->tenant, row->chain, why->text);
	cli_json_object(NULL);
	cli_json_text("tenant", row->tenant);
	cli_json_text("chainId", row->chain);
	cli_json_uint("treeSize", row->size);
	cli_json_text("reason", why->text);
	lc_jcs_end_object(cli_json());
}

/* The alarm that the metrics show; the refusal stands even if it cannot be recorded. */
static void
record_refusal(signer *s, const char *tenant)
{
	const char *values[] = {tenant, s->alarm};
	fault		f;
	PGresult   *result = db_query(s->conn, &f, "SELECT ledger.ledger_record_anchor_failure($1, $2)",
								  2, values);

	if (result == NULL)
		cli_error(CLI_USAGE, "the refusal cannot be recorded: %s", f.text);
	PQclear(result);
}

static bool
same_chain(const anchor_row *a, const anchor_row *b)
{
	return strcmp(a->tenant, b->tenant) == 0 && strcmp(a->chain, b->chain) == 0;
}

static void
tell_outcome(signer *s, const anchor_row *row, sign_outcome outcome, round_counts *counts,
			 const fault *f)
{
	if (outcome == SIGN_DONE)
		counts->signatures++;
	else if (outcome == SIGN_REFUSED)
	{
		counts->refused++;
		tell_refused(row, f);
		record_refusal(s, row->tenant);
	}
	else
	{
		counts->failed++;
		cli_error(CLI_USAGE, "could not sign %s/%s at size %" PRIu64 ": %s", row->tenant, row->chain,
				  row->size, f->text);
	}
}

/* A chain is left at its first anchor that is not signed; the others go on. */
static bool
sign_rows(signer *s, const PGresult *unsigned_rows, round_counts *counts, fault *f)
{
	anchor_row	row,
				left = {.tenant = "", .chain = ""};

	for (int i = 0; i < PQntuples(unsigned_rows); i++)
	{
		sign_outcome outcome;

		if (!anchor_row_read(unsigned_rows, i, &row, f))
			return false;
		if (same_chain(&row, &left))
			continue;
		outcome = signer_sign(s, &row, f);
		if (outcome != SIGN_DONE && !db_alive(s->conn))
			return false;
		tell_outcome(s, &row, outcome, counts, f);
		if (outcome != SIGN_DONE)
			left = row;
	}
	return true;
}

static bool
read_incarnation(signer *s, fault *f)
{
	PGresult   *result = db_query(s->conn, f, "SELECT incarnation FROM ledger.ledger_settings", 0, NULL);
	bool		good = result != NULL && PQntuples(result) == 1 &&
		db_uint(result, 0, "incarnation", &s->incarnation);

	if (result != NULL && !good)
		fault_set(f, "the database has no settings of a ledger");
	PQclear(result);
	return good;
}

static bool
sign_all(anchor_run *run, round_counts *counts, fault *f)
{
	const char *values[] = {run->s.key_id, run->tenant};
	PGresult   *result;
	bool		good;

	if (!read_incarnation(&run->s, f))
		return false;
	result = db_query(run->s.conn, f,
					  "SELECT * FROM ledger.ledger_unsigned_anchors($1) AS a"
					  " WHERE a.tenant_id = coalesce($2, a.tenant_id)"
					  " ORDER BY a.tenant_id, a.chain_id, a.tree_size", 2, values);
	if (result == NULL)
		return false;
	cli_json_list("refused");
	good = sign_rows(&run->s, result, counts, f);
	lc_jcs_end_array(cli_json());
	PQclear(result);
	return good;
}

/* ---- a round ---- */

static void
tell_counts(const anchor_run *run, const round_counts *counts)
{
	cli_json_uint("anchored", counts->anchored);
	cli_json_uint("signed", counts->signatures);
	cli_json_uint("failedPublications", counts->published.failed);
	cli_json_object("published");
	for (size_t i = 0; i < run->publishers.count; i++)
		cli_json_uint(run->publishers.anchors[i].kind, counts->published.published[i]);
	lc_jcs_end_object(cli_json());
	/* A service that has nothing to do says nothing. */
	if (cli_has(run->args, "loop") && counts->anchored + counts->signatures == 0)
		return;
	cli_print("%" PRIu64 " anchored, %" PRIu64 " signed", counts->anchored, counts->signatures);
	for (size_t i = 0; i < run->publishers.count; i++)
		cli_print("%" PRIu64 " to %s \"%s\"", counts->published.published[i],
				  run->publishers.anchors[i].kind, run->publishers.anchors[i].name);
}

/* A tick that fails does not keep back what was anchored before. */
static cli_exit
work_once(anchor_run *run)
{
	round_counts counts = {0};
	fault		f;
	cli_exit	code = CLI_GOOD;

	if (!tick(run, &counts, &f))
		code = cli_error(CLI_USAGE, "%s", f.text);
	if (!sign_all(run, &counts, &f))
		code = cli_error(CLI_USAGE, "%s", f.text);
	if (!publish_all(run->s.conn, &run->publishers, &run->s.key.verifier, run->tenant,
					 &counts.published, &f))
		code = cli_error(CLI_USAGE, "%s", f.text);
	tell_counts(run, &counts);
	if (counts.refused > 0)
		return CLI_FAILED;
	return counts.failed + counts.published.required_failed > 0 ? CLI_USAGE : code;
}

static cli_exit
take_lock(PGconn *conn)
{
	fault		f;
	PGresult   *result = db_query(conn, &f, "SELECT pg_try_advisory_lock(" SIGNER_LOCK ") AS mine", 0, NULL);
	bool		mine = result != NULL && strcmp(db_text(result, 0, "mine"), "t") == 0;

	if (result == NULL)
		cli_error(CLI_USAGE, "the signers' lock: %s", f.text);
	else if (!mine)
		cli_error(CLI_USAGE, "another signer works on this database");
	PQclear(result);
	return mine ? CLI_GOOD : CLI_USAGE;
}

static void
disconnect(anchor_run *run)
{
	PQfinish(run->s.conn);
	run->s.conn = NULL;
}

/* A connection with the lock; one that is there and alive holds it already. */
static cli_exit
connect_once(anchor_run *run)
{
	cli_exit	code;

	if (run->s.conn != NULL && db_alive(run->s.conn))
		return CLI_GOOD;
	disconnect(run);
	run->s.conn = db_connect(run->args);
	if (run->s.conn == NULL)
		return CLI_USAGE;
	code = anchor_settings_apply(run->s.conn);
	if (code == CLI_GOOD)
		code = take_lock(run->s.conn);
	if (code != CLI_GOOD)
		disconnect(run);
	return code;
}

static cli_exit
one_round(anchor_run *run)
{
	cli_exit	code = connect_once(run);

	return code == CLI_GOOD ? work_once(run) : code;
}

/* ---- the loop ---- */

/* SIGTERM and SIGINT are taken between two rounds only, so that none is cut short. */
static bool
told_to_end(uint64_t seconds)
{
	struct timespec rest = {(time_t) seconds, 0};
	sigset_t	ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	return sigtimedwait(&ends, NULL, &rest) > 0;
}

static void
hold_back_ends(void)
{
	sigset_t	ends;

	sigemptyset(&ends);
	sigaddset(&ends, SIGTERM);
	sigaddset(&ends, SIGINT);
	sigprocmask(SIG_BLOCK, &ends, NULL);
}

/* A round that fails is told, and the next one tries again: one JSON object each. */
static cli_exit
loop(anchor_run *run, uint64_t seconds)
{
	hold_back_ends();
	for (;;)
	{
		cli_exit	code = one_round(run);

		if (told_to_end(seconds))
			return code;
		cli_output_end(code);
		fflush(stdout);
		cli_output_begin(anchor_command.name, cli_has(run->args, "json"));
	}
}

/* ---- the command ---- */

static cli_exit
open_states(anchor_run *run)
{
	const char *path = cli_value(run->args, "state-dir");
	fault		f;

	if (path == NULL)
		path = setting("MERKLE__STATEDIR");
	if (path == NULL)
	{
		if (run->s.require_state)
			return cli_error(CLI_USAGE, "--require-state needs --state-dir or LEDGER__MERKLE__STATEDIR");
		return CLI_GOOD;
	}
	return state_open(&run->s.states, path, &f) ? CLI_GOOD
		: cli_error(CLI_USAGE, "the state directory: %s", f.text);
}

static cli_exit
open_key(anchor_run *run)
{
	cli_exit	code = signing_key(run->args, &run->s.key);

	if (code == CLI_NOT_FOUND)
		return cli_error(CLI_USAGE, "no signing key: give --key-file, LEDGER__MERKLE__SIGNINGKEY_FILE "
						 "or LEDGER__MERKLE__SIGNINGKEY");
	if (code == CLI_GOOD)
		snprintf(run->s.key_id, sizeof(run->s.key_id), "%s", cli_key_name(&run->s.key.verifier));
	return code;
}

static cli_exit
run_with_key(anchor_run *run)
{
	uint64_t	seconds = 0;
	cli_exit	code = cli_number(run->args, "loop", 1, 86400, &seconds);

	if (code == CLI_GOOD && seconds > 0 && run->s.after_restore)
		code = cli_error(CLI_USAGE, "--after-restore is a decision about one restore: run it once, without --loop");
	if (code == CLI_GOOD)
		code = open_states(run);
	if (code == CLI_GOOD)
		code = publishers_open(&run->publishers);
	if (code == CLI_GOOD)
		code = seconds > 0 ? loop(run, seconds) : one_round(run);
	disconnect(run);
	publishers_close(&run->publishers);
	state_close(&run->s.states);
	return code;
}

static cli_exit
anchor(const cli_args *args)
{
	anchor_run	run = {.args = args, .tenant = cli_value(args, "tenant"), .force = cli_has(args, "force")};
	cli_exit	code;

	run.s.states.fd = -1;
	run.s.require_state = cli_has(args, "require-state");
	run.s.after_restore = cli_has(args, "after-restore");
	code = open_key(&run);
	if (code != CLI_GOOD)
		return code;
	/* A peer that hangs up is an error of that exchange, not the end of the signer. */
	signal(SIGPIPE, SIG_IGN);
	curl_global_init(CURL_GLOBAL_DEFAULT);
	code = run_with_key(&run);
	lc_signer_wipe(&run.s.key);
	curl_global_cleanup();
	return code;
}

static const cli_option options[] = {
	DB_OPTION,
	{"key-file", "FILE", "the log's private key, as keygen writes it", false, false},
	{"state-dir", "DIR", "where this signer remembers what it signed; else LEDGER__MERKLE__STATEDIR",
	false, false},
	{"tenant", "NAME", "only this tenant's chains", false, false},
	{"force", NULL, "anchor every chain with new events, due or not", false, false},
	{"loop", "SECONDS", "go on, a round every so often, until SIGTERM", false, false},
	{"require-state", NULL, "refuse a chain that the state directory does not know", false, false},
	{"after-restore", NULL, "accept chains that were rolled back by a restore they record", false, false},
	{NULL, NULL, NULL, false, false}
};

const cli_command anchor_command = {
	"anchor", "", 0, 0,
	"anchor, sign and publish the heads of chains",
	"Anchors what is due (ledger_anchor_tick), signs anchors that have no signature\n"
	"of this key yet, and hands them to the external anchors that are enabled\n"
	"(LEDGER__EXTERNALANCHORING__…, docs/how-to/anchor.md).\n"
	"\n"
	"The key stays in this program.  A root is signed only if it extends the last\n"
	"one that this signer signed in that chain, which it keeps in --state-dir: a\n"
	"database that was rewritten gets no signature, and status 3 says so.  Without\n"
	"state it compares with the newest stored checkpoint that its key signed, and\n"
	"says that it did.\n",
	options,
	"ledgerctl anchor --key-file /etc/ledger/log.key --state-dir /var/lib/ledger-signer\n"
	"ledgerctl anchor --key-file log.key --state-dir state --loop 60\n"
	"ledgerctl anchor --key-file log.key --state-dir state --after-restore\n",
	anchor, true
};
