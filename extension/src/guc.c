/*
 * guc.c
 *		The settings ledger.*.  None of them is a permission: whatever weakens
 *		a promise is PGC_SUSET and shows in ledger_guard_state().
 */
#include "ledger.h"

#include <limits.h>

/*
 * The longest canonical payload, in bytes.  The limit keeps one event from
 * making every later verification slow; large content belongs elsewhere, with
 * its digest in the payload.
 */
int			ledger_max_payload_bytes = 1024 * 1024;

/*
 * Each chain that a transaction appends to holds one lock until it ends, and
 * the shared lock table is finite: 20,000 chains in one statement end in "out
 * of shared memory", which can hit innocent sessions.
 */
int			ledger_max_chains_per_transaction = 1000;

/*
 * Release the chain's lock before the WAL flush and flush before the answer
 * (commit.c).  Off only to measure what it is worth, or to rule it out.
 */
bool		ledger_pipelined_commit = true;

/*
 * Let a session with synchronous_commit = off lose acknowledged appends in a
 * crash.  Without it such a session's appends are flushed all the same.
 */
bool		ledger_allow_lossy_append = false;

/*
 * When a chain is due to be anchored, where its tenant has nothing of its own
 * (ledger_set_anchoring).  Read in SQL; anchoring sooner or later weakens no
 * promise, so whoever drives the tick may set them.
 */
static int	anchor_batch_size = 1000;
static int	anchor_window = 900;
static int	anchor_interval = 0;

static void
define_anchor_settings(void)
{
	DefineCustomIntVariable("ledger.anchor_batch_size",
							"A chain is anchored when it has so many new events.",
							"ledger_set_anchoring() overrides it for a tenant.",
							&anchor_batch_size, 1000, 1, INT_MAX,
							PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomIntVariable("ledger.anchor_window",
							"A chain is anchored when its first new event is so old.",
							"ledger_set_anchoring() overrides it for a tenant.",
							&anchor_window, 900, 1, INT_MAX,
							PGC_USERSET, GUC_UNIT_S, NULL, NULL, NULL);
	DefineCustomIntVariable("ledger.anchor_interval",
							"A chain is anchored when its first new event is so old, if that is sooner; 0: never.",
							"ledger_set_anchoring() overrides it for a tenant.",
							&anchor_interval, 0, 0, INT_MAX,
							PGC_USERSET, GUC_UNIT_S, NULL, NULL, NULL);
}

void
ledger_guc_init(void)
{
	DefineCustomIntVariable("ledger.max_payload_bytes",
							"Longest payload of an event, in bytes of its canonical form.",
							NULL, &ledger_max_payload_bytes,
							1024 * 1024, 1024, 64 * 1024 * 1024,
							PGC_SUSET, GUC_UNIT_BYTE, NULL, NULL, NULL);
	DefineCustomIntVariable("ledger.max_chains_per_transaction",
							"How many chains one transaction may append to.",
							"Each holds a lock until the transaction ends.",
							&ledger_max_chains_per_transaction,
							1000, 1, INT_MAX,
							PGC_SUSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("ledger.pipelined_commit",
							 "Release chain locks before the WAL flush, and flush before the answer.",
							 NULL, &ledger_pipelined_commit, true,
							 PGC_USERSET, 0, NULL, NULL, NULL);
	DefineCustomBoolVariable("ledger.allow_lossy_append",
							 "Let sessions with synchronous_commit = off append without a flush.",
							 "A crash can then lose acknowledged events.",
							 &ledger_allow_lossy_append, false,
							 PGC_SUSET, 0, NULL, NULL, NULL);
	define_anchor_settings();
	MarkGUCPrefixReserved("ledger");
}
