/*
 * reply.h
 *		What a request is answered with.
 *
 * One writer fills it (a local handler, or the thread that runs the job); then
 * the loop's thread sends it.  ETag and If-None-Match, HEAD, cursors, gzip and
 * the headers that every answer has are the door's work, not the writer's.
 */
#ifndef GATEWAY_REPLY_H
#define GATEWAY_REPLY_H

#include "lc_buf.h"

struct stream;

#define REPLY_MAX_HEADERS 16

typedef struct reply_header
{
	char		name[48];
	char	   *value;			/* malloc'ed */
} reply_header;

typedef struct reply
{
	unsigned	status;
	size_t		headers_count;
	reply_header headers[REPLY_MAX_HEADERS];	/* Content-Type among them; default application/json */
	lc_buf		body;
	struct stream *stream;		/* instead of a body: chunks that come later (stream.h) */
	bool		close;			/* and no further request on this connection */
} reply;

extern void reply_init(reply *r);
extern void reply_clear(reply *r);	/* back to what reply_init made */

/* Replaces a header of that name.  The value is copied; control bytes end it (no header injection). */
extern void reply_header_set(reply *r, const char *name, const char *value);
extern void reply_header_setf(reply *r, const char *name, const char *format, ...)
			__attribute__((format(printf, 3, 4)));
extern void reply_header_remove(reply *r, const char *name);
extern const char *reply_header_get(const reply *r, const char *name);	/* NULL: none */

/*
 * Headers as a SQL function gives them: a JSON object of strings (null: no such
 * header).  Of these the gateway keeps for itself "Ledger-Next", the position
 * behind the last row of a page (cursor.h): an object, or its text.  False: not
 * such an object.
 */
extern bool reply_headers_from_json(reply *r, const char *json, size_t n);

#endif
