/*
 * tick.c
 *		What is done by the clock; see tick.h.
 *
 * There is no tick for the projection: events are folded in the transaction
 * that appends them, so there is never anything to catch up with.
 *
 * Several gateways: each tries, one works.  Maintenance and the tick of SQL take
 * their locks with SKIP LOCKED; for the child, which would find "another signer
 * works" and fail, a lock is tried for here.  Any role could hold that lock, and
 * so keep gateways from anchoring; readiness then says that anchoring is late.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>
#include <poll.h>

#include "child.h"
#include "config.h"
#include "dbthread.h"
#include "lc_sha256.h"
#include "log.h"
#include "rewrap.h"
#include "span.h"
#include "tick.h"

/* "LEDG" and 2: a gateway's child.  1 is the signer's own (cli/cmd_anchor.c). */
#define CHILD_LOCK "1279607879, 2"
#define SIGNER_HOLDS_LOCK "EXISTS (SELECT FROM pg_locks AS l WHERE l.locktype = 'advisory' AND l.granted" \
	" AND l.classid = 1279607879 AND l.objid = 1 AND l.objsubid = 2" \
	" AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))"

#define SQL_TIMEOUT_MS 60000
#define CHILD_TIMEOUT_MS (5 * 60 * 1000)
/* When anchoring is called for at once it is still no more often than this. */
#define SOON_MS 1000

typedef struct tick
{
	const char *name;
	/* Every so often, in milliseconds. */
	int64_t		(*every) (void);
	/* False: it failed.  *skipped: another gateway is at it. */
	bool		(*run) (bool soon, bool *skipped, fault *f);
	int64_t		last;			/* dbthread_now() when it was begun; 0: never */
	bool		bad;			/* the last one failed, and that was told */
	tick_counters counters;
} tick;

static pthread_t thread;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;	/* over counters and soon */
static bool soon;
static int	wake = -1;
static dbthread db = {.purpose = "ticks", .stop = -1};

/* ---- settings ---- */

const char *
tick_setting(const char *name)
{
	size_t		n = strlen(name);

	for (char *const *variable = config_child_environment(); *variable != NULL; variable++)
		if (strncmp(*variable, "LEDGER__", 8) == 0 && strncmp(*variable + 8, name, n) == 0 &&
			(*variable)[8 + n] == '=' && (*variable)[9 + n] != '\0')
			return *variable + 9 + n;
	return NULL;
}

static int64_t
anchor_every(void)
{
	return config_now()->ticks_anchor_ms;
}

static int64_t
maintenance_every(void)
{
	return config_now()->ticks_maintenance_ms;
}

/* ---- anchoring ---- */

static bool
get_bool(const char *sql, bool *out, fault *f)
{
	PGresult   *result = dbthread_query(&db, sql, 0, NULL, SQL_TIMEOUT_MS, f);

	if (result == NULL)
		return false;
	*out = PQntuples(result) == 1 && strcmp(PQgetvalue(result, 0, 0), "t") == 0;
	PQclear(result);
	return true;
}

/* What ledgerctl says is for whoever operates; it says no secrets. */
static void
tell_line(const char *text, size_t n)
{
	log_line(LOG_INFO, "anchor.signer", "%.*s", (int) n, text);
}

static bool
run_child(bool force, fault *f)
{
	const config *c = config_now();
	char	   *argv[] = {"ledgerctl", "anchor", force ? "--force" : NULL, NULL};
	child		signer = {
		.program = c->ticks_ledgerctl, .argv = argv, .environment = config_child_environment(), .stop = db.stop,
		.limit_ms = CHILD_TIMEOUT_MS, .grace_ms = c->drain_timeout_ms, .line = tell_line
	};
	int			status = child_run(&signer, f);

	if (status > 128)
		return fault_set(f, "ledgerctl anchor was ended by signal %d", status - 128);
	if (status == 3)
		return fault_set(f, "ledgerctl anchor refused to sign a chain (anchor.signer lines say which)");
	if (status > 0)
		return fault_set(f, "ledgerctl anchor ended with status %d", status);
	return status == 0;
}

