-- A ledger whose own objects are broken says so (LG500, LG503) and stores nothing; the
-- C functions behind it refuse what is no use of theirs.  A superuser breaks each
-- thing, in a transaction that is rolled back.
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
SELECT (ledger_append('acme', 'finding.created', 'F', 'broken', 'a')).sequence_no;
\set ON_ERROR_ROLLBACK on
BEGIN;
ALTER TABLE ledger_events DROP CONSTRAINT ledger_events_pkey;
SELECT ledger_append('acme', 'finding.created', 'F', 'broken', 'a');
:code
ROLLBACK;
BEGIN;
ALTER TABLE ledger_events DROP CONSTRAINT ledger_events_tenant_id_event_id_key;
SELECT ledger_append('acme', 'finding.created', 'F', 'broken', 'a');
ROLLBACK;
BEGIN;
ALTER TABLE findings_projection DROP CONSTRAINT findings_projection_pkey;
SELECT ledger_append('acme', 'finding.created', 'F', 'broken', 'a');
:code
ROLLBACK;
-- Keys of the same columns that do not do: not the primary one, backwards; not for every row.
BEGIN;
ALTER TABLE ledger_events DROP CONSTRAINT ledger_events_pkey;
CREATE UNIQUE INDEX ON ledger_events (tenant_id, chain_id, sequence_no DESC);
SELECT ledger_append('acme', 'finding.created', 'F', 'broken', 'a');
ROLLBACK;
BEGIN;
ALTER TABLE ledger_events DROP CONSTRAINT ledger_events_tenant_id_event_id_key;
SELECT format('CREATE UNIQUE INDEX ON %s (tenant_id, event_id) WHERE sequence_no > 1', leaf) FROM ledger_tenants WHERE tenant_id = 'acme' \gexec
SELECT ledger_append('acme', 'finding.created', 'F', 'broken', 'a');
ROLLBACK;
-- A projection whose values are of another type, or gone: no reading of the wrong bytes.
BEGIN;
ALTER TABLE findings_projection ALTER severity TYPE double precision;
SELECT ledger_append('acme', 'finding.created', 'F', 'broken', 'a');
:code
SELECT ledger_verify('acme');
:code
ROLLBACK;
BEGIN;
SELECT (ledger_append('acme', 'finding.risk_scored', 'R', 'broken', 'a', '{"risk": {"score": 5, "profileVersion": "1.0.0", "eventSequence": 7}}')).sequence_no;
UPDATE findings_projection SET risk_score = NULL, risk_severity = NULL WHERE finding_id = 'R';
SELECT ledger_append('acme', 'finding.risk_scored', 'R', 'broken', 'a', '{"risk": {"score": 5, "profileVersion": "1.0.0", "eventSequence": 7}}');
:code
ALTER TABLE findings_projection ALTER status DROP NOT NULL, ALTER chain_id DROP NOT NULL;
UPDATE findings_projection SET status = NULL, chain_id = NULL, risk_profile_version = NULL WHERE finding_id = 'R';
SELECT (ledger_append('acme', 'finding.created', 'R', 'broken', 'a', '{"status": "open"}')).sequence_no;
SELECT split_part(detail, ' ', 1) AS diverged FROM ledger_verify('acme') WHERE detail LIKE '%(acme, R, broken%' ORDER BY 1;
ROLLBACK;
BEGIN;
ALTER TABLE ledger_events DROP COLUMN vuln_id;
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body) VALUES ('acme', 'finding.created', 'F', 'broken', 'a', '{}');
:code
ROLLBACK;
BEGIN;
ALTER TABLE findings_projection DROP COLUMN rationale;
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body) VALUES ('acme', 'finding.created', 'F', 'broken', 'a', '{}');
ROLLBACK;
BEGIN;
ALTER TABLE ledger_events RENAME TO somewhere_else;
INSERT INTO somewhere_else (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body) VALUES ('acme', 'finding.created', 'F', 'broken', 'a', '{}');
:code
ROLLBACK;
-- Without the link trigger nothing gets in: what it fills in may not be null.
BEGIN;
ALTER TABLE ledger_events DISABLE TRIGGER zzzz_ledger_link;
SELECT ledger_append('acme', 'finding.created', 'F', 'broken', 'a');
:code
ROLLBACK;
-- A head without its hash.
BEGIN;
ALTER TABLE ledger_events DISABLE TRIGGER USER;
ALTER TABLE ledger_events DROP CONSTRAINT ledger_events_event_hash_check;
SELECT leaf FROM ledger_tenants WHERE tenant_id = 'acme' \gset
ALTER TABLE ledger.:"leaf" DISABLE TRIGGER USER;
UPDATE ledger_events SET event_hash = '\x00' WHERE policy_version = 'broken';
ALTER TABLE ledger_events ENABLE TRIGGER USER;
ALTER TABLE ledger.:"leaf" ENABLE TRIGGER USER;
SELECT ledger_append('acme', 'finding.created', 'F', 'broken', 'a');
:code
ROLLBACK;
-- Trigger functions where they do not belong.
BEGIN;
CREATE TABLE wrong (n integer);
CREATE TRIGGER t AFTER INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION ledger_link();
INSERT INTO wrong VALUES (1);
:code
DROP TRIGGER t ON wrong;
CREATE TRIGGER t BEFORE INSERT ON wrong FOR EACH ROW EXECUTE FUNCTION ledger_link();
INSERT INTO wrong VALUES (1);
:code
DROP TRIGGER t ON wrong;
CREATE TRIGGER t AFTER INSERT ON wrong FOR EACH STATEMENT EXECUTE FUNCTION ledger_project();
INSERT INTO wrong VALUES (1);
:code
DROP TRIGGER t ON wrong;
CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON wrong FOR EACH STATEMENT EXECUTE FUNCTION ledger_refuse_change();
INSERT INTO wrong VALUES (1);
UPDATE wrong SET n = 1;
DELETE FROM wrong;
TRUNCATE wrong;
:code
SELECT ledger_link();
CREATE EVENT TRIGGER t ON ddl_command_start EXECUTE FUNCTION ledger_refuse_change();
ROLLBACK;
-- The core of the append functions, called as a superuser may.
BEGIN;
SELECT ledger_write(NULL::ledger_events, NULL);
:code
SELECT ledger_write_many(ARRAY[NULL]::ledger_events[]);
:code
SELECT (ledger_write_many(NULL::ledger_events[])).created;
SELECT count(*) FROM ledger_write_many('{}'::ledger_events[]);
SELECT ledger_write(jsonb_populate_record(NULL::ledger_events, '{"tenant_id": "acme", "event_type": "finding.created", "policy_version": "broken",
	"finding_id": "F", "artifact_id": "a", "event_body": {}, "sequence_no": 9}'), NULL);
:code
SELECT created, (stored).sequence_no FROM ledger_write(jsonb_populate_record(NULL::ledger_events, '{"tenant_id": "acme", "event_type": "finding.closed",
	"policy_version": "broken", "finding_id": "F", "artifact_id": "a", "event_body": {}}'), 2);
SELECT ledger_refold(NULL, NULL) IS NULL AS nothing;
ROLLBACK;
SELECT count(*) FROM ledger_events WHERE policy_version = 'broken';
SELECT count(*) FROM ledger_verify('acme');
-- A vocabulary with a null, which a superuser can make.
BEGIN;
SET LOCAL client_min_messages = error;
ALTER TABLE ledger_event_types ALTER COLUMN reads DROP NOT NULL;
ALTER TABLE ledger_event_types DISABLE TRIGGER ledger_refuse_statement;
UPDATE ledger_event_types SET reads = NULL WHERE event_type = 'finding.closed';
SELECT ledger_append('acme', 'no.such', 'F', 'broken', 'a');
:code
ROLLBACK;
