-- ledger_append_many(): order, repeats, all or nothing.
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
BEGIN;
-- Answered in the order asked; within a chain in the order asked too.
SELECT finding_id, split_part(policy_version, '-', 2) AS chain, sequence_no FROM ledger_append_many((
	SELECT jsonb_agg(jsonb_build_object('tenant', 'acme', 'type', 'finding.created', 'policyVersion', 'batch-' || i % 3,
		'findingId', 'F' || i, 'artifactId', 'a') ORDER BY i) FROM generate_series(1, 9) AS i));
-- Two tenants; the same id in both is two events.
SELECT tenant_id, sequence_no FROM ledger_append_many(
	'[{"tenant": "globex", "id": "01890000-0000-7000-8000-0000000000b1", "type": "finding.created", "policyVersion": "batch-t", "findingId": "F", "artifactId": "a"},
	  {"tenant": "acme", "id": "01890000-0000-7000-8000-0000000000b1", "type": "finding.created", "policyVersion": "batch-t", "findingId": "F", "artifactId": "a"}]');
-- One is stored already, one stands twice, one is new.
SELECT tenant_id, finding_id, sequence_no FROM ledger_append_many(
	'[{"tenant": "acme", "id": "01890000-0000-7000-8000-0000000000b2", "type": "finding.created", "policyVersion": "batch-t", "findingId": "G", "artifactId": "a", "payload": {"n": 1.0}},
	  {"tenant": "acme", "id": "01890000-0000-7000-8000-0000000000b1", "type": "finding.created", "policyVersion": "batch-t", "findingId": "F", "artifactId": "a"},
	  {"tenant": "acme", "type": "finding.closed", "policyVersion": "batch-t", "findingId": "F", "artifactId": "a"},
	  {"tenant": "acme", "id": "01890000-0000-7000-8000-0000000000b2", "type": "finding.created", "policyVersion": "batch-t", "findingId": "G", "artifactId": "a", "payload": {"n": 1}}]');
SELECT finding_id, status, current_sequence FROM findings_projection WHERE tenant_id = 'acme' AND policy_version = 'batch-t' ORDER BY 1;
SELECT count(*) AS none FROM ledger_append_many('[]');
\set ON_ERROR_ROLLBACK on
SELECT ledger_append_many(NULL);
:code
SELECT ledger_append_many('{}');
SELECT ledger_append_many('[1]');
SELECT ledger_append_many('[null]');
SELECT ledger_append_many('[{"tenant": "acme", "expectedSequence": 1}]');
:code
-- The same id with other content, in the batch and in the table.
SELECT ledger_append_many(
	'[{"tenant": "acme", "id": "01890000-0000-7000-8000-0000000000b3", "type": "finding.created", "policyVersion": "batch-t", "findingId": "G", "artifactId": "a"},
	  {"tenant": "acme", "id": "01890000-0000-7000-8000-0000000000b3", "type": "finding.created", "policyVersion": "batch-t", "findingId": "G", "artifactId": "a", "payload": {"n": 1}}]');
:code
SELECT ledger_append_many('[{"tenant": "acme", "id": "01890000-0000-7000-8000-0000000000b1", "type": "finding.closed", "policyVersion": "batch-t", "findingId": "F", "artifactId": "a"}]');
-- One bad event: none is stored.
SELECT ledger_append_many(
	'[{"tenant": "acme", "type": "finding.created", "policyVersion": "batch-bad", "findingId": "F", "artifactId": "a"},
	  {"tenant": "acme", "type": "finding.created", "policyVersion": "batch-bad", "findingId": "F", "artifactId": "a", "payload": {"severity": 11}}]');
:code
SELECT count(*) AS stored FROM ledger_events WHERE policy_version = 'batch-bad';
-- Two chains that claim one finding, in one batch.
SELECT ledger_append_many(
	'[{"tenant": "acme", "chainId": "00000000-0000-8000-8000-000000000001", "type": "finding.created", "policyVersion": "batch-two", "findingId": "F", "artifactId": "a"},
	  {"tenant": "acme", "chainId": "00000000-0000-8000-8000-000000000002", "type": "finding.created", "policyVersion": "batch-two", "findingId": "F", "artifactId": "a"}]');
:code
-- Chains of one transaction: the limit counts those before the batch too.
SET LOCAL ledger.max_chains_per_transaction = 6;
SELECT count(*) FROM ledger_append_many((SELECT jsonb_agg(jsonb_build_object('tenant', 'acme', 'type', 'finding.created', 'policyVersion', 'batch-c' || i,
	'findingId', 'F', 'artifactId', 'a')) FROM generate_series(1, 4) AS i));
:code
SET LOCAL ledger.max_chains_per_transaction = 9;
SELECT count(*) FROM ledger_append_many((SELECT jsonb_agg(jsonb_build_object('tenant', 'acme', 'type', 'finding.created', 'policyVersion', 'batch-c' || i,
	'findingId', 'F', 'artifactId', 'a')) FROM generate_series(1, 4) AS i));
RESET ledger.max_chains_per_transaction;
-- Larger than one batch of the fold.
SELECT count(*) AS stored, max(sequence_no) AS last FROM ledger_append_many((SELECT jsonb_agg(jsonb_build_object('tenant', 'acme', 'type', 'finding.created',
	'policyVersion', 'batch-large', 'findingId', 'F' || i % 1500, 'artifactId', 'a')) FROM generate_series(1, 2500) AS i));
SELECT count(*) AS findings, max(current_sequence) AS last FROM findings_projection WHERE policy_version = 'batch-large';
SELECT count(*) FROM ledger_verify('acme');
SELECT count(*) FROM ledger_verify('globex');
ROLLBACK;
