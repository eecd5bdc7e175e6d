/*
 * dboutage.h
 *		What the log tells of a database that cannot be reached: that it
 *		cannot, once a minute that it still cannot, and that it can again.  All
 *		connections of the process together, any thread.
 */
#ifndef GATEWAY_DBOUTAGE_H
#define GATEWAY_DBOUTAGE_H

#include <stdint.h>

/* An attempt to connect failed, at that time (loop_now(), dbthread_now()).  The event is db.unreachable. */
extern void dboutage_failed(int64_t now, const char *purpose, const char *why);

/* One succeeded.  db.reachable, if others had failed before. */
extern void dboutage_connected(int64_t now);

#endif
