/*
 * fixture.h
 *		Files of events to be replayed (docs/formats.md section 10), and how
 *		their lines are shared out.
 *
 * A first reading checks every line, link and number, as verify-export does,
 * before anything is written anywhere.  It also deals out the chains to the
 * workers, and notes for each block of a file whose lines are in it: so each
 * worker can read the files by itself, its own chains in their order, and nobody
 * holds more than a batch, however the chains are interleaved.
 */
#ifndef LEDGERCTL_FIXTURE_H
#define LEDGERCTL_FIXTURE_H

#include "expected.h"
#include "export_check.h"
#include "fault.h"

/* One bit a worker in a block's mask. */
#define FIXTURE_WORKERS_MAX 64

typedef struct fixture_block
{
	uint64_t	offset;			/* where its first line begins */
	uint64_t	line;			/* lines before it */
	uint64_t	workers;		/* bit w: a chain of worker w has lines here */
} fixture_block;

typedef struct fixture_file
{
	const char *path;
	uint64_t	bytes;
	uint64_t	lines;
	uint64_t	size;			/* as the directory says, for the progress */
	uint8_t		dataset[LC_HASH_LEN];	/* datasetSha256 of section 9 */
	fixture_block *blocks;
	size_t		block_count;
	size_t		block_room;
	expected_file expected;		/* at its first finding, once checked */
} fixture_file;

typedef struct fixture
{
	const char *tenant;			/* whose lines are wanted; "all" */
	fixture_file *files;
	size_t		count;
	export_check check;			/* all chains of all files */
	unsigned	workers;
	uint8_t    *worker_of;		/* by the chain's index in check */
	size_t		worker_room;
	uint64_t	load[FIXTURE_WORKERS_MAX];	/* bytes dealt out so far */
	uint64_t	lines;
	uint64_t	faulty;
	uint64_t	bytes_before;	/* of files that are done, for the progress */
	uint64_t	bytes_total;
} fixture;

extern void fixture_init(fixture *x, const char *tenant, unsigned workers);
extern void fixture_add(fixture *x, const char *path);

/*
 * The first reading of all files, and of what is expected beside them.  Says
 * what is wrong, with file and line.
 */
extern cli_exit fixture_check(fixture *x);

/* The chain of the fixture, or NULL. */
extern const export_chain *fixture_chain(const fixture *x, const char *tenant,
										 const uint8_t chain_id[LC_UUID_LEN]);

/* Does every file say what is expected of it? */
extern bool fixture_all_expected(const fixture *x);
extern void fixture_free(fixture *x);

/* ---- the second reading: one worker's lines (fixture_read.c) ---- */

typedef struct fixture_reader
{
	const fixture *fixture;
	unsigned	worker;
	size_t		file;
	size_t		block;			/* the one that is read, if open */
	bool		open;
	line_reader lines;
} fixture_reader;

extern void fixture_reader_init(fixture_reader *r, const fixture *x, unsigned worker);

/* The next line of one of its chains, in the order of the files; s == NULL at the end. */
extern cli_exit fixture_reader_next(fixture_reader *r, lc_str *line, fault *f);

/* Where that line stands, for messages. */
extern const char *fixture_reader_path(const fixture_reader *r);
extern uint64_t fixture_reader_line(const fixture_reader *r);
extern void fixture_reader_close(fixture_reader *r);

/* The chain id of a checked line, found without parsing it. */
extern bool fixture_line_chain(lc_str line, uint8_t out[LC_UUID_LEN]);

#endif
