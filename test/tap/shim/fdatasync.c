/*
 * fdatasync.c
 *		Preloaded into a server by the tests: writes down which bytes of the WAL
 *		reached the disk and when, and holds a flush on demand.
 *
 * A killed process leaves its writes in the page cache, so kill -9 alone cannot
 * tell a flushed commit from a lucky one.  This library sees every write and
 * every completed sync of a WAL segment.  From its journal a test can say for
 * any commit record when it was really on disk, and build the WAL that a loss
 * of power would have left behind.
 *
 * $LEDGER_SHIM_DIR holds two files:
 * - journal: one record for each write and each completed sync, in the order in
 *   which they happened.  The order is sure: the server writes and syncs WAL
 *   under one lock (WALWriteLock), and a record is appended, by one system call,
 *   before the server's call returns and so before that lock is given back.
 * - control: four numbers shared with the test, see struct control.  While hold
 *   is set, a process that is about to sync WAL waits; with it, because of that
 *   lock, waits everybody else who would flush.
 *
 * Segments under construction (xlogtemp.*) hold no records yet and are left out.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define SEGMENT_NAME 24
#define JOURNAL_MAGIC 0x4c534a31
#define KIND_WRITE 1
#define KIND_SYNC 2
/* A test that died must not leave a server behind that cannot be stopped. */
#define HOLD_LIMIT_MS (5 * 60 * 1000)

struct control
{
	_Atomic uint32_t hold;		/* set by the test */
	_Atomic uint32_t pass;		/* set by the test: let one held sync go on */
	_Atomic uint32_t held_pid;	/* who waits now, or 0 */
	_Atomic uint32_t held_count;	/* how many syncs were held so far */
};

struct record
{
	uint32_t	magic;
	uint32_t	kind;
	uint32_t	pid;
	uint32_t	length;			/* bytes that follow: what was written */
	uint64_t	offset;			/* in the segment */
	uint64_t	done;			/* CLOCK_MONOTONIC in ns, after the call returned */
	char		segment[SEGMENT_NAME];
};

static struct control *control = NULL;
static int	journal = -1;
static int	(*real_fdatasync) (int);
static int	(*real_fsync) (int);
static ssize_t (*real_pwrite) (int, const void *, size_t, off_t);
static ssize_t (*real_pwritev) (int, const struct iovec *, int, off_t);

static void
give_up(const char *what)
{
	dprintf(STDERR_FILENO, "WAL shim: %s: %s\n", what, strerror(errno));
	abort();
}

/* The server's own descriptors start at 3 and are many: stay out of their way. */
static int
open_high(const char *dir, const char *name, int flags)
{
	char		path[PATH_MAX];
	int			fd;
	int			high;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, flags);
	if (fd < 0 || (high = fcntl(fd, F_DUPFD_CLOEXEC, 900)) < 0)
		give_up(path);
	close(fd);
	return high;
}

__attribute__((constructor))
static void
shim_init(void)
{
	const char *dir = getenv("LEDGER_SHIM_DIR");
	int			fd;

	*(void **) &real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
	*(void **) &real_fsync = dlsym(RTLD_NEXT, "fsync");
	*(void **) &real_pwrite = dlsym(RTLD_NEXT, "pwrite");
	*(void **) &real_pwritev = dlsym(RTLD_NEXT, "pwritev");
	if (dir == NULL)
		return;
	journal = open_high(dir, "journal", O_WRONLY | O_APPEND);
	fd = open_high(dir, "control", O_RDWR);
	control = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (control == MAP_FAILED)
		give_up("control");
	close(fd);
}

/* Is this a WAL segment?  Its name is 24 hexadecimal digits in pg_wal. */
static int
wal_segment(int fd, char *segment)
{
	char		link[64];
	char		path[PATH_MAX];
	ssize_t		n;
	const char *name;

	if (journal < 0)
		return 0;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (n < 0)
		return 0;
	path[n] = '\0';
	name = strrchr(path, '/');
	if (name == NULL || name - path < 7 || memcmp(name - 7, "/pg_wal", 7) != 0)
		return 0;
	name++;
	if (strlen(name) != SEGMENT_NAME || strspn(name, "0123456789ABCDEF") != SEGMENT_NAME)
		return 0;
	memcpy(segment, name, SEGMENT_NAME);
	return 1;
}

static void
note(uint32_t kind, const char *segment, off_t offset, const struct iovec *data, int ndata, size_t length)
{
	struct record rec = {.magic = JOURNAL_MAGIC,.kind = kind,.pid = (uint32_t) getpid(),
	.length = (uint32_t) length,.offset = (uint64_t) offset};
	struct iovec all[64];
	struct timespec now;

	if (ndata > 63)
		give_up("a write of more than 63 parts");
	clock_gettime(CLOCK_MONOTONIC, &now);
	rec.done = (uint64_t) now.tv_sec * 1000000000u + (uint64_t) now.tv_nsec;
	memcpy(rec.segment, segment, SEGMENT_NAME);
	all[0] = (struct iovec) {.iov_base = &rec,.iov_len = sizeof(rec)};
	for (int i = 0; i < ndata; i++)
		all[i + 1] = data[i];
	if (writev(journal, all, ndata + 1) != (ssize_t) (sizeof(rec) + length))
		give_up("journal");
}

static void
wait_while_held(void)
{
	if (!control->hold)
		return;
	control->held_pid = (uint32_t) getpid();
	control->held_count++;
	for (int ms = 0; control->hold && ms < HOLD_LIMIT_MS; ms++)
	{
		struct timespec pause = {.tv_nsec = 1000000};
		uint32_t	one = 1;

		if (atomic_compare_exchange_strong(&control->pass, &one, 0))
			break;
		nanosleep(&pause, NULL);
	}
	control->held_pid = 0;
}

static int
sync_and_note(int fd, int (*real) (int))
{
	char		segment[SEGMENT_NAME];
	int			is_wal = wal_segment(fd, segment);
	int			result;

	if (is_wal)
		wait_while_held();
	result = real(fd);
	if (is_wal && result == 0)
		note(KIND_SYNC, segment, 0, NULL, 0, 0);
	return result;
}

int
fdatasync(int fd)
{
	return sync_and_note(fd, real_fdatasync);
}

int
fsync(int fd)
{
	return sync_and_note(fd, real_fsync);
}

ssize_t
pwrite(int fd, const void *buf, size_t count, off_t offset)
{
	char		segment[SEGMENT_NAME];
	ssize_t		result = real_pwrite(fd, buf, count, offset);

	if (result > 0 && wal_segment(fd, segment))
	{
		struct iovec data = {.iov_base = (void *) buf,.iov_len = (size_t) result};

		note(KIND_WRITE, segment, offset, &data, 1, (size_t) result);
	}
	return result;
}

ssize_t
pwritev(int fd, const struct iovec *iov, int iovcnt, off_t offset)
{
	char		segment[SEGMENT_NAME];
	ssize_t		result = real_pwritev(fd, iov, iovcnt, offset);
	ssize_t		whole = 0;

	if (result <= 0 || !wal_segment(fd, segment))
		return result;
	for (int i = 0; i < iovcnt; i++)
		whole += (ssize_t) iov[i].iov_len;
	if (whole != result)
		give_up("a partial write of WAL");
	note(KIND_WRITE, segment, offset, iov, iovcnt, (size_t) result);
	return result;
}
