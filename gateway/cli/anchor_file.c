/*
 * anchor_file.c
 *		Reading and comparing anchors that were written to files.
 */
#include <stdlib.h>
#include <string.h>

#include "anchor_file.h"
#include "lc_hex.h"

static char *
copy(lc_str text)
{
	char	   *s = cli_alloc.resize(NULL, NULL, text.n + 1);

	if (text.n > 0)
		memcpy(s, text.s, text.n);
	s[text.n] = '\0';
	return s;
}

cli_exit
anchor_add_checkpoint(anchor_file *a, const char *where, lc_str note, const trust *t)
{
	judged		c;
	cli_exit	code = trust_checkpoint(where, note, t, false, &c);

	if (code != CLI_GOOD)
		return code;
	a->log = copy(c.name.origin);
	a->tenant = copy(c.name.tenant);
	memcpy(a->chain_id, c.name.chain_id, LC_UUID_LEN);
	a->size = c.head.size;
	memcpy(a->root, c.head.root, LC_HASH_LEN);
	return CLI_GOOD;
}

/* ---- statement ---- */

/* What differs between the checkpoint and the statement of one anchor, or NULL. */
static const char *
difference(const anchor_file *a, const lc_anchor *s)
{
	if (strlen(a->tenant) != s->tenant.n || memcmp(a->tenant, s->tenant.s, s->tenant.n) != 0)
		return "tenant";
	if (memcmp(a->chain_id, s->chain_id, LC_UUID_LEN) != 0)
		return "chain";
	if (a->size != s->tree_size)
		return "tree size";
	return memcmp(a->root, s->root, LC_HASH_LEN) != 0 ? "root hash" : NULL;
}

static cli_exit
take_statement(anchor_file *a, const char *where, const lc_anchor *s)
{
	const char *differs;

	if (a->tenant == NULL)
	{
		a->log = copy((lc_str) {"", 0});
		a->tenant = copy(s->tenant);
		memcpy(a->chain_id, s->chain_id, LC_UUID_LEN);
		a->size = s->tree_size;
		memcpy(a->root, s->root, LC_HASH_LEN);
	}
	differs = difference(a, s);
	if (differs != NULL)
		return cli_error(CLI_FAILED, "%s: the statement has another %s than the checkpoint beside it",
						 where, differs);
	a->has_statement = true;
	a->start = s->sequence_start;
	if (s->has_previous_root)
		memcpy(a->previous_root, s->previous_root, LC_HASH_LEN);
	return CLI_GOOD;
}

static cli_exit
read_payload(anchor_file *a, const char *where, const lc_dsse *dsse)
{
	lc_jsontree *tree = NULL;
	lc_anchor	statement;
	cli_exit	code;

	if (dsse->payload_type.len != strlen(LC_ANCHOR_TYPE) ||
		memcmp(dsse->payload_type.data, LC_ANCHOR_TYPE, dsse->payload_type.len) != 0)
		return cli_error(CLI_FAILED, "%s: signed is a \"%.*s\", not an anchor's statement", where,
						 CLI_SHOW(((lc_str) {dsse->payload_type.data, dsse->payload_type.len})));
	if (lc_jsontree_parse(dsse->payload.data, dsse->payload.len, 0, &cli_alloc, &tree, NULL) != LC_OK ||
		lc_anchor_read(lc_jsontree_root(tree), &statement) != LC_OK)
		code = cli_error(CLI_FAILED, "%s: the signed statement is not that of an anchor "
						 "(docs/formats.md section 7)", where);
	else
		code = take_statement(a, where, &statement);
	lc_jsontree_free(tree);
	return code;
}

cli_exit
anchor_add_statement(anchor_file *a, const char *where, lc_str json, const trust *t)
{
	lc_dsse		dsse;
	lc_status	status = lc_dsse_parse(json.s, json.n, &cli_alloc, &dsse);
	cli_exit	code;

	if (status != LC_OK)
		return cli_error(CLI_FAILED, "%s: no DSSE envelope: %s", where, lc_status_text(status));
	code = trust_dsse(where, &dsse, t);
	if (code == CLI_GOOD)
		code = read_payload(a, where, &dsse);
	lc_dsse_free(&dsse);
	return code;
}

void
anchor_file_free(anchor_file *a)
{
	free(a->path);
	free(a->log);
	free(a->tenant);
}

/* ---- one after the other ---- */

bool
anchor_same_chain(const anchor_file *a, const anchor_file *b)
{
	return strcmp(a->tenant, b->tenant) == 0 && memcmp(a->chain_id, b->chain_id, LC_UUID_LEN) == 0;
}

int
anchor_file_compare(const void *pa, const void *pb)
{
	const anchor_file *a = pa;
	const anchor_file *b = pb;
	int			order = strcmp(a->tenant, b->tenant);

	if (order == 0)
		order = memcmp(a->chain_id, b->chain_id, LC_UUID_LEN);
	if (order == 0 && a->size != b->size)
		order = a->size < b->size ? -1 : 1;
	return order != 0 ? order : strcmp(a->path, b->path);
}

static cli_exit
two_roots(const char *what, const anchor_file *a, const uint8_t root[LC_HASH_LEN],
		  const anchor_file *b)
{
	char		hex[2][2 * LC_HASH_LEN];

	lc_hex_encode(a->root, LC_HASH_LEN, hex[0]);
	lc_hex_encode(root, LC_HASH_LEN, hex[1]);
	return cli_error(CLI_FAILED, "%s: %s of %llu events is %.64s, but %s says %.64s", b->path, what,
					 (unsigned long long) a->size, hex[1], a->path, hex[0]);
}

cli_exit
anchor_check_succession(const anchor_file *a, const anchor_file *b)
{
	if (*a->log != '\0' && *b->log != '\0' && strcmp(a->log, b->log) != 0)
		return cli_error(CLI_FAILED, "%s: of the log %s, but %s is of %s", b->path, b->log, a->path,
						 a->log);
	if (a->size == b->size)
		return memcmp(a->root, b->root, LC_HASH_LEN) == 0 ? CLI_GOOD
			: two_roots("the root", a, b->root, b);
	if (!b->has_statement)
		return CLI_GOOD;		/* told already */
	if (b->start != a->size + 1)
		return cli_error(CLI_FAILED, "%s: it continues an anchor of %llu events, and the one before it "
						 "here (%s) is of %llu", b->path, (unsigned long long) b->start - 1, a->path,
						 (unsigned long long) a->size);
	if (memcmp(b->previous_root, a->root, LC_HASH_LEN) != 0)
		return two_roots("the root before it,", a, b->previous_root, b);
	return CLI_GOOD;
}
