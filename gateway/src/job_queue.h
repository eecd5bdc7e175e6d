/*
 * job_queue.h
 *		Jobs that wait for a connection, by tenant and route: what a statement
 *		can be shared by, and who must not stand behind whom.
 *
 * Queues take turns, whatever their length: the one that was served goes behind
 * the others.  While as many statements of a queue fly as it may have, the next
 * one collects.  There is no timer in that, so a lone client waits for nobody.
 */
#ifndef GATEWAY_JOB_QUEUE_H
#define GATEWAY_JOB_QUEUE_H

#include "job.h"

/*
 * Of one statement.  Beyond some hundred jobs a larger one saves nothing more,
 * and all of them wait for its end.
 */
#define JOB_BATCH_COUNT 256
#define JOB_BATCH_BYTES (1024 * 1024)

#define JOB_QUEUE_BUCKETS 256

typedef struct job_queue
{
	struct job_queues *owner;
	const route *route;
	char		tenant[sizeof(((identity *) NULL)->tenant)];
	job		   *first, *last;
	size_t		flying;			/* statements of it on their way */
	bool		slow;			/* its last batch waited for a lock or a statement too long */
	bool		listed;			/* among those that are ready */
	loop_timer	hold;			/* before a batch is tried again */
	unsigned	tries;			/* batches in a row that failed as a whole */
	size_t		singles;		/* so many jobs more have a statement each */
	struct job_queue *next_ready;
	struct job_queue *next;		/* of its bucket */
} job_queue;

/* All queues of one executor.  The executor embeds it. */
typedef struct job_queues
{
	loop	   *loop;
	/* May one more statement of it fly? */
	bool		(*may_fly) (const job_queue *q);
	void		(*refuse) (job *j, const char *code, const char *detail);
	void		(*schedule) (void *arg);	/* a queue became ready by itself */
	void	   *arg;
	job_queue  *buckets[JOB_QUEUE_BUCKETS];
	job_queue  *ready, **ready_end;
	size_t		waiting;
} job_queues;

extern void job_queues_init(job_queues *all, loop *l, void *arg);

/* Behind the others of its tenant and route.  False: no memory, and the job has been refused. */
extern bool job_queues_add(job_queues *all, job *j);

/* The next that has work, may fly, and is not slow unless slow ones are welcome.  NULL: none. */
extern job_queue *job_queues_next(job_queues *all, bool slow);

/* All that wait, everywhere. */
extern void job_queues_refuse(job_queues *all, void (*refuse) (job *j, void *arg), void *arg);
extern void job_queues_free(job_queues *all);	/* nothing waits */

/* The first of a list, taken out of it. */
extern job *job_list_next(job **list);

/* Takes jobs for one statement, at most so many, and refuses those that are too late.  NULL: none is left. */
extern job *job_queue_take(job_queue *q, size_t most, size_t *count);
extern void job_queue_put_back(job_queue *q, job *list);	/* in front, in their order */

/* Ready if it has work; forgotten if it has none and remembers nothing. */
extern void job_queue_settle(job_queue *q);

/* No statement of it before so many milliseconds. */
extern void job_queue_hold(job_queue *q, int64_t ms);

#endif
