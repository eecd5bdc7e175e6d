/*
 * test_loop_timer.c
 *		Timers of a loop against a plain list, at random: set, moved, taken
 *		back, fired in order.
 */
#include "harness.h"
#include "loop_internal.h"

#define TIMERS 500
#define STEPS 20000

static loop the_loop;
static loop_timer timers[TIMERS];
static int64_t fired_at[TIMERS];	/* when each was due when it fired last; -1: not since */
static int	fired;
static int64_t last;
static bool in_order;

static void
fire(void *arg)
{
	loop_timer *t = arg;

	fired++;
	in_order = in_order && t->at >= last && t->at <= the_loop.now && !t->set;
	last = t->at;
	fired_at[t - timers] = t->at;
	/* One that sets itself for now again must not be fired in the same round. */
	if ((t - timers) % 50 == 0)
		loop_timer_set(&the_loop, t, the_loop.now + 1);
}

/* The same numbers every time. */
static uint32_t
next_random(void)
{
	static uint32_t state = 2463534242;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static bool
agrees(const int64_t *due)
{
	int64_t		first = -1;

	for (size_t i = 0; i < TIMERS; i++)
	{
		if (timers[i].set != (due[i] >= 0))
			return false;
		if (due[i] >= 0 && (first < 0 || due[i] < first))
			first = due[i];
	}
	return loop_timers_wait(&the_loop) == (first < 0 ? -1 : first > the_loop.now ? first - the_loop.now : 0);
}

static void
step(int64_t *due)
{
	size_t		i = next_random() % TIMERS;

	switch (next_random() % 8)
	{
		case 0:
			loop_timer_end(&the_loop, &timers[i]);
			due[i] = -1;
			break;
		case 1:
			the_loop.now += next_random() % 20;
			last = -1;
			loop_timers_fire(&the_loop);
			for (size_t k = 0; k < TIMERS; k++)
				if (due[k] >= 0 && due[k] <= the_loop.now)
				{
					in_order = in_order && fired_at[k] == due[k];
					due[k] = k % 50 == 0 ? the_loop.now + 1 : -1;
				}
			break;
		default:
			due[i] = the_loop.now + next_random() % 1000;
			fired_at[i] = -1;
			loop_timer_set(&the_loop, &timers[i], due[i]);
	}
}

int
main(void)
{
	static int64_t due[TIMERS];
	bool		same = true;

	for (size_t i = 0; i < TIMERS; i++)
	{
		due[i] = -1;
		timers[i].fire = fire;
		timers[i].arg = &timers[i];
	}
	in_order = true;
	ok(loop_timers_wait(&the_loop) == -1, "no timer: no need to wake");
	for (int n = 0; n < STEPS && same; n++)
	{
		step(due);
		same = agrees(due);
	}
	ok(same, "what is set and what is next agree with a list");
	ok(in_order, "they fire when they are due, in order, once");
	ok(fired > 1000, "%d fired", fired);
	for (size_t i = 0; i < TIMERS; i++)
		loop_timer_end(&the_loop, &timers[i]);
	ok(the_loop.timers == NULL && loop_timers_wait(&the_loop) == -1, "all taken back: nothing is left");
	return done();
}
