/*
 * replay_feed.c
 *		Lines into the ledger.
 *
 * Each worker feeds its own chains, in their order, in calls of
 * ledger_import(), which recomputes every hash before it stores a row.  A call
 * is a transaction; lines that are stored already, byte for byte, are skipped by
 * it, and so an interrupted replay goes on where it was.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "crew.h"
#include "replay.h"

/* Text of a call; a longer line goes by itself. */
#define CALL_BYTES (1024 * 1024)

typedef struct feeder
{
	replay	   *replay;
	PGconn	   *conn;
	fixture_reader reader;
	lc_buf		rows;			/* a JSON array, not closed yet */
	uint64_t	count;			/* lines in it */
	char		first[4200];	/* where its first line stands */
	uint64_t	imported;
	uint64_t	present;
	latency		calls;
} feeder;

static bool
take_answer(feeder *w, const PGresult *rows, fault *f)
{
	uint64_t	imported;
	uint64_t	present;

	if (!db_uint(rows, 0, "imported", &imported) || !db_uint(rows, 0, "present", &present) ||
		imported + present != w->count)
		return fault_set(f, "%s: the ledger did not take all of %" PRIu64 " lines", w->first, w->count);
	w->imported += imported;
	w->present += present;
	return true;
}

static cli_exit
call(crew *c, feeder *w, fault *f)
{
	uint64_t	begun = replay_clock();
	const char *values[1];
	PGresult   *rows;
	bool		good;

	if (w->count == 0)
		return CLI_GOOD;
	lc_buf_putc(&w->rows, ']');
	values[0] = w->rows.data;
	rows = db_query(w->conn, f, "SELECT sum(i.imported) AS imported, sum(i.present) AS present"
					" FROM ledger.ledger_import($1) AS i", 1, values);
	if (rows == NULL)
	{
		/* What the ledger says of a line counts from the first one of the call. */
		fault_at(f, "%s and %" PRIu64 " lines of its chains behind it", w->first, w->count - 1);
		return strncmp(db_sqlstate(), "LG4", 3) == 0 ? CLI_FAILED : CLI_USAGE;
	}
	good = take_answer(w, rows, f);
	PQclear(rows);
	latency_add(&w->calls, replay_clock() - begun);
	atomic_fetch_add(&c->done, w->count);
	lc_buf_reset(&w->rows);
	w->count = 0;
	return good ? CLI_GOOD : CLI_FAILED;
}

static void
add_line(feeder *w, lc_str line)
{
	if (w->count == 0)
		snprintf(w->first, sizeof(w->first), "%.4096s:%" PRIu64, fixture_reader_path(&w->reader),
				 fixture_reader_line(&w->reader));
	lc_buf_putc(&w->rows, w->count == 0 ? '[' : ',');
	lc_buf_append(&w->rows, line.s, line.n);
	w->count++;
}

static cli_exit
feed(crew *c, void *arg, fault *f)
{
	feeder	   *w = arg;
	lc_str		line = {"", 0};
	cli_exit	code = CLI_GOOD;

	while (code == CLI_GOOD && line.s != NULL && !atomic_load(&c->stop))
	{
		code = fixture_reader_next(&w->reader, &line, f);
		if (code != CLI_GOOD)
			break;
		if (line.s == NULL || w->count == w->replay->batch ||
			(w->count > 0 && w->rows.len + line.n > CALL_BYTES))
			code = call(c, w, f);
		if (code == CLI_GOOD && line.s != NULL)
			add_line(w, line);
	}
	fixture_reader_close(&w->reader);
	return code;
}

cli_exit
replay_feed(replay *r)
{
	crew		c = {.what = "replaying events", .total = r->fixture->lines};
	uint64_t	begun = replay_clock();
	size_t		size = r->connections * sizeof(feeder);
	feeder	   *workers = cli_alloc.resize(NULL, NULL, size);
	fault		f;
	cli_exit	code;

	memset(workers, 0, size);
	for (size_t i = 0; i < r->connections; i++)
	{
		workers[i].replay = r;
		workers[i].conn = r->conns[i];
		fixture_reader_init(&workers[i].reader, r->fixture, (unsigned) i);
		lc_buf_init(&workers[i].rows, &cli_alloc);
	}
	code = crew_run(&c, r->connections, feed, workers, sizeof(feeder), &f);
	r->timings.fed_us = replay_clock() - begun;
	for (size_t i = 0; i < r->connections; i++)
	{
		r->timings.imported += workers[i].imported;
		r->timings.present += workers[i].present;
		latency_merge(&r->timings.calls, &workers[i].calls);
		lc_buf_free(&workers[i].rows);
	}
	cli_alloc.release(NULL, workers);
	if (code == CLI_GOOD)
		return code;
	return cli_error(code, "%s.  %" PRIu64 " lines were replayed before; go on with --resume, or start again in "
					 "an empty ledger", f.text, r->timings.imported + r->timings.present);
}
