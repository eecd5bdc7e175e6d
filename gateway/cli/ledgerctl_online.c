/*
 * ledgerctl_online.c
 *		The commands that need the database or the network.  ledgerctl becomes
 *		this program when one of them is named.
 */
#include "online.h"

#define END {NULL, NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, false}

int
main(int argc, char **argv)
{
	const cli_command commands[] = {
		migrate_command,
		status_command,
		checklist_command,
		tenant_command,
		anchor_command,
		verify_command,
		rebuild_command,
		export_tiles_command,
		proof_command,
		export_command,
		replay_command,
		backup_command,
		END
	};
	const cli_program program = {
		"ledgerctl-online",
		"The part of ledgerctl that talks to the database and to other servers.\n",
		commands, NULL
	};

	return cli_main(&program, argc, argv);
}
