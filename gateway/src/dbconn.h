/*
 * dbconn.h
 *		A connection of a loop: comes up by itself, comes back by itself, and
 *		pipelines.  Its owner (dbpipe.c, dbappend.c) sends and gets results.
 *
 * After a loss the first attempt is made at once, the next ones after a pause
 * that doubles up to five seconds.  All of it is in the loop's thread, but for
 * the attempts themselves (dbopen.h); nothing waits.
 */
#ifndef GATEWAY_DBCONN_H
#define GATEWAY_DBCONN_H

#include "db_internal.h"
#include "dbopen.h"
#include "loop.h"

typedef enum dbconn_state
{
	DBCONN_AWAY,				/* the next attempt is at retry_at */
	DBCONN_CONNECTING,
	DBCONN_SETTING,				/* connected; its settings are being made */
	DBCONN_UP
} dbconn_state;

typedef struct dbconn
{
	/* Set by the owner before dbconn_start. */
	loop	   *loop;
	const char *purpose;
	void	   *arg;
	void		(*up) (void *arg);
	/* Each result but the NULLs between statements, PGRES_PIPELINE_SYNC too.  The owner clears it. */
	void		(*result) (void *arg, PGresult *result);
	/* What was sent is lost, or an attempt failed: then dbconn_away() is true until the next one. */
	void		(*down) (void *arg);

	/* dbconn.c's own. */
	dbconn_state state;
	PGconn	   *conn;			/* once it is connected */
	dbopen	   *opening;		/* an attempt that goes on: in DBCONN_CONNECTING, or beyond its time */
	loop_watch	watch;			/* of either */
	loop_timer	retry;			/* the next attempt, or the end of this one */
	loop_timer	silence;		/* while results are outstanding */
	int64_t		retry_at;
	int64_t		up_since, heard_at;
	unsigned	failures;		/* attempts in a row */
	size_t		syncs;			/* sent, not come back */
	bool		settings_failed;
	bool		unreplicated;	/* for the owner at a PGRES_PIPELINE_SYNC: its commit is not on the standbys */
	bool		leaving;		/* made anew as soon as the loop comes round: nothing more is sent */
} dbconn;

extern void dbconn_start(dbconn *c);
extern void dbconn_stop(dbconn *c);

/* May something be sent? */
extern bool dbconn_ready(const dbconn *c);

/* Given up and made anew, soon: never inside the call.  What is on its way may be lost.  Nothing if it is not up. */
extern void dbconn_renew(dbconn *c);

/* Neither up nor in its first attempt: whoever wants it now is told so. */
extern bool dbconn_away(const dbconn *c);
extern unsigned dbconn_retry_after(const dbconn *c);	/* seconds to the next attempt, at least 1 */

/*
 * For the owner, while up.  A failure shows later, as a loss (never inside the
 * call): what was sent is then lost like all else.
 */
extern void dbconn_prepare(dbconn *c, const char *name, const char *sql);
extern void dbconn_execute(dbconn *c, const char *name, int n, const char *const *values,
						   const int *lengths, const int *formats);
extern void dbconn_bind(dbconn *c, const char *tenant, bool read_only);
extern void dbconn_sync(dbconn *c);

#endif
