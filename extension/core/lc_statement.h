/*
 * lc_statement.h
 *		What the ledger's DSSE envelopes say: the anchor statement
 *		(docs/formats.md section 7) and the verified-up-to mark.
 */
#ifndef LC_STATEMENT_H
#define LC_STATEMENT_H

#include "lc_envelope.h"
#include "lc_jsontree.h"
#include "lc_sha256.h"
#include "lc_uuid.h"

#define LC_ANCHOR_TYPE "application/vnd.stella-ledger-anchor+json"
#define LC_MARK_TYPE "application/vnd.stella-ledger-verified+json"

/* Strings are borrowed from the tree that was read. */
typedef struct lc_anchor
{
	uint8_t		anchor_id[LC_UUID_LEN];
	uint8_t		chain_id[LC_UUID_LEN];
	lc_str		tenant;
	lc_str		policy_hash;
	lc_str		schema_version;
	uint8_t		root[LC_HASH_LEN];
	bool		has_previous_root;	/* absent in a chain's first anchor */
	uint8_t		previous_root[LC_HASH_LEN];
	uint64_t	tree_size;
	uint64_t	leaf_count;
	uint64_t	sequence_start;
	uint64_t	sequence_end;
	lc_str		window_start;	/* RFC 3339, docs/formats.md section 1 */
	lc_str		window_end;
} lc_anchor;

/*
 * Exactly these members, each well-formed, sequenceEnd = treeSize, leafCount =
 * sequenceEnd - sequenceStart + 1, previousRootHash absent exactly where
 * sequenceStart is 1; LC_ERR_SYNTAX else.
 */
extern lc_status lc_anchor_read(const lc_json *statement, lc_anchor *out);

#define LC_MARK_SCHEMA_V1 "ledger.verified.v1"

/* "Verified up to here." */
typedef struct lc_mark
{
	uint8_t		chain_id[LC_UUID_LEN];
	lc_str		mode;			/* full, or incremental: from the mark before */
	lc_str		origin;			/* of the log, ledger_settings */
	uint8_t		root[LC_HASH_LEN];
	lc_str		tenant;
	uint64_t	tree_size;
	lc_str		verified_at;	/* as window_start above */
} lc_mark;

/* Exactly these members and schemaVersion, each well-formed; LC_ERR_SYNTAX else. */
extern lc_status lc_mark_read(const lc_json *statement, lc_mark *out);

/*
 * Append it as canonical JSON; what lc_mark_read would not take makes the
 * buffer fail with LC_ERR_MISUSE.
 */
extern void lc_mark_format(lc_buf *out, const lc_mark *mark);

#endif
