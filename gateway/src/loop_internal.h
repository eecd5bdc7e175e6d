/*
 * loop_internal.h
 *		A loop from inside: shared by loop.c (one loop), loops.c (all of them),
 *		loop_timer.c and door.c.
 */
#ifndef GATEWAY_LOOP_INTERNAL_H
#define GATEWAY_LOOP_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/epoll.h>

#include "loop.h"

#define LOOP_EVENTS 64

struct door;

struct loop
{
	int			index;
	int			epoll_fd;
	pthread_t	thread;
	bool		running;		/* the thread has been started */
	int64_t		now;
	loop_timer *timers;			/* the root of the heap: the next to fire */
	struct epoll_event events[LOOP_EVENTS];
	int			events_count;	/* of the waking that is being handled */

	/* From other threads. */
	loop_watch	wake;			/* an eventfd */
	_Atomic(loop_call *) posted;	/* the last one first */
	atomic_bool drain;
	atomic_bool stop;

	struct door *doors;
	bool		draining;		/* drain was seen */
	bool		stopping;		/* stop was seen */
	atomic_int	requests;
	atomic_int	connections;	/* not those of the admin port */

	struct dbpipe *pipe;
	struct dbappend *append;

	unsigned char random[1024];	/* for identifiers; refilled when used up */
	size_t		random_left;
};

/* loop_timer.c: milliseconds until the next is due, -1: none is set. */
extern int64_t loop_timers_wait(const loop *l);
extern void loop_timers_fire(loop *l);

/* loop.c: False after a message. */
extern bool loop_init(loop *l, int index);
extern bool loop_start(loop *l);
extern void loop_wake(loop *l);

/* Bytes that cannot be foreseen. */
extern void loop_random(loop *l, void *out, size_t n);

/* loops.c: connections of all loops. */
extern int	loops_connections(void);

#endif
