/*
 * probe.c
 *		The thread that looks, and what it saw; see probe.h.
 *
 * Whether this gateway can do its work is asked by orchestrators every few
 * seconds, and must be answered at once even when the database hangs: then most
 * of all.  So nothing here is asked of the database while a probe waits.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "auth.h"
#include "config.h"
#include "db.h"
#include "dbappend.h"
#include "dbthread.h"
#include "lc_jcs.h"
#include "log.h"
#include "probe.h"
#include "probe_metrics.h"
#include "quota.h"
#include "request.h"
#include "tick.h"

#define LOOK_EVERY_MS 1000
#define TIMEOUT_MS 2000
/* What was seen longer ago is not known any more. */
#define STALE_MS 5000
/* A look may take this share of the time: with very many tenants it is taken less often, but in time. */
#define LOOK_SHARE 20
#define SLOWEST_LOOK_MS 3000

/* Asks the file system for every file of every relation, so it is not asked with the rest. */
#define SIZE_EVERY_MS 60000

#define MAX_CHECKS 16

/* A standby is read-only as well, until it is promoted. */
#define READY_SQL \
	"SELECT name, ok, degraded, detail FROM ledger.ledger_http_ready($1, $2) " \
	"UNION ALL SELECT 'writes', w.taken, false, CASE WHEN w.taken THEN 'taken' " \
	"ELSE 'not taken: a standby, or default_transaction_read_only' END " \
	"FROM (SELECT pg_catalog.current_setting('transaction_read_only') = 'off') AS w (taken)"

typedef struct check
{
	char		name[32];
	bool		ok,
				degraded;
	char		detail[256];
} check;

/* What was seen; under the mutex. */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct
{
	check		checks[MAX_CHECKS];
	size_t		count;
	int64_t		at;				/* dbthread_now(); 0: never */
	bool		draining;
	char		pg_version[32];
	probe_metrics metrics;
	bool		metrics_good;
	double		metrics_seconds;
	time_t		metrics_at;
	double		size;			/* of the database, in bytes; 0: not known */
	int64_t		size_at;
	char	  **projected;		/* types of events; the last one is NULL */
} seen;

static pthread_t thread;
static dbthread db = {.purpose = "probe", .stop = -1};

/* ---- looking ---- */

static void
copy(char *out, size_t size, const char *text)
{
	size_t		n = strlen(text);

	if (n >= size)
		n = size - 1;
	/* Not in the middle of a character. */
	while (n > 0 && n < strlen(text) && ((unsigned char) text[n] & 0xc0) == 0x80)
		n--;
	memcpy(out, text, n);
	out[n] = '\0';
}

static check
make_check(const char *name, bool ok, bool degraded, const char *detail)
{
	check		c = {.ok = ok, .degraded = degraded};

	copy(c.name, sizeof(c.name), name);
	copy(c.detail, sizeof(c.detail), detail);
	return c;
}

static bool
is_true(const PGresult *result, int row, int column)
{
	return strcmp(PQgetvalue(result, row, column), "t") == 0;
}

static void
keep_checks(const PGresult *result)
{
	/* NULL of a server that does not say, or a pooler in its place. */
	const char *version = PQparameterStatus(db.conn, "server_version");

	pthread_mutex_lock(&mutex);
	seen.checks[0] = make_check("database", true, false, "reachable");
	seen.count = 1;
	for (int i = 0; i < PQntuples(result) && seen.count < MAX_CHECKS; i++)
		seen.checks[seen.count++] = make_check(PQgetvalue(result, i, 0), is_true(result, i, 1),
											   is_true(result, i, 2), PQgetvalue(result, i, 3));
	seen.at = dbthread_now();
	copy(seen.pg_version, sizeof(seen.pg_version), version != NULL ? version : "");
	pthread_mutex_unlock(&mutex);
}

/* Why is for the log: probes are answered to strangers. */
static void
keep_failure(void)
{
	pthread_mutex_lock(&mutex);
	seen.checks[0] = make_check("database", false, false, "cannot be reached, or does not answer");
	seen.count = 1;
	seen.at = dbthread_now();
	pthread_mutex_unlock(&mutex);
}

/*
 * The interval that "late" is three of: what the signer was told, but no less
 * than the time between two ticks.
 */
