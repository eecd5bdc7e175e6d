/*
 * cmd_verify.c
 *		ledgerctl verify: runs the database's verifier, and signs what was found
 *		clean, so that the next run may start there.
 *
 * A mark names the newest anchor that was there before the verification began.
 * It says that the verifier found nothing up to that root; whoever distrusts
 * the verifier with the database has the exports, ledgerctl offline and
 * --against.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "db.h"
#include "lc_dsse.h"
#include "lc_envelope.h"
#include "lc_note.h"
#include "lc_statement.h"
#include "online.h"

typedef struct verification
{
	PGconn	   *conn;
	const cli_args *args;
	const char *tenant;
	bool		incremental;
	lc_signer	key;
	bool		has_key;
	lc_buf		began;			/* as marks have it */
	uint64_t	findings;
	uint64_t	marks;
} verification;

/* An anchor that a mark can be made of; the strings are borrowed. */
typedef struct marked
{
	const char *tenant;
	const char *origin;
	const char *chain;
	uint64_t	size;
	uint8_t		root[LC_HASH_LEN];
} marked;

/* ---- what is found ---- */

static void
tell_finding(const PGresult *found, int row)
{
	static const struct
	{
		const char *column;
		const char *member;
	}			members[] = {
		{"tenant_id", "tenant"}, {"chain_id", "chainId"}, {"sequence_no", "sequence"},
		{"kind", "kind"}, {"detail", "detail"}
	};

	cli_json_object(NULL);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		if (!db_is_null(found, row, members[i].column))
			cli_json_text(members[i].member, db_text(found, row, members[i].column));
	lc_jcs_end_object(cli_json());
	cli_print("%s  %s/%s %s  %s", db_text(found, row, "kind"), db_text(found, row, "tenant_id"),
			  db_text(found, row, "chain_id"), db_text(found, row, "sequence_no"),
			  db_text(found, row, "detail"));
}

/* The rows of a verifier; its answer is CLI_FAILED if there are any. */
static cli_exit
run_verifier(verification *v, const char *sql, const char *argument)
{
	const char *values[] = {argument};
	fault		f;
	PGresult   *found = db_query(v->conn, &f, sql, 1, values);

	if (found == NULL)
		return db_said(&f);
	v->findings = (uint64_t) PQntuples(found);
	cli_json_list("findings");
	for (int i = 0; i < PQntuples(found); i++)
		tell_finding(found, i);
	lc_jcs_end_array(cli_json());
	PQclear(found);
	if (v->findings == 0)
		return CLI_GOOD;
	return cli_error(CLI_FAILED, "%" PRIu64 " finding%s: the ledger is not as it was left",
					 v->findings, v->findings == 1 ? "" : "s");
}

static cli_exit
count_checked(const PGresult *report)
{
	const char *verdict = db_text(report, 0, "verdict");

	cli_json_text("verdict", verdict);
	cli_json_text("rows", db_text(report, 0, "rows"));
	cli_json_text("anchors", db_text(report, 0, "anchors"));
	if (strcmp(verdict, "nothing_checked") == 0)
		return cli_error(CLI_FAILED, "nothing was checked: this role sees no event");
	cli_print("%s: %s events, %s anchors", verdict, db_text(report, 0, "rows"), db_text(report, 0, "anchors"));
	return CLI_GOOD;
}

/* The report says how much was looked at; only if it is not clean a second run names what was found. */
static cli_exit
verify_all(verification *v)
{
	const char *values[] = {v->tenant};
	fault		f;
	PGresult   *report = db_query(v->conn, &f,
								  "SELECT r ->> 'verdict' AS verdict, r ->> 'rows' AS rows, r ->> 'anchors' AS anchors"
								  " FROM ledger.ledger_verify_report($1) AS r", 1, values);
	bool		tampered;
	cli_exit	code;

	if (report == NULL)
		return db_said(&f);
	code = count_checked(report);
	tampered = strcmp(db_text(report, 0, "verdict"), "tampered") == 0;
	PQclear(report);
	if (code == CLI_GOOD && tampered)
	{
		code = run_verifier(v, "SELECT * FROM ledger.ledger_verify($1)", v->tenant);
		if (code == CLI_GOOD)
			code = cli_error(CLI_FAILED, "the report says tampered, and nothing was found "
							 "a moment later: run it again");
	}
	return code;
}

