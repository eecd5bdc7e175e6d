/*
 * base64url.h
 *		Base64 for URLs without padding (RFC 7515 section 2), read strictly: of
 *		any bytes exactly one text is taken, so that a token, a cursor or a
 *		link cannot be respelt.
 */
#ifndef GATEWAY_BASE64URL_H
#define GATEWAY_BASE64URL_H

#include "lc_buf.h"

/* At most so many bytes come from n characters. */
#define BASE64URL_BYTES(n) ((n) / 4 * 3 + 2)

/*
 * Decodes to at most cap bytes; *len is how many.  False: a character that is
 * not in the alphabet (padding, blanks and line breaks are not), a length that
 * no bytes have, bits that stand for nothing, or too many for cap.
 */
extern bool base64url_decode(const char *text, size_t n, uint8_t *out, size_t cap, size_t *len);

/* Appends the bytes; false (and out as it was) for the same reasons. */
extern bool base64url_append_decoded(lc_buf *out, const char *text, size_t n);

/* Appends the text of the bytes. */
extern void base64url_append(lc_buf *out, const void *bytes, size_t n);

#endif
