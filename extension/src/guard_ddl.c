/*
 * guard_ddl.c
 *		The event triggers that guard the ledger's objects against DDL.
 *
 * Whoever is no superuser changes them only in a migration: a transaction that
 * has already written its row into ledger_schema_migrations, and so leaves
 * evidence; or inside the owner's SECURITY DEFINER functions (a new tenant's
 * leaf, pg_partman's maintenance).  A superuser cannot be stopped: what he
 * changes is recorded as an event.
 *
 * In C and in the extension, because the owner's members may replace and drop
 * the owner's functions: CREATE OR REPLACE of a guard would be judged by what
 * it has just put in the guard's place.
 */
#include "ledger.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/event_trigger.h"
#include "executor/spi.h"
#include "lib/stringinfo.h"
#include "nodes/makefuncs.h"
#include "parser/parse_func.h"
#include "tcop/cmdtag.h"
#include "tcop/tcopprot.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#define LEDGER_OWNER "ledger_owner"

/*
 * What a command touched of ours.  $1: the owner; $2: does a GRANT count, which
 * names no object?  The owner's objects are ours wherever they stand: a table
 * moved to another schema, a partition made there, a SECURITY DEFINER function
 * given to the owner, a temporary table whose index expressions ANALYZE would
 * run as the owner.
 *
 * Of triggers, policies and rules only the identity names the schema, and a
 * session with quote_all_identifiers has that written "ledger"."ledger_events".
 * So quotes are taken away before it is looked at.
 */
static const char *const commands_query =
	"SELECT array_agg(DISTINCT coalesce(i.name, c.object_type))"
	" FROM pg_event_trigger_ddl_commands() AS c, translate(c.object_identity, '\"', '') AS i (name)"
	" WHERE c.schema_name = 'ledger' OR i.name = 'ledger' OR i.name LIKE '% on ledger.%'"
	" OR (c.classid = 'pg_class'::regclass AND EXISTS"
	"  (SELECT FROM pg_class AS r WHERE r.oid = c.objid AND r.relowner = $1))"
	" OR (c.classid = 'pg_proc'::regclass AND EXISTS"
	"  (SELECT FROM pg_proc AS p WHERE p.oid = c.objid AND p.proowner = $1))"
	" OR ($2 AND c.command_tag IN ('GRANT', 'REVOKE', 'ALTER DEFAULT PRIVILEGES') AND c.object_identity IS NULL)";

static const char *const drops_query =
	"SELECT array_agg(i.name)"
	" FROM pg_event_trigger_dropped_objects() AS d, translate(d.object_identity, '\"', '') AS i (name)"
	" WHERE NOT d.is_temporary AND d.original"
	" AND (d.schema_name = 'ledger' OR i.name = 'ledger' OR i.name LIKE '% on ledger.%')";
static const char *const rewrite_query =
	"SELECT array_agg(translate(c.oid::regclass::text, '\"', '')) FROM pg_class AS c"
	" WHERE c.oid = pg_event_trigger_table_rewrite_oid() AND (c.relowner = $1"
	" OR c.relnamespace = (SELECT n.oid FROM pg_namespace AS n WHERE n.nspname = 'ledger'))";

/*
 * Invalid in a copy that was restored without the ledger's roles: nobody is its
 * member then, and a superuser must still be able to mend it.
 */
static Oid
owner_role(void)
{
	return get_role_oid(LEDGER_OWNER, true);
}

/* A member of the owner who is no superuser: the one whom these guards stop. */
static bool
is_owners_member(Oid owner)
{
	return !superuser() && has_privs_of_role(GetUserId(), owner);
}

/* Has this transaction recorded a migration?  A savepoint's record does not count. */
static bool
migration_recorded(void)
{
	TransactionId xid = GetTopTransactionIdIfAny();
	Oid			namespace = get_namespace_oid(LEDGER_SCHEMA, true);
	Oid			relid = OidIsValid(namespace) ?
		get_relname_relid("ledger_schema_migrations", namespace) : InvalidOid;
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;
	bool		found = false;

	if (!TransactionIdIsValid(xid) || !OidIsValid(relid))
		return false;
	rel = table_open(relid, AccessShareLock);
	scan = systable_beginscan(rel, InvalidOid, false, SnapshotSelf, 0, NULL);
	while (!found && HeapTupleIsValid(tuple = systable_getnext(scan)))
		found = !HeapTupleHeaderXminFrozen(tuple->t_data) &&
			TransactionIdEquals(HeapTupleHeaderGetRawXmin(tuple->t_data), xid);
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return found;
}

/* Inside one of the owner's SECURITY DEFINER functions, or in a recorded migration? */
static bool
change_allowed(Oid owner)
{
	if (GetUserId() == owner && ledger_subject() != owner && !InSecurityRestrictedOperation())
		return true;
	return has_privs_of_role(GetUserId(), owner) && migration_recorded();
}

/*
 * Call it as its owner.  It is SECURITY DEFINER as we made it, but a migration of the
 * owner's may have replaced it, and what is in it then must not run as a superuser.
 */
static void
call_as_its_owner(Oid function, Datum tag, Datum objects)
{
	HeapTuple	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	Oid			save_userid;
	int			save_sec_context;
	Oid			owner;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for function %u", function);
	owner = ((Form_pg_proc) GETSTRUCT(tuple))->proowner;
	ReleaseSysCache(tuple);
	GetUserIdAndSecContext(&save_userid, &save_sec_context);
	SetUserIdAndSecContext(owner, save_sec_context | SECURITY_LOCAL_USERID_CHANGE);
	(void) OidFunctionCall2(function, tag, objects);
	SetUserIdAndSecContext(save_userid, save_sec_context);
}

