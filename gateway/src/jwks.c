/*
 * jwks.c
 *		The thread that fetches keys, and who waits for it.
 *
 * fetch_lock guards what the thread is to do and who waits; it is never held
 * while a set of keys is taken or replaced.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "config.h"
#include "http.h"
#include "jwks.h"
#include "jwks_source.h"
#include "key_set.h"
#include "lc_sha256.h"
#include "log.h"

#define FETCH_SECONDS 10

/* ---- what the thread is to do ---- */

typedef struct waiter
{
	loop_call	call;			/* what is posted: its loop looks whether anybody still waits */
	loop	   *loop;
	loop_call  *theirs;			/* NULL: gave up */
	struct waiter *next;
} waiter;

static pthread_mutex_t fetch_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t fetch_wanted;
static pthread_t thread;
static bool running = false,
			wanted = false,
			fetching = false;
static atomic_bool stopping = false;
static int64_t next_fetch,		/* monotonic milliseconds */
			last_wanted;
static waiter *waiting = NULL;	/* for the fetch that is on its way */
static waiter *posted = NULL;	/* posted, and not run yet */

static void (*keys_changed) (uint64_t generation);

/* Only the thread's own, and jwks_start's before there is one. */
static char etag[256];
static uint8_t last_text[32];	/* SHA-256 of the text that was read last */
static const char *last_place = "";	/* of settings, which stay when they are replaced (config.c) */
static int	failures = 0;		/* in a row */

static atomic_uint_least64_t fetches_count,
			failures_count;
static atomic_int_least64_t last_success;

static int64_t
now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t) t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- one fetch ---- */

static bool
is_stopping(void *arg)
{
	(void) arg;
	return atomic_load(&stopping);
}

static void
tell_skipped(lc_str kid, const char *why, void *arg)
{
	(void) arg;
	log_line(LOG_WARN, "auth.key_skipped", "a key of the authority is not used (kid \"%.*s\"): %s",
			 kid.n > 64 ? 64 : (int) kid.n, kid.s != NULL ? kid.s : "", why);
}

/* Where from, for the log: a URL without what may be a password. */
static void
tell_failed(log_level level, const char *place, const fault *f)
{
	char		name[512];

	http_public_url(place, name, sizeof(name));
	log_line(level, "auth.keys_failed", "the authority's keys cannot be had from %s: %s", name, f->text);
}

static bool
same_keys(const jwk_set *fresh)
{
	uint64_t	unused;
	key_set    *s = key_set_take(&unused);
	bool		same = s != NULL && memcmp(key_set_keys(s)->digest, fresh->digest, sizeof(fresh->digest)) == 0;

	key_set_give(s);
	return same;
}

/* The text is a set: make it the present one, unless the keys are those we have. */
static bool
accept(const char *text, size_t n, const char *place, fault *f)
{
	key_set    *fresh = key_set_parse(text, n, tell_skipped, f);
	int			count;

	if (fresh == NULL)
		return false;
	count = (int) key_set_keys(fresh)->count;
	if (same_keys(key_set_keys(fresh)))
	{
		key_set_give(fresh);
		return true;
	}
	keys_changed(key_set_replace(fresh));
	log_line(count > 0 ? LOG_INFO : LOG_WARN, "auth.keys", "%d keys of the authority, from %s", count, place);
	return true;
}

/* The same text says the same; so does another text with the same keys, see accept(). */
static bool
take_text(const lc_buf *text, const char *place, fault *f)
{
	uint8_t		hash[32];
	const char *bytes = text->data != NULL ? text->data : "";

	if (lc_sha256(bytes, text->len, hash) != LC_OK)
		return fault_set(f, "no SHA-256");
	if (memcmp(hash, last_text, sizeof(hash)) == 0)
		return true;
	if (!accept(bytes, text->len, place, f))
	{
		etag[0] = '\0';			/* 304 would not be a good answer to this */
		return false;
	}
	memcpy(last_text, hash, sizeof(hash));
	return true;
}

/*
 * Another authority, or none any more: neither its predecessor's keys nor
 * answers count.  (The same one when it is away keeps its keys.)
 */
