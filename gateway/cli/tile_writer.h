/*
 * tile_writer.h
 *		The files of a tiled log (C2SP tlog-tiles) from its leaf hashes in order.
 *
 *		<dir>/tile/<level>/<index>[.p/<width>]
 *		<dir>/tile/entries/<index>[.p/<width>]
 *		<dir>/checkpoint
 *
 * Tiles never change, so none is overwritten: a directory that holds another
 * log is a fault.  The checkpoint is written last, in one step; whoever reads
 * it finds every tile that it needs.
 */
#ifndef LEDGERCTL_TILE_WRITER_H
#define LEDGERCTL_TILE_WRITER_H

#include "fault.h"
#include "lc_merkle.h"

#define TILE_WIDTH 256
#define TILE_LEVELS 8

typedef struct tile_level
{
	uint64_t	index;			/* of the tile that is being filled */
	size_t		width;
	uint8_t		hashes[TILE_WIDTH * LC_HASH_LEN];
} tile_level;

typedef struct tile_writer
{
	int			dir;
	bool		with_entries;
	lc_frontier frontier;		/* over all leaves: the root */
	lc_buf		entries;		/* of the level-0 tile that is being filled */
	uint64_t	files;
	tile_level	levels[TILE_LEVELS];
} tile_writer;

extern bool tile_writer_open(tile_writer *w, const char *path, bool with_entries, fault *f);

/* The next leaf; entry is what it is the hash of, and is checked, if entries are written. */
extern bool tile_writer_leaf(tile_writer *w, const uint8_t leaf_hash[LC_HASH_LEN], lc_str entry, fault *f);

/* What is not full yet, as partial tiles; *root is then that of all leaves. */
extern bool tile_writer_finish(tile_writer *w, uint8_t root[LC_HASH_LEN], fault *f);
extern bool tile_writer_checkpoint(tile_writer *w, const char *note, fault *f);
extern void tile_writer_close(tile_writer *w);

#endif
