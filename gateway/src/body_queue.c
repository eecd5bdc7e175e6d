/*
 * body_queue.c
 *		A thread that parses long bodies: 16 MiB of JSON take a good part of a
 *		second, and the loop has everybody else to serve meanwhile.
 *
 * One thread, so that however many of them come, they take one core at most.
 * At the end it gives back what it has not begun, while the loops still run:
 * what is posted to a loop that has ended belongs to nobody.
 */
#include <pthread.h>

#include "body.h"

static struct
{
	pthread_once_t once;
	pthread_mutex_t mutex;
	pthread_cond_t filled;
	pthread_t	thread;
	bool		running,
				stopping;
	body_work  *first,
			   *last;
}			queue = {.once = PTHREAD_ONCE_INIT, .mutex = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

/* The next one; NULL: there will be none any more. */
static body_work *
take(bool *stopping)
{
	body_work  *w;

	pthread_mutex_lock(&queue.mutex);
	while (queue.first == NULL && !queue.stopping)
		pthread_cond_wait(&queue.filled, &queue.mutex);
	w = queue.first;
	if (w != NULL)
		queue.first = w->next;
	*stopping = queue.stopping;
	pthread_mutex_unlock(&queue.mutex);
	return w;
}

static void *
worker(void *arg)
{
	body_work  *w;
	bool		stopping;

	while ((w = take(&stopping)) != NULL)
	{
		if (stopping)
			problem_set(&w->problem, "draining", NULL);
		else
			body_parse(w);
		loop_post(w->loop, &w->call);
	}
	return arg;
}

static void
start(void)
{
	queue.running = pthread_create(&queue.thread, NULL, worker, NULL) == 0;
}

bool
body_submit(body_work *w)
{
	bool		taken;

	pthread_once(&queue.once, start);
	w->next = NULL;
	pthread_mutex_lock(&queue.mutex);
	taken = queue.running && !queue.stopping;
	if (taken)
	{
		if (queue.first == NULL)
			queue.first = w;
		else
			queue.last->next = w;
		queue.last = w;
		pthread_cond_signal(&queue.filled);
	}
	pthread_mutex_unlock(&queue.mutex);
	return taken;
}

void
body_stop(void)
{
	/* From now on there is a thread, or never one. */
	pthread_once(&queue.once, start);
	pthread_mutex_lock(&queue.mutex);
	queue.stopping = true;
	pthread_cond_signal(&queue.filled);
	pthread_mutex_unlock(&queue.mutex);
	if (queue.running)
		pthread_join(queue.thread, NULL);
}
