/*
 * cmd_verify_export.c
 *		ledgerctl verify-export: lines of docs/formats.md section 10, with or
 *		without checkpoints that they must agree with.
 *
 * Memory grows with the number of chains, not of events.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <openssl/evp.h>

#include "commands.h"
#include "export_check.h"
#include "lc_hex.h"
#include "lines.h"

/* After so many faulty lines the rest adds nothing. */
#define FAULTY_MAX 20

static const cli_option options[] = {
	{"checkpoint", "FILE", "a signed checkpoint that the events must agree with", false, true},
	{"key", "KEY", "a public key of the log, or a file that holds one", false, true},
	{"witness", "KEY", "a public key of a witness, or a file that holds one", false, true},
	{"quorum", "N", "how many of these witnesses must have signed (all)", false, false},
	{"origin", "NAME", "the log's origin, if keys of several logs are alike", false, false},
	{"expect-dataset", "HASH", "the SHA-256 of the data set, as its manifest says", false, false},
	{NULL, NULL, NULL, false, false}
};

typedef struct run_state
{
	export_check check;
	EVP_MD_CTX *dataset;		/* over the digests of all lines */
	uint64_t	lines;
	uint64_t	faulty;
	uint64_t	bytes_before;	/* of files that are done, for the progress */
	uint64_t	bytes_total;
} run_state;

static cli_exit
add_digest(run_state *s, lc_str line)
{
	uint8_t		digest[LC_HASH_LEN];

	if (lc_sha256(line.s, line.n, digest) != LC_OK ||
		EVP_DigestUpdate(s->dataset, digest, sizeof(digest)) != 1)
		return cli_error(CLI_USAGE, "OpenSSL cannot hash");
	return CLI_GOOD;
}

static cli_exit
check_line(run_state *s, const line_reader *r, lc_str line)
{
	char		where[4200];
	event_doc	doc;
	cli_exit	code;
	cli_exit	next = CLI_GOOD;

	snprintf(where, sizeof(where), "%.4096s:%llu", r->path, (unsigned long long) r->number);
	code = event_read(where, line.s, line.n, true, &doc);
	if (doc.readable && doc.payload == PAYLOAD_NOT_GIVEN)
		code = cli_error(CLI_FAILED, "%s: an envelope alone, not a line of an export", where);
	else if (doc.readable)
		next = export_event(&s->check, where, &doc);
	event_free(&doc);
	code = code != CLI_GOOD ? code : next;
	if (code == CLI_FAILED && ++s->faulty == FAULTY_MAX)
		return cli_error(CLI_FAILED, "%s: the %dth faulty line: the rest is not read", where, FAULTY_MAX);
	/* A fault in a line is told and counted; the next line may have another. */
	return code == CLI_FAILED ? CLI_GOOD : code;
}

static cli_exit
check_file(run_state *s, const char *path)
{
	line_reader r;
	lc_str		line;
	cli_exit	code = lines_open(&r, path, EVENT_LINE_MAX);

	while (code == CLI_GOOD)
	{
		code = lines_next(&r, &line);
		if (code != CLI_GOOD || line.s == NULL)
			break;
		s->lines++;
		code = add_digest(s, line);
		if (code == CLI_GOOD)
			code = check_line(s, &r, line);
		cli_progress("bytes", s->bytes_before + r.read, s->bytes_total);
	}
	s->bytes_before += r.read;
	lines_close(&r);
	return code;
}

static cli_exit
read_targets(const cli_args *args, const trust *t, export_check *e)
{
	size_t		count = cli_count(args, "checkpoint");

	if (count > 0 && t->log.count == 0)
		return cli_error(CLI_USAGE, "--checkpoint needs the --key that it is signed with");
	if (count == 0 && (t->log.count > 0 || t->witnesses.count > 0 || t->origin != NULL))
		return cli_error(CLI_USAGE, "--key, --witness and --origin judge a --checkpoint, and none is given");
	e->targets = cli_alloc.resize(NULL, NULL, (count + 1) * sizeof(*e->targets));
	for (size_t i = 0; i < count; i++)
	{
		export_target *target = &e->targets[i];
		cli_exit	code;

		memset(target, 0, sizeof(*target));
		target->path = cli_value_at(args, "checkpoint", i);
		e->target_count++;
		code = cli_read_note(target->path, LC_NOTE_MAX_LEN, &target->note);
		if (code == CLI_GOOD)
			code = trust_checkpoint(target->path, (lc_str) {target->note.data, target->note.len}, t,
									false, &target->checkpoint);
		if (code != CLI_GOOD)
			return code;
	}
	return CLI_GOOD;
}

