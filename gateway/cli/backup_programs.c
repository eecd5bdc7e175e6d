/*
 * backup_programs.c
 *		Runs pg_dump and pg_dumpall, of PATH, on the connection at hand.
 *
 * How they connect is written into a service file that only its owner can
 * read: a password in an argument, or in the environment, is seen by others on
 * the machine.  The file is gone when they are.  Their options are fixed.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "backup.h"
#include "child.h"
#include "durable.h"

extern char **environ;

#define SERVICE_FILE "connection"
#define SERVICE "ledger"
/* Thirty days: whoever schedules it has a limit of their own. */
#define LIMIT_MS (INT64_C(30) * 24 * 3600 * 1000)
#define GRACE_MS 0

/* ---- how they connect ---- */

/* What names this run and not the connection, and what the host's lists became. */
static bool
is_left_out(const char *keyword)
{
	static const char *const names[] = {"service", "host", "hostaddr", "port", "application_name",
	"fallback_application_name", "client_encoding", "replication", NULL};

	for (size_t i = 0; names[i] != NULL; i++)
		if (strcmp(keyword, names[i]) == 0)
			return true;
	return false;
}

/* libpq takes a line as it is, without quotes, and drops blanks at its end. */
static bool
put_setting(lc_buf *out, const char *keyword, const char *value, fault *f)
{
	size_t		n = strlen(value);

	for (size_t i = 0; i < n; i++)
		if (iscntrl((unsigned char) value[i]))
			return fault_set(f, "the connection's %s has a control character, which pg_dump cannot be told", keyword);
	if (n > 0 && value[n - 1] == ' ')
		return fault_set(f, "the connection's %s ends in a blank, which pg_dump cannot be told", keyword);
	if (n + strlen(keyword) > 1000)
		return fault_set(f, "the connection's %s is longer than pg_dump can be told", keyword);
	lc_buf_puts(out, keyword);
	lc_buf_putc(out, '=');
	lc_buf_puts(out, value);
	lc_buf_putc(out, '\n');
	return true;
}

/* One host of a list is where the snapshot is. */
static bool
put_server(lc_buf *out, PGconn *conn, fault *f)
{
	const char *address = PQhostaddr(conn);

	return put_setting(out, "host", PQhost(conn), f) && put_setting(out, "port", PQport(conn), f) &&
		(*address == '\0' || *PQhost(conn) == '/' || put_setting(out, "hostaddr", address, f));
}

