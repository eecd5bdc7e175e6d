/*
 * lc_tlogproof.h
 *		Proof bundles, C2SP tlog-proof: index, inclusion proof and signed
 *		checkpoint in one text that can be verified offline.
 */
#ifndef LC_TLOGPROOF_H
#define LC_TLOGPROOF_H

#include "lc_merkle.h"
#include "lc_note.h"

typedef struct lc_tlogproof
{
	lc_str		extra;			/* base64 as it stands, not authenticated; s == NULL: none */
	uint64_t	index;
	lc_proof	proof;
	lc_str		checkpoint;		/* the signed note, verbatim */
} lc_tlogproof;

/* Borrows from the text.  The checkpoint is not looked into. */
extern lc_status lc_tlogproof_parse(const char *text, size_t n, lc_tlogproof *out);
extern void lc_tlogproof_format(lc_buf *out, const lc_tlogproof *proof);

#endif