static cli_exit
check_dataset(const cli_args *args, const uint8_t digest[LC_HASH_LEN])
{
	const char *wanted = cli_value(args, "expect-dataset");
	char		hex[2 * LC_HASH_LEN];

	lc_hex_encode(digest, LC_HASH_LEN, hex);
	cli_json_string("datasetSha256", (lc_str) {hex, sizeof(hex)});
	cli_print("datasetSha256 %.64s", hex);
	if (wanted == NULL || (strlen(wanted) == sizeof(hex) && memcmp(wanted, hex, sizeof(hex)) == 0))
		return CLI_GOOD;
	return cli_error(CLI_FAILED, "the data set has the SHA-256 %.64s, not %s", hex, wanted);
}

static cli_exit
judge(const cli_args *args, run_state *s)
{
	uint8_t		digest[LC_HASH_LEN];
	cli_exit	code = CLI_GOOD;
	cli_exit	next;

	if (s->lines == 0)
		code = cli_error(CLI_FAILED, "no line was given: nothing is verified");
	next = export_finish(&s->check);
	code = code != CLI_GOOD ? code : next;
	cli_json_uint("lines", s->lines);
	cli_json_uint("faultyLines", s->faulty);
	export_report(&s->check);
	if (EVP_DigestFinal_ex(s->dataset, digest, NULL) != 1)
		return cli_error(CLI_USAGE, "OpenSSL cannot hash");
	next = check_dataset(args, digest);
	if (code == CLI_GOOD)
		code = s->faulty > 0 ? CLI_FAILED : next;
	return code;
}

static cli_exit
check_all(const cli_args *args, run_state *s)
{
	cli_exit	code = CLI_GOOD;

	for (size_t i = 0; i < cli_operands(args); i++)
	{
		struct stat st;

		if (stat(cli_operand(args, i), &st) == 0 && S_ISREG(st.st_mode))
			s->bytes_total += (uint64_t) st.st_size;
	}
	for (size_t i = 0; i < cli_operands(args) && code == CLI_GOOD; i++)
		code = check_file(s, cli_operand(args, i));
	return code == CLI_GOOD ? judge(args, s) : code;
}

static cli_exit
run(const cli_args *args)
{
	run_state	s = {0};
	trust		t;
	const char *wanted = cli_value(args, "expect-dataset");
	uint8_t		hash[LC_HASH_LEN];
	cli_exit	code = trust_read(args, &t);

	if (code == CLI_GOOD && wanted != NULL &&
		lc_hex_decode(wanted, strlen(wanted), hash, LC_HASH_LEN) != LC_OK)
		code = cli_error(CLI_USAGE, "--expect-dataset must be 64 lower-case hex digits");
	if (code == CLI_GOOD)
		code = read_targets(args, &t, &s.check);
	s.dataset = EVP_MD_CTX_new();
	if (code == CLI_GOOD && (s.dataset == NULL ||
							 EVP_DigestInit_ex(s.dataset, EVP_sha256(), NULL) != 1))
		code = cli_error(CLI_USAGE, "OpenSSL cannot hash");
	if (code == CLI_GOOD)
		code = check_all(args, &s);
	EVP_MD_CTX_free(s.dataset);
	export_free(&s.check);
	trust_free(&t);
	return code;
}

const cli_command cmd_verify_export = {
	"verify-export", "FILE…", 1, SIZE_MAX,
	"check exported events: hashes, links, order, and the signed root",
	"Checks lines as docs/formats.md section 10 has them, of any number of chains, each in\n"
	"its order: payloads, event and leaf hashes, numbers without gaps, links.  Several files\n"
	"count as one.  Prints the data set's SHA-256.\n"
	"\n"
	"Only a checkpoint that was signed, and kept elsewhere, shows that a chain is whole and\n"
	"was not written anew; the events up to its size must give its root.\n",
	options,
	"ledgerctl verify-export acme.ndjson --checkpoint acme.checkpoint --key log.pub\n"
	"ledgerctl verify-export part-1.ndjson part-2.ndjson --json\n",
	run, false
};
