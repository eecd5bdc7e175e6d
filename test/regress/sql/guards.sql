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

-- DDL: the owner's members only in a recorded migration; a superuser leaves a trace.
BEGIN;
\set ON_ERROR_ROLLBACK on
SET LOCAL ROLE ledger_owner;
ALTER TABLE ledger_events DISABLE TRIGGER zzzz_ledger_link;
ALTER TABLE ledger_events ALTER COLUMN vuln_id TYPE varchar(10);
DROP TABLE triage_actions;
DROP TRIGGER ledger_refuse_row ON ledger_events;
ALTER TABLE ledger_events DETACH PARTITION :"leaf";
GRANT INSERT ON ledger_events TO acme_writer;
\set VERBOSITY sqlstate
CREATE FUNCTION pg_temp.backdoor() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';
\set VERBOSITY default
CREATE RULE r AS ON INSERT TO ledger_events DO INSTEAD NOTHING;
-- Nor with every name quoted, as a session may have them.
SET LOCAL quote_all_identifiers = on;
CREATE RULE r AS ON INSERT TO ledger_events DO INSTEAD NOTHING;
CREATE TRIGGER t BEFORE INSERT ON ledger_events FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
ALTER TRIGGER ledger_project ON ledger_events RENAME TO other;
ALTER POLICY tenant_selected ON ledger_events USING (true);
DROP TRIGGER ledger_refuse_row ON ledger_events;
ALTER TABLE ledger_events ALTER COLUMN vuln_id TYPE varchar(10);
SAVEPOINT recorded;
INSERT INTO ledger_schema_migrations (version, file_name, checksum) VALUES (999, '0999_x.sql', repeat('0', 64));
ALTER TABLE ledger_schema_migrations DISABLE TRIGGER ledger_refuse_statement;
ALTER TRIGGER ledger_refuse_statement ON ledger_schema_migrations RENAME TO other;
ROLLBACK TO recorded;
RESET quote_all_identifiers;
RESET ROLE;
ALTER TABLE ledger_events DISABLE TRIGGER ledger_refuse_row;
SELECT event_type, event_body FROM ledger_events WHERE tenant_id = 'ledger' ORDER BY sequence_no DESC LIMIT 1;
SELECT guard, object, state FROM ledger_guard_state() WHERE NOT ok ORDER BY 1, 2;
ROLLBACK;

-- What a superuser can still do shows: a trigger sorted after the link trigger changes
-- the row that was hashed; one that drops rows, a rule, a guard off on one leaf.
BEGIN;
\set ON_ERROR_ROLLBACK on
CREATE FUNCTION pg_temp.change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN new.vuln_id := ''forged''; RETURN new; END';
CREATE FUNCTION pg_temp.drop_it() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER zzzzz_after BEFORE INSERT ON ledger_events FOR EACH ROW EXECUTE FUNCTION pg_temp.change();
SELECT sequence_no, vuln_id FROM ledger_append('acme', 'finding.created', 'FND-3', 'guards-2', 'img-1');
SELECT guard, object LIKE 'zzzzz_after on ledger_events%' AS named FROM ledger_guard_state() WHERE NOT ok AND guard = 'foreign trigger' AND object LIKE '%ledger_events' ORDER BY 1, 2;
SELECT kind, sequence_no FROM ledger_verify('acme') WHERE sequence_no IS NOT NULL;
DROP TRIGGER zzzzz_after ON ledger_events;
CREATE TRIGGER zzzzz_after BEFORE INSERT ON ledger_events FOR EACH ROW EXECUTE FUNCTION pg_temp.drop_it();
SELECT ledger_append('acme', 'finding.created', 'FND-4', 'guards-3', 'img-1');
DROP TRIGGER zzzzz_after ON ledger_events;
CREATE RULE quiet AS ON INSERT TO ledger_events WHERE new.finding_id = 'FND-5' DO INSTEAD NOTHING;
SELECT guard, object FROM ledger_guard_state() WHERE NOT ok AND guard = 'foreign rule';
ROLLBACK;

-- A new event type is folded as it says.
BEGIN;
\set ON_ERROR_ROLLBACK on
SET LOCAL ROLE some_operator;
SELECT event_type, default_status FROM ledger_add_event_type('scan.passed', 'A scan passed.', 'verified');
SELECT ledger_add_event_type('scan.passed', 'Again.');
SELECT ledger_add_event_type('Scan', 'Bad name.');
SELECT ledger_add_event_type('ledger.mine', 'Reserved.');
RESET ROLE;
SELECT sequence_no FROM ledger_append('acme', 'scan.passed', 'FND-1', 'types-1', 'img-1');
SELECT status FROM findings_projection WHERE policy_version = 'types-1';
ROLLBACK;
