/*
 * lc_text.h
 *		What the C2SP text formats (notes, checkpoints, proof bundles) are made
 *		of: lines and whole numbers.
 */
#ifndef LC_TEXT_H
#define LC_TEXT_H

#include "lc_buf.h"

/*
 * Cut the first line off rest; line becomes it without its newline.  False,
 * with nothing changed, if rest has no newline: an unended line is none.
 */
extern bool lc_text_line(lc_str *rest, lc_str *line);

/* If text begins with the prefix, cut it off. */
extern bool lc_text_skip(lc_str *text, const char *prefix);

/* ASCII decimal without sign and leading zeros, below 2^63. */
extern bool lc_text_uint(lc_str text, uint64_t *value);

/*
 * What a note may hold: UTF-8 (else LC_ERR_UTF8) without ASCII control
 * characters other than newline (else LC_ERR_SYNTAX).
 */
extern lc_status lc_text_printable(const char *text, size_t n);

#endif
