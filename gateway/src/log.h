/*
 * log.h
 *		One JSON object a line on standard output.  Any thread.
 *
 * Lines are written whole.  When the reader is slow they are dropped and
 * counted, so that a full pipe stops no request.  Values are escaped; payloads,
 * tokens and connection strings are never given to these functions.
 */
#ifndef GATEWAY_LOG_H
#define GATEWAY_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "lc_buf.h"

typedef enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR } log_level;

extern void log_start(const char *level);	/* again: another level */
extern void log_flush(void);	/* at the end: waits a second at most */

/*
 * This thread's lines are kept, and put out together when it is turned off: who
 * writes many in a row need not wake the writer for each.  Never across a wait.
 */
extern void log_gather(bool on);

/* {"time":…,"level":…,"event":event,"message":…}; event is a stable name such as "db.lost". */
extern void log_line(log_level level, const char *event, const char *format, ...)
			__attribute__((format(printf, 3, 4)));

/*
 * The same with further members, written by log_member and log_number into a
 * buffer of their own; and whatever the level that is wanted: scripts wait for
 * the line of the start.
 */
extern void log_members(log_level level, const char *event, const char *message, const lc_buf *members);
extern void log_member(lc_buf *members, const char *name, const char *value);
extern void log_number(lc_buf *members, const char *name, int64_t value);

struct request;
extern void log_request(const struct request *r);	/* when its answer has been sent, or could not be */
extern uint64_t log_dropped(void);

#endif
