/*
 * door.h
 *		One libmicrohttpd daemon of a loop, on one address: its connections,
 *		and how long each may take.  All of the loop's thread.
 *
 * libmicrohttpd is called from door*.c, request.c, respond.c, strict.c and
 * stream.c only, so that another version of it is the matter of few files.
 */
#ifndef GATEWAY_DOOR_H
#define GATEWAY_DOOR_H

#include <microhttpd.h>

#include "loop.h"
#include "tls.h"

typedef struct door door;
struct request;

/* What a connection is doing, and so what its timer means. */
typedef enum door_phase
{
	DOOR_READING,				/* a request is coming in */
	DOOR_WORKING,				/* it is suspended: the request has a deadline of its own */
	DOOR_SENDING,				/* the answer is going out */
	DOOR_IDLE					/* between two requests */
} door_phase;

typedef struct door_connection
{
	door	   *door;
	struct MHD_Connection *mhd;
	int			fd;
	bool		over;			/* beyond the limit: it is told so and closed */
	bool		cut_short;		/* answered before its request was there in full */
	door_phase	phase;
	loop_timer	timer;			/* past it the connection is shut down */
	struct request *request;	/* NULL between requests */
	tls_peer	peer;			/* as it was judged last; judged: when, 0: never */
	gnutls_datum_t certificate;
	int64_t		judged;
	struct door_connection *prev, *next;
} door_connection;

/* fd listens, and is the door's from now on, even if it fails.  NULL after a message. */
extern door *door_new(loop *l, int fd, bool tls, bool admin);
extern void door_free(door *d);
extern door *door_next(const door *d);
extern loop *door_loop(const door *d);
extern bool door_is_admin(const door *d);
extern bool door_is_tls(const door *d);

/* Let libmicrohttpd work, if there is anything for it to do. */
extern void door_run(door *d);
extern int64_t door_wait(const door *d);	/* milliseconds until it must be called again; -1: no need */
extern void door_touch(door *d);	/* there is something to do in this round */

/* Stop listening (not the admin port's), and let no connection stay. */
extern void door_drain(door *d);

/* Answer all that is suspended with 503. */
extern void door_refuse_all(door *d);

/* Of a connection. */
extern void door_phase_set(door_connection *c, door_phase phase, int64_t milliseconds);
extern void door_cut(door_connection *c);	/* shut the socket down: libmicrohttpd sees it closed */

/*
 * Writes a whole answer past libmicrohttpd, which takes none while a body is
 * coming in.  The caller has the connection closed behind it.
 */
extern void door_write(door_connection *c, const void *bytes, size_t n);

/* The client's certificate, and what is to be thought of it. */
extern tls_peer door_certificate(door_connection *c, gnutls_datum_t *der);

/*
 * door_linger.c: what becomes of a socket when its connection is closed.  more:
 * the client is likely to be sending still.
 */
extern void door_linger(loop *l, int fd, bool more);

#endif
