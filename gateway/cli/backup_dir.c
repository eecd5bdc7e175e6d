/*
 * backup_dir.c
 *		A directory of backups: one run at a time, nothing half-made under a
 *		final name, and nothing removed that is not a backup of ours.
 */
#define _GNU_SOURCE 1

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "backup.h"
#include "durable.h"

#define PREFIX "ledger-"
#define STAMP "dddddddd" "T" "dddddd" "Z"
#define PARTIAL ".partial"
/* Some hundred thousand chains. */
#define MANIFEST_MAX (256 * 1024 * 1024)

static bool
system_fault(fault *f, const char *what, const char *name)
{
	return fault_set(f, "cannot %s \"%s\": %s", what, name, strerror(errno));
}

/* ledger-YYYYMMDDTHHMMSSZ and that end. */
static bool
is_named(const char *name, const char *end)
{
	const char *stamp = name + strlen(PREFIX);

	if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || strlen(stamp) != strlen(STAMP) + strlen(end))
		return false;
	for (size_t i = 0; i < strlen(STAMP); i++)
		if (STAMP[i] == 'd' ? strchr("0123456789", stamp[i]) == NULL : stamp[i] != STAMP[i])
			return false;
	return strcmp(stamp + strlen(STAMP), end) == 0;
}

static int
visible(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Names in their order, which for backups is that of time; -1 and a fault. */
static int
list(int parent, const char *name, struct dirent ***entries, fault *f)
{
	int			n = scandirat(parent, name, entries, visible, alphasort);

	if (n < 0)
		system_fault(f, "read directory", name);
	return n;
}

static void
free_list(struct dirent **entries, int n)
{
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
}

/* A directory of plain files; anything else in it stays, and is a fault. */
static bool
remove_dir(int parent, const char *name, fault *f)
{
	struct dirent **entries;
	int			n = list(parent, name, &entries, f);
	int			fd = n < 0 ? -1 : openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	bool		good = fd >= 0;

	if (n < 0)
		return false;
	for (int i = 0; good && i < n; i++)
		good = unlinkat(fd, entries[i]->d_name, 0) == 0;
	if (fd >= 0)
		close(fd);
	free_list(entries, n);
	good = good && unlinkat(parent, name, AT_REMOVEDIR) == 0;
	return good || system_fault(f, "remove", name);
}

/* The lock is held, so no other run makes them: they were left by one that was killed. */
static bool
remove_leftovers(const backup_dir *dir, fault *f)
{
	struct dirent **entries;
	int			n = list(dir->fd, ".", &entries, f);
	bool		good = n >= 0;

	for (int i = 0; good && i < n; i++)
		if (is_named(entries[i]->d_name, PARTIAL))
		{
			cli_note("%s/%s was left by a backup that did not end, and is removed", dir->path, entries[i]->d_name);
			good = remove_dir(dir->fd, entries[i]->d_name, f);
		}
	if (n >= 0)
		free_list(entries, n);
	return good;
}

bool
backup_dir_open(backup_dir *dir, const char *path, fault *f)
{
	*dir = (backup_dir) {.path = path, .work = -1};
	dir->fd = durable_make_dir(path, f);
	if (dir->fd < 0)
		return false;
	if (flock(dir->fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? fault_set(f, "another backup is being made in \"%s\": wait for its end", path) :
			system_fault(f, "lock", path);
	return remove_leftovers(dir, f);
}

bool
backup_dir_begin(backup_dir *dir, const char *stamp, fault *f)
{
	char		name[sizeof(dir->name)];
	struct stat st;

	snprintf(name, sizeof(name), PREFIX "%s", stamp);
	if (!is_named(name, ""))
		return fault_set(f, "the server's clock says \"%s\", which cannot name a backup", stamp);
	if (fstatat(dir->fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return fault_set(f, "\"%s/%s\" is there already: a second later it will work", dir->path, name);
	snprintf(dir->partial, sizeof(dir->partial), "%s" PARTIAL, name);
	if (mkdirat(dir->fd, dir->partial, 0700) != 0)
		return system_fault(f, "make directory", dir->partial);
	memcpy(dir->name, name, sizeof(name));
	dir->work = openat(dir->fd, dir->partial, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return dir->work >= 0 || system_fault(f, "open directory", dir->partial);
}

/* ---- what a backup is made of ---- */

static bool
digest_file(int fd, uint64_t total, EVP_MD_CTX *ctx, uint64_t *size)
{
	static char chunk[1 << 20];
	ssize_t		n;

	*size = 0;
	while ((n = read(fd, chunk, sizeof(chunk))) != 0)
	{
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 || EVP_DigestUpdate(ctx, chunk, (size_t) n) != 1)
			return false;
		*size += (uint64_t) n;
		cli_progress("bytes hashed", *size, total);
	}
	return true;
}

bool
backup_dir_seal(backup_dir *dir, const char *file, uint64_t *size, uint8_t digest[LC_HASH_LEN], fault *f)
{
	int			fd = openat(dir->work, file, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct stat st;
	bool		good = fd >= 0 && fstat(fd, &st) == 0 && ctx != NULL &&
		EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) == 1 && digest_file(fd, (uint64_t) st.st_size, ctx, size) &&
		EVP_DigestFinal_ex(ctx, digest, NULL) == 1 && fsync(fd) == 0;

	cli_progress_end();
	if (!good)
		system_fault(f, "read and flush", file);
	if (fd >= 0)
		close(fd);
	EVP_MD_CTX_free(ctx);
	return good && (*size > 0 || fault_set(f, "\"%s\" is empty", file));
}

bool
backup_dir_finish(backup_dir *dir, fault *f)
{
	if (fsync(dir->work) != 0)
		return system_fault(f, "flush", dir->partial);
	/* Never onto another: the name was free, and the lock is held.  A directory with files is not replaced anyway. */
	if (renameat(dir->fd, dir->partial, dir->fd, dir->name) != 0)
		return system_fault(f, "rename to", dir->name);
	dir->partial[0] = '\0';
	return fsync(dir->fd) == 0 || system_fault(f, "flush", dir->path);
}

/* ---- those that are too many ---- */

/* Has it our manifest?  A directory that only looks like a backup is somebody else's. */
static bool
is_ours(const backup_dir *dir, const char *name)
{
	int			fd = openat(dir->fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	lc_buf		manifest;
	bool		absent = true,
				ours;
	fault		f;

	if (fd < 0)
		return false;
	lc_buf_init(&manifest, &cli_alloc);
	ours = durable_read(fd, BACKUP_MANIFEST, MANIFEST_MAX, &manifest, &absent, &f) && !absent;
	lc_buf_putc(&manifest, '\0');
	/* Quotes in a text are escaped, so it can be nothing but that member. */
	ours = ours && strstr(manifest.data, "\"kind\":\"" BACKUP_KIND "\"") != NULL;
	lc_buf_free(&manifest);
	close(fd);
	return ours;
}

/* First the name goes, so that what is half removed is nobody's backup, and the next run ends it. */
static bool
remove_backup(const backup_dir *dir, const char *name, fault *f)
{
	char		aside[64];

	snprintf(aside, sizeof(aside), "%.40s" PARTIAL, name);
	if (renameat(dir->fd, name, dir->fd, aside) != 0)
		return system_fault(f, "rename", name);
	return remove_dir(dir->fd, aside, f);
}

bool
backup_dir_prune(backup_dir *dir, uint64_t keep, uint64_t *removed, fault *f)
{
	struct dirent **entries;
	int			n = list(dir->fd, ".", &entries, f);
	bool		good = n >= 0;
	uint64_t	kept = 0;

	*removed = 0;
	for (int i = n - 1; good && i >= 0; i--)
	{
		const char *name = entries[i]->d_name;

		if (!is_named(name, "") || !is_ours(dir, name) || kept++ < keep)
			continue;
		good = remove_backup(dir, name, f);
		*removed += good;
	}
	if (n >= 0)
		free_list(entries, n);
	return good;
}

void
backup_dir_close(backup_dir *dir)
{
	fault		f;

	if (dir->work >= 0)
		close(dir->work);
	if (dir->partial[0] != '\0' && dir->name[0] != '\0' && !remove_dir(dir->fd, dir->partial, &f))
		cli_note("%s: the next backup removes it", f.text);
	if (dir->fd >= 0)
		close(dir->fd);
}
