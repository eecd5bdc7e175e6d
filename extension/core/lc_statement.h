/*
 * lc_statement.h
 *		What the ledger's DSSE envelopes say: the anchor statement
 *		(docs/formats.md section 7) and the verified-up-to mark.
 */
#ifndef LC_STATEMENT_H
#define LC_STATEMENT_H

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

/* Exactly these members, each well-formed, sequenceEnd = treeSize and leafCount = sequenceEnd - sequenceStart + 1; LC_ERR_SYNTAX else. */
extern lc_status lc_anchor_read(const lc_json *statement, lc_anchor *out);

#endif
