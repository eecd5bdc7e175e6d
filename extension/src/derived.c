/*
 * derived.c
 *		Descriptions of the derived tables, and set-based writing: one
 *		INSERT … SELECT FROM parallel arrays for a batch of rows.
 *
 * The caller is connected to SPI and acts as the owner, with the search_path of
 * whoever inserts: every operator and function in these statements names its
 * schema, or an operator of the inserter's would run as the owner.
 */
#include "derived.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

static const DerivedColumn projection_columns[PC_COUNT] = {
	[PC_TENANT_ID] = {"tenant_id", TEXTOID},
	[PC_FINDING_ID] = {"finding_id", TEXTOID},
	[PC_POLICY_VERSION] = {"policy_version", TEXTOID},
	[PC_ARTIFACT_ID] = {"artifact_id", TEXTOID},
	[PC_VULN_ID] = {"vuln_id", TEXTOID},
	[PC_CHAIN_ID] = {"chain_id", UUIDOID},
	[PC_STATUS] = {"status", TEXTOID},
	[PC_SEVERITY] = {"severity", NUMERICOID},
	[PC_LABELS] = {"labels", JSONBOID},
	[PC_EXPLAIN_REF] = {"explain_ref", TEXTOID},
	[PC_RATIONALE] = {"rationale", JSONBOID},
	[PC_RISK_SCORE] = {"risk_score", NUMERICOID},
	[PC_RISK_SEVERITY] = {"risk_severity", TEXTOID},
	[PC_RISK_PROFILE_VERSION] = {"risk_profile_version", TEXTOID},
	[PC_RISK_EXPLANATION_ID] = {"risk_explanation_id", TEXTOID},
	[PC_RISK_EVENT_SEQUENCE] = {"risk_event_sequence", INT8OID},
	[PC_RISK_UPDATED_AT] = {"risk_updated_at", TIMESTAMPTZOID},
	[PC_AIRGAP_BUNDLE_ID] = {"airgap_bundle_id", TEXTOID},
	[PC_AIRGAP_STALENESS_SECONDS] = {"airgap_staleness_seconds", INT8OID},
	[PC_CURRENT_EVENT_ID] = {"current_event_id", UUIDOID},
	[PC_CURRENT_SEQUENCE] = {"current_sequence", INT8OID},
	[PC_PROJECTION_VERSION] = {"projection_version", TEXTOID},
	[PC_OBSERVED_AT] = {"observed_at", TIMESTAMPTZOID},
	[PC_UPDATED_AT] = {"updated_at", TIMESTAMPTZOID},
	[PC_CYCLE_HASH] = {"cycle_hash", BYTEAOID},
};

static const DerivedColumn history_columns[] = {
	{"tenant_id", TEXTOID},
	{"finding_id", TEXTOID},
	{"policy_version", TEXTOID},
	{"sequence_no", INT8OID},
	{"chain_id", UUIDOID},
	{"event_id", UUIDOID},
	{"event_type", TEXTOID},
	{"previous_status", TEXTOID},
	{"status", TEXTOID},
	{"previous_severity", NUMERICOID},
	{"severity", NUMERICOID},
	{"actor_id", TEXTOID},
	{"actor_type", TEXTOID},
	{"justification", TEXTOID},
	{"occurred_at", TIMESTAMPTZOID},
	{"recorded_at", TIMESTAMPTZOID},
	{"cycle_hash", BYTEAOID},
};

static const DerivedColumn action_columns[] = {
	{"tenant_id", TEXTOID},
	{"finding_id", TEXTOID},
	{"policy_version", TEXTOID},
	{"sequence_no", INT8OID},
	{"chain_id", UUIDOID},
	{"action_id", UUIDOID},
	{"action_type", TEXTOID},
	{"payload", JSONBOID},
	{"created_by", TEXTOID},
	{"occurred_at", TIMESTAMPTZOID},
	{"created_at", TIMESTAMPTZOID},
};

const DerivedTable ledger_projection_table = {
	"findings_projection", PC_COUNT, projection_columns, 3, true, PC_CHAIN_ID, PC_CURRENT_SEQUENCE
};
const DerivedTable ledger_history_table = {
	"finding_history", lengthof(history_columns), history_columns, 4, false, 4, 3
};
const DerivedTable ledger_actions_table = {
	"triage_actions", lengthof(action_columns), action_columns, 4, false, 4, 3
};

/* A value of another type than expected would be read as what it is not, at worst as a pointer. */
void
ledger_require_column_type(const DerivedTable *table, int column, Oid type)
{
	const DerivedColumn *wanted = &table->columns[column];

	if (type != wanted->type)
		ereport(ERROR,
				(errcode(ERRCODE_LEDGER_CORRUPTED),
				 errmsg("column \"%s\" of %s has type %s, but the ledger made it %s", wanted->name,
						table->name, format_type_be(type), format_type_be(wanted->type)),
				 errhint("A superuser or a migration changed it: change it back.")));
}

void
ledger_rows_init(DerivedRows *rows, const DerivedTable *table)
{
	rows->table = table;
	rows->nrows = 0;
	rows->capacity = 0;
}

