/*
 * expected.h
 *		What a ledger must look like once a fixture was replayed: the file
 *		<fixture>.expected beside its lines (docs/formats.md section 13).
 *
 *		a line a chain			{chainId, rootHash, tenant, treeSize}
 *		a line a finding		{currentSequence, cycleHash, findingId, policyVersion, tenant}
 *		the last line			{chains, eventStreamChecksum, events, findings, projectionChecksum, schema}
 *
 * Chains come by (tenant, chain id), findings by (tenant, finding id, policy
 * version), as bytes: so two such files are compared line by line, in no more
 * memory than a line takes.
 */
#ifndef LEDGERCTL_EXPECTED_H
#define LEDGERCTL_EXPECTED_H

#include "lc_jsontree.h"
#include "lc_merkle.h"
#include "lc_uuid.h"
#include "lines.h"

#define EXPECTED_SUFFIX ".expected"
#define EXPECTED_SCHEMA "ledger.fixture.v1"

typedef struct expected_totals
{
	uint64_t	chains;
	uint64_t	events;
	uint64_t	findings;
	uint8_t		events_checksum[LC_HASH_LEN];
	uint8_t		projection_checksum[LC_HASH_LEN];
} expected_totals;

typedef struct expected_chain
{
	lc_str		tenant;
	uint8_t		chain_id[LC_UUID_LEN];
	uint64_t	size;
	uint8_t		root[LC_HASH_LEN];
} expected_chain;

typedef struct expected_finding
{
	lc_str		tenant;
	lc_str		finding_id;
	lc_str		policy_version;
	uint64_t	sequence;
	uint8_t		cycle_hash[LC_HASH_LEN];
} expected_finding;

/* Byte order, the shorter first: that of collation "C". */
extern int	expected_compare(lc_str a, lc_str b);

/* ---- written (expected_write.c) ---- */

extern void expected_put_chain(lc_buf *line, const expected_chain *chain);
extern void expected_put_finding(lc_buf *line, const expected_finding *finding);
extern void expected_put_totals(lc_buf *line, const expected_totals *totals);

/* ---- read (expected.c) ---- */

typedef enum expected_kind
{
	EXPECTED_CHAIN,
	EXPECTED_FINDING,
	EXPECTED_TOTALS,
	EXPECTED_END
} expected_kind;

typedef struct expected_file
{
	char	   *path;
	bool		present;
	line_reader lines;
	lc_jsontree *tree;			/* of the line at hand */
	expected_kind kind;			/* of the line at hand, whose content is one of: */
	expected_chain chain;
	expected_finding finding;
	expected_totals totals;
} expected_file;

/* Beside that fixture; a file that is not there is no error. */
extern cli_exit expected_open(expected_file *x, const char *fixture);

/* The next line becomes the one at hand; CLI_FAILED and a message for what is none, or out of order. */
extern cli_exit expected_next(expected_file *x);
extern void expected_close(expected_file *x);

#endif
