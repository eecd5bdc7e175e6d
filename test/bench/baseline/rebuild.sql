-- The hand-written rebuild of projection and history from ledger.ledger_events,
-- into the tables of a baseline.
SET search_path = :"side";
CREATE FUNCTION rebuild() RETURNS void LANGUAGE sql VOLATILE
	SET search_path FROM CURRENT
	AS $$
	DELETE FROM projection WHERE tenant_id = 'bench';
	DELETE FROM history WHERE tenant_id = 'bench';

	INSERT INTO projection (tenant_id, finding_id, policy_version, artifact_id, chain_id, status, severity, labels,
		current_event_id, current_sequence, projection_version, observed_at, updated_at, cycle_hash)
	SELECT DISTINCT ON (tenant_id, finding_id, policy_version) tenant_id, finding_id, policy_version, artifact_id,
		chain_id, event_body ->> 'status', (event_body ->> 'severity')::numeric, event_body -> 'labels', event_id,
		sequence_no, 'v1', occurred_at, recorded_at, payload_hash
	FROM ledger.ledger_events
	WHERE tenant_id = 'bench'
	ORDER BY tenant_id, finding_id, policy_version, sequence_no DESC;

	WITH steps AS (
		SELECT e.*, e.event_body ->> 'status' AS status, (e.event_body ->> 'severity')::numeric AS severity,
			lag(e.event_body ->> 'status') OVER w AS previous_status,
			lag((e.event_body ->> 'severity')::numeric) OVER w AS previous_severity
		FROM ledger.ledger_events AS e
		WHERE e.tenant_id = 'bench'
		WINDOW w AS (PARTITION BY e.finding_id, e.policy_version ORDER BY e.sequence_no)
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
