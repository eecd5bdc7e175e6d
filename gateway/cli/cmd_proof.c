/*
 * cmd_proof.c
 *		ledgerctl proof: what an outsider needs to check one event without us,
 *		in two files.
 *
 *		<event id>.event.json	the envelope, canonical JSON; with --with-payload a
 *								line of docs/formats.md section 10
 *		<event id>.tlog-proof	the proof bundle (C2SP tlog-proof)
 *
 * Both are checked here before they are written: a bundle that does not hold
 * is an alarm at this end, and not at the reader's.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "db.h"
#include "durable.h"
#include "lc_envelope.h"
#include "lc_note.h"
#include "lc_tlogproof.h"
#include "online.h"

/* Does the bundle lead from the envelope to the root of its checkpoint? */
static bool
bundle_holds(const char *bundle, const char *envelope, lc_checkpoint *checkpoint)
{
	lc_tlogproof proof;
	lc_note		note;
	uint8_t		leaf[LC_HASH_LEN];

	return lc_tlogproof_parse(bundle, strlen(bundle), &proof) == LC_OK &&
		lc_note_parse(proof.checkpoint.s, proof.checkpoint.n, &note) == LC_OK &&
		lc_checkpoint_parse(note.text.s, note.text.n, checkpoint) == LC_OK &&
		lc_leaf_hash(envelope, strlen(envelope), leaf) == LC_OK &&
		lc_merkle_verify_inclusion(leaf, proof.index, checkpoint->size,
								   (const uint8_t (*)[LC_HASH_LEN]) proof.proof.hashes,
								   proof.proof.count, checkpoint->root) == LC_OK;
}

static cli_exit
write_file(int dir, const char *dir_name, const char *id, const char *suffix, const char *text,
		   const char *end, const char *member)
{
	char		name[128],
				path[4096];
	lc_buf		content;
	fault		f;
	bool		good;

	snprintf(name, sizeof(name), "%s.%s", id, suffix);
	snprintf(path, sizeof(path), "%s/%s", dir_name, name);
	lc_buf_init(&content, &cli_alloc);
	lc_buf_puts(&content, text);
	lc_buf_puts(&content, end);
	good = durable_create(dir, name, content.data, content.len, &f);
	lc_buf_free(&content);
	if (!good)
		return cli_error(CLI_USAGE, "%s: %s", dir_name, f.text);
	cli_print("%s", path);
	cli_json_text(member, path);
	return CLI_GOOD;
}

static cli_exit
write_both(const cli_args *args, const PGresult *event, const char *bundle)
{
	const char *out = cli_value(args, "out");
	const char *id = cli_operand(args, 0);
	bool		line = cli_has(args, "with-payload");
	lc_checkpoint checkpoint;
	fault		f;
	cli_exit	code;
	int			dir;

	if (!bundle_holds(bundle, db_text(event, 0, "envelope"), &checkpoint))
		return cli_error(CLI_FAILED, "the database's bundle does not prove event %s: verify the ledger", id);
	dir = durable_make_dir(out, &f);
	if (dir < 0)
		return cli_error(CLI_USAGE, "%s", f.text);
	code = write_file(dir, out, id, "event.json", db_text(event, 0, line ? "line" : "envelope"),
					  line ? "\n" : "", "event");
	if (code == CLI_GOOD)
		code = write_file(dir, out, id, "tlog-proof", bundle, "", "bundle");
	close(dir);
	cli_json_uint("treeSize", checkpoint.size);
	return code;
}

/* The row's envelope is made of its columns: what is proved is what they say. */
static PGresult *
read_event(PGconn *conn, const char *tenant, const char *id, fault *f)
{
	const char *values[] = {tenant, id};

	if (!db_select_tenant(conn, tenant, f))
		return NULL;
	return db_query(conn, f,
					"SELECT ledger.ledger_canonical_json(v.envelope) AS envelope,"
					" ledger.ledger_canonical_json(jsonb_build_object('envelope', v.envelope,"
					"  'eventHash', encode(e.event_hash, 'hex'), 'merkleLeafHash', encode(e.merkle_leaf_hash, 'hex'),"
					"  'payload', e.event_body, 'salt', translate(encode(e.payload_salt, 'base64'), E'\\n', ''))"
					"  || CASE WHEN e.evaluation IS NULL THEN '{}'"
					"  ELSE jsonb_build_object('evaluation', e.evaluation) END)"
					"  AS line"
					" FROM ledger.ledger_events AS e, LATERAL (SELECT ledger.ledger_event_envelope(e)) AS v (envelope)"
					" WHERE e.tenant_id = $1 AND e.event_id = $2", 2, values);
}

static cli_exit
prove(PGconn *conn, const cli_args *args, const char *tenant, const char *id)
{
	const char *values[] = {tenant, id};
	fault		f;
	PGresult   *bundle = db_query(conn, &f, "SELECT ledger.ledger_proof_bundle($1, $2) AS bundle", 2, values);
	PGresult   *event = bundle == NULL ? NULL : read_event(conn, tenant, id, &f);
	cli_exit	code;

	if (event == NULL)
		code = db_said(&f);
	else if (PQntuples(event) != 1)
		code = cli_error(CLI_NOT_FOUND, "tenant \"%s\" shows no event %s to this role", tenant, id);
	else
		code = write_both(args, event, db_text(bundle, 0, "bundle"));
	PQclear(bundle);
	PQclear(event);
	return code;
}

static cli_exit
proof(const cli_args *args)
{
	const char *id = cli_operand(args, 0);
	uint8_t		uuid[LC_UUID_LEN];
	PGconn	   *conn;
	cli_exit	code;

	/* It becomes a file's name. */
	if (lc_uuid_parse(id, strlen(id), uuid) != LC_OK)
		return cli_error(CLI_USAGE, "\"%s\" is no event id: a UUID in lower case", id);
	conn = db_connect(args);
	if (conn == NULL)
		return CLI_USAGE;
	code = prove(conn, args, cli_value(args, "tenant"), id);
	PQfinish(conn);
	return code;
}

static const cli_option options[] = {
	DB_OPTION,
	{"tenant", "NAME", "whose event it is", true, false},
	{"out", "DIR", "where the two files go; made if it is not there", true, false},
	{"with-payload", NULL, "with payload and salt, for a reader who may see them", false, false},
	{NULL, NULL, NULL, false, false}
};

const cli_command proof_command = {
	"proof", "EVENT_ID", 1, 1,
	"write an event and its proof bundle to files",
	"Writes what somebody without access to the database needs to check one event:\n"
	"its envelope, and the proof bundle that leads from it to the newest signed\n"
	"checkpoint that covers it.  ledgerctl verify-proof checks both with the log's\n"
	"public key.  The payload is in the envelope as a salted hash only; it is added,\n"
	"with its salt, on demand.  Status 4: there is no such event, or no signed\n"
	"checkpoint covers it yet.\n",
	options,
	"ledgerctl proof 0198c5f6-… --tenant acme --out evidence\n"
	"ledgerctl verify-proof evidence/0198c5f6-….tlog-proof --event evidence/0198c5f6-….event.json --key log.pub\n",
	proof, true
};
