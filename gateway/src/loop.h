/*
 * loop.h
 *		The event loop: one thread, one epoll set, one libmicrohttpd daemon
 *		run from outside, and the connections to PostgreSQL of its own.
 *
 * libmicrohttpd's own epoll loop sleeps with unread requests when exactly 128,
 * 256 or 384 of them are ready at once, so it is run as MHD_run_wait(d, 0)
 * whenever its epoll descriptor is readable (test/gateway/connections.mjs).
 *
 * Everything here belongs to the loop's thread, except where a function says
 * "any thread".
 */
#ifndef GATEWAY_LOOP_H
#define GATEWAY_LOOP_H

#include <stdbool.h>
#include <stdint.h>

typedef struct loop loop;
struct job;

/* A descriptor that the loop looks after.  The owner embeds it; fd -1: not watched. */
typedef struct loop_watch
{
	int			fd;
	uint32_t	events;			/* EPOLLIN | EPOLLOUT | … */
	void		(*ready) (void *arg, uint32_t events);
	void	   *arg;
} loop_watch;

/* Watch fd for events from now on (0: only errors), or change what is watched. */
extern void loop_watch_set(loop *l, loop_watch *w, int fd, uint32_t events);
extern void loop_watch_end(loop *l, loop_watch *w);	/* before the descriptor is closed */

/* A moment at which something is to be called, once.  The owner embeds it; zeroed: not set. */
typedef struct loop_timer
{
	int64_t		at;				/* loop_now() + milliseconds */
	void		(*fire) (void *arg);
	void	   *arg;
	struct loop_timer *prev, *next, *child;	/* a pairing heap: nothing to allocate */
	bool		set;
} loop_timer;

extern void loop_timer_set(loop *l, loop_timer *t, int64_t at);
extern void loop_timer_end(loop *l, loop_timer *t);

/* Milliseconds of the monotonic clock, as of the loop's last waking. */
extern int64_t loop_now(const loop *l);

/* Any thread: have fn(arg) called in the loop's thread, soon. */
typedef struct loop_call
{
	void		(*fn) (void *arg);
	void	   *arg;
	struct loop_call *next;
} loop_call;
extern void loop_post(loop *l, loop_call *call);

/* The loop whose thread this is, NULL in other threads. */
extern loop *loop_current(void);
extern int	loop_index(const loop *l);

struct dbpipe;
struct dbappend;
extern struct dbpipe *loop_pipe(loop *l);
extern struct dbappend *loop_append(loop *l);

/* ---- for main.c ---- */

/* How many there are (LEDGER__HTTP__LOOPS), and each of them. */
extern bool loops_start(void);	/* listens; false after a message */
extern int	loops_count(void);
extern loop *loops_at(int i);

/* Where they listen, with the ports that the system chose: URLs separated by ";". */
extern const char *loops_listen(bool admin);

/* Any thread.  Listening stops; requests in flight go on. */
extern void loops_drain(void);

/*
 * Any thread: requests that have not been answered yet, all loops; after
 * loops_drain connections that are not closed yet, since a request may be on
 * its way in each.
 */
extern int	loops_in_flight(void);

/* Ends the threads: what is still unanswered gets 503, suspended connections are resumed first. */
extern void loops_stop(void);

#endif
