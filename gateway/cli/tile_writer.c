/*
 * tile_writer.c
 *		The files of a tiled log.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "durable.h"
#include "lc_envelope.h"
#include "tile_writer.h"

/*
 * "x001/x234/067" for 1234067: groups of three digits, all but the last with an
 * x, so that a file is never where a directory must be.  The groups, last first.
 */
static size_t
index_groups(uint64_t index, char groups[7][8])
{
	size_t		n = 0;

	do
	{
		snprintf(groups[n], sizeof(groups[n]), n == 0 ? "%03u" : "x%03u", (unsigned) (index % 1000));
		index /= 1000;
		n++;
	} while (index > 0);
	return n;
}

/* Goes from dir into a directory below it; dir is closed. */
static int
descend(int dir, const char *name, fault *f)
{
	int			next = dir < 0 ? -1 : durable_sub_dir(dir, name, f);

	if (dir >= 0)
		close(dir);
	return next;
}

/* width 0: a full tile. */
static bool
write_tile(tile_writer *w, const char *level, uint64_t index, size_t width, const void *bytes,
		   size_t n, fault *f)
{
	char		groups[7][8],
				name[32];
	size_t		count = index_groups(index, groups);
	int			dir = descend(descend(fcntl(w->dir, F_DUPFD_CLOEXEC, 0), "tile", f), level, f);
	bool		good;

	for (size_t i = count - 1; i > 0; i--)
		dir = descend(dir, groups[i], f);
	snprintf(name, sizeof(name), "%s", groups[0]);
	if (width > 0)
	{
		snprintf(name, sizeof(name), "%s.p", groups[0]);
		dir = descend(dir, name, f);
		snprintf(name, sizeof(name), "%zu", width);
	}
	if (dir < 0)
		return false;
	good = durable_create(dir, name, bytes, n, f);
	close(dir);
	w->files++;
	return good || fault_at(f, "tile/%s, index %" PRIu64, level, index);
}

static bool
write_level(tile_writer *w, unsigned level, size_t width, fault *f)
{
	tile_level *t = &w->levels[level];
	char		name[8];

	snprintf(name, sizeof(name), "%u", level);
	if (!write_tile(w, name, t->index, width, t->hashes, t->width * LC_HASH_LEN, f))
		return false;
	return level > 0 || !w->with_entries ||
		write_tile(w, "entries", t->index, width, w->entries.data, w->entries.len, f);
}

static bool
tile_root(const tile_level *t, uint8_t out[LC_HASH_LEN])
{
	lc_frontier f;

	lc_frontier_init(&f);
	for (size_t i = 0; i < t->width; i++)
		if (lc_frontier_append(&f, t->hashes + i * LC_HASH_LEN, NULL) != LC_OK)
			return false;
	return lc_frontier_root(&f, out) == LC_OK;
}

/* A full tile is written, and its root is a hash of the level above. */
static bool
add_hash(tile_writer *w, unsigned level, const uint8_t *hash, fault *f)
{
	uint8_t		above[LC_HASH_LEN];

	for (;; level++)
	{
		tile_level *t = &w->levels[level];

		memcpy(t->hashes + t->width++ * LC_HASH_LEN, hash, LC_HASH_LEN);
		if (t->width < TILE_WIDTH)
			return true;
		if (!write_level(w, level, 0, f))
			return false;
		if (level + 1 == TILE_LEVELS || !tile_root(t, above))
			return fault_set(f, "the tree cannot be hashed");
		if (level == 0)
			lc_buf_reset(&w->entries);
		t->index++;
		t->width = 0;
		hash = above;
	}
}

/* A length of two bytes, big-endian, and the entry. */
static bool
add_entry(tile_writer *w, const uint8_t *leaf_hash, lc_str entry, fault *f)
{
	uint8_t		hash[LC_HASH_LEN];

	if (entry.n > LC_ENVELOPE_MAX || lc_leaf_hash(entry.s, entry.n, hash) != LC_OK ||
		memcmp(hash, leaf_hash, LC_HASH_LEN) != 0)
		return fault_set(f, "the envelope of sequence %" PRIu64 " is not what its leaf hash says: verify the ledger",
						 w->frontier.size + 1);
	lc_buf_putc(&w->entries, (char) (entry.n >> 8));
	lc_buf_putc(&w->entries, (char) (entry.n & 0xff));
	lc_buf_append(&w->entries, entry.s, entry.n);
	return true;
}

bool
tile_writer_open(tile_writer *w, const char *path, bool with_entries, fault *f)
{
	memset(w, 0, sizeof(*w));
	lc_frontier_init(&w->frontier);
	lc_buf_init(&w->entries, &cli_alloc);
	w->with_entries = with_entries;
	w->dir = durable_make_dir(path, f);
	return w->dir >= 0;
}

bool
tile_writer_leaf(tile_writer *w, const uint8_t leaf_hash[LC_HASH_LEN], lc_str entry, fault *f)
{
	if (w->with_entries && !add_entry(w, leaf_hash, entry, f))
		return false;
	if (lc_frontier_append(&w->frontier, leaf_hash, NULL) != LC_OK)
		return fault_set(f, "the tree cannot be hashed");
	return add_hash(w, 0, leaf_hash, f);
}

bool
tile_writer_finish(tile_writer *w, uint8_t root[LC_HASH_LEN], fault *f)
{
	for (unsigned level = 0; level < TILE_LEVELS; level++)
		if (w->levels[level].width > 0 && !write_level(w, level, w->levels[level].width, f))
			return false;
	return lc_frontier_root(&w->frontier, root) == LC_OK || fault_set(f, "the tree cannot be hashed");
}

bool
tile_writer_checkpoint(tile_writer *w, const char *note, fault *f)
{
	w->files++;
	return durable_replace(w->dir, "checkpoint", note, strlen(note), f);
}

void
tile_writer_close(tile_writer *w)
{
	if (w->dir >= 0)
		close(w->dir);
	lc_buf_free(&w->entries);
}
