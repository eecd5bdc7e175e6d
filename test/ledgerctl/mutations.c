/*
 * mutations.c
 *		Every single bit of a bundle, an event, a key and a checkpoint is
 *		changed, one at a time, and put to the judgement of verify-proof.
 *
 *		usage: mutations DIR		(fixtures of commands.mjs)
 *
 * What must come of a change is known before it is judged:
 *	- in a bundle and a checkpoint every byte is signed, hashed, or says how to
 *	  read what is: every change must be refused;
 *	- an event is what its canonical form says: a change must be refused if
 *	  that form is another, and must be accepted if it is the same;
 *	- an "extra" line and lines of unknown keys are not authenticated: there a
 *	  digit of base64 may become any other, and nothing else.
 *
 * The judgement runs in this process, built with sanitizers.  Prints TAP.
 */
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lc_jsonparse.h"
#include "proof_check.h"

static FILE *tap;
static int	tests;
static bool failed;
static const char *directory;

static trust known;
static lc_buf bundle;
static lc_buf event;

/* One test for a whole file: what differed first is told. */
typedef struct tally
{
	size_t		mutations;
	size_t		kept;			/* that rightly changed nothing */
	size_t		wrong;
	size_t		first_byte;
	unsigned	first_bit;
} tally;

static void
count(tally *t, size_t byte, unsigned bit, bool want_good, cli_exit got)
{
	bool		right = want_good ? got == CLI_GOOD : got == CLI_FAILED;

	t->mutations++;
	t->kept += want_good;
	if (right)
		return;
	if (t->wrong++ == 0)
	{
		t->first_byte = byte;
		t->first_bit = bit;
	}
}

static void
conclude(const tally *t, size_t at_least, const char *name)
{
	bool		good = t->wrong == 0 && t->mutations >= at_least;

	failed = failed || !good;
	fprintf(tap, "%s %d - %s: %zu single-bit changes, of which %zu change no meaning\n",
			good ? "ok" : "not ok", ++tests, name, t->mutations, t->kept);
	if (!good)
		fprintf(tap, "# %zu judged wrongly, the first at byte %zu bit %u\n", t->wrong, t->first_byte,
				t->first_bit);
}

static lc_buf
fixture(const char *name)
{
	char		path[4096];
	lc_buf		file;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	if (cli_read_file(path, 1000000, &file) != CLI_GOOD)
	{
		fprintf(tap, "Bail out! cannot read %s\n", path);
		exit(1);
	}
	return file;
}

static lc_str
whole(const lc_buf *buf)
{
	return (lc_str) {buf->data, buf->len};
}

/* A command's output begins anew for each, as in a process of its own. */
static cli_exit
judge(lc_str bundle_text, lc_str event_text, const trust *t)
{
	cli_exit	code;

	cli_output_begin("verify-proof", false);
	code = proof_check("bundle", bundle_text, "event", event_text, t);
	cli_output_end(code);
	return code;
}

typedef cli_exit (*judgement) (const lc_buf *mutated);
typedef bool (*expectation) (const lc_buf *mutated, size_t byte);

static void
every_bit(const char *name, lc_buf *file, size_t at_least, judgement verdict, expectation want_good)
{
	tally		t = {0};

	if (verdict(file) != CLI_GOOD)
	{
		t.wrong = 1;
		conclude(&t, 0, name);
		return;
	}
	for (size_t byte = 0; byte < file->len; byte++)
		for (unsigned bit = 0; bit < 8; bit++)
		{
			file->data[byte] ^= (char) (1u << bit);
			count(&t, byte, bit, want_good != NULL && want_good(file, byte), verdict(file));
			file->data[byte] ^= (char) (1u << bit);
		}
	conclude(&t, at_least, name);
}

/* ---- bundle, event, checkpoint ---- */

static cli_exit
judge_bundle(const lc_buf *mutated)
{
	return judge(whole(mutated), whole(&event), &known);
}

static cli_exit
judge_event(const lc_buf *mutated)
{
	return judge(whole(&bundle), whole(mutated), &known);
}

static cli_exit
judge_checkpoint(const lc_buf *mutated)
{
	judged		c;
	cli_exit	code;

	cli_output_begin("verify-export", false);
	code = trust_checkpoint("checkpoint", whole(mutated), &known, false, &c);
	cli_output_end(code);
	return code;
}

static lc_buf meaning;

static bool
means_the_same(const lc_buf *mutated, size_t byte)
{
	lc_buf		canonical;
	bool		same;

	(void) byte;
	lc_buf_init(&canonical, &lc_alloc_malloc);
	same = lc_json_canonicalize(mutated->data, mutated->len, &canonical, &lc_alloc_malloc, NULL) == LC_OK &&
		canonical.len == meaning.len && memcmp(canonical.data, meaning.data, meaning.len) == 0;
	lc_buf_free(&canonical);
	return same;
}

static void
every_bit_of_event(const char *name, lc_buf *file, size_t at_least)
{
	lc_buf_reset(&meaning);
	lc_json_canonicalize(file->data, file->len, &meaning, &lc_alloc_malloc, NULL);
	every_bit(name, file, at_least, judge_event, means_the_same);
}

