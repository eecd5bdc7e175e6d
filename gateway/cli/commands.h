/*
 * commands.h
 *		The commands of ledgerctl that need no server.
 */
#ifndef LEDGERCTL_COMMANDS_H
#define LEDGERCTL_COMMANDS_H

#include "cli.h"

#endif
