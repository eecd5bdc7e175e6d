/*
 * cmd_backup.c
 *		ledgerctl backup: the whole database, the cluster's roles, and what a
 *		restore of them must hold at least.
 *
 * The manifest and the dump are of one snapshot: what the manifest says of
 * heads is what the dump has, while events are appended.  A role that row
 * security would show a part is refused, since such a dump looks whole.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "durable.h"
#include "json_put.h"
#include "online.h"

#define BACKUP_ROLE "ledger_backup"
#define KEEP_MAX 100000

typedef struct backup_run
{
	PGconn	   *conn;
	backup_dir	dir;
	const char *role;			/* whom to become, NULL: nobody */
	int			stop;			/* readable when a signal came */
	PGresult   *facts;
	PGresult   *chains;
	uint64_t	events;
} backup_run;

/* ---- the snapshot ---- */

/* A superuser sees all; others as ledger_backup, or by a BYPASSRLS of their own. */
#define WHO \
	"SELECT current_user AS name, r.rolsuper AS super, r.rolbypassrls AS bypass," \
	" coalesce((SELECT pg_has_role(b.oid, 'MEMBER') FROM pg_roles AS b WHERE b.rolname = '" BACKUP_ROLE "'), false)" \
	" AS member FROM pg_roles AS r WHERE r.rolname = current_user"

static bool
choose_role(backup_run *x, fault *f)
{
	PGresult   *who = db_query(x->conn, f, WHO, 0, NULL);
	bool		good = who != NULL;

	if (!good)
		return false;
	if (*db_text(who, 0, "super") == 't')
		x->role = NULL;
	else if (*db_text(who, 0, "member") == 't')
		x->role = BACKUP_ROLE;
	else if (*db_text(who, 0, "bypass") != 't')
		good = fault_set(f, "row security shows \"%s\" a part of the ledger: back up as a superuser, or as a member of"
						 " " BACKUP_ROLE " (GRANT " BACKUP_ROLE " TO …)", db_text(who, 0, "name"));
	PQclear(who);
	return good;
}

static bool
command(PGconn *conn, const char *sql, fault *f)
{
	PGresult   *result = db_query(conn, f, sql, 0, NULL);

	PQclear(result);
	return result != NULL;
}

/* It is idle while pg_dump works.  Without row security a query that it would cut is an error. */
static bool
begin(backup_run *x, fault *f)
{
	return command(x->conn, "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY", f) &&
		command(x->conn, "SELECT set_config('idle_in_transaction_session_timeout', '0', true),"
				" set_config('statement_timeout', '0', true), set_config('row_security', 'off', true)", f) &&
		(x->role == NULL || command(x->conn, "SET LOCAL ROLE " BACKUP_ROLE, f));
}

#define FACTS \
	"SELECT to_char(now(), 'YYYYMMDD\"T\"HH24MISS\"Z\"') AS stamp," \
	" to_char(now(), 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') AS taken," \
	" pg_export_snapshot() AS snapshot, current_setting('server_version') AS server, current_database() AS name," \
	" (SELECT extversion FROM pg_extension WHERE extname = 'findings_ledger') AS extension," \
	" (SELECT max(version) FROM ledger.ledger_schema_migrations) AS schema," \
	" s.origin, s.instance_id, s.incarnation FROM ledger.ledger_settings AS s"

/* A chain's sequence has no gaps, so that of its head is how many events it has. */
#define CHAINS \
	"SELECT c.tenant_id AS tenant, c.chain_id AS chain, c.policy_version AS policy, h.sequence_no AS sequence," \
	" h.event_hash AS hash, a.checkpoint FROM ledger.ledger_chains AS c" \
	" CROSS JOIN LATERAL (SELECT e.sequence_no, e.event_hash FROM ledger.ledger_events AS e" \
	"  WHERE e.tenant_id = c.tenant_id AND e.chain_id = c.chain_id ORDER BY e.sequence_no DESC LIMIT 1) AS h" \
	" LEFT JOIN LATERAL (SELECT r.checkpoint FROM ledger.ledger_merkle_roots AS r" \
	"  WHERE r.tenant_id = c.tenant_id AND r.chain_id = c.chain_id AND strpos(r.checkpoint, E'\\n\\n') > 0" \
	"  ORDER BY r.tree_size DESC LIMIT 1) AS a ON true" \
	" ORDER BY c.tenant_id, c.chain_id"

