/*
 * cmd_migrate.c
 *		ledgerctl migrate: brings a database to the present release, says what
 *		it has, or takes an empty ledger back.
 *
 * The one runner of migrations: it needs neither psql nor a shell, so that it
 * runs as a container's first step, and no password shows in a list of
 * processes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "migrate.h"
#include "online.h"
#include "span.h"

typedef struct migration_run
{
	migrator	m;
	const cli_args *args;
	uint64_t	to;				/* the last number that is wanted */
	uint64_t	changed;
} migration_run;

/* ---- what is told ---- */

static void
tell(const sql_file *file, size_t number, const char *outcome)
{
	cli_print("%s: %s", file->name, outcome);
	cli_json_object(NULL);
	cli_json_text("file", file->name);
	cli_json_uint("number", number);
	cli_json_text("outcome", outcome);
	cli_json_text("runsAs", migrations_runner(file));
	cli_json_text("sha256", file->sum);
	lc_jcs_end_object(cli_json());
}

static void
tell_end(const migration_run *run)
{
	const migrator *m = &run->m;
	size_t		pending = m->files->count - m->applied;

	cli_json_text("database", m->database);
	cli_json_uint("applied", m->applied);
	cli_json_uint("pending", pending);
	cli_json_uint("changed", run->changed);
}

/* ---- what is done ---- */

static cli_exit
only_look(migration_run *run, bool status)
{
	const migrator *m = &run->m;
	char		outcome[64];

	for (size_t i = 0; i < m->files->count && (status || i < run->to); i++)
	{
		snprintf(outcome, sizeof(outcome), "%s%s", status ? "pending, as " : "would be applied, as ",
				 migrations_runner(&m->files->list[i]));
		if (i >= m->applied || status)
			tell(&m->files->list[i], i + 1, i < m->applied ? "applied" : outcome);
	}
	if (!status || m->applied == m->files->count)
		return CLI_GOOD;
	return cli_error(CLI_FAILED, "database %s is not up to date: %zu of %zu migrations are pending; run ledgerctl "
					 "migrate", m->database, m->files->count - m->applied, m->files->count);
}

static cli_exit
forward(migration_run *run)
{
	migrator   *m = &run->m;
	cli_exit	code = CLI_GOOD;

	while (code == CLI_GOOD && m->applied < run->to)
	{
		size_t		number = m->applied + 1;
		bool		changed = false;

		code = migrator_apply(m, number, &changed);
		if (code != CLI_GOOD)
			break;
		m->applied = number;
		run->changed += changed;
		tell(&m->files->list[number - 1], number, changed ? "applied" : "already applied");
	}
	return code == CLI_GOOD ? migrator_record_events(m) : code;
}

static cli_exit
back(migration_run *run)
{
	migrator   *m = &run->m;
	cli_exit	code = CLI_GOOD;

	while (code == CLI_GOOD && m->applied > run->to)
	{
		size_t		number = m->applied;

		code = migrator_undo(m, number);
		if (code != CLI_GOOD)
			break;
		m->applied = number - 1;
		run->changed++;
		tell(&m->files->list[number - 1], number, "undone");
	}
	return code;
}

static cli_exit
act(migration_run *run)
{
	const migrator *m = &run->m;
	bool		undo = cli_has(run->args, "rollback-to");
	cli_exit	code;

	if (cli_has(run->args, "status") || cli_has(run->args, "dry-run"))
		return only_look(run, cli_has(run->args, "status"));
	code = undo ? back(run) : forward(run);
	if (code != CLI_GOOD)
		return code;
	if (run->changed == 0)
		cli_print("database %s is %s: nothing to do", m->database,
				  m->applied == m->files->count ? "up to date" : "where it was wanted");
	else if (undo)
		cli_print("database %s is at migration %zu: %zu undone", m->database, m->applied, (size_t) run->changed);
	else
		cli_print("database %s is %s: %zu applied", m->database,
				  m->applied == m->files->count ? "up to date" : "where it was wanted", (size_t) run->changed);
	return CLI_GOOD;
}

/* ---- the command ---- */

/* The number that --to or --rollback-to names must be one of a migration, or 0. */
static cli_exit
read_target(migration_run *run)
{
	size_t		count = run->m.files->count;

	run->to = count;
	if (cli_has(run->args, "rollback-to"))
		return cli_number(run->args, "rollback-to", 0, count, &run->to);
	return cli_number(run->args, "to", 1, count, &run->to);
}

