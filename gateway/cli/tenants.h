/*
 * tenants.h
 *		Which tenants and chains a command works on, in the order that files
 *		and checksums have them: by (tenant, chain id) as bytes.
 */
#ifndef LEDGERCTL_TENANTS_H
#define LEDGERCTL_TENANTS_H

#include "db.h"

/* The ledger's own: its events are about the copy that wrote them, and no other ledger takes them. */
#define RESERVED_TENANT "ledger"
#define ALL_TENANTS "all"

typedef struct tenant_list
{
	size_t		count;
	char	  **names;
} tenant_list;

/*
 * One tenant, or with "all" each but the reserved one.  CLI_NOT_FOUND if there
 * is no such tenant, CLI_USAGE if the role may not touch it: a tenant that is
 * left out would look like one without events.
 */
extern cli_exit tenants_read(PGconn *conn, const char *which, tenant_list *out);
extern void tenants_free(tenant_list *list);

typedef struct chain_list
{
	size_t		count;
	char	  (*ids)[40];
} chain_list;

/* The tenant's registered chains. */
extern bool chains_read(PGconn *conn, const char *tenant, chain_list *out, fault *f);
extern void chains_free(chain_list *list);

#endif
