/*
 * mangled.c
 *		Files that somebody tore, stretched and stitched together, by the
 *		thousand, put to everything that reads one: inspect, verify-proof, the
 *		statements of verify-checkpoints, exported lines.
 *
 *		usage: mangled DIR [ROUNDS SEED]		(fixtures of fixture.mjs)
 *
 * Built with sanitizers: the test is that they say nothing.  And one thing must
 * never come out: an event that is not the logged one, verified.  Prints TAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anchor_file.h"
#include "inspect.h"
#include "lc_jsonparse.h"
#include "proof_check.h"

#define ROUNDS 20000
#define SEED 3161
#define EDITS_MAX 6

static const char *const names[] = {"bundle", "open-bundle", "event", "line", "checkpoint", "text",
"lines", "log.vkey", "log.skey", "dsse", "airgap"};

#define COUNT (sizeof(names) / sizeof(names[0]))

enum
{
	BUNDLE = 0,
	EVENT = 2,
	KEY = 7,
	DSSE = 9
};

static FILE *tap;
static lc_buf files[COUNT];
static trust known;
static uint64_t dice_state;

/* SplitMix64: the same sequence on every machine. */
static uint64_t
dice(uint64_t below)
{
	uint64_t	z = dice_state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return (z ^ (z >> 31)) % below;
}

static lc_str
random_part(lc_str whole)
{
	size_t		start = (size_t) dice(whole.n + 1);

	return (lc_str) {whole.s + start, (size_t) dice(whole.n - start + 1)};
}

static void
replace(lc_buf *text, size_t at, size_t removed, lc_str with)
{
	lc_buf		result;

	lc_buf_init(&result, &lc_alloc_malloc);
	lc_buf_append(&result, text->data, at);
	lc_buf_append(&result, with.s, with.n);
	lc_buf_append(&result, text->data + at + removed, text->len - at - removed);
	lc_buf_free(text);
	*text = result;
}

/* A byte changed, a part dropped, doubled, moved, or taken from another file. */
static void
edit(lc_buf *text)
{
	static const char bytes[] = "\n \"\\{}[]+/=-0:,\xe2\x80\x94\xff\x01";
	lc_str		part = random_part((lc_str) {text->data != NULL ? text->data : "", text->len});
	size_t		at = (size_t) dice(text->len + 1);
	const lc_buf *other = &files[dice(COUNT)];

	switch (dice(6))
	{
		case 0:
			if (at < text->len)
				text->data[at] = (char) (text->data[at] ^ (1 << dice(8)));
			break;
		case 1:
			replace(text, (size_t) (part.s - (text->data != NULL ? text->data : part.s)), part.n, (lc_str) {"", 0});
			break;
		case 2:
			replace(text, at, 0, part);
			break;
		case 3:
			replace(text, at, 0, random_part((lc_str) {other->data, other->len}));
			break;
		case 4:
			replace(text, at, 0, (lc_str) {bytes + dice(sizeof(bytes) - 1), 1});
			break;
		default:
			if (text->len < 100000)
				for (uint64_t n = dice(40); n > 0; n--)
					replace(text, at, 0, (lc_str) {bytes + dice(sizeof(bytes) - 1), 1});
	}
}

static lc_str
whole(const lc_buf *buf)
{
	return (lc_str) {buf->data, buf->len};
}

static bool
same_meaning(lc_str text)
{
	lc_buf		canonical;
	bool		same;

	lc_buf_init(&canonical, &lc_alloc_malloc);
	same = lc_json_canonicalize(text.s, text.n, &canonical, &lc_alloc_malloc, NULL) == LC_OK &&
		canonical.len == files[EVENT].len &&
		memcmp(canonical.data, files[EVENT].data, canonical.len) == 0;
	lc_buf_free(&canonical);
	return same;
}

static cli_exit
inspect(lc_str text)
{
	cli_exit	code;

	cli_output_begin("inspect", dice(2) == 0);
	code = inspect_content("file", text);
	cli_output_end(code);
	return code;
}

static cli_exit
prove(lc_str bundle, lc_str event)
{
	cli_exit	code;

	cli_output_begin("verify-proof", false);
	code = proof_check("bundle", bundle, "event", event, &known);
	cli_output_end(code);
	return code;
}

static cli_exit
read_statement(lc_str json)
{
	anchor_file a = {0};
	cli_exit	code;

	cli_output_begin("verify-checkpoints", false);
	code = anchor_add_statement(&a, "statement", json, &known);
	cli_output_end(code);
	anchor_file_free(&a);
	return code;
}

/* All that read a file, on one; false if something false was verified. */
static bool
judge(size_t from, lc_str text)
{
	bool		right = true;

	inspect(text);
	right = prove(text, whole(&files[EVENT])) != CLI_GOOD || from <= 1;
	/* A line of an export says more than the envelope: its envelope was logged, or it is refused. */
	if (prove(whole(&files[BUNDLE]), text) == CLI_GOOD)
		right = right && (same_meaning(text) || from == 3 || from == 6);
	read_statement(text);
	return right;
}

static void
read_fixtures(const char *directory)
{
	static lc_verifier keys[1];

	for (size_t i = 0; i < COUNT; i++)
	{
		char		path[4096];

		snprintf(path, sizeof(path), "%s/%s", directory, names[i]);
		if (cli_read_file(path, 1000000, &files[i]) != CLI_GOOD)
			exit(2);
	}
	if (cli_key(files[KEY].data, &keys[0]) != CLI_GOOD)
		exit(2);
	known.log = (cli_keys) {1, keys};
}

/* One file, edited a few times. */
static bool
one_round(void)
{
	size_t		from = (size_t) dice(COUNT);
	lc_buf		text;
	char	   *exact;
	bool		right;

	lc_buf_init(&text, &lc_alloc_malloc);
	lc_buf_append(&text, files[from].data, files[from].len);
	for (uint64_t n = 1 + dice(EDITS_MAX); n > 0; n--)
		edit(&text);
	/* Exactly its size: who reads on is seen. */
	exact = malloc(text.len > 0 ? text.len : 1);
	if (exact == NULL)
		exit(2);
	if (text.len > 0)
		memcpy(exact, text.data, text.len);
	right = judge(from, (lc_str) {exact, text.len});
	free(exact);
	lc_buf_free(&text);
	return right;
}

int
main(int argc, char **argv)
{
	unsigned long rounds = argc > 2 ? strtoul(argv[2], NULL, 10) : ROUNDS;
	unsigned long wrong = 0;

	dice_state = argc > 3 ? strtoull(argv[3], NULL, 10) : SEED;
	tap = fdopen(dup(STDOUT_FILENO), "w");
	if (argc < 2 || tap == NULL || freopen("/dev/null", "w", stdout) == NULL)
		return 2;
	read_fixtures(argv[1]);
	/* The untouched ones are judged right, so that refusing everything does not pass. */
	if (prove(whole(&files[BUNDLE]), whole(&files[EVENT])) != CLI_GOOD ||
		read_statement(whole(&files[DSSE])) != CLI_GOOD || inspect(whole(&files[BUNDLE])) != CLI_GOOD)
		wrong++;
	for (unsigned long i = 0; i < rounds; i++)
		wrong += !one_round();
	fprintf(tap, "%s 1 - %lu mangled files do no harm and prove nothing\n1..1\n", wrong > 0 ? "not ok" : "ok",
			rounds);
	fclose(tap);
	for (size_t i = 0; i < COUNT; i++)
		lc_buf_free(&files[i]);
	return wrong > 0;
}
