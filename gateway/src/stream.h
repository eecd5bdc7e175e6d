/*
 * stream.h
 *		A body that comes in pieces: written by a thread of the slow pool,
 *		sent by the loop, with a bounded buffer between them.
 *
 * The writer waits while the buffer (256 KiB) is full, and is told when nobody
 * reads any more.  A stream that ends with a failure breaks the chunked body
 * off, so that a client can tell it from a whole one.
 */
#ifndef GATEWAY_STREAM_H
#define GATEWAY_STREAM_H

#include "job.h"

typedef struct stream stream;

/* ---- the writer's thread ---- */

/*
 * The job is answered now, with job->reply's status and headers, and the body
 * follows.  gzip: the pieces are compressed on their way.
 */
extern stream *stream_begin(job *j, bool gzip);	/* NULL: no memory; the job is still to be answered */

/* False: nobody reads, stop. */
extern bool stream_write(stream *s, const void *bytes, size_t n);
extern void stream_end(stream *s, bool good);	/* the writer must not touch it again */

/* The job goes on after that as any other: whoever runs it calls job_done. */

#endif
