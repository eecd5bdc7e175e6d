/*
 * cmd_verify_checkpoints.c
 *		ledgerctl verify-checkpoints: a directory of anchors, as the WORM
 *		directory or an air-gap bundle holds them.
 *
 * What the files say counts, not what they are called or where they lie; only
 * which statement belongs to which checkpoint is told by their names.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "anchor_file.h"
#include "commands.h"

#define STATEMENT_MAX (LC_DSSE_MAX_PAYLOAD * 2)
#define AIRGAP_SCHEMA "ledger.airgap.v1"

static const cli_option options[] = {
	{"key", "KEY", "a public key of the log, or a file that holds one", true, true},
	{"origin", "NAME", "the log's origin, if keys of several logs are alike", false, false},
	{NULL, NULL, NULL, false, false}
};

typedef struct folder
{
	const trust *trust;
	anchor_file *anchors;
	size_t		count;
	size_t		room;
	uint64_t	files;
	uint64_t	faulty;
} folder;

static bool
ends_with(const char *path, const char *suffix)
{
	size_t		n = strlen(path);
	size_t		m = strlen(suffix);

	return n > m && strcmp(path + n - m, suffix) == 0;
}

/* The path with another suffix. */
static char *
sibling(const char *path, const char *suffix, const char *other)
{
	size_t		stem = strlen(path) - strlen(suffix);
	size_t		n = stem + strlen(other) + 1;
	char	   *s = cli_alloc.resize(NULL, NULL, n);

	snprintf(s, n, "%.*s%s", (int) stem, path, other);
	return s;
}

static anchor_file *
new_anchor(folder *f, const char *path)
{
	anchor_file *a;

	if (f->count == f->room)
	{
		f->room = f->room > 0 ? f->room * 2 : 64;
		f->anchors = cli_alloc.resize(NULL, f->anchors, f->room * sizeof(*f->anchors));
	}
	a = &f->anchors[f->count];
	memset(a, 0, sizeof(*a));
	a->path = sibling(path, "", "");
	return a;
}

/* An anchor that could be judged takes part in what follows; another was told and is left out. */
static cli_exit
keep(folder *f, anchor_file *a, cli_exit code)
{
	if (code == CLI_FAILED)
		f->faulty++;
	if (a->tenant != NULL)
		f->count++;
	else
		anchor_file_free(a);
	return code == CLI_FAILED ? CLI_GOOD : code;
}

static cli_exit
add_statement_file(folder *f, anchor_file *a, const char *path)
{
	lc_buf		file;
	cli_exit	code = cli_read_file(path, STATEMENT_MAX, &file);

	if (code == CLI_GOOD)
		code = anchor_add_statement(a, path, (lc_str) {file.data, file.len}, f->trust);
	/* It was there a moment ago, or its checkpoint is: a missing half is a fault of the directory. */
	lc_buf_free(&file);
	return code == CLI_NOT_FOUND ? CLI_FAILED : code;
}

static cli_exit
visit_checkpoint(folder *f, const char *path)
{
	anchor_file *a = new_anchor(f, path);
	char	   *statement = sibling(path, ".checkpoint", ".dsse");
	lc_buf		file;
	cli_exit	code = cli_read_file(path, LC_NOTE_MAX_LEN, &file);

	if (code == CLI_GOOD)
		code = anchor_add_checkpoint(a, path, (lc_str) {file.data, file.len}, f->trust);
	if (code == CLI_GOOD)
		code = add_statement_file(f, a, statement);
	lc_buf_free(&file);
	free(statement);
	return keep(f, a, code);
}

/* One that has its checkpoint beside it was or will be read with that. */
static cli_exit
visit_statement(folder *f, const char *path)
{
	char	   *checkpoint = sibling(path, ".dsse", ".checkpoint");
	bool		paired = access(checkpoint, F_OK) == 0;
	anchor_file *a;

	free(checkpoint);
	if (paired)
		return CLI_GOOD;
	cli_note("%s: no checkpoint lies beside it", path);
	a = new_anchor(f, path);
	return keep(f, a, add_statement_file(f, a, path));
}

static cli_exit
read_airgap(folder *f, anchor_file *a, const char *path, const lc_json *root)
{
	lc_str		schema = lc_json_string(root, "schema");
	lc_str		checkpoint = lc_json_string(root, "checkpoint");
	const lc_json *dsse = lc_json_member(root, "dsse");
	cli_exit	code;

	if (schema.s == NULL || schema.n != strlen(AIRGAP_SCHEMA) ||
		memcmp(schema.s, AIRGAP_SCHEMA, schema.n) != 0 || checkpoint.s == NULL || dsse == NULL)
		return cli_error(CLI_FAILED, "%s: no part of an air-gap bundle (" AIRGAP_SCHEMA ")", path);
	code = anchor_add_checkpoint(a, path, checkpoint, f->trust);
	if (code == CLI_GOOD)
		code = anchor_add_statement(a, path, dsse->source, f->trust);
	return code;
}

