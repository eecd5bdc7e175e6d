/*
 * inspect.c
 *		What stands in bundles, notes, statements and events.
 */
#include <string.h>

#include "inspect.h"
#include "lc_dsse.h"
#include "lc_hex.h"
#include "lc_statement.h"
#include "lc_tlogproof.h"
#include "trust.h"

static void
print_hash(const char *member, const char *label, const uint8_t hash[LC_HASH_LEN])
{
	char		hex[2 * LC_HASH_LEN];

	lc_hex_encode(hash, LC_HASH_LEN, hex);
	cli_json_string(member, (lc_str) {hex, sizeof(hex)});
	cli_print("  %s %.64s", label, hex);
}

void
inspect_head(const lc_checkpoint *head)
{
	chain_name	name;

	cli_json_string("origin", head->origin);
	cli_json_uint("treeSize", head->size);
	cli_print("  origin %.*s", CLI_SHOW(head->origin));
	if (chain_name_read(head->origin, &name))
	{
		cli_json_string("tenant", name.tenant);
		cli_json_string("chainId", name.chain);
		cli_print("  tenant %.*s, chain %.*s", CLI_SHOW(name.tenant), CLI_SHOW(name.chain));
	}
	cli_print("  tree size %llu", (unsigned long long) head->size);
	print_hash("rootHash", "root hash", head->root);
}

static void
list_signatures(const lc_note *note)
{
	cli_json_list("signatures");
	for (size_t i = 0; i < note->count; i++)
	{
		const lc_note_signature *s = &note->signatures[i];
		char		id[2 * LC_KEY_ID_LEN];

		lc_hex_encode(s->id, LC_KEY_ID_LEN, id);
		cli_json_object(NULL);
		cli_json_string("name", s->name);
		cli_json_string("keyId", (lc_str) {id, sizeof(id)});
		lc_jcs_end_object(cli_json());
		cli_print("  signature line of %.*s+%.8s, not verified here", CLI_SHOW(s->name), id);
	}
	lc_jcs_end_array(cli_json());
}

static void
show_note(const lc_note *note)
{
	lc_checkpoint head;

	if (lc_checkpoint_parse(note->text.s, note->text.n, &head) == LC_OK)
		inspect_head(&head);
	list_signatures(note);
}

void
inspect_note(const lc_note *note)
{
	lc_checkpoint head;
	bool		is_checkpoint = lc_checkpoint_parse(note->text.s, note->text.n, &head) == LC_OK;

	cli_json_text("kind", is_checkpoint ? "checkpoint" : "signed note");
	cli_print(is_checkpoint ? "signed checkpoint" : "signed note that is no checkpoint");
	show_note(note);
}

cli_exit
inspect_bundle(const char *path, lc_str text)
{
	lc_tlogproof proof;
	lc_note		note;
	lc_status	status = lc_tlogproof_parse(text.s, text.n, &proof);

	if (status == LC_OK)
		status = lc_note_parse(proof.checkpoint.s, proof.checkpoint.n, &note);
	if (status != LC_OK)
		return cli_error(CLI_FAILED, "%s begins as a proof bundle, but is none: %s", path,
						 lc_status_text(status));
	cli_json_text("kind", "proof bundle");
	cli_json_uint("index", proof.index);
	cli_json_uint("hashes", proof.proof.count);
	cli_json_bool("extra", proof.extra.s != NULL);
	cli_print("proof bundle (C2SP tlog-proof) of index %llu, with %zu hashes%s",
			  (unsigned long long) proof.index, proof.proof.count,
			  proof.extra.s != NULL ? " and extra data that nothing vouches for" : "");
	show_note(&note);
	return CLI_GOOD;
}

/* ---- JSON ---- */

static void
show_anchor(const lc_anchor *a)
{
	char		id[LC_UUID_TEXT];

	lc_uuid_format(a->chain_id, id);
	cli_json_string("tenant", a->tenant);
	cli_json_string("chainId", (lc_str) {id, sizeof(id)});
	cli_json_uint("treeSize", a->tree_size);
	cli_json_uint("sequenceStart", a->sequence_start);
	cli_print("  anchor of tenant %.*s, chain %.36s", CLI_SHOW(a->tenant), id);
	cli_print("  sequences %llu to %llu, recorded %.*s to %.*s", (unsigned long long) a->sequence_start,
			  (unsigned long long) a->sequence_end, CLI_SHOW(a->window_start), CLI_SHOW(a->window_end));
	print_hash("rootHash", "root hash", a->root);
	if (a->has_previous_root)
		print_hash("previousRootHash", "root hash of the anchor before", a->previous_root);
}

static void
show_mark(const lc_mark *m)
{
	char		id[LC_UUID_TEXT];

	lc_uuid_format(m->chain_id, id);
	cli_json_string("tenant", m->tenant);
	cli_json_string("chainId", (lc_str) {id, sizeof(id)});
	cli_json_uint("treeSize", m->tree_size);
	cli_print("  verified up to sequence %llu of tenant %.*s, chain %.36s, at %.*s",
			  (unsigned long long) m->tree_size, CLI_SHOW(m->tenant), id, CLI_SHOW(m->verified_at));
	print_hash("rootHash", "root hash", m->root);
}

static bool
has_type(const lc_dsse *d, const char *type)
{
	return d->payload_type.len == strlen(type) && memcmp(d->payload_type.data, type, strlen(type)) == 0;
}

