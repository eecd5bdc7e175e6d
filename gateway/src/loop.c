/*
 * loop.c
 *		One event loop.
 *
 * In each round: wait, hand descriptors that are ready to their owners, run
 * what other threads posted, fire timers, and then let libmicrohttpd work, so
 * that answers which came from the database in this round are sent in it; last,
 * send what the requests of the round ask of the database.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "dbappend.h"
#include "dbpipe.h"
#include "door.h"
#include "lc_sha256.h"
#include "log.h"
#include "loop_internal.h"

/* In loop_watch.events: epoll knows this descriptor.  No bit that epoll has. */
#define KNOWN (UINT32_C(1) << 24)

static _Thread_local loop *current;

/* ---- descriptors ---- */

void
loop_watch_set(loop *l, loop_watch *w, int fd, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = w};
	bool		known = w->fd == fd && fd >= 0 && (w->events & KNOWN) != 0;

	if (known && (w->events & ~KNOWN) == events)
		return;
	if (epoll_ctl(l->epoll_fd, known ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) != 0 &&
		!(errno == EEXIST && epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0))
		log_line(LOG_ERROR, "loop.watch", "a descriptor cannot be watched: %s", strerror(errno));
	w->fd = fd;
	w->events = events | KNOWN;
}

void
loop_watch_end(loop *l, loop_watch *w)
{
	if (w->fd < 0)
		return;
	epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, w->fd, NULL);
	w->fd = -1;
	w->events = 0;
	/* It may be ready in this very round, and its owner gone by then. */
	for (int i = 0; i < l->events_count; i++)
		if (l->events[i].data.ptr == w)
			l->events[i].data.ptr = NULL;
}

static void
serve_descriptors(loop *l)
{
	for (int i = 0; i < l->events_count; i++)
	{
		loop_watch *w = l->events[i].data.ptr;

		if (w != NULL)
			w->ready(w->arg, l->events[i].events);
	}
	l->events_count = 0;
}

/* ---- calls from other threads ---- */

void
loop_wake(loop *l)
{
	uint64_t	one = 1;
	ssize_t		ignored = write(l->wake.fd, &one, sizeof(one));

	/* It fails only when the counter is full, and then the loop wakes anyway. */
	(void) ignored;
}

void
loop_post(loop *l, loop_call *call)
{
	loop_call  *first = atomic_load_explicit(&l->posted, memory_order_relaxed);

	do
		call->next = first;
	while (!atomic_compare_exchange_weak_explicit(&l->posted, &first, call, memory_order_release,
												  memory_order_relaxed));
	/* If there was one before, the loop has been woken for that. */
	if (first == NULL)
		loop_wake(l);
}

static void
woken(void *arg, uint32_t events)
{
	loop	   *l = arg;
	uint64_t	count;
	ssize_t		ignored = read(l->wake.fd, &count, sizeof(count));

	(void) ignored;
	(void) events;
}

static void
run_posted(loop *l)
{
	loop_call  *call = atomic_exchange_explicit(&l->posted, NULL, memory_order_acquire);
	loop_call  *in_order = NULL;

	while (call != NULL)
	{
		loop_call  *next = call->next;

		call->next = in_order;
		in_order = call;
		call = next;
	}
	while (in_order != NULL)
	{
		/* fn may free the call. */
		call = in_order;
		in_order = call->next;
		call->fn(call->arg);
	}
}

/* ---- the loop ---- */

static void
look_at_clock(loop *l)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	l->now = (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int
time_to_wait(loop *l)
{
	int64_t		wait = loop_timers_wait(l);

	for (door *d = l->doors; d != NULL; d = door_next(d))
	{
		int64_t		of_door = door_wait(d);

		if (of_door >= 0 && (wait < 0 || of_door < wait))
			wait = of_door;
	}
	return wait > INT_MAX ? INT_MAX : (int) wait;
}

static void
one_round(loop *l, int wait)
{
	int			n = epoll_wait(l->epoll_fd, l->events, LOOP_EVENTS, wait);

	l->events_count = n > 0 ? n : 0;
	log_gather(true);
	look_at_clock(l);
	serve_descriptors(l);
	run_posted(l);
	loop_timers_fire(l);
	for (door *d = l->doors; d != NULL; d = door_next(d))
		door_run(d);
	/* Last: what this round's requests ask can share statements. */
	if (l->pipe != NULL)
		dbpipe_run(l->pipe);
	log_gather(false);
}

static void
begin_drain(loop *l)
{
	l->draining = true;
	for (door *d = l->doors; d != NULL; d = door_next(d))
		door_drain(d);
}

/* What is unanswered is refused; a second for the answers to leave; then all is closed. */
static void
finish(loop *l)
{
	int64_t		end;

	l->stopping = true;
	look_at_clock(l);
	end = l->now + 1000;
	for (door *d = l->doors; d != NULL; d = door_next(d))
		door_refuse_all(d);
	while (atomic_load(&l->requests) > 0 && l->now < end)
		one_round(l, 10);
	if (l->pipe != NULL)
		dbpipe_free(l->pipe);
	if (l->append != NULL)
		dbappend_free(l->append);
	run_posted(l);
	while (l->doors != NULL)
	{
		door	   *d = l->doors;

		l->doors = door_next(d);
		door_free(d);
	}
	run_posted(l);
}

static void *
run(void *arg)
{
	loop	   *l = arg;

	current = l;
	look_at_clock(l);
	l->pipe = dbpipe_new(l);
	l->append = dbappend_new(l);
	if (l->pipe == NULL || l->append == NULL)
		log_line(LOG_ERROR, "loop.start", "no memory for the connections of loop %d: they are not there", l->index);
	while (!atomic_load_explicit(&l->stop, memory_order_relaxed))
	{
		if (atomic_load_explicit(&l->drain, memory_order_relaxed) && !l->draining)
			begin_drain(l);
		one_round(l, time_to_wait(l));
	}
	finish(l);
	lc_sha256_thread_end();
	return NULL;
}

bool
loop_init(loop *l, int index)
{
	int			wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	memset(l, 0, sizeof(*l));
	l->index = index;
	l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (l->epoll_fd < 0 || wake < 0)
	{
		log_line(LOG_ERROR, "loop.start", "no epoll descriptor: %s", strerror(errno));
		return false;
	}
	l->wake = (loop_watch) {-1, 0, woken, l};
	loop_watch_set(l, &l->wake, wake, EPOLLIN);
	look_at_clock(l);
	return true;
}

bool
loop_start(loop *l)
{
	int			error = pthread_create(&l->thread, NULL, run, l);

	if (error != 0)
		log_line(LOG_ERROR, "loop.start", "no thread for a loop: %s", strerror(error));
	l->running = error == 0;
	return l->running;
}

/* ---- what is asked of it ---- */

int64_t
loop_now(const loop *l)
{
	return l->now;
}

loop *
loop_current(void)
{
	return current;
}

int
loop_index(const loop *l)
{
	return l->index;
}

struct dbpipe *
loop_pipe(loop *l)
{
	return l->pipe;
}

struct dbappend *
loop_append(loop *l)
{
	return l->append;
}

void
loop_random(loop *l, void *out, size_t n)
{
	if (l->random_left < n)
	{
		/* For so few bytes the kernel neither waits nor gives fewer, once it has started. */
		if (getrandom(l->random, sizeof(l->random), 0) != (ssize_t) sizeof(l->random))
			abort();
		l->random_left = sizeof(l->random);
	}
	l->random_left -= n;
	memcpy(out, l->random + l->random_left, n);
	memset(l->random + l->random_left, 0, n);
}
