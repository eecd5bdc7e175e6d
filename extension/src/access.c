/*
 * access.c
 *		Who may touch which tenant.
 *
 * Allowed is what ledger_tenant_grants says, never what a setting says: any
 * role can SET a setting.  The subject asked about is the role that SET ROLE
 * chose, else the session's user; never current_user, which is the owner
 * inside our SECURITY DEFINER functions.  C scans bypass row-level security,
 * so every C entry point calls ledger_require_tenant() itself.
 */
#include "ledger.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "storage/proc.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

/*
 * The last answer, good for one statement of one subject: a policy asks once
 * per row.  A grant or revoke is seen by the next statement, and an answer does
 * not outlive its transaction or savepoint: a procedure that commits is still
 * one statement, and a savepoint may take a grant with it.
 */
typedef struct AccessCache
{
	TimestampTz statement;
	CommandId	command;
	Oid			subject;
	size_t		n;
	char		tenant[LEDGER_MAX_TENANT];
	bool		allowed;
} AccessCache;

static AccessCache cache;

static void
access_xact_callback(XactEvent event, void *arg)
{
	cache.n = 0;
}

static void
access_subxact_callback(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		cache.n = 0;
}

void
ledger_access_init(void)
{
	RegisterXactCallback(access_xact_callback, NULL);
	RegisterSubXactCallback(access_subxact_callback, NULL);
}

/* The role whose grants count. */
Oid
ledger_subject(void)
{
	Oid			role = GetCurrentRoleId();

	return OidIsValid(role) ? role : GetSessionUserId();
}

static bool
bypasses_rls(Oid role)
{
	HeapTuple	tuple;
	bool		bypass = false;

	if (superuser_arg(role))
		return true;
	tuple = SearchSysCache1(AUTHOID, ObjectIdGetDatum(role));
	if (HeapTupleIsValid(tuple))
	{
		bypass = ((Form_pg_authid) GETSTRUCT(tuple))->rolbypassrls;
		ReleaseSysCache(tuple);
	}
	return bypass;
}

/* The table's key begins with the tenant; a table that lost it is read as it lies. */
static Oid
grants_index(Relation rel, AttrNumber tenant_att)
{
	Oid			pkey = ledger_primary_key_index(rel);
	HeapTuple	tuple;
	bool		usable;

	if (!OidIsValid(pkey))
		return InvalidOid;
	tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(pkey));
	usable = HeapTupleIsValid(tuple) &&
		((Form_pg_index) GETSTRUCT(tuple))->indkey.values[0] == tenant_att;
	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return usable ? pkey : InvalidOid;
}

/*
 * Does any grant for the tenant name a role whose privileges the subject has?
 * Asked by every append, so not at the price of reading all tenants' grants.
 */
