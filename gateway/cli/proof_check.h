/*
 * proof_check.h
 *		The judgement of verify-proof, on bytes: so that a test can put every
 *		mutation to it without starting a process for each.
 */
#ifndef LEDGERCTL_PROOF_CHECK_H
#define LEDGERCTL_PROOF_CHECK_H

#include "event.h"
#include "trust.h"

/* CLI_GOOD, or CLI_FAILED and what is wrong was told; adds to the JSON answer. */
extern cli_exit proof_check(const char *bundle_name, lc_str bundle, const char *event_name,
							lc_str event, const trust *t);

#endif
