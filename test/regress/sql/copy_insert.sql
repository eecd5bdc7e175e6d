-- The loader's ways in: plain INSERT, INSERT … SELECT, COPY and MERGE are linked and
-- projected like an append; what would change or skip a stored event is refused.
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
BEGIN;
\set ON_ERROR_ROLLBACK on
SELECT leaf FROM ledger_tenants WHERE tenant_id = 'acme' \gset
SET LOCAL SESSION AUTHORIZATION some_loader;
-- COPY and row-level security do not go together, so a loader takes its role on.
\copy ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body) FROM '/dev/null'
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body)
VALUES ('acme', 'finding.created', 'F', 'insert', 'a', '{}');
SET LOCAL ROLE ledger_loader;
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body)
VALUES ('acme', 'finding.created', 'F', 'insert', 'a', '{"severity": 7}')
RETURNING sequence_no, recorded_by, actor_id, actor_type, chain_id = ledger_chain_id('acme', 'insert') AS derived,
	event_hash IS NOT NULL AS hashed, octet_length(payload_salt) AS salt;
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body)
SELECT 'acme', 'finding.status_changed', 'F', 'insert', 'a', jsonb_build_object('status', s)
FROM unnest('{triaged,in_progress,fixed}'::text[]) WITH ORDINALITY AS u (s, n) ORDER BY n;
\copy ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body) FROM PROGRAM 'printf "acme\tfinding.created\tC1\tcopy\ta\t{}\nglobex\tfinding.created\tC2\tcopy\ta\t{}\nacme\tfinding.closed\tC1\tcopy\ta\t{\"reason\": \"done\"}\n"'
MERGE INTO ledger_events AS e USING (VALUES ('M1'), ('M2')) AS v (finding) ON false
WHEN NOT MATCHED THEN INSERT (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body)
	VALUES ('acme', 'finding.created', v.finding, 'merge', 'a', '{}');
SELECT tenant_id, policy_version, string_agg(finding_id, ' ' ORDER BY sequence_no) AS findings, max(sequence_no) AS head
FROM ledger_events WHERE policy_version IN ('insert', 'copy', 'merge') GROUP BY 1, 2 ORDER BY 1, 2;
RESET SESSION AUTHORIZATION;
SELECT tenant_id, finding_id, status, severity, current_sequence FROM findings_projection WHERE policy_version IN ('insert', 'copy', 'merge') ORDER BY 1, 2;
SELECT count(*) FROM finding_history WHERE policy_version IN ('insert', 'copy', 'merge');
SELECT tenant_id, count(*) AS chains FROM ledger_chains WHERE policy_version IN ('insert', 'copy', 'merge') GROUP BY 1 ORDER BY 1;
SET LOCAL SESSION AUTHORIZATION some_loader;
SET LOCAL ROLE ledger_loader;

-- What a loader may not bring.
DO $$
DECLARE
	v_column text;
BEGIN
	FOR v_column IN
		SELECT a.attname FROM pg_attribute AS a WHERE a.attrelid = 'ledger.ledger_events'::regclass AND a.attnum > 0
			AND a.attname IN ('sequence_no', 'recorded_at', 'recorded_by', 'schema_version', 'payload_salt', 'payload_hash',
				'evaluation', 'evaluation_hash', 'previous_hash', 'event_hash', 'merkle_leaf_hash')
		ORDER BY a.attnum
	LOOP
		BEGIN
			EXECUTE format('INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body, %I)
				SELECT %L, %L, %L, %L, %L, %L, r.%1$I FROM jsonb_populate_record(NULL::ledger_events, %8$L) AS r', v_column,
				'acme', 'finding.created', 'F', 'p', 'a', '{}', '{"sequence_no": 1, "recorded_at": "2026-01-01", "recorded_by": "x", "schema_version": "x",
				"payload_salt": "\\x00", "payload_hash": "\\x00", "evaluation": {}, "evaluation_hash": "\\x00", "previous_hash": "\\x00",
				"event_hash": "\\x00", "merkle_leaf_hash": "\\x00"}');
			RAISE EXCEPTION '% was taken', v_column;
		EXCEPTION WHEN SQLSTATE 'LG403' THEN
			RAISE NOTICE '%', SQLERRM;
		END;
	END LOOP;
