/*
 * rows.c
 *		libpq's single-row mode, and the binary forms of PostgreSQL's types.
 */
#include <string.h>

#include "rows.h"

/* PostgreSQL counts microseconds from 2000-01-01. */
#define EPOCH_US INT64_C(946684800000000)

/* What is left of a query that nobody wants any more. */
static void
drain(PGconn *conn, bool cancel)
{
	PGresult   *result;

	if (cancel)
	{
		PGcancel   *c = PQgetCancel(conn);
		char		message[256];

		if (c != NULL)
			(void) PQcancel(c, message, sizeof(message));
		PQfreeCancel(c);
	}
	while ((result = PQgetResult(conn)) != NULL)
		PQclear(result);
}

cli_exit
rows_visit(PGconn *conn, const char *sql, int n, const char *const *values, row_visit visit,
		   void *arg, fault *f)
{
	PGresult   *result;
	cli_exit	code = CLI_GOOD;

	if (!PQsendQueryParams(conn, sql, n, NULL, values, NULL, NULL, 1) || !PQsetSingleRowMode(conn))
	{
		fault_set(f, "%s", PQerrorMessage(conn));
		return CLI_USAGE;
	}
	while (code == CLI_GOOD && (result = PQgetResult(conn)) != NULL)
	{
		ExecStatusType status = PQresultStatus(result);

		if (status == PGRES_SINGLE_TUPLE)
			code = visit(arg, result, f);
		else if (status != PGRES_TUPLES_OK)
		{
			db_take_error(result, conn, f);
			code = CLI_USAGE;
		}
		PQclear(result);
	}
	drain(conn, code != CLI_GOOD);
	return code;
}

bool
rows_in_order(PGconn *conn, fault *f)
{
	PGresult   *result = db_query(conn, f,
								  "SELECT set_config('enable_seqscan', 'off', false),"
								  " set_config('enable_bitmapscan', 'off', false),"
								  " set_config('enable_sort', 'off', false),"
								  " set_config('jit', 'off', false)", 0, NULL);

	PQclear(result);
	return result != NULL;
}

lc_str
row_bytes(const PGresult *row, int column)
{
	if (PQgetisnull(row, 0, column))
		return (lc_str) {NULL, 0};
	return (lc_str) {PQgetvalue(row, 0, column), (size_t) PQgetlength(row, 0, column)};
}

/* The first byte is the version of the form: 1. */
lc_str
row_json(const PGresult *row, int column)
{
	lc_str		value = row_bytes(row, column);

	if (value.s != NULL && value.n > 0)
	{
		value.s++;
		value.n--;
	}
	return value;
}

static bool
row_fixed(const PGresult *row, int column, void *out, size_t n)
{
	lc_str		value = row_bytes(row, column);

	if (value.s == NULL || value.n != n)
		return false;
	memcpy(out, value.s, n);
	return true;
}

bool
row_int64(const PGresult *row, int column, int64_t *out)
{
	uint8_t		bytes[8];
	uint64_t	value = 0;

	if (!row_fixed(row, column, bytes, sizeof(bytes)))
		return false;
	for (size_t i = 0; i < sizeof(bytes); i++)
		value = value << 8 | bytes[i];
	memcpy(out, &value, sizeof(value));
	return true;
}

/* Infinity is the end of the range, and is none: the envelope refuses it. */
bool
row_time(const PGresult *row, int column, int64_t *unix_us)
{
	int64_t		value;

	if (!row_int64(row, column, &value) || value > INT64_MAX - EPOCH_US || value == INT64_MIN)
		return false;
	*unix_us = value + EPOCH_US;
	return true;
}

bool
row_uuid(const PGresult *row, int column, uint8_t out[LC_UUID_LEN])
{
	return row_fixed(row, column, out, LC_UUID_LEN);
}

bool
row_hash(const PGresult *row, int column, uint8_t out[LC_HASH_LEN])
{
	return row_fixed(row, column, out, LC_HASH_LEN);
}
