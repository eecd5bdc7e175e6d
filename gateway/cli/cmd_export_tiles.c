/*
 * cmd_export_tiles.c
 *		ledgerctl export-tiles: a chain as files that any client of C2SP
 *		tlog-tiles reads, and that ledgerctl verify-tiles re-verifies alone.
 *
 * Tiles are made here from the leaf hashes, not copied from the database's,
 * and must lead to the root that the checkpoint signs.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "db.h"
#include "lc_note.h"
#include "online.h"
#include "tile_writer.h"

/* Rows asked for at once. */
#define BATCH 4096

typedef struct export
{
	PGconn	   *conn;
	const char *tenant;
	const char *chain;
	bool		with_entries;
	lc_checkpoint checkpoint;	/* borrows from the result that holds it */
	tile_writer w;
} export;

static PGresult *
read_batch(export *e, uint64_t first, uint64_t last, fault *f)
{
	char		bounds[2][24];
	const char *values[] = {e->tenant, e->chain, bounds[0], bounds[1]};

	snprintf(bounds[0], sizeof(bounds[0]), "%" PRIu64, first);
	snprintf(bounds[1], sizeof(bounds[1]), "%" PRIu64, last);
	return db_query(e->conn, f, e->with_entries
					? "SELECT e.sequence_no, e.merkle_leaf_hash,"
					" ledger.ledger_canonical_json(ledger.ledger_event_envelope(e)) AS entry"
					" FROM ledger.ledger_events AS e WHERE e.tenant_id = $1 AND e.chain_id = $2"
					" AND e.sequence_no BETWEEN $3 AND $4 ORDER BY e.sequence_no"
					: "SELECT e.sequence_no, e.merkle_leaf_hash, '' AS entry"
					" FROM ledger.ledger_events AS e WHERE e.tenant_id = $1 AND e.chain_id = $2"
					" AND e.sequence_no BETWEEN $3 AND $4 ORDER BY e.sequence_no", 4, values);
}

static cli_exit
write_batch(export *e, uint64_t first, const PGresult *rows)
{
	fault		f;

	for (int i = 0; i < PQntuples(rows); i++)
	{
		uint64_t	sequence;
		uint8_t		hash[LC_HASH_LEN];
		const char *entry = db_text(rows, i, "entry");

		if (!db_uint(rows, i, "sequence_no", &sequence) || sequence != first + (uint64_t) i ||
			!db_hash(rows, i, "merkle_leaf_hash", hash))
			return cli_error(CLI_FAILED, "sequence %" PRIu64 " of %s/%s is missing: verify the ledger",
							 first + (uint64_t) i, e->tenant, e->chain);
		if (!tile_writer_leaf(&e->w, hash, (lc_str) {entry, strlen(entry)}, &f))
			return cli_error(CLI_FAILED, "%s", f.text);
	}
	return CLI_GOOD;
}

static cli_exit
write_leaves(export *e)
{
	uint64_t	size = e->checkpoint.size;

	for (uint64_t first = 1; first <= size; first += BATCH)
	{
		uint64_t	last = size - first < BATCH ? size : first + BATCH - 1;
		fault		f;
		PGresult   *rows = read_batch(e, first, last, &f);
		cli_exit	code;

		if (rows == NULL)
			return cli_error(CLI_USAGE, "%s", f.text);
		code = write_batch(e, first, rows);
		PQclear(rows);
		if (code != CLI_GOOD)
			return code;
		cli_progress("leaves", last, size);
	}
	/* Rows at the end may be missing: the batches cannot tell. */
	if (e->w.frontier.size != size)
		return cli_error(CLI_FAILED, "%s/%s has %" PRIu64 " events and a checkpoint of %" PRIu64
						 ": verify the ledger", e->tenant, e->chain, e->w.frontier.size, size);
	return CLI_GOOD;
}

static cli_exit
write_all(export *e, const char *note)
{
	uint8_t		root[LC_HASH_LEN];
	fault		f;
	cli_exit	code = write_leaves(e);

	if (code != CLI_GOOD)
		return code;
	if (!tile_writer_finish(&e->w, root, &f))
		return cli_error(CLI_FAILED, "%s", f.text);
	if (memcmp(root, e->checkpoint.root, LC_HASH_LEN) != 0)
		return cli_error(CLI_FAILED, "the leaves of %s/%s do not lead to the root of its checkpoint of size %" PRIu64
						 ": verify the ledger", e->tenant, e->chain, e->checkpoint.size);
	if (!tile_writer_checkpoint(&e->w, note, &f))
		return cli_error(CLI_USAGE, "%s", f.text);
	return CLI_GOOD;
}