static bool
anchor_by_child(bool force, bool *skipped, fault *f)
{
	bool		mine = false,
				other = false,
				good;

	if (!get_bool("SELECT pg_try_advisory_lock(" CHILD_LOCK ")", &mine, f))
		return false;
	*skipped = !mine;
	if (!mine)
		return true;
	/* A signer that runs as a service does the same work. */
	good = get_bool("SELECT " SIGNER_HOLDS_LOCK, &other, f);
	*skipped = good && other;
	if (good && !other)
		good = run_child(force, f);
	if (db.conn != NULL)
	{
		fault		unlock;

		get_bool("SELECT pg_advisory_unlock(" CHILD_LOCK ")", &mine, &unlock);
	}
	return good;
}

/* As ledgerctl does: what the environment does not name the database decides. */
static bool
apply_span(const char *variable, const char *name, fault *f)
{
	const char *text = tick_setting(variable);
	char		value[32];
	const char *values[] = {name, value};
	uint64_t	ms;
	PGresult   *result;

	if (text == NULL || !span_parse(text, &ms))
		return true;
	snprintf(value, sizeof(value), "%" PRIu64, ms / 1000);
	result = dbthread_query(&db, "SELECT set_config($1, $2, false)", 2, values, SQL_TIMEOUT_MS, f);
	PQclear(result);
	return result != NULL;
}

static bool
apply_settings(fault *f)
{
	const char *size = tick_setting("MERKLE__BATCHSIZE");
	PGresult   *result;

	/* The library must be there before its settings: until then they take any value. */
	result = dbthread_query(&db, "SELECT ledger.ledger_uuid_v7()", 0, NULL, SQL_TIMEOUT_MS, f);
	PQclear(result);
	if (result == NULL)
		return false;
	if (size != NULL)
	{
		result = dbthread_query(&db, "SELECT set_config('ledger.anchor_batch_size', $1, false)", 1, &size,
								SQL_TIMEOUT_MS, f);
		PQclear(result);
		if (result == NULL)
			return false;
	}
	return apply_span("MERKLE__WINDOWDURATION", "ledger.anchor_window", f) &&
		apply_span("MERKLE__ANCHORINTERVAL", "ledger.anchor_interval", f);
}

/* A transaction for each tenant: none waits for another's, and what fails in one is its own. */
static bool
anchor_by_sql(bool force, fault *f)
{
	PGresult   *tenants;
	bool		good = true;

	if (!apply_settings(f))
		return false;
	tenants = dbthread_query(&db, "SELECT t.tenant_id FROM ledger.ledger_tenants AS t"
							 " WHERE ledger.ledger_tenant_allowed(t.tenant_id) ORDER BY 1",
							 0, NULL, SQL_TIMEOUT_MS, f);
	if (tenants == NULL)
		return false;
	for (int i = 0; i < PQntuples(tenants) && db.conn != NULL; i++)
	{
		const char *values[] = {PQgetvalue(tenants, i, 0), force ? "true" : "false"};
		PGresult   *result = dbthread_query(&db, "SELECT count(*) FROM ledger.ledger_anchor_tick($1, $2)",
											2, values, SQL_TIMEOUT_MS, f);

		good = good && result != NULL;
		PQclear(result);
	}
	PQclear(tenants);
	return good;
}

static bool
run_anchor(bool force, bool *skipped, fault *f)
{
	if (tick_setting("MERKLE__SIGNINGKEY") != NULL || tick_setting("MERKLE__SIGNINGKEY_FILE") != NULL)
		return anchor_by_child(force, skipped, f);
	return anchor_by_sql(force, f);
}

/* ---- maintenance ---- */

static bool
run_maintenance(bool force, bool *skipped, fault *f)
{
	bool		worked = false,
				good = get_bool("SELECT ledger.ledger_maintenance_tick()", &worked, f);

	(void) force;
	*skipped = good && !worked;
	return good;
}

static bool
run_rewrap(bool force, bool *skipped, fault *f)
{
	(void) force;
	(void) skipped;
	return attachments_rewrap(db.conn, f) >= 0;
}

/* ---- the clock ---- */

/* Another row, another tick. */
static tick ticks[] = {
	{.name = "anchor", .every = anchor_every, .run = run_anchor},
	{.name = "maintenance", .every = maintenance_every, .run = run_maintenance},
	{.name = "rewrap", .every = maintenance_every, .run = run_rewrap},
};

