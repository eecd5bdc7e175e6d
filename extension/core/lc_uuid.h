/*
 * lc_uuid.h
 *		UUIDs of RFC 9562: version 7 for events, version 8 for chains.
 */
#ifndef LC_UUID_H
#define LC_UUID_H

#include "lc_buf.h"

#define LC_UUID_LEN 16
#define LC_UUID_TEXT 36

/*
 * Version 7 from a Unix time in microseconds and 10 random bytes: 48 bits of
 * milliseconds, 12 bits of the millisecond's fraction (RFC 9562 section 6.2,
 * method 3), 62 random bits (those of random[2] to random[9] that the variant
 * leaves).  A time before 1970 counts as 1970.
 */
extern void lc_uuid_v7(uint8_t out[LC_UUID_LEN], int64_t unix_us, const uint8_t random[10]);

/*
 * The chain of a (tenant, policy version): SHA-256(tenant || "::" ||
 * policyVersion), first 16 bytes, version 8, RFC 9562 variant.
 */
extern lc_status lc_uuid_chain(uint8_t out[LC_UUID_LEN], lc_str tenant, lc_str policy_version);

/* 36 characters, lower case, no NUL. */
extern void lc_uuid_format(const uint8_t uuid[LC_UUID_LEN], char out[LC_UUID_TEXT]);

/* Exactly that form back, capitals refused: an id has one spelling. */
extern lc_status lc_uuid_parse(const char *text, size_t n, uint8_t out[LC_UUID_LEN]);

#endif
