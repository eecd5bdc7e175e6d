/*
 * anchor.h
 *		External anchors: places outside the database that keep a signed
 *		checkpoint, or say when they saw it.  One interface, one file a kind.
 *
 * What they get is fixed by the anchor: the checkpoint with the one signature
 * line of the log's key, byte for byte the same at every try.
 */
#ifndef LEDGERCTL_ANCHOR_H
#define LEDGERCTL_ANCHOR_H

#include "fault.h"
#include "lc_merkle.h"
#include "lc_notekey.h"

typedef enum anchor_policy
{
	ANCHOR_OFF,
	ANCHOR_BEST_EFFORT,			/* a failure is told */
	ANCHOR_REQUIRED				/* a failure is an alarm and fails the run */
} anchor_policy;

typedef enum anchor_outcome
{
	ANCHOR_DONE,
	ANCHOR_FAILED,				/* this anchor, whatever becomes of others */
	ANCHOR_DOWN,				/* nobody answers: not worth asking for others in this run */
	ANCHOR_SUPERSEDED			/* a later checkpoint of the chain was taken already */
} anchor_outcome;

/* One anchor to be published.  The strings are NUL-terminated. */
typedef struct anchor_item
{
	const char *tenant;
	const char *chain;
	const char *anchor_id;
	uint64_t	size;
	lc_str		text;			/* what the log's key signed */
	lc_str		checkpoint;		/* text, empty line, signature line of the log's key */
	lc_str		dsse;			/* the statement's envelope with that key's signature */
	uint64_t	witnessed;		/* size of the newest checkpoint that this witness cosigned; 0: none */
	/* Hashes from a smaller size of this chain to size. */
	bool		(*consistency) (const struct anchor_item *item, uint64_t from, lc_proof *out, fault *f);
	void	   *arg;
} anchor_item;

/* What is stored about it (ledger_store_receipt). */
typedef struct anchor_receipt
{
	lc_buf		reference;
	lc_buf		receipt;
} anchor_receipt;

typedef struct external_anchor
{
	const char *kind;			/* worm, tsa, witness, airgap */
	anchor_policy policy;
	char		name[1024];		/* which one of its kind: the receipt's key */
	anchor_outcome (*publish) (struct external_anchor *self, const anchor_item *item,
							   anchor_receipt *out, fault *f);
	void		(*close) (struct external_anchor *self);
	void	   *data;
} external_anchor;

/* Each makes its kind ready: what is wrong with its settings is found before anything is published. */
extern bool anchor_worm_open(external_anchor *self, const char *directory, fault *f);
extern bool anchor_airgap_open(external_anchor *self, const char *directory, const char *bundle, fault *f);
extern bool anchor_tsa_open(external_anchor *self, const char *url, const char *ca_file,
							const char *policy_oid, fault *f);
extern bool anchor_witness_open(external_anchor *self, const char *url, const lc_verifier *key, fault *f);

#endif
