-- Recorded events stay as they are: for a member of the owner and for a
-- superuser who does not switch the guards off.
\set SHOW_CONTEXT never
BEGIN;
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'FND-1', 'guards-1', 'img-1');
\set ON_ERROR_ROLLBACK on
UPDATE ledger_events SET vuln_id = 'x';
UPDATE ledger_events SET vuln_id = 'x' WHERE false;
DELETE FROM ledger_events;
TRUNCATE ledger_events;
SELECT leaf FROM ledger_tenants WHERE tenant_id = 'acme' \gset
UPDATE :"leaf" SET vuln_id = 'x';
DELETE FROM :"leaf";
TRUNCATE :"leaf";
INSERT INTO :"leaf" (tenant_id, event_type, finding_id, policy_version, artifact_id)
VALUES ('acme', 'finding.created', 'F', 'guards-1', 'a');
SET LOCAL session_replication_role = replica;
UPDATE ledger_events SET vuln_id = 'x';
TRUNCATE :"leaf";
RESET session_replication_role;
DELETE FROM ledger_event_types;

-- Tenants are apart, whatever a role sets.
SET LOCAL ROLE acme_writer;
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'FND-2', 'guards-1', 'img-1');
SELECT ledger_append('globex', 'finding.created', 'FND-2', 'guards-1', 'img-1');
INSERT INTO ledger_events (tenant_id) VALUES ('acme');
SET LOCAL ROLE acme_reader;
SELECT count(*) FROM ledger_events;
SET LOCAL app.current_tenant = 'acme';
SELECT count(*) FROM ledger_events WHERE policy_version = 'guards-1';
SET LOCAL app.current_tenant = 'globex';
SELECT count(*) FROM ledger_events;
ROLLBACK;
