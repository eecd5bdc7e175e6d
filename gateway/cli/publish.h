/*
 * publish.h
 *		Handing signed anchors to the external anchors that are configured.
 */
#ifndef LEDGERCTL_PUBLISH_H
#define LEDGERCTL_PUBLISH_H

#include "anchor.h"
#include "db.h"

#define PUBLISH_MAX 4

/* The external anchors of this deployment; none if they are not enabled. */
typedef struct publishers
{
	size_t		count;
	external_anchor anchors[PUBLISH_MAX];
} publishers;

/* From LEDGER__EXTERNALANCHORING__…; a message and CLI_USAGE if a setting is wrong. */
extern cli_exit publishers_open(publishers *p);
extern void publishers_close(publishers *p);

typedef struct publish_counts
{
	uint64_t	published[PUBLISH_MAX];
	uint64_t	failed;			/* best effort and required */
	uint64_t	required_failed;
} publish_counts;

/*
 * Publishes every signed anchor that has no receipt yet, the oldest of a chain
 * first, so what failed once is tried again.  own is the signer's key.  False
 * and a fault if the database does not answer; a failed publication is told
 * and counted.
 */
extern bool publish_all(PGconn *conn, publishers *p, const lc_verifier *own, const char *tenant,
						publish_counts *counts, fault *f);

#endif
