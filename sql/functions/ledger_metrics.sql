-- What a monitor asks of the whole database every few seconds.  Every part of it is a
-- few probes of an index for each chain: it grows with the number of chains, and with the
-- number of events only as the depth of the indexes does.

-- One row a chain of the granted tenants.  A tenant whose leaf is gone is left out here:
-- ledger_guard_state() names it.
CREATE FUNCTION ledger.ledger_watch()
	RETURNS TABLE (tenant_id text, chain_id uuid, head bigint, anchored bigint, waiting_since timestamptz,
		anchored_at timestamptz, signed boolean, projection_lag double precision, verified_size bigint, verified_at timestamptz)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	-- Planned once a session, for whatever tenants there are: a LIMIT 1 keeps a plan that was made
	-- while a table was small from reading all of it later.  Compiling would take longer than what is compiled.
	SET plan_cache_mode = force_generic_plan SET jit = off
	AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT c.tenant_id, c.chain_id, w.head, coalesce(c.last_anchored_sequence, 0),
		-- An import brings old times: what came after an anchor has waited since that anchor at most.
		greatest(w.waiting_since, CASE WHEN w.waiting_since IS NOT NULL THEN a.anchored_at END),
		a.anchored_at, a.signed,
		CASE WHEN p.current_sequence >= w.sequence_no OR w.sequence_no IS NULL THEN 0
		     ELSE ledger.ledger_projection_lag(c.tenant_id, c.chain_id, c.created_at, w.recorded_at) END,
		m.tree_size, m.verified_at
	FROM ledger.ledger_tenants AS t
	CROSS JOIN LATERAL (
		SELECT FROM pg_class AS k WHERE k.relname = t.leaf AND k.relnamespace = 'ledger'::regnamespace AND k.relispartition LIMIT 1) AS k
	JOIN ledger.ledger_chains AS c ON c.tenant_id = t.tenant_id
	CROSS JOIN LATERAL ledger.ledger_watch_chain(c.tenant_id, c.chain_id, coalesce(c.last_anchored_sequence, 0)) AS w
	LEFT JOIN LATERAL (
		-- A signed note has an empty line before its signatures; the statement is larger, and compressed.
		SELECT r.anchored_at, strpos(r.checkpoint, E'\n\n') > 0 AS signed FROM ledger.ledger_merkle_roots AS r
		WHERE r.tenant_id = c.tenant_id AND r.chain_id = c.chain_id ORDER BY r.tree_size DESC LIMIT 1) AS a ON true
	LEFT JOIN LATERAL (
		SELECT f.current_sequence FROM ledger.findings_projection AS f
		WHERE f.tenant_id = c.tenant_id AND f.finding_id = w.finding_id AND f.policy_version = w.policy_version LIMIT 1) AS p ON true
	LEFT JOIN LATERAL (
		-- The newest full verification, and how far it went.
		SELECT v.tree_size, v.verified_at FROM ledger.ledger_verification_marks AS v
		WHERE v.tenant_id = c.tenant_id AND v.chain_id = c.chain_id AND v.mode = 'full'
		ORDER BY v.verified_at DESC LIMIT 1) AS m ON true
	WHERE w.head IS NOT NULL;
END
$$;
COMMENT ON FUNCTION ledger.ledger_watch() IS
	'Of each chain of the granted tenants: head, how far it is anchored, since when the oldest event has been waiting for an anchor, the newest anchor and whether it is signed, how far the projection is behind, and the newest full verification. Part of ledger_metrics() and ledger_http_ready().';

-- Asked only of a chain whose newest event is not folded, which the projection in the
-- append's transaction does not let happen: somebody switched it off, or took rows away.
CREATE FUNCTION ledger.ledger_projection_lag(in_tenant text, in_chain uuid, in_created timestamptz, in_newest timestamptz)
	RETURNS double precision
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	AS $$
DECLARE
	v_tail timestamptz;
BEGIN
	SELECT e.recorded_at INTO v_tail
	FROM (SELECT n.* FROM ledger.ledger_events AS n
	      WHERE n.tenant_id = in_tenant AND n.chain_id = in_chain ORDER BY n.sequence_no DESC LIMIT 1000) AS e
	JOIN ledger.findings_projection AS p ON p.tenant_id = e.tenant_id AND p.finding_id = e.finding_id
		AND p.policy_version = e.policy_version AND p.current_sequence >= e.sequence_no
	ORDER BY e.sequence_no DESC LIMIT 1;
	-- The same time twice is behind, too: 0 would say that nothing is missing.
	RETURN greatest(extract(epoch FROM in_newest - coalesce(v_tail, in_created)), 0.001);