#define TICKS (sizeof(ticks) / sizeof(ticks[0]))

size_t
tick_count(tick_counters *out, size_t max)
{
	size_t		n = TICKS < max ? TICKS : max;

	pthread_mutex_lock(&mutex);
	for (size_t i = 0; i < n; i++)
	{
		out[i] = ticks[i].counters;
		out[i].name = ticks[i].name;
	}
	pthread_mutex_unlock(&mutex);
	return n;
}

/* One that fails again and again is told once, and when it is well again; the counters have all. */
static void
tell_end(tick *t, bool good, const fault *f)
{
	if (!good && !t->bad)
		log_line(LOG_WARN, "tick.failed", "%s: %s", t->name, f->text);
	if (good && t->bad)
		log_line(LOG_INFO, "tick.mended", "%s works again", t->name);
	t->bad = !good;
}

static void
run_tick(tick *t, bool now)
{
	bool		skipped = false,
				good;
	fault		f = {{0}};

	good = dbthread_connect(&db, SQL_TIMEOUT_MS, &f) && t->run(now, &skipped, &f);
	/* What stopping cut short did not fail. */
	if (!good && dbthread_sleep(&db, 0))
		return;
	pthread_mutex_lock(&mutex);
	if (!skipped)
		t->counters.runs++;
	if (!good)
		t->counters.failures++;
	else if (!skipped)
		t->counters.last_success = time(NULL);
	pthread_mutex_unlock(&mutex);
	if (!skipped)
		tell_end(t, good, &f);
}

/* Asked anew each time: how often may have been changed since. */
static int64_t
due(const tick *t)
{
	return t->last == 0 ? 0 : t->last + t->every();
}

/* Until the next one is due or called for, or for a second; false: it is to end. */
static bool
wait_due(void)
{
	struct pollfd fds[2] = {{.fd = db.stop, .events = POLLIN}, {.fd = wake, .events = POLLIN}};
	int64_t		next = due(&ticks[0]),
				left;

	for (size_t i = 1; i < TICKS; i++)
		if (due(&ticks[i]) < next)
			next = due(&ticks[i]);
	left = next - dbthread_now();
	if (poll(fds, 2, left < 0 ? 0 : left > 1000 ? 1000 : (int) left) > 0 && fds[1].revents != 0)
	{
		eventfd_t	ignored;

		eventfd_read(wake, &ignored);
	}
	return fds[0].revents == 0;
}

static bool
take_soon(int64_t now, int64_t last)
{
	bool		taken;

	pthread_mutex_lock(&mutex);
	taken = soon && now - last >= SOON_MS;
	if (taken)
		soon = false;
	pthread_mutex_unlock(&mutex);
	return taken;
}

static void *
run(void *arg)
{
	int64_t		anchored = 0;

	while (wait_due())
		for (size_t i = 0; i < TICKS && !dbthread_sleep(&db, 0); i++)
		{
			int64_t		now = dbthread_now();
			bool		called = i == 0 && take_soon(now, anchored);

			if (!called && now < due(&ticks[i]))
				continue;
			run_tick(&ticks[i], called);
			ticks[i].last = now;
			if (i == 0)
				anchored = dbthread_now();
		}
	dbthread_close(&db);
	lc_sha256_thread_end();
	return arg;
}

bool
tick_start(void)
{
	if (!config_now()->ticks_enabled)
		return true;
	db.stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (db.stop < 0 || wake < 0 || pthread_create(&thread, NULL, run, NULL) != 0)
	{
		log_line(LOG_ERROR, "tick.start", "no thread for ticks");
		return false;
	}
	return true;
}

void
tick_anchor_soon(void)
{
	pthread_mutex_lock(&mutex);
	if (wake >= 0 && !soon)
	{
		soon = true;
		eventfd_write(wake, 1);
	}
	pthread_mutex_unlock(&mutex);
}

void
tick_stop(void)
{
	if (db.stop < 0)
		return;
	if (eventfd_write(db.stop, 1) == 0)
		pthread_join(thread, NULL);
	pthread_mutex_lock(&mutex);
	close(wake);
	wake = -1;
	pthread_mutex_unlock(&mutex);
	close(db.stop);
	db.stop = -1;
}
