-- ledger_append: what it stores, and every refusal with its SQLSTATE.
\set VERBOSITY default
\set SHOW_CONTEXT never
BEGIN;

SELECT tenant_id, chain_id, sequence_no, event_type, finding_id, actor_id, actor_type, recorded_by,
	schema_version, previous_hash
FROM ledger_append('acme', 'finding.created', 'FND-1', 'regress-1', 'img-1', '{"severity": "high"}');
SELECT sequence_no, actor_id, (SELECT e.event_hash FROM ledger_events e WHERE e.finding_id = 'FND-1') = previous_hash AS linked
FROM ledger_append('acme', 'finding.created', 'FND-2', 'regress-1', 'img-1', '{}', 'ann', 'operator');

-- Every stored hash is what the recipes give.
SELECT bool_and(ledger_event_hash(e) = event_hash) AS event, bool_and(ledger_leaf_hash(e) = merkle_leaf_hash) AS leaf,
	bool_and(ledger_payload_hash(payload_salt, event_body) = payload_hash) AS payload
FROM ledger_events e WHERE policy_version = 'regress-1';

-- Idempotent by event id.
SELECT created, (event).sequence_no FROM ledger_append_request(
	'{"id": "01890000-0000-7000-8000-00000000000a", "tenant": "acme", "type": "finding.created", "policyVersion": "regress-1",
	  "finding": {"id": "FND-3", "artifactId": "img-1"}, "payload": {"n": 1.50}}');
SELECT created, (event).sequence_no FROM ledger_append_request(
	'{"id": "01890000-0000-7000-8000-00000000000a", "tenant": "acme", "type": "finding.created", "policyVersion": "regress-1",
	  "finding": {"id": "FND-3", "artifactId": "img-1"}, "payload": {"n": 1.5}}');
SAVEPOINT s;
SELECT created FROM ledger_append_request(
	'{"id": "01890000-0000-7000-8000-00000000000a", "tenant": "acme", "type": "finding.created", "policyVersion": "regress-1",
	  "finding": {"id": "FND-3", "artifactId": "img-2"}, "payload": {"n": 1.5}}');
ROLLBACK TO s;

-- Many at once, answered in the order asked; a repeat counts once.
SELECT finding_id, sequence_no FROM ledger_append_many(
	'[{"tenant": "acme", "type": "finding.created", "policyVersion": "regress-2", "findingId": "B", "artifactId": "x",
	   "id": "01890000-0000-7000-8000-00000000000b"},
	  {"tenant": "acme", "type": "finding.created", "policyVersion": "regress-1", "findingId": "A", "artifactId": "x"},
	  {"tenant": "acme", "type": "finding.created", "policyVersion": "regress-2", "findingId": "B", "artifactId": "x",
	   "id": "01890000-0000-7000-8000-00000000000b"}]');

\set ON_ERROR_ROLLBACK on
SELECT ledger_append('nobody', 'finding.created', 'F', 'p', 'a');
SELECT ledger_append('a b', 'finding.created', 'F', 'p', 'a');
SELECT ledger_append('acme', 'finding.creatd', 'F', 'p', 'a');
SELECT ledger_append('acme', 'ledger.migrated', 'F', 'p', 'a');
SELECT ledger_append('ledger', 'finding.created', 'F', 'p', 'a');
SELECT ledger_append('acme', 'finding.created', '', 'p', 'a');
SELECT ledger_append('acme', 'finding.created', NULL, 'p', 'a');
SELECT ledger_append('acme', 'finding.created', repeat('x', 1025), 'p', 'a') IS NULL;
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', '{}', 'ann', 'human');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', '[]');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', '{"a": {"b": [1, 12345678901234567890]}}');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', '{"severity": 11}');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', '{"labels": {"a": 1}}');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', occurred_at => 'infinity');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', expected_sequence => 2);
SELECT ledger_append('{"tenant": "acme", "type": "finding.created", "eventHash": "00"}');
SELECT ledger_append('{"tenant": "acme", "type": "finding.created", "polcyVersion": "p"}');
SELECT ledger_append('{"tenant": "acme", "type": "finding.created", "id": "x"}');
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body, event_hash)
VALUES ('acme', 'finding.created', 'F', 'p', 'a', '{}', '\x00');
SET LOCAL ledger.max_payload_bytes = 1024;
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', jsonb_build_object('x', repeat('x', 2000)));

-- Nothing of a refused event is stored.
SELECT count(*) FROM ledger_events WHERE policy_version = 'p';
SELECT kind, count(*) FROM ledger_verify('acme') GROUP BY kind;
ROLLBACK;
