/*
 * redaction.h
 *		Rules of redaction (docs/formats.md section 9), and whether a line of an
 *		export obeys them.
 */
#ifndef LEDGERCTL_REDACTION_H
#define LEDGERCTL_REDACTION_H

#include "cli.h"
#include "lc_jsontree.h"
#include "lc_sha256.h"

typedef struct redaction_rule
{
	const char *shape;
	const char *path;
	const char *action;
} redaction_rule;

typedef struct redaction
{
	bool		given;			/* by --redaction, not the built-in ones */
	uint8_t		digest[LC_HASH_LEN];	/* of the manifest that was given */
	redaction_rule *rules;
	size_t		count;
} redaction;

/* path NULL: the rules that this program knows of itself. */
extern cli_exit redaction_read(const char *path, redaction *out);
extern void redaction_free(redaction *r);

/* Does the line, which is of that shape, show what it must not?  Tells which member. */
extern cli_exit redaction_check(const redaction *r, const char *where, lc_str shape, const lc_json *line);

/* Is there an e-mail address in the text?  The same words as ledger_http_redaction_pattern(). */
extern bool redaction_has_address(lc_str text);

#endif
