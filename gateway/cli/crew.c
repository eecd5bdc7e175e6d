/*
 * crew.c
 *		Threads, and waiting for them.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "crew.h"
#include "lc_sha256.h"

#define REDRAW_NS 100000000L

typedef struct gate
{
	pthread_mutex_t lock;
	pthread_cond_t ended;
	size_t		running;
} gate;

typedef struct member
{
	crew	   *crew;
	gate	   *gate;
	crew_work	work;
	void	   *arg;
	cli_exit	code;
	fault		f;
	pthread_t	thread;
} member;

static void *
work_one(void *arg)
{
	member	   *m = arg;

	m->code = m->work(m->crew, m->arg, &m->f);
	if (m->code != CLI_GOOD)
		atomic_store(&m->crew->stop, true);
	lc_sha256_thread_end();
	pthread_mutex_lock(&m->gate->lock);
	m->gate->running--;
	pthread_cond_signal(&m->gate->ended);
	pthread_mutex_unlock(&m->gate->lock);
	return NULL;
}

/* Nobody else draws: the line of the progress belongs to one thread. */
static void
wait_for_all(crew *c, gate *g)
{
	pthread_mutex_lock(&g->lock);
	while (g->running > 0)
	{
		struct timespec until;

		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += REDRAW_NS;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		(void) pthread_cond_timedwait(&g->ended, &g->lock, &until);
		cli_progress(c->what, atomic_load(&c->done), c->total);
	}
	pthread_mutex_unlock(&g->lock);
	cli_progress_clear();
}

cli_exit
crew_run(crew *c, size_t n, crew_work work, void *arguments, size_t size, fault *f)
{
	gate		g = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, n};
	member		members[CREW_MAX];
	size_t		started = 0;
	cli_exit	code = CLI_GOOD;

	for (; started < n; started++)
	{
		member	   *m = &members[started];

		*m = (member) {.crew = c, .gate = &g, .work = work,
		.arg = (char *) arguments + started * size};
		if (pthread_create(&m->thread, NULL, work_one, m) != 0)
			break;
	}
	if (started < n)
	{
		atomic_store(&c->stop, true);
		pthread_mutex_lock(&g.lock);
		g.running -= n - started;
		pthread_mutex_unlock(&g.lock);
		fault_set(f, "a thread cannot be started");
		code = CLI_USAGE;
	}
	wait_for_all(c, &g);
	for (size_t i = 0; i < started; i++)
	{
		pthread_join(members[i].thread, NULL);
		if (code == CLI_GOOD && members[i].code != CLI_GOOD)
		{
			code = members[i].code;
			*f = members[i].f;
		}
	}
	return code;
}
