/*
 * stream_internal.h
 *		The reader's side of a stream: for respond.c.
 */
#ifndef GATEWAY_STREAM_INTERNAL_H
#define GATEWAY_STREAM_INTERNAL_H

#include <microhttpd.h>

#include "stream.h"

/* A response whose body is what the stream's writer writes.  NULL: no memory, and the writer is told. */
extern struct MHD_Response *stream_response(stream *s, struct request *r);

/* Nobody will make a response of it: its client has gone. */
extern void stream_refuse(stream *s);

/* The gateway ends: the body is broken off, also if its connection is suspended. */
extern void stream_break(stream *s);

#endif
