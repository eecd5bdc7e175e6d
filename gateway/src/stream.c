/*
 * stream.c
 *		A body that comes in pieces, from a thread of the slow pool to the loop.
 *
 * The connection is suspended while there is nothing to send, and the writer
 * waits while the buffer is full.  Both ends hold the stream; the last to leave
 * frees it.  What request and connection are is known to the loop alone.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "config.h"
#include "door.h"
#include "request.h"
#include "stream_internal.h"

#define BUFFER (256 * 1024)
#define BLOCK 32768				/* that libmicrohttpd asks for at once */

struct stream
{
	pthread_mutex_t mutex;
	pthread_cond_t room;
	loop	   *loop;
	job		   *job;			/* the writer's; the loop looks only at job->request, before it is over */
	reply		head;
	loop_call	begun;			/* the head is to be sent */
	loop_call	more;			/* the reader waits, and there is something */

	/* Under the mutex. */
	int			holders;
	size_t		start,
				length;			/* of what is in bytes, a ring */
	bool		reader_gone;
	bool		reader_waits;
	bool		ended,
				good;

	/* The writer's. */
	bool		gzip;
	z_stream	z;

	/* The loop's. */
	struct request *request;
	bool		suspended;

	char		bytes[BUFFER];
};

static void
leave(stream *s)
{
	bool		last;

	pthread_mutex_lock(&s->mutex);
	last = --s->holders == 0;
	pthread_mutex_unlock(&s->mutex);
	if (!last)
		return;
	reply_clear(&s->head);
	pthread_mutex_destroy(&s->mutex);
	pthread_cond_destroy(&s->room);
	free(s);
}

/* ---- the reader ---- */

static void
reader_leaves(void *arg)
{
	stream	   *s = arg;

	pthread_mutex_lock(&s->mutex);
	s->reader_gone = true;
	s->reader_waits = false;
	pthread_cond_signal(&s->room);
	pthread_mutex_unlock(&s->mutex);
	s->request = NULL;
	leave(s);
}

static void
resume(stream *s)
{
	if (!s->suspended)
		return;
	s->suspended = false;
	MHD_resume_connection(s->request->connection);
	door_touch(s->request->peer->door);
}

static void
more_came(void *arg)
{
	stream	   *s = arg;

	if (s->request != NULL)
		resume(s);
	leave(s);
}

/* Past its time a stream ends where it is, in the middle of the chunked body. */
static void
time_is_over(void *arg)
{
	stream	   *s = arg;

	pthread_mutex_lock(&s->mutex);
	s->reader_gone = true;
	pthread_cond_signal(&s->room);
	pthread_mutex_unlock(&s->mutex);
	resume(s);
}

void
stream_refuse(stream *s)
{
	reader_leaves(s);
}

void
stream_break(stream *s)
{
	time_is_over(s);
}

static size_t
take(stream *s, char *to, size_t max)
{
	size_t		n = BUFFER - s->start;

	if (n > s->length)
		n = s->length;
	if (n > max)
		n = max;
	memcpy(to, s->bytes + s->start, n);
	s->start = (s->start + n) % BUFFER;
	s->length -= n;
	return n;
}

static ssize_t
read_pieces(void *arg, uint64_t position, char *to, size_t max)
{
	stream	   *s = arg;
	ssize_t		result;

	(void) position;
	pthread_mutex_lock(&s->mutex);
	if (s->reader_gone)
		result = MHD_CONTENT_READER_END_WITH_ERROR;
	else if (s->length > 0)
	{
		result = (ssize_t) take(s, to, max);
		pthread_cond_signal(&s->room);
	}
	else if (s->ended)
		result = s->good ? MHD_CONTENT_READER_END_OF_STREAM : MHD_CONTENT_READER_END_WITH_ERROR;
	else
	{
		s->reader_waits = true;
		result = 0;
	}
	pthread_mutex_unlock(&s->mutex);
	if (result > 0)
		s->request->sent += (size_t) result;
	if (result == 0)
	{
		s->suspended = true;
		MHD_suspend_connection(s->request->connection);
	}
	return result;
}