static void
interval_text(char *out, size_t size)
{
	const config *c = config_now();
	int64_t		ms = c->merkle_interval_ms;

	if (c->ticks_enabled && c->ticks_anchor_ms > ms)
		ms = c->ticks_anchor_ms;
	snprintf(out, size, "%lld milliseconds", (long long) ms);
}

static bool
look(fault *f)
{
	char		interval[48];
	const char *values[] = {LEDGER_VERSION, NULL};
	PGresult   *result;

	/* Where the signer was told nothing the database's settings hold for it, too. */
	if (tick_setting("MERKLE__ANCHORINTERVAL") != NULL || tick_setting("MERKLE__WINDOWDURATION") != NULL)
	{
		interval_text(interval, sizeof(interval));
		values[1] = interval;
	}
	if (!dbthread_connect(&db, TIMEOUT_MS, f))
		return false;
	result = dbthread_query(&db, READY_SQL, 2, values, TIMEOUT_MS, f);
	if (result == NULL)
		return false;
	keep_checks(result);
	PQclear(result);
	return true;
}

/* ---- metrics ---- */

static void
free_types(char **types)
{
	for (size_t i = 0; types != NULL && types[i] != NULL; i++)
		free(types[i]);
	free(types);
}

static char **
read_types(fault *f)
{
	PGresult   *result = dbthread_query(&db, "SELECT event_type FROM ledger.ledger_event_types WHERE projected",
										0, NULL, TIMEOUT_MS, f);
	char	  **types = result != NULL ? calloc((size_t) PQntuples(result) + 1, sizeof(*types)) : NULL;

	for (int i = 0; types != NULL && i < PQntuples(result); i++)
		if ((types[i] = strdup(PQgetvalue(result, i, 0))) == NULL)
			break;
	PQclear(result);
	return types;
}

static void
feed_quota(const probe_metrics *m)
{
	for (size_t i = 0; i < m->backlogs_count; i++)
		quota_set_unanchored(m->backlogs[i].tenant, m->backlogs[i].events);
}

static bool
read_metrics(probe_metrics *m, char ***types, fault *f)
{
	PGresult   *result = dbthread_query(&db, "SELECT metric, labels, value FROM ledger.ledger_metrics()",
										0, NULL, TIMEOUT_MS, f);
	bool		good = result != NULL;

	if (good && !probe_metrics_read(result, config_now()->obs_tenant_label, m))
		good = fault_set(f, "there is no memory for them");
	PQclear(result);
	if (good)
		*types = read_types(f);
	return good && *types != NULL;
}

/* Only this thread writes size_at. */
static bool
read_size(fault *f)
{
	PGresult   *result;

	if (seen.size_at != 0 && dbthread_now() - seen.size_at < SIZE_EVERY_MS)
		return true;
	result = dbthread_query(&db, "SELECT pg_database_size(current_database())", 0, NULL, TIMEOUT_MS, f);
	if (result == NULL)
		return false;
	pthread_mutex_lock(&mutex);
	seen.size = strtod(PQgetvalue(result, 0, 0), NULL);
	seen.size_at = dbthread_now();
	pthread_mutex_unlock(&mutex);
	PQclear(result);
	return true;
}

static bool
refresh(fault *f)
{
	int64_t		begun = dbthread_now();
	probe_metrics fresh = {0},
				old;
	char	  **types = NULL,
			  **old_types;
	bool		good = dbthread_connect(&db, TIMEOUT_MS, f) && read_metrics(&fresh, &types, f) &&
		read_size(f);

	if (good)
		feed_quota(&fresh);
	pthread_mutex_lock(&mutex);
	old = good ? seen.metrics : fresh;
	old_types = good ? seen.projected : types;
	seen.metrics_good = good;
	seen.metrics_seconds = (double) (dbthread_now() - begun) / 1000;
	if (good)
	{
		seen.metrics = fresh;
		seen.projected = types;
		seen.metrics_at = time(NULL);
	}
	pthread_mutex_unlock(&mutex);
	probe_metrics_free(&old);
	free_types(old_types);
	return good;
}

/* ---- the thread ---- */

/* Told when it changes: a line a second would hide the others. */
static void
tell(bool good, bool *before, const char *event, const char *what, const fault *f)
{
	if (good != *before)
		log_line(good ? LOG_INFO : LOG_WARN, event, "%s%s%s", what, good ? " again" : ": ", good ? "" : f->text);
	*before = good;
}

