/*
 * cursor.h
 *		Opaque page tokens: a position, bound to the filters it belongs to.
 *
 * base64url(version || HMAC-SHA-256 truncated to 16 bytes || position), the MAC over
 * route name, tenant, canonical filters and position, with a key of the
 * deployment (LEDGER__HTTP__CURSORKEY).  Compared in constant time.
 */
#ifndef GATEWAY_CURSOR_H
#define GATEWAY_CURSOR_H

#include "lc_buf.h"

#define CURSOR_MAX 6144			/* bytes of a token */

extern bool cursor_start(void);	/* the key; a random one is told in the log */

/* filters: JSON, canonical.  position: JSON, as the SQL function gave it. */
extern void cursor_make(lc_buf *out, const char *name, const char *tenant, lc_str filters, lc_str position);

/* Appends the position.  False: no token of ours for these filters (400). */
extern bool cursor_read(const char *token, const char *name, const char *tenant, lc_str filters, lc_buf *position);

/* SHA-256 of the canonical filters, hex: "filtersHash". */
extern void cursor_filters_hash(lc_str filters, char out[65]);

#endif
