/*
 * fixture.c
 *		The first reading of a fixture.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "checksum.h"
#include "fixture.h"
#include "lc_hex.h"
#include "tenants.h"

#define BLOCK_BYTES (1024 * 1024)
/* After so many faulty lines the rest adds nothing. */
#define FAULTY_MAX 20

void
fixture_init(fixture *x, const char *tenant, unsigned workers)
{
	memset(x, 0, sizeof(*x));
	x->tenant = tenant;
	x->workers = workers;
}

void
fixture_add(fixture *x, const char *path)
{
	struct stat st;
	fixture_file *file;

	x->files = cli_alloc.resize(NULL, x->files, (x->count + 1) * sizeof(*x->files));
	file = &x->files[x->count++];
	memset(file, 0, sizeof(*file));
	file->path = path;
	if (stat(path, &st) == 0 && S_ISREG(st.st_mode))
		file->size = (uint64_t) st.st_size;
	x->bytes_total += file->size;
}

/* ---- dealing out ---- */

static bool
known_worker(const fixture *x, const uint8_t chain_id[LC_UUID_LEN], size_t before, unsigned *worker)
{
	size_t		cursor = 0;
	uint32_t	chain;

	while (uuid_map_next(&x->check.by_id, chain_id, &cursor, &chain))
		if (chain < before)
		{
			*worker = x->worker_of[chain];
			return true;
		}
	return false;
}

/*
 * Who has been given the least gets a new chain.  Two tenants may have a chain
 * of the same id: both go to one worker, who then need not look at the tenant.
 */
static unsigned
deal(fixture *x, size_t bytes)
{
	size_t		chain = x->check.recent;
	unsigned	worker = 0;

	if (chain >= x->worker_room)
	{
		x->worker_room = chain < 64 ? 128 : chain * 2;
		x->worker_of = cli_alloc.resize(NULL, x->worker_of, x->worker_room);
	}
	if (x->check.chains[chain].events == 1 &&
		!known_worker(x, x->check.chains[chain].chain_id, chain, &worker))
		for (unsigned w = 1; w < x->workers; w++)
			worker = x->load[w] < x->load[worker] ? w : worker;
	if (x->check.chains[chain].events == 1)
		x->worker_of[chain] = (uint8_t) worker;
	worker = x->worker_of[chain];
	x->load[worker] += bytes;
	return worker;
}

/* The block that a line beginning at that byte belongs to. */
static fixture_block *
block_at(fixture_file *file, uint64_t offset, uint64_t lines_before)
{
	fixture_block *last = file->block_count > 0 ? &file->blocks[file->block_count - 1] : NULL;

	if (last != NULL && offset - last->offset < BLOCK_BYTES)
		return last;
	if (file->block_count == file->block_room)
	{
		file->block_room = file->block_room > 0 ? file->block_room * 2 : 16;
		file->blocks = cli_alloc.resize(NULL, file->blocks, file->block_room * sizeof(*file->blocks));
	}
	last = &file->blocks[file->block_count++];
	*last = (fixture_block) {offset, lines_before, 0};
	return last;
}

/* ---- lines ---- */

static cli_exit
check_tenant(const fixture *x, const char *where, lc_str tenant)
{
	if (tenant.n == strlen(RESERVED_TENANT) && memcmp(tenant.s, RESERVED_TENANT, tenant.n) == 0)
		return cli_error(CLI_FAILED, "%s: an event of the tenant \"" RESERVED_TENANT "\", which is about the copy "
						 "that wrote it: no other ledger takes it", where);
	if (strcmp(x->tenant, ALL_TENANTS) == 0 ||
		(tenant.n == strlen(x->tenant) && memcmp(tenant.s, x->tenant, tenant.n) == 0))
		return CLI_GOOD;
	return cli_error(CLI_FAILED, "%s: an event of tenant \"%.*s\", and --tenant names \"%s\"; the tenant is in "
					 "every hash, so it cannot be replayed for another", where, CLI_SHOW(tenant), x->tenant);
}

static cli_exit
check_line(fixture *x, fixture_file *file, uint64_t offset, uint64_t number, lc_str line)
{
	char		where[4200];
	event_doc	doc;
	cli_exit	code;
	cli_exit	next = CLI_GOOD;

	snprintf(where, sizeof(where), "%.4096s:%llu", file->path, (unsigned long long) number);
	code = event_read(where, line.s, line.n, true, &doc);
	if (doc.readable && doc.payload == PAYLOAD_NOT_GIVEN)
		code = cli_error(CLI_FAILED, "%s: an envelope alone, not a line of a fixture", where);
	else if (doc.readable)
	{
		next = check_tenant(x, where, doc.event.tenant);
		code = code != CLI_GOOD ? code : next;
		next = export_event(&x->check, where, &doc);
		block_at(file, offset, number - 1)->workers |= UINT64_C(1) << deal(x, line.n);
	}
	event_free(&doc);
	code = code != CLI_GOOD ? code : next;
	if (code == CLI_FAILED && ++x->faulty == FAULTY_MAX)
		return cli_error(CLI_FAILED, "%s: the %dth faulty line: the rest is not read", where, FAULTY_MAX);
	return code == CLI_FAILED ? CLI_GOOD : code;
}