static bool
granted(Oid subject, const char *tenant, size_t n)
{
	Oid			relid = get_relname_relid("ledger_tenant_grants", get_namespace_oid(LEDGER_SCHEMA, false));
	Relation	rel;
	SysScanDesc scan;
	ScanKeyData key;
	HeapTuple	tuple;
	AttrNumber	tenant_att;
	AttrNumber	role_att;
	Oid			index;
	bool		found = false;

	if (!OidIsValid(relid))
		return false;
	rel = table_open(relid, AccessShareLock);
	tenant_att = get_attnum(relid, "tenant_id");
	role_att = get_attnum(relid, "role_name");
	ScanKeyEntryInitialize(&key, 0, tenant_att, BTEqualStrategyNumber, InvalidOid, C_COLLATION_OID,
						   F_TEXTEQ, PointerGetDatum(cstring_to_text_with_len(tenant, n)));
	index = grants_index(rel, tenant_att);
	scan = systable_beginscan(rel, index, OidIsValid(index), GetActiveSnapshot(), 1, &key);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		bool		isnull;
		Datum		name = heap_getattr(tuple, role_att, RelationGetDescr(rel), &isnull);
		Oid			role;

		if (isnull)
			continue;
		role = get_role_oid(NameStr(*DatumGetName(name)), true);
		found = OidIsValid(role) && has_privs_of_role(subject, role);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/* May the subject touch the tenant? */
static bool
subject_allowed(const char *tenant, size_t n)
{
	Oid			subject = ledger_subject();
	TimestampTz statement = GetCurrentStatementStartTimestamp();
	CommandId	command = IsInParallelMode() ? FirstCommandId : GetCurrentCommandId(false);

	if (n == 0 || n > LEDGER_MAX_TENANT)
		return false;
	if (cache.subject == subject && cache.statement == statement && cache.command == command &&
		cache.n == n && memcmp(cache.tenant, tenant, n) == 0)
		return cache.allowed;

	cache.allowed = bypasses_rls(subject) || granted(subject, tenant, n);
	cache.subject = subject;
	cache.statement = statement;
	cache.command = command;
	cache.n = n;
	memcpy(cache.tenant, tenant, n);
	return cache.allowed;
}

/* The same as a demand. */
void
ledger_require_tenant(const char *tenant, size_t n)
{
	if (!subject_allowed(tenant, n))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_FORBIDDEN),
				 errmsg("role \"%s\" may not touch tenant \"%s\"",
						GetUserNameFromId(ledger_subject(), false), pnstrdup(tenant, n)),
				 errhint("An operator can allow it with ledger_grant_tenant().")));
}

/*
 * Act as the owner of relid, as foreign-key triggers do: the ledger's own
 * bookkeeping must not depend on the rights of whoever inserts, and forced
 * row-level security must not hide its rows.  Access was checked before.
 */
Oid
ledger_owner_enter(Oid relid, int *save_sec_context)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;
	Oid			save_userid;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for relation %u", relid);
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);

	GetUserIdAndSecContext(&save_userid, save_sec_context);
	SetUserIdAndSecContext(owner, *save_sec_context | SECURITY_LOCAL_USERID_CHANGE |
						   SECURITY_NOFORCE_RLS);
	return save_userid;
}

/* An error unwinds the same by itself: the transaction restores the user. */
void
ledger_owner_leave(Oid save_userid, int save_sec_context)
{
	SetUserIdAndSecContext(save_userid, save_sec_context);
}

/*
 * Are we inside one of the ledger's own SECURITY DEFINER functions?  Then the
 * current user owns relid though neither the session nor SET ROLE says so.  A
 * member of the owner who uses SET ROLE is not: he is himself.  Nor is an index
 * expression that ANALYZE or REINDEX runs as the table's owner.
 */
bool
ledger_is_owner_context(Oid relid)
{
	HeapTuple	tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		return false;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return GetUserId() == owner && ledger_subject() != owner && !InSecurityRestrictedOperation();
}

PG_FUNCTION_INFO_V1(ledger_tenant_allowed);
PG_FUNCTION_INFO_V1(ledger_tenant_selected);

/* ledger_tenant_allowed(tenant text) → boolean */
Datum
ledger_tenant_allowed(PG_FUNCTION_ARGS)
{
	text	   *tenant = PG_GETARG_TEXT_PP(0);

	PG_RETURN_BOOL(subject_allowed(VARDATA_ANY(tenant), VARSIZE_ANY_EXHDR(tenant)));
}

/*
 * ledger_tenant_selected(tenant text) → boolean: the setting app.current_tenant
 * names it and a grant allows it.  What the reading policies ask.
 */
Datum
ledger_tenant_selected(PG_FUNCTION_ARGS)
{
	text	   *tenant = PG_GETARG_TEXT_PP(0);
	size_t		n = VARSIZE_ANY_EXHDR(tenant);
	const char *selected = GetConfigOption("app.current_tenant", true, false);

	if (selected == NULL || strlen(selected) != n || memcmp(selected, VARDATA_ANY(tenant), n) != 0)
		PG_RETURN_BOOL(false);
	PG_RETURN_BOOL(subject_allowed(VARDATA_ANY(tenant), n));
}
