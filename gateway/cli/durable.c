/*
 * durable.c
 *		Files that must survive a crash.
 */
#define _GNU_SOURCE 1

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "durable.h"

/* The longest file that is compared: more than a checkpoint or statement ever has. */
#define SAME_MAX (32 * 1024 * 1024)

static bool
system_fault(fault *f, const char *what, const char *name)
{
	return fault_set(f, "cannot %s \"%s\": %s", what, name, strerror(errno));
}

int
durable_open_dir(const char *path, fault *f)
{
	int			fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		system_fault(f, "open directory", path);
	return fd;
}

int
durable_make_dir(const char *path, fault *f)
{
	if (mkdir(path, 0755) != 0 && errno != EEXIST)
	{
		system_fault(f, "make directory", path);
		return -1;
	}
	return durable_open_dir(path, f);
}

int
durable_sub_dir(int parent, const char *name, fault *f)
{
	int			fd;

	if (mkdirat(parent, name, 0755) == 0)
	{
		if (fsync(parent) != 0)
		{
			system_fault(f, "flush the directory of", name);
			return -1;
		}
	}
	else if (errno != EEXIST)
	{
		system_fault(f, "make directory", name);
		return -1;
	}
	/* A link in its place would lead elsewhere. */
	fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		system_fault(f, "open directory", name);
	return fd;
}

static bool
write_all(int fd, const char *bytes, size_t n)
{
	while (n > 0)
	{
		ssize_t		written = write(fd, bytes, n);

		if (written < 0 && errno != EINTR)
			return false;
		if (written > 0)
		{
			bytes += written;
			n -= (size_t) written;
		}
	}
	return true;
}

/*
 * The bytes on disk under a name that nobody reads.  What an earlier run left
 * under it, when it died, goes first.
 */
static bool
write_aside(int dir, const char *aside, mode_t mode, const void *bytes, size_t n, fault *f)
{
	int			fd;
	bool		good;

	if (unlinkat(dir, aside, 0) != 0 && errno != ENOENT)
		return system_fault(f, "remove", aside);
	fd = openat(dir, aside, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
	if (fd < 0)
		return system_fault(f, "make", aside);
	good = write_all(fd, bytes, n) && fsync(fd) == 0;
	if (!good)
		system_fault(f, "write", aside);
	if (close(fd) != 0 && good)
		good = system_fault(f, "close", aside);
	if (!good)
		unlinkat(dir, aside, 0);
	return good;
}

static bool
flush_dir(int dir, const char *name, fault *f)
{
	return fsync(dir) == 0 || system_fault(f, "flush the directory of", name);
}

/*
 * Moves without ever replacing: errno is EEXIST if to is there.  File systems
 * that know no RENAME_NOREPLACE have hard links.
 */
static bool
move_new(int dir, const char *from, const char *to)
{
	if (renameat2(dir, from, dir, to, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	return linkat(dir, from, dir, to, 0) == 0 && unlinkat(dir, from, 0) == 0;
}

static bool
aside_name(char out[256], const char *name, fault *f)
{
	if (snprintf(out, 256, ".%s.new", name) >= 256)
		return fault_set(f, "the file name \"%s\" is too long", name);
	return true;
}

/* Is that what would have been written?  It may not be: then it is evidence, and stays. */
static bool
same_bytes(int dir, const char *name, const void *bytes, size_t n, fault *f)
{
	lc_buf		there;
	bool		absent,
				same;

	lc_buf_init(&there, &lc_alloc_malloc);
	if (!durable_read(dir, name, SAME_MAX, &there, &absent, f))
	{
		lc_buf_free(&there);
		return false;
	}
	same = !absent && there.len == n && memcmp(there.data, bytes, n) == 0;
	lc_buf_free(&there);
	return same || fault_set(f, "\"%s\" is there with other content, and is never overwritten", name);
}

bool
durable_create(int dir, const char *name, const void *bytes, size_t n, fault *f)
{
	char		aside[256];

	if (!aside_name(aside, name, f) || !write_aside(dir, aside, 0444, bytes, n, f))
		return false;
	if (!move_new(dir, aside, name))
	{
		int			reason = errno;

		unlinkat(dir, aside, 0);
		errno = reason;
		if (reason != EEXIST)
			return system_fault(f, "make", name);
		if (!same_bytes(dir, name, bytes, n, f))
			return false;
	}
	return flush_dir(dir, name, f);
}

bool
durable_replace(int dir, const char *name, const void *bytes, size_t n, fault *f)
{
	char		aside[256];

	if (!aside_name(aside, name, f) || !write_aside(dir, aside, 0644, bytes, n, f))
		return false;
	if (renameat(dir, aside, dir, name) != 0)
	{
		system_fault(f, "replace", name);
		unlinkat(dir, aside, 0);
		return false;
	}
	return flush_dir(dir, name, f);
}

bool
durable_rename(int dir, const char *from, const char *to, fault *f)
{
	return move_new(dir, from, to) ? flush_dir(dir, to, f) : system_fault(f, "rename to", to);
}

/* Up to max bytes and one more, which tells a longer file. */
static bool
read_up_to(int fd, size_t max, lc_buf *out)
{
	char		chunk[8192];
	ssize_t		n;

	while (out->len <= max && (n = read(fd, chunk, sizeof(chunk))) != 0)
	{
		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0)
			lc_buf_append(out, chunk, (size_t) n);
	}
	return true;
}

bool
durable_read(int dir, const char *name, size_t max, lc_buf *out, bool *absent, fault *f)
{
	int			fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	bool		good;

	*absent = fd < 0 && errno == ENOENT;
	if (*absent)
		return true;
	if (fd < 0)
		return system_fault(f, "open", name);
	good = read_up_to(fd, max, out);
	if (!good)
		system_fault(f, "read", name);
	else if (out->status != LC_OK)
		good = fault_set(f, "out of memory");
	else if (out->len > max)
		good = fault_set(f, "\"%s\" is longer than %zu bytes", name, max);
	close(fd);
	return good;
}
