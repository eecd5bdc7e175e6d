/*
 * checklist_files.c
 *		The points of the checklist that lie in directories: provisioned
 *		dashboards, backups, a restore's report, the offline snapshot, and space.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "checklist.h"

#define TEXT_MAX (8 * 1024 * 1024)
#define GB 1000000000.0
/* The guide's prerequisite. */
#define LEAST_GB 200.0

static bool
ends_with(const char *path, const char *end)
{
	size_t		n = strlen(path);

	return n >= strlen(end) && strcmp(path + n - strlen(end), end) == 0;
}

/* ---- the newest file of a kind ---- */

typedef struct newest
{
	const char *const *endings;	/* ended by NULL */
	time_t		at;				/* 0: none */
	size_t		count;
	uint64_t	size;
	char		path[1024];
} newest;

static cli_exit
visit_newest(const char *path, void *arg)
{
	newest	   *n = arg;
	struct stat st;

	for (const char *const *ending = n->endings; *ending != NULL; ending++)
		if (ends_with(path, *ending) && stat(path, &st) == 0 && S_ISREG(st.st_mode))
		{
			n->count++;
			if (st.st_mtime >= n->at)
			{
				n->at = st.st_mtime;
				n->size = (uint64_t) st.st_size;
				snprintf(n->path, sizeof(n->path), "%s", path);
			}
		}
	return CLI_GOOD;
}

static double
hours_since(time_t at)
{
	return difftime(time(NULL), at) / 3600.0;
}

