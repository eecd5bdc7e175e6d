/*
 * cli_internal.h
 *		Between options.c and dispatch.c only.
 */
#ifndef LEDGERCTL_CLI_INTERNAL_H
#define LEDGERCTL_CLI_INTERNAL_H

#include "cli.h"

struct cli_args
{
	const cli_command *command;
	struct
	{
		const cli_option *option;
		const char *value;
	}		   *given;
	size_t		ngiven;
	const char **operands;
	size_t		noperands;
};

/* What every command takes. */
extern const cli_option cli_common_options[];

/* Of the words behind the command's name.  Free it whatever it returned. */
extern cli_exit cli_args_read(cli_args *args, const cli_command *command, int argc, char **argv);
extern void cli_args_free(cli_args *args);

#endif