/* ---- what nothing vouches for ---- */

static size_t open_from;
static size_t open_to;

static bool
is_digit(char c)
{
	return c != '\0' && strchr("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", c) != NULL;
}

static bool
still_a_digit(const lc_buf *mutated, size_t byte)
{
	return byte >= open_from && byte < open_to && is_digit(mutated->data[byte]);
}

/* The base64 that ends a line which begins so: [open_from, open_to). */
static void
find_open(const lc_buf *file, const char *line, size_t skip)
{
	const char *at = strstr(file->data, line);

	open_from = at != NULL ? (size_t) (at - file->data) + strlen(line) + skip : 0;
	open_to = at != NULL ? (size_t) (strchr(file->data + open_from, '\n') - file->data) : 0;
}

/* Bits of the line alone; the rest of the file is that of the bundle that was tried before. */
static void
every_bit_of_line(const char *name, lc_buf *file, const char *line, size_t skip)
{
	tally		t = {0};

	find_open(file, line, skip);
	for (size_t byte = open_from; byte < open_to; byte++)
		for (unsigned bit = 0; bit < 8; bit++)
		{
			file->data[byte] ^= (char) (1u << bit);
			count(&t, byte, bit, still_a_digit(file, byte), judge_bundle(file));
			file->data[byte] ^= (char) (1u << bit);
		}
	conclude(&t, 200, name);
	if (t.kept < 50)
		failed = true;
}

/* ---- keys ---- */

static void
every_bit_of_key(const lc_buf *text)
{
	tally		t = {0};
	char	   *mutated = malloc(text->len + 1);

	if (mutated == NULL)
		exit(1);
	for (size_t byte = 0; byte < text->len; byte++)
		for (unsigned bit = 0; bit < 8; bit++)
		{
			trust		other = known;
			lc_verifier key;
			cli_exit	code;

			memcpy(mutated, text->data, text->len + 1);
			mutated[byte] ^= (char) (1u << bit);
			cli_output_begin("verify-proof", false);
			code = cli_key(mutated, &key);
			cli_output_end(code);
			other.log.keys = &key;
			/* Refused as a key, or a key with which the proof does not hold. */
			if (code == CLI_GOOD)
				code = judge(whole(&bundle), whole(&event), &other);
			count(&t, byte, bit, false, code == CLI_GOOD ? CLI_GOOD : CLI_FAILED);
		}
	free(mutated);
	conclude(&t, 400, "a key");
}

/* A text that was cut off anywhere. */
static void
every_prefix(void)
{
	tally		t = {0};

	for (size_t n = 0; n < bundle.len; n++)
		count(&t, n, 0, false, judge((lc_str) {bundle.data, n}, whole(&event), &known));
	failed = failed || t.wrong > 0;
	fprintf(tap, "%s %d - a bundle cut off after each of %zu bytes\n", t.wrong > 0 ? "not ok" : "ok",
			++tests, t.mutations);
}

static void
read_keys(const lc_buf *log_key, const lc_buf *witness_key)
{
	static lc_verifier keys[2];

	if (cli_key(log_key->data, &keys[0]) != CLI_GOOD || cli_key(witness_key->data, &keys[1]) != CLI_GOOD)
	{
		fprintf(tap, "Bail out! the fixtures have no keys\n");
		exit(1);
	}
	known.log = (cli_keys) {1, &keys[0]};
	known.witnesses = (cli_keys) {1, &keys[1]};
	known.quorum = 1;
}

int
main(int argc, char **argv)
{
	lc_buf		log_key;
	lc_buf		witness_key;
	lc_buf		line;
	lc_buf		checkpoint;
	lc_buf		open;

	tap = fdopen(dup(STDOUT_FILENO), "w");
	if (argc != 2 || tap == NULL || freopen("/dev/null", "w", stdout) == NULL ||
		freopen("/dev/null", "w", stderr) == NULL)
		return 2;
	directory = argv[1];
	bundle = fixture("bundle");
	event = fixture("event");
	line = fixture("line");
	checkpoint = fixture("checkpoint");
	open = fixture("open-bundle");
	log_key = fixture("log.vkey");
	witness_key = fixture("witness.vkey");
	lc_buf_init(&meaning, &lc_alloc_malloc);
	read_keys(&log_key, &witness_key);

	every_bit("a bundle", &bundle, 2000, judge_bundle, NULL);
	every_bit_of_event("an event", &event, 2000);
	every_bit_of_event("an event with its payload", &line, 2000);
	every_bit("a checkpoint", &checkpoint, 2000, judge_checkpoint, NULL);
	every_bit_of_key(&log_key);
	every_bit_of_line("extra data of a bundle", &open, "\nextra ", 0);
	every_bit_of_line("a signature of an unknown key", &open, "\xe2\x80\x94 unknown.example ", 6);
	every_prefix();
	fprintf(tap, "1..%d\n", tests);
	fclose(tap);
	lc_buf_free(&bundle);
	lc_buf_free(&event);
	lc_buf_free(&line);
	lc_buf_free(&checkpoint);
	lc_buf_free(&open);
	lc_buf_free(&log_key);
	lc_buf_free(&witness_key);
	lc_buf_free(&meaning);
	return failed;
}
