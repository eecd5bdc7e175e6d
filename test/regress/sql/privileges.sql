-- What each role must be able to do, as a login role of each kind.  What it must not
-- is in adversary.sql; the exact grants are in test/pgtap/grants.sql.
\set SHOW_CONTEXT never
BEGIN;
SET LOCAL SESSION AUTHORIZATION acme_writer;
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'F', 'priv', 'a');
SELECT created FROM ledger_append_request('{"tenant": "acme", "type": "finding.closed", "policyVersion": "priv", "findingId": "F", "artifactId": "a"}');
SELECT count(*) FROM ledger_append_many('[{"tenant": "acme", "type": "finding.reopened", "policyVersion": "priv", "findingId": "F", "artifactId": "a"}]');
SET LOCAL SESSION AUTHORIZATION acme_reader;
SET LOCAL app.current_tenant = 'acme';
SELECT count(*) FROM ledger_events WHERE policy_version = 'priv';
SELECT status FROM findings_projection WHERE policy_version = 'priv';
SELECT count(*) FROM finding_history WHERE policy_version = 'priv';
SELECT count(*) FROM triage_actions WHERE policy_version = 'priv';
SELECT count(*) > 20 AS types FROM ledger_event_types;
SELECT count(*) FROM ledger_verify('acme');
SET LOCAL SESSION AUTHORIZATION acme_auditor;
SELECT count(*) FROM ledger_events WHERE policy_version = 'priv';
SELECT tenant_id, policy_version FROM ledger_chains WHERE policy_version = 'priv';
SELECT count(*) > 10 AS guards FROM ledger_guard_state();
SELECT count(*) AS settings FROM ledger_settings;
SELECT r ->> 'verdict' AS verdict FROM ledger_verify_report() AS r;
SET LOCAL SESSION AUTHORIZATION some_operator;
SELECT ledger_maintenance_tick();
SELECT count(*) FROM ledger_events;
RESET SESSION AUTHORIZATION;
SET LOCAL ROLE ledger_backup;
SELECT count(*) AS all_tenants FROM ledger_events WHERE policy_version = 'priv';
ROLLBACK;
