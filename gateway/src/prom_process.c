/*
 * prom_process.c
 *		What the kernel knows of this process; what cannot be read is left out.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "prom_process.h"

/* Fields of /proc/self/stat, numbered from 1 as proc(5) does. */
#define STAT_STARTTIME 22
#define STAT_VSIZE 23
#define STAT_RSS 24

static bool
read_text(const char *path, char *out, size_t size)
{
	FILE	   *file = fopen(path, "re");
	size_t		n = file != NULL ? fread(out, 1, size - 1, file) : 0;

	if (file != NULL)
		fclose(file);
	out[n] = '\0';
	return n > 0;
}

/* The name, field 2, stands in parentheses and may hold anything: what follows the last one is counted. */
static double
stat_field(const char *text, int field)
{
	const char *at = strrchr(text, ')');

	for (int i = 2; at != NULL && i < field; i++)
		if ((at = strchr(at, ' ')) != NULL)
			at++;
	return at != NULL ? strtod(at, NULL) : 0;
}

/*
 * In seconds since 1970; the kernel counts ticks since it was started.  Taken
 * once: a clock that is set later does not restart the process.
 */
static double
start_time(double ticks)
{
	static _Atomic double started;
	struct timespec now,
				up;

	if (started == 0 && clock_gettime(CLOCK_REALTIME, &now) == 0 && clock_gettime(CLOCK_BOOTTIME, &up) == 0)
		started = (double) (now.tv_sec - up.tv_sec) + (double) (now.tv_nsec - up.tv_nsec) / 1e9 +
			ticks / (double) sysconf(_SC_CLK_TCK);
	return started;
}

static double
open_files(void)
{
	DIR		   *dir = opendir("/proc/self/fd");
	double		n = -1;			/* the directory's own */

	if (dir == NULL)
		return 0;
	for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
		if (entry->d_name[0] != '.')
			n++;
	closedir(dir);
	return n;
}

void
prom_add_process(prom_set *s)
{
	char		text[2048];
	struct rusage usage;
	struct rlimit limit;

	if (getrusage(RUSAGE_SELF, &usage) == 0)
		prom_add_value(s, "process_cpu_seconds_total",
					   (double) (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
					   (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6, NULL);
	if (read_text("/proc/self/stat", text, sizeof(text)))
	{
		prom_add_value(s, "process_start_time_seconds", start_time(stat_field(text, STAT_STARTTIME)), NULL);
		prom_add_value(s, "process_virtual_memory_bytes", stat_field(text, STAT_VSIZE), NULL);
		prom_add_value(s, "process_resident_memory_bytes",
					   stat_field(text, STAT_RSS) * (double) sysconf(_SC_PAGESIZE), NULL);
	}
	prom_add_value(s, "process_open_fds", open_files(), NULL);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		prom_add_value(s, "process_max_fds", (double) limit.rlim_cur, NULL);
}
