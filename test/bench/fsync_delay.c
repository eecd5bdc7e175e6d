/*
 * fsync_delay.c
 *		Makes a fast disk as slow as a cloud volume: a library to preload into
 *		the server, whose fdatasync() sleeps before it answers.
 *
 * How long is read at every call from a file that run.sh keeps, mapped once by
 * the postmaster and so shared by all its children: one server can be measured
 * at both speeds, and at 0 the call costs one load more than without us.  The
 * real fdatasync() is always called: what the server believes durable is.
 *
 * Only fdatasync() is slowed: it is what wal_sync_method = fdatasync, the
 * default on Linux, calls for each flush of the log.
 */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define FILE_SIZE 16

/* Decimal microseconds, or NULL if no file was named. */
static const volatile char *delay_text = NULL;
static int	(*real_fdatasync) (int fd) = NULL;

static __attribute__((constructor)) void
map_delay_file(void)
{
	const char *path = getenv("LEDGER_FSYNC_DELAY_FILE");
	int			fd;
	void	   *map;

	real_fdatasync = (int (*) (int)) dlsym(RTLD_NEXT, "fdatasync");
	if (path == NULL || (fd = open(path, O_RDONLY)) < 0)
		return;
	map = mmap(NULL, FILE_SIZE, PROT_READ, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED)
		delay_text = (const volatile char *) map;
	close(fd);
}

static long
delay_us(void)
{
	long		us = 0;

	for (int i = 0; delay_text != NULL && i < FILE_SIZE; i++)
	{
		char		c = delay_text[i];

		if (c < '0' || c > '9')
			break;
		us = us * 10 + (c - '0');
	}
	return us;
}

int
fdatasync(int fd)
{
	long		us = delay_us();

	if (us > 0)
	{
		struct timespec pause = {us / 1000000, us % 1000000 * 1000};

		nanosleep(&pause, NULL);
	}
	return real_fdatasync(fd);
}
