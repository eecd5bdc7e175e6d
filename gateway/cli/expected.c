/*
 * expected.c
 *		Reading <fixture>.expected.
 *
 * A file that was cut off has no last line, and is refused for it: its findings
 * would else be taken for all there should be.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "expected.h"
#include "lc_hex.h"

#define LINE_MAX_BYTES (64 * 1024)
#define DEPTH_MAX 2

int
expected_compare(lc_str a, lc_str b)
{
	int			order = memcmp(a.s, b.s, a.n < b.n ? a.n : b.n);

	return order != 0 ? order : (a.n > b.n) - (a.n < b.n);
}

cli_exit
expected_open(expected_file *x, const char *fixture)
{
	size_t		n = strlen(fixture) + sizeof(EXPECTED_SUFFIX);
	cli_exit	code;

	memset(x, 0, sizeof(*x));
	x->lines.fd = -1;
	x->kind = EXPECTED_END;
	x->path = cli_alloc.resize(NULL, NULL, n);
	snprintf(x->path, n, "%s" EXPECTED_SUFFIX, fixture);
	if (access(x->path, F_OK) != 0)
		return CLI_GOOD;
	code = lines_open(&x->lines, x->path, LINE_MAX_BYTES);
	x->present = code == CLI_GOOD;
	x->kind = EXPECTED_CHAIN;
	return code == CLI_GOOD ? expected_next(x) : code;
}

static bool
read_hash(const lc_json *line, const char *name, uint8_t out[LC_HASH_LEN])
{
	lc_str		text = lc_json_string(line, name);

	return text.s != NULL && lc_hex_decode(text.s, text.n, out, LC_HASH_LEN) == LC_OK;
}

static bool
read_chain(const lc_json *line, expected_chain *out)
{
	lc_str		id = lc_json_string(line, "chainId");

	out->tenant = lc_json_string(line, "tenant");
	return line->count == 4 && out->tenant.s != NULL && id.s != NULL &&
		lc_uuid_parse(id.s, id.n, out->chain_id) == LC_OK &&
		read_hash(line, "rootHash", out->root) && lc_json_uint(line, "treeSize", &out->size);
}

static bool
read_finding(const lc_json *line, expected_finding *out)
{
	out->tenant = lc_json_string(line, "tenant");
	out->finding_id = lc_json_string(line, "findingId");
	out->policy_version = lc_json_string(line, "policyVersion");
	return line->count == 5 && out->tenant.s != NULL && out->finding_id.s != NULL &&
		out->policy_version.s != NULL && read_hash(line, "cycleHash", out->cycle_hash) &&
		lc_json_uint(line, "currentSequence", &out->sequence);
}

static bool
read_totals(const lc_json *line, expected_totals *out)
{
	lc_str		schema = lc_json_string(line, "schema");

	return line->count == 6 && schema.n == strlen(EXPECTED_SCHEMA) &&
		memcmp(schema.s, EXPECTED_SCHEMA, schema.n) == 0 &&
		lc_json_uint(line, "chains", &out->chains) && lc_json_uint(line, "events", &out->events) &&
		lc_json_uint(line, "findings", &out->findings) &&
		read_hash(line, "eventStreamChecksum", out->events_checksum) &&
		read_hash(line, "projectionChecksum", out->projection_checksum);
}

/* Kinds follow each other and never come back: the totals are the last line. */
static bool
read_line(expected_file *x, const lc_json *line)
{
	expected_kind kind;

	if (lc_json_member(line, "chainId") != NULL && read_chain(line, &x->chain))
		kind = EXPECTED_CHAIN;
	else if (lc_json_member(line, "cycleHash") != NULL && read_finding(line, &x->finding))
		kind = EXPECTED_FINDING;
	else if (lc_json_member(line, "schema") != NULL && read_totals(line, &x->totals))
		kind = EXPECTED_TOTALS;
	else
		return false;
	if (kind < x->kind || x->kind == EXPECTED_TOTALS)
		return false;
	x->kind = kind;
	return true;
}

cli_exit
expected_next(expected_file *x)
{
	lc_str		line;
	cli_exit	code;

	lc_jsontree_free(x->tree);
	x->tree = NULL;
	if (x->kind == EXPECTED_END)
		return CLI_GOOD;
	code = lines_next(&x->lines, &line);
	if (code != CLI_GOOD)
		return code;
	if (line.s == NULL && x->kind == EXPECTED_TOTALS)
	{
		x->kind = EXPECTED_END;
		return CLI_GOOD;
	}
	if (line.s == NULL)
		return cli_error(CLI_FAILED, "%s: cut off: its last line, with the totals, is missing", x->path);
	if (lc_jsontree_parse(line.s, line.n, DEPTH_MAX, &cli_alloc, &x->tree, NULL) == LC_OK &&
		read_line(x, lc_jsontree_root(x->tree)))
		return CLI_GOOD;
	return cli_error(CLI_FAILED, "%s:%llu: no line of " EXPECTED_SCHEMA ", or out of its order", x->path,
					 (unsigned long long) x->lines.number);
}

void
expected_close(expected_file *x)
{
	lc_jsontree_free(x->tree);
	if (x->present)
		lines_close(&x->lines);
	free(x->path);
	memset(x, 0, sizeof(*x));
	x->lines.fd = -1;
}
