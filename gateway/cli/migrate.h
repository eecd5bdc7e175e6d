/*
 * migrate.h
 *		Migrations against a database: what it has, and taking it forward or,
 *		while it holds no events, back.
 */
#ifndef LEDGERCTL_MIGRATE_H
#define LEDGERCTL_MIGRATE_H

#include "db.h"
#include "migrations.h"

typedef struct migrator
{
	PGconn	   *conn;
	PGconn	   *superuser;		/* the same one if its login is a superuser; NULL: none was given */
	const char *superuser_dsn;	/* of who is to be asked when a file needs one */
	const migrations *files;
	bool		is_superuser;
	char		database[128];
	char		login[128];
	bool		begun;			/* the record of migrations exists */
	size_t		applied;		/* numbers 1 … applied are recorded */
} migrator;

/* Connects and looks: CLI_FAILED if what was applied is not what lies here. */
extern cli_exit migrator_open(migrator *m, const char *dsn, const char *superuser_dsn, const migrations *files);
extern void migrator_close(migrator *m);

/* The next one, or the last one back.  *changed is false if another runner had done it already. */
extern cli_exit migrator_apply(migrator *m, size_t number, bool *changed);
extern cli_exit migrator_undo(migrator *m, size_t number);

/* An event for each migration that has none yet. */
extern cli_exit migrator_record_events(migrator *m);

#endif
