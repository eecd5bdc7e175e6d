/*
 * replay.h
 *		A replay: what is fed, what the ledger then holds, and what is told of
 *		it.
 *
 *		replay_prepare.c	the ledger is empty, and has the tenants
 *		replay_feed.c		lines into ledger_import(), several chains at once
 *		replay_events.c		events back out of it, every hash recomputed
 *		replay_locate.c		which event it is, where a chain is not the fixture's
 *		replay_findings.c	findings likewise, against what was expected
 *		replay_report.c		the report, and its signature
 */
#ifndef LEDGERCTL_REPLAY_H
#define LEDGERCTL_REPLAY_H

#include "checksum.h"
#include "fixture.h"
#include "latency.h"
#include "rows.h"
#include "tenants.h"

/* What a chain was found to be, all of it recomputed from the database's columns. */
typedef struct replay_chain
{
	const char *tenant;			/* of the list of tenants */
	char		id[40];
	uint8_t		chain_id[LC_UUID_LEN];
	char	   *policy;
	uint64_t	events;
	uint64_t	erased;
	uint64_t	anchors;		/* stored roots that were recomputed */
	uint8_t		root[LC_HASH_LEN];
	uint8_t		digest[LC_HASH_LEN];
	bool		parted;			/* not the chain of the fixture: to be looked at line by line */
} replay_chain;

typedef struct replay_totals
{
	uint64_t	events;
	uint64_t	erased;
	uint64_t	anchors;
	uint64_t	findings;
	uint64_t	history;
	uint64_t	actions;
	uint8_t		events_checksum[LC_HASH_LEN];
	uint8_t		roots_checksum[LC_HASH_LEN];
	uint8_t		projection_checksum[LC_HASH_LEN];
	uint8_t		before[LC_HASH_LEN];	/* the projection's, before a rebuild */
} replay_totals;

/* What differs between two runs of the same fixture, all in microseconds. */
typedef struct replay_timings
{
	char		started[32];
	char		finished[32];
	uint64_t	checked_us;		/* the first reading */
	uint64_t	fed_us;
	uint64_t	waited_us;		/* for the projection */
	uint64_t	rebuilt_us;
	uint64_t	verified_us;
	uint64_t	imported;
	uint64_t	present;		/* stored before: --resume */
	double		lag_seconds;
	latency		calls;			/* of ledger_import(), or of the rebuild */
} replay_timings;

typedef struct replay
{
	const cli_args *args;
	fixture    *fixture;		/* NULL: the ledger is rebuilt where it stands */
	bool		resume;
	uint64_t	batch;			/* lines in a call */
	uint64_t	wait_seconds;
	size_t		connections;
	PGconn	  **conns;			/* [0] is this thread's */
	tenant_list tenants;
	replay_chain *chains;		/* by (tenant, chain id) */
	size_t		chain_count;
	replay_totals totals;
	replay_timings timings;
	lc_buf		differences;	/* each ended by a NUL */
	size_t		difference_count;
} replay;

/* Remembers a difference and says it; returns CLI_FAILED. */
extern cli_exit replay_differs(replay *r, const fault *f);

/* Microseconds of a clock that only goes on. */
extern uint64_t replay_clock(void);

/* CLI_USAGE and a message if the ledger has events; else the fixture's tenants are there afterwards. */
extern cli_exit replay_prepare(replay *r);

/* Empties and folds again every tenant's projection. */
extern cli_exit replay_rebuild(replay *r);

/* All lines, through every connection. */
extern cli_exit replay_feed(replay *r);

/* Until no chain's projection is behind, for at most wait_seconds. */
extern cli_exit replay_wait(replay *r);

/* Differences are remembered: what is returned is whether it could be looked at. */
extern cli_exit replay_events(replay *r);
extern cli_exit replay_findings(replay *r);

/* The projection as it is before a rebuild; a note names a finding whose cycle hash does not hold. */
extern cli_exit replay_findings_before(replay *r);

/*
 * A chain whose hashes hold and which is not the fixture's: CLI_FAILED and the
 * first line that the database has otherwise.
 */
extern cli_exit replay_locate(const replay *r, const replay_chain *chain, fault *f);

/* Writes the report beside its signature; *signature is not there without a key. */
extern cli_exit replay_report(replay *r, const char *path, const lc_signer *key);

#endif