END
$$;
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body, event_hash)
VALUES ('acme', 'finding.created', 'F', 'p', 'a', '{}', '\x00');
:code
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body) VALUES ('acme', 'ledger.migrated', 'F', 'p', 'a', '{}');
:code
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body) VALUES ('ledger', 'finding.created', 'F', 'p', 'a', '{}');
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body) VALUES ('acme', 'finding.created', 'F', 'p', 'a', '[]');
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id) VALUES ('acme', 'finding.created', 'F', 'p', 'a');
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body) VALUES ('acme', 'finding.created', repeat('x', 1025), 'p', 'a', '{}');
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body, occurred_at) VALUES ('acme', 'finding.created', 'F', 'p', 'a', '{}', 'infinity');
-- A row for nobody's leaf is refused by PostgreSQL, before any trigger.
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body) VALUES ('nobody', 'finding.created', 'F', 'p', 'a', '{}');
INSERT INTO ledger_events DEFAULT VALUES;
-- No idempotency here: a key is a key.
INSERT INTO ledger_events (tenant_id, event_id, event_type, finding_id, policy_version, artifact_id, event_body)
VALUES ('acme', '01890000-0000-7000-8000-0000000000c1', 'finding.created', 'F', 'insert', 'a', '{}');
INSERT INTO ledger_events (tenant_id, event_id, event_type, finding_id, policy_version, artifact_id, event_body)
VALUES ('acme', '01890000-0000-7000-8000-0000000000c1', 'finding.created', 'F', 'insert', 'a', '{}');
:code
-- DO NOTHING drops the row, and leaves neither a gap nor a chain without events.
INSERT INTO ledger_events (tenant_id, event_id, event_type, finding_id, policy_version, artifact_id, event_body)
VALUES ('acme', '01890000-0000-7000-8000-0000000000c1', 'finding.created', 'F', 'insert', 'a', '{}'),
	('acme', '01890000-0000-7000-8000-0000000000c2', 'finding.created', 'G', 'insert', 'a', '{}'),
	('acme', '01890000-0000-7000-8000-0000000000c1', 'finding.created', 'F', 'dropped', 'a', '{}')
ON CONFLICT DO NOTHING;
RESET SESSION AUTHORIZATION;
SELECT max(sequence_no) AS head, count(*) FROM ledger_events WHERE policy_version = 'insert';
SELECT count(*) AS chains FROM ledger_chains WHERE policy_version = 'dropped';

-- Updates in other clothes; for a superuser too, and in replica mode.
MERGE INTO ledger_events AS e USING (SELECT 1) AS x ON e.policy_version = 'insert' WHEN MATCHED THEN UPDATE SET vuln_id = 'x';
:code
MERGE INTO ledger_events AS e USING (SELECT 1) AS x ON e.policy_version = 'insert' WHEN MATCHED THEN DELETE;
MERGE INTO ledger_events AS e USING (SELECT 1) AS x ON false WHEN MATCHED THEN DELETE
WHEN NOT MATCHED THEN INSERT (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body) VALUES ('acme', 'finding.created', 'M', 'p', 'a', '{}');
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body)
VALUES ('acme', 'finding.created', 'F', 'p', 'a', '{}') ON CONFLICT (tenant_id, event_id) DO UPDATE SET vuln_id = 'x';
:code
WITH gone AS (DELETE FROM ledger_events RETURNING *) SELECT count(*) FROM gone;
SET LOCAL session_replication_role = replica;
UPDATE ledger_events SET vuln_id = 'x';
DELETE FROM ledger_events WHERE false;
TRUNCATE ledger_events;
TRUNCATE ledger_events CASCADE;
INSERT INTO ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body)
VALUES ('acme', 'finding.created', 'R', 'replica', 'a', '{}') RETURNING sequence_no, event_hash IS NOT NULL AS linked;
SELECT finding_id, status FROM findings_projection WHERE policy_version = 'replica';
-- Leaves: every statement aimed at one.
INSERT INTO ledger.:"leaf" (tenant_id, event_type, finding_id, policy_version, artifact_id, event_body) VALUES ('acme', 'finding.created', 'F', 'p', 'a', '{}');
:code
UPDATE ledger.:"leaf" SET vuln_id = 'x';
DELETE FROM ledger.:"leaf";
TRUNCATE ledger.:"leaf";
SET LOCAL session_replication_role = origin;
INSERT INTO ledger.:"leaf" SELECT * FROM ledger_events WHERE false;
COPY ledger.:"leaf" (tenant_id) FROM '/dev/null';
MERGE INTO ledger.:"leaf" AS e USING (SELECT 1) AS x ON false WHEN NOT MATCHED THEN INSERT (tenant_id) VALUES ('acme');
UPDATE ledger.:"leaf" SET vuln_id = 'x' WHERE false;
DELETE FROM ledger.:"leaf" WHERE false;
TRUNCATE ledger.:"leaf";
TRUNCATE ONLY ledger.ledger_events;
:code
TRUNCATE ledger_event_types;
UPDATE ledger_event_types SET description = 'x' WHERE event_type = 'finding.closed';
SELECT count(*) FROM ledger_verify('acme');
SELECT count(*) FROM ledger_verify('globex');
ROLLBACK;
