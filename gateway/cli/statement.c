/*
 * statement.c
 *		Does an anchor say one thing only?  Its columns, its checkpoint and its
 *		statement were written by the database; what is signed is made here
 *		from the columns and must be what the others say.
 */
#include <stdio.h>
#include <string.h>

#include "lc_dsse.h"
#include "lc_note.h"
#include "lc_statement.h"
#include "signer.h"

#define STATEMENT_MAX_DEPTH 4

bool
anchor_row_read(const PGresult *result, int row, anchor_row *out, fault *f)
{
	out->tenant = db_text(result, row, "tenant_id");
	out->chain = db_text(result, row, "chain_id");
	out->anchor_id = db_text(result, row, "anchor_id");
	out->origin = db_text(result, row, "origin");
	out->checkpoint = db_text(result, row, "checkpoint");
	out->dsse = db_text(result, row, "dsse");
	if (!db_names_valid(out->tenant, out->chain, out->anchor_id, f))
		return false;
	if (!db_uint(result, row, "tree_size", &out->size) || out->size == 0 ||
		!db_hash(result, row, "root_hash", out->root))
		return fault_set(f, "anchor %s of %s/%s has no size or root", out->anchor_id, out->tenant,
						 out->chain);
	return true;
}

static bool
same(lc_str a, const char *b, size_t n)
{
	return a.s != NULL && a.n == n && memcmp(a.s, b, n) == 0;
}

/* The stored checkpoint, signed or not yet, must have the text that the columns make. */
static bool
check_text(const anchor_row *row, const anchor_claim *claim, fault *f)
{
	size_t		n = strlen(row->checkpoint);
	lc_note		note;
	lc_str		text = {row->checkpoint, n};

	if (lc_note_parse(row->checkpoint, n, &note) == LC_OK)
		text = note.text;
	return same(text, claim->text.data, claim->text.len) ||
		fault_set(f, "the checkpoint's text is not that of its origin, size and root");
}

static bool
check_members(const anchor_row *row, const lc_json *root, anchor_claim *claim, fault *f)
{
	lc_anchor	statement;
	char		id[LC_UUID_TEXT],
				chain[LC_UUID_TEXT];

	if (lc_anchor_read(root, &statement) != LC_OK)
		return fault_set(f, "the statement is not an anchor's");
	lc_uuid_format(statement.anchor_id, id);
	lc_uuid_format(statement.chain_id, chain);
	if (!same((lc_str) {id, LC_UUID_TEXT}, row->anchor_id, strlen(row->anchor_id)) ||
		!same((lc_str) {chain, LC_UUID_TEXT}, row->chain, strlen(row->chain)) ||
		!same(statement.tenant, row->tenant, strlen(row->tenant)) ||
		statement.tree_size != row->size ||
		memcmp(statement.root, row->root, LC_HASH_LEN) != 0)
		return fault_set(f, "the statement is about another anchor, chain, size or root than its row");
	claim->previous_size = statement.sequence_start - 1;
	memcpy(claim->previous_root, statement.previous_root, LC_HASH_LEN);
	return true;
}

/* Only canonical JSON is signed: one statement, one spelling. */
static bool
check_payload(const anchor_row *row, anchor_claim *claim, fault *f)
{
	lc_jsontree *tree = NULL;
	lc_buf		canonical;
	bool		good;

	lc_buf_init(&canonical, &cli_alloc);
	good = lc_json_canonicalize(claim->payload.data, claim->payload.len, &canonical, &cli_alloc,
								NULL) == LC_OK &&
		canonical.len == claim->payload.len &&
		memcmp(canonical.data, claim->payload.data, canonical.len) == 0 &&
		lc_jsontree_parse(claim->payload.data, claim->payload.len, STATEMENT_MAX_DEPTH, &cli_alloc,
						  &tree, NULL) == LC_OK;
	if (!good)
		fault_set(f, "the statement is not canonical JSON");
	else
		good = check_members(row, lc_jsontree_root(tree), claim, f);
	lc_jsontree_free(tree);
	lc_buf_free(&canonical);
	return good;
}

static bool
check_dsse(const anchor_row *row, anchor_claim *claim, fault *f)
{
	lc_dsse		dsse;
	bool		good;

	if (lc_dsse_parse(row->dsse, strlen(row->dsse), &cli_alloc, &dsse) != LC_OK)
		return fault_set(f, "the statement's envelope is no DSSE");
	lc_buf_append(&claim->payload, dsse.payload.data, dsse.payload.len);
	good = same((lc_str) {dsse.payload_type.data, dsse.payload_type.len}, LC_ANCHOR_TYPE,
				strlen(LC_ANCHOR_TYPE));
	lc_dsse_free(&dsse);
	if (!good)
		return fault_set(f, "the statement's payload type is not an anchor's");
	return check_payload(row, claim, f);
}

bool
claim_read(const anchor_row *row, anchor_claim *out, fault *f)
{
	int			n;

	lc_buf_init(&out->text, &cli_alloc);
	lc_buf_init(&out->payload, &cli_alloc);
	n = snprintf(out->origin, sizeof(out->origin), "%s/%s/%s", row->origin, row->tenant, row->chain);
	if (n < 0 || (size_t) n >= sizeof(out->origin))
		return fault_set(f, "the origin is too long");
	lc_checkpoint_format(&out->text, (lc_str) {out->origin, (size_t) n}, row->size, row->root);
	if (out->text.status != LC_OK)
		return fault_set(f, "the origin cannot stand in a checkpoint");
	return check_text(row, out, f) && check_dsse(row, out, f);
}

void
claim_free(anchor_claim *claim)
{
	lc_buf_free(&claim->text);
	lc_buf_free(&claim->payload);
}
