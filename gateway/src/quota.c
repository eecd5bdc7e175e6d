/*
 * quota.c
 *		Rate and backlog of each tenant: how much it may write.
 *
 * The backlog of a tenant is what is stored and not anchored yet, as the probe
 * saw it last and as commits added since, and what is accepted and not answered.
 * The rate is a token bucket.
 *
 * Tenants come from verified tokens, so strangers cannot fill the table; still
 * it is bounded, and a place is taken from a tenant about which nothing needs
 * to be remembered.  When there is none, a tenant without a place has no quota,
 * which is no worse than the setting 0.
 */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config.h"
#include "dbappend.h"
#include "quota.h"
#include "tick.h"

#define BUCKETS 1024
#define MOST_TENANTS 10000

typedef struct tenant
{
	char		name[IDENTITY_TENANT_SIZE];
	uint64_t	unanchored, accepted;
	double		tokens;
	double		filled_at;		/* seconds; 0: never */
	bool		over_half;		/* the tick has been called for it */
	uint64_t	rejected_backlog, rejected_rate, backpressure;
	struct tenant *next;
} tenant;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static tenant *buckets[BUCKETS];
static size_t known;

static tenant **
place(const char *name)
{
	uint32_t	hash = 2166136261u;	/* FNV-1a */
	tenant	  **at;

	for (const char *c = name; *c != '\0'; c++)
		hash = (hash ^ (unsigned char) *c) * 16777619u;
	for (at = &buckets[hash % BUCKETS]; *at != NULL && strcmp((*at)->name, name) != 0; at = &(*at)->next)
		;
	return at;
}

/* Counters of rejections must not run backwards, so whoever has some stays. */
static bool
forgettable(const tenant *t)
{
	return t->unanchored == 0 && t->accepted == 0 && t->rejected_backlog == 0 && t->rejected_rate == 0 &&
		t->backpressure == 0;
}

static bool
forget_one(void)
{
	for (size_t b = 0; b < BUCKETS; b++)
		for (tenant **at = &buckets[b]; *at != NULL; at = &(*at)->next)
			if (forgettable(*at))
			{
				tenant	   *gone = *at;

				*at = gone->next;
				free(gone);
				known--;
				return true;
			}
	return false;
}

/* NULL: no place and none to be had. */
static tenant *
find(const char *name)
{
	tenant	  **at = place(name);
	tenant	   *t = *at;

	if (t != NULL)
		return t;
	if (known >= MOST_TENANTS && !forget_one())
		return NULL;
	t = calloc(1, sizeof(*t));
	if (t == NULL)
		return NULL;
	strcpy(t->name, name);
	at = place(name);			/* forgetting may have moved the end of the list */
	*at = t;
	known++;
	return t;
}

static double
seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}

/*
 * A request for more than the bucket ever holds passes when it is full, and
 * the debt is paid before the next one: else it would be refused for ever.
 */
static bool
take_rate(tenant *t, uint64_t events, const config *c, problem *p)
{
	double		rate = (double) c->quota_rate;
	double		burst = (double) (c->quota_burst > 0 ? c->quota_burst : c->quota_rate);
	double		now = seconds();
	double		wanted = (double) events < burst ? (double) events : burst;
	double		wait;

	if (c->quota_rate <= 0)
		return true;
	t->tokens = t->filled_at == 0 ? burst : t->tokens + (now - t->filled_at) * rate;
	if (t->tokens > burst)
		t->tokens = burst;
	t->filled_at = now;
	if (t->tokens >= wanted)
	{
		t->tokens -= (double) events;
		return true;
	}
	wait = ceil((wanted - t->tokens) / rate);
	t->rejected_rate++;
	problem_set(p, "quota_rate", "the tenant may append %lld events a second", (long long) c->quota_rate);
	p->retry_after = wait < 1 ? 1 : wait > 3600 ? 3600 : (unsigned) wait;
	return false;
}

/* More at once than the whole quota is let in when nothing waits, for the same reason. */
static bool
take_backlog(tenant *t, uint64_t events, const config *c, problem *p)
{
	uint64_t	backlog = t->unanchored + t->accepted;

	if (c->quota_backlog <= 0 || backlog == 0 || backlog + events <= (uint64_t) c->quota_backlog)
		return true;
	t->rejected_backlog++;
	problem_set(p, "quota_backlog", "%llu events of the tenant wait to be anchored, of %lld that may",
				(unsigned long long) backlog, (long long) c->quota_backlog);
	return false;
}

