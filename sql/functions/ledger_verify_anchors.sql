-- Anchors, tiles and registry against the leaf hashes: rules 1 to 8 of
-- "Anchors" in docs/verification.md.  One pass over the leaves of each anchored
-- chain (extension/src/verify_tree.c); the rest is as many rows as there are anchors.

-- The payload may be anything: what cannot be read has no policy.
CREATE FUNCTION ledger.ledger_stated_policy(dsse jsonb) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN convert_from(decode(dsse ->> 'payload', 'base64'), 'UTF8')::jsonb ->> 'policyHash';
EXCEPTION WHEN data_exception THEN
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION ledger.ledger_stated_policy(jsonb) IS
	'The policyHash of an anchor statement, or NULL if it cannot be read. Part of ledger_verify().';

-- What disagrees within an anchor's own row (rule 3); NULL if nothing does.
CREATE FUNCTION ledger.ledger_anchor_fault(anchor ledger.ledger_merkle_roots, policies text[])
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	WITH expected AS (
		SELECT format(E'%s/%s/%s\n%s\n%s\n', anchor.origin, anchor.tenant_id, anchor.chain_id, anchor.tree_size,
				encode(anchor.root_hash, 'base64')) AS checkpoint,
			'YYYY-MM-DD"T"HH24:MI:SS.US"Z"' AS rfc3339)
	SELECT nullif(concat_ws(', ',
		CASE WHEN (starts_with(anchor.checkpoint, x.checkpoint)
			-- C2SP signed-note: an empty line, then "— <key name> <base64>" lines.
			AND substr(anchor.checkpoint, length(x.checkpoint) + 1) ~ E'^(\n(— [^ +\n]+ [A-Za-z0-9+/]+={0,2}\n)+)?$')
			IS NOT TRUE THEN 'checkpoint' END,
		CASE WHEN (anchor.dsse ->> 'payloadType' = 'application/vnd.stella-ledger-anchor+json'
			AND jsonb_typeof(anchor.dsse -> 'signatures') = 'array'
			AND EXISTS (
				SELECT FROM unnest(policies) AS p (policy)
				WHERE anchor.dsse ->> 'payload' = translate(encode(convert_to(concat(
					format('{"anchorId":"%s","chainId":"%s","leafCount":%s,"policyHash":%s,', anchor.anchor_id, anchor.chain_id,
						anchor.leaf_count, ledger.ledger_canonical_json(to_jsonb(p.policy))),
					'"previousRootHash":"' || encode(anchor.previous_root_hash, 'hex') || '",',
					format('"rootHash":"%s","schemaVersion":"ledger.event.v1","sequenceEnd":%s,"sequenceStart":%s,"tenant":"%s",',
						encode(anchor.root_hash, 'hex'), anchor.sequence_end, anchor.sequence_start, anchor.tenant_id),
					format('"treeSize":%s,"windowEnd":"%s","windowStart":"%s"}', anchor.tree_size,
						to_char(anchor.window_end AT TIME ZONE 'UTC', x.rfc3339), to_char(anchor.window_start AT TIME ZONE 'UTC', x.rfc3339))
					), 'UTF8'), 'base64'), E'\n', '')))
			IS NOT TRUE THEN 'dsse' END,
		CASE WHEN ledger.ledger_frontier_root(anchor.frontier, anchor.tree_size) IS DISTINCT FROM anchor.root_hash THEN 'frontier' END,
		CASE WHEN anchor.anchor_reference IS NOT NULL AND NOT EXISTS (
			SELECT FROM ledger.ledger_anchor_receipts AS t
			WHERE t.tenant_id = anchor.tenant_id AND t.anchor_id = anchor.anchor_id AND t.reference = anchor.anchor_reference)
			THEN 'anchor_reference' END), '')
	FROM expected AS x
	$$;
COMMENT ON FUNCTION ledger.ledger_anchor_fault(ledger.ledger_merkle_roots, text[]) IS
	'Which of checkpoint, dsse, frontier and anchor_reference are not what the anchor''s other columns give, with one of these policy versions; NULL if all are. Part of ledger_verify().';