static cli_exit
check_combination(const cli_args *args)
{
	const char *const modes[] = {"status", "dry-run", "rollback-to"};
	size_t		given = 0;

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		given += cli_has(args, modes[i]);
	if (given > 1 || (cli_has(args, "to") && (cli_has(args, "status") || cli_has(args, "rollback-to"))))
		return cli_error(CLI_USAGE, "--status, --dry-run and --rollback-to exclude each other, and --to goes with "
						 "--dry-run at most");
	return CLI_GOOD;
}

static cli_exit
wait_for_server(const cli_args *args, const char *dsn)
{
	const char *text = cli_value(args, "wait");
	uint64_t	milliseconds = 0;

	if (text == NULL)
		return CLI_GOOD;
	if (!span_parse(text, &milliseconds))
		return cli_error(CLI_USAGE, "--wait must be " SPAN_FORMS ", not \"%s\"", text);
	return db_wait(dsn, milliseconds) ? CLI_GOOD : CLI_USAGE;
}

static cli_exit
run_connected(migration_run *run, const char *dsn, const migrations *files)
{
	const char *superuser = cli_value(run->args, "superuser-connection");
	cli_exit	code = wait_for_server(run->args, dsn);

	if (code != CLI_GOOD)
		return code;
	if (superuser == NULL)
		superuser = setting("DB__SUPERUSERCONNECTIONSTRING");
	code = migrator_open(&run->m, dsn, superuser, files);
	if (code == CLI_GOOD)
	{
		cli_json_list("migrations");
		code = act(run);
		lc_jcs_end_array(cli_json());
		tell_end(run);
	}
	migrator_close(&run->m);
	return code;
}

static cli_exit
run_with_files(const cli_args *args, const migrations *files)
{
	migration_run run = {.args = args, .m = {.files = files}};
	lc_buf		dsn = {0};
	cli_exit	code = read_target(&run);

	if (code == CLI_GOOD)
		code = db_connection(args, &dsn);
	if (code == CLI_GOOD)
		code = run_connected(&run, dsn.data, files);
	if (dsn.alloc != NULL)
		lc_buf_free(&dsn);
	return code;
}

static cli_exit
migrate(const cli_args *args)
{
	const char *dir = cli_value(args, "dir");
	char	   *home = NULL;
	migrations	files;
	cli_exit	code = check_combination(args);

	if (code != CLI_GOOD)
		return code;
	if (dir == NULL)
	{
		home = migrations_home();
		if (home == NULL)
			return CLI_NOT_FOUND;
		dir = home;
	}
	code = migrations_read(dir, &files);
	if (code == CLI_GOOD)
		code = run_with_files(args, &files);
	migrations_free(&files);
	free(home);
	return code;
}

static const cli_option options[] = {
	DB_OPTION,
	{"superuser-connection", "CONNINFO", "for migrations that need a superuser, if the login is none; "
	"else LEDGER__DB__SUPERUSERCONNECTIONSTRING", false, false},
	{"dir", "DIR", "the migrations; else those of this release, as built or installed", false, false},
	{"status", NULL, "only say what is applied and what is pending (then the status is 3)", false, false},
	{"dry-run", NULL, "only say what would be applied", false, false},
	{"to", "N", "apply no migration behind this number", false, false},
	{"rollback-to", "N", "undo those behind this number; only while the ledger holds no events", false, false},
	{"wait", "TIME", "wait so long for the server to take connections, as 60s or 2m", false, false},
	{NULL, NULL, NULL, false, false}
};

const cli_command migrate_command = {
	"migrate", "", 0, 0,
	"bring the database to the present release",
	"Applies the migrations that the database does not have yet, each in one\n"
	"transaction under one lock: running again does nothing, several runners at once\n"
	"are safe, and what fails leaves nothing behind.  A file that was edited, is\n"
	"missing or is not what was applied is refused before anything is changed, with\n"
	"status 3.  Some files need a superuser; the others a member of ledger_owner.\n"
	"Passwords belong into the environment or a password file.\n",
	options,
	"ledgerctl migrate --connection \"$LEDGER__DB__CONNECTIONSTRING\"\n"
	"ledgerctl migrate --wait 60s\n"
	"ledgerctl migrate --status --json\n"
	"ledgerctl migrate --rollback-to 0\n",
	migrate, true
};