static cli_exit
check_lines(fixture *x, fixture_file *file, checksum *dataset)
{
	line_reader r;
	lc_str		line;
	uint8_t		digest[LC_HASH_LEN];
	cli_exit	code = lines_open(&r, file->path, EVENT_LINE_MAX);

	while (code == CLI_GOOD)
	{
		code = lines_next(&r, &line);
		if (code != CLI_GOOD || line.s == NULL)
			break;
		if (lc_sha256(line.s, line.n, digest) != LC_OK)
			code = cli_error(CLI_USAGE, "OpenSSL cannot hash");
		checksum_add(dataset, digest);
		if (code == CLI_GOOD)
			code = check_line(x, file, file->bytes, r.number, line);
		file->bytes += line.n + 1;
		file->lines++;
		cli_progress("checking the fixture", x->bytes_before + file->bytes, x->bytes_total);
	}
	lines_close(&r);
	return code;
}

static cli_exit
check_file(fixture *x, fixture_file *file)
{
	checksum	dataset;
	cli_exit	code;

	checksum_begin(&dataset);
	code = check_lines(x, file, &dataset);
	if (!checksum_end(&dataset, file->dataset) && code == CLI_GOOD)
		code = cli_error(CLI_USAGE, "OpenSSL cannot hash");
	x->bytes_before += file->bytes;
	x->lines += file->lines;
	return code;
}

/* ---- what is expected ---- */

static cli_exit
check_chain(const fixture *x, const fixture_file *file, const expected_chain *want)
{
	char		tenant[256];
	char		id[LC_UUID_TEXT];
	const export_chain *have;
	uint8_t		root[LC_HASH_LEN];

	snprintf(tenant, sizeof(tenant), "%.*s", CLI_SHOW(want->tenant));
	lc_uuid_format(want->chain_id, id);
	have = fixture_chain(x, tenant, want->chain_id);
	if (have == NULL || have->last != want->size)
		return cli_error(CLI_FAILED, "%s: %llu events of %s/%.36s, but %s has %llu: lines are missing or too many",
						 file->expected.path, (unsigned long long) want->size, tenant, id, file->path,
						 have == NULL ? 0ULL : (unsigned long long) have->last);
	if (lc_frontier_root(&have->tree, root) != LC_OK)
		return cli_error(CLI_USAGE, "OpenSSL cannot hash");
	if (memcmp(root, want->root, LC_HASH_LEN) != 0)
		return cli_error(CLI_FAILED, "%s: the events of %s/%.36s in %s give another root", file->expected.path,
						 tenant, id, file->path);
	return CLI_GOOD;
}

static cli_exit
check_expected(const fixture *x, fixture_file *file)
{
	uint64_t	events = 0;
	cli_exit	code = expected_open(&file->expected, file->path);

	while (code == CLI_GOOD && file->expected.kind == EXPECTED_CHAIN)
	{
		events += file->expected.chain.size;
		code = check_chain(x, file, &file->expected.chain);
		if (code == CLI_GOOD)
			code = expected_next(&file->expected);
	}
	if (code == CLI_GOOD && file->expected.present && events != file->lines)
		return cli_error(CLI_FAILED, "%s: %llu events in all, but %s has %llu lines", file->expected.path,
						 (unsigned long long) events, file->path, (unsigned long long) file->lines);
	if (code == CLI_GOOD && !file->expected.present)
		cli_note("%s is not there: what the findings must be is not known, and a chain cut off in %s would not "
				 "be seen", file->expected.path, file->path);
	return code;
}

static cli_exit
check_whole(const fixture *x)
{
	for (size_t i = 0; i < x->check.chain_count; i++)
	{
		const export_chain *c = &x->check.chains[i];
		char		id[LC_UUID_TEXT];

		lc_uuid_format(c->chain_id, id);
		if (!c->whole)
			return cli_error(CLI_FAILED, "%s/%.36s begins with sequence %llu: an empty ledger takes whole chains; "
							 "give the files before this one too, in order", c->tenant, id,
							 (unsigned long long) c->first);
	}
	return CLI_GOOD;
}

cli_exit
fixture_check(fixture *x)
{
	cli_exit	code = CLI_GOOD;

	for (size_t i = 0; i < x->count && code == CLI_GOOD; i++)
		code = check_file(x, &x->files[i]);
	cli_progress_clear();
	if (code == CLI_GOOD && x->lines == 0)
		code = cli_error(CLI_FAILED, "no line was given: nothing is replayed");
	if (code == CLI_GOOD && x->faulty > 0)
		code = CLI_FAILED;
	if (code == CLI_GOOD)
		code = check_whole(x);
	for (size_t i = 0; i < x->count && code == CLI_GOOD; i++)
		code = check_expected(x, &x->files[i]);
	return code;
}

const export_chain *
fixture_chain(const fixture *x, const char *tenant, const uint8_t chain_id[LC_UUID_LEN])
{
	size_t		cursor = 0;
	uint32_t	i;

	while (uuid_map_next(&x->check.by_id, chain_id, &cursor, &i))
		if (strcmp(x->check.chains[i].tenant, tenant) == 0)
			return &x->check.chains[i];
	return NULL;
}

bool
fixture_all_expected(const fixture *x)
{
	for (size_t i = 0; i < x->count; i++)
		if (!x->files[i].expected.present)
			return false;
	return x->count > 0;
}

void
fixture_free(fixture *x)
{
	for (size_t i = 0; i < x->count; i++)
	{
		free(x->files[i].blocks);
		expected_close(&x->files[i].expected);
	}
	free(x->files);
	free(x->worker_of);
	export_free(&x->check);
}
