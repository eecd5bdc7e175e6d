-- One event, its projection and its history in one statement.  SIDE is plain or d1.
\set chain random(1, :chains)
\set finding random(1, :findings)
\set severity random(0, 100)
WITH e AS (
	INSERT INTO SIDE.events (tenant_id, chain_id, sequence_no, event_id, event_type, policy_version, finding_id,
		artifact_id, actor_id, actor_type, occurred_at, recorded_at, recorded_by, schema_version, event_body,
		payload_salt, payload_hash, previous_hash, event_hash, merkle_leaf_hash)
	VALUES ('bench', ledger.ledger_chain_id('bench', 'policy-' || :chain), nextval('SIDE.numbers'),
		gen_random_uuid(), 'finding.severity_changed', 'policy-' || :chain, 'CVE-2024-' || :finding,
		'npm/left-pad@1.3.0', session_user, 'operator', now(), now(), session_user, 'ledger.event.v1',
		bench.payload(:severity::integer), uuid_send(gen_random_uuid()), bench.noise(), bench.noise(),
		bench.noise(), bench.noise())
	RETURNING *
), old AS (
	SELECT p.status, p.severity
	FROM e JOIN SIDE.projection AS p USING (tenant_id, finding_id, policy_version)
), p AS (
	INSERT INTO SIDE.projection (tenant_id, finding_id, policy_version, artifact_id, chain_id, status,
		severity, labels, current_event_id, current_sequence, projection_version, observed_at, updated_at,
		cycle_hash)
	SELECT e.tenant_id, e.finding_id, e.policy_version, e.artifact_id, e.chain_id, e.event_body ->> 'status',
		(e.event_body ->> 'severity')::numeric, e.event_body -> 'labels', e.event_id, e.sequence_no, 'v1',
		e.occurred_at, e.recorded_at, e.payload_hash
	FROM e
	ON CONFLICT (tenant_id, finding_id, policy_version) DO UPDATE SET
		artifact_id = EXCLUDED.artifact_id, status = EXCLUDED.status, severity = EXCLUDED.severity,
		labels = EXCLUDED.labels, current_event_id = EXCLUDED.current_event_id,
		current_sequence = EXCLUDED.current_sequence, observed_at = EXCLUDED.observed_at,
		updated_at = EXCLUDED.updated_at, cycle_hash = EXCLUDED.cycle_hash
)
INSERT INTO SIDE.history (tenant_id, finding_id, policy_version, chain_id, sequence_no, event_id, event_type,
	previous_status, status, previous_severity, severity, actor_id, actor_type, justification, occurred_at,
	recorded_at, cycle_hash)
SELECT e.tenant_id, e.finding_id, e.policy_version, e.chain_id, e.sequence_no, e.event_id, e.event_type,
	old.status, e.event_body ->> 'status', old.severity, (e.event_body ->> 'severity')::numeric, e.actor_id,
	e.actor_type, e.event_body ->> 'comment', e.occurred_at, e.recorded_at, e.payload_hash
FROM e LEFT JOIN old ON true
WHERE (old.status, old.severity) IS DISTINCT FROM
	(e.event_body ->> 'status', (e.event_body ->> 'severity')::numeric);