static void
change_place(const char *place)
{
	if (last_place[0] != '\0')
		keys_changed(key_set_replace(NULL));
	etag[0] = '\0';
	memset(last_text, 0, sizeof(last_text));
	last_place = place;
}

static bool
read_keys(const char *place, long *max_age, fault *f)
{
	const jwks_source source = {
		.place = place, .ca_file = config_now()->auth_ca_file, .timeout = FETCH_SECONDS, .cancelled = is_stopping
	};
	lc_buf		text;
	jwks_read	result;
	bool		good;

	lc_buf_init(&text, &lc_alloc_malloc);
	result = jwks_source_read(&source, etag, max_age, &text, f);
	good = result == JWKS_SAME || (result == JWKS_READ && take_text(&text, place, f));
	lc_buf_free(&text);
	return good;
}

static bool
fetch(long *max_age)
{
	const char *place = config_now()->auth_jwks;
	fault		f = {""};
	bool		good;

	if (strcmp(last_place, place) != 0)
		change_place(place);
	if (place[0] == '\0')
		return true;			/* mutual TLS only */
	good = read_keys(place, max_age, &f);
	atomic_fetch_add(&fetches_count, 1);
	if (good)
		atomic_store(&last_success, (int64_t) time(NULL));
	else
	{
		atomic_fetch_add(&failures_count, 1);
		if (!atomic_load(&stopping))
			tell_failed(LOG_WARN, place, &f);
	}
	return good;
}

/* ---- when the next one is due ---- */

/*
 * After a success: when the authority says (Cache-Control), but not more often
 * than MINREFRESH and not more seldom than REFRESH.  An authority that says
 * nothing is asked each REFRESH.  After a failure: a second, doubled with each
 * further one up to MINREFRESH.
 */
static int64_t
pause_ms(bool good, long max_age)
{
	const config *c = config_now();
	int64_t		longest = c->auth_refresh_ms,
				pause = longest;

	if (good)
	{
		failures = 0;
		if (max_age >= 0 && max_age < longest / 1000)
			pause = (int64_t) max_age * 1000;
		return pause > c->auth_min_refresh_ms ? pause : c->auth_min_refresh_ms;
	}
	if (longest > c->auth_min_refresh_ms)
		longest = c->auth_min_refresh_ms > 1000 ? c->auth_min_refresh_ms : 1000;
	pause = INT64_C(1000) << (failures < 16 ? failures++ : 16);
	return pause < longest ? pause : longest;
}

/* ---- who waits ---- */

static void
unlist(waiter **list, waiter *w)
{
	while (*list != NULL && *list != w)
		list = &(*list)->next;
	if (*list == w)
		*list = w->next;
}

/* In the waiter's loop, as jwks_wait_end is: so nobody can give up between the look and the call. */
static void
run_waiter(void *arg)
{
	waiter	   *w = arg;
	loop_call  *theirs;

	pthread_mutex_lock(&fetch_lock);
	unlist(&posted, w);
	theirs = w->theirs;
	pthread_mutex_unlock(&fetch_lock);
	free(w);
	if (theirs != NULL)
		theirs->fn(theirs->arg);
}

/* With fetch_lock held. */
static void
call_waiters(void)
{
	while (waiting != NULL)
	{
		waiter	   *w = waiting;

		waiting = w->next;
		w->next = posted;
		posted = w;
		loop_post(w->loop, &w->call);
	}
}

bool
jwks_wait(loop *l, loop_call *call)
{
	waiter	   *w = calloc(1, sizeof(*w));
	bool		coming;

	if (w == NULL)
		return false;
	w->call.fn = run_waiter;
	w->call.arg = w;
	w->loop = l;
	w->theirs = call;
	pthread_mutex_lock(&fetch_lock);
	coming = running && (fetching || wanted);
	if (coming)
	{
		w->next = waiting;
		waiting = w;
	}
	pthread_mutex_unlock(&fetch_lock);
	if (!coming)
		free(w);
	return coming;
}

