/*
 * cmd_tenant.c
 *		ledgerctl tenant: makes tenants, lists them, and says who may touch them.
 *
 * Over ledger_create_tenant() and ledger_grant_tenant(): the database decides
 * who may, and what a name is.
 */
#include <stdio.h>
#include <string.h>

#include "db.h"
#include "online.h"

/* ---- create ---- */

static cli_exit
create(PGconn *conn, const cli_args *args)
{
	const char *name = cli_operand(args, 1);
	const char *values[] = {name, cli_value(args, "settings") != NULL ? cli_value(args, "settings") : "{}"};
	fault		f;
	PGresult   *there = db_query(conn, &f, "SELECT count(*) AS n FROM ledger.ledger_tenants WHERE tenant_id = $1",
								 1, values);
	PGresult   *made = there == NULL ? NULL :
		db_query(conn, &f, "SELECT t.leaf FROM ledger.ledger_create_tenant($1, $2::jsonb) AS t", 2, values);
	bool		is_new;

	if (made == NULL)
	{
		PQclear(there);
		return db_said(&f);
	}
	is_new = strcmp(db_text(there, 0, "n"), "0") == 0;
	cli_print("tenant %s %s; its events lie in %s", name, is_new ? "created" : "was there already",
			  db_text(made, 0, "leaf"));
	cli_json_text("tenant", name);
	cli_json_text("leaf", db_text(made, 0, "leaf"));
	cli_json_bool("created", is_new);
	PQclear(there);
	PQclear(made);
	return CLI_GOOD;
}

/* ---- grant ---- */

static cli_exit
grant_tenant(PGconn *conn, const char *login, const char *tenant)
{
	const char *values[] = {login, tenant};
	fault		f;
	PGresult   *result = db_query(conn, &f, "SELECT ledger.ledger_grant_tenant($1, $2)", 2, values);

	PQclear(result);
	if (result == NULL)
		return db_said(&f);
	cli_print("%s may touch tenant %s", login, tenant);
	return CLI_GOOD;
}

/* "ledger_writer" or "writer": one of the ledger's roles, never its owner. */
static bool
role_name(const char *given, char *out, size_t size)
{
	static const char *const roles[] = {"reader", "writer", "auditor", "operator", "anchorer", "gateway", "loader",
	"backup"};
	const char *name = strncmp(given, "ledger_", 7) == 0 ? given + 7 : given;

	for (size_t i = 0; i < sizeof(roles) / sizeof(roles[0]); i++)
		if (strcmp(name, roles[i]) == 0)
		{
			snprintf(out, size, "ledger_%s", name);
			return true;
		}
	return false;
}

/* The statement is made of quoted names: GRANT takes no parameters. */
static cli_exit
grant_role(PGconn *conn, const char *role, const char *login)
{
	char	   *quoted = PQescapeIdentifier(conn, login, strlen(login));
	char		sql[400];
	fault		f;
	PGresult   *result;

	if (quoted == NULL)
		return cli_error(CLI_USAGE, "%s cannot name a role", login);
	snprintf(sql, sizeof(sql), "GRANT %s TO %s", role, quoted);
	PQfreemem(quoted);
	result = db_query(conn, &f, sql, 0, NULL);
	PQclear(result);
	if (result == NULL)
		return db_said(&f);
	cli_print("%s is a member of %s", login, role);
	cli_json_text("role", role);
	return CLI_GOOD;
}

static cli_exit
grant(PGconn *conn, const cli_args *args)
{
	const char *tenant = cli_operand(args, 1);
	const char *login = cli_operand(args, 2);
	const char *given = cli_value(args, "role");
	char		role[64] = "";
	cli_exit	code;

	if (strlen(login) > 63)
		return cli_error(CLI_USAGE, "%s is no name of a role: it has more than 63 bytes", login);
	if (given != NULL && !role_name(given, role, sizeof(role)))
		return cli_error(CLI_USAGE, "--role must be one of reader, writer, auditor, operator, anchorer, gateway, "
						 "loader and backup, not \"%s\"", given);
	cli_json_text("tenant", tenant);
	cli_json_text("login", login);
	code = grant_tenant(conn, login, tenant);
	return code == CLI_GOOD && *role != '\0' ? grant_role(conn, role, login) : code;
}

/* ---- list ---- */

/* What the caller may not see of a tenant's events is not told as none. */
#define LIST \
	"SELECT t.tenant_id, t.leaf, t.created_at, t.reserved, ledger.ledger_tenant_allowed(t.tenant_id) AS seen," \
	" coalesce(m.chains, 0) AS chains, coalesce(m.events, 0) AS events," \
	" array_to_string(ARRAY(SELECT g.role_name FROM ledger.ledger_tenant_grants AS g" \
	"   WHERE g.tenant_id = t.tenant_id ORDER BY 1), ', ') AS grants" \
		" FROM ledger.ledger_tenants AS t LEFT JOIN (" \
	"   SELECT n.labels ->> 'tenant' AS tenant_id," \
	"     max(n.value) FILTER (WHERE n.metric = 'ledger_chains')::bigint AS chains," \
	"     max(n.value) FILTER (WHERE n.metric = 'ledger_chain_events')::bigint AS events" \
	"   FROM ledger.ledger_metrics() AS n GROUP BY 1) AS m USING (tenant_id)" \
	" ORDER BY t.tenant_id"

