/*
 * tiles.h
 *		Tiles of C2SP tlog-tiles in a directory: where they lie, and reading
 *		them.
 */
#ifndef LEDGERCTL_TILES_H
#define LEDGERCTL_TILES_H

#include "cli.h"

#define TILE_WIDTH 256
#define TILE_HEIGHT 8
#define TILE_PATH_MAX 128
/* An entry bundle: 256 entries of at most 65,535 bytes with their lengths. */
#define TILE_ENTRIES_MAX (TILE_WIDTH * (65535 + 2))

/* "tile/<level>/<n>", for width < 256 with ".p/<width>"; level -1 is "entries". */
extern void tile_path(char out[TILE_PATH_MAX], int level, uint64_t n, unsigned width);

/*
 * The first width hashes of a tile.  A partial one may have been replaced by
 * the full one that grew from it.  CLI_FAILED if it is missing or has another
 * length.  Messages name it as out_path.
 */
extern cli_exit tile_read(const char *dir, int level, uint64_t n, unsigned width,
						  uint8_t hashes[TILE_WIDTH][LC_HASH_LEN], char out_path[TILE_PATH_MAX]);

/*
 * The bytes of an entry bundle of that width or, instead of a partial one, of
 * the full one: *width is then that.  0 if neither is there.  out is
 * initialised here.
 */
extern cli_exit tile_read_entries(const char *dir, uint64_t n, unsigned *width, lc_buf *out,
								  char out_path[TILE_PATH_MAX]);

#endif
