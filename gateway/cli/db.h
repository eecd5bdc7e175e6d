/*
 * db.h
 *		The database, for the commands that need it: one connection, text in
 *		and text out, errors as sentences.
 */
#ifndef LEDGERCTL_DB_H
#define LEDGERCTL_DB_H

#include <libpq-fe.h>

#include "cli.h"
#include "fault.h"
#include "lc_merkle.h"

/* For the tables of options: every online command has it. */
#define DB_OPTION {"connection", "CONNINFO", \
	"the database, as psql takes it, or Host=…;Username=…; else LEDGER__DB__CONNECTIONSTRING, else the file of " \
	"LEDGER__DB__CONNECTIONSTRING_FILE, else PGHOST …", \
	false, false}

/* The connection that the options name, in a known state; NULL and a message if there is none. */
extern PGconn *db_connect(const cli_args *args);

/* The same of a connection string in any of its forms; "": libpq's own settings. */
extern PGconn *db_connect_to(const char *dsn);

/* The connection string that the options or the environment name, ended by a NUL: free it whatever came. */
extern cli_exit db_connection(const cli_args *args, lc_buf *out);

/* Until that server takes connections, so many milliseconds at most; then a message and false. */
extern bool db_wait(const char *dsn, uint64_t milliseconds);

/* Message and status for a statement that failed: CLI_NOT_FOUND for LG404. */
extern cli_exit db_said(const fault *f);

/* Which tenant's rows the tables show from now on (row-level security). */
extern bool db_select_tenant(PGconn *conn, const char *tenant, fault *f);

/* Is it worth asking again on this connection? */
extern bool db_alive(PGconn *conn);

/*
 * The result of one statement with text parameters (NULL: null), or NULL and a
 * fault.  The caller clears it.
 */
extern PGresult *db_query(PGconn *conn, fault *f, const char *sql, int n, const char *const *values);

/* What a result that is an error says, in one sentence. */
extern void db_take_error(const PGresult *result, PGconn *conn, fault *f);

/* The SQLSTATE of the thread's last statement that failed, "" if it never got one. */
extern const char *db_sqlstate(void);

/* A value: borrowed from the result. */
extern const char *db_text(const PGresult *result, int row, const char *column);
extern bool db_is_null(const PGresult *result, int row, const char *column);

/* False for what is no number of 0 … 2^63 - 1, or no n bytes of hex. */
extern bool db_uint(const PGresult *result, int row, const char *column, uint64_t *out);
extern bool db_hash(const PGresult *result, int row, const char *column, uint8_t out[LC_HASH_LEN]);

/*
 * Are these the names of a tenant, a chain and an anchor as the ledger makes
 * them?  They become names of files, and the database is not trusted.
 */
extern bool db_names_valid(const char *tenant, const char *chain, const char *anchor_id, fault *f);

/* ledger_consistency_proof(). */
extern bool db_consistency(PGconn *conn, const char *tenant, const char *chain, uint64_t from,
						   uint64_t to, lc_proof *out, fault *f);

/* $LEDGER__<name>, NULL if it is not set or empty. */
extern const char *setting(const char *name);

#endif