/* ---- against checkpoints that somebody kept ---- */

static cli_exit
read_checkpoints(const cli_args *args, lc_buf *json)
{
	lc_buf_putc(json, '[');
	for (size_t i = 0; i < cli_count(args, "against"); i++)
	{
		const char *path = cli_value_at(args, "against", i);
		lc_buf		text;
		cli_exit	code = cli_read_file(path, LC_NOTE_MAX_LEN, &text);

		if (code == CLI_GOOD)
		{
			lc_buf_puts(json, i > 0 ? "," : "");
			lc_jcs_put_string(json, text.data, text.len);
			if (json->status != LC_OK)
				code = cli_error(CLI_FAILED, "%s is no checkpoint: it is not UTF-8", path);
		}
		lc_buf_free(&text);
		if (code != CLI_GOOD)
			return code;
	}
	lc_buf_putc(json, ']');
	return CLI_GOOD;
}

static cli_exit
verify_against(verification *v)
{
	lc_buf		json;
	cli_exit	code;

	lc_buf_init(&json, &cli_alloc);
	code = read_checkpoints(v->args, &json);
	if (code == CLI_GOOD)
		code = run_verifier(v, "SELECT * FROM ledger.ledger_verify_against("
							"ARRAY(SELECT jsonb_array_elements_text($1::jsonb)))", json.data);
	lc_buf_free(&json);
	if (code == CLI_GOOD)
		cli_print("the ledger extends all %zu checkpoints", cli_count(v->args, "against"));
	return code;
}

/* ---- marks ---- */

static void
take_time(lc_buf *out)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	lc_timestamp_format(out, (int64_t) now.tv_sec * 1000000 + now.tv_nsec / 1000);
}

/* The newest anchor of each chain of a tenant: read before the verification begins. */
static PGresult *
newest_anchors(verification *v, fault *f)
{
	const char *values[] = {v->tenant};

	return db_query(v->conn, f,
					"SELECT r.tenant_id, r.origin, r.chain_id, r.tree_size, r.root_hash"
					" FROM ledger.ledger_newest_anchors($1) AS r", 1, values);
}

static bool
make_mark(const verification *v, const marked *m, lc_buf *out, fault *f)
{
	lc_mark		mark = {
		.mode = v->incremental ? (lc_str) {"incremental", 11} : (lc_str) {"full", 4},
		.origin = {m->origin, strlen(m->origin)},
		.tenant = {m->tenant, strlen(m->tenant)},
		.tree_size = m->size,
		.verified_at = {v->began.data, v->began.len}
	};
	lc_buf		payload;
	bool		good;

	memcpy(mark.root, m->root, LC_HASH_LEN);
	lc_buf_init(&payload, &cli_alloc);
	good = lc_uuid_parse(m->chain, strlen(m->chain), mark.chain_id) == LC_OK;
	if (good)
		lc_mark_format(&payload, &mark);
	good = good && payload.status == LC_OK &&
		lc_dsse_sign(out, (lc_str) {LC_MARK_TYPE, strlen(LC_MARK_TYPE)}, (lc_str) {payload.data, payload.len},
					 &v->key, 1, &cli_alloc) == LC_OK;
	lc_buf_free(&payload);
	return good || fault_set(f, "the mark of %s/%s cannot be made", m->tenant, m->chain);
}

static bool
store_mark(verification *v, const marked *m, fault *f)
{
	lc_buf		dsse;
	const char *values[1];
	PGresult   *result = NULL;

	lc_buf_init(&dsse, &cli_alloc);
	if (make_mark(v, m, &dsse, f))
	{
		values[0] = dsse.data;
		result = db_query(v->conn, f, "SELECT ledger.ledger_store_mark($1)", 1, values);
	}
	lc_buf_free(&dsse);
	PQclear(result);
	v->marks += result != NULL;
	return result != NULL;
}

