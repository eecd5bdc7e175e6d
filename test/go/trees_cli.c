/*
 * trees_cli.c
 *		The core's tree behind a line protocol, for comparison with other
 *		implementations.
 *
 * The leaf of index i has the entry of eight bytes that is i, big-endian.  The
 * tree's nodes are those that the frontier's sink told of, and proofs are made
 * from these.  One command a line on standard input, fields separated by
 * blanks, hashes in hex; one answer a line on standard output:
 *
 *		grow SIZE						"ok"
 *		root							the frontier's root
 *		range START END					the root over these leaves
 *		inclusion INDEX SIZE			its hashes, separated by blanks
 *		consistency SIZE1 SIZE2			likewise
 *		includes LEAF INDEX SIZE ROOT HASH…			"true" or "false"
 *		extends SIZE1 ROOT1 SIZE2 ROOT2 HASH…		likewise
 *
 * Whatever is no such line ends the program with status 2.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "lc_envelope.h"
#include "lc_hex.h"
#include "lc_merkle.h"

#define MAX_FIELDS 128
#define MAX_HEIGHT 24

/* The complete subtrees so far, by height. */
typedef struct row
{
	uint8_t		(*hashes)[LC_HASH_LEN];
	uint64_t	count;
	uint64_t	room;
} row;

static row	rows[MAX_HEIGHT];
static lc_frontier frontier;
static char *fields[MAX_FIELDS];
static size_t nfields;

static void
give_up(const char *why)
{
	fprintf(stderr, "trees_cli: %s\n", why);
	exit(2);
}

static void
must(lc_status status)
{
	if (status != LC_OK)
		give_up(lc_status_text(status));
}

static lc_status
keep_node(void *arg, unsigned height, uint64_t index, const uint8_t hash[LC_HASH_LEN])
{
	row		   *r;

	(void) arg;
	if (height >= MAX_HEIGHT || index != rows[height].count)
		return LC_ERR_MISUSE;
	r = &rows[height];
	if (r->count == r->room)
	{
		r->room = r->room == 0 ? 1024 : 2 * r->room;
		r->hashes = realloc(r->hashes, r->room * LC_HASH_LEN);
		if (r->hashes == NULL)
			return LC_ERR_MEMORY;
	}
	memcpy(r->hashes[r->count++], hash, LC_HASH_LEN);
	return LC_OK;
}

static lc_status
kept_node(void *arg, unsigned height, uint64_t index, uint8_t out[LC_HASH_LEN])
{
	(void) arg;
	if (height >= MAX_HEIGHT || index >= rows[height].count)
		return LC_ERR_ABSENT;
	memcpy(out, rows[height].hashes[index], LC_HASH_LEN);
	return LC_OK;
}

static const lc_node_sink sink = {keep_node, NULL};
static const lc_node_source source = {kept_node, NULL};

static uint64_t
number_field(size_t i)
{
	char	   *end;
	uint64_t	value;

	if (i >= nfields)
		give_up("a number is missing");
	value = strtoull(fields[i], &end, 10);
	if (end == fields[i] || *end != '\0')
		give_up("bad number");
	return value;
}

static void
hash_field(size_t i, uint8_t hash[LC_HASH_LEN])
{
	if (i >= nfields || lc_hex_decode(fields[i], strlen(fields[i]), hash, LC_HASH_LEN) != LC_OK)
		give_up("bad hash");
}

/* The fields from the fifth on. */
static void
proof_fields(lc_proof *proof)
{
	size_t		i;

	if (nfields > 5 + LC_PROOF_MAX)
		give_up("too many hashes");
	proof->count = 0;
	for (i = 5; i < nfields; i++)
		hash_field(i, proof->hashes[proof->count++]);
}

static void
print_hash(const uint8_t hash[LC_HASH_LEN], const char *before)
{
	char		hex[2 * LC_HASH_LEN];

	lc_hex_encode(hash, LC_HASH_LEN, hex);
	printf("%s%.*s", before, (int) sizeof(hex), hex);
}

