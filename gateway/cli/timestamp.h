/*
 * timestamp.h
 *		What an RFC 3161 time stamp says, unverified: for inspect.
 */
#ifndef LEDGERCTL_TIMESTAMP_H
#define LEDGERCTL_TIMESTAMP_H

#include "cli.h"

/*
 * A TimeStampResp or the token alone, in DER: prints serial, time, policy and
 * imprint.  False, and nothing printed, if it is neither.
 */
extern bool timestamp_inspect(const void *der, size_t n);

#endif