/* Record what a superuser changed; without the function that does it, say so. */
static void
record_change(const char *tag, Datum objects)
{
	Oid			types[2] = {TEXTOID, TEXTARRAYOID};
	List	   *name = list_make2(makeString(pstrdup(LEDGER_SCHEMA)),
								  makeString(pstrdup("ledger_record_guard_change")));
	Oid			function = LookupFuncName(name, 2, types, true);

	if (OidIsValid(function))
		call_as_its_owner(function, CStringGetTextDatum(tag), objects);
	else
		ereport(WARNING,
				(errmsg("change of the ledger's objects could not be recorded"),
				 errdetail("Function ledger.ledger_record_guard_change(text, text[]) does not exist.")));
}

static char *
first_object(Datum objects)
{
	int			one = 1;
	bool		isnull;

	return TextDatumGetCString(array_ref(DatumGetArrayTypeP(objects), 1, &one, -1, -1, false,
										 TYPALIGN_INT, &isnull));
}

/*
 * Is it the table of recorded migrations, or something on it?  No migration of
 * the owner's may switch its guards off: the record that let the change
 * through could then be deleted.  (Renamed or moved away it is not found, and
 * nothing is recorded.)
 */
static bool
touches_record(Datum objects)
{
	static const char record[] = LEDGER_SCHEMA ".ledger_schema_migrations";
	Datum	   *names;
	int			n;

	deconstruct_array(DatumGetArrayTypeP(objects), TEXTOID, -1, false, TYPALIGN_INT,
					  &names, NULL, &n);
	for (int i = 0; i < n; i++)
	{
		char	   *name = TextDatumGetCString(names[i]);
		char	   *on = strstr(name, " on ");

		if (strcmp(on != NULL ? on + strlen(" on ") : name, record) == 0)
			return true;
	}
	return false;
}

/* Ask which of our objects a command touched, and refuse, allow or record it. */
static void
judge(const char *tag, const char *query)
{
	Oid			owner = owner_role();
	Oid			types[2] = {OIDOID, BOOLOID};
	Datum		values[2] = {ObjectIdGetDatum(owner), BoolGetDatum(is_owners_member(owner))};
	int			nestlevel = NewGUCNestLevel();
	Datum		objects;
	bool		isnull;

	/* The query names operators; those of the caller's search_path must not run. */
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	SPI_connect();
	if (SPI_execute_with_args(query, 2, types, values, NULL, false, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read what the command touched");
	objects = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);
	if (!isnull && (!change_allowed(owner) || (!superuser() && touches_record(objects))))
	{
		if (!superuser())
			ereport(ERROR,
					(errcode(ERRCODE_LEDGER_APPEND_ONLY),
					 errmsg("%s of %s is refused", tag, first_object(objects)),
					 errhint("Change the ledger's objects by a migration: migrations/README.md.")));
		record_change(tag, objects);
	}
	SPI_finish();
	AtEOXact_GUC(true, nestlevel);
}

static EventTriggerData *
event_data(FunctionCallInfo fcinfo)
{
	if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called by the event trigger manager")));
	return (EventTriggerData *) fcinfo->context;
}

PG_FUNCTION_INFO_V1(ledger_guard_start);
PG_FUNCTION_INFO_V1(ledger_guard_ddl_end);
PG_FUNCTION_INFO_V1(ledger_guard_drop);
PG_FUNCTION_INFO_V1(ledger_guard_rewrite);

/* Does the client's statement hold this word, in any case?  Too often is no harm. */
static bool
query_has_word(const char *word)
{
	size_t		n = strlen(word);

	if (debug_query_string == NULL)
		return false;
	for (const char *s = debug_query_string; *s != '\0'; s++)
		if (pg_strncasecmp(s, word, n) == 0)
			return true;
	return false;
}

/*
 * ledger_guard_start() → event_trigger on ddl_command_start.  DETACH PARTITION …
 * CONCURRENTLY hides a leaf, and CREATE INDEX CONCURRENTLY leaves an index, whose
 * expressions would run inside the owner's functions, by commits of their own
 * before ddl_command_end fires: they are refused before they begin, whatever they
 * aim at.  They run only as a whole statement of the client, whose text we have.
 */
Datum
ledger_guard_start(PG_FUNCTION_ARGS)
{
	EventTriggerData *data = event_data(fcinfo);

	if ((data->tag == CMDTAG_ALTER_TABLE || data->tag == CMDTAG_CREATE_INDEX ||
		 data->tag == CMDTAG_DROP_INDEX) && query_has_word("concurrently") &&
		is_owners_member(owner_role()))
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_APPEND_ONLY),
				 errmsg("%s … CONCURRENTLY is refused", GetCommandTagName(data->tag)),
				 errdetail("It commits before it could be judged."),
				 errhint("Change the ledger's objects by a migration: migrations/README.md.")));
	return PointerGetDatum(NULL);
}

/* ledger_guard_ddl_end() → event_trigger on ddl_command_end */
Datum
ledger_guard_ddl_end(PG_FUNCTION_ARGS)
{
	judge(GetCommandTagName(event_data(fcinfo)->tag), commands_query);
	return PointerGetDatum(NULL);
}

/* ledger_guard_drop() → event_trigger on sql_drop */
Datum
ledger_guard_drop(PG_FUNCTION_ARGS)
{
	judge(GetCommandTagName(event_data(fcinfo)->tag), drops_query);
	return PointerGetDatum(NULL);
}

/* ledger_guard_rewrite() → event_trigger on table_rewrite: ALTER COLUMN … USING */
Datum
ledger_guard_rewrite(PG_FUNCTION_ARGS)
{
	judge(GetCommandTagName(event_data(fcinfo)->tag), rewrite_query);
	return PointerGetDatum(NULL);
}
