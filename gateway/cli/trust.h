/*
 * trust.h
 *		What a verifier trusts, and judging a signed checkpoint by it.
 *
 * C2SP signed-note: a line of a key that is known must be right, or the whole
 * note is refused; lines of other keys say nothing.  At least one key of the
 * log must have signed, and as many witnesses as were asked for.
 */
#ifndef LEDGERCTL_TRUST_H
#define LEDGERCTL_TRUST_H

#include "cli.h"
#include "lc_dsse.h"
#include "lc_note.h"
#include "lc_uuid.h"

typedef struct trust
{
	cli_keys	log;
	cli_keys	witnesses;
	uint64_t	quorum;			/* witnesses that must have signed */
	const char *origin;			/* of the log, or NULL: any */
} trust;

/* The options --key, --witness, --quorum and --origin; which of them a command has, its table says. */
extern cli_exit trust_read(const cli_args *args, trust *out);
extern void trust_free(trust *t);

/* A checkpoint's origin line, which is <origin>/<tenant>/<chain id>. */
typedef struct chain_name
{
	lc_str		origin;
	lc_str		tenant;
	lc_str		chain;			/* the id's text */
	uint8_t		chain_id[LC_UUID_LEN];
} chain_name;

typedef struct judged
{
	lc_checkpoint head;
	chain_name	name;
	size_t		signed_by;		/* keys of the log with a valid line */
	size_t		cosigned_by;	/* witnesses with one */
} judged;

/*
 * A signed note that must be a checkpoint of a chain of the log.  Everything
 * in out borrows from the note's text.  where is how messages name it.  With
 * json its signers become members of the answer: "signedBy", "cosignedBy".
 */
extern cli_exit trust_checkpoint(const char *where, lc_str note, const trust *t, bool json, judged *out);

/* A parsed DSSE envelope: one signature of the log's keys must hold. */
extern cli_exit trust_dsse(const char *where, const lc_dsse *dsse, const trust *t);

/* False if it is no such line. */
extern bool chain_name_read(lc_str line, chain_name *out);

#endif
