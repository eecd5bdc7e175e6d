/*
 * body_queue.c
 *		A thread that parses long bodies: 16 MiB of JSON take a good part of a
 *		second, and the loop has everybody else to serve meanwhile.
 *
 * One thread, so that however many of them come, they take one core at most.
 */
#include <pthread.h>

#include "body.h"

static struct
{
	pthread_once_t once;
	pthread_mutex_t mutex;
	pthread_cond_t filled;
	bool		running;
	body_work  *first,
			   *last;
}			queue = {PTHREAD_ONCE_INIT, PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false, NULL, NULL};

static void *
worker(void *arg)
{
	(void) arg;
	for (;;)
	{
		body_work  *w;

		pthread_mutex_lock(&queue.mutex);
		while (queue.first == NULL)
			pthread_cond_wait(&queue.filled, &queue.mutex);
		w = queue.first;
		queue.first = w->next;
		pthread_mutex_unlock(&queue.mutex);
		body_parse(w);
		loop_post(w->loop, &w->call);
	}
	return NULL;
}

static void
start(void)
{
	pthread_attr_t attributes;
	pthread_t	thread;

	pthread_attr_init(&attributes);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	queue.running = pthread_create(&thread, &attributes, worker, NULL) == 0;
	pthread_attr_destroy(&attributes);
}

bool
body_submit(body_work *w)
{
	pthread_once(&queue.once, start);
	if (!queue.running)
		return false;
	w->next = NULL;
	pthread_mutex_lock(&queue.mutex);
	if (queue.first == NULL)
		queue.first = w;
	else
		queue.last->next = w;
	queue.last = w;
	pthread_cond_signal(&queue.filled);
	pthread_mutex_unlock(&queue.mutex);
	return true;
}
