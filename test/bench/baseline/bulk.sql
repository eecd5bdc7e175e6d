-- The first n requests of bench.requests in one statement, set-based for the
-- derived tables, as bench.append() does it for the ledger.
SET search_path = :"side";
CREATE FUNCTION append(policy text, n bigint) RETURNS void LANGUAGE sql VOLATILE
	SET search_path FROM CURRENT
	AS $$
	WITH e AS (
		INSERT INTO events (tenant_id, chain_id, sequence_no, event_id, event_type, policy_version, finding_id,
			artifact_id, actor_id, actor_type, occurred_at, recorded_at, recorded_by, schema_version, event_body,
			payload_salt, payload_hash, previous_hash, event_hash, merkle_leaf_hash)
		SELECT 'bench', ledger.ledger_chain_id('bench', policy), nextval('numbers'), gen_random_uuid(),
			'finding.severity_changed', policy, r.finding_id, 'pkg:npm/left-pad@1.3.0', session_user, 'operator',
			now(), now(), session_user, 'ledger.event.v1', r.payload, uuid_send(gen_random_uuid()),
			bench.noise(), bench.noise(), bench.noise(), bench.noise()
		FROM bench.requests AS r WHERE r.position <= n
		RETURNING *
	), read AS (
		SELECT e.*, e.event_body ->> 'status' AS status, (e.event_body ->> 'severity')::numeric AS severity FROM e
	), p AS (
		INSERT INTO projection (tenant_id, finding_id, policy_version, artifact_id, chain_id, status, severity,
			labels, current_event_id, current_sequence, projection_version, observed_at, updated_at, cycle_hash)
		SELECT DISTINCT ON (tenant_id, finding_id, policy_version) tenant_id, finding_id, policy_version, artifact_id,
			chain_id, status, severity, event_body -> 'labels', event_id, sequence_no, 'v1', occurred_at, recorded_at,
			payload_hash
		FROM read
		ORDER BY tenant_id, finding_id, policy_version, sequence_no DESC
		ON CONFLICT (tenant_id, finding_id, policy_version) DO UPDATE SET
			artifact_id = EXCLUDED.artifact_id, status = EXCLUDED.status, severity = EXCLUDED.severity,
			labels = EXCLUDED.labels, current_event_id = EXCLUDED.current_event_id,
			current_sequence = EXCLUDED.current_sequence, observed_at = EXCLUDED.observed_at,
			updated_at = EXCLUDED.updated_at, cycle_hash = EXCLUDED.cycle_hash
	), steps AS (
		SELECT read.*,
			coalesce(lag(read.status) OVER w, old.status) AS previous_status,
			coalesce(lag(read.severity) OVER w, old.severity) AS previous_severity
		FROM read LEFT JOIN projection AS old USING (tenant_id, finding_id, policy_version)
		WINDOW w AS (PARTITION BY read.finding_id, read.policy_version ORDER BY read.sequence_no)
	)
	INSERT INTO history (tenant_id, finding_id, policy_version, chain_id, sequence_no, event_id, event_type,
		previous_status, status, previous_severity, severity, actor_id, actor_type, justification, occurred_at,
		recorded_at, cycle_hash)
	SELECT tenant_id, finding_id, policy_version, chain_id, sequence_no, event_id, event_type, previous_status,
		status, previous_severity, severity, actor_id, actor_type, event_body ->> 'comment', occurred_at, recorded_at,
		payload_hash
	FROM steps
	WHERE (previous_status, previous_severity) IS DISTINCT FROM (status, severity)
	$$;
RESET search_path;
