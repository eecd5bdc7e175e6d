/*
 * cmd_verify_findings.c
 *		ledgerctl verify-findings: an export of findings, whole or in pages.
 *
 * One line is in memory at a time, however long the export is.
 */
#include <stdio.h>
#include <string.h>

#include "commands.h"
#include "findings_check.h"
#include "lines.h"

#define LINE_MAX_BYTES ((size_t) 64 * 1024 * 1024)
#define DEPTH 64
/* After so many faulty lines the rest adds nothing. */
#define FAULTY_MAX 20

static const cli_option options[] = {
	{"key", "KEY", "the public key that signs exports, or a file that holds one", false, true},
	{"redaction", "FILE", "the rules of redaction, as the gateway serves them", false, false},
	{"policy", "VERSION", "a policy version that findings may be of (any)", false, true},
	{NULL, NULL, NULL, false, false}
};

typedef struct run_state
{
	const cli_args *args;
	trust		keys;
	redaction	rules;
	findings_page pages[2];		/* the one being read, and the one before it */
	size_t		count;			/* pages so far */
	uint64_t	faulty;
	uint64_t	total;			/* findings */
} run_state;

static findings_page *
page_at(run_state *s, size_t back)
{
	return &s->pages[(s->count - back) % 2];
}

/* A fault in a line is told and counted; the next line may have another. */
static cli_exit
count_fault(run_state *s, const char *where, cli_exit code)
{
	if (code == CLI_FAILED && ++s->faulty == FAULTY_MAX)
		return cli_error(CLI_FAILED, "%s: the %dth fault: the rest is not read", where, FAULTY_MAX);
	return code == CLI_FAILED ? CLI_GOOD : code;
}

static cli_exit
check_text(run_state *s, const line_reader *r, lc_str text, bool *ended)
{
	char		where[4200];
	lc_jsontree *tree;
	lc_json_error error;
	cli_exit	code;

	snprintf(where, sizeof(where), "%.4096s:%llu", r->path, (unsigned long long) r->number);
	if (*ended)
		return cli_error(CLI_FAILED, "%s: a line behind the manifest", where);
	if (lc_jsontree_parse(text.s, text.n, DEPTH, &cli_alloc, &tree, &error) != LC_OK)
		return count_fault(s, where, cli_error(CLI_FAILED, "%s: %s at byte %zu", where,
			lc_status_text(error.status), error.offset));
	if (findings_is_manifest(lc_jsontree_root(tree)))
	{
		code = findings_manifest(page_at(s, 0), where, lc_jsontree_root(tree), &s->keys);
		*ended = true;
	}
	else
		code = findings_line(page_at(s, 0), where, text, lc_jsontree_root(tree));
	lc_jsontree_free(tree);
	return count_fault(s, where, code);
}

static cli_exit
read_page(run_state *s, const char *path)
{
	line_reader r;
	lc_str		line;
	bool		ended = false;
	cli_exit	code = lines_open(&r, path, LINE_MAX_BYTES);

	while (code == CLI_GOOD && (code = lines_next(&r, &line)) == CLI_GOOD && line.s != NULL)
	{
		code = check_text(s, &r, line, &ended);
		cli_progress("bytes", r.read, r.size);
	}
	lines_close(&r);
	if (code == CLI_GOOD && !ended)
		code = cli_error(CLI_FAILED, "%s: no manifest at its end: the export was cut off", path);
	return code;
}

/* Findings under a policy that is not in use here are not to be taken. */
static cli_exit
check_policies(const run_state *s, const char *path, const lc_json *manifest)
{
	const lc_json *policies = lc_json_member(manifest, "policyHashes");

	if (cli_count(s->args, "policy") == 0)
		return CLI_GOOD;
	for (const lc_json *p = policies != NULL ? policies->child : NULL; p != NULL; p = p->next)
	{
		bool		known = false;

		for (size_t i = 0; i < cli_count(s->args, "policy") && !known; i++)
		{
			const char *wanted = cli_value_at(s->args, "policy", i);

			known = p->text.s != NULL && strlen(wanted) == p->text.n && memcmp(wanted, p->text.s, p->text.n) == 0;
		}
		if (!known)
			return cli_error(CLI_FAILED, "%s: made under policy version \"%.*s\", which --policy does not name",
				path, CLI_SHOW(p->text));
	}
	return CLI_GOOD;
}