END
$$;
COMMENT ON FUNCTION ledger.ledger_projection_lag(text, uuid, timestamptz, timestamptz) IS
	'By how many seconds the newest folded event of a chain, of its last 1000, is older than its newest event; since the chain''s beginning if none is. Part of ledger_watch().';

CREATE FUNCTION ledger.ledger_metrics()
	RETURNS TABLE (metric text, labels jsonb, value double precision)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan SET jit = off
	SET row_security = on
	AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH tenant AS MATERIALIZED (
		SELECT w.tenant_id, jsonb_build_object('tenant', w.tenant_id) AS labels,
			count(*)::double precision AS chains, sum(w.head)::double precision AS events,
			sum(greatest(w.head - w.anchored, 0))::double precision AS unanchored,
			coalesce(extract(epoch FROM now() - min(w.waiting_since))::double precision, 0) AS waiting,
			extract(epoch FROM now() - max(w.anchored_at))::double precision AS anchor_age,
			count(*) FILTER (WHERE NOT w.signed)::double precision AS not_signed,
			max(w.projection_lag) AS lag,
			(sum(least(coalesce(w.verified_size, 0), w.head)) / sum(w.head))::double precision AS verified,
			extract(epoch FROM now() - min(w.verified_at))::double precision AS verified_age
		FROM ledger.ledger_watch() AS w GROUP BY w.tenant_id
	), stats AS MATERIALIZED (
		SELECT s.*, jsonb_build_object('tenant', s.tenant_id) AS labels FROM ledger.ledger_anchor_stats AS s
	), rebuilt AS MATERIALIZED (
		SELECT s.*, jsonb_build_object('tenant', s.tenant_id) AS labels FROM ledger.ledger_projection_stats AS s
	)
	SELECT m.name, t.labels, m.value
	FROM tenant AS t, LATERAL (VALUES
		('ledger_chains', t.chains), ('ledger_chain_events', t.events), ('ledger_ingest_backlog_events', t.unanchored),
		('ledger_projection_lag_seconds', t.lag), ('ledger_merkle_unanchored_events', t.unanchored),
		('ledger_merkle_oldest_unanchored_age_seconds', t.waiting), ('ledger_merkle_last_anchor_age_seconds', t.anchor_age),
		('ledger_merkle_unsigned_anchors', t.not_signed), ('ledger_verified_events_ratio', t.verified),
		('ledger_verification_age_seconds', t.verified_age)) AS m (name, value)
	WHERE m.value IS NOT NULL
	UNION ALL
	SELECT 'ledger_merkle_anchor_duration_seconds_bucket', s.labels || jsonb_build_object('le', b.bound::text), coalesce(s.buckets[b.n], 0)
	FROM stats AS s, unnest(ledger.ledger_anchor_buckets()) WITH ORDINALITY AS b (bound, n)
	UNION ALL
	SELECT 'ledger_merkle_anchor_duration_seconds_bucket', s.labels || '{"le": "+Inf"}', s.anchors FROM stats AS s
	UNION ALL
	SELECT 'ledger_merkle_anchor_duration_seconds_sum', s.labels, s.duration_seconds FROM stats AS s
	UNION ALL
	SELECT 'ledger_merkle_anchor_duration_seconds_count', s.labels, s.anchors FROM stats AS s
	UNION ALL
	SELECT 'ledger_merkle_anchor_failures_total', s.labels || jsonb_build_object('reason', f.key), f.value::double precision
	FROM stats AS s, jsonb_each_text(s.failures) AS f
	UNION ALL
	SELECT 'ledger_projection_rebuild_seconds_bucket', s.labels || jsonb_build_object('le', b.bound::text), coalesce(s.buckets[b.n], 0)
	FROM rebuilt AS s, unnest(ledger.ledger_rebuild_buckets()) WITH ORDINALITY AS b (bound, n)
	UNION ALL
	SELECT 'ledger_projection_rebuild_seconds_bucket', s.labels || '{"le": "+Inf"}', s.rebuilds FROM rebuilt AS s
	UNION ALL
	SELECT 'ledger_projection_rebuild_seconds_sum', s.labels, s.duration_seconds FROM rebuilt AS s
	UNION ALL
	SELECT 'ledger_projection_rebuild_seconds_count', s.labels, s.rebuilds FROM rebuilt AS s
	UNION ALL
	SELECT 'ledger_incarnation', '{}', s.incarnation FROM ledger.ledger_settings AS s;
END
$$;
COMMENT ON FUNCTION ledger.ledger_metrics() IS
	'Every metric that the database itself knows, in the terms of Prometheus, of the granted tenants: what ledger_anchor_metrics() has, chains and events by their heads, backlog, projection lag and rebuilds, verification, incarnation. Its cost grows with the number of chains, and hardly with that of events. For ledger_auditor, ledger_operator and ledger_anchorer.';
