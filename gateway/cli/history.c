/*
 * history.c
 *		Does an anchor extend what this signer signed before?
 *
 * "Before" is the state file; without one the newest checkpoint in the
 * database that carries a valid signature of the signer's key, which is said
 * aloud, because whoever can rewrite the database can take newer ones away.
 * Proofs come from the database; they are judged here.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lc_note.h"
#include "signer.h"

/* What stands for the past of a chain. */
typedef struct basis
{
	bool		known;			/* false: nothing was ever signed, as far as can be seen */
	const char *source;
	signer_state state;
} basis;

/*
 * Does the tree of size1 and root1 grow into that of size2 and root2?  That the
 * database has no such trees any more is an answer too: no.
 */
static sign_outcome
extends(signer *s, const anchor_row *row, uint64_t size1, const uint8_t *root1,
		uint64_t size2, const uint8_t *root2, fault *f)
{
	lc_proof	proof;

	if (size1 == size2)
	{
		if (memcmp(root1, root2, LC_HASH_LEN) == 0)
			return SIGN_DONE;
		fault_set(f, "the root of size %" PRIu64 " is another one", size1);
		return SIGN_REFUSED;
	}
	if (!db_consistency(s->conn, row->tenant, row->chain, size1, size2, &proof, f))
		return strcmp(db_sqlstate(), "LG400") == 0 || strcmp(db_sqlstate(), "LG404") == 0
			? SIGN_REFUSED : SIGN_FAILED;
	if (lc_merkle_verify_consistency(size1, root1, size2, root2,
									 (const uint8_t (*)[LC_HASH_LEN]) proof.hashes, proof.count) == LC_OK)
		return SIGN_DONE;
	fault_set(f, "size %" PRIu64 " does not grow into size %" PRIu64, size1, size2);
	return SIGN_REFUSED;
}

/* The smaller one first, whichever that is. */
static sign_outcome
extends_basis(signer *s, const anchor_row *row, const basis *b, fault *f)
{
	if (b->state.size <= row->size)
		return extends(s, row, b->state.size, b->state.root, row->size, row->root, f);
	return extends(s, row, row->size, row->root, b->state.size, b->state.root, f);
}

/* A stored checkpoint that the signer's own key signed, of this chain and that size. */
static bool
own_checkpoint(const signer *s, const anchor_claim *claim, const char *text, uint64_t size,
			   basis *out)
{
	lc_note		note;
	lc_checkpoint checkpoint;
	size_t		n = strlen(claim->origin);

	if (lc_note_parse(text, strlen(text), &note) != LC_OK ||
		lc_note_verify(&note, &s->key.verifier, NULL, &cli_alloc) != LC_OK ||
		lc_checkpoint_parse(note.text.s, note.text.n, &checkpoint) != LC_OK ||
		checkpoint.size != size || checkpoint.origin.n != n ||
		memcmp(checkpoint.origin.s, claim->origin, n) != 0)
		return false;
	out->known = true;
	out->source = "the newest stored checkpoint that its key signed";
	snprintf(out->state.origin, sizeof(out->state.origin), "%s", claim->origin);
	out->state.size = size;
	memcpy(out->state.root, checkpoint.root, LC_HASH_LEN);
	return true;
}

/* The newest such checkpoint of at most max leaves (0: of any size). */
static sign_outcome
basis_from_database(signer *s, const anchor_row *row, const anchor_claim *claim, uint64_t max,
					basis *out, fault *f)
{
	char		limit[24];
	const char *values[] = {row->tenant, row->chain, s->key_id, max == 0 ? NULL : limit};
	PGresult   *result;
	sign_outcome outcome = SIGN_DONE;

	out->known = false;
	snprintf(limit, sizeof(limit), "%" PRIu64, max);
	result = db_query(s->conn, f,
					  "SELECT tree_size, checkpoint"
					  " FROM ledger.ledger_signed_checkpoints($1, $2, $3, $4)", 4, values);
	if (result == NULL)
		return SIGN_FAILED;
	for (int i = 0; i < PQntuples(result) && !out->known; i++)
	{
		uint64_t	size;

		if (!db_uint(result, i, "tree_size", &size) ||
			!own_checkpoint(s, claim, db_text(result, i, "checkpoint"), size, out))
			cli_note("%s/%s: a stored checkpoint bears the name of %s and is not signed by it",
					 row->tenant, row->chain, s->key_id);
	}
	/* Someone wrote the key's name where it did not sign: that is no "nothing signed yet". */
	if (PQntuples(result) > 0 && !out->known)
	{
		fault_set(f, "checkpoints bear the name of its key, and none is signed by it");
		outcome = SIGN_REFUSED;
	}
	PQclear(result);
	return outcome;
}

/* Said once for a chain: its next anchor finds what this one left. */
static void
tell_basis(const anchor_row *row, const basis *b)
{
	if (b->known)
		cli_note("%s/%s: no state of this signer; compared with %s, size %" PRIu64, row->tenant,
				 row->chain, b->source, b->state.size);
	else
		cli_note("%s/%s: no state of this signer and no checkpoint that its key signed: "
				 "size %" PRIu64 " is taken as the database shows it", row->tenant, row->chain,
				 row->size);
}