static bool
read_facts(backup_run *x, fault *f)
{
	x->facts = db_query(x->conn, f, FACTS, 0, NULL);
	if (x->facts == NULL)
		return false;
	if (PQntuples(x->facts) != 1)
		return fault_set(f, "the database has no settings of a ledger");
	x->chains = db_query(x->conn, f, CHAINS, 0, NULL);
	return x->chains != NULL;
}

/* ---- the manifest ---- */

static bool
put_chain(lc_jcs *w, const PGresult *chains, int i, fault *f)
{
	uint8_t		hash[LC_HASH_LEN];
	uint64_t	sequence;

	if (!db_uint(chains, i, "sequence", &sequence) || !db_hash(chains, i, "hash", hash))
		return fault_set(f, "the database names a head of chain %s that is none", db_text(chains, i, "chain"));
	lc_jcs_begin_object(w);
	json_put_text(w, "tenant", db_text(chains, i, "tenant"));
	json_put_text(w, "chain", db_text(chains, i, "chain"));
	json_put_text(w, "policyVersion", db_text(chains, i, "policy"));
	json_put_uint(w, "sequence", sequence);
	json_put_hash(w, "eventHash", hash);
	if (!db_is_null(chains, i, "checkpoint"))
		json_put_text(w, "checkpoint", db_text(chains, i, "checkpoint"));
	lc_jcs_end_object(w);
	return true;
}

/* Chains come by tenant. */
static void
put_tenants(lc_jcs *w, backup_run *x)
{
	const PGresult *chains = x->chains;
	uint64_t	events = 0,
				one = 0;

	json_put_key(w, "tenants");
	lc_jcs_begin_array(w);
	for (int i = 0; i < PQntuples(chains); i++)
	{
		db_uint(chains, i, "sequence", &one);
		events += one;
		if (i + 1 < PQntuples(chains) && strcmp(db_text(chains, i, "tenant"), db_text(chains, i + 1, "tenant")) == 0)
			continue;
		lc_jcs_begin_object(w);
		json_put_text(w, "tenant", db_text(chains, i, "tenant"));
		json_put_uint(w, "events", events);
		lc_jcs_end_object(w);
		x->events += events;
		events = 0;
	}
	lc_jcs_end_array(w);
}

static bool
put_file(lc_jcs *w, backup_run *x, const char *file, fault *f)
{
	uint8_t		digest[LC_HASH_LEN];
	uint64_t	size;

	if (!backup_dir_seal(&x->dir, file, &size, digest, f))
		return false;
	lc_jcs_begin_object(w);
	json_put_text(w, "name", file);
	json_put_uint(w, "bytes", size);
	json_put_hash(w, "sha256", digest);
	lc_jcs_end_object(w);
	return true;
}

static bool
put_manifest(lc_jcs *w, backup_run *x, fault *f)
{
	static const char *const members[][2] = {
		{"taken", "takenAt"}, {"server", "serverVersion"}, {"name", "database"}, {"extension", "extensionVersion"},
		{"schema", "schemaVersion"}, {"origin", "origin"}, {"instance_id", "instance"}
	};
	uint64_t	incarnation = 0;
	bool		good = true;

	db_uint(x->facts, 0, "incarnation", &incarnation);
	json_put_text(w, "kind", BACKUP_KIND);
	json_put_uint(w, "formatVersion", 1);
	json_put_uint(w, "incarnation", incarnation);
	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++)
		json_put_text(w, members[i][1], db_text(x->facts, 0, members[i][0]));
	put_tenants(w, x);
	json_put_key(w, "chains");
	lc_jcs_begin_array(w);
	for (int i = 0; good && i < PQntuples(x->chains); i++)
		good = put_chain(w, x->chains, i, f);
	lc_jcs_end_array(w);
	json_put_key(w, "files");
	lc_jcs_begin_array(w);
	good = good && put_file(w, x, BACKUP_DUMP, f) && put_file(w, x, BACKUP_GLOBALS, f);
	lc_jcs_end_array(w);
	return good;
}

