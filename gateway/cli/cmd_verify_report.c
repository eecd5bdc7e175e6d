/*
 * cmd_verify_report.c
 *		ledgerctl verify-report: is this the report of a replay that came out
 *		well, signed by this key, and about that policy?
 *
 * What is signed is the payload of the DSSE envelope; the file beside it must be
 * the same bytes, so that nobody reads one and verifies the other.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "replay_format.h"
#include "lc_dsse.h"
#include "lc_jsontree.h"

#define REPORT_MAX LC_DSSE_MAX_PAYLOAD
#define ENVELOPE_MAX (2 * REPORT_MAX)
#define DEPTH_MAX 16

static const cli_option options[] = {
	{"key", "KEY", "a public key that may have signed it, or a file that holds one", true, true},
	{"signature", "FILE", "the DSSE envelope (REPORT.sig)", false, false},
	{"policy-hash", "HASH", "the policy that the report must be bound to", false, false},
	{"same-as", "REPORT", "another report, which must say the same but for its timings", false, false},
	{NULL, NULL, NULL, false, false}
};

static bool
is(lc_str text, const char *want)
{
	return text.s != NULL && text.n == strlen(want) && memcmp(text.s, want, text.n) == 0;
}

/* The file without the newline that it ends with. */
static cli_exit
read_report(const char *path, lc_buf *out)
{
	cli_exit	code = cli_read_file(path, REPORT_MAX, out);

	if (code == CLI_GOOD && out->len > 0 && out->data[out->len - 1] == '\n')
		lc_buf_truncate(out, out->len - 1);
	return code;
}

/* ---- the signature ---- */

static cli_exit
check_signers(const char *path, const lc_dsse *dsse, const cli_keys *keys)
{
	for (size_t i = 0; i < keys->count; i++)
	{
		const lc_verifier *key = &keys->keys[i];

		if (lc_dsse_verify(dsse, key, &cli_alloc) != LC_OK)
			continue;
		cli_json_text("signer", cli_key_name(key));
		cli_print("signed by %s", cli_key_name(key));
		return CLI_GOOD;
	}
	return cli_error(CLI_FAILED, "%s: none of the given keys signed it", path);
}

static cli_exit
check_envelope(const char *path, const lc_dsse *dsse, const lc_buf *report, const cli_keys *keys)
{
	lc_str		type = {dsse->payload_type.data, dsse->payload_type.len};

	if (!is(type, HARNESS_TYPE))
		return cli_error(CLI_FAILED, "%s: its payload type is \"%.*s\", not " HARNESS_TYPE, path, CLI_SHOW(type));
	if (dsse->payload.len != report->len || memcmp(dsse->payload.data, report->data, report->len) != 0)
		return cli_error(CLI_FAILED, "%s: what is signed in it is not the report", path);
	return check_signers(path, dsse, keys);
}

static cli_exit
check_signature(const cli_args *args, const lc_buf *report)
{
	const char *path = cli_value(args, "signature");
	char		beside[4200];
	cli_keys	keys = {0};
	lc_buf		text = {0};
	lc_dsse		dsse;
	cli_exit	code;

	snprintf(beside, sizeof(beside), "%.4096s" HARNESS_SIGNATURE_SUFFIX, cli_operand(args, 0));
	path = path != NULL ? path : beside;
	code = cli_key_options(args, "key", LC_KEY_ED25519, &keys);
	if (code == CLI_GOOD)
		code = cli_read_file(path, ENVELOPE_MAX, &text);
	if (code == CLI_GOOD && lc_dsse_parse(text.data, text.len, &cli_alloc, &dsse) != LC_OK)
		code = cli_error(CLI_FAILED, "%s: no DSSE envelope", path);
	else if (code == CLI_GOOD)
	{
		code = check_envelope(path, &dsse, report, &keys);
		lc_dsse_free(&dsse);
	}
	lc_buf_free(&text);
	cli_keys_free(&keys);
	return code;
}

/* ---- what it says ---- */

static cli_exit
check_result(const char *path, const lc_json *root)
{
	const lc_json *differences = lc_json_member(root, "differences");

	if (is(lc_json_string(root, "result"), "match") && differences != NULL && differences->count == 0)
		return CLI_GOOD;
	for (const lc_json *d = differences != NULL ? differences->child : NULL; d != NULL; d = d->next)
		cli_error(CLI_FAILED, "%s: difference: %.*s", path, CLI_SHOW(d->text));
	return cli_error(CLI_FAILED, "%s: the replay found the ledger other than it must be", path);
}

static cli_exit
check_policy(const cli_args *args, const char *path, const lc_json *root)
{
	const char *wanted = cli_value(args, "policy-hash");
	lc_str		policy = lc_json_string(root, "policyHash");

	if (policy.s == NULL)
		return cli_error(CLI_FAILED, "%s: it is bound to no policy", path);
	cli_json_string("policyHash", policy);
	if (wanted != NULL && !is(policy, wanted))
		return cli_error(CLI_FAILED, "%s: it is bound to the policy \"%.*s\", not \"%s\"", path, CLI_SHOW(policy),
						 wanted);
	return CLI_GOOD;
}

