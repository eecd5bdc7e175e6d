/*
 * door_linger.c
 *		A closed connection whose client is still sending.
 *
 * If a socket is closed with unread bytes in it, the kernel sends a reset, and
 * that makes the client's kernel throw away an answer that has arrived: a
 * client that was refused in the middle of its body (413) would see "connection
 * reset" instead of the reason.  So the socket lives on for a moment as a
 * duplicate, and what comes in is read and forgotten (RFC 9112 section 9.6).
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "door.h"
#include "loop_internal.h"

#define LINGER_MS 2000
#define LINGER_MAX 128			/* sockets at once, of a loop */
#define LINGER_BYTES (8 * 1024 * 1024)

typedef struct lingerer
{
	loop	   *loop;
	loop_watch	watch;
	loop_timer	timer;
	size_t		left;			/* bytes that are still taken */
} lingerer;

static _Thread_local int lingering;

static void
end(void *arg)
{
	lingerer   *g = arg;
	int			fd = g->watch.fd;

	loop_watch_end(g->loop, &g->watch);
	loop_timer_end(g->loop, &g->timer);
	close(fd);
	free(g);
	lingering--;
}

static void
forget(void *arg, uint32_t events)
{
	lingerer   *g = arg;
	char		bytes[16384];
	ssize_t		n = recv(g->watch.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0 && (size_t) n <= g->left)
		g->left -= (size_t) n;
	else if (n != -1 || (events & (EPOLLERR | EPOLLHUP)) != 0)
		end(g);
}

void
door_linger(loop *l, int fd, bool more)
{
	char		byte;
	lingerer   *g;
	ssize_t		seen = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (seen == 0 || (seen < 0 && !more) || lingering >= LINGER_MAX)
		return;
	g = calloc(1, sizeof(*g));
	if (g == NULL)
		return;
	fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
	{
		free(g);
		return;
	}
	shutdown(fd, SHUT_WR);
	lingering++;
	g->loop = l;
	g->left = LINGER_BYTES;
	g->watch = (loop_watch) {-1, 0, forget, g};
	g->timer.fire = end;
	g->timer.arg = g;
	loop_watch_set(l, &g->watch, fd, EPOLLIN | EPOLLRDHUP);
	loop_timer_set(l, &g->timer, l->now + LINGER_MS);
}
