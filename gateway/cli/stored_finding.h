/*
 * stored_finding.h
 *		A tenant's findings as the database stores them, in the order of their
 *		ids; each cycle hash is recomputed here from the columns.
 */
#ifndef LEDGERCTL_STORED_FINDING_H
#define LEDGERCTL_STORED_FINDING_H

#include "lc_envelope.h"
#include "rows.h"

typedef struct stored_finding
{
	lc_projection columns;		/* borrow from the row */
	uint8_t		cycle_hash[LC_HASH_LEN];
} stored_finding;

typedef cli_exit (*finding_visit) (void *arg, const stored_finding *finding, fault *f);

/* In the order of (finding id, policy version) as bytes.  CLI_FAILED and the row's name where a hash does not hold. */
extern cli_exit findings_visit(PGconn *conn, const char *tenant, finding_visit visit, void *arg,
							   fault *f);

#endif
