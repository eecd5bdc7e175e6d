/*
 * files.c
 *		Memory that never fails, and files read and written whole.
 *
 * Sizes are capped before anything is allocated for them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"

#define READ_STEP 65536
#define WALK_MAX_DEPTH 16
#define WALK_MAX_FILES 10000000

static void *
resize(void *ctx, void *ptr, size_t size)
{
	void	   *grown = realloc(ptr, size > 0 ? size : 1);

	(void) ctx;
	if (grown == NULL)
	{
		fprintf(stderr, "ledgerctl: out of memory\n");
		exit(CLI_USAGE);
	}
	return grown;
}

static void
release(void *ctx, void *ptr)
{
	(void) ctx;
	free(ptr);
}

const lc_alloc cli_alloc = {resize, release, NULL};

char *
cli_copy(lc_str text)
{
	char	   *s = cli_alloc.resize(NULL, NULL, text.n + 1);

	memcpy(s, text.s, text.n);
	s[text.n] = '\0';
	return s;
}

bool
cli_is(lc_str text, const char *want)
{
	return text.s != NULL && text.n == strlen(want) && memcmp(text.s, want, text.n) == 0;
}

/* What errno says about a path that could not be opened. */
static cli_exit
open_failed(const char *path)
{
	if (errno == ENOENT || errno == ENOTDIR)
		return cli_error(CLI_NOT_FOUND, "%s: no such file or directory", path);
	return cli_error(CLI_USAGE, "%s: %s", path, strerror(errno));
}

static cli_exit
read_all(const char *path, int fd, size_t max, lc_buf *out)
{
	char		bytes[READ_STEP];

	for (;;)
	{
		ssize_t		n = read(fd, bytes, sizeof(bytes));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return cli_error(CLI_USAGE, "%s: %s", path, strerror(errno));
		if (n == 0)
			return CLI_GOOD;
		if ((size_t) n > max - out->len)
			return cli_error(CLI_FAILED, "%s: longer than %zu bytes, which nothing of its kind is",
							 path, max);
		lc_buf_append(out, bytes, (size_t) n);
	}
}

cli_exit
cli_read_file(const char *path, size_t max, lc_buf *out)
{
	int			fd;
	cli_exit	code;

	lc_buf_init(out, &cli_alloc);
	lc_buf_append(out, "", 0);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return open_failed(path);
	code = read_all(path, fd, max, out);
	close(fd);
	/* An empty file has bytes too: none. */
	if (out->data == NULL)
	{
		lc_buf_putc(out, ' ');
		lc_buf_reset(out);
	}
	return code;
}

/* Nothing that ends in a signature line ends in two newlines. */
cli_exit
cli_read_note(const char *path, size_t max, lc_buf *out)
{
	cli_exit	code = cli_read_file(path, max, out);

	if (code == CLI_GOOD && out->len >= 2 && memcmp(out->data + out->len - 2, "\n\n", 2) == 0)
		lc_buf_truncate(out, out->len - 1);
	return code;
}

static bool
write_all(int fd, const char *bytes, size_t n)
{
	while (n > 0)
	{
		ssize_t		done = write(fd, bytes, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return false;
		bytes += done;
		n -= (size_t) done;
	}
	return true;
}

/* The directory's entry for a file is on disk only after this. */
static bool
flush_directory_of(const char *path)
{
	char	   *copy = strdup(path);
	int			fd = copy != NULL ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	bool		good = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	free(copy);
	return good;
}

cli_exit
cli_write_new(const char *path, int mode, const void *bytes, size_t n)
{
	int			fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, (mode_t) mode);
	bool		good;

	if (fd < 0 && errno == EEXIST)
		return cli_error(CLI_USAGE, "%s exists, and is not overwritten", path);
	if (fd < 0)
		return cli_error(CLI_USAGE, "%s: %s", path, strerror(errno));
	good = write_all(fd, bytes, n) && fsync(fd) == 0 && flush_directory_of(path);
	if (!good)
	{
		cli_error(CLI_USAGE, "%s: %s", path, strerror(errno));
		unlink(path);
	}
	close(fd);
	return good ? CLI_GOOD : CLI_USAGE;
}