static int64_t
pause_after(int64_t took)
{
	int64_t		share = took * LOOK_SHARE;

	return share > SLOWEST_LOOK_MS ? SLOWEST_LOOK_MS : share > LOOK_EVERY_MS ? share : LOOK_EVERY_MS;
}

static void *
run(void *arg)
{
	int64_t		refreshed = 0,
				begun;
	bool		was_up = true,
				was_read = true;
	fault		f;

	do
	{
		bool		up;

		begun = dbthread_now();
		up = look(&f);
		if (!up)
			keep_failure();
		tell(up, &was_up, "probe.database", up ? "the database answers" : "the database", &f);
		if (config_now()->obs_enabled && (refreshed == 0 || begun - refreshed >= config_now()->obs_refresh_ms))
		{
			refreshed = begun;
			tell(refresh(&f), &was_read, "probe.metrics", "metrics are read", &f);
		}
	} while (!dbthread_sleep(&db, pause_after(dbthread_now() - begun)));
	dbthread_close(&db);
	return arg;
}

bool
probe_start(void)
{
	db.stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (db.stop < 0 || pthread_create(&thread, NULL, run, NULL) != 0)
	{
		log_line(LOG_ERROR, "probe.start", "no thread for probes");
		return false;
	}
	return true;
}

void
probe_stop(void)
{
	if (db.stop < 0)
		return;
	if (eventfd_write(db.stop, 1) == 0)
		pthread_join(thread, NULL);
	close(db.stop);
	db.stop = -1;
	probe_metrics_free(&seen.metrics);
	free_types(seen.projected);
	seen.projected = NULL;
}

void
probe_draining(void)
{
	pthread_mutex_lock(&mutex);
	seen.draining = true;
	pthread_mutex_unlock(&mutex);
}

/* ---- answers ---- */

/*
 * Keys that were named will come: until then requests are better sent elsewhere.
 * Where none were named waiting does not help, and somebody must be told.
 */
static check
check_keys(void)
{
	if (auth_ready())
		return make_check("keys", true, false, "there are keys to verify tokens with");
	if (config_now()->auth_jwks[0] != '\0')
		return make_check("keys", false, false, "no key of the authority yet");
	return make_check("keys", true, true, "no token is accepted: LEDGER__AUTH__JWKS is not set");
}

/* Returns how many: what was seen, and what this process knows of itself. */
static size_t
take_checks(check out[MAX_CHECKS + 2], bool *draining)
{
	size_t		n;

	pthread_mutex_lock(&mutex);
	*draining = seen.draining;
	n = seen.count;
	memcpy(out, seen.checks, n * sizeof(*out));
	if (seen.at == 0 || dbthread_now() - seen.at > STALE_MS)
	{
		out[0] = make_check("database", false, false, seen.at == 0 ? "not asked yet" : "does not answer");
		n = 1;
	}
	pthread_mutex_unlock(&mutex);
	out[n++] = db_up() ? make_check("connections", true, false, "connected")
		: make_check("connections", false, false, "no connection for requests yet");
	out[n++] = check_keys();
	return n;
}

static const char *
judge(const check *checks, size_t n, bool draining)
{
	bool		ok = true,
				degraded = false;

	for (size_t i = 0; i < n; i++)
	{
		ok = ok && checks[i].ok;
		degraded = degraded || checks[i].degraded;
	}
	return draining ? "draining" : !ok ? "unready" : degraded ? "degraded" : "ready";
}

static bool
serves(const char *status)
{
	return strcmp(status, "ready") == 0 || strcmp(status, "degraded") == 0;
}

static void
put_string(lc_jcs *w, const char *key, const char *value)
{
	lc_jcs_key(w, key, strlen(key));
	lc_jcs_string(w, value, strlen(value));
}

static void
put_flag(lc_jcs *w, const char *key, bool value)
{
	lc_jcs_key(w, key, strlen(key));
	lc_jcs_boolean(w, value);
}