static void
report_page(const char *path, const findings_page *p)
{
	const lc_json *manifest = lc_jsontree_root(p->manifest);
	lc_str		dataset = lc_json_string(manifest, "datasetSha256");
	lc_str		schema = lc_json_string(manifest, "schemaVersion");
	lc_str		tenant = lc_json_string(manifest, "tenant");

	cli_json_object(NULL);
	cli_json_text("file", path);
	cli_json_string("tenant", tenant);
	cli_json_string("schemaVersion", schema);
	cli_json_uint("findings", p->lines);
	cli_json_string("datasetSha256", dataset);
	cli_json_string("filtersHash", lc_json_string(manifest, "filtersHash"));
	lc_jcs_end_object(cli_json());
	cli_print("%s: %llu findings of %.*s, %.*s, datasetSha256 %.*s", path, (unsigned long long) p->lines,
		CLI_SHOW(tenant),
			  CLI_SHOW(schema), CLI_SHOW(dataset));
}

static cli_exit
check_page(run_state *s, const char *path)
{
	findings_page *p = page_at(s, 0);
	uint64_t	faulty = s->faulty;
	cli_exit	code = findings_begin(p, &s->rules);

	if (code == CLI_GOOD)
		code = read_page(s, path);
	/* What is told of a page was found to be so. */
	if (code == CLI_GOOD && s->faulty == faulty)
	{
		code = check_policies(s, path, lc_jsontree_root(p->manifest));
		if (code == CLI_GOOD && s->count > 0 && page_at(s, 1)->manifest != NULL)
			code = findings_follow(page_at(s, 1), p, path);
		if (code == CLI_GOOD)
			report_page(path, p);
	}
	s->total += p->lines;
	return code;
}

static cli_exit
check_all(run_state *s)
{
	cli_exit	code = CLI_GOOD;
	size_t		operands = cli_operands(s->args);

	cli_json_list("pages");
	for (size_t i = 0; i < operands && code == CLI_GOOD; i++)
	{
		if (i >= 2)
			findings_free(page_at(s, 0));
		code = check_page(s, cli_operand(s->args, i));
		s->count++;
	}
	lc_jcs_end_array(cli_json());
	cli_json_uint("findings", s->total);
	cli_json_uint("faults", s->faulty);
	if (code == CLI_GOOD && s->faulty > 0)
		return CLI_FAILED;
	if (code == CLI_GOOD && page_at(s, 1)->manifest != NULL &&
		lc_json_member(lc_jsontree_root(page_at(s, 1)->manifest), "nextPageToken") != NULL)
		cli_note("%s: there is another page behind it, which was not given", cli_operand(s->args, operands - 1));
	return code;
}

static cli_exit
run(const cli_args *args)
{
	static run_state s;
	cli_exit	code;

	memset(&s, 0, sizeof(s));
	s.args = args;
	code = cli_key_options(args, "key", LC_KEY_ED25519, &s.keys.log);
	if (code == CLI_GOOD)
		code = redaction_read(cli_value(args, "redaction"), &s.rules);
	if (code == CLI_GOOD)
		code = check_all(&s);
	findings_free(&s.pages[0]);
	findings_free(&s.pages[1]);
	redaction_free(&s.rules);
	cli_keys_free(&s.keys.log);
	return code;
}

const cli_command cmd_verify_findings = {
	"verify-findings", "FILE…", 1, SIZE_MAX,
	"check exported findings: digests, order, redaction, and the signed manifest",
	"Checks an export of findings (docs/formats.md section 9), made by GET\n"
	"/ledger/export/findings: every line's digest, their order, that nothing is shown that\n"
	"the rules of redaction cover, and that the manifest in the last line tells of these\n"
	"lines and was signed by the key.  Several files are the pages of one export, in order.\n"
	"\n"
	"Without --redaction the rules that this program knows of itself are held against the\n"
	"lines; with it those in FILE are, and they must be those that the manifest names.\n"
	"\n"
	"Only --key shows who made the export.  The roots that the manifest names for chains can\n"
	"be compared with signed checkpoints (verify-checkpoints).\n",
	options,
	"ledgerctl verify-findings findings.ndjson --key export.pub\n"
	"ledgerctl verify-findings page-1.ndjson page-2.ndjson --key export.pub --redaction rules.json\n",
	run, false
};