static void
do_grow(void)
{
	uint64_t	size = number_field(1);

	while (frontier.size < size)
	{
		uint8_t		leaf[LC_HASH_LEN];
		char		entry[8];
		int			i;

		for (i = 0; i < 8; i++)
			entry[i] = (char) (frontier.size >> (56 - 8 * i));
		must(lc_leaf_hash(entry, sizeof(entry), leaf));
		must(keep_node(NULL, 0, frontier.size, leaf));
		must(lc_frontier_append(&frontier, leaf, &sink));
	}
	printf("ok");
}

static void
do_root(void)
{
	uint8_t		root[LC_HASH_LEN];

	must(lc_frontier_root(&frontier, root));
	print_hash(root, "");
}

static void
do_range(void)
{
	uint8_t		root[LC_HASH_LEN];

	must(lc_merkle_range_root(&source, number_field(1), number_field(2), root));
	print_hash(root, "");
}

static void
do_proof(void)
{
	lc_proof	proof;
	size_t		i;
	bool		inclusion = strcmp(fields[0], "inclusion") == 0;

	must((inclusion ? lc_merkle_inclusion : lc_merkle_consistency)
		 (&source, number_field(1), number_field(2), &proof));
	for (i = 0; i < proof.count; i++)
		print_hash(proof.hashes[i], i == 0 ? "" : " ");
}

static void
print_verdict(lc_status status)
{
	if (status != LC_OK && status != LC_ERR_PROOF)
		must(status);
	printf("%s", status == LC_OK ? "true" : "false");
}

static void
do_includes(void)
{
	uint8_t		leaf[LC_HASH_LEN];
	uint8_t		root[LC_HASH_LEN];
	lc_proof	proof;

	hash_field(1, leaf);
	hash_field(4, root);
	proof_fields(&proof);
	print_verdict(lc_merkle_verify_inclusion(leaf, number_field(2), number_field(3),
											 (const uint8_t (*)[LC_HASH_LEN]) proof.hashes,
											 proof.count, root));
}

static void
do_extends(void)
{
	uint8_t		root1[LC_HASH_LEN];
	uint8_t		root2[LC_HASH_LEN];
	lc_proof	proof;

	hash_field(2, root1);
	hash_field(4, root2);
	proof_fields(&proof);
	print_verdict(lc_merkle_verify_consistency(number_field(1), root1, number_field(3), root2,
											   (const uint8_t (*)[LC_HASH_LEN]) proof.hashes,
											   proof.count));
}

static const struct
{
	const char *name;
	void		(*run) (void);
}			commands[] = {
	{"grow", do_grow},
	{"root", do_root},
	{"range", do_range},
	{"inclusion", do_proof},
	{"consistency", do_proof},
	{"includes", do_includes},
	{"extends", do_extends},
};

static void
answer_line(char *line)
{
	char	   *word;
	size_t		i;

	nfields = 0;
	for (word = strtok(line, " \n"); word != NULL; word = strtok(NULL, " \n"))
	{
		if (nfields == MAX_FIELDS)
			give_up("too many fields");
		fields[nfields++] = word;
	}
	for (i = 0; nfields > 0 && i < sizeof(commands) / sizeof(commands[0]); i++)
	{
		if (strcmp(fields[0], commands[i].name) != 0)
			continue;
		commands[i].run();
		putchar('\n');
		return;
	}
	give_up("unknown command");
}

int
main(void)
{
	char	   *line = NULL;
	size_t		size = 0;
	size_t		i;

	/* Who asks may wait for an answer before the next question. */
	setvbuf(stdout, NULL, _IOLBF, 0);
	lc_frontier_init(&frontier);
	while (getline(&line, &size, stdin) >= 0)
		answer_line(line);
	free(line);
	for (i = 0; i < MAX_HEIGHT; i++)
		free(rows[i].hashes);
	lc_sha256_thread_end();
	return fflush(stdout) == 0 ? 0 : 1;
}
