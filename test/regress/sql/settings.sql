-- The settings ledger.*, and ledger_add_event_type().
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
SELECT (ledger_uuid_v7() IS NOT NULL) AS loaded;
SELECT name, setting, unit, context, vartype, min_val, max_val, boot_val FROM pg_settings WHERE name LIKE 'ledger.%' ORDER BY name COLLATE "C";
SET ledger.no_such_setting = 1;
:code
SET ledger.max_payload_bytes = 1023;
SET ledger.max_chains_per_transaction = 0;
BEGIN;
\set ON_ERROR_ROLLBACK on
-- The payload's limit counts bytes of the canonical form: {"x":"…"} is 8 more.
SET LOCAL ledger.max_payload_bytes = 1024;
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'F', 'settings', 'a', jsonb_build_object('x', repeat('x', 1016)));
SELECT ledger_append('acme', 'finding.created', 'F', 'settings', 'a', jsonb_build_object('x', repeat('x', 1017)));
:code
SELECT ledger_append('acme', 'finding.created', 'F', 'settings', 'a', jsonb_build_object('x', repeat('é', 509)));
-- Chains: one is allowed again and again, a second is not; a rolled-back one does not count.
SET LOCAL ledger.max_chains_per_transaction = 2;
SAVEPOINT s;
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'F', 'settings-2', 'a');
SELECT ledger_append('acme', 'finding.created', 'F', 'settings-3', 'a');
:code
ROLLBACK TO s;
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'F', 'settings-3', 'a');
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'F', 'settings', 'a');
-- Both may be set by anyone; neither shows in what is stored.
SET LOCAL ledger.pipelined_commit = off;
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'F', 'settings', 'a');

-- Event types: one of one's own, folded as it says, and never changed.
SELECT event_type, reserved, projected, default_status, action_kind, reads, labels_mode FROM ledger_add_event_type('reg.seen', 'Seen.', 'triaged', 'sighting', '{severity,labels}', 'merge');
SELECT (ledger_append('acme', 'reg.seen', 'T', 'settings', 'a', '{"severity": 3, "status": "closed", "labels": {"a": "1"}}')).sequence_no;
SELECT status, severity, labels FROM findings_projection WHERE finding_id = 'T' AND policy_version = 'settings';
SELECT action_type FROM triage_actions WHERE finding_id = 'T' AND policy_version = 'settings';
SELECT event_type, projected FROM ledger_add_event_type('reg.silent', 'Not folded.', projected => false);
SELECT (ledger_append('acme', 'reg.silent', 'U', 'settings', 'a', '{"severity": "nonsense"}')).sequence_no;
SELECT count(*) FROM findings_projection WHERE finding_id = 'U';
SELECT ledger_add_event_type('reg.seen', 'Again.');
:code
SELECT ledger_add_event_type('ledger.mine', 'Reserved.');
:code
SELECT ledger_add_event_type(NULL, 'x');
:code
SELECT ledger_add_event_type('reg.a', NULL);
SELECT ledger_add_event_type('Reg.A', 'x');
SELECT ledger_add_event_type('reg', 'x');
SELECT ledger_add_event_type('reg.' || repeat('x', 60), 'x');
SELECT ledger_add_event_type('reg.a', 'x', 'fixed');
SELECT ledger_add_event_type('reg.a', 'x', action_kind => 'No Kind');
SELECT ledger_add_event_type('reg.a', 'x', reads => '{everything}');
SELECT ledger_add_event_type('reg.a', 'x', labels_mode => 'append');
SELECT count(*) FROM ledger_verify('acme');
ROLLBACK;
-- A type that was rolled back is forgotten.
SELECT ledger_append('acme', 'reg.seen', 'T', 'settings', 'a');
:code
