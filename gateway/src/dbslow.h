/*
 * dbslow.h
 *		Slow routes: a small pool of threads, each with a blocking connection.
 *
 * A job that no thread takes within a second is refused with 503 and
 * Retry-After.  When the request gives up, the statement is cancelled.
 */
#ifndef GATEWAY_DBSLOW_H
#define GATEWAY_DBSLOW_H

#include "db.h"

typedef struct dbslow_conn dbslow_conn;

extern bool dbslow_start(void);
extern void dbslow_submit(job *j);
extern void dbslow_stop(void);

/* For routes with a work function, in its thread. */

/*
 * BEGIN and bind the job's tenant; false: the reply holds the problem.  Read-only
 * transactions are REPEATABLE READ: all that they read is of one moment.
 */
extern bool dbslow_begin(dbslow_conn *c, job *j, bool read_only);
extern bool dbslow_commit(dbslow_conn *c, job *j);	/* false: likewise */
extern void dbslow_rollback(dbslow_conn *c);

/*
 * After a failure of what began with dbslow_begin: it is rolled back, and true
 * says that the job has rested and may try all of it again.  harmless: done twice
 * it is done once, so that it may be tried even where nobody knows whether it was
 * committed.
 */
extern bool dbslow_again(dbslow_conn *c, job *j, bool harmless);

/* A statement with n text or binary parameters, binary results.  NULL: the reply holds the problem. */
typedef struct db_value
{
	const void *bytes;			/* NULL: null */
	size_t		n;
	bool		binary;
} db_value;
extern PGresult *dbslow_query(dbslow_conn *c, job *j, const char *sql, int n, const db_value *values);

/*
 * The same row by row, for what is too long to be held.  Returns false when
 * there are no more, or after a failure (*failed).
 */
extern bool dbslow_rows_begin(dbslow_conn *c, job *j, const char *sql, int n, const db_value *values);
extern PGresult *dbslow_rows_next(dbslow_conn *c, job *j, bool *failed);	/* one row; NULL: the end */

#endif
