-- What a monitor scrapes, in the terms of Prometheus.
CREATE FUNCTION ledger.ledger_anchor_metrics()
	RETURNS TABLE (metric text, labels jsonb, value double precision)
	LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	-- It is asked every few seconds, and compiling would take longer than what is compiled.
	SET search_path = pg_catalog, pg_temp SET jit = off
	SET row_security = on
	AS $$
	WITH stats AS (
		SELECT s.* FROM ledger.ledger_anchor_stats AS s
	), heads AS MATERIALIZED (
		SELECT c.tenant_id, c.chain_id, coalesce(c.last_anchored_sequence, 0) AS anchored, h.sequence_no AS head
		FROM ledger.ledger_chains AS c CROSS JOIN LATERAL (
			SELECT e.sequence_no FROM ledger.ledger_events AS e
			WHERE e.tenant_id = c.tenant_id AND e.chain_id = c.chain_id ORDER BY e.sequence_no DESC LIMIT 1) AS h
	), newest AS (
		-- Of each chain, which may have any number of anchors.
		SELECT c.tenant_id, a.anchored_at
		FROM ledger.ledger_chains AS c CROSS JOIN LATERAL (
			SELECT r.anchored_at FROM ledger.ledger_merkle_roots AS r
			WHERE r.tenant_id = c.tenant_id AND r.chain_id = c.chain_id ORDER BY r.tree_size DESC LIMIT 1) AS a
	), marks AS (
		-- The newest full verification of each chain, and how far it went.
		SELECT DISTINCT ON (m.tenant_id, m.chain_id) m.tenant_id, m.chain_id, m.tree_size, m.verified_at
		FROM ledger.ledger_verification_marks AS m WHERE m.mode = 'full'
		ORDER BY m.tenant_id, m.chain_id, m.verified_at DESC
	)
	SELECT 'ledger_merkle_anchor_duration_seconds_bucket', jsonb_build_object('tenant', s.tenant_id, 'le', b.bound::text), coalesce(s.buckets[b.n], 0)
	FROM stats AS s, unnest(ledger.ledger_anchor_buckets()) WITH ORDINALITY AS b (bound, n)
	UNION ALL
	SELECT 'ledger_merkle_anchor_duration_seconds_bucket', jsonb_build_object('tenant', s.tenant_id, 'le', '+Inf'), s.anchors FROM stats AS s
	UNION ALL
	SELECT 'ledger_merkle_anchor_duration_seconds_sum', jsonb_build_object('tenant', s.tenant_id), s.duration_seconds FROM stats AS s
	UNION ALL
	SELECT 'ledger_merkle_anchor_duration_seconds_count', jsonb_build_object('tenant', s.tenant_id), s.anchors FROM stats AS s
	UNION ALL
	SELECT 'ledger_merkle_anchor_failures_total', jsonb_build_object('tenant', s.tenant_id, 'reason', f.key), f.value::double precision
	FROM stats AS s, jsonb_each_text(s.failures) AS f
	UNION ALL
	SELECT 'ledger_merkle_last_anchor_age_seconds', jsonb_build_object('tenant', r.tenant_id), extract(epoch FROM now() - max(r.anchored_at))
	FROM newest AS r GROUP BY r.tenant_id
	UNION ALL
	SELECT 'ledger_merkle_unanchored_events', jsonb_build_object('tenant', h.tenant_id), sum(greatest(h.head - h.anchored, 0))
	FROM heads AS h GROUP BY h.tenant_id
	UNION ALL
	SELECT 'ledger_verified_events_ratio', jsonb_build_object('tenant', h.tenant_id), sum(least(coalesce(m.tree_size, 0), h.head)) / sum(h.head)
	FROM heads AS h LEFT JOIN marks AS m USING (tenant_id, chain_id) GROUP BY h.tenant_id
	UNION ALL
	SELECT 'ledger_verification_age_seconds', jsonb_build_object('tenant', m.tenant_id), extract(epoch FROM now() - min(m.verified_at))
	FROM marks AS m GROUP BY m.tenant_id
	$$;
COMMENT ON FUNCTION ledger.ledger_anchor_metrics() IS
	'Of each granted tenant: how many anchors were made and how long each took (histogram), failures by reason, age of the newest anchor, events not yet anchored, and of its full verifications (marks) the share of events covered and the age of the oldest that counts. For ledger_auditor, ledger_operator and ledger_anchorer.';