/* A directory that cannot be read is said so, in the line of its check. */
static bool
look(const char *check, const char *dir, newest *n)
{
	struct stat st;

	if (stat(dir, &st) != 0)
		check_tell(check, CHECK_FAIL, "Name the directory.", "%s: %s", dir, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		check_tell(check, CHECK_FAIL, "Name the directory.", "%s is no directory", dir);
	else if (cli_walk(dir, visit_newest, n) != CLI_GOOD)
		check_tell(check, CHECK_FAIL, "Can this user read it?", "%s cannot be read", dir);
	else
		return true;
	return false;
}

/* ---- the points ---- */

void
check_backups(const char *dir, uint64_t max_age)
{
	static const char *const endings[] = {".dump", "/manifest.json", NULL};
	newest		n = {.endings = endings};

	if (dir == NULL)
		check_tell("backups", CHECK_NONE, NULL, "not looked at: name where they lie with --backup-dir");
	else if (!look("backups", dir, &n))
		return;
	else if (n.at == 0)
		check_tell("backups", CHECK_FAIL, "Schedule ledgerctl backup, or pg_dump -Fc.", "no backup in %s", dir);
	else
		check_tell("backups", hours_since(n.at) * 3600000.0 <= (double) max_age && n.size > 0 ? CHECK_OK : CHECK_FAIL,
				   "Did the schedule run? Look at its log, and make one now.",
				   "the newest is %s, %.1f h old, at most %.1f h are wanted; %" PRIu64 " bytes", n.path,
				   hours_since(n.at), (double) max_age / 3600000.0, n.size);
}

void
check_restore(const char *report, uint64_t max_age)
{
	struct stat st;

	if (report == NULL)
		check_tell("restore tested", CHECK_NONE, NULL, "not shown: name a report of one with --restore-report");
	else if (stat(report, &st) != 0)
		check_tell("restore tested", CHECK_FAIL, "Rehearse a restore, and keep the report of ledgerctl replay.",
				   "%s: %s", report, strerror(errno));
	else
		check_tell("restore tested", hours_since(st.st_mtime) * 3600000.0 <= (double) max_age ? CHECK_OK : CHECK_FAIL,
				   "Rehearse a restore again.", "%s is %.1f days old, at most %.1f are wanted", report,
				   hours_since(st.st_mtime) / 24, (double) max_age / 86400000.0);
}

void
check_kit(const char *dir)
{
	static const char *const endings[] = {"/metrics.tar.gz", NULL};
	newest		n = {.endings = endings};

	if (dir == NULL)
		check_tell("offline snapshot", CHECK_NONE, NULL, "not an air-gapped site: no --offline-kit");
	else if (!look("offline snapshot", dir, &n))
		return;
	else if (n.at == 0 || n.size == 0)
		check_tell("offline snapshot", CHECK_FAIL, "ledgerctl snapshot --out offline/ledger/metrics.tar.gz",
				   "no metrics.tar.gz in %s", dir);
	else
		check_tell("offline snapshot", CHECK_OK, NULL, "%s, %.1f h old, %" PRIu64 " bytes", n.path,
				   hours_since(n.at), n.size);
}

/* ---- dashboards as files ---- */

typedef struct provisioned
{
	size_t		dashboards;
	bool		folder;
} provisioned;

static cli_exit
visit_provisioned(const char *path, void *arg)
{
	provisioned *p = arg;
	lc_buf		text;

	if (!ends_with(path, ".json") && !ends_with(path, ".yaml") && !ends_with(path, ".yml"))
		return CLI_GOOD;
	if (cli_read_file(path, TEXT_MAX, &text) == CLI_GOOD && text.data != NULL)
	{
		if (ends_with(path, ".json"))
			p->dashboards += strstr(text.data, "\"panels\"") != NULL && strstr(text.data, "ledger_") != NULL;
		else
			p->folder = p->folder || strstr(text.data, FOLDER) != NULL;
	}
	lc_buf_free(&text);
	return CLI_GOOD;
}

void
check_grafana_dir(const char *dir)
{
	provisioned p = {0};

	if (access(dir, R_OK) != 0)
		check_tell("dashboards", CHECK_FAIL, "Name Grafana's URL, or the directory it is provisioned from.",
				   "%s: %s", dir, strerror(errno));
	else if (cli_walk(dir, visit_provisioned, &p) != CLI_GOOD)
		check_tell("dashboards", CHECK_FAIL, "Can this user read it?", "%s cannot be read", dir);
	else
		check_tell("dashboards", p.dashboards > 0 && p.folder ? CHECK_OK : CHECK_FAIL,
				   "Put the dashboards there, with a provider whose folder is \"" FOLDER "\".",
				   "%zu dashboards of the ledger, %s provider for folder \"" FOLDER "\"", p.dashboards,
				   p.folder ? "a" : "no");
}

/* ---- space ---- */

/* With a horizon what was measured counts, without one the guide's 200 GB. */
void
check_space(const char *dir, const growth *measured, uint64_t horizon)
{
	double		days = (double) horizon / 86400000.0;
	double		need = horizon > 0 ?
		measured->bytes_per_event * measured->events_per_second * days * 86400.0 / GB : LEAST_GB;
	char		wanted[256];
	struct statvfs fs;
	double		free_gb;

	if (horizon > 0 && measured->bytes_per_event <= 0)
	{
		check_tell("space", CHECK_NONE, NULL, "there are no events yet to measure the growth of");
		return;
	}
	if (horizon > 0)
		snprintf(wanted, sizeof(wanted), "%.1f GB for %.0f days (%.0f bytes an event, %.3f events/s since the first)",
				 need, days, measured->bytes_per_event, measured->events_per_second);
	else
		snprintf(wanted, sizeof(wanted), "%.0f GB", need);
	if (dir == NULL)
		check_tell("space", CHECK_NONE, NULL, "unknown: SQL cannot see what is free on the server; run it there with "
				   "--data-dir. Wanted: %s", wanted);
	else if (statvfs(dir, &fs) != 0)
		check_tell("space", CHECK_FAIL, "Name the server's data directory.", "%s: %s", dir, strerror(errno));
	else
	{
		free_gb = (double) fs.f_bavail * (double) fs.f_frsize / GB;
		check_tell("space", free_gb >= need ? CHECK_OK : CHECK_FAIL, "Make room, or plan another disk.",
				   "%.1f GB are free, wanted: %s", free_gb, wanted);
	}
}