static sign_outcome
basis_find(signer *s, const anchor_row *row, const anchor_claim *claim, basis *out, fault *f)
{
	bool		absent = true;
	sign_outcome outcome;

	if (s->states.fd >= 0 &&
		!state_read(&s->states, row->tenant, row->chain, &out->state, &absent, f))
	{
		s->alarm = "signer_state";
		return SIGN_REFUSED;
	}
	if (!absent)
	{
		out->known = true;
		out->source = "its state";
		return SIGN_DONE;
	}
	if (s->require_state)
	{
		s->alarm = "signer_state";
		fault_set(f, "the signer has no state of this chain, and --require-state is given");
		return SIGN_REFUSED;
	}
	outcome = basis_from_database(s, row, claim, 0, out, f);
	if (outcome == SIGN_DONE)
		tell_basis(row, out);
	return outcome;
}

/*
 * Was the chain rolled back below what was signed, by a restore that the chain
 * itself records and that came after that signature?  *last is then the last
 * sequence that survived.
 */
static sign_outcome
rolled_back(signer *s, const anchor_row *row, const basis *b, uint64_t *last, fault *f)
{
	const char *values[] = {row->tenant, row->chain};
	PGresult   *result = db_query(s->conn, f,
								  "SELECT sequence_no, last_sequence, incarnation, recorded_at, reason"
								  " FROM ledger.ledger_incarnations($1, $2) ORDER BY sequence_no DESC",
								  2, values);
	sign_outcome outcome = SIGN_REFUSED;

	if (result == NULL)
		return SIGN_FAILED;
	for (int i = 0; i < PQntuples(result) && outcome == SIGN_REFUSED; i++)
	{
		uint64_t	sequence,
					incarnation;

		if (!db_uint(result, i, "sequence_no", &sequence) ||
			!db_uint(result, i, "last_sequence", last) ||
			!db_uint(result, i, "incarnation", &incarnation) ||
			*last >= b->state.size || sequence != *last + 1 || incarnation <= b->state.incarnation)
			continue;
		outcome = SIGN_DONE;
		cli_note("%s/%s: rolled back from %" PRIu64 " to %" PRIu64 " by a restore recorded at %s (%s); "
				 "accepted by --after-restore", row->tenant, row->chain, b->state.size, *last,
				 db_text(result, i, "recorded_at"), db_text(result, i, "reason"));
	}
	PQclear(result);
	return outcome;
}

/* The old state goes aside; what survived and was signed stands for the past. */
static sign_outcome
accept_rollback(signer *s, const anchor_row *row, const anchor_claim *claim, basis *b, fault *f)
{
	uint64_t	last;
	fault		why = *f;
	sign_outcome outcome = rolled_back(s, row, b, &last, f);
	basis		old = *b;

	if (outcome != SIGN_DONE)
	{
		if (outcome == SIGN_REFUSED)
			*f = why;
		return outcome;
	}
	if (last > 0)
		outcome = basis_from_database(s, row, claim, last, b, f);
	else
		b->known = false;
	if (outcome != SIGN_DONE)
		return outcome;
	tell_basis(row, b);
	if (b->known && (outcome = extends_basis(s, row, b, f)) != SIGN_DONE)
		return outcome;
	if (s->states.fd >= 0 && !state_retire(&s->states, row->tenant, row->chain, &old.state, f))
		return SIGN_FAILED;
	return SIGN_DONE;
}

static sign_outcome
check_basis(signer *s, const anchor_row *row, const anchor_claim *claim, basis *b, fault *f)
{
	sign_outcome outcome;

	if (strcmp(b->state.origin, claim->origin) != 0)
	{
		fault_set(f, "%s is of the log \"%s\", the anchor of \"%s\"", b->source, b->state.origin,
				  claim->origin);
		return SIGN_REFUSED;
	}
	outcome = extends_basis(s, row, b, f);
	if (outcome == SIGN_REFUSED && s->after_restore)
		outcome = accept_rollback(s, row, claim, b, f);
	if (outcome == SIGN_REFUSED)
		fault_at(f, "size %" PRIu64 " is not consistent with size %" PRIu64 ", %s", row->size,
				 b->state.size, b->source);
	return outcome;
}

/* The statement names the root before; it is signed too, so it must be true. */
static sign_outcome
check_previous(signer *s, const anchor_row *row, const anchor_claim *claim, fault *f)
{
	sign_outcome outcome;

	if (claim->previous_size == 0)
		return SIGN_DONE;
	outcome = extends(s, row, claim->previous_size, claim->previous_root, row->size, row->root, f);
	if (outcome == SIGN_REFUSED)
		fault_at(f, "size %" PRIu64 " does not extend the root that its statement names before it",
				 row->size);
	return outcome;
}

sign_outcome
history_check(signer *s, const anchor_row *row, const anchor_claim *claim, signer_state *state,
			  fault *f)
{
	basis		b;
	sign_outcome outcome = basis_find(s, row, claim, &b, f);

	if (outcome == SIGN_DONE && b.known)
		outcome = check_basis(s, row, claim, &b, f);
	if (outcome == SIGN_DONE)
		outcome = check_previous(s, row, claim, f);
	if (outcome != SIGN_DONE)
		return outcome;
	if (b.known && b.state.size > row->size)
	{
		*state = b.state;
		return SIGN_DONE;
	}
	snprintf(state->origin, sizeof(state->origin), "%s", claim->origin);
	state->size = row->size;
	memcpy(state->root, row->root, LC_HASH_LEN);
	state->incarnation = s->incarnation;
	return SIGN_DONE;
}