void
jwks_wait_end(loop_call *call)
{
	pthread_mutex_lock(&fetch_lock);
	for (waiter *w = posted; w != NULL; w = w->next)
		if (w->theirs == call)
			w->theirs = NULL;
	for (waiter *w = waiting; w != NULL; w = w->next)
		if (w->theirs == call)
		{
			unlist(&waiting, w);
			free(w);
			break;
		}
	pthread_mutex_unlock(&fetch_lock);
}

/* ---- the thread ---- */

static void
sleep_until_due(void)
{
	struct timespec due = {.tv_sec = next_fetch / 1000, .tv_nsec = next_fetch % 1000 * 1000000};

	pthread_cond_timedwait(&fetch_wanted, &fetch_lock, &due);
}

static void *
fetcher(void *arg)
{
	(void) arg;
	pthread_mutex_lock(&fetch_lock);
	while (!atomic_load(&stopping))
	{
		long		max_age = -1;
		bool		good;

		if (!wanted && now_ms() < next_fetch)
		{
			sleep_until_due();
			continue;
		}
		wanted = false;
		fetching = true;
		pthread_mutex_unlock(&fetch_lock);
		good = fetch(&max_age);
		pthread_mutex_lock(&fetch_lock);
		fetching = false;
		next_fetch = now_ms() + pause_ms(good, max_age);
		call_waiters();
	}
	running = false;
	call_waiters();
	pthread_mutex_unlock(&fetch_lock);
	lc_sha256_thread_end();
	return NULL;
}

/* Signals are main.c's: none may come here. */
static bool
start_thread(void)
{
	sigset_t	all,
				before;
	bool		good;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	running = true;
	good = pthread_create(&thread, NULL, fetcher, NULL) == 0;
	running = good;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return good;
}

bool
jwks_start(void (*changed) (uint64_t generation_now))
{
	const config *c = config_now();
	pthread_condattr_t attributes;
	fault		f = {""};
	long		max_age;

	keys_changed = changed;
	if (c->auth_jwks[0] != '\0' && !jwks_source_check(c->auth_jwks, &f))
	{
		tell_failed(LOG_ERROR, c->auth_jwks, &f);
		return false;
	}
	next_fetch = now_ms();
	last_wanted = next_fetch - c->auth_min_refresh_ms;
	if (c->auth_jwks[0] != '\0' && jwks_is_file(c->auth_jwks))
	{
		if (!fetch(&max_age))
			return false;
		next_fetch += pause_ms(true, max_age);
	}
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&fetch_wanted, &attributes);
	pthread_condattr_destroy(&attributes);
	if (start_thread())
		return true;
	log_line(LOG_ERROR, "auth.thread", "no thread for the authority's keys");
	return false;
}

void
jwks_stop(void)
{
	bool		was_running;

	pthread_mutex_lock(&fetch_lock);
	was_running = running;
	atomic_store(&stopping, true);
	if (was_running)
		pthread_cond_signal(&fetch_wanted);
	pthread_mutex_unlock(&fetch_lock);
	if (was_running)
		pthread_join(thread, NULL);
}

void
jwks_reload(void)
{
	keys_changed(key_set_next_generation());
	pthread_mutex_lock(&fetch_lock);
	if (running)
	{
		wanted = true;
		pthread_cond_signal(&fetch_wanted);
	}
	pthread_mutex_unlock(&fetch_lock);
}

bool
jwks_want(void)
{
	int64_t		now = now_ms();
	bool		coming;

	pthread_mutex_lock(&fetch_lock);
	coming = running && (fetching || wanted);
	if (running && !coming && now - last_wanted >= config_now()->auth_min_refresh_ms)
	{
		last_wanted = now;
		coming = wanted = true;
		pthread_cond_signal(&fetch_wanted);
	}
	pthread_mutex_unlock(&fetch_lock);
	return coming;
}

void
jwks_count(auth_counters *out)
{
	uint64_t	unused;
	key_set    *s = key_set_take(&unused);

	out->keys = s != NULL ? (int) key_set_keys(s)->count : 0;
	key_set_give(s);
	out->jwks_fetches = atomic_load(&fetches_count);
	out->jwks_failures = atomic_load(&failures_count);
	out->jwks_last_success = atomic_load(&last_success);
}
