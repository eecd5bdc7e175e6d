/*
 * findings_check.h
 *		One export of findings (docs/formats.md section 9): its lines as they
 *		come, and then its manifest.
 */
#ifndef LEDGERCTL_FINDINGS_CHECK_H
#define LEDGERCTL_FINDINGS_CHECK_H

#include <openssl/evp.h>

#include "redaction.h"
#include "trust.h"

typedef struct findings_page
{
	const redaction *rules;
	EVP_MD_CTX *dataset;		/* over the digests of its lines */
	uint64_t	lines;
	lc_buf		tenant, schema;	/* of the first line; empty while there is none */
	lc_buf		first, last;	/* places, canonical JSON */
	uint64_t	sequence;		/* of the last line */
	lc_buf		version, cycle;
	lc_buf		payload;		/* of the manifest, once it was read */
	lc_jsontree *manifest;		/* its tree */
} findings_page;

extern cli_exit findings_begin(findings_page *p, const redaction *rules);

/* Is it a manifest? */
extern bool findings_is_manifest(const lc_json *line);

/* A line; tells the first thing that is wrong with it. */
extern cli_exit findings_line(findings_page *p, const char *where, lc_str text, const lc_json *line);

/* The last line: its signatures, and whether it tells of these lines. */
extern cli_exit findings_manifest(findings_page *p, const char *where, const lc_json *line, const trust *t);

/* Does page begin where before ended? */
extern cli_exit findings_follow(const findings_page *before, const findings_page *page, const char *where);
extern void findings_free(findings_page *p);

#endif
