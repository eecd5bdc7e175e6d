/*
 * cmd_rebuild.c
 *		ledgerctl rebuild: folds the derived tables anew from the events, tenant
 *		by tenant.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "online.h"

/* The tenants that the role may touch, each with its number of events. */
#define TENANTS \
	"SELECT t.tenant_id, coalesce(max(m.value) FILTER (WHERE m.metric = 'ledger_chain_events'), 0)::bigint AS events" \
	" FROM ledger.ledger_tenants AS t LEFT JOIN ledger.ledger_metrics() AS m ON m.labels ->> 'tenant' = t.tenant_id" \
	" WHERE ledger.ledger_tenant_allowed(t.tenant_id) AND ($1 = 'all' OR t.tenant_id = $1)" \
	" GROUP BY t.tenant_id ORDER BY t.tenant_id"

static uint64_t
sum_events(const PGresult *tenants)
{
	uint64_t	sum = 0;

	for (int i = 0; i < PQntuples(tenants); i++)
	{
		uint64_t	n = 0;

		db_uint(tenants, i, "events", &n);
		sum += n;
	}
	return sum;
}

/* In a transaction of its own: appends of the other tenants go on. */
static cli_exit
rebuild_one(PGconn *conn, const char *tenant, uint64_t *events)
{
	const char *values[] = {tenant};
	fault		f;
	PGresult   *result = db_query(conn, &f, "SELECT ledger.ledger_rebuild_projection($1) AS events", 1, values);

	if (result == NULL)
		return db_said(&f);
	db_uint(result, 0, "events", events);
	PQclear(result);
	cli_print("%s: %" PRIu64 " events folded", tenant, *events);
	cli_json_object(NULL);
	cli_json_text("tenant", tenant);
	cli_json_uint("events", *events);
	lc_jcs_end_object(cli_json());
	return CLI_GOOD;
}

static cli_exit
rebuild_all(PGconn *conn, const PGresult *tenants)
{
	uint64_t	total = sum_events(tenants);
	uint64_t	done = 0;
	cli_exit	code = CLI_GOOD;

	cli_json_list("tenants");
	cli_progress("events", 0, total);
	for (int i = 0; code == CLI_GOOD && i < PQntuples(tenants); i++)
	{
		uint64_t	events = 0;

		code = rebuild_one(conn, db_text(tenants, i, "tenant_id"), &events);
		done += events;
		/* Events that came since the count are folded too. */
		cli_progress("events", done, done > total ? done : total);
	}
	lc_jcs_end_array(cli_json());
	cli_json_uint("events", done);
	return code;
}

static cli_exit
rebuild_connected(PGconn *conn, const char *tenant)
{
	const char *values[] = {tenant};
	fault		f;
	PGresult   *tenants = db_query(conn, &f, TENANTS, 1, values);
	uint64_t	ignored;
	cli_exit	code;

	if (tenants == NULL)
		return db_said(&f);
	if (PQntuples(tenants) > 0)
		code = rebuild_all(conn, tenants);
	else if (strcmp(tenant, "all") == 0)
		code = cli_error(CLI_NOT_FOUND, "no tenant is granted to this role: there is nothing to rebuild");
	else
	{
		/* It says whether there is no such tenant, or just none for us. */
		code = rebuild_one(conn, tenant, &ignored);
	}
	PQclear(tenants);
	return code;
}

static cli_exit
rebuild(const cli_args *args)
{
	const char *tenant = cli_value(args, "tenant");
	PGconn	   *conn = db_connect(args);
	cli_exit	code = conn != NULL ? rebuild_connected(conn, tenant != NULL ? tenant : "all") : CLI_USAGE;

	PQfinish(conn);
	return code;
}

static const cli_option options[] = {
	DB_OPTION,
	{"tenant", "NAME|all", "only this tenant's; all, the default: every tenant that the role may touch", false, false},
	{NULL, NULL, NULL, false, false}
};

const cli_command rebuild_command = {
	"rebuild", "", 0, 0,
	"fold findings, history and actions anew from the events",
	"Empties a tenant's derived tables and folds all its events again, to identical\n"
	"rows, tenant by tenant; appends to that tenant wait meanwhile.  What verification\n"
	"found in them (projection_diverged) is gone afterwards: keep it as evidence first.\n"
	"For members of ledger_operator to whom the tenants are granted.\n",
	options,
	"ledgerctl rebuild --tenant acme\n"
	"ledgerctl rebuild --tenant all --json\n",
	rebuild, true
};