/* ---- a long file, written bit by bit ---- */

#define OUT_ROOM 65536

cli_exit
cli_out_open(cli_out *out, const char *path)
{
	out->path = path;
	lc_buf_init(&out->buf, &cli_alloc);
	out->fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (out->fd >= 0)
		return CLI_GOOD;
	if (errno == EEXIST)
		return cli_error(CLI_USAGE, "%s exists, and is not overwritten", path);
	return cli_error(CLI_USAGE, "%s: %s", path, strerror(errno));
}

static bool
out_flush(cli_out *out)
{
	bool		good = write_all(out->fd, out->buf.data != NULL ? out->buf.data : "", out->buf.len);

	lc_buf_reset(&out->buf);
	return good;
}

bool
cli_out_line(cli_out *out, const lc_buf *line)
{
	lc_buf_append(&out->buf, line->data, line->len);
	lc_buf_putc(&out->buf, '\n');
	return out->buf.len < OUT_ROOM || out_flush(out);
}

cli_exit
cli_out_close(cli_out *out, bool keep)
{
	bool		good;

	if (out->fd < 0)
		return keep ? CLI_USAGE : CLI_GOOD;
	good = keep && out_flush(out) && fsync(out->fd) == 0 && flush_directory_of(out->path);
	if (keep && !good)
		cli_error(CLI_USAGE, "%s: %s", out->path, strerror(errno));
	if (!good)
		unlink(out->path);
	close(out->fd);
	out->fd = -1;
	lc_buf_free(&out->buf);
	return !keep || good ? CLI_GOOD : CLI_USAGE;
}

/* ---- a directory and what is below it ---- */

typedef struct walk
{
	cli_visit	visit;
	void	   *arg;
	size_t		files;
} walk;

static char *
join(const char *dir, const char *name)
{
	size_t		n = strlen(dir) + strlen(name) + 2;
	char	   *path = cli_alloc.resize(NULL, NULL, n);

	snprintf(path, n, "%s/%s", dir, name);
	return path;
}

static int
visible(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

/* Byte order: the same on every machine, whatever its locale. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static cli_exit walk_dir(const char *dir, int depth, walk *w);

static cli_exit
walk_entry(const char *path, int depth, walk *w)
{
	struct stat st;

	if (lstat(path, &st) != 0)
		return open_failed(path);
	if (S_ISDIR(st.st_mode))
		return walk_dir(path, depth + 1, w);
	if (!S_ISREG(st.st_mode))
	{
		cli_note("%s is no regular file and is left out", path);
		return CLI_GOOD;
	}
	if (++w->files > WALK_MAX_FILES)
		return cli_error(CLI_FAILED, "%s: more than %d files", path, WALK_MAX_FILES);
	return w->visit(path, w->arg);
}

static cli_exit
walk_dir(const char *dir, int depth, walk *w)
{
	struct dirent **entries;
	int			n;
	cli_exit	code = CLI_GOOD;

	if (depth > WALK_MAX_DEPTH)
		return cli_error(CLI_FAILED, "%s: nested deeper than %d directories", dir, WALK_MAX_DEPTH);
	n = scandir(dir, &entries, visible, by_name);
	if (n < 0)
		return open_failed(dir);
	for (int i = 0; i < n; i++)
	{
		if (code == CLI_GOOD)
		{
			char	   *path = join(dir, entries[i]->d_name);

			code = walk_entry(path, depth, w);
			free(path);
		}
		free(entries[i]);
	}
	free(entries);
	return code;
}

cli_exit
cli_walk(const char *dir, cli_visit visit, void *arg)
{
	walk		w = {visit, arg, 0};

	return walk_dir(dir, 0, &w);
}
