/*
 * dbpipe.h
 *		Quick routes: one pipelined connection of the loop.
 *
 * Each statement is "bind, call, Sync": an error ends with its own Sync.  Reads
 * of one tenant and route that come while two of their statements are on their
 * way share the next.  At most LEDGER__DB__QUEUE jobs wait or run; another is
 * refused with 503 at once.  statement_timeout bounds each statement; a job whose
 * request gave up is let run out.
 * When the connection is lost, jobs whose answers are missing are refused
 * (503) unless their route is read-only: those are tried again once.
 */
#ifndef GATEWAY_DBPIPE_H
#define GATEWAY_DBPIPE_H

#include "job.h"

typedef struct dbpipe dbpipe;

extern dbpipe *dbpipe_new(loop *l);
extern void dbpipe_submit(dbpipe *p, job *j);
extern void dbpipe_run(dbpipe *p);	/* sends what was submitted in this round of the loop */
extern void dbpipe_free(dbpipe *p);	/* what waits is refused */

#endif