static bool
write_service(const backup_dir *dir, PGconn *conn, fault *f)
{
	PQconninfoOption *options = PQconninfo(conn);
	lc_buf		text;
	bool		good = options != NULL || fault_set(f, "out of memory");

	lc_buf_init(&text, &cli_alloc);
	lc_buf_puts(&text, "[" SERVICE "]\n");
	for (PQconninfoOption *o = options; good && o->keyword != NULL; o++)
		if (o->val != NULL && *o->val != '\0' && !is_left_out(o->keyword))
			good = put_setting(&text, o->keyword, o->val, f);
	good = good && put_server(&text, conn, f);
	if (good)
	{
		int			fd = openat(dir->work, SERVICE_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

		good = fd >= 0 && write(fd, text.data, text.len) == (ssize_t) text.len;
		if (!good)
			fault_set(f, "cannot write \"%s\": %s", SERVICE_FILE, strerror(errno));
		if (fd >= 0)
			close(fd);
	}
	explicit_bzero(text.data, text.len);
	lc_buf_free(&text);
	PQconninfoFree(options);
	return good;
}

/* Ours without any connection or secret in it, and with that file; free the list and its last three. */
static char **
make_environment(const char *service_file)
{
	size_t		n = 0,
				size = strlen(service_file) + 32;
	char	  **list;
	char	   *file = cli_alloc.resize(NULL, NULL, size);

	while (environ[n] != NULL)
		n++;
	list = cli_alloc.resize(NULL, NULL, (n + 4) * sizeof(*list));
	n = 0;
	snprintf(file, size, "PGSERVICEFILE=%s", service_file);
	list[n++] = file;
	list[n++] = "PGSERVICE=" SERVICE;
	list[n++] = "LC_ALL=C";		/* messages are looked at */
	for (char **e = environ; *e != NULL; e++)
		if (strncmp(*e, "PG", 2) != 0 && strncmp(*e, "LEDGER", 6) != 0 && strncmp(*e, "LC_", 3) != 0 &&
			strncmp(*e, "LANG", 4) != 0)
			list[n++] = *e;
	list[n] = NULL;
	return list;
}

/* ---- what they say ---- */

static char last_line[512];
static bool too_old;

static void
take_line(const char *text, size_t n)
{
	snprintf(last_line, sizeof(last_line), "%.*s", (int) (n < 500 ? n : 500), text);
	if (strstr(last_line, "server version mismatch") != NULL)
		too_old = true;
	cli_note("%s", last_line);
}

static bool
run(const char *program, char **argv, char **environment, int stop, fault *f)
{
	child		c = {
		.program = program, .argv = argv, .environment = environment, .stop = stop, .limit_ms = LIMIT_MS,
		.grace_ms = GRACE_MS, .line = take_line
	};
	int			status;

	last_line[0] = '\0';
	too_old = false;
	status = child_run(&c, f);
	if (poll(&(struct pollfd) {.fd = stop, .events = POLLIN}, 1, 0) > 0)
		return fault_set(f, "a signal ended it: nothing is kept");
	if (status < 0)
		return fault_at(f, "PostgreSQL's client programs are needed, in PATH");
	if (too_old)
		return fault_set(f, "%s in PATH is older than the server: install the client programs of the server's version"
						 " (%s)", program, last_line);
	return status == 0 || fault_set(f, "%s ended with status %d: %s", program, status, last_line);
}

/* ---- both ---- */

/* Their output's name, and what a shell would have made of it all. */
static bool
path_of(const backup_dir *dir, const char *option, const char *file, char out[4096], fault *f)
{
	int			n = snprintf(out, 4096, "%s%s/%s/%s", option, dir->path, dir->partial, file);

	return n < 4096 || fault_set(f, "the name of the directory is too long");
}

/* The database's name as a connection string, so that one with a "=" in it is no such string. */
static void
put_database(lc_buf *out, const char *name)
{
	lc_buf_puts(out, "--database=dbname='");
	for (; *name != '\0'; name++)
	{
		if (*name == '\'' || *name == '\\')
			lc_buf_putc(out, '\\');
		lc_buf_putc(out, *name);
	}
	lc_buf_puts(out, "'");
	lc_buf_putc(out, '\0');
}

static bool
run_both(const backup_dir *dir, PGconn *conn, const char *snapshot, char *role, char **environment, int stop,
		 fault *f)
{
	char		dump[4096],
				globals[4096],
				at[128];
	lc_buf		database;
	bool		good;

	lc_buf_init(&database, &cli_alloc);
	put_database(&database, PQdb(conn));
	snprintf(at, sizeof(at), "--snapshot=%s", snapshot);
	good = path_of(dir, "--file=", BACKUP_DUMP, dump, f) && path_of(dir, "--file=", BACKUP_GLOBALS, globals, f) &&
		run("pg_dump", (char *[]) {"pg_dump", "--format=custom", "--no-password", dump, at, role, NULL}, environment,
			stop, f) &&
		run("pg_dumpall", (char *[]) {"pg_dumpall", "--globals-only", "--no-role-passwords", "--no-password", globals,
									  database.data, role, NULL}, environment, stop, f);
	lc_buf_free(&database);
	return good;
}

bool
backup_run_programs(const backup_dir *dir, PGconn *conn, const char *snapshot, const char *role, int stop, fault *f)
{
	char		file[4096],
				option[80];
	char	  **environment;
	bool		good;

	snprintf(option, sizeof(option), "--role=%s", role != NULL ? role : "");
	if (!path_of(dir, "", SERVICE_FILE, file, f))
		return false;
	environment = make_environment(file);
	good = write_service(dir, conn, f) &&
		run_both(dir, conn, snapshot, role != NULL ? option : NULL, environment, stop, f);
	free(environment[0]);
	free(environment);
	if (unlinkat(dir->work, SERVICE_FILE, 0) != 0 && good)
		good = fault_set(f, "cannot remove \"%s\": %s", file, strerror(errno));
	return good;
}
