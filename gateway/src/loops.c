/*
 * loops.c
 *		All loops together: where they listen, start, drain and end.
 *
 * Every loop has a socket of its own on each address (SO_REUSEPORT), so the
 * kernel shares connections out and no lock is held to accept one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "config.h"
#include "door.h"
#include "listen.h"
#include "log.h"
#include "loop_internal.h"

#define BACKLOG 1024

static loop *loops;
static int	count;
static lc_buf addresses[2];		/* of the API; of the admin port */

/* ---- sockets ---- */

static socklen_t
make_address(const listen_address *a, struct sockaddr_storage *out)
{
	memset(out, 0, sizeof(*out));
	if (a->v6)
	{
		struct sockaddr_in6 *v6 = (struct sockaddr_in6 *) out;

		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(a->port);
		inet_pton(AF_INET6, a->host, &v6->sin6_addr);
		return sizeof(*v6);
	}
	else
	{
		struct sockaddr_in *v4 = (struct sockaddr_in *) out;

		v4->sin_family = AF_INET;
		v4->sin_port = htons(a->port);
		inet_pton(AF_INET, a->host, &v4->sin_addr);
		return sizeof(*v4);
	}
}

/* The port that the system chose. */
static bool
read_port(int fd, listen_address *a)
{
	struct sockaddr_storage bound;
	socklen_t	n = sizeof(bound);

	if (getsockname(fd, (struct sockaddr *) &bound, &n) != 0)
		return false;
	a->port = ntohs(a->v6 ? ((struct sockaddr_in6 *) &bound)->sin6_port : ((struct sockaddr_in *) &bound)->sin_port);
	return true;
}

/* A socket that listens; -1 with errno.  A port 0 becomes the one chosen. */
static int
open_socket(listen_address *a, bool shared)
{
	struct sockaddr_storage address;
	socklen_t	n = make_address(a, &address);
	int			fd = socket(a->v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int			on = 1;
	int			error;

	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* Not unless it is needed: it would let a second gateway take the port by mistake. */
	if (shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (a->v6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *) &address, n) == 0 && listen(fd, BACKLOG) == 0 && read_port(fd, a))
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

static bool
open_address(listen_address *a, bool admin)
{
	lc_buf	   *list = &addresses[admin];
	int			doors = admin ? 1 : count;

	if (a->https && !tls_start())
		return false;
	for (int i = 0; i < doors; i++)
	{
		int			fd = open_socket(a, doors > 1);

		if (fd < 0)
		{
			int			error = errno;
			lc_buf		url;

			lc_buf_init(&url, &lc_alloc_malloc);
			listen_format(&url, a);
			log_line(LOG_ERROR, "http.listen", "cannot listen on %s: %s", url.data != NULL ? url.data : "",
					 strerror(error));
			lc_buf_free(&url);
			return false;
		}
		if (door_new(&loops[i], fd, a->https, admin) == NULL)
			return false;
	}
	if (list->len > 0)
		lc_buf_putc(list, ';');
	listen_format(list, a);
	return list->status == LC_OK;
}

static bool
open_addresses(const char *list, bool admin)
{
	listen_address a;
	fault		f;

	lc_buf_init(&addresses[admin], &lc_alloc_malloc);
	while (listen_next(&list, &a, &f))
		if (!open_address(&a, admin))
			return false;
	if (f.text[0] != '\0')
		log_line(LOG_ERROR, "http.listen", "%s", f.text);
	return f.text[0] == '\0';
}

/* A connection is a descriptor; take as many as the system gives. */
static void
raise_descriptor_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < (rlim_t) config_now()->max_connections + 128)
		log_line(LOG_WARN, "http.descriptors", "the system allows %llu descriptors: fewer than "
				 "LEDGER__HTTP__MAXCONNECTIONS needs", (unsigned long long) limit.rlim_cur);
}

/* ---- start and end ---- */

bool
loops_start(void)
{
	const config *settings = config_now();
	int			wanted = (int) settings->loops;

	raise_descriptor_limit();
	loops = calloc((size_t) wanted, sizeof(*loops));
	if (loops == NULL)
		return false;
	for (; count < wanted; count++)
		if (!loop_init(&loops[count], count))
			return false;
	if (!open_addresses(settings->listen, false) || !open_addresses(settings->admin_listen, true))
		return false;
	for (int i = 0; i < count; i++)
		if (!loop_start(&loops[i]))
			return false;
	return true;
}

int
loops_count(void)
{
	return count;
}

loop *
loops_at(int i)
{
	return &loops[i];
}

const char *
loops_listen(bool admin)
{
	return addresses[admin].data != NULL ? addresses[admin].data : "";
}

void
loops_drain(void)
{
	for (int i = 0; i < count; i++)
	{
		atomic_store(&loops[i].drain, true);
		loop_wake(&loops[i]);
	}
}

int
loops_connections(void)
{
	int			n = 0;

	for (int i = 0; i < count; i++)
		n += atomic_load_explicit(&loops[i].connections, memory_order_relaxed);
	return n;
}

int
loops_in_flight(void)
{
	int			n = 0;

	for (int i = 0; i < count; i++)
		n += atomic_load(&loops[i].drain) ? atomic_load(&loops[i].connections) : atomic_load(&loops[i].requests);
	return n;
}

void
loops_stop(void)
{
	for (int i = 0; i < count; i++)
	{
		atomic_store(&loops[i].stop, true);
		loop_wake(&loops[i]);
	}
	for (int i = 0; i < count; i++)
		if (loops[i].running)
			pthread_join(loops[i].thread, NULL);
}