static void
show_statement(const lc_dsse *d)
{
	lc_jsontree *tree = NULL;
	lc_anchor	anchor;
	lc_mark		mark;

	if (lc_jsontree_parse(d->payload.data, d->payload.len, 0, &cli_alloc, &tree, NULL) != LC_OK)
		cli_print("  the payload is no JSON");
	else if (has_type(d, LC_ANCHOR_TYPE) && lc_anchor_read(lc_jsontree_root(tree), &anchor) == LC_OK)
		show_anchor(&anchor);
	else if (has_type(d, LC_MARK_TYPE) && lc_mark_read(lc_jsontree_root(tree), &mark) == LC_OK)
		show_mark(&mark);
	else
		cli_print("  the payload is no statement of a ledger");
	lc_jsontree_free(tree);
}

static cli_exit
inspect_dsse(const char *path, lc_str text)
{
	lc_dsse		d;
	lc_status	status = lc_dsse_parse(text.s, text.n, &cli_alloc, &d);
	lc_str		type;

	if (status != LC_OK)
		return cli_error(CLI_FAILED, "%s has a payloadType, but is no DSSE envelope: %s", path,
						 lc_status_text(status));
	type = (lc_str) {d.payload_type.data, d.payload_type.len};
	cli_json_text("kind", "DSSE envelope");
	cli_json_string("payloadType", type);
	cli_print("DSSE envelope of type %.*s", CLI_SHOW(type));
	show_statement(&d);
	cli_json_list("signatures");
	for (size_t i = 0; i < d.count; i++)
	{
		lc_str		keyid = d.signatures[i].keyid;

		cli_json_item(keyid.s != NULL ? keyid : (lc_str) {"", 0});
		cli_print("  signature of %.*s, not verified here", CLI_SHOW(keyid));
	}
	lc_jcs_end_array(cli_json());
	lc_dsse_free(&d);
	return CLI_GOOD;
}

static cli_exit
inspect_airgap(const char *path, const lc_json *root)
{
	lc_str		checkpoint = lc_json_string(root, "checkpoint");
	lc_str		bundle = lc_json_string(root, "bundleId");
	lc_note		note;

	if (checkpoint.s == NULL || bundle.s == NULL ||
		lc_note_parse(checkpoint.s, checkpoint.n, &note) != LC_OK)
		return cli_error(CLI_FAILED, "%s: an air-gap bundle without a signed checkpoint", path);
	cli_json_text("kind", "air-gap anchor");
	cli_json_string("bundleId", bundle);
	cli_print("anchor of the air-gap bundle %.*s", CLI_SHOW(bundle));
	show_note(&note);
	return CLI_GOOD;
}

/* One event, or the first of several lines. */
static cli_exit
inspect_event(const char *path, lc_str text, uint64_t lines)
{
	event_doc	doc;
	char		id[LC_UUID_TEXT];
	cli_exit	code = event_read(path, text.s, text.n, false, &doc);

	if (doc.readable)
	{
		const lc_event *e = &doc.event;

		lc_uuid_format(e->id, id);
		cli_json_text("kind", doc.payload == PAYLOAD_NOT_GIVEN ? "event envelope" : "export line");
		cli_json_uint("lines", lines);
		cli_json_string("tenant", e->tenant);
		cli_json_string("eventId", (lc_str) {id, sizeof(id)});
		cli_json_uint("sequence", (uint64_t) e->sequence);
		cli_json_string("type", e->type);
		cli_print("%s", doc.payload == PAYLOAD_NOT_GIVEN ? "event, its envelope alone"
				  : "event with its payload, a line of an export");
		cli_print("  event %.36s, %.*s, sequence %lld of tenant %.*s", id, CLI_SHOW(e->type),
				  (long long) e->sequence, CLI_SHOW(e->tenant));
		print_hash("eventHash", "event hash", doc.event_hash);
		print_hash("leafHash", "leaf hash", doc.leaf_hash);
		if (lines > 1)
			cli_print("  the first of %llu lines; ledgerctl verify-export checks them all",
					  (unsigned long long) lines);
	}
	event_free(&doc);
	return code;
}

static cli_exit
inspect_lines(const char *path, lc_str text)
{
	const char *end = memchr(text.s, '\n', text.n);
	uint64_t	lines = 0;

	for (size_t i = 0; i < text.n; i++)
		lines += text.s[i] == '\n';
	if (end != NULL)
		text.n = (size_t) (end - text.s);
	return inspect_event(path, text, lines);
}

cli_exit
inspect_json(const char *path, lc_str text)
{
	lc_jsontree *tree = NULL;
	lc_json_error err;
	const lc_json *root;
	lc_str		schema;
	cli_exit	code;

	if (lc_jsontree_parse(text.s, text.n, 0, &cli_alloc, &tree, &err) != LC_OK)
		return err.status == LC_ERR_TRAILING ? inspect_lines(path, text)
			: cli_error(CLI_FAILED, "%s: %s at byte %zu", path, lc_status_text(err.status), err.offset);
	root = lc_jsontree_root(tree);
	schema = lc_json_string(root, "schema");
	if (lc_json_member(root, "payloadType") != NULL)
		code = inspect_dsse(path, text);
	else if (schema.s != NULL && schema.n == strlen("ledger.airgap.v1") &&
			 memcmp(schema.s, "ledger.airgap.v1", schema.n) == 0)
		code = inspect_airgap(path, root);
	else
		code = inspect_event(path, text, 1);
	lc_jsontree_free(tree);
	return code;
}
