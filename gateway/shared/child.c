/*
 * child.c
 *		Runs another program to its end; see child.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "child.h"

/* How long one that was told to end may take. */
#define END_MS 3000
/* How often its end is looked for: a grandchild may hold the pipe open, so that no end of file tells. */
#define LOOK_MS 50
/* A longer line is told in parts. */
#define LINE_MAX_BYTES 1000

typedef struct running
{
	const child *c;
	pid_t		pid;
	int			pipe;			/* -1: its other end was closed */
	bool		stopping;
	int64_t		until;			/* now_ms() at which the next signal is sent */
	int			sent;			/* the last one, 0: none */
	char		line[LINE_MAX_BYTES];
	size_t		line_len;
} running;

static int64_t
now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t) now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void
tell_line(running *r)
{
	if (r->line_len > 0)
		r->c->line(r->line, r->line_len);
	r->line_len = 0;
}

static void
take_output(running *r)
{
	char		bytes[4096];
	ssize_t		n = read(r->pipe, bytes, sizeof(bytes));

	for (ssize_t i = 0; i < n; i++)
	{
		if (bytes[i] == '\n' || r->line_len == sizeof(r->line))
			tell_line(r);
		if (bytes[i] != '\n')
			r->line[r->line_len++] = bytes[i];
	}
	if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
		return;
	close(r->pipe);
	r->pipe = -1;
}

/* Until it says something, it is to end, or a moment has passed. */
static void
listen_once(running *r)
{
	struct pollfd fds[2] = {
		{.fd = r->pipe, .events = POLLIN}, {.fd = r->stopping ? -1 : r->c->stop, .events = POLLIN}
	};

	if (poll(fds, 2, LOOK_MS) <= 0)
		return;
	if (fds[0].revents != 0)
		take_output(r);
	if (fds[1].revents != 0)
	{
		int64_t		grace = now_ms() + r->c->grace_ms;

		r->stopping = true;
		if (grace < r->until)
			r->until = grace;
	}
}

/* To its whole group: what it started ends with it. */
static void
press(running *r)
{
	if (now_ms() < r->until)
		return;
	r->sent = r->sent == 0 ? SIGTERM : SIGKILL;
	kill(-r->pid, r->sent);
	r->until = now_ms() + END_MS;
}

static int
wait_end(running *r)
{
	int			status = 0;

	for (;;)
	{
		pid_t		ended = waitpid(r->pid, &status, WNOHANG);

		if (ended != 0 && errno != EINTR)
			break;
		listen_once(r);
		press(r);
	}
	/* What it said last. */
	for (int i = 0; i < 64 && r->pipe >= 0 && poll(&(struct pollfd) {.fd = r->pipe, .events = POLLIN}, 1, 0) > 0; i++)
		take_output(r);
	tell_line(r);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int
set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t	all,
				none;

	sigfillset(&all);
	sigemptyset(&none);
	/* The gateway's threads block all signals (serve.c); a child would keep that. */
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setpgroup(attributes, 0);
	return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
									POSIX_SPAWN_SETPGROUP);
}

static int
set_files(posix_spawn_file_actions_t *files, int error)
{
	int			bad = posix_spawn_file_actions_addopen(files, 0, "/dev/null", O_RDONLY, 0);

	if (bad == 0)
		bad = posix_spawn_file_actions_addopen(files, 1, "/dev/null", O_WRONLY, 0);
	if (bad == 0)
		bad = posix_spawn_file_actions_adddup2(files, error, 2);
	/* Connections of clients and the log's are nothing for it. */
	return bad != 0 ? bad : posix_spawn_file_actions_addclosefrom_np(files, 3);
}

static int
spawn(running *r, int error)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attributes;
	int			bad = posix_spawn_file_actions_init(&files);

	if (bad != 0)
		return bad;
	bad = posix_spawnattr_init(&attributes);
	if (bad == 0)
	{
		bad = set_attributes(&attributes);
		if (bad == 0)
			bad = set_files(&files, error);
		if (bad == 0)
			bad = posix_spawnp(&r->pid, r->c->program, &files, &attributes, r->c->argv, r->c->environment);
		posix_spawnattr_destroy(&attributes);
	}
	posix_spawn_file_actions_destroy(&files);
	return bad;
}

int
child_run(const child *c, fault *f)
{
	running		r = {.c = c, .until = now_ms() + c->limit_ms};
	int			ends[2],
				bad,
				status;

	if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
	{
		fault_set(f, "no pipe: %s", strerror(errno));
		return -1;
	}
	r.pipe = ends[0];
	bad = spawn(&r, ends[1]);
	close(ends[1]);
	if (bad != 0)
	{
		fault_set(f, "\"%s\" cannot be run: %s", c->program, strerror(bad));
		status = -1;
	}
	else
		status = wait_end(&r);
	if (r.pipe >= 0)
		close(r.pipe);
	return status;
}
