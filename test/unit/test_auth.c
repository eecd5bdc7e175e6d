/*
 * test_auth.c
 *		The whole way of a token in one process: keys from a file, the cache,
 *		refusals, other keys at run time, and several threads at once.  (Keys
 *		from a URL: test/gateway/tokens.mjs.)
 */
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <time.h>
#include <unistd.h>

#include "auth.h"
#include "config.h"
#include "lc_sha256.h"
#include "log.h"
#include "tokens.h"

/* ---- what auth.c needs of the rest of the gateway ---- */

static char key_file[64];
/* As config.c does it: a change is another struct, and the old one stays. */
static config versions[8];
static config *_Atomic settings = versions;
static _Thread_local char last_code[32];

const config *
config_now(void)
{
	return atomic_load(&settings);
}

/* While it is closed the thread that fetches keys stands at its report, before it calls who waits. */
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

void
log_line(log_level level, const char *event, const char *format, ...)
{
	va_list		args;

	(void) level;
	if (strncmp(event, "auth.keys", 9) == 0)
	{
		pthread_mutex_lock(&gate);
		pthread_mutex_unlock(&gate);
	}
	if (getenv("VERBOSE") == NULL)
		return;
	va_start(args, format);
	printf("# %s: ", event);
	vprintf(format, args);
	printf("\n");
	va_end(args);
}

void
problem_set(problem *p, const char *code, const char *format, ...)
{
	(void) p, (void) format;
	snprintf(last_code, sizeof(last_code), "%s", code);
}

static config *
change_settings(void)
{
	config	   *now = atomic_load(&settings);

	now[1] = now[0];
	return now + 1;
}

static void
set_audience(const char *audience)
{
	config	   *next = change_settings();

	next->auth_audience = (char *) audience;
	atomic_store(&settings, next);
}

static void
set_min_refresh(int64_t ms)
{
	config	   *next = change_settings();

	next->auth_min_refresh_ms = ms;
	atomic_store(&settings, next);
}

/* One loop: the main thread runs what was posted when it looks. */
static pthread_mutex_t posted_lock = PTHREAD_MUTEX_INITIALIZER;
static loop_call *posted = NULL;

void
loop_post(loop *l, loop_call *call)
{
	(void) l;
	pthread_mutex_lock(&posted_lock);
	call->next = posted;
	posted = call;
	pthread_mutex_unlock(&posted_lock);
}

static int
run_posted(void)
{
	int			ran = 0;

	for (;;)
	{
		loop_call  *call;

		pthread_mutex_lock(&posted_lock);
		call = posted;
		if (call != NULL)
			posted = call->next;
		pthread_mutex_unlock(&posted_lock);
		if (call == NULL)
			return ran;
		call->fn(call->arg);
		ran++;
	}
}

/* ---- an authority ---- */

static EVP_PKEY *key_one, *key_two;

