-- Keys: registered, retired, revoked, each with an event; in which ranges their
-- signatures count; and what of outside is stored.  The anchor, the first key and its
-- signatures are those of docs/formats.md; the other key, the witness and their
-- signatures were made by an independent program.
\set VERBOSITY default
\set SHOW_CONTEXT never
\set key1 'ledger.example/prod+77b80c1d+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4'
\set line1 '— ledger.example/prod d7gMHTdqcNFuRGHH7ovg8dfzs2/4l6kqh8VsdvpdIJIu74S45kfBGizpINr5zuTC87vHWQu4m5wUDom6HHBSgBnFhQ8='
\set sig1 '{"keyid":"ledger.example/prod+77b80c1d","sig":"tJ61mkfowoSptOxUUuBJ90IpfNhMO3A1ibI+HxhageyZLAsMtux6pndXnvmOjtqY3hBoM5XhdekO8SvyxcdpBg=="}'
\set key2 'ledger.example/next+46e627cb+AepKbGPinFIKvvVQexMuxfmVR3auvr57kkIe6mkURtIs'
\set line2 '— ledger.example/next RuYny1xNE1Xf8Aezb9iNkZdePadd5xLPAtkTywINKGmVfrTWUIXO9RPd658eccqe8ajO9aSRYdN5liM0/SRkT0IOVwU='
\set sig2 '{"keyid":"ledger.example/next+46e627cb","sig":"y5ew8WEk0BX06zESykw71njfvtSQc+ZBsCNsfzacLMzhyFe/UVRDOWRLyTlOJj5EdGAn/oyT8qIe2oi//sUhCg=="}'
\set witness 'witness.example/w+71a4f7af+BBOY9ixtGkV8UbpqS189vS9p/KkyFiGNyJl+QWvRfZPK'
\set cosigned '— witness.example/w caT3rwAAAABqGKUAVqDjF07qjjzAcukuiEGtLovTEW0kOtYn/X3ZtBoC0iZAEkYqOML7SRnBLLYJ/y7MvJ7HkplY6TApBp6vR30UCw=='
-- Key 2, but over another text.
\set wrong '— ledger.example/next RuYny+iPcHh9pFihDsG7HLQ+P7HHXH41zT9/zIuLlmm0qIP8fDOG1KguOCJ/NHs9C2OnjM+kODoRVdo2tUirKoS7LAQ='
\set anchor '0198c0de-0000-7000-8000-0000000000f1'
\set chain '2a404bbc-b702-8fe2-b08c-96c047b4200f'

BEGIN;
-- The anchor of the page, and a second one behind it.
INSERT INTO ledger_chains VALUES ('acme', :'chain', 'policy-2026.1', now(), 1, 5);
INSERT INTO ledger_merkle_roots
VALUES ('acme', :'anchor', :'chain', '2026-11-23 19:30:00.000001Z', '2026-11-24 08:00:00.25Z', 1, 2,
	'\x3800548041c0503fd8bf9f907ccb7792a72c1377d1bc942da69eee35bb8adf31', 2, '2026-11-24 09:00:00Z', NULL, 2, NULL,
	'\x3800548041c0503fd8bf9f907ccb7792a72c1377d1bc942da69eee35bb8adf31', 'ledger.example/prod',
	E'ledger.example/prod/acme/2a404bbc-b702-8fe2-b08c-96c047b4200f\n2\nOABUgEHAUD/Yv5+QfMt3kqcsE3fRvJQtpp7uNbuK3zE=\n',
	'{"payload":"eyJhbmNob3JJZCI6IjAxOThjMGRlLTAwMDAtNzAwMC04MDAwLTAwMDAwMDAwMDBmMSIsImNoYWluSWQiOiIyYTQwNGJiYy1iNzAyLThmZTItYjA4Yy05NmMwNDdiNDIwMGYiLCJsZWFmQ291bnQiOjIsInBvbGljeUhhc2giOiJwb2xpY3ktMjAyNi4xIiwicm9vdEhhc2giOiIzODAwNTQ4MDQxYzA1MDNmZDhiZjlmOTA3Y2NiNzc5MmE3MmMxMzc3ZDFiYzk0MmRhNjllZWUzNWJiOGFkZjMxIiwic2NoZW1hVmVyc2lvbiI6ImxlZGdlci5ldmVudC52MSIsInNlcXVlbmNlRW5kIjoyLCJzZXF1ZW5jZVN0YXJ0IjoxLCJ0ZW5hbnQiOiJhY21lIiwidHJlZVNpemUiOjIsIndpbmRvd0VuZCI6IjIwMjYtMTEtMjRUMDg6MDA6MDAuMjUwMDAwWiIsIndpbmRvd1N0YXJ0IjoiMjAyNi0xMS0yM1QxOTozMDowMC4wMDAwMDFaIn0=","payloadType":"application/vnd.stella-ledger-anchor+json","signatures":[]}',
	sha256(''), 1);
