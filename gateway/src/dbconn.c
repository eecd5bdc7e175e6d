/*
 * dbconn.c
 *		A loop's connection to PostgreSQL: libpq's pipeline mode, never waiting.
 *
 * Connecting is done elsewhere (dbopen.h): names are resolved while it lasts, and
 * a loop that waits for a name server answers nobody.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>

#include "config.h"
#include "dbconn.h"
#include "dboutage.h"
#include "log.h"

#define FIRST_PAUSE_MS 100
#define LONGEST_PAUSE_MS 5000

static void attempt(dbconn *c);

static void
watch(dbconn *c, uint32_t events)
{
	loop_watch_set(c->loop, &c->watch, PQsocket(c->conn), events);
}

static void
drop(dbconn *c)
{
	if (c->conn == NULL)
		return;
	loop_watch_end(c->loop, &c->watch);
	PQfinish(c->conn);
	c->conn = NULL;
	c->syncs = 0;
	c->leaving = false;
	loop_timer_end(c->loop, &c->silence);
	if (c->state == DBCONN_UP)
		atomic_fetch_sub(&db_tallies.connected, 1);
}

/*
 * Only the error's kind: the text of a refused connection names users and
 * hosts, which a log may show, never a password.
 */
static void
lose(dbconn *c, const char *why)
{
	int64_t		now = loop_now(c->loop);
	bool		was_up = c->state == DBCONN_UP;
	int64_t		pause;

	if (was_up)
		log_line(LOG_WARN, "db.lost", "%s connection: %s", c->purpose, why);
	else
		dboutage_failed(now, c->purpose, why);
	drop(c);
	c->failures = was_up ? 0 : c->failures + 1;
	/* At once after a loss; but a server that takes connections only to drop them is not asked without rest. */
	if (was_up)
		pause = now - c->up_since >= FIRST_PAUSE_MS ? 0 : FIRST_PAUSE_MS;
	else
		pause = db_pause(c->failures, FIRST_PAUSE_MS, LONGEST_PAUSE_MS);
	c->state = DBCONN_AWAY;
	c->retry_at = now + pause;
	loop_timer_set(c->loop, &c->retry, c->retry_at);
	c->down(c->arg);
}

static const char *
one_line(const char *message)
{
	static _Thread_local char text[256];
	size_t		n;

	snprintf(text, sizeof(text), "%s", message);
	for (n = strlen(text); n > 0 && text[n - 1] == '\n'; n--)
		text[n - 1] = '\0';
	for (size_t i = 0; i < n; i++)
		if (text[i] == '\n' || text[i] == '\t')
			text[i] = ' ';
	return text;
}

/* Called in the timer, so never inside a call of the owner. */
static void
retry_fired(void *arg)
{
	dbconn	   *c = arg;

	if (c->state == DBCONN_AWAY)
		attempt(c);
	else if (c->state == DBCONN_UP)
		/* Given up, or a send failed. */
		lose(c, c->leaving ? "its session was reset, or a function replaced" : one_line(PQerrorMessage(c->conn)));
	else
		lose(c, "no answer in time");
}

/*
 * Results are due and none comes: the peer is gone without a word, or the server
 * hangs.  What was on its way counts as lost: a read is asked once more, appends,
 * which their ids make harmless, up to five times in all; by then their clients
 * have been told that the deadline passed.
 */
static void
silence_fired(void *arg)
{
	dbconn	   *c = arg;
	int64_t		limit = config_now()->db_statement_timeout_ms + 5000;

	if (c->syncs == 0)
		return;
	if (loop_now(c->loop) - c->heard_at >= limit)
		lose(c, "no answer to a statement in time");
	else
		loop_timer_set(c->loop, &c->silence, c->heard_at + limit);
}

/* ---- results ---- */

static void
take_setting(dbconn *c, PGresult *result)
{
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_PIPELINE_SYNC && !c->settings_failed)
	{
		c->state = DBCONN_UP;
		c->up_since = loop_now(c->loop);
		loop_timer_end(c->loop, &c->retry);
		atomic_fetch_add(&db_tallies.connected, 1);
		if (c->failures > 0 || c->retry_at != 0)
			atomic_fetch_add(&db_tallies.reconnects, 1);
		dboutage_connected(c->up_since);
		log_line(LOG_INFO, "db.connected", "%s connection is up", c->purpose);
	}
	else if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK)
		c->settings_failed = true;
	PQclear(result);
	if (c->state == DBCONN_UP)
		c->up(c->arg);
}

/*
 * libpq gives NULL between the results of two statements and would do so for
 * ever when nothing is left, so the Syncs that are outstanding are counted:
 * stopping at the first NULL leaves results in libpq's buffer and the socket
 * silent.
 */
static bool
take_results(dbconn *c)
{
	int			nulls = 0;
	bool		synced;

	while (c->syncs > 0 && nulls < 3 && !PQisBusy(c->conn))
	{
		PGresult   *result = PQgetResult(c->conn);

		if (result == NULL)
		{
			nulls++;
			continue;
		}
		nulls = 0;
		synced = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
		if (synced)
			c->syncs--;
		if (c->state == DBCONN_UP)
			c->result(c->arg, result);
		else
			take_setting(c, result);
		/* A commit's notices come before its Sync, and the next one's behind it. */
		if (synced)
			c->unreplicated = false;
		if (c->settings_failed)
			return false;
	}
	return nulls < 3 && PQstatus(c->conn) == CONNECTION_OK;
}

