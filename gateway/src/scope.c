/*
 * scope.c
 *		Names of scopes.  The older ones are those that the people of the
 *		vulnerability explorer have; what they may do is not more than the
 *		newer name beside them says.
 */
#include <string.h>

#include "identity.h"

static const struct
{
	const char *name;
	scope		scope;
}			names[] = {
	/* The first of a scope is its name. */
	{"ledger.events.read", SCOPE_EVENTS_READ},
	{"ledger.events.write", SCOPE_EVENTS_WRITE},
	{"ledger.events.actor", SCOPE_EVENTS_ACTOR},
	{"ledger.export.read", SCOPE_EXPORT_READ},
	{"ledger.audit", SCOPE_AUDIT},
	{"ledger.attachments.read", SCOPE_ATTACHMENTS_READ},
	{"ledger.attachments.write", SCOPE_ATTACHMENTS_WRITE},
	{"ledger.attachments.egress", SCOPE_ATTACHMENTS_EGRESS},
	{"vuln:view", SCOPE_EVENTS_READ},
	{"vuln:investigate", SCOPE_EVENTS_READ},
	{"vuln:operate", SCOPE_EVENTS_WRITE},
	{"vuln:audit", SCOPE_AUDIT},
};

#define COUNT (sizeof(names) / sizeof(names[0]))

scope
scope_find(const char *name, size_t n)
{
	for (size_t i = 0; i < COUNT; i++)
		if (strlen(names[i].name) == n && memcmp(names[i].name, name, n) == 0)
			return names[i].scope;
	return SCOPE_NONE;
}

const char *
scope_name(scope one)
{
	for (size_t i = 0; i < COUNT; i++)
		if (names[i].scope == one)
			return names[i].name;
	return "";
}

uint32_t
scopes_parse(const char *list, size_t n)
{
	uint32_t	scopes = 0;
	const char *end = list + n;

	while (list < end)
	{
		const char *blank = memchr(list, ' ', (size_t) (end - list));
		size_t		len = (size_t) ((blank == NULL ? end : blank) - list);

		scopes |= (uint32_t) scope_find(list, len);
		list += len + (blank != NULL);
	}
	return scopes;
}