INSERT INTO ledger_merkle_roots
SELECT tenant_id, '0198c0de-0000-7000-8000-0000000000f2', chain_id, window_start, window_end, 3, 5, sha256('5'), 3, '2026-11-24 10:00:00Z', NULL, 5, root_hash,
	sha256('') || sha256('1'), origin, E'x\n5\nOABUgEHAUD/Yv5+QfMt3kqcsE3fRvJQtpp7uNbuK3zE=\n', dsse, guard_fingerprint, guard_sequence
FROM ledger_merkle_roots WHERE anchor_id = :'anchor';
CREATE FUNCTION pg_temp.counts(key text) RETURNS text LANGUAGE sql AS $$
	SELECT string_agg(n || ' ' || ledger.ledger_signature_valid('acme', '2a404bbc-b702-8fe2-b08c-96c047b4200f', n, key), ', ' ORDER BY n) FROM unnest('{1,2,3,5,6}'::bigint[]) AS n $$;
CREATE FUNCTION pg_temp.event() RETURNS jsonb LANGUAGE sql AS
	$$ SELECT event_body - 'publicKey' FROM ledger.ledger_events WHERE tenant_id = 'ledger' AND event_type = 'ledger.key_changed' ORDER BY sequence_no DESC LIMIT 1 $$;
\set ON_ERROR_ROLLBACK on

SET LOCAL SESSION AUTHORIZATION some_operator;
SELECT ledger_register_key('nonsense');
SELECT ledger_register_key(NULL);
SELECT ledger_register_key(:'key1', 'signer');
SELECT ledger_register_key(:'witness');
SELECT key_id, purpose, registered_by FROM ledger_register_key(:'key1');
SELECT key_id FROM ledger_register_key(:'key1');
SELECT ledger_register_key(:'key1', 'witness');
RESET SESSION AUTHORIZATION;
SELECT pg_temp.event();
SELECT count(*) FROM ledger_events WHERE event_type = 'ledger.key_changed' AND tenant_id = 'ledger' AND recorded_at >= now();
SELECT pg_temp.counts('ledger.example/prod+77b80c1d'), pg_temp.counts('nobody+00000000') AS nobody;

-- What is not signed yet, and storing a signature.
SET LOCAL SESSION AUTHORIZATION acme_anchorer;
SELECT tree_size FROM ledger_unsigned_anchors('ledger.example/prod+77b80c1d') WHERE chain_id = :'chain';
SELECT ledger_unsigned_anchors('ledger.example/next+46e627cb');
SELECT ledger_store_signature('globex', :'anchor', :'line1', :'sig1');
SELECT ledger_store_signature('acme', '0198c0de-0000-7000-8000-0000000000ff', :'line1', :'sig1');
SELECT ledger_store_signature('acme', NULL, :'line1', :'sig1');
SELECT ledger_store_signature('acme', :'anchor', 'a line', :'sig1');
SELECT ledger_store_signature('acme', :'anchor', :'line1' || E'\n' || :'line1', :'sig1');
SELECT ledger_store_signature('acme', :'anchor', NULL, :'sig1');
SELECT ledger_store_signature('acme', :'anchor', :'line2', :'sig2');
SELECT ledger_store_signature('acme', :'anchor', :'line1', :'sig2');
SELECT ledger_store_signature('acme', :'anchor', :'line1', NULL);
SELECT ledger_store_signature('acme', :'anchor', :'line1', '[]');
SELECT ledger_store_signature('acme', :'anchor', :'line1', '{"keyid": "ledger.example/prod+77b80c1d", "sig": 1}');
SELECT ledger_store_signature('acme', :'anchor', :'line1', :'sig1');
SELECT ledger_store_signature('acme', :'anchor', :'line1' || E'\n', :'sig1');
SELECT ledger_store_signature('acme', '0198c0de-0000-7000-8000-0000000000f2', :'line1', :'sig1');
SELECT tree_size FROM ledger_unsigned_anchors('ledger.example/prod+77b80c1d') WHERE chain_id = :'chain';
RESET SESSION AUTHORIZATION;
SELECT checkpoint, dsse -> 'signatures' AS signatures, ledger_verify_note(checkpoint, :'key1') AS note, ledger_verify_dsse(dsse, :'key1') ->> 'treeSize' AS statement
FROM ledger_merkle_roots WHERE anchor_id = :'anchor';