static void
tell(const lc_json *root)
{
	const lc_json *counts = lc_json_member(root, "counts");
	lc_str		events = lc_json_string(root, "eventStreamChecksum");
	lc_str		projection = lc_json_string(root, "projectionChecksum");
	uint64_t	count = 0;

	(void) lc_json_uint(counts, "events", &count);
	cli_json_uint("events", count);
	if (events.s != NULL)
		cli_json_string("eventStreamChecksum", events);
	if (projection.s != NULL)
		cli_json_string("projectionChecksum", projection);
	cli_print("%llu events replayed, no difference", (unsigned long long) count);
	cli_print("eventStreamChecksum %.*s", CLI_SHOW(events));
	cli_print("projectionChecksum %.*s", CLI_SHOW(projection));
}

/* One spelling only: two readers cannot see two reports in it. */
static cli_exit
parse(const char *path, const lc_buf *text, lc_jsontree **tree)
{
	lc_buf		canonical;
	bool		good;

	lc_buf_init(&canonical, &cli_alloc);
	good = lc_json_canonicalize(text->data, text->len, &canonical, &cli_alloc, NULL) == LC_OK &&
		canonical.len == text->len && memcmp(canonical.data, text->data, text->len) == 0 &&
		lc_jsontree_parse(text->data, text->len, DEPTH_MAX, &cli_alloc, tree, NULL) == LC_OK;
	lc_buf_free(&canonical);
	if (!good)
		return cli_error(CLI_FAILED, "%s: not canonical JSON (RFC 8785)", path);
	if (!is(lc_json_string(lc_jsontree_root(*tree), "schemaVersion"), HARNESS_SCHEMA))
		return cli_error(CLI_FAILED, "%s: no report of a replay (" HARNESS_SCHEMA ")", path);
	return CLI_GOOD;
}

/* ---- two reports ---- */

/* Members are sorted, so they are compared in pairs; the timings are left out on both sides. */
static cli_exit
compare_members(const char *path, const lc_json *a, const lc_json *b)
{
	const lc_json *x = a->child;
	const lc_json *y = b->child;

	for (; x != NULL && y != NULL; x = x->next, y = y->next)
	{
		if (x->key.n != y->key.n || memcmp(x->key.s, y->key.s, x->key.n) != 0)
			break;
		if (!is(x->key, "timings") &&
			(x->source.n != y->source.n || memcmp(x->source.s, y->source.s, x->source.n) != 0))
			return cli_error(CLI_FAILED, "%s: its \"%.*s\" is another", path, CLI_SHOW(x->key));
	}
	if (x != NULL || y != NULL)
		return cli_error(CLI_FAILED, "%s: it has other members", path);
	cli_print("%s says the same but for its timings", path);
	return CLI_GOOD;
}

static cli_exit
compare_other(const cli_args *args, const lc_json *root)
{
	const char *path = cli_value(args, "same-as");
	lc_buf		text = {0};
	lc_jsontree *tree = NULL;
	cli_exit	code;

	if (path == NULL)
		return CLI_GOOD;
	code = read_report(path, &text);
	if (code == CLI_GOOD)
		code = parse(path, &text, &tree);
	if (code == CLI_GOOD)
		code = compare_members(path, root, lc_jsontree_root(tree));
	lc_jsontree_free(tree);
	lc_buf_free(&text);
	return code;
}

static cli_exit
run(const cli_args *args)
{
	const char *path = cli_operand(args, 0);
	lc_buf		report = {0};
	lc_jsontree *tree = NULL;
	const lc_json *root;
	cli_exit	code = read_report(path, &report);

	if (code == CLI_GOOD)
		code = check_signature(args, &report);
	if (code == CLI_GOOD)
		code = parse(path, &report, &tree);
	root = tree != NULL ? lc_jsontree_root(tree) : NULL;
	if (code == CLI_GOOD)
		code = check_policy(args, path, root);
	if (code == CLI_GOOD)
		code = check_result(path, root);
	if (code == CLI_GOOD)
		code = compare_other(args, root);
	if (code == CLI_GOOD)
		tell(root);
	lc_jsontree_free(tree);
	lc_buf_free(&report);
	return code;
}

const cli_command cmd_verify_report = {
	"verify-report", "REPORT", 1, 1,
	"check the signed report of a replay",
	"Checks that the report which ledgerctl replay wrote is what its DSSE envelope signs,\n"
	"by one of the given keys; that it is bound to the policy; and that the replay found no\n"
	"difference.  With --same-as: that another report says the same but for its timings.\n",
	options,
	"ledgerctl verify-report out.json --key log.pub\n"
	"ledgerctl verify-report out.json --key log.pub --policy-hash \"$LEDGER_POLICY_HASH\" --same-as last-week.json\n",
	run, false
};
