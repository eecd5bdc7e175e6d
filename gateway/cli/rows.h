/*
 * rows.h
 *		Rows of a query of any length, one at a time: what they take in memory
 *		is one row.  Columns come in binary, and are known by their place.
 *
 * Whoever compares what the database says with something else returns
 * CLI_FAILED for a difference and CLI_USAGE for what kept it from looking,
 * and says in the fault which row it was.  No function here prints: threads use
 * them.
 */
#ifndef LEDGERCTL_ROWS_H
#define LEDGERCTL_ROWS_H

#include "db.h"
#include "lc_uuid.h"

typedef cli_exit (*row_visit) (void *arg, const PGresult *row, fault *f);

/* Parameters are texts.  A visit that is not CLI_GOOD ends the query, and is what is returned. */
extern cli_exit rows_visit(PGconn *conn, const char *sql, int n, const char *const *values,
						   row_visit visit, void *arg, fault *f);

/* Orders come from indexes in this session: no sort of a whole chain, on disk or in memory. */
extern bool rows_in_order(PGconn *conn, fault *f);

/* text, bytea: borrowed from the row; s == NULL for null. */
extern lc_str row_bytes(const PGresult *row, int column);
extern lc_str row_json(const PGresult *row, int column);	/* jsonb, as its text */

/* False for null, and for what has not the length of that type. */
extern bool row_int64(const PGresult *row, int column, int64_t *out);
extern bool row_time(const PGresult *row, int column, int64_t *unix_us);
extern bool row_uuid(const PGresult *row, int column, uint8_t out[LC_UUID_LEN]);
extern bool row_hash(const PGresult *row, int column, uint8_t out[LC_HASH_LEN]);

#endif
