/*
 * tiles.c
 *		Names of tiles and their bytes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tiles.h"

/* Groups of three digits, all but the last behind an x: 1234067 is x001/x234/067. */
static void
put_index(char *out, size_t size, uint64_t n)
{
	char		groups[8][8];
	int			count = 0;

	do
		snprintf(groups[count++], sizeof(groups[0]), "%03u", (unsigned) (n % 1000));
	while ((n /= 1000) > 0);
	*out = '\0';
	while (count-- > 0)
	{
		size_t		len = strlen(out);

		snprintf(out + len, size - len, "%s%s%s", count > 0 ? "x" : "", groups[count],
				 count > 0 ? "/" : "");
	}
}

void
tile_path(char out[TILE_PATH_MAX], int level, uint64_t n, unsigned width)
{
	char		index[64];
	char		name[16];
	char		partial[16] = "";

	put_index(index, sizeof(index), n);
	if (level < 0)
		snprintf(name, sizeof(name), "entries");
	else
		snprintf(name, sizeof(name), "%d", level);
	if (width < TILE_WIDTH)
		snprintf(partial, sizeof(partial), ".p/%u", width);
	snprintf(out, TILE_PATH_MAX, "tile/%s/%s%s", name, index, partial);
}

static char *
join(const char *dir, const char *path)
{
	size_t		n = strlen(dir) + strlen(path) + 2;
	char	   *s = cli_alloc.resize(NULL, NULL, n);

	snprintf(s, n, "%s/%s", dir, path);
	return s;
}

/* The path of the file that serves: the partial tile, or the full one; NULL if neither is there. */
static char *
find(const char *dir, int level, uint64_t n, unsigned *width, char out_path[TILE_PATH_MAX])
{
	char	   *path;
	char		full[TILE_PATH_MAX];

	tile_path(out_path, level, n, *width);
	path = join(dir, out_path);
	if (access(path, F_OK) == 0)
		return path;
	free(path);
	tile_path(full, level, n, TILE_WIDTH);
	path = join(dir, full);
	if (access(path, F_OK) == 0)
	{
		memcpy(out_path, full, sizeof(full));
		*width = TILE_WIDTH;
		return path;
	}
	free(path);
	return NULL;
}

cli_exit
tile_read(const char *dir, int level, uint64_t n, unsigned width,
		  uint8_t hashes[TILE_WIDTH][LC_HASH_LEN], char out_path[TILE_PATH_MAX])
{
	unsigned	stored = width;
	char	   *path = find(dir, level, n, &stored, out_path);
	lc_buf		file;
	cli_exit	code;

	if (path == NULL)
		return cli_error(CLI_FAILED, "%s: %s is missing", dir, out_path);
	code = cli_read_file(path, TILE_WIDTH * LC_HASH_LEN, &file);
	if (code == CLI_GOOD && file.len != (size_t) stored * LC_HASH_LEN)
		code = cli_error(CLI_FAILED, "%s: %s has %zu bytes; %u hashes have %zu", dir, out_path,
						 file.len, stored, (size_t) stored * LC_HASH_LEN);
	if (code == CLI_GOOD)
		memcpy(hashes, file.data, (size_t) width * LC_HASH_LEN);
	lc_buf_free(&file);
	free(path);
	return code;
}

cli_exit
tile_read_entries(const char *dir, uint64_t n, unsigned *width, lc_buf *out,
				  char out_path[TILE_PATH_MAX])
{
	char	   *path = find(dir, -1, n, width, out_path);
	cli_exit	code;

	lc_buf_init(out, &cli_alloc);
	if (path == NULL)
	{
		*width = 0;
		return CLI_GOOD;
	}
	code = cli_read_file(path, TILE_ENTRIES_MAX, out);
	free(path);
	return code;
}
