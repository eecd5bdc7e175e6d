/*
 * log.c
 *		Log lines: put into a ring by whoever has something to say, written by
 *		a thread of their own.
 *
 * So a reader that does not read (a full pipe) stops that thread and nothing
 * else; what does not fit into the ring is dropped and counted.  It makes no
 * difference whether standard output is blocking.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "lc_jcs.h"
#include "log.h"
#include "request.h"

#define RING_SIZE (1024 * 1024)
#define MAX_MESSAGE 2048
#define FLUSH_MS 1000			/* at the end, for a reader that is slow */

static const char *const level_names[] = {"debug", "info", "warn", "error"};

static struct
{
	pthread_mutex_t mutex;
	pthread_cond_t filled,
				emptied;
	char		bytes[RING_SIZE];
	size_t		start,
				length;
	bool		running,
				waiting,		/* the thread sleeps */
				broken;			/* nobody will ever read: the other end is closed */
	pthread_t	thread;
}			ring = {.mutex = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER,
	.emptied = PTHREAD_COND_INITIALIZER};

/* Lines of this thread that it has not put into the ring yet (log_gather). */
#define GATHER_SIZE 32768
static _Thread_local struct
{
	char		bytes[GATHER_SIZE];
	size_t		length;
	bool		on;
}			gathered;

static atomic_int least = LOG_INFO;
static atomic_uint_fast64_t dropped;

uint64_t
log_dropped(void)
{
	return atomic_load_explicit(&dropped, memory_order_relaxed);
}

/* How many bytes went; SIZE_MAX if none ever will. */
static size_t
write_some(const char *bytes, size_t n)
{
	struct pollfd p = {STDOUT_FILENO, POLLOUT, 0};
	ssize_t		done = write(STDOUT_FILENO, bytes, n);

	if (done >= 0)
		return (size_t) done;
	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN)
		return SIZE_MAX;
	poll(&p, 1, -1);
	return 0;
}

static void *
writer(void *arg)
{
	(void) arg;
	pthread_mutex_lock(&ring.mutex);
	while (!ring.broken)
	{
		size_t		n = RING_SIZE - ring.start;

		if (ring.length == 0)
		{
			pthread_cond_broadcast(&ring.emptied);
			ring.waiting = true;
			pthread_cond_wait(&ring.filled, &ring.mutex);
			ring.waiting = false;
			continue;
		}
		if (n > ring.length)
			n = ring.length;
		/* What is being written stays where it is: only this thread takes from the ring. */
		pthread_mutex_unlock(&ring.mutex);
		n = write_some(ring.bytes + ring.start, n);
		pthread_mutex_lock(&ring.mutex);
		ring.broken = n == SIZE_MAX;
		if (ring.broken)
			n = ring.length;
		ring.start = (ring.start + n) % RING_SIZE;
		ring.length -= n;
	}
	pthread_cond_broadcast(&ring.emptied);
	pthread_mutex_unlock(&ring.mutex);
	return NULL;
}

/* All of it or nothing. */
static bool
put(const char *lines, size_t n)
{
	bool		taken = false;

	pthread_mutex_lock(&ring.mutex);
	if (ring.running && !ring.broken && n <= RING_SIZE - ring.length)
	{
		size_t		at = (ring.start + ring.length) % RING_SIZE,
					first = n < RING_SIZE - at ? n : RING_SIZE - at;

		memcpy(ring.bytes + at, lines, first);
		memcpy(ring.bytes, lines + first, n - first);
		ring.length += n;
		taken = true;
		if (ring.waiting)
			pthread_cond_signal(&ring.filled);
	}
	pthread_mutex_unlock(&ring.mutex);
	return taken;
}

/* As many whole lines as there is room for. */
static void
put_lines(const char *lines, size_t n)
{
	if (put(lines, n))
		return;
	for (const char *end = lines + n; lines < end;)
	{
		size_t		length = (size_t) ((const char *) memchr(lines, '\n', (size_t) (end - lines)) - lines) + 1;

		if (!put(lines, length))
			atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
		lines += length;
	}
}

static void
release_lines(void)
{
	if (gathered.length > 0)
		put_lines(gathered.bytes, gathered.length);
	gathered.length = 0;
}

void
log_gather(bool on)
{
	gathered.on = on;
	if (!on)
		release_lines();
}

static void
put_line(const char *line, size_t n)
{
	if (gathered.length + n > GATHER_SIZE)
		release_lines();
	if (!gathered.on || n > GATHER_SIZE)
		put_lines(line, n);
	else
	{
		memcpy(gathered.bytes + gathered.length, line, n);
		gathered.length += n;
	}
}

void
log_start(const char *level)
{
	pthread_attr_t attributes;

	for (int i = LOG_DEBUG; i <= LOG_ERROR; i++)
		if (strcasecmp(level, level_names[i]) == 0)
			atomic_store(&least, i);
	if (ring.running)
		return;
	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	ring.running = pthread_create(&ring.thread, &attributes, writer, NULL) == 0;
	pthread_attr_destroy(&attributes);
	if (!ring.running)
		fprintf(stderr, "ledger-gateway: no thread for the log: nothing will be logged\n");
}

