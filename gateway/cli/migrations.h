/*
 * migrations.h
 *		The migration files of a release: numbered, frozen, listed with their
 *		SHA-256.
 */
#ifndef LEDGERCTL_MIGRATIONS_H
#define LEDGERCTL_MIGRATIONS_H

#include "cli.h"

#define MIGRATIONS_MAX 9999
#define SHA256_HEX 64

typedef struct sql_file
{
	char	   *name;			/* NNNN_what_it_does.sql; NULL: there is none */
	char		sum[SHA256_HEX + 1];
	bool		superuser;		/* its first line says who runs it */
	lc_buf		text;
} sql_file;

typedef struct migrations
{
	char	   *dir;
	size_t		count;			/* numbers 1 … count, without a gap */
	sql_file   *list;			/* number n is list[n - 1] */
	sql_file   *back;			/* how to undo it: rollback/ with the same name */
} migrations;

/*
 * All of a directory, and of dir/rollback.  CLI_FAILED for one that was edited,
 * is missing, not listed, out of order or does not say who runs it.
 */
extern cli_exit migrations_read(const char *dir, migrations *out);
extern void migrations_free(migrations *m);

/* Where this program's release has them: beside a build, or as installed.  NULL and a message if nowhere. */
extern char *migrations_home(void);

extern const char *migrations_runner(const sql_file *file);	/* "superuser" or "owner" */

#endif
