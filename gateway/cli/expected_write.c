/*
 * expected_write.c
 *		The lines of <fixture>.expected, canonical JSON.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "expected.h"
#include "lc_hex.h"
#include "lc_jcs.h"

static void
put_key(lc_jcs *w, const char *name)
{
	lc_jcs_key(w, name, strlen(name));
}

static void
put_text(lc_jcs *w, const char *name, lc_str value)
{
	put_key(w, name);
	lc_jcs_string(w, value.s, value.n);
}

static void
put_hash(lc_jcs *w, const char *name, const uint8_t hash[LC_HASH_LEN])
{
	char		hex[2 * LC_HASH_LEN];

	lc_hex_encode(hash, LC_HASH_LEN, hex);
	put_text(w, name, (lc_str) {hex, sizeof(hex)});
}

static void
put_number(lc_jcs *w, const char *name, uint64_t value)
{
	char		text[24];

	put_key(w, name);
	lc_jcs_number(w, text, (size_t) snprintf(text, sizeof(text), "%" PRIu64, value));
}

static lc_jcs *
begin(lc_buf *line)
{
	lc_jcs	   *w = lc_jcs_new(line, &cli_alloc);

	lc_jcs_begin_object(w);
	return w;
}

static void
end(lc_jcs *w)
{
	lc_jcs_end_object(w);
	(void) lc_jcs_finish(w);	/* a failure stays in the line's status */
	lc_jcs_free(w);
}

void
expected_put_chain(lc_buf *line, const expected_chain *chain)
{
	char		id[LC_UUID_TEXT];
	lc_jcs	   *w = begin(line);

	lc_uuid_format(chain->chain_id, id);
	put_text(w, "chainId", (lc_str) {id, sizeof(id)});
	put_hash(w, "rootHash", chain->root);
	put_text(w, "tenant", chain->tenant);
	put_number(w, "treeSize", chain->size);
	end(w);
}

void
expected_put_finding(lc_buf *line, const expected_finding *finding)
{
	lc_jcs	   *w = begin(line);

	put_number(w, "currentSequence", finding->sequence);
	put_hash(w, "cycleHash", finding->cycle_hash);
	put_text(w, "findingId", finding->finding_id);
	put_text(w, "policyVersion", finding->policy_version);
	put_text(w, "tenant", finding->tenant);
	end(w);
}

void
expected_put_totals(lc_buf *line, const expected_totals *totals)
{
	lc_jcs	   *w = begin(line);

	put_number(w, "chains", totals->chains);
	put_hash(w, "eventStreamChecksum", totals->events_checksum);
	put_number(w, "events", totals->events);
	put_number(w, "findings", totals->findings);
	put_hash(w, "projectionChecksum", totals->projection_checksum);
	put_text(w, "schema", (lc_str) {EXPECTED_SCHEMA, strlen(EXPECTED_SCHEMA)});
	end(w);
}