static void
flush(dbconn *c)
{
	int			left = PQflush(c->conn);

	if (left < 0)
		loop_timer_set(c->loop, &c->retry, loop_now(c->loop));
	else
		watch(c, left > 0 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

/* ---- states ---- */

static void
set_up(dbconn *c)
{
	const config *now = config_now();
	char		sql[1200];

	if (PQsetnonblocking(c->conn, 1) != 0 || PQenterPipelineMode(c->conn) != 1)
	{
		lose(c, one_line(PQerrorMessage(c->conn)));
		return;
	}
	db_take_notices(c->conn, &c->unreplicated);
	c->state = DBCONN_SETTING;
	c->settings_failed = false;
	/* Half the time for a lock: what waits for one gives way before it is cut off as too slow. */
	db_settings_sql(sql, sizeof(sql), now->db_statement_timeout_ms, (now->db_statement_timeout_ms + 1) / 2);
	PQsendQueryParams(c->conn, sql, 0, NULL, NULL, NULL, NULL, 0);
	dbconn_prepare(c, DB_BIND, DB_BIND_SQL);
	dbconn_prepare(c, DB_BIND_READ_ONLY, DB_BIND_READ_ONLY_SQL);
	dbconn_sync(c);
}

static void
ready(void *arg, uint32_t events)
{
	dbconn	   *c = arg;

	(void) events;
	if (c->conn == NULL)
		return;
	c->heard_at = loop_now(c->loop);
	/* What came before the end is read even if the end has come: a FATAL tells why, an answer is an answer. */
	if (PQconsumeInput(c->conn) == 0)
	{
		take_results(c);
		lose(c, one_line(PQerrorMessage(c->conn)));
	}
	else if (!take_results(c))
		lose(c, one_line(PQerrorMessage(c->conn)));
	else
		flush(c);
}

/* Perhaps later than it was waited for: a connection is welcome then, too, and a failure has been told. */
static void
opened(void *arg, uint32_t events)
{
	dbconn	   *c = arg;
	bool		waited_for = c->state == DBCONN_CONNECTING;
	fault		why;

	(void) events;
	loop_watch_end(c->loop, &c->watch);
	c->conn = dbopen_take(&c->opening, &why);
	if (c->conn == NULL)
	{
		if (waited_for)
			lose(c, one_line(why.text));
		return;
	}
	if (!waited_for)
		loop_timer_set(c->loop, &c->retry, loop_now(c->loop) + config_now()->db_connect_timeout_ms);
	c->watch.ready = ready;
	set_up(c);
}

/* One that hangs in the resolver since before is gone on with. */
static void
attempt(dbconn *c)
{
	int64_t		limit = config_now()->db_connect_timeout_ms;
	fault		why;

	c->state = DBCONN_CONNECTING;
	if (c->opening != NULL)
		loop_watch_end(c->loop, &c->watch);
	if (!dbopen_begin(&c->opening, c->purpose, limit, &why))
	{
		lose(c, why.text);
		return;
	}
	loop_timer_set(c->loop, &c->retry, loop_now(c->loop) + limit);
	c->watch.ready = opened;
	c->watch.arg = c;
	loop_watch_set(c->loop, &c->watch, dbopen_fd(c->opening), EPOLLIN);
}

void
dbconn_start(dbconn *c)
{
	c->retry.fire = retry_fired;
	c->retry.arg = c;
	c->silence.fire = silence_fired;
	c->silence.arg = c;
	c->watch.fd = -1;
	c->state = DBCONN_AWAY;
	atomic_fetch_add(&db_tallies.connections, 1);
	loop_timer_set(c->loop, &c->retry, loop_now(c->loop));
}

void
dbconn_stop(dbconn *c)
{
	loop_timer_end(c->loop, &c->retry);
	if (c->opening != NULL)
		loop_watch_end(c->loop, &c->watch);
	dbopen_abandon(&c->opening);
	drop(c);
	c->state = DBCONN_AWAY;
	atomic_fetch_sub(&db_tallies.connections, 1);
}

bool
dbconn_ready(const dbconn *c)
{
	return c->state == DBCONN_UP && !c->leaving;
}

void
dbconn_renew(dbconn *c)
{
	if (!dbconn_ready(c))
		return;
	c->leaving = true;
	loop_timer_set(c->loop, &c->retry, loop_now(c->loop));
}

bool
dbconn_away(const dbconn *c)
{
	return c->state != DBCONN_UP && c->failures > 0;
}

unsigned
dbconn_retry_after(const dbconn *c)
{
	int64_t		left = c->retry_at - loop_now(c->loop);

	return c->state == DBCONN_AWAY && left > 0 ? (unsigned) ((left + 999) / 1000) : 1;
}

/* ---- sending ---- */

static void
sent(dbconn *c, int good)
{
	if (good != 1)
		loop_timer_set(c->loop, &c->retry, loop_now(c->loop));
}

void
dbconn_prepare(dbconn *c, const char *name, const char *sql)
{
	sent(c, PQsendPrepare(c->conn, name, sql, 0, NULL));
}

void
dbconn_execute(dbconn *c, const char *name, int n, const char *const *values, const int *lengths, const int *formats)
{
	sent(c, PQsendQueryPrepared(c->conn, name, n, values, lengths, formats, 1));
}

void
dbconn_bind(dbconn *c, const char *tenant, bool read_only)
{
	const char *values[] = {tenant};

	dbconn_execute(c, read_only ? DB_BIND_READ_ONLY : DB_BIND, 1, values, NULL, NULL);
}

void
dbconn_sync(dbconn *c)
{
	int			good = PQpipelineSync(c->conn);

	if (c->syncs++ == 0)
	{
		c->heard_at = loop_now(c->loop);
		loop_timer_set(c->loop, &c->silence, c->heard_at + config_now()->db_statement_timeout_ms + 5000);
	}
	sent(c, good);
	if (good == 1)
		flush(c);
}
