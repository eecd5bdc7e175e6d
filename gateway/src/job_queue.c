/*
 * job_queue.c
 *		What waits for a connection, tenant by tenant and route by route.
 */
#include <stdlib.h>
#include <string.h>

#include "db_internal.h"
#include "job_queue.h"

static void
count_waiting(job_queues *all, int change)
{
	all->waiting += (size_t) change;
	atomic_fetch_add_explicit(&db_tallies.waiting, change, memory_order_relaxed);
}

static job_queue **
place(job_queues *all, const char *tenant, const route *row)
{
	uint32_t	hash = 2166136261u + (uint32_t) (row - routes);	/* FNV-1a */
	job_queue **at;

	for (const char *c = tenant; *c != '\0'; c++)
		hash = (hash ^ (unsigned char) *c) * 16777619u;
	for (at = &all->buckets[hash % JOB_QUEUE_BUCKETS]; *at != NULL; at = &(*at)->next)
		if ((*at)->route == row && strcmp((*at)->tenant, tenant) == 0)
			break;
	return at;
}

static void
hold_fired(void *arg)
{
	job_queue  *q = arg;
	job_queues *all = q->owner;

	job_queue_settle(q);
	all->schedule(all->arg);
}

static job_queue *
find(job_queues *all, const char *tenant, const route *row)
{
	job_queue **at = place(all, tenant, row);

	if (*at == NULL)
	{
		job_queue  *q = calloc(1, sizeof(*q));

		if (q == NULL)
			return NULL;
		q->owner = all;
		q->route = row;
		strcpy(q->tenant, tenant);
		q->hold.fire = hold_fired;
		q->hold.arg = q;
		*at = q;
	}
	return *at;
}

void
job_queues_init(job_queues *all, loop *l, void *arg)
{
	all->loop = l;
	all->arg = arg;
	all->ready_end = &all->ready;
}

bool
job_queues_add(job_queues *all, job *j)
{
	job_queue  *q = find(all, j->who.tenant, j->route);

	if (q == NULL)
	{
		all->refuse(j, "pool_exhausted", "out of memory");
		return false;
	}
	j->next = NULL;
	if (q->first == NULL)
		q->first = j;
	else
		q->last->next = j;
	q->last = j;
	count_waiting(all, 1);
	job_queue_settle(q);
	return true;
}

void
job_queue_put_back(job_queue *q, job *list)
{
	job		   *end = list;
	int			n = 1;

	if (list == NULL)
		return;
	for (; end->next != NULL; end = end->next)
		n++;
	end->next = q->first;
	if (q->first == NULL)
		q->last = end;
	q->first = list;
	count_waiting(q->owner, n);
}

job *
job_list_next(job **list)
{
	job		   *j = *list;

	*list = j->next;
	j->next = NULL;
	return j;
}

static job *
shift(job_queue *q)
{
	job		   *j = job_list_next(&q->first);

	count_waiting(q->owner, -1);
	return j;
}

static bool
too_late(const job *j, int64_t now)
{
	return job_abandoned(j) || j->deadline <= now;
}

job *
job_queue_take(job_queue *q, size_t most, size_t *count)
{
	job		   *list = NULL;
	job		  **end = &list;
	size_t		bytes = 0;
	int64_t		now = loop_now(q->owner->loop);

	*count = 0;
	while (q->first != NULL && *count < most)
	{
		job		   *j;

		if (*count > 0 && (q->first->alone || list->alone || bytes + q->first->weight > JOB_BATCH_BYTES))
			break;
		j = shift(q);
		if (too_late(j, now))
		{
			q->owner->refuse(j, "deadline", "the request waited too long for the database");
			continue;
		}
		bytes += j->weight;
		*end = j;
		end = &j->next;
		(*count)++;
	}
	return list;
}

job_queue *
job_queues_next(job_queues *all, bool slow)
{
	for (job_queue **at = &all->ready; *at != NULL; at = &(*at)->next_ready)
	{
		job_queue  *q = *at;

		if (q->slow && !slow)
			continue;
		*at = q->next_ready;
		if (*at == NULL)
			all->ready_end = at;
		q->listed = false;
		return q;
	}
	return NULL;
}

static void
forget(job_queue *q)
{
	*place(q->owner, q->tenant, q->route) = q->next;
	free(q);
}

void
job_queue_settle(job_queue *q)
{
	job_queues *all = q->owner;

	if (q->hold.set || q->listed)
		return;
	if (q->first == NULL)
	{
		/* What a tenant has spoilt is remembered, or each try of it would be a first one. */
		if (q->flying == 0 && !q->slow && q->tries == 0)
			forget(q);
		return;
	}
	if (!all->may_fly(q))
		return;
	q->listed = true;
	q->next_ready = NULL;
	*all->ready_end = q;
	all->ready_end = &q->next_ready;
}

void
job_queue_hold(job_queue *q, int64_t ms)
{
	loop_timer_set(q->owner->loop, &q->hold, loop_now(q->owner->loop) + ms);
}

void
job_queues_refuse(job_queues *all, void (*refuse) (job *j, void *arg), void *arg)
{
	for (size_t b = 0; b < JOB_QUEUE_BUCKETS; b++)
		for (job_queue *q = all->buckets[b]; q != NULL; q = q->next)
			while (q->first != NULL)
				refuse(shift(q), arg);
}

void
job_queues_free(job_queues *all)
{
	for (size_t b = 0; b < JOB_QUEUE_BUCKETS; b++)
		while (all->buckets[b] != NULL)
		{
			job_queue  *q = all->buckets[b];

			all->buckets[b] = q->next;
			loop_timer_end(all->loop, &q->hold);
			free(q);
		}
}