static cli_exit
visit_airgap(folder *f, const char *path)
{
	anchor_file *a = new_anchor(f, path);
	lc_jsontree *tree = NULL;
	lc_buf		file;
	cli_exit	code = cli_read_file(path, STATEMENT_MAX, &file);

	if (code == CLI_GOOD &&
		lc_jsontree_parse(file.data, file.len, 0, &cli_alloc, &tree, NULL) != LC_OK)
		code = cli_error(CLI_FAILED, "%s: not JSON", path);
	if (code == CLI_GOOD)
		code = read_airgap(f, a, path, lc_jsontree_root(tree));
	lc_jsontree_free(tree);
	lc_buf_free(&file);
	return keep(f, a, code);
}

static cli_exit
visit(const char *path, void *arg)
{
	folder	   *f = arg;

	f->files++;
	cli_progress("files", f->files, 0);
	if (ends_with(path, ".checkpoint"))
		return visit_checkpoint(f, path);
	if (ends_with(path, ".dsse"))
		return visit_statement(f, path);
	if (ends_with(path, ".json"))
		return visit_airgap(f, path);
	cli_note("%s is neither .checkpoint, .dsse nor .json and is left out", path);
	return CLI_GOOD;
}

/* ---- all together ---- */

static void
report_chain(const anchor_file *first, const anchor_file *last, size_t count)
{
	char		id[LC_UUID_TEXT];

	lc_uuid_format(last->chain_id, id);
	cli_json_object(NULL);
	cli_json_text("tenant", last->tenant);
	cli_json_string("chainId", (lc_str) {id, sizeof(id)});
	cli_json_uint("anchors", count);
	cli_json_uint("firstTreeSize", first->size);
	cli_json_uint("lastTreeSize", last->size);
	cli_json_hex("rootHash", last->root, LC_HASH_LEN);
	lc_jcs_end_object(cli_json());
	cli_print("%s/%.36s: %zu anchors, of %llu to %llu events", last->tenant, id, count,
			  (unsigned long long) first->size, (unsigned long long) last->size);
	if (first->has_statement && first->start > 1)
		cli_note("%s/%.36s: the anchors here begin after sequence %llu", last->tenant, id,
				 (unsigned long long) first->start - 1);
}

/* Chain by chain, each anchor against the one before. */
static cli_exit
check_successions(folder *f)
{
	cli_exit	worst = CLI_GOOD;
	size_t		start = 0;

	if (f->count > 0)
		qsort(f->anchors, f->count, sizeof(*f->anchors), anchor_file_compare);
	cli_json_list("chains");
	for (size_t i = 0; i < f->count; i++)
	{
		bool		more = i + 1 < f->count && anchor_same_chain(&f->anchors[i], &f->anchors[i + 1]);

		if (more && anchor_check_succession(&f->anchors[i], &f->anchors[i + 1]) != CLI_GOOD)
			worst = CLI_FAILED;
		if (more)
			continue;
		report_chain(&f->anchors[start], &f->anchors[i], i + 1 - start);
		start = i + 1;
	}
	lc_jcs_end_array(cli_json());
	return worst;
}

static cli_exit
run(const cli_args *args)
{
	folder		f = {0};
	trust		t;
	cli_exit	code = trust_read(args, &t);

	f.trust = &t;
	if (code == CLI_GOOD)
		code = cli_walk(cli_operand(args, 0), visit, &f);
	if (code == CLI_GOOD)
		code = check_successions(&f);
	cli_json_uint("anchors", f.count);
	if (code == CLI_GOOD && f.faulty > 0)
		code = CLI_FAILED;
	if (code == CLI_GOOD && f.count == 0)
		code = cli_error(CLI_NOT_FOUND, "%s holds no checkpoint", cli_operand(args, 0));
	for (size_t i = 0; i < f.count; i++)
		anchor_file_free(&f.anchors[i]);
	free(f.anchors);
	trust_free(&t);
	return code;
}

const cli_command cmd_verify_checkpoints = {
	"verify-checkpoints", "DIR", 1, 1,
	"check a directory of checkpoints: signatures and succession",
	"Checks the anchors that a WORM directory or an air-gap bundle holds: each checkpoint\n"
	"and each statement is signed by a given key, both say the same, and in each chain each\n"
	"anchor continues the one before: no gap, and the root that it remembers.  Two roots for\n"
	"one size are told.\n",
	options,
	"ledgerctl verify-checkpoints /mnt/worm/ledger --key log.pub\n"
	"ledgerctl verify-checkpoints bundle-2026-11 --key old.pub --key new.pub --json\n",
	run, false
};
