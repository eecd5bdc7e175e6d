/*
 * lc_utf8.h
 *		UTF-8 validity (RFC 3629) and the one comparison RFC 8785 needs.
 */
#ifndef LC_UTF8_H
#define LC_UTF8_H

#include "lc_buf.h"

/*
 * True if the n bytes are well-formed UTF-8: no overlong form, no surrogate,
 * nothing above U+10FFFF.  On false *bad (may be NULL) is the offset of the
 * first byte of the offending sequence.
 */
extern bool lc_utf8_valid(const char *s, size_t n, size_t *bad);

/*
 * Compare two well-formed UTF-8 strings by their UTF-16 code units
 * (RFC 8785 section 3.2.3): <0, 0, >0.
 */
extern int	lc_utf16_compare(const char *a, size_t an, const char *b, size_t bn);

#endif
