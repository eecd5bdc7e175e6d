/*
 * signer.c
 *		Signing one anchor.
 */
#include <stdio.h>
#include <string.h>

#include "lc_dsse.h"
#include "lc_note.h"
#include "lc_statement.h"
#include "signer.h"

static bool
store(signer *s, const anchor_row *row, const lc_buf *line, const lc_buf *signature, fault *f)
{
	const char *values[] = {row->tenant, row->anchor_id, line->data, signature->data};
	PGresult   *result = db_query(s->conn, f,
								  "SELECT ledger.ledger_store_signature($1, $2, $3, $4)", 4, values);

	PQclear(result);
	return result != NULL;
}

/* From here on a signature leaves this program: the state is on disk already. */
static bool
sign_and_store(signer *s, const anchor_row *row, const anchor_claim *claim, fault *f)
{
	lc_str		type = {LC_ANCHOR_TYPE, strlen(LC_ANCHOR_TYPE)};
	lc_str		payload = {claim->payload.data, claim->payload.len};
	lc_buf		line,
				signature;
	bool		good;

	lc_buf_init(&line, &cli_alloc);
	lc_buf_init(&signature, &cli_alloc);
	if (lc_note_sign(&line, claim->text.data, claim->text.len, &s->key, 0, &cli_alloc) != LC_OK ||
		lc_dsse_sign_one(&signature, type, payload, &s->key, &cli_alloc) != LC_OK)
		good = fault_set(f, "OpenSSL cannot sign");
	else
		good = store(s, row, &line, &signature, f);
	lc_buf_free(&line);
	lc_buf_free(&signature);
	return good;
}

/*
 * The state goes first.  A crash between both leaves an anchor without its
 * signature, which the next run finds equal to the state and signs; the other
 * way round it would leave a signature that the signer does not know of.
 */
static sign_outcome
remember_and_sign(signer *s, const anchor_row *row, const anchor_claim *claim, fault *f)
{
	signer_state state;
	sign_outcome outcome = history_check(s, row, claim, &state, f);

	if (outcome != SIGN_DONE)
		return outcome;
	if (s->states.fd >= 0 && !state_write(&s->states, row->tenant, row->chain, &state, f))
		return SIGN_FAILED;
	return sign_and_store(s, row, claim, f) ? SIGN_DONE : SIGN_FAILED;
}

sign_outcome
signer_sign(signer *s, const anchor_row *row, fault *f)
{
	anchor_claim claim;
	sign_outcome outcome = SIGN_REFUSED;

	s->alarm = "inconsistent_history";
	if (claim_read(row, &claim, f))
		outcome = remember_and_sign(s, row, &claim, f);
	claim_free(&claim);
	return outcome;
}
