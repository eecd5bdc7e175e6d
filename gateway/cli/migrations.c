/*
 * migrations.c
 *		Reading the migration files of a release.
 *
 * CHECKSUMS is in the form of sha256sum.  It finds the file that was edited by
 * mistake; who edits both is found by the record in the database.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "migrations.h"

#define FILE_MAX (16 * 1024 * 1024)
#define NAME_DIGITS 4

static char *
copy_of(const char *text)
{
	size_t		size = strlen(text) + 1;

	return memcpy(cli_alloc.resize(NULL, NULL, size), text, size);
}

static char *
join(const char *dir, const char *name)
{
	size_t		size = strlen(dir) + strlen(name) + 2;
	char	   *path = cli_alloc.resize(NULL, NULL, size);

	snprintf(path, size, "%s/%s", dir, name);
	return path;
}

/* ---- where they are ---- */

char *
migrations_home(void)
{
	static const char *const places[] = {"../../migrations", "../../share/findings-ledger/migrations"};
	char		self[4096];
	ssize_t		n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	char	   *slash;

	self[n > 0 ? n : 0] = '\0';
	slash = strrchr(self, '/');
	if (slash != NULL)
		*slash = '\0';
	for (size_t i = 0; slash != NULL && i < sizeof(places) / sizeof(places[0]); i++)
	{
		char	   *dir = join(self, places[i]);
		char	   *list = join(dir, "CHECKSUMS");
		bool		found = access(list, R_OK) == 0;

		free(list);
		if (found)
			return dir;
		free(dir);
	}
	cli_error(CLI_NOT_FOUND, "the migrations are not where a build or make install has them; name them with --dir");
	return NULL;
}

/* ---- one file ---- */

static bool
is_migration(const char *name)
{
	size_t		n = strlen(name);

	return strspn(name, "0123456789") == NAME_DIGITS && name[NAME_DIGITS] == '_' &&
		n > NAME_DIGITS + 5 && strcmp(name + n - 4, ".sql") == 0;
}

/* The checksum that the list has of a name, or NULL. */
static const char *
listed(const lc_buf *list, const char *name)
{
	const char *line = list->data;
	size_t		n = strlen(name);

	while (line != NULL && *line != '\0')
	{
		size_t		len = strcspn(line, "\n");

		if (len == SHA256_HEX + 2 + n && memcmp(line + SHA256_HEX + 2, name, n) == 0)
			return line;
		line += len + (line[len] == '\n');
	}
	return NULL;
}

static cli_exit
check_sum(const lc_buf *list, const sql_file *file)
{
	const char *sum = listed(list, file->name);

	if (sum == NULL)
		return cli_error(CLI_FAILED, "%s is not listed in CHECKSUMS; add migrations with migrations/freeze.sh",
						 file->name);
	if (memcmp(sum, file->sum, SHA256_HEX) != 0)
		return cli_error(CLI_FAILED, "%s was edited: its SHA-256 is not the one in CHECKSUMS; a migration is "
						 "frozen: restore it and put the change into a new one", file->name);
	return CLI_GOOD;
}

static bool
first_line_is(const lc_buf *text, const char *line)
{
	size_t		n = strlen(line);

	return text->len > n && memcmp(text->data, line, n) == 0 && text->data[n] == '\n';
}

static cli_exit
check_runner(sql_file *file)
{
	file->superuser = first_line_is(&file->text, "-- runs as: superuser");
	if (file->superuser || first_line_is(&file->text, "-- runs as: owner"))
		return CLI_GOOD;
	return cli_error(CLI_FAILED, "%s does not begin with \"-- runs as: superuser\" or \"-- runs as: owner\"",
					 file->name);
}

static cli_exit
read_one(const char *dir, const char *name, const lc_buf *list, sql_file *out)
{
	char	   *path = join(dir, name);
	uint8_t		sum[LC_HASH_LEN];
	lc_buf		hex;
	cli_exit	code = cli_read_file(path, FILE_MAX, &out->text);

	free(path);
	out->name = copy_of(name);
	if (code != CLI_GOOD)
		return code;
	if (out->text.data == NULL || strlen(out->text.data) != out->text.len)
		return cli_error(CLI_FAILED, "%s is no text", name);
	if (lc_sha256(out->text.data, out->text.len, sum) != LC_OK)
		return cli_error(CLI_USAGE, "libcrypto cannot hash %s", name);
	lc_buf_init(&hex, &cli_alloc);
	lc_buf_put_hex(&hex, sum, sizeof(sum));
	memcpy(out->sum, hex.data, SHA256_HEX);
	lc_buf_free(&hex);
	code = check_sum(list, out);
	return code == CLI_GOOD ? check_runner(out) : code;
}

