/*
 * expected_write.c
 *		The lines of <fixture>.expected, canonical JSON.
 */
#include <string.h>

#include "expected.h"
#include "json_put.h"

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
	json_put_string(w, "chainId", (lc_str) {id, sizeof(id)});
	json_put_hash(w, "rootHash", chain->root);
	json_put_string(w, "tenant", chain->tenant);
	json_put_uint(w, "treeSize", chain->size);
	end(w);
}

void
expected_put_finding(lc_buf *line, const expected_finding *finding)
{
	lc_jcs	   *w = begin(line);

	json_put_uint(w, "currentSequence", finding->sequence);
	json_put_hash(w, "cycleHash", finding->cycle_hash);
	json_put_string(w, "findingId", finding->finding_id);
	json_put_string(w, "policyVersion", finding->policy_version);
	json_put_string(w, "tenant", finding->tenant);
	end(w);
}

void
expected_put_totals(lc_buf *line, const expected_totals *totals)
{
	lc_jcs	   *w = begin(line);

	json_put_uint(w, "chains", totals->chains);
	json_put_hash(w, "eventStreamChecksum", totals->events_checksum);
	json_put_uint(w, "events", totals->events);
	json_put_uint(w, "findings", totals->findings);
	json_put_hash(w, "projectionChecksum", totals->projection_checksum);
	json_put_string(w, "schema", (lc_str) {EXPECTED_SCHEMA, strlen(EXPECTED_SCHEMA)});
	end(w);
}
