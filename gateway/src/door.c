/*
 * door.c
 *		A libmicrohttpd daemon that is run from outside, and its connections.
 *
 * The time-out of libmicrohttpd is one of idleness: a client that sends a byte
 * now and then is never idle and would hold its connection for ever.  So each
 * connection has a timer of ours for the whole of what it is doing, and past it
 * the socket is shut down.  That is safe here, because the daemon runs in this
 * thread alone: it finds the socket closed when it looks at it next.
 */
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config.h"
#include "door.h"
#include "log.h"
#include "loop_internal.h"
#include "problem.h"
#include "request.h"
#include "stream_internal.h"
#include "tls.h"

/* Connections beyond the limit that are still let in, to be told so. */
#define OVER_ROOM 64

/* While draining: how long a connection between requests is kept, for one may be on its way. */
#define LAST_CHANCE_MS 1000

/* A certificate may expire, or its CA be taken away, while its connection goes on. */
#define JUDGE_AGAIN_MS 30000

struct door
{
	door	   *next;
	loop	   *loop;
	struct MHD_Daemon *daemon;
	loop_watch	watch;			/* of the daemon's own epoll descriptor */
	bool		tls, admin;
	bool		touched;
	door_connection *connections;
};

/* ---- connections ---- */

void
door_cut(door_connection *c)
{
	shutdown(c->fd, SHUT_RDWR);
	/* A suspended one is looked at only after it has been resumed. */
	door_touch(c->door);
}

static void
time_is_over(void *arg)
{
	door_connection *c = arg;

	if (c->phase == DOOR_READING && c->request != NULL)
		request_too_slow(c->request);
	else
		door_cut(c);
}

void
door_phase_set(door_connection *c, door_phase phase, int64_t milliseconds)
{
	c->phase = phase;
	if (milliseconds < 0)
		loop_timer_end(c->door->loop, &c->timer);
	else
		loop_timer_set(c->door->loop, &c->timer, c->door->loop->now + milliseconds);
}

void
door_write(door_connection *c, const void *bytes, size_t n)
{
	const union MHD_ConnectionInfo *info;
	ssize_t		ignored;

	if (!c->door->tls)
	{
		/* Nothing has been sent on it since the last answer, so a few hundred bytes fit into its buffer. */
		ignored = send(c->fd, bytes, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		(void) ignored;
		return;
	}
	info = MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
	if (info != NULL && info->tls_session != NULL)
		(void) gnutls_record_send(info->tls_session, bytes, n);
}

static door_connection *
opened(door *d, struct MHD_Connection *mhd)
{
	const config *settings = config_now();
	const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
	door_connection *c = calloc(1, sizeof(*c));

	if (c == NULL || info == NULL)
	{
		free(c);
		if (info != NULL)
			shutdown(info->connect_fd, SHUT_RDWR);
		return NULL;
	}
	c->door = d;
	c->mhd = mhd;
	c->fd = info->connect_fd;
	c->timer.fire = time_is_over;
	c->timer.arg = c;
	if (d->tls)
	{
		info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION);
		if (info != NULL && info->tls_session != NULL)
			tls_begin(info->tls_session);
	}
	c->next = d->connections;
	if (c->next != NULL)
		c->next->prev = c;
	d->connections = c;
	if (!d->admin)
		atomic_fetch_add(&d->loop->connections, 1);
	c->over = !d->admin && loops_connections() > settings->max_connections;
	door_phase_set(c, DOOR_READING, settings->request_timeout_ms);
	return c;
}

static void
closed(door_connection *c)
{
	door	   *d = c->door;

	loop_timer_end(d->loop, &c->timer);
	if (c->next != NULL)
		c->next->prev = c->prev;
	if (c->prev != NULL)
		c->prev->next = c->next;
	else
		d->connections = c->next;
	if (!d->admin)
		atomic_fetch_sub(&d->loop->connections, 1);
	if (!d->loop->stopping)
		door_linger(d->loop, c->fd, c->cut_short);
	free(c);
}

static void
notify_connection(void *cls, struct MHD_Connection *mhd, void **context, enum MHD_ConnectionNotificationCode code)
{
	if (code == MHD_CONNECTION_NOTIFY_STARTED)
		*context = opened(cls, mhd);
	else if (*context != NULL)
	{
		closed(*context);
		*context = NULL;
	}
}

tls_peer
door_certificate(door_connection *c, gnutls_datum_t *der)
{
	const union MHD_ConnectionInfo *info =
		c->door->tls ? MHD_get_connection_info(c->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION) : NULL;
	int64_t		now = c->door->loop->now;

	if (info == NULL || info->tls_session == NULL)
		return TLS_PEER_NONE;
	if (c->judged == 0 || now >= c->judged + JUDGE_AGAIN_MS)
	{
		c->peer = tls_judge(info->tls_session, &c->certificate);
		c->judged = now;
	}
	*der = c->certificate;
	return c->peer;
}

/* ---- the daemon ---- */

static void
tell(void *cls, const char *format, va_list args)
{
	char		text[256];
	size_t		n;

	(void) cls;
	vsnprintf(text, sizeof(text), format, args);
	n = strlen(text);
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		text[--n] = '\0';
	log_line(LOG_DEBUG, "http.library", "%s", text);
}