void
log_flush(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += FLUSH_MS / 1000;
	pthread_mutex_lock(&ring.mutex);
	while (ring.running && !ring.broken && ring.length > 0 &&
		   pthread_cond_timedwait(&ring.emptied, &ring.mutex, &until) == 0)
		;
	pthread_mutex_unlock(&ring.mutex);
}

/* ---- lines ---- */

/* Text from callers may be anything; a line of the log is JSON all the same. */
static void
put_text(lc_buf *line, const char *text)
{
	size_t		before = line->len;

	lc_jcs_put_string(line, text, strlen(text));
	if (line->status != LC_ERR_UTF8)
		return;
	lc_buf_truncate(line, before);
	lc_buf_putc(line, '"');
	for (; *text != '\0'; text++)
		lc_buf_putc(line, *text < ' ' || *text > '~' || *text == '"' || *text == '\\' ? '?' : *text);
	lc_buf_putc(line, '"');
}

void
log_member(lc_buf *line, const char *name, const char *value)
{
	lc_buf_puts(line, ",\"");
	lc_buf_puts(line, name);
	lc_buf_puts(line, "\":");
	put_text(line, value);
}

void
log_number(lc_buf *line, const char *name, int64_t value)
{
	lc_buf_puts(line, ",\"");
	lc_buf_puts(line, name);
	lc_buf_puts(line, "\":");
	lc_buf_put_int64(line, value);
}

/* A second is written once, however many lines it has. */
static const char *
time_of_day(void)
{
	static _Thread_local time_t second = -1;
	static _Thread_local char text[64];
	static _Thread_local char *decimals;
	int64_t		us = clock_us(CLOCK_REALTIME);
	int			milliseconds = (int) (us / 1000 % 1000);

	if (second != us / 1000000)
	{
		struct tm	utc;

		second = us / 1000000;
		gmtime_r(&second, &utc);
		decimals = text + strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S.", &utc);
		strcpy(decimals, "000Z");
	}
	decimals[0] = (char) ('0' + milliseconds / 100);
	decimals[1] = (char) ('0' + milliseconds / 10 % 10);
	decimals[2] = (char) ('0' + milliseconds % 10);
	return text;
}

static void
begin(lc_buf *line, log_level level, const char *event)
{
	lc_buf_init(line, &lc_alloc_malloc);
	lc_buf_puts(line, "{\"time\":\"");
	lc_buf_puts(line, time_of_day());
	lc_buf_puts(line, "\"");
	log_member(line, "level", level_names[level]);
	log_member(line, "event", event);
}

static void
end(lc_buf *line)
{
	lc_buf_puts(line, "}\n");
	if (line->status == LC_OK)
		put_line(line->data, line->len);
	else
		atomic_fetch_add_explicit(&dropped, 1, memory_order_relaxed);
	lc_buf_free(line);
}

static bool
wanted(log_level level)
{
	return (int) level >= atomic_load_explicit(&least, memory_order_relaxed);
}

void
log_line(log_level level, const char *event, const char *format, ...)
{
	char		message[MAX_MESSAGE];
	lc_buf		line;
	va_list		args;

	if (!wanted(level))
		return;
	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	begin(&line, level, event);
	log_member(&line, "message", message);
	end(&line);
}

void
log_members(log_level level, const char *event, const char *message, const lc_buf *members)
{
	lc_buf		line;

	begin(&line, level, event);
	log_member(&line, "message", message);
	lc_buf_append(&line, members->data, members->len);
	end(&line);
}

/* A probe that went well is no news. */
static log_level
level_of(const request *r)
{
	if (r->reply.status >= 500)
		return LOG_WARN;
	return r->match.route != NULL && (r->match.route->flags & ROUTE_ADMIN) != 0 ? LOG_DEBUG : LOG_INFO;
}

void
log_request(const request *r)
{
	log_level	level = level_of(r);
	char		milliseconds[CLOCK_MS_SIZE];
	lc_buf		line;

	if (!wanted(level))
		return;
	clock_put_ms(milliseconds, clock_us(CLOCK_MONOTONIC) - r->started_us);
	begin(&line, level, "request");
	log_member(&line, "method", r->method);
	log_member(&line, "route", r->match.route != NULL ? r->match.route->name : "");
	log_member(&line, "path", r->target.path);
	log_number(&line, "status", r->reply.status);
	lc_buf_puts(&line, ",\"duration_ms\":");
	lc_buf_puts(&line, milliseconds);
	log_member(&line, "tenant", r->who.tenant);
	log_member(&line, "request_id", r->id);
	log_member(&line, "trace_id", r->trace_id);
	log_member(&line, "span_id", r->span_id);
	log_number(&line, "bytes", (int64_t) r->sent);
	end(&line);
}
