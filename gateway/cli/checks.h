/*
 * checks.h
 *		A list of checks: what was looked at, whether it is as it must be, the
 *		values seen, and where it is not, what to do.
 */
#ifndef LEDGERCTL_CHECKS_H
#define LEDGERCTL_CHECKS_H

#include "cli.h"

typedef enum check_verdict
{
	CHECK_OK,
	CHECK_FAIL,
	CHECK_NONE,					/* not applicable, or not to be seen from here: fails nothing */
} check_verdict;

/* The list "checks" begins and ends; the end is CLI_FAILED if any failed, and names them. */
extern void checks_begin(void);
extern cli_exit checks_end(void);

/* One line; the format is the evidence, hint may be NULL and is shown only of what failed. */
extern void check_tell(const char *name, check_verdict verdict, const char *hint, const char *format, ...)
			CLI_PRINTF(4, 5);

#endif