static void
write_text(const char *text)
{
	char		temporary[80];
	FILE	   *file;

	snprintf(temporary, sizeof(temporary), "%s.new", key_file);
	file = fopen(temporary, "w");
	NEVER_FAILS(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
	NEVER_FAILS(rename(temporary, key_file) == 0);
}

static void
write_keys(EVP_PKEY *key, const char *kid)
{
	lc_buf		text;
	char		more[64];

	snprintf(more, sizeof(more), ",\"kid\":\"%s\"", kid);
	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_puts(&text, "{\"keys\":[");
	put_jwk(&text, key, more);
	lc_buf_puts(&text, "]}");
	write_text(text.data);
	lc_buf_free(&text);
}

#define NOW 1800000000

static void
make_token(lc_buf *out, EVP_PKEY *key, const char *kid, const char *subject, const char *more)
{
	char		header[100],
				payload[500];

	snprintf(header, sizeof(header), "{\"alg\":\"EdDSA\",\"kid\":\"%s\"}", kid);
	snprintf(payload, sizeof(payload), "{\"iss\":\"iss\",\"aud\":\"aud\",\"sub\":\"%s\",\"tenant\":\"acme\","
			 "\"scope\":\"ledger.audit\"%s}", subject, more);
	put_token(out, JWT_EDDSA, key, header, payload);
}

static auth_result
ask_at(const lc_buf *token, time_t now, identity *who)
{
	problem		p;
	char	   *copy = exact_copy(token->data, token->len);
	auth_result result = auth_token(copy, token->len, now, who, &p);

	free(copy);
	return result;
}

static auth_result
ask(const lc_buf *token)
{
	identity	who;

	return ask_at(token, NOW, &who);
}

static void
refused(const lc_buf *token, time_t now, const char *code, const char *name)
{
	identity	who;

	last_code[0] = '\0';
	if (!ok(ask_at(token, now, &who) == AUTH_REFUSED && strcmp(last_code, code) == 0, "%s", name))
		printf("#   %s\n", last_code);
}

/* ---- tests ---- */

static void
first_use(void)
{
	lc_buf		token;
	identity	who;
	auth_counters counters;

	lc_buf_init(&token, &lc_alloc_malloc);
	make_token(&token, key_one, "one", "mira", ",\"exp\":1800000300");
	ok(ask_at(&token, NOW, &who) == AUTH_GOOD && strcmp(who.subject, "mira") == 0 && strcmp(who.tenant, "acme") == 0 &&
	   who.scopes == SCOPE_AUDIT, "a token is taken");
	ok(ask_at(&token, NOW, &who) == AUTH_GOOD && strcmp(who.subject, "mira") == 0, "and again");
	auth_count(&counters);
	ok(counters.cache_requests == 2 && counters.cache_hits == 1 && counters.keys == 1, "now from the cache");
	refused(&token, NOW + 360, "token_expired", "when it has expired it is refused, though it is in the cache");
	refused(&token, NOW + 360, "token_expired", "and when it is not");
	set_audience("other");
	make_token(&token, key_one, "one", "mira", ",\"exp\":1800000301");
	refused(&token, NOW, "token_invalid", "for another audience it is refused");
	set_audience("aud");
	ok(ask(&token) == AUTH_GOOD, "whose signature is in the cache all the same");
	lc_buf_free(&token);
}

static void
refusals(void)
{
	lc_buf		token;

	lc_buf_init(&token, &lc_alloc_malloc);
	refused(&token, NOW, "token_missing", "no token");
	lc_buf_puts(&token, "nonsense");
	refused(&token, NOW, "token_invalid", "no token at all");
	make_token(&token, key_two, "one", "mira", ",\"exp\":1800000300");
	refused(&token, NOW, "token_invalid", "signed by another");
	make_token(&token, key_two, "one", "mira", ",\"exp\":1");
	refused(&token, NOW, "token_invalid", "of a token signed by another it is not told that it has expired");
	make_token(&token, key_one, "one", "mira", "");
	refused(&token, NOW, "token_invalid", "without exp");
	make_token(&token, key_one, "one", "mira", ",\"exp\":1800000300,\"nbf\":1800000200");
	refused(&token, NOW, "token_expired", "not yet good");
	lc_buf_free(&token);
}

static int	called = 0;

static void
note_call(void *arg)
{
	(void) arg;
	called++;
}

static void
pause_briefly(void)
{
	nanosleep(&(struct timespec) {.tv_nsec = 1000000}, NULL);
}

/* Until the fetch that was asked for has ended. */
static bool
posted_within_seconds(int want)
{
	int			ran = 0;

	for (int i = 0; i < 10000 && ran < want; i++)
	{
		ran += run_posted();
		if (ran < want)
			pause_briefly();
	}
	return ran == want;
}

static void
rotation(void)
{
	lc_buf		old_token,
				new_token;
	loop_call	call = {.fn = note_call},
				gives_up = {.fn = note_call};
	auth_counters counters;
	uint64_t	fetches;

	lc_buf_init(&old_token, &lc_alloc_malloc);
	lc_buf_init(&new_token, &lc_alloc_malloc);
	make_token(&old_token, key_one, "one", "old", ",\"exp\":1800000300");
	make_token(&new_token, key_two, "two", "new", ",\"exp\":1800000300");
	ok(ask(&old_token) == AUTH_GOOD, "a token of the first key");
	write_keys(key_two, "two");
	pthread_mutex_lock(&gate);
	auth_count(&counters);
	fetches = counters.jwks_fetches;
	ok(ask(&new_token) == AUTH_WAIT, "of a key that is not there: wait");
	ok(auth_wait(NULL, &call) && auth_wait(NULL, &gives_up), "two requests wait");
	auth_wait_end(&gives_up);
	pthread_mutex_unlock(&gate);
	ok(posted_within_seconds(1) && called == 1, "when the keys are there, who still waits is called, once");
	ok(ask(&new_token) == AUTH_GOOD, "the new key's token is taken");
	ok(ask(&old_token) == AUTH_REFUSED, "the old key's is not, though it was in the cache");
	ok(ask(&old_token) == AUTH_REFUSED && !auth_wait(NULL, &call), "and keys are not fetched again at once");
	auth_count(&counters);
	is_int((int64_t) (counters.jwks_fetches - fetches), 1, "they were fetched once");
	lc_buf_free(&old_token);
	lc_buf_free(&new_token);
}

/* Who gives up after the keys came and before his loop looked must not be called: his request is gone. */
static void
late_end(void)
{
	lc_buf		token;
	loop_call	call = {.fn = note_call};

	called = 0;
	lc_buf_init(&token, &lc_alloc_malloc);
	set_min_refresh(0);
	write_text("{");
	pthread_mutex_lock(&gate);
	make_token(&token, key_one, "nobody's", "old", ",\"exp\":1800000300");
	ok(ask(&token) == AUTH_WAIT && auth_wait(NULL, &call), "a request waits");
	pthread_mutex_unlock(&gate);
	for (int i = 0; i < 10000; i++)
	{
		bool		is_posted;

		pthread_mutex_lock(&posted_lock);
		is_posted = posted != NULL;
		pthread_mutex_unlock(&posted_lock);
		if (is_posted)
			break;
		pause_briefly();
	}
	auth_wait_end(&call);
	ok(run_posted() == 1 && called == 0, "gives up when it was called already, and is not called");
	set_min_refresh(3600000);
	lc_buf_free(&token);
}

static void
bad_file(void)
{
	lc_buf		token;
	auth_counters before,
				after;

	lc_buf_init(&token, &lc_alloc_malloc);
	write_text("{\"keys\":[");
	auth_count(&before);
	auth_reload();
	do
	{
		pause_briefly();
		auth_count(&after);
	} while (after.jwks_fetches == before.jwks_fetches);
	ok(after.jwks_failures == before.jwks_failures + 1 && after.keys == 1 && auth_ready(),
	   "a file that is not good leaves the last good keys");
	make_token(&token, key_two, "two", "new", ",\"exp\":1800000300");
	ok(ask(&token) == AUTH_GOOD, "with which tokens are taken");
	lc_buf_free(&token);
}

static atomic_int wrong = 0;

/* Each thread its own tokens, and each is itself. */
static void *
asker(void *arg)
{
	int			number = *(int *) arg;
	lc_buf		tokens[5];
	char		subject[32];
	identity	who;

	for (int i = 0; i < 5; i++)
	{
		snprintf(subject, sizeof(subject), "s%d-%d", number, i);
		lc_buf_init(&tokens[i], &lc_alloc_malloc);
		make_token(&tokens[i], key_two, "two", subject, ",\"exp\":1800000300");
	}
	for (int i = 0; i < 200; i++)
	{
		snprintf(subject, sizeof(subject), "s%d-%d", number, i % 5);
		if (ask_at(&tokens[i % 5], NOW, &who) != AUTH_GOOD || strcmp(who.subject, subject) != 0)
			atomic_fetch_add(&wrong, 1);
	}
	for (int i = 0; i < 5; i++)
		lc_buf_free(&tokens[i]);
	lc_sha256_thread_end();
	return NULL;
}

static void
threads(void)
{
	pthread_t	ids[4];
	int			numbers[4] = {0, 1, 2, 3};

	write_keys(key_two, "two");
	for (int i = 0; i < 4; i++)
		pthread_create(&ids[i], NULL, asker, &numbers[i]);
	/* Meanwhile keys and settings come anew. */
	for (int i = 0; i < 50; i++)
	{
		auth_reload();
		pause_briefly();
	}
	for (int i = 0; i < 4; i++)
		pthread_join(ids[i], NULL);
	is_int(atomic_load(&wrong), 0, "four threads, while keys are read anew: each token is itself");
}

static void
settings_at_first(void)
{
	static const config first =
	{
		.auth_jwks = key_file, .auth_issuer = (char *) "iss", .auth_audience = (char *) "aud",
		.auth_tenant_claim = (char *) "tenant", .auth_ca_file = (char *) "", .tls_clients = (char *) "",
		.auth_skew_s = 60, .auth_refresh_ms = 3600000, .auth_min_refresh_ms = 3600000, .auth_cache = 16
	};

	versions[0] = first;
}

int
main(void)
{
	snprintf(key_file, sizeof(key_file), "/tmp/ledger-test-auth-%ld.json", (long) getpid());
	settings_at_first();
	key_one = make_key(JWT_EDDSA);
	key_two = make_key(JWT_EDDSA);
	ok(!auth_start(), "without its file of keys it does not start");
	write_keys(key_one, "one");
	ok(auth_start() && auth_ready(), "with it it does");
	first_use();
	refusals();
	rotation();
	late_end();
	bad_file();
	threads();
	auth_stop();
	remove(key_file);
	EVP_PKEY_free(key_one);
	EVP_PKEY_free(key_two);
	return done();
}