const char *
migrations_runner(const sql_file *file)
{
	return file->superuser ? "superuser" : "owner";
}

/* ---- a directory of them ---- */

static int
wanted(const struct dirent *entry)
{
	return is_migration(entry->d_name);
}

/* Every name on the list is that of a file here. */
static cli_exit
check_list(const lc_buf *list, const char *dir)
{
	const char *line = list->data;

	while (line != NULL && *line != '\0')
	{
		size_t		len = strcspn(line, "\n");
		char		name[256];
		char	   *path;
		bool		there;

		if (len <= SHA256_HEX + 2 || len - SHA256_HEX - 2 >= sizeof(name))
			return cli_error(CLI_FAILED, "%s/CHECKSUMS has a line that is not sha256sum's", dir);
		snprintf(name, sizeof(name), "%.*s", (int) (len - SHA256_HEX - 2), line + SHA256_HEX + 2);
		path = join(dir, name);
		there = access(path, R_OK) == 0;
		free(path);
		if (!there)
			return cli_error(CLI_FAILED, "%s is listed in CHECKSUMS and missing", name);
		line += len + (line[len] == '\n');
	}
	return CLI_GOOD;
}

/* The i-th file must have number i + 1; those of rollback/ any that there is. */
static cli_exit
place(migrations *m, bool back, size_t i, const char *name, size_t *slot)
{
	size_t		number = (size_t) atoi(name);

	if (!back && number != i + 1)
		return cli_error(CLI_FAILED, "%s is out of order: number %04zu was due", name, i + 1);
	if (back && (number == 0 || number > m->count || strcmp(m->list[number - 1].name, name) != 0))
		return cli_error(CLI_FAILED, "rollback/%s undoes no migration of that name", name);
	*slot = number - 1;
	return CLI_GOOD;
}

static cli_exit
read_names(migrations *m, const char *dir, bool back, struct dirent **names, size_t count)
{
	char	   *path = join(dir, "CHECKSUMS");
	lc_buf		list;
	cli_exit	code = cli_read_file(path, FILE_MAX, &list);

	free(path);
	for (size_t i = 0; code == CLI_GOOD && i < count; i++)
	{
		size_t		slot = 0;

		code = place(m, back, i, names[i]->d_name, &slot);
		if (code == CLI_GOOD)
			code = read_one(dir, names[i]->d_name, &list, back ? &m->back[slot] : &m->list[slot]);
		if (code == CLI_GOOD && back && !m->back[slot].superuser)
			code = cli_error(CLI_FAILED, "rollback/%s is not run by a superuser: only one can undo guards",
							 names[i]->d_name);
	}
	if (code == CLI_GOOD)
		code = check_list(&list, dir);
	lc_buf_free(&list);
	return code;
}

static cli_exit
read_dir(migrations *m, const char *dir, bool back)
{
	struct dirent **names = NULL;
	int			count = scandir(dir, &names, wanted, alphasort);
	cli_exit	code = CLI_GOOD;

	if (count < 0 && errno == ENOENT && back)
		return CLI_GOOD;
	if (count < 0)
		return cli_error(errno == ENOENT ? CLI_NOT_FOUND : CLI_USAGE, "%s: %s", dir, strerror(errno));
	if (!back)
	{
		m->count = (size_t) count;
		m->list = cli_alloc.resize(NULL, NULL, ((size_t) count + 1) * sizeof(*m->list));
		m->back = cli_alloc.resize(NULL, NULL, ((size_t) count + 1) * sizeof(*m->back));
		memset(m->list, 0, ((size_t) count + 1) * sizeof(*m->list));
		memset(m->back, 0, ((size_t) count + 1) * sizeof(*m->back));
	}
	if (count == 0 && !back)
		code = cli_error(CLI_NOT_FOUND, "there are no migrations in %s", dir);
	else
		code = read_names(m, dir, back, names, (size_t) count);
	for (int i = 0; i < count; i++)
		free(names[i]);
	free(names);
	return code;
}

cli_exit
migrations_read(const char *dir, migrations *out)
{
	char	   *back = join(dir, "rollback");
	cli_exit	code;

	memset(out, 0, sizeof(*out));
	out->dir = copy_of(dir);
	code = read_dir(out, dir, false);
	if (code == CLI_GOOD)
		code = read_dir(out, back, true);
	free(back);
	return code;
}

void
migrations_free(migrations *m)
{
	for (size_t i = 0; i < m->count; i++)
	{
		free(m->list[i].name);
		lc_buf_free(&m->list[i].text);
		free(m->back[i].name);
		lc_buf_free(&m->back[i].text);
	}
	free(m->list);
	free(m->back);
	free(m->dir);
}
