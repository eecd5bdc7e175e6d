-- A finding written many times in one transaction: updated where it was left.
\set SHOW_CONTEXT never
BEGIN;
-- More versions than a page holds.
DO $$
BEGIN
	FOR i IN 1..60 LOOP
		PERFORM ledger.ledger_append('acme', 'finding.tag_updated', 'FND-1', 'stored-1', 'img-1',
			jsonb_build_object('labels', jsonb_build_object('turn', i::text), 'severity', i % 10));
	END LOOP;
END $$;
SELECT status, severity, labels, current_sequence FROM findings_projection WHERE policy_version = 'stored-1';

-- What a savepoint takes back is not gone on from.
SAVEPOINT s;
SELECT (ledger_append('acme', 'finding.closed', 'FND-1', 'stored-1', 'img-1')).sequence_no;
SELECT status FROM findings_projection WHERE policy_version = 'stored-1';
ROLLBACK TO s;
SELECT (ledger_append('acme', 'finding.comment_added', 'FND-1', 'stored-1', 'img-1', '{"comment": "still open"}')).sequence_no;
SELECT status, labels, current_sequence FROM findings_projection WHERE policy_version = 'stored-1';
-- Nor if the savepoint made the finding.
SAVEPOINT s;
SELECT (ledger_append('acme', 'finding.created', 'FND-2', 'stored-1', 'img-2')).sequence_no;
SELECT (ledger_append('acme', 'finding.closed', 'FND-2', 'stored-1', 'img-2')).sequence_no;
ROLLBACK TO s;
SELECT (ledger_append('acme', 'finding.created', 'FND-3', 'stored-1', 'img-3')).sequence_no;
SELECT (ledger_append('acme', 'finding.created', 'FND-2', 'stored-1', 'img-2')).sequence_no;
SELECT finding_id, status, current_sequence FROM findings_projection WHERE policy_version = 'stored-1' ORDER BY 1;

-- Nor if every other one is taken back.
DO $$
BEGIN
	FOR i IN 1..50 LOOP
		BEGIN
			PERFORM ledger.ledger_append('acme', 'finding.severity_changed', 'FND-1', 'stored-1', 'img-1', jsonb_build_object('severity', i / 10.0));
			PERFORM ledger.ledger_append('acme', 'finding.tag_updated', 'FND-1', 'stored-1', 'img-1', jsonb_build_object('labels', jsonb_build_object('i' || i % 3, i::text)));
			IF i % 2 = 0 THEN RAISE division_by_zero; END IF;
		EXCEPTION WHEN division_by_zero THEN NULL;
		END;
	END LOOP;
END $$;
SELECT severity, labels, current_sequence FROM findings_projection WHERE finding_id = 'FND-1' AND policy_version = 'stored-1';

-- A value too long for the row lies outside, and is carried along.
SELECT (ledger_append('acme', 'finding.severity_changed', 'FND-1', 'stored-1', 'img-1', jsonb_build_object('severity', 9,
	'rationale', (SELECT jsonb_agg(encode(sha256(g::text::bytea), 'hex')) FROM generate_series(1, 300) AS g)))).sequence_no;
SELECT (ledger_append('acme', 'finding.comment_added', 'FND-1', 'stored-1', 'img-1', '{"comment": "long"}')).sequence_no;
SELECT jsonb_array_length(rationale), encode(sha256(rationale::text::bytea), 'hex') =
	(SELECT encode(sha256(jsonb_agg(encode(sha256(g::text::bytea), 'hex'))::text::bytea), 'hex') FROM generate_series(1, 300) AS g) AS same
FROM findings_projection WHERE finding_id = 'FND-1' AND policy_version = 'stored-1';

-- In one statement: more events than a batch, of one finding.
SELECT count(*) FROM ledger_append_many((
	SELECT jsonb_agg(jsonb_build_object('tenant', 'acme', 'policyVersion', 'stored-1', 'findingId', 'FND-3', 'artifactId', 'img-3',
		'type', 'finding.severity_changed', 'payload', jsonb_build_object('severity', g % 11)) ORDER BY g)
	FROM generate_series(1, 2500) AS g));
SELECT severity, current_sequence FROM findings_projection WHERE finding_id = 'FND-3' AND policy_version = 'stored-1';