static bool
write_manifest(backup_run *x, fault *f)
{
	lc_buf		text;
	lc_jcs	   *w;
	bool		good;

	lc_buf_init(&text, &cli_alloc);
	w = lc_jcs_new(&text, &cli_alloc);
	lc_jcs_begin_object(w);
	good = put_manifest(w, x, f);
	lc_jcs_end_object(w);
	if (good && lc_jcs_finish(w) != LC_OK)
		good = fault_set(f, "the database names what is no text: %s", lc_status_text(text.status));
	lc_jcs_free(w);
	good = good && durable_create(x->dir.work, BACKUP_MANIFEST, text.data, text.len, f);
	lc_buf_free(&text);
	return good;
}

/* ---- the command ---- */

/* Being told to end is heard between two steps and while a program runs: what was begun is removed. */
static int
hear_signals(void)
{
	sigset_t	set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static bool
make_backup(backup_run *x, fault *f)
{
	return begin(x, f) && read_facts(x, f) && backup_dir_begin(&x->dir, db_text(x->facts, 0, "stamp"), f) &&
		backup_run_programs(&x->dir, x->conn, db_text(x->facts, 0, "snapshot"), x->role, x->stop, f) &&
		write_manifest(x, f) && backup_dir_finish(&x->dir, f);
}

static cli_exit
tell(backup_run *x, uint64_t keep)
{
	uint64_t	removed = 0;
	fault		f;
	bool		good = keep == 0 || backup_dir_prune(&x->dir, keep, &removed, &f);
	char		path[4096];

	snprintf(path, sizeof(path), "%s/%s", x->dir.path, x->dir.name);
	cli_print("%s: %" PRIu64 " events in %d chains", path, x->events, PQntuples(x->chains));
	if (removed > 0)
		cli_print("removed %" PRIu64 " older", removed);
	cli_json_text("backup", path);
	cli_json_uint("events", x->events);
	cli_json_uint("chains", (uint64_t) PQntuples(x->chains));
	cli_json_uint("removed", removed);
	return good ? CLI_GOOD : cli_error(CLI_USAGE, "the backup is made, but an older one is not removed: %s", f.text);
}

static cli_exit
backup(const cli_args *args)
{
	backup_run	x = {.dir = {.fd = -1, .work = -1}};
	uint64_t	keep = 0;
	cli_exit	code = cli_number(args, "keep", 1, KEEP_MAX, &keep);
	fault		f;

	if (code != CLI_GOOD || (x.conn = db_connect(args)) == NULL)
		return CLI_USAGE;
	umask(077);
	x.stop = hear_signals();
	/* Who may not is told before anything is written. */
	if (choose_role(&x, &f) && backup_dir_open(&x.dir, cli_value(args, "dir"), &f) && make_backup(&x, &f))
		code = tell(&x, keep);
	else
		code = cli_error(CLI_USAGE, "%s", f.text);
	backup_dir_close(&x.dir);
	PQclear(x.facts);
	PQclear(x.chains);
	PQfinish(x.conn);
	close(x.stop);
	return code;
}

static const cli_option options[] = {
	DB_OPTION,
	{"dir", "DIR", "where backups lie, each a directory of its own; made if it is not there", true, false},
	{"keep", "N", "then remove the oldest whole backups beyond so many; without it all stay", false, false},
	{NULL, NULL, NULL, false, false}
};

const cli_command backup_command = {
	"backup", "", 0, 0,
	"back the whole ledger up, with a manifest of its heads",
	"Makes DIR/ledger-<UTC time>/ with ledger.dump (pg_dump, custom format), globals.sql\n"
	"(pg_dumpall, without passwords) and manifest.json: versions, events of each tenant,\n"
	"the head of each chain with its newest signed checkpoint, size and SHA-256 of both\n"
	"files.  Dump and manifest are of one snapshot, the roles of globals.sql of a moment\n"
	"later; appends go on meanwhile.  While it is made its name ends in .partial; under\n"
	"its final name it is whole and on disk.\n"
	"\n"
	"For a superuser, or a member of ledger_backup; who would see a part is refused.\n"
	"pg_dump and pg_dumpall are those of PATH, not older than the server.  No option can\n"
	"be handed on to them: several make a dump that looks whole and is not.  They get the\n"
	"connection in a file that only its owner can read.\n",
	options,
	"ledgerctl backup --dir /var/backups/ledger --keep 14\n"
	"ledgerctl backup --dir /mnt/backups --json\n",
	backup, true
};
