/*
 * derived.h
 *		The three tables folded from events, described once: the writer, the
 *		rebuild and the verifier are all generated from these descriptions.
 */
#ifndef LEDGER_DERIVED_H
#define LEDGER_DERIVED_H

#include "ledger.h"

#include "storage/itemptr.h"

typedef struct DerivedColumn
{
	const char *name;
	Oid			type;
} DerivedColumn;

/* The first three columns of each are tenant_id, finding_id, policy_version. */
typedef struct DerivedTable
{
	const char *name;
	int			ncolumns;
	const DerivedColumn *columns;
	int			nkeys;			/* leading columns that identify a row */
	bool		upsert;
	int			chain_column;
	int			sequence_column;
} DerivedTable;

#define DERIVED_MAX_COLUMNS 25

/* Columns of findings_projection, in the table's order. */
typedef enum ProjectionColumn
{
	PC_TENANT_ID,
	PC_FINDING_ID,
	PC_POLICY_VERSION,
	PC_ARTIFACT_ID,
	PC_VULN_ID,
	PC_CHAIN_ID,
	PC_STATUS,
	PC_SEVERITY,
	PC_LABELS,
	PC_EXPLAIN_REF,
	PC_RATIONALE,
	PC_RISK_SCORE,
	PC_RISK_SEVERITY,
	PC_RISK_PROFILE_VERSION,
	PC_RISK_EXPLANATION_ID,
	PC_RISK_EVENT_SEQUENCE,
	PC_RISK_UPDATED_AT,
	PC_AIRGAP_BUNDLE_ID,
	PC_AIRGAP_STALENESS_SECONDS,
	PC_CURRENT_EVENT_ID,
	PC_CURRENT_SEQUENCE,
	PC_PROJECTION_VERSION,
	PC_OBSERVED_AT,
	PC_UPDATED_AT,
	PC_CYCLE_HASH,
	PC_COUNT
} ProjectionColumn;

extern const DerivedTable ledger_projection_table;
extern const DerivedTable ledger_history_table;
extern const DerivedTable ledger_actions_table;

/* Rows on their way into a derived table, by column; values are borrowed. */
typedef struct DerivedRows
{
	const DerivedTable *table;
	int			nrows;
	int			capacity;
	Datum	   *values[DERIVED_MAX_COLUMNS];
	bool	   *nulls[DERIVED_MAX_COLUMNS];
} DerivedRows;

extern void ledger_require_column_type(const DerivedTable *table, int column, Oid type);
extern void ledger_rows_init(DerivedRows *rows, const DerivedTable *table);
extern void ledger_rows_add(DerivedRows *rows, const Datum *values, const bool *nulls);
extern uint64 ledger_rows_write(const DerivedRows *rows);
extern Datum ledger_rows_array(const DerivedRows *rows, int column);
extern void ledger_rows_unnest(StringInfo sql, const DerivedTable *table);

/* The state of one finding; exists is false before its first event. */
typedef struct Finding
{
	bool		exists;
	bool		in_place;		/* stored at tid, and may be updated there */
	ItemPointerData tid;
	Datum		values[PC_COUNT];
	bool		nulls[PC_COUNT];
} Finding;

/* A finding under the digest of its tenant, id and policy version, framed. */
typedef struct FindingEntry
{
	uint8		key[LC_HASH_LEN];
	Finding		finding;
} FindingEntry;

/* stored.c: findings_projection, open */
typedef struct FindingStore
{
	Relation	rel;
	Relation	index;			/* primary key */
	TupleTableSlot *slot;
	AttrNumber	atts[PC_COUNT];
} FindingStore;

extern void ledger_stored_init(void);
extern void ledger_store_open(FindingStore *store);
extern void ledger_store_close(FindingStore *store);
extern void ledger_store_load(const FindingStore *store, const EventRow *event, const uint8 *key,
							  Finding *finding);
extern void ledger_store_update(const FindingStore *store, FindingEntry **entries, int n);

extern bool ledger_is_folded(const EventRow *event, const EventType **type);
extern void ledger_finding_copy(Finding *finding);
extern void ledger_require_chain(const Finding *f, const EventRow *event);
extern void ledger_fold(Finding *finding, const EventRow *event, const EventType *type, bool lenient,
						DerivedRows *history, DerivedRows *actions);

#endif
