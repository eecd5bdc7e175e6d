/*
 * lc_base64.h
 *		Base64 with padding (RFC 4648 section 4), read strictly.
 */
#ifndef LC_BASE64_H
#define LC_BASE64_H

#include "lc_buf.h"

/*
 * Decode to at most cap bytes; *n is how many.  Only the one canonical spelling
 * is read: no white space, no missing padding, no stray bits in the last digit.
 * LC_ERR_SYNTAX otherwise, LC_ERR_TOO_LONG if cap is too small; out is then
 * undefined.
 */
extern lc_status lc_base64_decode(const char *text, size_t len, uint8_t *out, size_t cap, size_t *n);

/*
 * Is it that one spelling?  *n is how many bytes it stands for.  LC_ERR_SYNTAX
 * if not.
 */
extern lc_status lc_base64_check(const char *text, size_t len, size_t *n);

/*
 * Append the bytes.  In the standard alphabet, or in that of section 5 (URL and
 * filename safe), but not in both at once.  LC_ERR_SYNTAX leaves out as it was.
 */
extern lc_status lc_buf_put_base64_decoded(lc_buf *out, const char *text, size_t len);

/* Append the padded form. */
extern void lc_buf_put_base64(lc_buf *buf, const void *bytes, size_t n);

#endif
