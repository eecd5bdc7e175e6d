/*
 * many_tiles.c
 *		A tiled log that is larger than a test would append events for, written
 *		by the code of ledgerctl export-tiles.
 *
 * usage: many_tiles DIR LEAVES		prints the public key of its checkpoint
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lc_envelope.h"
#include "lc_note.h"
#include "tile_writer.h"

static const char name[] = "log.example/many";
static const char origin[] = "log.example/many/acme/00000000-0000-8000-8000-000000000000";

/* Instead of libc's: this is about names of files, and there are a thousand to wait for. */
int
fsync(int fd)
{
	(void) fd;
	return 0;
}

static void
must(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "many_tiles: %s\n", what);
	exit(1);
}

static void
write_leaves(tile_writer *w, long leaves, fault *f)
{
	for (long i = 0; i < leaves; i++)
	{
		char		entry[24];
		uint8_t		hash[LC_HASH_LEN];
		int			n = snprintf(entry, sizeof(entry), "%ld", i);

		must(lc_leaf_hash(entry, (size_t) n, hash) == LC_OK &&
			 tile_writer_leaf(w, hash, (lc_str) {entry, (size_t) n}, f), f->text);
	}
}

int
main(int argc, char **argv)
{
	static tile_writer w;
	fault		f = {""};
	uint8_t		seed[LC_ED25519_KEY_LEN],
				root[LC_HASH_LEN];
	lc_signer	key;
	lc_buf		text,
				note,
				vkey;
	long		leaves = argc == 3 ? atol(argv[2]) : 0;

	must(leaves > 0, "usage: many_tiles DIR LEAVES");
	must(tile_writer_open(&w, argv[1], false, &f), f.text);
	write_leaves(&w, leaves, &f);
	must(tile_writer_finish(&w, root, &f), f.text);
	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_init(&note, &lc_alloc_malloc);
	lc_buf_init(&vkey, &lc_alloc_malloc);
	lc_checkpoint_format(&text, (lc_str) {origin, strlen(origin)}, (uint64_t) leaves, root);
	must(lc_ed25519_generate(seed) == LC_OK &&
		 lc_signer_make(name, LC_KEY_ED25519, seed, &key) == LC_OK, "no key");
	lc_buf_append(&note, text.data, text.len);
	lc_buf_putc(&note, '\n');
	must(lc_note_sign(&note, text.data, text.len, &key, 0, &lc_alloc_malloc) == LC_OK, "no signature");
	must(tile_writer_checkpoint(&w, note.data, &f), f.text);
	tile_writer_close(&w);
	lc_verifier_format(&vkey, &key.verifier);
	puts(vkey.data);
	return 0;
}