struct MHD_Response *
stream_response(stream *s, struct request *r)
{
	struct MHD_Response *response =
		MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK, read_pieces, s, reader_leaves);

	if (response == NULL)
	{
		reader_leaves(s);
		return NULL;
	}
	s->request = r;
	/* libmicrohttpd ends chunks that it did not send after HEAD too, where the next answer should begin. */
	if (strcmp(r->method, "HEAD") == 0)
		MHD_set_response_options(response, MHD_RF_HTTP_1_0_COMPATIBLE_STRICT, MHD_OPTION_END);
	/* The connection's timer cuts the socket, which is not noticed while it is suspended: hence one of ours. */
	r->deadline.fire = time_is_over;
	r->deadline.arg = s;
	loop_timer_set(r->loop, &r->deadline, loop_now(r->loop) + config_now()->export_timeout_ms);
	return response;
}

/* ---- the writer ---- */

/* In the loop: the head has come. */
static void
head_came(void *arg)
{
	stream	   *s = arg;
	request    *r = s->job->request;

	if (r == NULL)
	{
		reader_leaves(s);
		return;
	}
	reply_clear(&r->reply);
	r->reply = s->head;
	reply_init(&s->head);
	request_ready(r);
}

stream *
stream_begin(job *j, bool gzip)
{
	stream	   *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	if (gzip && deflateInit2(&s->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
	{
		free(s);
		return NULL;
	}
	pthread_mutex_init(&s->mutex, NULL);
	pthread_cond_init(&s->room, NULL);
	s->loop = j->loop;
	s->job = j;
	s->gzip = gzip;
	s->holders = 2;
	s->head = j->reply;
	s->head.stream = s;
	reply_init(&j->reply);
	if (gzip)
		reply_header_set(&s->head, "Content-Encoding", "gzip");
	if ((j->route->flags & ROUTE_GZIP) != 0)
		reply_header_set(&s->head, "Vary", "Authorization, X-Stella-Tenant, Accept-Encoding");
	j->streaming = true;
	s->begun = (loop_call) {head_came, s, NULL};
	s->more = (loop_call) {more_came, s, NULL};
	loop_post(j->loop, &s->begun);
	return s;
}

/* With the mutex held: let the loop know, if it waits. */
static void
call_reader(stream *s)
{
	if (!s->reader_waits)
		return;
	s->reader_waits = false;
	s->holders++;
	loop_post(s->loop, &s->more);
}

static bool
put(stream *s, const char *bytes, size_t n)
{
	bool		wanted;

	pthread_mutex_lock(&s->mutex);
	while (n > 0 && !s->reader_gone)
	{
		size_t		at = (s->start + s->length) % BUFFER;
		size_t		room = BUFFER - s->length;

		if (room == 0)
		{
			pthread_cond_wait(&s->room, &s->mutex);
			continue;
		}
		if (room > BUFFER - at)
			room = BUFFER - at;
		if (room > n)
			room = n;
		memcpy(s->bytes + at, bytes, room);
		s->length += room;
		bytes += room;
		n -= room;
		call_reader(s);
	}
	wanted = !s->reader_gone;
	pthread_mutex_unlock(&s->mutex);
	return wanted;
}

static bool
compress_piece(stream *s, const void *bytes, size_t n, int flush)
{
	char		out[16384];

	s->z.next_in = (void *) (uintptr_t) bytes;
	s->z.avail_in = (uInt) n;
	do
	{
		s->z.next_out = (Bytef *) out;
		s->z.avail_out = sizeof(out);
		if (deflate(&s->z, flush) == Z_STREAM_ERROR || !put(s, out, sizeof(out) - s->z.avail_out))
			return false;
	}
	while (s->z.avail_out == 0);
	return true;
}

bool
stream_write(stream *s, const void *bytes, size_t n)
{
	return s->gzip ? compress_piece(s, bytes, n, Z_NO_FLUSH) : put(s, bytes, n);
}

void
stream_end(stream *s, bool good)
{
	if (s->gzip && good)
		good = compress_piece(s, NULL, 0, Z_FINISH);
	if (s->gzip)
		deflateEnd(&s->z);
	pthread_mutex_lock(&s->mutex);
	s->ended = true;
	s->good = good;
	call_reader(s);
	pthread_mutex_unlock(&s->mutex);
	leave(s);
}