-- A rotation: the next key counts behind the newest anchor, the old one up to it.
SET LOCAL SESSION AUTHORIZATION some_operator;
SELECT key_id FROM ledger_register_key(:'key2');
RESET SESSION AUTHORIZATION;
SELECT pg_temp.event();
SELECT pg_temp.counts('ledger.example/prod+77b80c1d') AS old, pg_temp.counts('ledger.example/next+46e627cb') AS next;
SET LOCAL SESSION AUTHORIZATION acme_anchorer;
SELECT ledger_store_signature('acme', :'anchor', :'line2', :'sig2');
SELECT count(*) FROM ledger_unsigned_anchors('ledger.example/next+46e627cb');
SET LOCAL SESSION AUTHORIZATION some_operator;
SELECT ledger_retire_key('ledger.example/prod+77b80c1d', ' ');
SELECT ledger_retire_key('nobody+00000000', 'gone');
SELECT key_id, retired_at IS NOT NULL AS retired, reason FROM ledger_retire_key('ledger.example/prod+77b80c1d', 'replaced by next');
SELECT ledger_retire_key('ledger.example/prod+77b80c1d', 'twice');
SELECT ledger_register_key(:'key1');
RESET SESSION AUTHORIZATION;
SELECT pg_temp.event();
SELECT pg_temp.counts('ledger.example/prod+77b80c1d') AS old, pg_temp.counts('ledger.example/next+46e627cb') AS next;
SELECT ledger_verify_note(checkpoint, :'key1') AS still FROM ledger_merkle_roots WHERE anchor_id = :'anchor';

-- A key that was stolen between the two anchors.
SAVEPOINT stolen;
SET LOCAL SESSION AUTHORIZATION some_operator;
SELECT key_id, revoked_at IS NOT NULL AS revoked FROM ledger_revoke_key('ledger.example/prod+77b80c1d', 'stolen', '2026-11-24 09:30:00Z');
RESET SESSION AUTHORIZATION;
SELECT pg_temp.event();
SELECT pg_temp.counts('ledger.example/prod+77b80c1d') AS old;
SELECT count(*) FROM ledger_unsigned_anchors('ledger.example/prod+77b80c1d');
SELECT ledger_store_signature('acme', :'anchor', :'line1', :'sig1');
-- Nothing gives it back, and a second look takes away more.
SELECT ledger_revoke_key('ledger.example/prod+77b80c1d', 'was not so bad', '2027-01-01Z') IS NULL AS again;
SELECT pg_temp.counts('ledger.example/prod+77b80c1d') AS old;
SELECT ledger_revoke_key('ledger.example/prod+77b80c1d', 'was worse') IS NULL AS again;
SELECT pg_temp.counts('ledger.example/prod+77b80c1d') AS old;
SELECT ledger_retire_key('ledger.example/prod+77b80c1d', 'x');
ROLLBACK TO stolen;

-- Another key that may sign what was anchored before it came.
SET LOCAL SESSION AUTHORIZATION some_operator;
SAVEPOINT other;
SELECT ledger_revoke_key('ledger.example/next+46e627cb', 'never used') IS NULL AS revoked;
RESET SESSION AUTHORIZATION;
SELECT pg_temp.counts('ledger.example/next+46e627cb') AS next;
ROLLBACK TO other;

-- Receipts; a witness' line is verified and stands in the checkpoint too.
SET LOCAL SESSION AUTHORIZATION acme_anchorer;
SELECT ledger_store_receipt('acme', :'anchor', 'rekor', 'r', 'rekor::1', '\x00');
SELECT ledger_store_receipt('acme', :'anchor', 'tsa', 't', 'witness::1', '\x00');
SELECT ledger_store_receipt('acme', :'anchor', 'tsa', 't', 'tsa::', '\x00');
SELECT ledger_store_receipt('acme', :'anchor', 'tsa', 't', 'tsa::1', '');
SELECT ledger_store_receipt('acme', :'anchor', 'tsa', 't', NULL, '\x00');
SELECT ledger_store_receipt('globex', :'anchor', 'tsa', 't', 'tsa::1', '\x00');
SELECT ledger_store_receipt('acme', :'anchor', 'witness', 'witness.example/w', 'witness::witness.example/w', convert_to(:'cosigned', 'UTF8'));
RESET SESSION AUTHORIZATION;
SELECT purpose FROM ledger_register_key(:'witness', 'witness');
SET LOCAL SESSION AUTHORIZATION acme_anchorer;
SELECT ledger_store_receipt('acme', :'anchor', 'witness', 'witness.example/w', 'witness::witness.example/w', '\xff');
SELECT ledger_store_receipt('acme', :'anchor', 'witness', 'witness.example/w', 'witness::witness.example/w', convert_to(replace(:'cosigned', 'VqDj', 'VqDk'), 'UTF8'));
SELECT ledger_store_receipt('acme', :'anchor', 'witness', 'witness.example/w', 'witness::witness.example/w', convert_to(:'line1', 'UTF8'));
SELECT ledger_store_receipt('acme', '0198c0de-0000-7000-8000-0000000000f2', 'witness', 'witness.example/w', 'witness::witness.example/w', convert_to(:'cosigned', 'UTF8'));
SELECT ledger_store_receipt('acme', :'anchor', 'witness', 'witness.example/w', 'witness::witness.example/w', convert_to(:'cosigned', 'UTF8'));
SELECT ledger_store_receipt('acme', :'anchor', 'witness', 'witness.example/w', 'witness::witness.example/w', convert_to(:'cosigned', 'UTF8'));
SELECT ledger_store_receipt('acme', :'anchor', 'tsa', 'tsa.example', 'tsa::17', '\x3003');
RESET SESSION AUTHORIZATION;
SELECT anchor_reference, ledger_verify_note(checkpoint, :'key1') AS log, ledger_verify_note(checkpoint, :'witness') AS witness,
	ARRAY(SELECT ledger_note_keys(checkpoint)) AS keys FROM ledger_merkle_roots WHERE anchor_id = :'anchor';
