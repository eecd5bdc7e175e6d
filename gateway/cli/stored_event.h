/*
 * stored_event.h
 *		A chain as the database stores it, read in its order; every hash is
 *		recomputed here from the columns, and must be the one that is stored.
 */
#ifndef LEDGERCTL_STORED_EVENT_H
#define LEDGERCTL_STORED_EVENT_H

#include "lc_envelope.h"
#include "rows.h"

typedef struct stored_event
{
	lc_event	event;			/* borrows from the row */
	bool		erased;			/* payload, salt and evaluation are gone */
	bool		has_evaluation;
	lc_str		salt;
	lc_buf		payload;		/* canonical, like the next two */
	lc_buf		evaluation;
	lc_buf		envelope;
	uint8_t		event_hash[LC_HASH_LEN];
	uint8_t		leaf_hash[LC_HASH_LEN];
} stored_event;

typedef cli_exit (*event_visit) (void *arg, const stored_event *event, fault *f);

/*
 * All events of a chain: salted hashes, envelope, event hash, leaf hash, the
 * link to the event before, numbers without gap from 1 on.  CLI_FAILED and the
 * row's name in the fault where one does not hold.
 */
extern cli_exit chain_visit(PGconn *conn, const char *tenant, const char *chain, event_visit visit,
							void *arg, fault *f);

#endif