/* "a, b" as a list. */
static void
tell_grants(const char *grants)
{
	cli_json_list("grants");
	while (*grants != '\0')
	{
		const char *end = strstr(grants, ", ");
		size_t		n = end != NULL ? (size_t) (end - grants) : strlen(grants);

		cli_json_item((lc_str) {grants, n});
		grants += n + (end != NULL ? 2 : 0);
	}
	lc_jcs_end_array(cli_json());
}

static void
tell_tenant(const PGresult *list, int i)
{
	bool		seen = *db_text(list, i, "seen") == 't';
	uint64_t	number;

	cli_print("%-24s %10s %14s  %s", db_text(list, i, "tenant_id"), seen ? db_text(list, i, "chains") : "-",
			  seen ? db_text(list, i, "events") : "-", db_text(list, i, "grants"));
	cli_json_object(NULL);
	cli_json_text("tenant", db_text(list, i, "tenant_id"));
	cli_json_text("leaf", db_text(list, i, "leaf"));
	cli_json_text("createdAt", db_text(list, i, "created_at"));
	cli_json_bool("reserved", *db_text(list, i, "reserved") == 't');
	if (seen && db_uint(list, i, "chains", &number))
		cli_json_uint("chains", number);
	if (seen && db_uint(list, i, "events", &number))
		cli_json_uint("events", number);
	tell_grants(db_text(list, i, "grants"));
	lc_jcs_end_object(cli_json());
}

static cli_exit
list(PGconn *conn, const cli_args *args)
{
	fault		f;
	PGresult   *result = db_query(conn, &f, LIST, 0, NULL);

	(void) args;
	if (result == NULL)
		return db_said(&f);
	cli_print("%-24s %10s %14s  %s", "tenant", "chains", "events", "granted to");
	cli_json_list("tenants");
	for (int i = 0; i < PQntuples(result); i++)
		tell_tenant(result, i);
	lc_jcs_end_array(cli_json());
	PQclear(result);
	return CLI_GOOD;
}

/* ---- the command ---- */

static const struct
{
	const char *name;
	size_t		operands;		/* its own name among them */
	const char *wants;
	cli_exit	(*run) (PGconn *conn, const cli_args *args);
}			steps[] = {
	{"create", 2, "a NAME", create}, {"list", 1, "no more", list}, {"grant", 3, "a NAME and a LOGIN", grant}
};

static cli_exit
tenant(const cli_args *args)
{
	const char *name = cli_operand(args, 0);

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
	{
		PGconn	   *conn;
		cli_exit	code;

		if (strcmp(name, steps[i].name) != 0)
			continue;
		if (cli_operands(args) != steps[i].operands)
			return cli_error(CLI_USAGE, "tenant %s needs %s", name, steps[i].wants);
		if (cli_has(args, "role") && steps[i].run != grant)
			return cli_error(CLI_USAGE, "--role goes with tenant grant");
		if (cli_has(args, "settings") && steps[i].run != create)
			return cli_error(CLI_USAGE, "--settings goes with tenant create");
		conn = db_connect(args);
		code = conn != NULL ? steps[i].run(conn, args) : CLI_USAGE;
		PQfinish(conn);
		return code;
	}
	return cli_error(CLI_USAGE, "tenant can create, list and grant, not \"%s\"", name);
}

static const cli_option options[] = {
	DB_OPTION,
	{"role", "ROLE", "with grant: also make LOGIN a member of ledger_ROLE (reader, writer, …)", false, false},
	{"settings", "JSON", "with create: the tenant's settings, an object", false, false},
	{NULL, NULL, NULL, false, false}
};

const cli_command tenant_command = {
	"tenant", "create NAME | list | grant NAME LOGIN", 1, 3,
	"create and list tenants, and say who may touch them",
	"create makes a tenant and its guarded partition; one that is there is left as it\n"
	"is.  grant lets a role, and so its members, touch a tenant; with --role it also\n"
	"makes it a member of one of the ledger's roles, which needs who may grant that.\n"
	"The login itself is made with CREATE ROLE.  list shows the tenants with chains and\n"
	"events, and who they are granted to.  For members of ledger_operator.\n",
	options,
	"ledgerctl tenant create acme\n"
	"ledgerctl tenant grant acme shop_connector --role writer\n"
	"ledgerctl tenant list --json\n",
	tenant, true
};