static cli_exit
store_marks(verification *v, const PGresult *anchors)
{
	cli_exit	code = CLI_GOOD;

	for (int i = 0; i < PQntuples(anchors); i++)
	{
		marked		m = {db_text(anchors, i, "tenant_id"), db_text(anchors, i, "origin"),
		db_text(anchors, i, "chain_id"), 0, {0}};
		fault		f;

		if (!db_uint(anchors, i, "tree_size", &m.size) || !db_hash(anchors, i, "root_hash", m.root))
			code = cli_error(CLI_USAGE, "the newest anchor of %s/%s has no size or root", m.tenant, m.chain);
		else if (!store_mark(v, &m, &f))
			code = cli_error(CLI_USAGE, "the mark of %s/%s: %s", m.tenant, m.chain, f.text);
	}
	cli_json_uint("marks", v->marks);
	cli_print("%" PRIu64 " marks signed", v->marks);
	return code;
}

/* ---- the command ---- */

static cli_exit
verify_and_mark(verification *v)
{
	fault		f;
	PGresult   *anchors = NULL;
	cli_exit	code;

	if (v->has_key && (anchors = newest_anchors(v, &f)) == NULL)
		return db_said(&f);
	code = v->incremental ? run_verifier(v, "SELECT * FROM ledger.ledger_verify_new($1)", v->tenant) : verify_all(v);
	if (code == CLI_GOOD && v->incremental)
		cli_print("clean since the last marks");
	if (code == CLI_GOOD && v->has_key)
		code = store_marks(v, anchors);
	PQclear(anchors);
	return code;
}

static cli_exit
run_connected(verification *v)
{
	cli_exit	code = cli_count(v->args, "against") > 0 ? CLI_NOT_FOUND : signing_key(v->args, &v->key);

	if (code != CLI_GOOD && code != CLI_NOT_FOUND)
		return code;
	v->has_key = code == CLI_GOOD;
	v->conn = db_connect(v->args);
	if (v->conn == NULL)
		code = CLI_USAGE;
	else
		code = cli_count(v->args, "against") > 0 ? verify_against(v) : verify_and_mark(v);
	PQfinish(v->conn);
	if (v->has_key)
		lc_signer_wipe(&v->key);
	return code;
}

static cli_exit
verify(const cli_args *args)
{
	verification v = {.args = args, .tenant = cli_value(args, "tenant"),
	.incremental = cli_has(args, "incremental")};
	cli_exit	code;

	if (cli_count(args, "against") > 0 && (v.incremental || v.tenant != NULL || cli_has(args, "key-file")))
		return cli_error(CLI_USAGE, "--against looks at the chains of the checkpoints, and goes with no other option");
	lc_buf_init(&v.began, &cli_alloc);
	take_time(&v.began);
	code = run_connected(&v);
	lc_buf_free(&v.began);
	return code;
}

static const cli_option options[] = {
	DB_OPTION,
	{"tenant", "NAME", "only this tenant's chains", false, false},
	{"incremental", NULL, "only what came after the marks of earlier runs", false, false},
	{"against", "FILE", "a checkpoint that was kept: does the ledger still extend it?", false, true},
	{"key-file", "FILE", "a key of the log: sign marks if all is clean; also from the environment", false, false},
	{NULL, NULL, NULL, false, false}
};

const cli_command verify_command = {
	"verify", "", 0, 0,
	"verify the database's ledger",
	"Runs ledger_verify(), or with --incremental ledger_verify_new(), which starts at\n"
	"the marks \"verified up to here\" that earlier runs signed.  With a key of the log\n"
	"and nothing found it signs a mark for each anchored chain.  With --against it\n"
	"asks ledger_verify_against(): only checkpoints kept outside show a ledger that\n"
	"was rewritten whole.  Status 3 if anything is found.\n",
	options,
	"ledgerctl verify --key-file log.key\n"
	"ledgerctl verify --incremental --key-file log.key\n"
	"ledgerctl verify --against checkpoint-2026-10 --against checkpoint-2026-11\n",
	verify, true
};
