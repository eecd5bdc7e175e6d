/*
 * types.c
 *		The vocabulary of ledger_event_types, cached per backend.
 *
 * Rows of that table are only ever added (a guard refuses anything else), so
 * an entry never goes stale; an unknown word makes us read again.  An entry
 * of a transaction that aborts must go, so an abort empties the cache if it was
 * read in that transaction; what was read before is committed.
 */
#include "ledger.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

static HTAB *types = NULL;
static MemoryContext types_context = NULL;

/* Read in the running transaction. */
static bool types_fresh = false;

static void
forget_types(void)
{
	if (types_context != NULL)
		MemoryContextDelete(types_context);
	types_context = NULL;
	types = NULL;
	types_fresh = false;
}

static void
types_xact_callback(XactEvent event, void *arg)
{
	/* A prepared transaction may still be rolled back, when we are no longer asked. */
	if (types_fresh && (event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE))
		forget_types();
	if (event == XACT_EVENT_COMMIT)
		types_fresh = false;
}

static void
types_subxact_callback(SubXactEvent event, SubTransactionId mine, SubTransactionId parent, void *arg)
{
	if (types_fresh && event == SUBXACT_EVENT_ABORT_SUB)
		forget_types();
}

void
ledger_types_init(void)
{
	RegisterXactCallback(types_xact_callback, NULL);
	RegisterSubXactCallback(types_subxact_callback, NULL);
}

static int
read_bit(const char *member)
{
	static const struct
	{
		const char *name;
		int			bit;
	}			bits[] = {
		{"status", READS_STATUS},
		{"severity", READS_SEVERITY},
		{"labels", READS_LABELS},
		{"explainRef", READS_EXPLAIN_REF},
		{"rationale", READS_RATIONALE},
		{"risk", READS_RISK},
		{"airgap", READS_AIRGAP}
	};

	for (int i = 0; i < lengthof(bits); i++)
		if (strcmp(bits[i].name, member) == 0)
			return bits[i].bit;
	return 0;
}

/* A column that the table declares NOT NULL, as text. */
static char *
required(HeapTuple tuple, TupleDesc desc, int column)
{
	char	   *value = SPI_getvalue(tuple, desc, column);

	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_CORRUPTED),
				 errmsg("ledger_event_types holds a null in column \"%s\"",
						SPI_fname(desc, column)),
				 errhint("A superuser changed it: the vocabulary must be as it was when the events were folded.")));
	return value;
}

static void
add_type(HeapTuple tuple, TupleDesc desc)
{
	char	   *name = required(tuple, desc, 1);
	char	   *status = SPI_getvalue(tuple, desc, 4);
	char	   *action = SPI_getvalue(tuple, desc, 5);
	char	   *reads = required(tuple, desc, 6);
	NameData	key;
	EventType  *type;
	bool		found;

	namestrcpy(&key, name);
	type = (EventType *) hash_search(types, &key, HASH_ENTER, &found);
	type->reserved = strcmp(required(tuple, desc, 2), "t") == 0;
	type->projected = strcmp(required(tuple, desc, 3), "t") == 0;
	type->default_status = status == NULL ? NULL : ledger_status_word(status, strlen(status));
	type->action_kind = action == NULL ? NULL : MemoryContextStrdup(types_context, action);
	type->labels_merge = strcmp(required(tuple, desc, 7), "merge") == 0;
	type->reads = 0;
	for (char *member = strtok(reads, ","); member != NULL; member = strtok(NULL, ","))
		type->reads |= read_bit(member);
}

static void
load_types(void)
{
	HASHCTL		ctl;
	Oid			save_userid;
	int			save_sec_context;

	forget_types();
	types_fresh = true;
	types_context = AllocSetContextCreate(TopMemoryContext, "ledger event types",
										  ALLOCSET_SMALL_SIZES);
	memset(&ctl, 0, sizeof(ctl));
	ctl.keysize = NAMEDATALEN;
	ctl.entrysize = sizeof(EventType);
	ctl.hcxt = types_context;
	types = hash_create("ledger event types", 64, &ctl, HASH_ELEM | HASH_STRINGS | HASH_CONTEXT);

	save_userid = ledger_owner_enter(ledger_events_relid(), &save_sec_context);
	SPI_connect();
	if (SPI_execute("SELECT event_type, reserved, projected, default_status, action_kind,"
					" pg_catalog.array_to_string(reads, ',') AS reads, labels_mode"
					" FROM ledger.ledger_event_types", true, 0) != SPI_OK_SELECT)
		elog(ERROR, "could not read ledger_event_types");
	for (uint64 i = 0; i < SPI_processed; i++)
		add_type(SPI_tuptable->vals[i], SPI_tuptable->tupdesc);
	SPI_finish();
	ledger_owner_leave(save_userid, save_sec_context);
}

static const EventType *
find_type(const char *name, size_t n)
{
	NameData	key;

	if (types == NULL || n >= NAMEDATALEN)
		return NULL;
	memset(&key, 0, sizeof(key));
	memcpy(NameStr(key), name, n);
	return (const EventType *) hash_search(types, &key, HASH_FIND, NULL);
}

/* The known types, for the hint of an error. */
static char *
known_types(void)
{
	StringInfoData list;
	HASH_SEQ_STATUS seq;
	EventType  *type;
	const char **names;
	int			count = 0;

	names = (const char **) palloc(sizeof(char *) * hash_get_num_entries(types));
	hash_seq_init(&seq, types);
	while ((type = (EventType *) hash_seq_search(&seq)) != NULL)
		if (!type->reserved)
			names[count++] = NameStr(type->name);
	qsort(names, count, sizeof(char *), pg_qsort_strcmp);
	initStringInfo(&list);
	for (int i = 0; i < count; i++)
		appendStringInfo(&list, "%s%s", i > 0 ? ", " : "", names[i]);
	return list.data;
}

/* The type of that name, or NULL. */
const EventType *
ledger_find_event_type(const char *name, size_t n)
{
	const EventType *type = find_type(name, n);

	if (type == NULL)
	{
		load_types();
		type = find_type(name, n);
	}
	return type;
}

/* The type of that name; an error lists the known ones. */
const EventType *
ledger_event_type(const char *name, size_t n)
{
	const EventType *type = ledger_find_event_type(name, n);

	if (type == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_UNKNOWN),
				 errmsg("unknown event type \"%s\"", pnstrdup(name, Min(n, 128))),
				 errhint("Known types: %s. An operator can add one with ledger_add_event_type().",
						 known_types())));
	return type;
}
