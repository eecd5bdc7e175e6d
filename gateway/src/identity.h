/*
 * identity.h
 *		Who asks: what a verified token or client certificate says.
 */
#ifndef GATEWAY_IDENTITY_H
#define GATEWAY_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One bit a scope; names and their older synonyms are in scope.c. */
typedef enum scope
{
	SCOPE_NONE = 0,				/* of a route: needs no identity */
	SCOPE_EVENTS_READ = 1 << 0,	/* ledger.events.read; vuln:view, vuln:investigate */
	SCOPE_EVENTS_WRITE = 1 << 1,	/* ledger.events.write; vuln:operate */
	SCOPE_EVENTS_ACTOR = 1 << 2,	/* ledger.events.actor: may name another actor than itself */
	SCOPE_EXPORT_READ = 1 << 3,	/* ledger.export.read */
	SCOPE_AUDIT = 1 << 4,		/* ledger.audit; vuln:audit */
	SCOPE_ATTACHMENTS_READ = 1 << 5,	/* ledger.attachments.read */
	SCOPE_ATTACHMENTS_WRITE = 1 << 6,	/* ledger.attachments.write */
	SCOPE_ATTACHMENTS_EGRESS = 1 << 7	/* ledger.attachments.egress */
} scope;

extern scope scope_find(const char *name, size_t n);	/* SCOPE_NONE: not one of ours, which is no error */
extern const char *scope_name(scope one);

/* Of a list separated by spaces (RFC 6749 section 3.3). */
extern uint32_t scopes_parse(const char *list, size_t n);

/* A tenant's name has 1 to 128 bytes (ledger_tenants). */
#define IDENTITY_TENANT_SIZE 129

typedef struct identity
{
	char		tenant[IDENTITY_TENANT_SIZE];
	char		subject[256];	/* the actor of what it writes */
	char		actor_type[16];	/* system, operator or integration */
	uint32_t	scopes;
	bool		certificate;	/* by mutual TLS, not by a token */
	bool		link;			/* by a signed link, which says nothing of who follows it */
} identity;

#endif
