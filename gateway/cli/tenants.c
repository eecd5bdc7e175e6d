/*
 * tenants.c
 *		Tenants and chains as the database lists them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lc_uuid.h"
#include "tenants.h"

static cli_exit
take_tenants(const PGresult *rows, const char *which, tenant_list *out)
{
	out->names = cli_alloc.resize(NULL, NULL, ((size_t) PQntuples(rows) + 1) * sizeof(*out->names));
	for (int i = 0; i < PQntuples(rows); i++)
	{
		const char *name = db_text(rows, i, "tenant_id");

		if (*db_text(rows, i, "allowed") != 't')
			return cli_error(CLI_USAGE, "this role may not touch tenant \"%s\"; an operator can allow it with "
							 "ledger_grant_tenant()", name);
		out->names[out->count] = strdup(name);
		if (out->names[out->count++] == NULL)
			return cli_error(CLI_USAGE, "out of memory");
	}
	if (out->count == 0 && strcmp(which, ALL_TENANTS) != 0)
		return cli_error(CLI_NOT_FOUND, "there is no tenant \"%s\"", which);
	return CLI_GOOD;
}

cli_exit
tenants_read(PGconn *conn, const char *which, tenant_list *out)
{
	const char *values[] = {which};
	fault		f;
	PGresult   *rows;
	cli_exit	code;

	memset(out, 0, sizeof(*out));
	if (strcmp(which, RESERVED_TENANT) == 0)
		return cli_error(CLI_USAGE, "tenant \"" RESERVED_TENANT "\" is the ledger's own: its events stay with it");
	rows = db_query(conn, &f,
					"SELECT t.tenant_id, ledger.ledger_tenant_allowed(t.tenant_id) AS allowed"
					" FROM ledger.ledger_tenants AS t WHERE NOT t.reserved"
					" AND ($1 = '" ALL_TENANTS "' OR t.tenant_id = $1) ORDER BY t.tenant_id", 1, values);
	if (rows == NULL)
		return cli_error(CLI_USAGE, "the tenants: %s", f.text);
	code = take_tenants(rows, which, out);
	PQclear(rows);
	return code;
}

void
tenants_free(tenant_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->names[i]);
	free(list->names);
	memset(list, 0, sizeof(*list));
}

bool
chains_read(PGconn *conn, const char *tenant, chain_list *out, fault *f)
{
	const char *values[] = {tenant};
	PGresult   *rows;

	memset(out, 0, sizeof(*out));
	if (!db_select_tenant(conn, tenant, f))
		return false;
	rows = db_query(conn, f, "SELECT c.chain_id FROM ledger.ledger_chains AS c WHERE c.tenant_id = $1"
					" ORDER BY c.chain_id", 1, values);
	if (rows == NULL)
		return false;
	out->count = (size_t) PQntuples(rows);
	out->ids = cli_alloc.resize(NULL, NULL, (out->count + 1) * sizeof(*out->ids));
	for (size_t i = 0; i < out->count; i++)
		snprintf(out->ids[i], sizeof(out->ids[i]), "%s", db_text(rows, (int) i, "chain_id"));
	PQclear(rows);
	return true;
}

void
chains_free(chain_list *list)
{
	free(list->ids);
	memset(list, 0, sizeof(*list));
}
