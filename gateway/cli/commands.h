/*
 * commands.h
 *		The commands of ledgerctl that need no server, one file each.
 */
#ifndef LEDGERCTL_COMMANDS_H
#define LEDGERCTL_COMMANDS_H

#include "cli.h"

extern const cli_command cmd_keygen;
extern const cli_command cmd_verify_proof;
extern const cli_command cmd_verify_export;
extern const cli_command cmd_verify_findings;
extern const cli_command cmd_verify_checkpoints;
extern const cli_command cmd_verify_tiles;
extern const cli_command cmd_verify_report;
extern const cli_command cmd_inspect;

#endif