bool
quota_take(const char *name, uint64_t events, problem *p)
{
	const config *c = config_now();
	tenant	   *t;
	bool		full = false;
	bool		good = true;

	if (c->quota_backlog <= 0 && c->quota_rate <= 0)
		return true;
	pthread_mutex_lock(&lock);
	t = find(name);
	if (t != NULL)
	{
		full = !take_backlog(t, events, c, p);
		good = !full && take_rate(t, events, c, p);
	}
	pthread_mutex_unlock(&lock);
	if (full)
		tick_anchor_soon();		/* it is what makes room */
	return good;
}

void
quota_accepted(const char *name, int change)
{
	tenant	   *t;

	pthread_mutex_lock(&lock);
	t = find(name);
	if (t != NULL && (change > 0 || t->accepted >= (uint64_t) -change))
		t->accepted += (uint64_t) change;
	pthread_mutex_unlock(&lock);
}

uint64_t
quota_accepted_now(const char *name)
{
	tenant	   *t;
	uint64_t	n;

	pthread_mutex_lock(&lock);
	t = *place(name);
	n = t != NULL ? t->accepted : 0;
	pthread_mutex_unlock(&lock);
	return n;
}

uint64_t
dbappend_backlog(const char *name)
{
	return quota_accepted_now(name);
}

/* The tick is called once each time that half is passed, not for every event behind it. */
static bool
passes_half(tenant *t)
{
	int64_t		limit = config_now()->quota_backlog;
	bool		over = limit > 0 && t->unanchored > (uint64_t) limit / 2;
	bool		passes = over && !t->over_half;

	t->over_half = over;
	if (passes)
		t->backpressure++;
	return passes;
}

void
quota_set_unanchored(const char *name, uint64_t events)
{
	tenant	   *t;
	bool		call = false;

	pthread_mutex_lock(&lock);
	t = events > 0 ? find(name) : *place(name);
	if (t != NULL)
	{
		t->unanchored = events;
		call = passes_half(t);
	}
	pthread_mutex_unlock(&lock);
	if (call)
		tick_anchor_soon();
}

void
quota_add_unanchored(const char *name, uint64_t events)
{
	tenant	   *t;
	bool		call = false;

	pthread_mutex_lock(&lock);
	t = find(name);
	if (t != NULL)
	{
		t->unanchored += events;
		call = passes_half(t);
	}
	pthread_mutex_unlock(&lock);
	if (call)
		tick_anchor_soon();
}

/* With the lock held.  NULL: there are none, or no memory. */
static quota_state *
copy_states(size_t *n)
{
	uint64_t	limit = config_now()->quota_backlog > 0 ? (uint64_t) config_now()->quota_backlog : 0;
	quota_state *states;
	size_t		count = 0;

	*n = 0;
	for (size_t b = 0; b < BUCKETS; b++)
		for (const tenant *t = buckets[b]; t != NULL; t = t->next)
			count++;
	states = count > 0 ? calloc(count, sizeof(*states)) : NULL;
	for (size_t b = 0; states != NULL && b < BUCKETS; b++)
		for (const tenant *t = buckets[b]; t != NULL; t = t->next)
		{
			quota_state *state = &states[(*n)++];

			*state = (quota_state) {.backlog = t->unanchored + t->accepted, .limit = limit,
				.rejected_backlog = t->rejected_backlog, .rejected_rate = t->rejected_rate,
				.backpressure = t->backpressure};
			memcpy(state->tenant, t->name, sizeof(state->tenant));
		}
	return states;
}

/*
 * fn is called without the lock: it asks the probe, whose own lock is held where
 * the probe asks for backlogs here.  One order or the other would be a deadlock.
 */
void
quota_each(void (*fn) (const quota_state *state, void *arg), void *arg)
{
	quota_state *states;
	size_t		n;

	pthread_mutex_lock(&lock);
	states = copy_states(&n);
	pthread_mutex_unlock(&lock);
	for (size_t i = 0; i < n; i++)
		fn(&states[i], arg);
	free(states);
}