static void
ready(void *arg, uint32_t events)
{
	(void) events;
	((door *) arg)->touched = true;
}

static unsigned
memory_of_connection(const config *settings)
{
	/*
	 * Half of it is room for what the fields are listed in and for the
	 * answer's header; it is wiped for each request.
	 */
	size_t		n = 2 * (size_t) settings->max_header;

	return n < 32768 ? 32768 : (unsigned) n;
}

static struct MHD_Daemon *
start_daemon(door *d, int fd)
{
	const config *settings = config_now();
	unsigned	flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
	struct MHD_OptionItem options[] = {
		{MHD_OPTION_CONNECTION_LIMIT, (intptr_t) (settings->max_connections + OVER_ROOM), NULL},
		{MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t) memory_of_connection(settings), NULL},
		{MHD_OPTION_CONNECTION_TIMEOUT, (intptr_t) ((settings->idle_timeout_ms + 999) / 1000), NULL},
		{MHD_OPTION_PER_IP_CONNECTION_LIMIT, (intptr_t) (d->admin ? 0 : settings->per_ip_connections), NULL},
		{MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
		{MHD_OPTION_LISTEN_SOCKET, fd, NULL},
		{d->tls ? MHD_OPTION_HTTPS_CERT_CALLBACK : MHD_OPTION_END, 0, (void *) (uintptr_t) tls_certificate},
		{MHD_OPTION_HTTPS_PRIORITIES, 0, (void *) (uintptr_t) TLS_PRIORITIES},
		{MHD_OPTION_END, 0, NULL}
	};

	if (d->tls)
		flags |= MHD_USE_TLS;

	return MHD_start_daemon(flags, 0, NULL, NULL, request_handle, d,
							MHD_OPTION_EXTERNAL_LOGGER, tell, NULL,
							MHD_OPTION_ARRAY, options,
							MHD_OPTION_URI_LOG_CALLBACK, request_begin, d,
							MHD_OPTION_NOTIFY_COMPLETED, request_completed, d,
							MHD_OPTION_NOTIFY_CONNECTION, notify_connection, d,
							MHD_OPTION_END);
}

door *
door_new(loop *l, int fd, bool tls, bool admin)
{
	door	   *d = calloc(1, sizeof(*d));
	const union MHD_DaemonInfo *info;

	if (d == NULL)
	{
		close(fd);
		return NULL;
	}
	d->loop = l;
	d->tls = tls;
	d->admin = admin;
	d->watch = (loop_watch) {-1, 0, ready, d};
	d->daemon = start_daemon(d, fd);
	info = d->daemon != NULL ? MHD_get_daemon_info(d->daemon, MHD_DAEMON_INFO_EPOLL_FD) : NULL;
	if (info == NULL)
	{
		log_line(LOG_ERROR, "http.start", "the HTTP library does not start: %s", strerror(errno));
		if (d->daemon != NULL)
			MHD_stop_daemon(d->daemon);
		free(d);
		close(fd);
		return NULL;
	}
	loop_watch_set(l, &d->watch, info->epoll_fd, EPOLLIN);
	d->touched = true;
	d->next = l->doors;
	l->doors = d;
	return d;
}

void
door_free(door *d)
{
	loop_watch_end(d->loop, &d->watch);
	MHD_stop_daemon(d->daemon);
	free(d);
}

void
door_run(door *d)
{
	if (!d->touched && door_wait(d) != 0)
		return;
	d->touched = false;
	MHD_run_wait(d->daemon, 0);
}

int64_t
door_wait(const door *d)
{
	MHD_UNSIGNED_LONG_LONG milliseconds;

	if (d->touched)
		return 0;
	if (MHD_get_timeout(d->daemon, &milliseconds) != MHD_YES)
		return -1;
	return milliseconds > INT32_MAX ? INT32_MAX : (int64_t) milliseconds;
}

void
door_touch(door *d)
{
	d->touched = true;
}

void
door_drain(door *d)
{
	int			fd;

	if (d->admin)
		return;
	/* Who has connected already is served. */
	MHD_run_wait(d->daemon, 0);
	fd = MHD_quiesce_daemon(d->daemon);
	if (fd >= 0)
		close(fd);
	for (door_connection *c = d->connections; c != NULL; c = c->next)
		if (c->phase == DOOR_IDLE || (c->phase == DOOR_READING && c->request == NULL))
			door_phase_set(c, c->phase, LAST_CHANCE_MS);
	d->touched = true;
}

void
door_refuse_all(door *d)
{
	problem		p;

	problem_set(&p, "draining", NULL);
	for (door_connection *c = d->connections; c != NULL; c = c->next)
	{
		if (c->request != NULL && c->phase == DOOR_WORKING)
			request_give_up(c->request, &p);
		else if (c->request != NULL && c->request->reply.stream != NULL)
			stream_break(c->request->reply.stream);
		else if (c->phase != DOOR_SENDING)
			door_cut(c);
	}
	d->touched = true;
}

door *
door_next(const door *d)
{
	return d->next;
}

loop *
door_loop(const door *d)
{
	return d->loop;
}

bool
door_is_admin(const door *d)
{
	return d->admin;
}

bool
door_is_tls(const door *d)
{
	return d->tls;
}
