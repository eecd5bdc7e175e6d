/*
 * dbopen.h
 *		An attempt to connect to PostgreSQL, in a thread of its own.
 *
 * PQconnectPoll waits for more than the server: for the resolver (a minute and
 * more when no name server answers), for files of passwords and services, for
 * Kerberos.  None of that can be given an end, so whoever may not wait has it
 * done here, and waits for a descriptor.
 *
 * An owner has one attempt at a time.  One that hangs in the resolver beyond its
 * time is not replaced but gone on with, so there are never more threads than
 * connections; names are resolved anew in each attempt.
 */
#ifndef GATEWAY_DBOPEN_H
#define GATEWAY_DBOPEN_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

#include "fault.h"

typedef struct dbopen dbopen;

/*
 * *o NULL: a new attempt, which ends itself after timeout_ms, as soon as it can.
 * Otherwise the one that is there gets that much time from now on; if it has
 * failed meanwhile, there is a new one.  purpose stays where it is.  False: *o is
 * NULL, and f says why.
 */
extern bool dbopen_begin(dbopen **o, const char *purpose, int64_t timeout_ms, fault *f);

/* Readable once it has ended; dbopen_take's to close. */
extern int	dbopen_fd(const dbopen *o);

/* What became of it, once it has ended: a connection, or NULL and why.  *o is NULL afterwards. */
extern PGconn *dbopen_take(dbopen **o, fault *f);

/* Nobody wants it any more, wherever it hangs.  *o may be NULL, and is afterwards. */
extern void dbopen_abandon(dbopen **o);

/* At the end of the program: waits a moment for those that were abandoned, unless they hang in the resolver. */
extern void dbopen_stop(void);

#endif
