/*
 * backup.h
 *		The pieces of ledgerctl backup: a directory of backups, and the programs
 *		that write one.
 *
 *		DIR/ledger-20261201T193000Z/		takenAt, by the server's clock
 *			ledger.dump			pg_dump -Fc of the whole database
 *			globals.sql			pg_dumpall --globals-only, without passwords
 *			manifest.json		canonical JSON: what is in it, and the digests of both
 *
 * While it is made its name ends in ".partial".  A directory with the final
 * name is whole and on disk, or is not there.
 */
#ifndef LEDGERCTL_BACKUP_H
#define LEDGERCTL_BACKUP_H

#include "db.h"

#define BACKUP_DUMP "ledger.dump"
#define BACKUP_GLOBALS "globals.sql"
#define BACKUP_MANIFEST "manifest.json"
#define BACKUP_KIND "findings-ledger-backup"

/* ---- the directory (backup_dir.c) ---- */

typedef struct backup_dir
{
	const char *path;
	int			fd;				/* locked: one backup at a time */
	char		name[48];		/* of the one that is made, "" before that */
	char		partial[64];	/* what it is called until it is whole */
	int			work;			/* that directory */
} backup_dir;

/* Opens and locks it, made if it is not there, and removes what a killed run left. */
extern bool backup_dir_open(backup_dir *dir, const char *path, fault *f);

/* Begins ledger-<stamp>. */
extern bool backup_dir_begin(backup_dir *dir, const char *stamp, fault *f);

/* Size and digest of a file in it, which is on disk then. */
extern bool backup_dir_seal(backup_dir *dir, const char *file, uint64_t *size, uint8_t digest[LC_HASH_LEN], fault *f);

/* Gives it its final name. */
extern bool backup_dir_finish(backup_dir *dir, fault *f);

/* Removes the oldest whole backups beyond keep; *removed counts them. */
extern bool backup_dir_prune(backup_dir *dir, uint64_t keep, uint64_t *removed, fault *f);

/* Closes it; what is not finished is removed. */
extern void backup_dir_close(backup_dir *dir);

/* ---- the programs (backup_programs.c) ---- */

/*
 * Runs pg_dump at that snapshot, then pg_dumpall; role: NULL or whom to become.
 * stop is a descriptor that becomes readable when all is to end.
 */
extern bool backup_run_programs(const backup_dir *dir, PGconn *conn, const char *snapshot, const char *role,
								int stop, fault *f);

#endif
