/*
 * signer.h
 *		Signing one anchor, or refusing to.
 *
 * The database is not trusted: it says what to sign, and this side demands
 * that it extends what was signed before.  So whoever rewrites the database
 * cannot get a signature under what he made of it.
 */
#ifndef LEDGERCTL_SIGNER_H
#define LEDGERCTL_SIGNER_H

#include "db.h"
#include "state.h"

typedef struct signer
{
	PGconn	   *conn;
	lc_signer	key;
	char		key_id[LC_KEY_NAME_MAX + 16];
	state_dir	states;
	bool		require_state;	/* refuse a chain without a state file */
	bool		after_restore;	/* accept a rollback that the chain itself records */
	uint64_t	incarnation;	/* ledger_settings.incarnation in this run */
	const char *alarm;			/* of the last refusal: the reason that the metrics count */
} signer;

/* An anchor as the database hands it out; the strings are borrowed. */
typedef struct anchor_row
{
	const char *tenant;
	const char *chain;
	const char *anchor_id;
	const char *origin;
	const char *checkpoint;
	const char *dsse;
	uint64_t	size;
	uint8_t		root[LC_HASH_LEN];
} anchor_row;

typedef enum sign_outcome
{
	SIGN_DONE,
	SIGN_REFUSED,				/* not what was signed before, or not what it says it is */
	SIGN_FAILED					/* the environment does not allow it now: nothing is known */
} sign_outcome;

/* False, and a fault, if the row is none. */
extern bool anchor_row_read(const PGresult *result, int row, anchor_row *out, fault *f);

/* Judges, writes the state, signs, and stores the signatures in the database. */
extern sign_outcome signer_sign(signer *s, const anchor_row *row, fault *f);

/* ---- between signer.c, statement.c and history.c ---- */

/* What the row's checkpoint and statement say, found to agree with its columns. */
typedef struct anchor_claim
{
	char		origin[512];	/* the checkpoint's first line */
	lc_buf		text;			/* of the checkpoint, made here */
	lc_buf		payload;		/* the statement, canonical */
	uint64_t	previous_size;	/* 0: the chain's first anchor */
	uint8_t		previous_root[LC_HASH_LEN];
} anchor_claim;

extern bool claim_read(const anchor_row *row, anchor_claim *out, fault *f);
extern void claim_free(anchor_claim *claim);

/*
 * Does the anchor extend what was signed before, and the anchor before it?
 * *state becomes what is to be remembered: the larger of both.
 */
extern sign_outcome history_check(signer *s, const anchor_row *row, const anchor_claim *claim,
								  signer_state *state, fault *f);

#endif
