/*
 * loop_timer.c
 *		Timers of a loop, in a pairing heap.
 *
 * Every request sets one and most are taken back, so both are cheap; and there
 * is nothing to allocate, so setting one cannot fail.
 *
 * child is a timer's first child, next its next sibling; prev is its previous
 * sibling, or its parent if it is the first child.
 */
#include <stddef.h>

#include "loop_internal.h"

/* Two heaps into one. */
static loop_timer *
meld(loop_timer *a, loop_timer *b)
{
	loop_timer *swap;

	if (a == NULL || b == NULL)
		return a != NULL ? a : b;
	if (b->at < a->at)
	{
		swap = a;
		a = b;
		b = swap;
	}
	b->next = a->child;
	if (b->next != NULL)
		b->next->prev = b;
	b->prev = a;
	a->child = b;
	return a;
}

/* The siblings from first on, as one heap: melded in pairs, then from the last to the first. */
static loop_timer *
meld_siblings(loop_timer *first)
{
	loop_timer *pairs = NULL;
	loop_timer *heap = NULL;

	while (first != NULL)
	{
		loop_timer *a = first;
		loop_timer *b = a->next;

		first = b != NULL ? b->next : NULL;
		a->next = a->prev = NULL;
		if (b != NULL)
			b->next = b->prev = NULL;
		a = meld(a, b);
		a->next = pairs;
		pairs = a;
	}
	while (pairs != NULL)
	{
		loop_timer *rest = pairs->next;

		pairs->next = NULL;
		heap = meld(heap, pairs);
		pairs = rest;
	}
	return heap;
}

void
loop_timer_end(loop *l, loop_timer *t)
{
	loop_timer *children;

	if (!t->set)
		return;
	children = meld_siblings(t->child);
	if (l->timers == t)
		l->timers = children;
	else
	{
		if (t->prev->child == t)
			t->prev->child = t->next;
		else
			t->prev->next = t->next;
		if (t->next != NULL)
			t->next->prev = t->prev;
		l->timers = meld(l->timers, children);
	}
	t->prev = t->next = t->child = NULL;
	t->set = false;
}

void
loop_timer_set(loop *l, loop_timer *t, int64_t at)
{
	loop_timer_end(l, t);
	t->at = at;
	t->set = true;
	l->timers = meld(l->timers, t);
}

int64_t
loop_timers_wait(const loop *l)
{
	if (l->timers == NULL)
		return -1;
	return l->timers->at > l->now ? l->timers->at - l->now : 0;
}

void
loop_timers_fire(loop *l)
{
	/* A timer that sets itself for now again must not keep us here: those later than this moment wait. */
	for (int64_t now = l->now; l->timers != NULL && l->timers->at <= now;)
	{
		loop_timer *t = l->timers;

		loop_timer_end(l, t);
		t->fire(t->arg);
	}
}
