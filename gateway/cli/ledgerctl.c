/*
 * ledgerctl.c
 *		The program for whoever checks a ledger from outside: no server, no
 *		libpq, nothing but the core and libcrypto.
 *
 * What needs the database or the network is another program, ledgerctl-online,
 * so that an auditor's machine need not have any of it.  This one knows its
 * commands by name and becomes it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"

#define ONLINE_PROGRAM "ledgerctl-online"
#define PATH_MAX_LEN 4096

/* The directory this program lies in, without a slash at its end. */
static bool
own_directory(char *dir, size_t size)
{
	ssize_t		n = readlink("/proc/self/exe", dir, size - 1);
	char	   *slash;

	if (n <= 0)
		return false;
	dir[n] = '\0';
	slash = strrchr(dir, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	return true;
}

/*
 * Become ledgerctl-online: beside this program (a build), or where make
 * install puts it.  Never one that PATH names: it is given the signing key.
 */
static cli_exit
become_online(const char *command, char **argv)
{
	static const char *const places[] = {"/" ONLINE_PROGRAM,
	"/../libexec/findings-ledger/" ONLINE_PROGRAM};
	char		dir[PATH_MAX_LEN];
	char		path[PATH_MAX_LEN + 64];

	if (!own_directory(dir, sizeof(dir)))
		return cli_error(CLI_USAGE, "cannot tell where this program lies: %s", strerror(errno));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
	{
		snprintf(path, sizeof(path), "%s%s", dir, places[i]);
		execv(path, argv);
		if (errno != ENOENT && errno != ENOTDIR)
			return cli_error(CLI_USAGE, "%s: %s", path, strerror(errno));
	}
	return cli_error(CLI_USAGE, "%s is a command of " ONLINE_PROGRAM ", which is not installed",
					 command);
}

/*
 * Of another program: the list shows it, and running it is handed over.  A
 * test compares these names with the commands of ledgerctl-online.
 */
#define ONLINE(name, summary) {name, "", 0, 0, summary, "", NULL, "", NULL, true}
#define END {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, false}

int
main(int argc, char **argv)
{
	const cli_command commands[] = {
		cmd_keygen,
		cmd_verify_proof,
		cmd_verify_export,
		cmd_verify_findings,
		cmd_verify_checkpoints,
		cmd_verify_tiles,
		cmd_verify_report,
		cmd_inspect,
		ONLINE("migrate", "bring the database to the present release (needs the database)"),
		ONLINE("status", "show what there is, how late it is, and what is wrong (needs the database)"),
		ONLINE("checklist", "run the post-deploy checklist, each point with evidence (needs the database)"),
		ONLINE("tenant", "create and list tenants, and say who may touch them (needs the database)"),
		ONLINE("anchor", "anchor, sign and publish the heads of chains (needs the database)"),
		ONLINE("verify", "verify the database's ledger (needs the database)"),
		ONLINE("rebuild", "fold findings, history and actions anew from the events (needs the database)"),
		ONLINE("export-tiles", "write a chain's tiles to a directory (needs the database)"),
		ONLINE("proof", "write an event and its proof bundle to files (needs the database)"),
		ONLINE("export", "write events to a file that replay and an import take (needs the database)"),
		ONLINE("replay", "make a ledger again and compare every hash (needs the database)"),
		ONLINE("backup", "back the whole ledger up, with a manifest of its heads (needs the database)"),
		END
	};
	const cli_program program = {
		"ledgerctl",
		"Runs a ledger, makes its keys, and checks, without its server, what it hands out.\n",
		commands, become_online
	};

	return cli_main(&program, argc, argv);
}
