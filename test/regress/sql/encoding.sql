-- A database of another encoding: the extension installs and every function that
-- would hash its bytes refuses.  (The migration runner does not get so far.)
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
SELECT current_database() AS utf8 \gset
CREATE DATABASE regress_latin1 TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C';
CREATE DATABASE regress_ascii TEMPLATE template0 ENCODING 'SQL_ASCII' LOCALE 'C';
\c regress_latin1
\set SHOW_CONTEXT never
CREATE SCHEMA ledger;
CREATE EXTENSION findings_ledger SCHEMA ledger;
SELECT ledger.ledger_canonical_json('{"a": 1}'::jsonb);
:code
SELECT ledger.ledger_canonical_json('{"a": 1}'::json);
SELECT ledger.ledger_payload_hash('', '{}');
SELECT ledger.ledger_chain_id('a', 'b');
SELECT ledger.ledger_uuid_v7() IS NOT NULL AS no_text_no_matter;
\c regress_ascii
\set SHOW_CONTEXT never
CREATE SCHEMA ledger;
CREATE EXTENSION findings_ledger SCHEMA ledger;
SELECT ledger.ledger_canonical_json('{"a": 1}'::jsonb);
:code
SELECT ledger.ledger_chain_id('a', 'b');
-- A row shaped like an event.
SELECT ledger.ledger_event_hash(r) FROM (SELECT 'acme'::text AS tenant_id, '00000000-0000-8000-8000-000000000001'::uuid AS chain_id, 1::bigint AS sequence_no,
	'00000000-0000-8000-8000-000000000002'::uuid AS event_id, 'finding.created'::text AS event_type, 'p'::text AS policy_version, 'F'::text AS finding_id, 'a'::text AS artifact_id,
	NULL::text AS vuln_id, NULL::uuid AS source_run_id, 'ann'::text AS actor_id, 'operator'::text AS actor_type, now() AS occurred_at, now() AS recorded_at, 'x'::text AS recorded_by,
	NULL::text AS evidence_bundle_ref, 'ledger.event.v1'::text AS schema_version, '{}'::jsonb AS event_body, ''::bytea AS payload_salt, NULL::bytea AS payload_hash,
	NULL::jsonb AS evaluation, NULL::bytea AS evaluation_hash, sha256('') AS previous_hash, NULL::bytea AS event_hash, NULL::bytea AS merkle_leaf_hash) AS r;
:code
\c :utf8
DROP DATABASE regress_latin1;
DROP DATABASE regress_ascii;
