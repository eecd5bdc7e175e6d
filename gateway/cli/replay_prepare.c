/*
 * replay_prepare.c
 *		The ledger before anything is fed, and the projection after it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "replay.h"

#define POLL_NS 100000000L

uint64_t
replay_clock(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t) now.tv_sec * 1000000 + (uint64_t) now.tv_nsec / 1000;
}

cli_exit
replay_differs(replay *r, const fault *f)
{
	lc_buf_append(&r->differences, f->text, strlen(f->text) + 1);
	r->difference_count++;
	return cli_error(CLI_FAILED, "%s", f->text);
}

/* ---- an empty ledger ---- */

static bool
is_of_fixture(const fixture *x, const char *tenant)
{
	for (size_t i = 0; i < x->check.chain_count; i++)
		if (strcmp(x->check.chains[i].tenant, tenant) == 0)
			return true;
	return false;
}

static cli_exit
has_events(PGconn *conn, const char *tenant, bool *any)
{
	const char *values[] = {tenant};
	fault		f;
	PGresult   *rows = !db_select_tenant(conn, tenant, &f) ? NULL
		: db_query(conn, &f, "SELECT EXISTS (SELECT FROM ledger.ledger_events AS e WHERE e.tenant_id = $1) AS any",
				   1, values);

	if (rows == NULL)
		return cli_error(CLI_USAGE, "%s", f.text);
	*any = *db_text(rows, 0, "any") == 't';
	PQclear(rows);
	return CLI_GOOD;
}

/* Of every tenant, not of the fixture's only: what is compared afterwards is the whole ledger. */
static cli_exit
require_empty(const replay *r)
{
	tenant_list all;
	cli_exit	code = tenants_read(r->conns[0], ALL_TENANTS, &all);

	for (size_t i = 0; i < all.count && code == CLI_GOOD; i++)
	{
		bool		any = false;

		code = has_events(r->conns[0], all.names[i], &any);
		if (code != CLI_GOOD || !any || (r->resume && is_of_fixture(r->fixture, all.names[i])))
			continue;
		if (r->resume)
			code = cli_error(CLI_USAGE, "tenant \"%s\" has events, and the fixture has none of it: this is not what "
							 "an interrupted replay left", all.names[i]);
		else
			code = cli_error(CLI_USAGE, "tenant \"%s\" has events: a fixture is fed into an empty ledger only.  "
							 "Migrate a new database for it; if a replay of this very fixture was interrupted "
							 "here, go on with --resume", all.names[i]);
	}
	tenants_free(&all);
	return code;
}

/* The role that made a tenant may touch it: the subject is the role that was set, else the session's. */
static const char make_tenant[] =
	"SELECT ledger.ledger_create_tenant($1), CASE WHEN NOT ledger.ledger_tenant_allowed($1)"
	" THEN ledger.ledger_grant_tenant((CASE current_setting('role') WHEN 'none' THEN session_user"
	" ELSE current_setting('role')::name END)::name, $1) END";

static cli_exit
require_tenant(replay *r, const char *tenant)
{
	const char *values[] = {tenant};
	fault		f;
	PGresult   *rows = db_query(r->conns[0], &f, "SELECT FROM ledger.ledger_tenants AS t WHERE t.tenant_id = $1",
								1, values);
	bool		there = rows != NULL && PQntuples(rows) == 1;

	if (rows != NULL && !there)
	{
		PQclear(rows);
		rows = db_query(r->conns[0], &f, make_tenant, 1, values);
	}
	PQclear(rows);
	return rows != NULL ? CLI_GOOD : cli_error(CLI_USAGE, "tenant \"%s\": %s", tenant, f.text);
}

cli_exit
replay_prepare(replay *r)
{
	const export_check *check = &r->fixture->check;
	cli_exit	code = require_empty(r);

	for (size_t i = 0; i < check->chain_count && code == CLI_GOOD; i++)
		if (i == 0 || strcmp(check->chains[i].tenant, check->chains[i - 1].tenant) != 0)
			code = require_tenant(r, check->chains[i].tenant);
	return code;
}

/* ---- the projection ---- */

/* By how much the newest event of a chain is not folded yet; < 0: it cannot be asked. */
static double
projection_lag(replay *r, fault *f)
{
	PGresult   *rows = db_query(r->conns[0], f,
								"SELECT coalesce(max(m.value), 0)::text AS lag FROM ledger.ledger_metrics() AS m"
								" WHERE m.metric = 'ledger_projection_lag_seconds'", 0, NULL);
	double		lag = rows != NULL ? strtod(db_text(rows, 0, "lag"), NULL) : -1;

	PQclear(rows);
	return lag;
}

cli_exit
replay_wait(replay *r)
{
	const struct timespec pause = {0, POLL_NS};
	uint64_t	begun = replay_clock();
	fault		f;
	double		lag;

	while ((lag = projection_lag(r, &f)) > 0 && replay_clock() - begun < r->wait_seconds * 1000000)
	{
		r->timings.lag_seconds = lag > r->timings.lag_seconds ? lag : r->timings.lag_seconds;
		nanosleep(&pause, NULL);
	}
	r->timings.waited_us = replay_clock() - begun;
	if (lag < 0)
		return cli_error(CLI_USAGE, "the projection: %s", f.text);
	if (lag == 0)
		return CLI_GOOD;
	fault_set(&f, "the projection is %.3f s behind after %" PRIu64 " s: events are stored and not folded", lag,
			  r->wait_seconds);
	replay_differs(r, &f);
	return CLI_GOOD;
}

cli_exit
replay_rebuild(replay *r)
{
	uint64_t	begun = replay_clock();

	for (size_t i = 0; i < r->tenants.count; i++)
	{
		const char *values[] = {r->tenants.names[i]};
		uint64_t	call = replay_clock();
		fault		f;
		PGresult   *rows = db_query(r->conns[0], &f, "SELECT ledger.ledger_rebuild_projection($1) AS events", 1,
									values);
		uint64_t	events = 0;

		if (rows == NULL)
			return cli_error(CLI_USAGE, "the projection of %s: %s", values[0], f.text);
		latency_add(&r->timings.calls, replay_clock() - call);
		(void) db_uint(rows, 0, "events", &events);
		PQclear(rows);
		cli_print("%s: projection rebuilt from %" PRIu64 " events", values[0], events);
		cli_progress("rebuilding projections of tenants", i + 1, r->tenants.count);
	}
	cli_progress_clear();
	r->timings.rebuilt_us = replay_clock() - begun;
	return CLI_GOOD;
}
