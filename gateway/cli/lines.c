/*
 * lines.c
 *		Lines of a file, one at a time.
 *
 * The last line must end with a newline too: without it nobody can tell
 * whether the file was cut off there.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lines.h"

#define STEP 65536

cli_exit
lines_open(line_reader *r, const char *path, size_t max)
{
	struct stat st;

	memset(r, 0, sizeof(*r));
	lc_buf_init(&r->buf, &cli_alloc);
	r->path = path;
	r->max = max;
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0)
		return cli_error(errno == ENOENT || errno == ENOTDIR ? CLI_NOT_FOUND : CLI_USAGE, "%s: %s",
						 path, strerror(errno));
	if (fstat(r->fd, &st) == 0 && S_ISREG(st.st_mode))
		r->size = (uint64_t) st.st_size;
	return CLI_GOOD;
}

/* What was handed out is dropped before more is read. */
static void
drop_used(line_reader *r)
{
	size_t		left = r->buf.len - r->start;

	if (r->start > 0 && left > 0)
		memmove(r->buf.data, r->buf.data + r->start, left);
	if (r->start > 0)
		lc_buf_truncate(&r->buf, left);
	r->start = 0;
}

static cli_exit
read_more(line_reader *r)
{
	char		bytes[STEP];
	ssize_t		n;

	drop_used(r);
	if (r->buf.len > r->max)
		return cli_error(CLI_FAILED, "%s:%llu: longer than %zu bytes, which no line is", r->path,
						 (unsigned long long) r->number + 1, r->max);
	do
		n = read(r->fd, bytes, sizeof(bytes));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return cli_error(CLI_USAGE, "%s: %s", r->path, strerror(errno));
	r->at_end = n == 0;
	r->read += (uint64_t) n;
	lc_buf_append(&r->buf, bytes, (size_t) n);
	return CLI_GOOD;
}

cli_exit
lines_next(line_reader *r, lc_str *line)
{
	size_t		searched = 0;

	line->s = NULL;
	line->n = 0;
	for (;;)
	{
		size_t		n = r->buf.len - r->start;
		const char *from = r->buf.data != NULL ? r->buf.data + r->start : "";
		const char *end = n > searched ? memchr(from + searched, '\n', n - searched) : NULL;
		cli_exit	code;

		if (end != NULL)
		{
			line->s = from;
			line->n = (size_t) (end - from);
			r->start += line->n + 1;
			r->number++;
			return CLI_GOOD;
		}
		if (r->at_end && n == 0)
			return CLI_GOOD;
		if (r->at_end)
			return cli_error(CLI_FAILED, "%s:%llu: the file ends within a line", r->path,
							 (unsigned long long) r->number + 1);
		searched = n;
		code = read_more(r);
		if (code != CLI_GOOD)
			return code;
	}
}

cli_exit
lines_seek(line_reader *r, uint64_t offset, uint64_t number)
{
	if (lseek(r->fd, (off_t) offset, SEEK_SET) < 0)
		return cli_error(CLI_USAGE, "%s: %s", r->path, strerror(errno));
	lc_buf_reset(&r->buf);
	r->start = 0;
	r->at_end = false;
	r->number = number;
	r->read = offset;
	return CLI_GOOD;
}

void
lines_close(line_reader *r)
{
	if (r->fd >= 0)
		close(r->fd);
	lc_buf_free(&r->buf);
}
