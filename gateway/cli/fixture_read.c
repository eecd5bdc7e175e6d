/*
 * fixture_read.c
 *		The second reading: one worker's lines.
 *
 * Lines were checked in the first reading, but a file can change meanwhile: so
 * nothing here may go wrong badly on any bytes, and what is fed is checked again
 * by the database, and what it stored against what the first reading saw.
 */
#define _GNU_SOURCE 1

#include <string.h>

#include "fixture.h"

static const char chain_member[] = "\"chainId\":\"";

/*
 * In a canonical line the envelope comes first, and in it, behind the actor,
 * chainId.  No text before it can hold these bytes: within a text the quotes
 * would be escaped.
 */
bool
fixture_line_chain(lc_str line, uint8_t out[LC_UUID_LEN])
{
	const char *at = memmem(line.s, line.n, chain_member, sizeof(chain_member) - 1);

	if (at == NULL)
		return false;
	at += sizeof(chain_member) - 1;
	return (size_t) (line.s + line.n - at) >= LC_UUID_TEXT &&
		lc_uuid_parse(at, LC_UUID_TEXT, out) == LC_OK;
}

void
fixture_reader_init(fixture_reader *r, const fixture *x, unsigned worker)
{
	memset(r, 0, sizeof(*r));
	r->fixture = x;
	r->worker = worker;
	r->lines.fd = -1;
}

static bool
is_mine(const fixture_reader *r, lc_str line)
{
	uint8_t		id[LC_UUID_LEN];
	size_t		cursor = 0;
	uint32_t	chain;

	return fixture_line_chain(line, id) &&
		uuid_map_next(&r->fixture->check.by_id, id, &cursor, &chain) &&
		r->fixture->worker_of[chain] == r->worker;
}

static const fixture_file *
file_of(const fixture_reader *r)
{
	return r->file < r->fixture->count ? &r->fixture->files[r->file] : NULL;
}

/* Lines of the file that lie before the block of that number. */
static uint64_t
lines_before(const fixture_file *file, size_t block)
{
	return block < file->block_count ? file->blocks[block].line : file->lines;
}

/* On to the next block with lines of this worker; files end, and the next one begins.  *more: there is one. */
static cli_exit
next_block(fixture_reader *r, bool *more)
{
	size_t		before = r->block;
	const fixture_file *file;

	*more = true;
	for (; (file = file_of(r)) != NULL; r->file++)
	{
		cli_exit	code = CLI_GOOD;

		r->block += r->open;
		while (r->block < file->block_count &&
			   (file->blocks[r->block].workers >> r->worker & 1) == 0)
			r->block++;
		if (r->block < file->block_count)
		{
			const fixture_block *b = &file->blocks[r->block];

			if (!r->open)
				code = lines_open(&r->lines, file->path, EVENT_LINE_MAX);
			/* The block behind the last one is where the file is read anyway. */
			if (code == CLI_GOOD && (!r->open || r->block != before + 1))
				code = lines_seek(&r->lines, b->offset, b->line);
			r->open = true;
			return code;
		}
		fixture_reader_close(r);
		r->block = 0;
	}
	*more = false;
	return CLI_GOOD;
}

cli_exit
fixture_reader_next(fixture_reader *r, lc_str *line, fault *f)
{
	bool		more = true;
	cli_exit	code = CLI_GOOD;

	*line = (lc_str) {NULL, 0};
	while (code == CLI_GOOD && more)
	{
		if (!r->open || r->lines.number >= lines_before(file_of(r), r->block + 1))
		{
			code = next_block(r, &more);
			continue;
		}
		code = lines_next(&r->lines, line);
		if (code == CLI_GOOD && line->s == NULL)
		{
			fault_set(f, "%s became shorter while it was read", file_of(r)->path);
			return CLI_USAGE;
		}
		if (code == CLI_GOOD && is_mine(r, *line))
			return CLI_GOOD;
	}
	*line = (lc_str) {NULL, 0};
	if (code != CLI_GOOD)
		fault_set(f, "%s cannot be read", file_of(r)->path);
	return code;
}

const char *
fixture_reader_path(const fixture_reader *r)
{
	return file_of(r)->path;
}

uint64_t
fixture_reader_line(const fixture_reader *r)
{
	return r->lines.number;
}

void
fixture_reader_close(fixture_reader *r)
{
	if (r->open)
		lines_close(&r->lines);
	r->open = false;
}