SELECT kind, name, reference, length(receipt) FROM ledger_anchor_receipts ORDER BY kind;
-- A cosignature is not a signature of the log, and ends with its witness.
SET LOCAL SESSION AUTHORIZATION acme_anchorer;
SELECT ledger_store_signature('acme', :'anchor', :'cosigned', :'sig1');
SET LOCAL SESSION AUTHORIZATION some_operator;
SELECT retired_at IS NOT NULL AS retired FROM ledger_retire_key('witness.example/w+71a4f7af', 'closed');
RESET SESSION AUTHORIZATION;
SELECT pg_temp.counts('witness.example/w+71a4f7af') AS witness;
SELECT revoked_at IS NOT NULL AS revoked FROM ledger_revoke_key('witness.example/w+71a4f7af', 'lied');
SELECT pg_temp.counts('witness.example/w+71a4f7af') AS witness;

-- Nobody else changes keys, and nobody changes them otherwise.
SET LOCAL SESSION AUTHORIZATION acme_anchorer;
SELECT ledger_register_key(:'key2');
SELECT ledger_retire_key('ledger.example/next+46e627cb', 'x');
SELECT ledger_revoke_key('ledger.example/next+46e627cb', 'x');
SET LOCAL SESSION AUTHORIZATION acme_auditor;
SELECT ledger_store_signature('acme', :'anchor', :'line1', :'sig1');
SELECT ledger_store_receipt('acme', :'anchor', 'tsa', 't', 'tsa::1', '\x00');
RESET SESSION AUTHORIZATION;
UPDATE ledger_keys SET public_key = 'x';
UPDATE ledger_keys SET retired_at = NULL, reason = NULL WHERE retired_at IS NOT NULL;
UPDATE ledger_keys SET purpose = 'witness';
DELETE FROM ledger_keys;
TRUNCATE ledger_keys CASCADE;
UPDATE ledger_key_ranges SET first_sequence = 1 WHERE first_sequence > 1;
UPDATE ledger_key_ranges SET last_sequence = NULL WHERE last_sequence IS NOT NULL;
UPDATE ledger_key_ranges SET last_sequence = 6 WHERE last_sequence IS NOT NULL;
UPDATE ledger_key_ranges SET last_sequence = 4 WHERE key_id = 'ledger.example/prod+77b80c1d' AND chain_id = :'chain';
DELETE FROM ledger_key_ranges;
-- Nor does who may write the table put a key there that no verification could read, or under another's name.
INSERT INTO ledger_keys (key_id, public_key, purpose) VALUES ('garbage+00000000', 'garbage', 'log');
INSERT INTO ledger_keys (key_id, public_key, purpose, registered_at)
VALUES ('other+00000000', 'ledger.example/prod+77b80c1d+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4', 'log', '-infinity');
\set ON_ERROR_ROLLBACK off
-- Ranges are told of granted tenants only.
SELECT ledger_signature_valid('acme', :'chain', 2, key_id) AS to_all_powerful FROM ledger_keys WHERE purpose = 'log' ORDER BY 1 DESC LIMIT 1;
SET LOCAL SESSION AUTHORIZATION globex_reader;
SELECT ledger_signature_valid('acme', :'chain', 2, 'ledger.example/prod+77b80c1d') AS to_a_stranger;
ROLLBACK;
