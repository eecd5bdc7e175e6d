/*
 * tree.h
 *		A chain's Merkle tree, and notes about it: what their files share.
 */
#ifndef LEDGER_TREE_H
#define LEDGER_TREE_H

#include "ledger.h"

#include "access/relscan.h"
#include "access/skey.h"
#include "lc_merkle.h"
#include "lc_notekey.h"

/* Which tree: a chain, as the caller's arguments. */
typedef struct TreeChain
{
	Datum		tenant;
	Datum		chain_id;
	Relation	leaf;
} TreeChain;

/* leafscan.c */
typedef struct LeafScan
{
	EventColumnMap columns;
	Relation	index;
	IndexScanDesc scan;
	TupleTableSlot *slot;
	/* Of the entry that ledger_leaf_scan_next() found. */
	int64		sequence_no;
} LeafScan;

extern void ledger_require_owner_context(const char *function);
extern void ledger_tree_open(TreeChain *chain, Datum tenant, Datum chain_id, const char *function);
extern void ledger_tree_close(TreeChain *chain);
extern void ledger_leaf_scan_begin(LeafScan *scan, const TreeChain *chain, int64 first, int64 last);
extern bool ledger_leaf_scan_next(LeafScan *scan, ScanDirection direction);
extern const uint8 *ledger_leaf_scan_hash(LeafScan *scan);
extern void ledger_leaf_scan_end(LeafScan *scan);
pg_attribute_noreturn() extern void ledger_leaf_missing(const TreeChain *chain, int64 sequence_no);

/* treesource.c */
typedef struct TreeSource TreeSource;

extern TreeSource *ledger_tree_source(const TreeChain *chain, int64 tree_size);
extern const lc_node_source *ledger_tree_nodes(TreeSource *source);

/* merkle.c */
extern bool ledger_proof_argument(FunctionCallInfo fcinfo, int n, lc_proof *proof);

/* note.c */
extern bool ledger_accepted(lc_status status, const char *what);
extern void ledger_key_argument(FunctionCallInfo fcinfo, int n, lc_verifier *key);

#endif