void
ledger_rows_add(DerivedRows *rows, const Datum *values, const bool *nulls)
{
	if (rows->nrows == rows->capacity)
	{
		int			capacity = rows->capacity == 0 ? 8 : rows->capacity * 2;

		for (int c = 0; c < rows->table->ncolumns; c++)
		{
			Size		v = capacity * sizeof(Datum);
			Size		n = capacity * sizeof(bool);

			rows->values[c] = rows->capacity == 0 ? palloc(v) : repalloc(rows->values[c], v);
			rows->nulls[c] = rows->capacity == 0 ? palloc(n) : repalloc(rows->nulls[c], n);
		}
		rows->capacity = capacity;
	}
	for (int c = 0; c < rows->table->ncolumns; c++)
	{
		rows->values[c][rows->nrows] = values[c];
		rows->nulls[c][rows->nrows] = nulls[c];
	}
	rows->nrows++;
}

/* One column of the rows as an SQL array. */
Datum
ledger_rows_array(const DerivedRows *rows, int column)
{
	Oid			type = rows->table->columns[column].type;
	int			dims[1];
	int			lbs[1] = {1};
	int16		typlen;
	bool		typbyval;
	char		typalign;

	if (rows->nrows == 0)
		return PointerGetDatum(construct_empty_array(type));
	dims[0] = rows->nrows;
	get_typlenbyvalalign(type, &typlen, &typbyval, &typalign);
	return PointerGetDatum(construct_md_array(rows->values[column], rows->nulls[column], 1, dims, lbs,
											  type, typlen, typbyval, typalign));
}

/* ROWS FROM (unnest($1), …) AS x (names), one parameter a column. */
void
ledger_rows_unnest(StringInfo sql, const DerivedTable *table)
{
	appendStringInfoString(sql, "ROWS FROM (");
	for (int c = 0; c < table->ncolumns; c++)
		appendStringInfo(sql, "%spg_catalog.unnest($%d)", c > 0 ? ", " : "", c + 1);
	appendStringInfoString(sql, ") AS x (");
	for (int c = 0; c < table->ncolumns; c++)
		appendStringInfo(sql, "%s%s", c > 0 ? ", " : "", table->columns[c].name);
	appendStringInfoChar(sql, ')');
}

static void
append_upsert(StringInfo sql, const DerivedTable *table)
{
	appendStringInfoString(sql, " ON CONFLICT (tenant_id, finding_id, policy_version) DO UPDATE SET ");
	for (int c = table->nkeys; c < table->ncolumns; c++)
		appendStringInfo(sql, "%s%s = EXCLUDED.%s", c > table->nkeys ? ", " : "",
						 table->columns[c].name, table->columns[c].name);
	/* A finding of another chain is left alone; the caller counts and refuses. */
	appendStringInfo(sql, " WHERE %s.chain_id OPERATOR(pg_catalog.=) EXCLUDED.chain_id", table->name);
}

/* The rows as arrays or, for one row, as plain values: a function scan costs more than the row. */
static void
append_source(StringInfo sql, const DerivedTable *table, bool many)
{
	if (many)
	{
		appendStringInfoString(sql, ") SELECT * FROM ");
		ledger_rows_unnest(sql, table);
		return;
	}
	appendStringInfoString(sql, ") VALUES (");
	for (int c = 0; c < table->ncolumns; c++)
		appendStringInfo(sql, "%s$%d", c > 0 ? ", " : "", c + 1);
	appendStringInfoChar(sql, ')');
}

static SPIPlanPtr
write_plan(const DerivedTable *table, bool many)
{
	static SPIPlanPtr plans[3][2] = {{NULL, NULL}, {NULL, NULL}, {NULL, NULL}};
	int			slot = table == &ledger_projection_table ? 0 : table == &ledger_history_table ? 1 : 2;
	Oid			types[DERIVED_MAX_COLUMNS];
	StringInfoData sql;

	if (plans[slot][many] != NULL)
		return plans[slot][many];
	initStringInfo(&sql);
	appendStringInfo(&sql, "INSERT INTO ledger.%s (", table->name);
	for (int c = 0; c < table->ncolumns; c++)
	{
		types[c] = many ? get_array_type(table->columns[c].type) : table->columns[c].type;
		appendStringInfo(&sql, "%s%s", c > 0 ? ", " : "", table->columns[c].name);
	}
	append_source(&sql, table, many);
	if (table->upsert)
		append_upsert(&sql, table);
	plans[slot][many] = SPI_prepare(sql.data, table->ncolumns, types);
	if (plans[slot][many] == NULL)
		elog(ERROR, "could not prepare the projection: %s", SPI_result_code_string(SPI_result));
	SPI_keepplan(plans[slot][many]);
	return plans[slot][many];
}

/* Write the rows; how many were written. */
uint64
ledger_rows_write(const DerivedRows *rows)
{
	Datum		values[DERIVED_MAX_COLUMNS];
	char		nulls[DERIVED_MAX_COLUMNS];
	bool		many = rows->nrows > 1;

	if (rows->nrows == 0)
		return 0;
	for (int c = 0; c < rows->table->ncolumns; c++)
	{
		values[c] = many ? ledger_rows_array(rows, c) : rows->values[c][0];
		nulls[c] = !many && rows->nulls[c][0] ? 'n' : ' ';
	}
	if (SPI_execute_plan(write_plan(rows->table, many), values, nulls, false, 0) != SPI_OK_INSERT)
		elog(ERROR, "could not write %s", rows->table->name);
	return SPI_processed;
}
