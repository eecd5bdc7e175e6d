/*
 * online.h
 *		The commands of ledgerctl-online.
 */
#ifndef LEDGERCTL_ONLINE_H
#define LEDGERCTL_ONLINE_H

#include "cli.h"

extern const cli_command migrate_command;
extern const cli_command status_command;
extern const cli_command checklist_command;
extern const cli_command tenant_command;
extern const cli_command rebuild_command;
extern const cli_command anchor_command;
extern const cli_command verify_command;
extern const cli_command proof_command;
extern const cli_command export_tiles_command;
extern const cli_command export_command;
extern const cli_command replay_command;
extern const cli_command backup_command;

/* The signing key that --key-file or the environment names; CLI_NOT_FOUND and no message if none does. */
extern cli_exit signing_key(const cli_args *args, lc_signer *out);

#endif
