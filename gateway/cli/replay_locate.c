/*
 * replay_locate.c
 *		Which event it is.
 *
 * A chain that was written anew holds in itself, and only its root tells it from
 * the fixture's.  Then the fixture is read once more, beside the database.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "lc_hex.h"
#include "replay.h"
#include "stored_event.h"

typedef struct locating
{
	const replay *replay;
	const replay_chain *chain;
	size_t		file;
	line_reader lines;
	bool		open;
} locating;

/* The next line of the chain, whatever worker it is of; false at the fixture's end. */
static bool
next_line(locating *l, event_doc *doc, char *where, size_t size)
{
	const fixture *x = l->replay->fixture;
	lc_str		line;

	while (l->file < x->count)
	{
		if (!l->open && lines_open(&l->lines, x->files[l->file].path, EVENT_LINE_MAX) != CLI_GOOD)
			return false;
		l->open = true;
		while (lines_next(&l->lines, &line) == CLI_GOOD && line.s != NULL)
		{
			uint8_t		id[LC_UUID_LEN];

			if (!fixture_line_chain(line, id) || memcmp(id, l->chain->chain_id, LC_UUID_LEN) != 0)
				continue;
			snprintf(where, size, "%.4096s:%" PRIu64, x->files[l->file].path, l->lines.number);
			if (event_read(where, line.s, line.n, true, doc) == CLI_GOOD &&
				doc->event.tenant.n == strlen(l->chain->tenant) &&
				memcmp(doc->event.tenant.s, l->chain->tenant, doc->event.tenant.n) == 0)
				return true;
			event_free(doc);
		}
		lines_close(&l->lines);
		l->open = false;
		l->file++;
	}
	return false;
}

static cli_exit
compare_event(void *arg, const stored_event *event, fault *f)
{
	locating   *l = arg;
	char		where[4200];
	char		hex[2][2 * LC_HASH_LEN];
	event_doc	doc;
	bool		same;

	if (!next_line(l, &doc, where, sizeof(where)))
	{
		fault_set(f, "%s/%s sequence %" PRId64 " is in the database and in no fixture", l->chain->tenant, l->chain->id,
				  event->event.sequence);
		return CLI_FAILED;
	}
	same = memcmp(doc.event_hash, event->event_hash, LC_HASH_LEN) == 0;
	lc_hex_encode(doc.event_hash, LC_HASH_LEN, hex[0]);
	lc_hex_encode(event->event_hash, LC_HASH_LEN, hex[1]);
	event_free(&doc);
	if (same)
		return CLI_GOOD;
	fault_set(f, "%s: the event hash is %.64s, but %s/%s sequence %" PRId64 " in the database has %.64s", where,
			  hex[0], l->chain->tenant, l->chain->id, event->event.sequence, hex[1]);
	return CLI_FAILED;
}

cli_exit
replay_locate(const replay *r, const replay_chain *chain, fault *f)
{
	locating	l = {.replay = r, .chain = chain};
	char		where[4200];
	event_doc	doc;
	cli_exit	code = chain_visit(r->conns[0], chain->tenant, chain->id, compare_event, &l, f);

	if (code == CLI_GOOD && next_line(&l, &doc, where, sizeof(where)))
	{
		event_free(&doc);
		fault_set(f, "%s: %s/%s ends before it in the database, at sequence %" PRIu64, where, chain->tenant, chain->id,
				  chain->events);
		code = CLI_FAILED;
	}
	else if (code == CLI_GOOD)
	{
		fault_set(f, "%s/%s is not the chain of the fixture, which has changed meanwhile", chain->tenant, chain->id);
		code = CLI_FAILED;
	}
	if (l.open)
		lines_close(&l.lines);
	return code;
}
