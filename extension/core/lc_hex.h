/*
 * lc_hex.h
 *		Lower-case hex, RFC 4648 section 8 but for the case.
 */
#ifndef LC_HEX_H
#define LC_HEX_H

#include "lc_buf.h"

/* Writes 2n characters, no NUL. */
extern void lc_hex_encode(const uint8_t *bytes, size_t n, char *out);

/*
 * Exactly 2n lower-case digits to n bytes; LC_ERR_SYNTAX for anything else,
 * capitals included: a hash has one spelling.
 */
extern lc_status lc_hex_decode(const char *text, size_t len, uint8_t *out, size_t n);

#endif