CREATE FUNCTION ledger.ledger_verify_anchors(in_tenant text, in_chain uuid, in_doubt jsonb, in_marks jsonb DEFAULT '[]')
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text, counts jsonb)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	-- As in ledger_judge(): nobody can estimate how much is tampered with; and nothing here is worth compiling.
	SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off
	-- Planned for this tenant and chain, and every table is asked for them alone:
	-- ledger_verify_new() comes here once for each chain.
	SET plan_cache_mode = force_custom_plan
	AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH
	doubt AS (
		SELECT d.tenant_id, d.chain_id, bool_or(d.moved) AS moved
		FROM jsonb_to_recordset(in_doubt) AS d (tenant_id text, chain_id uuid, moved boolean) GROUP BY d.tenant_id, d.chain_id),
	-- 1. The anchored chains, and what is known of each.
	anchored AS MATERIALIZED (
		SELECT r.tenant_id, r.chain_id FROM ledger.ledger_merkle_roots AS r
			WHERE (in_tenant IS NULL OR r.tenant_id = in_tenant) AND (in_chain IS NULL OR r.chain_id = in_chain)
		UNION SELECT t.tenant_id, t.chain_id FROM ledger.ledger_merkle_tiles AS t
			WHERE (in_tenant IS NULL OR t.tenant_id = in_tenant) AND (in_chain IS NULL OR t.chain_id = in_chain)
		UNION SELECT g.tenant_id, g.chain_id FROM ledger.ledger_merkle_edge AS g
			WHERE (in_tenant IS NULL OR g.tenant_id = in_tenant) AND (in_chain IS NULL OR g.chain_id = in_chain)
		UNION SELECT c.tenant_id, c.chain_id FROM ledger.ledger_chains AS c
			WHERE (c.first_anchored_sequence IS NOT NULL OR c.last_anchored_sequence IS NOT NULL)
				AND (in_tenant IS NULL OR c.tenant_id = in_tenant) AND (in_chain IS NULL OR c.chain_id = in_chain)),
	chain AS MATERIALIZED (
		SELECT a.tenant_id, a.chain_id, c.tenant_id IS NOT NULL AS registered, c.first_anchored_sequence AS first_no,
			c.last_anchored_sequence AS last_no, c.policy_version AS registered_policy,
			(SELECT max(e.sequence_no) FROM ledger.ledger_events AS e
			 WHERE e.tenant_id = a.tenant_id AND e.chain_id = a.chain_id AND (in_tenant IS NULL OR e.tenant_id = in_tenant)) AS head,
			(SELECT e.policy_version FROM ledger.ledger_events AS e
			 WHERE e.tenant_id = a.tenant_id AND e.chain_id = a.chain_id AND (in_tenant IS NULL OR e.tenant_id = in_tenant) ORDER BY e.sequence_no LIMIT 1) AS policy,
			d.tenant_id IS NOT NULL AS doubtful, coalesce(d.moved, false) AS moved,
			coalesce(m.tree_size, 0) AS since, coalesce(m.start, 0) AS start, coalesce(decode(m.frontier, 'hex'), '') AS frontier
		FROM anchored AS a
		LEFT JOIN (SELECT * FROM ledger.ledger_chains AS c WHERE (in_tenant IS NULL OR c.tenant_id = in_tenant) AND (in_chain IS NULL OR c.chain_id = in_chain)) AS c
			USING (tenant_id, chain_id)
		LEFT JOIN doubt AS d USING (tenant_id, chain_id)
		LEFT JOIN jsonb_to_recordset(in_marks) AS m (tenant_id text, chain_id uuid, tree_size bigint, start bigint, frontier text)
			USING (tenant_id, chain_id)),
	-- 2. The anchors with their neighbours, and their own words.
	anchor AS MATERIALIZED (
		SELECT r.tenant_id, r.chain_id, r.tree_size, r.sequence_start, r.root_hash, r.previous_root_hash, c.head, c.doubtful, c.moved, c.since,
			ledger.ledger_anchor_fault(r, ARRAY[c.policy, c.registered_policy,
				-- Of a chain that is gone only the statement says it.
				CASE WHEN coalesce(c.policy, c.registered_policy) IS NULL THEN ledger.ledger_stated_policy(r.dsse) END]) AS fault,
			lag(r.tree_size) OVER w AS before_size, lag(r.root_hash) OVER w AS before_root,
			coalesce(lead(r.previous_root_hash) OVER w = r.root_hash, lead(r.tree_size) OVER w IS NULL) AS remembered
		FROM ledger.ledger_merkle_roots AS r JOIN chain AS c USING (tenant_id, chain_id)
		WHERE (in_tenant IS NULL OR r.tenant_id = in_tenant) AND (in_chain IS NULL OR r.chain_id = in_chain)
		WINDOW w AS (PARTITION BY r.tenant_id, r.chain_id ORDER BY r.tree_size)),
	-- 3. The tree that the leaves give.
	size AS MATERIALIZED (
		SELECT a.tenant_id, a.chain_id, array_agg(a.tree_size) AS sizes FROM anchor AS a
		WHERE NOT a.doubtful AND a.tree_size <= a.head AND a.tree_size > a.since GROUP BY a.tenant_id, a.chain_id),
	tree AS MATERIALIZED (
		SELECT c.tenant_id, c.chain_id, t.*
		FROM chain AS c JOIN size AS s USING (tenant_id, chain_id),
			LATERAL ledger.ledger_tree_check(c.tenant_id, c.chain_id, s.sizes, c.start, c.frontier) AS t),
	compared AS MATERIALIZED (
		SELECT a.*, t.root, CASE
			WHEN a.fault IS NOT NULL OR (t.root <> a.root_hash AND NOT a.remembered) THEN 'anchor_mismatch'
			WHEN t.root <> a.root_hash THEN 'rewritten' END AS kind
		FROM anchor AS a LEFT JOIN tree AS t ON (t.tenant_id, t.chain_id, t.tree_size) = (a.tenant_id, a.chain_id, a.tree_size) AND t.level IS NULL),
	judged AS MATERIALIZED (
		SELECT c.*, c.kind IS DISTINCT FROM 'anchor_mismatch'
				AND (lag(c.kind) OVER w) IS DISTINCT FROM 'anchor_mismatch'
				AND CASE WHEN c.before_size IS NULL THEN c.sequence_start <> 1
				    ELSE c.sequence_start <> c.before_size + 1 OR c.previous_root_hash IS DISTINCT FROM c.before_root END AS astray,
			-- Of the leaves that were rewritten the first anchor that covers them tells.
			c.kind = 'rewritten' AND count(*) FILTER (WHERE c.kind = 'rewritten') OVER (w ROWS UNBOUNDED PRECEDING) = 1 AS first_rewritten,
			coalesce(max(c.tree_size) FILTER (WHERE c.root = c.root_hash) OVER w, c.since) AS sound_before
		FROM compared AS c
		WINDOW w AS (PARTITION BY c.tenant_id, c.chain_id ORDER BY c.tree_size)),
	signed AS MATERIALIZED (
		SELECT j.tenant_id, j.chain_id, j.tree_size, s.*
		FROM judged AS j JOIN ledger.ledger_merkle_roots AS r USING (tenant_id, chain_id, tree_size),
			LATERAL ledger.ledger_anchor_signatures(r) AS s
		WHERE j.kind IS DISTINCT FROM 'anchor_mismatch' AND j.astray IS NOT TRUE AND j.tree_size > j.since
			AND (in_tenant IS NULL OR r.tenant_id = in_tenant) AND (in_chain IS NULL OR r.chain_id = in_chain)),
	-- 4. What each chain's anchors say together.
	summary AS MATERIALIZED (
		SELECT c.*, coalesce(max(j.tree_size), 0) AS newest, count(j.tree_size) AS anchors,
			coalesce(max(j.tree_size) FILTER (WHERE j.root = j.root_hash), 0) AS agreed,
			min(j.sequence_start) AS first_start,
			coalesce((array_agg(j.kind = 'anchor_mismatch' ORDER BY j.tree_size DESC) FILTER (WHERE j.tree_size IS NOT NULL))[1], false) AS newest_faulty,
			coalesce((array_agg(j.kind = 'anchor_mismatch' OR j.astray ORDER BY j.tree_size) FILTER (WHERE j.tree_size IS NOT NULL))[1], false) AS first_faulty,
			bool_or(j.fault IS NULL AND j.tree_size IS NOT NULL) AS believed,
			greatest(max(j.tree_size) FILTER (WHERE j.fault IS NULL), c.last_no) AS known_size
		FROM chain AS c LEFT JOIN judged AS j USING (tenant_id, chain_id)
		GROUP BY c.tenant_id, c.chain_id, c.registered, c.first_no, c.last_no, c.registered_policy, c.head, c.policy, c.doubtful, c.moved, c.since,
			c.start, c.frontier),
	registry AS (
		SELECT s.tenant_id, s.chain_id, CASE WHEN s.last_no > s.newest THEN s.last_no ELSE nullif(s.newest, 0) END AS sequence_no,
			concat_ws('; ',
				CASE WHEN NOT s.registered THEN 'the chain is not registered'
				     WHEN s.last_no > s.newest THEN format('the anchor of tree size %s is lost', s.last_no)
				     WHEN s.last_no IS DISTINCT FROM nullif(s.newest, 0) THEN format('ledger_chains.last_anchored_sequence is %s', coalesce(s.last_no::text, 'NULL')) END,
				CASE WHEN s.registered AND NOT s.first_faulty AND s.first_no IS DISTINCT FROM s.first_start
				     THEN format('ledger_chains.first_anchored_sequence is %s', coalesce(s.first_no::text, 'NULL')) END,
				CASE WHEN s.registered AND NOT s.doubtful AND s.policy <> s.registered_policy
				     THEN format('ledger_chains.policy_version is %s', s.registered_policy) END) AS detail
		FROM summary AS s
		WHERE s.head IS NOT NULL AND NOT s.newest_faulty AND NOT coalesce(s.last_no > s.head, false)
			AND (s.anchors > 0 OR s.first_no IS NOT NULL OR s.last_no IS NOT NULL)),
	-- 5. Tiles: of what the leaves agree with, and none that has no place.
	whole AS MATERIALIZED (
		SELECT s.tenant_id, s.chain_id, s.agreed, s.start, s.agreed = s.newest AND s.agreed = coalesce(s.last_no, 0) AND NOT s.doubtful AS to_the_end
		FROM summary AS s),
	wanted AS MATERIALIZED (
		SELECT t.tenant_id, t.chain_id, t.level, t.tile_index, t.hashes, octet_length(t.hashes) = 8192 AS is_full
		FROM tree AS t JOIN whole AS w USING (tenant_id, chain_id)
		WHERE t.level IS NOT NULL AND CASE WHEN octet_length(t.hashes) = 8192 THEN t.tree_size <= w.agreed ELSE w.to_the_end END),
	stored AS (
		SELECT t.tenant_id, t.chain_id, t.level, t.tile_index, t.hashes, true AS is_full FROM ledger.ledger_merkle_tiles AS t
		WHERE (in_tenant IS NULL OR t.tenant_id = in_tenant) AND (in_chain IS NULL OR t.chain_id = in_chain)
		UNION ALL
		SELECT g.tenant_id, g.chain_id, g.level, g.tile_index, g.hashes, false FROM ledger.ledger_merkle_edge AS g
		WHERE (in_tenant IS NULL OR g.tenant_id = in_tenant) AND (in_chain IS NULL OR g.chain_id = in_chain)),
	placed AS (
		SELECT p.*, power(256::numeric, p.level + 1) AS span FROM stored AS p),
	tile AS (
		SELECT w.tenant_id, w.chain_id, w.level, w.tile_index, power(256::numeric, w.level + 1) AS span,
			CASE WHEN p.hashes IS NULL THEN 'is not there' ELSE 'is not what the leaves give' END AS fault, w.is_full
		FROM wanted AS w LEFT JOIN placed AS p USING (tenant_id, chain_id, level, tile_index, is_full)
		WHERE w.hashes IS DISTINCT FROM p.hashes
		UNION ALL
		-- Full ones beyond the tree; and of the edge what is not where the tree ends.
		SELECT p.tenant_id, p.chain_id, p.level, p.tile_index, p.span, 'has no place in the tree', p.is_full
		FROM placed AS p JOIN whole AS w USING (tenant_id, chain_id)
		LEFT JOIN wanted AS n USING (tenant_id, chain_id, level, tile_index, is_full)
		WHERE w.to_the_end AND n.hashes IS NULL AND CASE
			WHEN p.is_full THEN (p.tile_index + 1::numeric) * p.span > w.agreed
			WHEN p.tile_index * p.span < w.start AND p.tile_index = div(w.agreed, p.span) THEN false
			ELSE octet_length(p.hashes) > 0 OR p.tile_index <> div(w.agreed, p.span) END),
	finding AS (
		SELECT s.tenant_id, s.chain_id, NULL::bigint AS sequence_no, 'missing_chain' AS kind, 'an anchored chain has no events' AS detail
		FROM summary AS s WHERE s.head IS NULL AND NOT s.registered AND s.believed AND NOT s.moved
		UNION ALL
		SELECT s.tenant_id, s.chain_id, s.head + 1, 'truncated', format('the chain was anchored up to %s and ends at %s', s.known_size, s.head)
		FROM summary AS s WHERE s.known_size > s.head AND NOT s.moved
		UNION ALL
		SELECT j.tenant_id, j.chain_id, j.tree_size, 'anchor_mismatch', CASE
			WHEN j.root = j.root_hash THEN j.fault || ': not what the other columns give'
			WHEN j.fault IS NULL OR j.root IS NOT NULL THEN concat_ws(', ', 'root_hash', j.fault) || ': not what the leaves give'
			ELSE j.fault || ': not what the other columns give' END
		FROM judged AS j WHERE j.kind = 'anchor_mismatch' AND (j.tree_size > j.since OR j.tree_size < 1)
		UNION ALL
		SELECT j.tenant_id, j.chain_id, j.sound_before + 1, 'rewritten',
			format('an event between %s and %s is not the one that was anchored', j.sound_before + 1, j.tree_size)
		FROM judged AS j WHERE j.first_rewritten
		UNION ALL
		SELECT j.tenant_id, j.chain_id, j.tree_size, 'inconsistent_history', CASE
			WHEN j.before_size IS NULL THEN format('the first anchor starts at %s', j.sequence_start)
			WHEN j.sequence_start <> j.before_size + 1 THEN format('it starts at %s, after an anchor of size %s', j.sequence_start, j.before_size)
			ELSE format('previous_root_hash is not the root of the anchor of size %s', j.before_size) END
		FROM judged AS j WHERE j.astray AND j.tree_size > j.since
		UNION ALL
		SELECT s.tenant_id, s.chain_id, s.tree_size, 'signature_invalid', s.fault FROM signed AS s WHERE s.fault IS NOT NULL
		UNION ALL
		SELECT r.tenant_id, r.chain_id, r.sequence_no, 'anchor_mismatch', r.detail FROM registry AS r WHERE r.detail <> ''
		UNION ALL
		SELECT t.tenant_id, t.chain_id, CASE WHEN t.tile_index * t.span < 9223372036854775807 THEN (t.tile_index * t.span)::bigint + 1 END, 'tile_mismatch',
			format('%s of level %s, index %s, %s', CASE WHEN t.is_full THEN 'the tile' ELSE 'the edge' END, t.level, t.tile_index, t.fault)
		FROM tile AS t)
	SELECT f.tenant_id, f.chain_id, f.sequence_no, f.kind, f.detail, NULL::jsonb FROM finding AS f
	UNION ALL
	SELECT NULL, NULL, NULL, NULL, NULL, jsonb_build_object(
		'anchors', (SELECT count(*) FROM judged AS j WHERE j.tree_size > j.since),
		'tiles', (SELECT count(*) FROM wanted AS w WHERE w.is_full),
		'signatures', (SELECT coalesce(sum(s.verified), 0) FROM signed AS s),
		'unsigned', (SELECT count(*) FROM signed AS s WHERE NOT s.is_signed));
END
$$;
COMMENT ON FUNCTION ledger.ledger_verify_anchors(text, uuid, jsonb, jsonb) IS
	'Findings about anchors, tiles and the registry''s anchored range by rules 1 to 8 of docs/verification.md, then one row of counts. Doubt: chains whose leaves are not compared, because events of theirs have findings; marks: sizes up to which chains were verified, with the frontier to start from. Part of ledger_verify().';
