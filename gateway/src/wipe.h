/*
 * wipe.h
 *		Memory for what is confidential: wiped when it is given back, also
 *		the old block when a buffer grows.
 */
#ifndef GATEWAY_WIPE_H
#define GATEWAY_WIPE_H

#include "lc_buf.h"

extern const lc_alloc wiping_alloc;

/* Of a block of that allocator (or of malloc). */
extern void wipe_free(void *block);

#endif