static bool
write_body(lc_buf *out, const char *status, const check *checks, size_t n)
{
	lc_jcs	   *w = lc_jcs_new(out, &lc_alloc_malloc);
	bool		good;

	if (w == NULL)
		return false;
	lc_jcs_begin_object(w);
	put_string(w, "status", status);
	lc_jcs_key(w, "checks", strlen("checks"));
	lc_jcs_begin_array(w);
	for (size_t i = 0; i < n; i++)
	{
		lc_jcs_begin_object(w);
		put_string(w, "name", checks[i].name);
		put_flag(w, "ok", checks[i].ok);
		put_flag(w, "degraded", checks[i].degraded);
		put_string(w, "detail", checks[i].detail);
		lc_jcs_end_object(w);
	}
	lc_jcs_end_array(w);
	lc_jcs_end_object(w);
	good = lc_jcs_finish(w) == LC_OK;
	lc_jcs_free(w);
	return good;
}

static void
answer(request *r, const char *status, const check *checks, size_t n)
{
	lc_buf		body;
	problem		p = {0};

	lc_buf_init(&body, &lc_alloc_malloc);
	if (write_body(&body, status, checks, n))
	{
		request_text(r, serves(status) ? 200 : 503, "application/json", body.data, body.len);
		/* A proxy that keeps an answer would hide the next one. */
		reply_header_set(&r->reply, "Cache-Control", "no-store");
	}
	else
	{
		problem_set(&p, "internal", "there is no memory");
		request_problem(r, &p);
	}
	lc_buf_free(&body);
}

/* That it answers at all is the answer: a database that is away is no reason to restart this. */
void
probe_live(request *r)
{
	static const char body[] =
		"{\"checks\":[{\"degraded\":false,\"detail\":\"answers\",\"name\":\"process\",\"ok\":true}],"
		"\"status\":\"ready\"}";

	request_text(r, 200, "application/json", body, sizeof(body) - 1);
}

void
probe_ready(request *r)
{
	check		checks[MAX_CHECKS + 2];
	bool		draining;
	size_t		n = take_checks(checks, &draining);

	answer(r, judge(checks, n, draining), checks, n);
}

/* ---- for the metrics ---- */

static void
add_backlogs(prom_set *out)
{
	for (size_t i = 0; i < seen.metrics.backlogs_count; i++)
	{
		const probe_backlog *b = &seen.metrics.backlogs[i];

		prom_add_value(out, "ledger_ingest_backlog_events", (double) (b->events + dbappend_backlog(b->tenant)),
					   (const char *[]) {"tenant", b->tenant, NULL});
	}
}

void
probe_samples(prom_set *out)
{
	check		checks[MAX_CHECKS + 2];
	bool		draining;
	size_t		n = take_checks(checks, &draining);

	prom_add_value(out, "ledger_ready", serves(judge(checks, n, draining)), NULL);
	for (size_t i = 0; i < n; i++)
		prom_add_value(out, "ledger_degraded", !checks[i].ok || checks[i].degraded,
					   (const char *[]) {"check", checks[i].name, NULL});
	pthread_mutex_lock(&mutex);
	if (seen.metrics_good)
	{
		prom_add_all(out, &seen.metrics.samples);
		add_backlogs(out);
		prom_add_value(out, "ledger_database_size_bytes", seen.size, NULL);
	}
	prom_add_value(out, "ledger_scrape_error", !seen.metrics_good, NULL);
	prom_add_value(out, "ledger_scrape_duration_seconds", seen.metrics_seconds, NULL);
	prom_add_value(out, "ledger_scrape_timestamp_seconds", (double) seen.metrics_at, NULL);
	prom_add_value(out, "ledger_build_info", 1, (const char *[]) {"version", LEDGER_VERSION, "commit", LEDGER_COMMIT,
		"pg_version", seen.pg_version, NULL});
	pthread_mutex_unlock(&mutex);
}

bool
probe_type_projected(const char *event_type)
{
	bool		found = false;

	pthread_mutex_lock(&mutex);
	for (size_t i = 0; !found && seen.projected != NULL && seen.projected[i] != NULL; i++)
		found = strcmp(seen.projected[i], event_type) == 0;
	pthread_mutex_unlock(&mutex);
	return found;
}

bool
probe_tenant_known(const char *tenant)
{
	bool		found = false;

	pthread_mutex_lock(&mutex);
	for (size_t i = 0; !found && i < seen.metrics.backlogs_count; i++)
		found = strcmp(seen.metrics.backlogs[i].tenant, tenant) == 0;
	pthread_mutex_unlock(&mutex);
	return found;
}
