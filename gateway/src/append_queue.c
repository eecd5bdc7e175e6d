/*
 * append_queue.c
 *		What waits to be appended, tenant by tenant.
 *
 * Tenants take turns, whatever the length of their queues: the one that was
 * served goes behind the others.
 */
#include <stdlib.h>
#include <string.h>

#include "dbappend_internal.h"

static void
count_waiting(dbappend *a, int change)
{
	a->waiting += (size_t) change;
	atomic_fetch_add(&db_tallies.waiting, change);
}

static append_queue **
place(dbappend *a, const char *tenant)
{
	uint32_t	hash = 2166136261u;	/* FNV-1a */
	append_queue **at;

	for (const char *c = tenant; *c != '\0'; c++)
		hash = (hash ^ (unsigned char) *c) * 16777619u;
	for (at = &a->buckets[hash % TENANT_BUCKETS]; *at != NULL; at = &(*at)->next)
		if (strcmp((*at)->tenant, tenant) == 0)
			break;
	return at;
}

static void
hold_fired(void *arg)
{
	append_queue *q = arg;
	dbappend   *a = q->owner;

	append_queue_settle(q);
	dbappend_schedule(a);
}

append_queue *
append_queue_find(dbappend *a, const char *tenant)
{
	append_queue **at = place(a, tenant);

	if (*at == NULL)
	{
		append_queue *q = calloc(1, sizeof(*q));

		if (q == NULL)
			return NULL;
		q->owner = a;
		strncpy(q->tenant, tenant, sizeof(q->tenant) - 1);
		q->hold.fire = hold_fired;
		q->hold.arg = q;
		*at = q;
	}
	return *at;
}

void
append_queue_add(append_queue *q, append_item *item)
{
	item->next = NULL;
	if (q->first == NULL)
		q->first = item;
	else
		q->last->next = item;
	q->last = item;
	count_waiting(q->owner, 1);
}

void
append_queue_put_back(append_queue *q, append_item *list)
{
	append_item *end = list;
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

static append_item *
shift(append_queue *q)
{
	append_item *item = q->first;

	q->first = item->next;
	item->next = NULL;
	count_waiting(q->owner, -1);
	return item;
}

static bool
too_late(const append_item *item, int64_t now)
{
	return job_abandoned(item->job) || item->job->deadline <= now;
}

append_item *
append_queue_take(append_queue *q, size_t *count)
{
	append_item *list = NULL;
	append_item **end = &list;
	size_t		bytes = 0;
	int64_t		now = loop_now(q->owner->loop);

	*count = 0;
	while (q->first != NULL && *count < BATCH_ITEMS)
	{
		append_item *item;

		if (*count > 0 && (q->first->alone || list->alone || bytes + q->first->text.len > BATCH_BYTES))
			break;
		item = shift(q);
		if (too_late(item, now))
		{
			append_item_refuse(item, "deadline", "the event waited too long for the database");
			continue;
		}
		bytes += item->text.len;
		*end = item;
		end = &item->next;
		(*count)++;
	}
	return list;
}

append_queue *
append_queue_next(dbappend *a, bool slow)
{
	for (append_queue **at = &a->ready; *at != NULL; at = &(*at)->next_ready)
	{
		append_queue *q = *at;

		if (q->slow && !slow)
			continue;
		*at = q->next_ready;
		if (*at == NULL)
			a->ready_end = at;
		q->listed = false;
		return q;
	}
	return NULL;
}

static void
forget(append_queue *q)
{
	*place(q->owner, q->tenant) = q->next;
	free(q);
}

void
append_queue_settle(append_queue *q)
{
	dbappend   *a = q->owner;

	if (q->flying || q->hold.set || q->listed)
		return;
	if (q->first == NULL)
	{
		/* Slow tenants are remembered, or each try of one would find a lane. */
		if (!q->slow)
			forget(q);
		return;
	}
	q->listed = true;
	q->next_ready = NULL;
	*a->ready_end = q;
	a->ready_end = &q->next_ready;
}

void
append_queue_hold(append_queue *q, int64_t ms)
{
	loop_timer_set(q->owner->loop, &q->hold, loop_now(q->owner->loop) + ms);
}

void
append_queues_refuse(dbappend *a, void (*refuse) (append_item *item, void *arg), void *arg)
{
	for (size_t b = 0; b < TENANT_BUCKETS; b++)
		for (append_queue *q = a->buckets[b]; q != NULL; q = q->next)
			while (q->first != NULL)
				refuse(shift(q), arg);
}

void
append_queues_free(dbappend *a)
{
	for (size_t b = 0; b < TENANT_BUCKETS; b++)
		while (a->buckets[b] != NULL)
		{
			append_queue *q = a->buckets[b];

			a->buckets[b] = q->next;
			loop_timer_end(a->loop, &q->hold);
			free(q);
		}
}
