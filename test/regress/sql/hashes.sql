-- The hash recipes over one literal row; the expected values were computed with
-- Python's hashlib from the canonical texts that stand here.
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
CREATE FUNCTION pg_temp.with(base ledger_events, members jsonb) RETURNS ledger_events LANGUAGE sql AS 'SELECT jsonb_populate_record(base, members)';
CREATE TEMP VIEW one AS SELECT pg_temp.with(NULL, '{
	"tenant_id": "acme", "chain_id": "d74b4033-02a8-8d1c-9412-4da18e4033d7", "sequence_no": 7, "event_id": "01890000-0000-7000-8000-0000000000aa",
	"event_type": "finding.created", "policy_version": "p", "finding_id": "FND-1", "artifact_id": "img-1", "actor_id": "ann",
	"actor_type": "operator", "occurred_at": "2026-11-23T19:30:00Z", "recorded_at": "2026-11-23T19:30:00.123456Z", "recorded_by": "gateway",
	"schema_version": "ledger.event.v1", "event_body": {"b": 1.50, "a": "é"}, "payload_salt": "\\x000102030405060708090a0b0c0d0e0f"}') AS e;
SELECT ledger_payload_hash((e).payload_salt, (e).event_body) AS payload_hash, ledger_payload_hash('', (e).event_body) AS unsalted FROM one;
CREATE TEMP VIEW whole AS SELECT pg_temp.with(e, jsonb_build_object(
	'payload_hash', ledger_payload_hash((e).payload_salt, (e).event_body), 'previous_hash', '\x' || repeat('11', 32))) AS w FROM one;
SELECT ledger_canonical_json(ledger_event_envelope(w)) AS envelope FROM whole;
SELECT ledger_event_hash(w) AS event_hash, ledger_leaf_hash(w) AS leaf_hash FROM whole;
-- PostgreSQL's own SHA-256 of that text says the same.
SELECT sha256(convert_to(ledger_canonical_json(ledger_event_envelope(w)), 'UTF8')) = ledger_event_hash(w) AS event,
	sha256('\x00' || convert_to(ledger_canonical_json(ledger_event_envelope(w)), 'UTF8')) = ledger_leaf_hash(w) AS leaf,
	sha256('\x0210' || (w).payload_salt || convert_to(ledger_canonical_json((w).event_body), 'UTF8')) = (w).payload_hash AS payload FROM whole;
-- Optional members appear when they are there.
SELECT ledger_event_envelope(r) - '{id,chainId,tenant,type,schema,sequence,actor,payloadHash,previousHash,policyVersion,recordedAt,recordedBy,occurredAt}'::text[] AS more
FROM whole, pg_temp.with(w, '{"vuln_id": "CVE-2026-1", "source_run_id": "01890000-0000-7000-8000-0000000000bb",
	"evidence_bundle_ref": "dsse::x", "evaluation_hash": "\\x2222222222222222222222222222222222222222222222222222222222222222"}') AS r;
-- A chain's id: the first 16 bytes of SHA-256('acme::p') as version 8.
SELECT ledger_chain_id('acme', 'p'), encode(substring(sha256('acme::p') FROM 1 FOR 16), 'hex') AS digest, ledger_chain_id('acme', NULL) IS NULL AS strict;
SELECT substr(ledger_chain_id(t, p)::text, 15, 1) AS version, substr(ledger_chain_id(t, p)::text, 20, 1) IN ('8', '9', 'a', 'b') AS variant
FROM (VALUES ('a', 'b'), ('x.y', 'sha256:0'), ('é', 'ü')) AS v (t, p);
-- Version 7: the present millisecond in front, increasing, never twice.
WITH u AS (SELECT clock_timestamp() AS before, ledger_uuid_v7() AS id FROM generate_series(1, 1000))
SELECT count(DISTINCT id) AS distinct, bool_and(substr(id::text, 15, 1) = '7') AS version,
	bool_and(abs(extract(epoch FROM before) * 1000 - ('x' || replace(left(id::text, 13), '-', ''))::bit(48)::bigint) < 5000) AS now FROM u;
-- An id has one spelling, but for case; what PostgreSQL's cast takes besides is none.
SELECT ledger_uuid('01890000-0000-7ABC-8000-0000000000af') AS id, ledger_uuid(NULL) IS NULL AS strict;
SELECT value, ledger_uuid(value) IS NULL AS refused FROM (VALUES ('{01890000-0000-7000-8000-0000000000aa}'), ('0189-0000-0000-7000-8000-0000000000aa'),
	('0189000000007000800000000000000000aa'), ('01890000-0000-7000-8000-0000000000ag'), ('01890000-0000-7000-8000-0000000000a'), (''),
	('01890000-0000-7000-8000-0000000000é'), ('01890000-0000-7000-8000-0000000000aaa')) AS v (value);
-- Errors.
SELECT ledger_payload_hash('\x00', '{}');
:code
SELECT ledger_payload_hash(decode(repeat('00', 65), 'hex'), '{}');
SELECT ledger_payload_hash(decode(repeat('00', 64), 'hex'), '{}') IS NOT NULL AS longest, ledger_payload_hash(decode(repeat('00', 16), 'hex'), '{}') IS NOT NULL AS shortest;
SELECT ledger_payload_hash('', '[]');
:code
SELECT ledger_payload_hash('', '{"n": 12345678901234567890}');
SELECT ledger_event_hash(ROW(1, 2));
:code
SELECT ledger_event_hash(w) FROM (SELECT (w).tenant_id FROM whole) AS w;
SELECT ledger_event_hash(r) FROM (SELECT (w).sequence_no::integer AS sequence_no, (w).tenant_id, (w).chain_id FROM whole) AS r;
SELECT ledger_event_hash(r) FROM whole, pg_temp.with(w, '{"tenant_id": null}') AS r;
:code
SELECT ledger_event_hash(r) FROM whole, pg_temp.with(w, '{"previous_hash": null}') AS r;
SELECT ledger_event_hash(r) FROM whole, pg_temp.with(w, '{"payload_hash": "\\x00"}') AS r;
SELECT ledger_leaf_hash(r) FROM whole, pg_temp.with(w, '{"recorded_at": "infinity"}') AS r;
SELECT ledger_event_envelope(r) FROM whole, pg_temp.with(w, '{"occurred_at": "0044-03-15 BC"}') AS r;
:code
SELECT ledger_event_envelope(r) FROM whole, pg_temp.with(w, '{"occurred_at": "10000-01-01"}') AS r;
SELECT ledger_event_hash(NULL::ledger_events) IS NULL AS strict;
