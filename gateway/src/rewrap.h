/*
 * rewrap.h
 *		The rotation of the key of attachments, for the thread of the ticks.
 */
#ifndef GATEWAY_REWRAP_H
#define GATEWAY_REWRAP_H

#include <libpq-fe.h>

#include "fault.h"

/*
 * Wraps all data keys anew that an earlier key (LEDGER__ATTACHMENTS__PREVIOUSKEYS)
 * wrapped, on a connection that is in no transaction; returns how many.  -1: f
 * says what failed; what was done is done.
 */
extern int	attachments_rewrap(PGconn *conn, fault *f);

#endif
