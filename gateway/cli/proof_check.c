/*
 * proof_check.c
 *		From a bundle, an event and keys to a verdict.
 */
#include <string.h>

#include "lc_hex.h"
#include "lc_tlogproof.h"
#include "proof_check.h"

/* Is it the chain that the event says it is of, and the place? */
static cli_exit
check_names(const char *bundle_name, const lc_tlogproof *proof, const judged *c, const event_doc *doc)
{
	const lc_event *e = &doc->event;

	if (c->name.tenant.n != e->tenant.n || memcmp(c->name.tenant.s, e->tenant.s, e->tenant.n) != 0)
		return cli_error(CLI_FAILED, "%s: the checkpoint is of tenant \"%.*s\", the event of \"%.*s\"",
						 bundle_name, CLI_SHOW(c->name.tenant), CLI_SHOW(e->tenant));
	if (memcmp(c->name.chain_id, e->chain_id, LC_UUID_LEN) != 0)
	{
		char		chain[LC_UUID_TEXT];

		lc_uuid_format(e->chain_id, chain);
		return cli_error(CLI_FAILED, "%s: the checkpoint is of chain %.*s, the event of %.36s",
						 bundle_name, CLI_SHOW(c->name.chain), chain);
	}
	if (proof->index != (uint64_t) e->sequence - 1)
		return cli_error(CLI_FAILED, "%s: the proof is of index %llu, but the event's sequence %lld "
						 "has index %lld", bundle_name, (unsigned long long) proof->index,
						 (long long) e->sequence, (long long) e->sequence - 1);
	return CLI_GOOD;
}

/* Hashes on the path of a leaf: RFC 9162 section 2.1.3.1, counted. */
static size_t
path_length(uint64_t index, uint64_t size)
{
	size_t		n = 0;

	for (uint64_t last = size - 1; last > 0; last >>= 1, index >>= 1)
		n += index != last || (index & 1) != 0;
	return n;
}

static cli_exit
check_inclusion(const char *bundle_name, const lc_tlogproof *proof, const judged *c,
				const event_doc *doc)
{
	uint8_t		root[LC_HASH_LEN];
	char		hex[3][2 * LC_HASH_LEN];
	size_t		wanted;

	if (proof->index >= c->head.size)
		return cli_error(CLI_FAILED, "%s: index %llu is not in a tree of size %llu", bundle_name,
						 (unsigned long long) proof->index, (unsigned long long) c->head.size);
	wanted = path_length(proof->index, c->head.size);
	if (proof->proof.count != wanted)
		return cli_error(CLI_FAILED, "%s: the proof has %zu hashes; that of index %llu in a tree of size "
						 "%llu has %zu", bundle_name, proof->proof.count,
						 (unsigned long long) proof->index, (unsigned long long) c->head.size, wanted);
	if (lc_merkle_inclusion_root(doc->leaf_hash, proof->index, c->head.size,
								 (const uint8_t (*)[LC_HASH_LEN]) proof->proof.hashes,
								 proof->proof.count, root) != LC_OK)
		return cli_error(CLI_USAGE, "OpenSSL cannot hash");
	if (memcmp(root, c->head.root, LC_HASH_LEN) == 0)
		return CLI_GOOD;
	lc_hex_encode(doc->leaf_hash, LC_HASH_LEN, hex[0]);
	lc_hex_encode(root, LC_HASH_LEN, hex[1]);
	lc_hex_encode(c->head.root, LC_HASH_LEN, hex[2]);
	return cli_error(CLI_FAILED, "%s: the proof leads from the event's leaf %.64s to the root %.64s, "
					 "but the signed root is %.64s", bundle_name, hex[0], hex[1], hex[2]);
}

static void
report(const lc_tlogproof *proof, const judged *c, const event_doc *doc)
{
	static const char *const payloads[] = {
		[PAYLOAD_NOT_GIVEN] = "not given",
		[PAYLOAD_CHECKED] = "checked",
		[PAYLOAD_ERASED] = "erased",
	};
	char		id[LC_UUID_TEXT];

	lc_uuid_format(doc->event.id, id);
	cli_json_string("origin", c->name.origin);
	cli_json_string("tenant", c->name.tenant);
	cli_json_string("chainId", c->name.chain);
	cli_json_string("eventId", (lc_str) {id, sizeof(id)});
	cli_json_uint("sequence", (uint64_t) doc->event.sequence);
	cli_json_uint("index", proof->index);
	cli_json_uint("treeSize", c->head.size);
	cli_json_hex("rootHash", c->head.root, LC_HASH_LEN);
	cli_json_hex("leafHash", doc->leaf_hash, LC_HASH_LEN);
	cli_json_text("payload", payloads[doc->payload]);
	cli_print("event %.36s is event %lld of %.*s/%.*s in the log %.*s", id,
			  (long long) doc->event.sequence, CLI_SHOW(c->name.tenant), CLI_SHOW(c->name.chain),
			  CLI_SHOW(c->name.origin));
	cli_print("tree of %llu events, signed by %zu key%s of the log and %zu witness%s; payload %s",
			  (unsigned long long) c->head.size, c->signed_by, c->signed_by == 1 ? "" : "s",
			  c->cosigned_by, c->cosigned_by == 1 ? "" : "es", payloads[doc->payload]);
}

static cli_exit
check_parsed(const char *bundle_name, const lc_tlogproof *proof, const event_doc *doc, const trust *t)
{
	judged		c;
	cli_exit	code = trust_checkpoint(bundle_name, proof->checkpoint, t, true, &c);

	if (code == CLI_GOOD)
		code = check_names(bundle_name, proof, &c, doc);
	if (code == CLI_GOOD)
		code = check_inclusion(bundle_name, proof, &c, doc);
	if (code == CLI_GOOD)
		report(proof, &c, doc);
	return code;
}

cli_exit
proof_check(const char *bundle_name, lc_str bundle, const char *event_name, lc_str event,
			const trust *t)
{
	lc_tlogproof proof;
	event_doc	doc;
	lc_status	status = lc_tlogproof_parse(bundle.s, bundle.n, &proof);
	cli_exit	code;

	if (status != LC_OK)
		return cli_error(CLI_FAILED, "%s: no proof bundle (C2SP tlog-proof): %s", bundle_name,
						 lc_status_text(status));
	/* For people white space in the event's file means nothing; its hash is over the canonical form. */
	code = event_read(event_name, event.s, event.n, false, &doc);
	if (code == CLI_GOOD)
		code = check_parsed(bundle_name, &proof, &doc, t);
	event_free(&doc);
	return code;
}