/* The signed checkpoint of that size, or the newest. */
static PGresult *
read_checkpoint(export *e, const char *size, fault *f)
{
	const char *values[] = {e->tenant, e->chain, size};

	if (!db_select_tenant(e->conn, e->tenant, f))
		return NULL;
	return db_query(e->conn, f,
					"SELECT checkpoint FROM ledger.ledger_merkle_roots"
					" WHERE tenant_id = $1 AND chain_id = $2 AND tree_size = coalesce($3, tree_size)"
					" AND jsonb_array_length(dsse -> 'signatures') > 0"
					" ORDER BY tree_size DESC LIMIT 1", 3, values);
}

static cli_exit
export_at(export *e, const char *dir, const char *note_text)
{
	lc_note		note;
	fault		f;
	cli_exit	code;

	if (lc_note_parse(note_text, strlen(note_text), &note) != LC_OK ||
		lc_checkpoint_parse(note.text.s, note.text.n, &e->checkpoint) != LC_OK)
		return cli_error(CLI_FAILED, "the stored checkpoint of %s/%s is none: verify the ledger", e->tenant, e->chain);
	code = tile_writer_open(&e->w, dir, e->with_entries, &f) ? write_all(e, note_text)
		: cli_error(CLI_USAGE, "%s", f.text);
	tile_writer_close(&e->w);
	if (code == CLI_GOOD)
	{
		cli_json_uint("treeSize", e->checkpoint.size);
		cli_json_hex("rootHash", e->checkpoint.root, LC_HASH_LEN);
		cli_print("%s: %" PRIu64 " leaves in %" PRIu64 " files", dir, e->checkpoint.size, e->w.files);
	}
	return code;
}

static cli_exit
export_chain(export *e, const cli_args *args)
{
	char		limit[24];
	uint64_t	size = 0;
	fault		f;
	PGresult   *found;
	cli_exit	code = cli_number(args, "size", 1, LC_MERKLE_MAX_SIZE, &size);

	if (code != CLI_GOOD)
		return code;
	snprintf(limit, sizeof(limit), "%" PRIu64, size);
	found = read_checkpoint(e, size > 0 ? limit : NULL, &f);
	if (found == NULL)
		return cli_error(CLI_USAGE, "%s", f.text);
	if (PQntuples(found) == 0)
		code = cli_error(CLI_NOT_FOUND, "%s/%s has no signed checkpoint%s%s that this role may see", e->tenant,
						 e->chain, size > 0 ? " of size " : "", size > 0 ? limit : "");
	else
		code = export_at(e, cli_operand(args, 0), db_text(found, 0, "checkpoint"));
	PQclear(found);
	return code;
}

static cli_exit
export_tiles(const cli_args *args)
{
	/* Too large for a stack that somebody has limited. */
	static export e;
	cli_exit	code;

	e.tenant = cli_value(args, "tenant");
	e.chain = cli_value(args, "chain");
	e.with_entries = cli_has(args, "entries");
	e.conn = db_connect(args);
	if (e.conn == NULL)
		return CLI_USAGE;
	code = export_chain(&e, args);
	PQfinish(e.conn);
	return code;
}

static const cli_option options[] = {
	DB_OPTION,
	{"tenant", "NAME", "whose chain it is", true, false},
	{"chain", "UUID", "the chain", true, false},
	{"size", "N", "the signed checkpoint of that size, not the newest", false, false},
	{"entries", NULL, "the envelopes too, as entry bundles", false, false},
	{NULL, NULL, NULL, false, false}
};

const cli_command export_tiles_command = {
	"export-tiles", "DIR", 1, 1,
	"write a chain's tiles to a directory",
	"Writes a chain as a tiled log (C2SP tlog-tiles): tile/…, with --entries\n"
	"tile/entries/…, and checkpoint, the newest one that is signed.  Any client of\n"
	"such logs reads it; ledgerctl verify-tiles checks all of it from the files.\n"
	"Tiles that are there already must be the same, and a later run adds to them.\n",
	options,
	"ledgerctl export-tiles /srv/log --tenant acme --chain 6fa1d9d3-7f8e-81e2-8259-57432d5d4ccf\n"
	"ledgerctl verify-tiles /srv/log --key log.pub\n",
	export_tiles, true
};