-- All that is what a rebuild makes.
CREATE TEMP TABLE before AS
	SELECT 'p' AS what, to_jsonb(p) AS r FROM findings_projection p UNION ALL
	SELECT 'h', to_jsonb(h) FROM finding_history h UNION ALL SELECT 'a', to_jsonb(a) FROM triage_actions a;
SELECT ledger_rebuild_projection('acme') >= 2615 AS rebuilt;
SELECT count(*) AS differing FROM (
	SELECT 'p' AS what, to_jsonb(p) AS r FROM findings_projection p UNION ALL
	SELECT 'h', to_jsonb(h) FROM finding_history h UNION ALL SELECT 'a', to_jsonb(a) FROM triage_actions a) x
	FULL JOIN before b USING (what, r) WHERE x.what IS NULL OR b.what IS NULL;

-- Triggers on the projection fire, and columns that the ledger does not know stay.
ALTER TABLE findings_projection ADD COLUMN note text;
UPDATE findings_projection SET note = 'kept' WHERE policy_version = 'stored-1';
CREATE TEMP TABLE fired (finding_id text, fired text, old_sequence bigint, new_sequence bigint);
CREATE FUNCTION pg_temp.fire() RETURNS trigger LANGUAGE plpgsql
	AS $$ BEGIN INSERT INTO pg_temp.fired VALUES (NEW.finding_id, TG_WHEN || ' ' || TG_OP, OLD.current_sequence, NEW.current_sequence); RETURN NEW; END $$;
CREATE TRIGGER fire_before BEFORE UPDATE ON findings_projection FOR EACH ROW EXECUTE FUNCTION pg_temp.fire();
CREATE TRIGGER fire_after AFTER UPDATE ON findings_projection FOR EACH ROW EXECUTE FUNCTION pg_temp.fire();
GRANT INSERT ON fired TO PUBLIC;
SELECT (ledger_append('acme', 'finding.closed', 'FND-2', 'stored-1', 'img-2')).sequence_no;
SELECT * FROM fired;
SELECT finding_id, status, note FROM findings_projection WHERE policy_version = 'stored-1' ORDER BY 1;
-- And the table's constraints hold.
ALTER TABLE findings_projection ADD CONSTRAINT not_reopened CHECK (finding_id <> 'FND-2' OR status = 'resolved');
SAVEPOINT s;
\set VERBOSITY terse
SELECT ledger_append('acme', 'finding.reopened', 'FND-2', 'stored-1', 'img-2');
\set VERBOSITY default
ROLLBACK TO s;
-- Without its key a finding cannot be found; the ledger's own events do not need it.
ALTER TABLE findings_projection DROP CONSTRAINT findings_projection_pkey;
SELECT ledger_append('acme', 'finding.reopened', 'FND-1', 'stored-1', 'img-2');
ROLLBACK;

-- An event type that a savepoint took back is unknown; those known before stay known.
BEGIN;
SELECT (ledger_append('acme', 'finding.created', 'FND-5', 'stored-3', 'img-5')).sequence_no;
SAVEPOINT s;
SELECT event_type FROM ledger_add_event_type('finding.savepoint_seen', 'Seen in a savepoint only.');
SELECT (ledger_append('acme', 'finding.savepoint_seen', 'FND-5', 'stored-3', 'img-5')).sequence_no;
ROLLBACK TO s;
SAVEPOINT s;
\set VERBOSITY terse
SELECT (ledger_append('acme', 'finding.savepoint_seen', 'FND-5', 'stored-3', 'img-5')).sequence_no;
ROLLBACK TO s;
\set VERBOSITY default
SELECT (ledger_append('acme', 'finding.closed', 'FND-5', 'stored-3', 'img-5')).sequence_no;
ROLLBACK;

-- A finding that this transaction wrote stays writable above READ COMMITTED.
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT (ledger_append('acme', 'finding.created', 'FND-4', 'stored-2', 'img-4')).sequence_no;
SELECT (ledger_append('acme', 'finding.closed', 'FND-4', 'stored-2', 'img-4')).sequence_no;
SELECT (ledger_append('acme', 'finding.reopened', 'FND-4', 'stored-2', 'img-4')).sequence_no;
SELECT status, current_sequence FROM findings_projection WHERE policy_version = 'stored-2';
ROLLBACK;
