-- Anchors: what a tick fixes, when it is due, what it refuses to build upon, and what
-- may still be added to a recorded anchor.  Events, roots and frontier were made by
-- an independent program.  A tick anchors what other transactions committed, so this
-- test leaves tenants and anchors behind, and runs after those that list tenants.
\set VERBOSITY default
\set SHOW_CONTEXT never
CREATE TEMP TABLE source (n serial, line jsonb);
COPY source (line) FROM stdin;
{"envelope":{"actor":{"id":"scanner","type":"system"},"chainId":"efc2b696-49e2-8114-ab5b-c9f5c3ebd739","finding":{"artifactId":"a","id":"F"},"id":"01890000-0000-7000-8000-000000000101","occurredAt":"2026-01-01T08:00:00.000000Z","payloadHash":"1a87fbe67bab9960f0447bc9010950bd0140eb0d4fcc65e4c8e25b139d9bf327","policyVersion":"anchored-1","previousHash":"0000000000000000000000000000000000000000000000000000000000000000","recordedAt":"2026-01-01T08:00:00.000001Z","recordedBy":"source","schema":"ledger.event.v1","sequence":1,"tenant":"anchored","type":"finding.comment_added"},"eventHash":"a2ecfbbf9d7dd85fdd1e2d5d7571d44bb942ea6333cb2751e9389a35113747e3","merkleLeafHash":"470e6960c72c1e1b7038b15674d773e095be98ca7b700005f35881e84ed4132c","payload":{},"salt":""}
{"envelope":{"actor":{"id":"scanner","type":"system"},"chainId":"efc2b696-49e2-8114-ab5b-c9f5c3ebd739","finding":{"artifactId":"a","id":"F"},"id":"01890000-0000-7000-8000-000000000102","occurredAt":"2026-01-02T08:00:00.000000Z","payloadHash":"1a87fbe67bab9960f0447bc9010950bd0140eb0d4fcc65e4c8e25b139d9bf327","policyVersion":"anchored-1","previousHash":"a2ecfbbf9d7dd85fdd1e2d5d7571d44bb942ea6333cb2751e9389a35113747e3","recordedAt":"2026-01-02T08:00:00.000001Z","recordedBy":"source","schema":"ledger.event.v1","sequence":2,"tenant":"anchored","type":"finding.comment_added"},"eventHash":"c74630e71375ab6547f6eb1a80cf83d015b5f7b0e966d057880cb0ab12a130dd","merkleLeafHash":"8c2793a0769db81ce15c9d9b4d59d55c6a89e249124463a9b798aeb18cf67bb5","payload":{},"salt":""}
{"envelope":{"actor":{"id":"scanner","type":"system"},"chainId":"efc2b696-49e2-8114-ab5b-c9f5c3ebd739","finding":{"artifactId":"a","id":"F"},"id":"01890000-0000-7000-8000-000000000103","occurredAt":"2026-01-03T08:00:00.000000Z","payloadHash":"1a87fbe67bab9960f0447bc9010950bd0140eb0d4fcc65e4c8e25b139d9bf327","policyVersion":"anchored-1","previousHash":"c74630e71375ab6547f6eb1a80cf83d015b5f7b0e966d057880cb0ab12a130dd","recordedAt":"2026-01-03T08:00:00.000001Z","recordedBy":"source","schema":"ledger.event.v1","sequence":3,"tenant":"anchored","type":"finding.comment_added"},"eventHash":"abbd94f4bc6f44fa2fd8f2008eac1c5cdae04a52cd003d3cef98c4f534a58b82","merkleLeafHash":"39c970020c30ae3a0aabe7a501c7f589586557cc566c9bc4885b6420e68061dc","payload":{},"salt":""}
{"envelope":{"actor":{"id":"scanner","type":"system"},"chainId":"efc2b696-49e2-8114-ab5b-c9f5c3ebd739","finding":{"artifactId":"a","id":"F"},"id":"01890000-0000-7000-8000-000000000104","occurredAt":"2026-01-04T08:00:00.000000Z","payloadHash":"1a87fbe67bab9960f0447bc9010950bd0140eb0d4fcc65e4c8e25b139d9bf327","policyVersion":"anchored-1","previousHash":"abbd94f4bc6f44fa2fd8f2008eac1c5cdae04a52cd003d3cef98c4f534a58b82","recordedAt":"2026-01-04T08:00:00.000001Z","recordedBy":"source","schema":"ledger.event.v1","sequence":4,"tenant":"anchored","type":"finding.comment_added"},"eventHash":"d59866f7106d399cdaf442aaa484e8e01ff135ed54831fcfe0444f2f48b4fcc9","merkleLeafHash":"21d33bcd7065f2d8521efe98ac00e66686459c87612d59f95217c5af83cdf01b","payload":{},"salt":""}
{"envelope":{"actor":{"id":"scanner","type":"system"},"chainId":"efc2b696-49e2-8114-ab5b-c9f5c3ebd739","finding":{"artifactId":"a","id":"F"},"id":"01890000-0000-7000-8000-000000000105","occurredAt":"2026-01-05T08:00:00.000000Z","payloadHash":"1a87fbe67bab9960f0447bc9010950bd0140eb0d4fcc65e4c8e25b139d9bf327","policyVersion":"anchored-1","previousHash":"d59866f7106d399cdaf442aaa484e8e01ff135ed54831fcfe0444f2f48b4fcc9","recordedAt":"2026-01-05T08:00:00.000001Z","recordedBy":"source","schema":"ledger.event.v1","sequence":5,"tenant":"anchored","type":"finding.comment_added"},"eventHash":"dc7ca3f9828f4715093a4bc0a1650934ec986a34aa0dce3a4daa4ad15a133c69","merkleLeafHash":"3faf7f6abfd659f7b60512e78b52db8021bd38109707bbbc4eb196c0cd07c402","payload":{},"salt":""}
\.
CREATE FUNCTION pg_temp.import(first int, last int) RETURNS bigint LANGUAGE sql
	AS 'SELECT sum(imported) FROM ledger.ledger_import((SELECT jsonb_agg(line ORDER BY n) FROM source WHERE n BETWEEN first AND last))';
CREATE FUNCTION pg_temp.put(tenant text, policy text, n integer) RETURNS bigint LANGUAGE sql
	AS $$ SELECT count(*) FROM ledger.ledger_append_many((SELECT jsonb_agg(jsonb_build_object('tenant', tenant, 'type', 'finding.created',
		'policyVersion', policy, 'findingId', 'F', 'artifactId', 'a')) FROM generate_series(1, n))) $$;
-- An anchor without what differs from run to run.
CREATE FUNCTION pg_temp.shown(r ledger.ledger_merkle_roots, OUT tenant text, OUT events text, OUT leaves bigint, OUT size bigint, OUT root text, OUT previous text, OUT frontier text)
	LANGUAGE sql AS $$ SELECT r.tenant_id, r.sequence_start || '-' || r.sequence_end, r.leaf_count, r.tree_size, left(encode(r.root_hash, 'hex'), 16),
		left(encode(r.previous_root_hash, 'hex'), 16), left(encode(r.frontier, 'hex'), 16) $$;
-- What came before, in this database, is none of this test's.
SELECT count(*) >= 0 AS done FROM ledger_anchor_tick(force => true);
SELECT tenant_id FROM ledger_create_tenant('anchored');
SELECT ledger_grant_tenant('acme_anchorer', 'anchored');

-- Three imported events: they are old, so they are due.
SELECT pg_temp.import(1, 3);
SET SESSION AUTHORIZATION acme_anchorer;
SELECT s.* FROM ledger_anchor_tick('anchored') AS r, pg_temp.shown(r) AS s;
SELECT s.* FROM ledger_anchor_tick('anchored', true) AS r, pg_temp.shown(r) AS s;
RESET SESSION AUTHORIZATION;
SELECT encode(root_hash, 'hex') = 'bdace8e644016f3f3f1df2a030d95c448c10f4b678af8c1cf9d7323eda5921f5' AS root,
	encode(frontier, 'hex') = 'cfebdf3da2719c403470d90c1bc345ca7ff09d6f0ce9cc35e10ef213317ace1339c970020c30ae3a0aabe7a501c7f589586557cc566c9bc4885b6420e68061dc' AS frontier,
	checkpoint = (SELECT origin FROM ledger_settings) || E'/anchored/efc2b696-49e2-8114-ab5b-c9f5c3ebd739\n3\nvazo5kQBbz8/HfKgMNlcRIwQ9LZ4r4wc+dcyPtpZIfU=\n' AS checkpoint,
	dsse - 'payload' AS dsse, window_start AT TIME ZONE 'UTC' AS window_start, window_end AT TIME ZONE 'UTC' AS window_end, anchor_reference,
	anchored_at BETWEEN now() - interval '5 minutes' AND now() AS fresh, ledger_guard_fingerprint('anchored') = guard_fingerprint AS guards,
	guard_sequence = (SELECT max(sequence_no) FROM ledger_events WHERE tenant_id = 'ledger') AS guards_at
FROM ledger_merkle_roots WHERE tenant_id = 'anchored';
SELECT pg_temp.import(4, 5);
SELECT s.* FROM ledger_anchor_tick('anchored') AS r, pg_temp.shown(r) AS s;
SELECT encode(root_hash, 'hex') = 'dc93116ad07f9d0c188ffeb3f3567c29cb10cc7cf335679e5783113423267a76' AS root,
	replace(replace(convert_from(decode(dsse ->> 'payload', 'base64'), 'UTF8'), anchor_id::text, 'ID'), ',', E',\n') AS statement
FROM ledger_merkle_roots WHERE tenant_id = 'anchored' AND tree_size = 5;
SELECT first_anchored_sequence, last_anchored_sequence FROM ledger_chains WHERE tenant_id = 'anchored';

-- When it is due: a batch, a window, an interval; the deployment's or the tenant's own.
SELECT pg_temp.put('anchored', 'due', 2);
SELECT count(*) FROM ledger_anchor_tick('anchored');
SET ledger.anchor_batch_size = 2;
SELECT s.* FROM ledger_anchor_tick('anchored') AS r, pg_temp.shown(r) AS s \gset
\echo :tenant :events
SELECT (ledger_set_anchoring('anchored', batch_size => 3)).anchor_batch_size;
SELECT pg_temp.put('anchored', 'due', 2);
SELECT count(*) FROM ledger_anchor_tick('anchored');
SELECT pg_temp.put('anchored', 'due', 1);
SELECT leaf_count FROM ledger_anchor_tick('anchored');
SELECT anchor_batch_size, anchor_window, anchor_interval FROM ledger_set_anchoring('anchored');
RESET ledger.anchor_batch_size;
SELECT pg_temp.put('anchored', 'due', 1);
SELECT count(*) FROM ledger_anchor_tick('anchored');
SELECT anchor_window FROM ledger_set_anchoring('anchored', window_duration => '1 microsecond');
SELECT leaf_count FROM ledger_anchor_tick('anchored');
SELECT pg_temp.put('anchored', 'due', 1);
SELECT anchor_window, anchor_interval FROM ledger_set_anchoring('anchored', window_duration => '1 day', anchor_interval => '1 microsecond');
SELECT leaf_count FROM ledger_anchor_tick('anchored');
SELECT pg_temp.put('anchored', 'due', 1);
SELECT anchor_interval FROM ledger_set_anchoring('anchored', anchor_interval => '0');
SELECT count(*) FROM ledger_anchor_tick('anchored');
SELECT leaf_count FROM ledger_anchor_tick('anchored', true);
SELECT ledger_set_anchoring('anchored', 0);
SELECT ledger_set_anchoring('anchored', NULL, '0');
SELECT ledger_set_anchoring('anchored', NULL, NULL, '-1 second');
SELECT ledger_set_anchoring('nobody');
SET ledger.anchor_batch_size = 0;

-- Who may: the anchorer, his tenants; and nothing that the calling transaction wrote itself.
SELECT pg_temp.put('globex', 'anchors-1', 1);
SET SESSION AUTHORIZATION acme_anchorer;
SELECT DISTINCT tenant_id FROM ledger_anchor_tick(force => true) WHERE tenant_id NOT IN ('acme', 'anchored');
SELECT ledger_anchor_tick('globex');
SELECT ledger_anchor_tick('nobody');
RESET SESSION AUTHORIZATION;
SELECT ledger_anchor_tick('nobody');
SET SESSION AUTHORIZATION acme_writer;
SELECT ledger_anchor_tick('acme');
RESET SESSION AUTHORIZATION;
BEGIN ISOLATION LEVEL REPEATABLE READ;
SELECT ledger_anchor_tick('anchored');
ROLLBACK;
BEGIN;
SELECT pg_temp.put('anchored', 'due', 1);
SELECT count(*) FROM ledger_anchor_tick('anchored', true);
ROLLBACK;

-- Tiles: 65,539 subtrees of 256 leaves fill 256 tiles, and one of the level above.
BEGIN;
SELECT ledger_extend_tiles('anchored', 'efc2b696-49e2-8114-ab5b-c9f5c3ebd739', 5,
	(SELECT string_agg(sha256(int4send(n)), '' ORDER BY n) FROM generate_series(1, 65539) AS n));
SELECT level, count(*), min(tile_index), max(tile_index) FROM ledger_merkle_tiles WHERE tenant_id = 'anchored' GROUP BY level ORDER BY level;
SELECT level, tile_index, length(hashes) FROM ledger_merkle_edge WHERE tenant_id = 'anchored' ORDER BY level;
SELECT substr(hashes, 1, 32) = sha256(int4send(256 * 255 + 1)) AS first, substr(hashes, 8161) = sha256(int4send(256 * 256)) AS last
FROM ledger_merkle_tiles WHERE tenant_id = 'anchored' AND level = 1 AND tile_index = 255;
-- The root of a level's hashes is that of the tiles' roots.
SELECT (SELECT ledger_merkle_root(sha256(int4send(n)) ORDER BY n) FROM generate_series(1, 65536) AS n) = e.hashes AS root
FROM ledger_merkle_edge AS e WHERE tenant_id = 'anchored' AND level = 3;
SELECT ledger_extend_tiles('anchored', 'efc2b696-49e2-8114-ab5b-c9f5c3ebd739', 512, sha256(''));
ROLLBACK;

-- Guards: what a row says stays; signature lines, signatures and one reference are added.
BEGIN;
\set ON_ERROR_ROLLBACK on
\set here 'WHERE tenant_id = ''anchored'' AND tree_size = 5'
UPDATE ledger_merkle_roots SET root_hash = sha256('') :here;
UPDATE ledger_merkle_roots SET anchored_at = now() :here;
UPDATE ledger_merkle_roots SET guard_fingerprint = sha256('') :here;
UPDATE ledger_merkle_roots SET previous_root_hash = sha256('') :here;
UPDATE ledger_merkle_roots SET checkpoint = 'x' :here;
UPDATE ledger_merkle_roots SET checkpoint = checkpoint || E'one more line of text\n' :here;
UPDATE ledger_merkle_roots SET checkpoint = checkpoint || E'— name line\n' :here;
UPDATE ledger_merkle_roots SET checkpoint = checkpoint || E'\n— name line' :here;
UPDATE ledger_merkle_roots SET checkpoint = checkpoint || E'\n— name line\n' :here;
UPDATE ledger_merkle_roots SET checkpoint = checkpoint || E'\n— name line\n' :here;
UPDATE ledger_merkle_roots SET checkpoint = checkpoint || E'— other line\n— third line\n' :here;
UPDATE ledger_merkle_roots SET checkpoint = replace(checkpoint, '— other line', '— other lie') :here;
UPDATE ledger_merkle_roots SET checkpoint = split_part(checkpoint, E'\n\n', 1) || E'\n' :here;
UPDATE ledger_merkle_roots SET dsse = jsonb_set(dsse, '{signatures}', '[{"keyid": "a"}]') :here;
UPDATE ledger_merkle_roots SET dsse = jsonb_set(dsse, '{signatures}', '[{"keyid": "a"}, {"keyid": "b"}]') :here;
UPDATE ledger_merkle_roots SET dsse = jsonb_set(dsse, '{signatures}', '[{"keyid": "b"}, {"keyid": "a"}, {"keyid": "c"}]') :here;
UPDATE ledger_merkle_roots SET dsse = jsonb_set(dsse, '{signatures}', '[{"keyid": "a"}]') :here;
UPDATE ledger_merkle_roots SET dsse = dsse - 'signatures' :here;
UPDATE ledger_merkle_roots SET dsse = dsse || '{"payload": "e30="}' :here;
UPDATE ledger_merkle_roots SET dsse = dsse || '{"more": 1}' :here;
UPDATE ledger_merkle_roots SET anchor_reference = 'tsa::1' :here;
UPDATE ledger_merkle_roots SET anchor_reference = 'tsa::2' :here;
UPDATE ledger_merkle_roots SET anchor_reference = NULL :here;
DELETE FROM ledger_merkle_roots :here;
TRUNCATE ledger_merkle_roots CASCADE;
SET LOCAL session_replication_role = replica;
UPDATE ledger_merkle_roots SET root_hash = sha256('') :here;
DELETE FROM ledger_merkle_roots :here;
RESET session_replication_role;
INSERT INTO ledger_merkle_tiles VALUES ('anchored', gen_random_uuid(), 1, 0, repeat('x', 8192)::bytea);
UPDATE ledger_merkle_tiles SET tile_index = 1;
DELETE FROM ledger_merkle_tiles;
TRUNCATE ledger_merkle_tiles;
DELETE FROM ledger_anchor_receipts;
UPDATE ledger_verification_marks SET tree_size = 1;
-- The owner's members are stopped as well.
SET LOCAL ROLE ledger_owner;
UPDATE ledger_merkle_roots SET root_hash = sha256('') :here;
DROP TRIGGER ledger_refuse_row ON ledger_merkle_roots;
\set ON_ERROR_ROLLBACK off
ROLLBACK;

-- One chain that cannot be built upon keeps no other from its anchor, and is named.
SELECT tenant_id FROM ledger_create_tenant('anchored-2');
SELECT pg_temp.put('anchored', p, 2) FROM unnest('{tampered,sound,registry,short,gone}'::text[]) AS p;
SELECT count(*) FROM ledger_anchor_tick('anchored', true);
SELECT pg_temp.put('anchored', p, 2) FROM unnest('{tampered,sound,registry,short,gone}'::text[]) AS p;
SELECT leaf FROM ledger_tenants WHERE tenant_id = 'anchored' \gset
BEGIN;
SET LOCAL session_replication_role = replica;
SET LOCAL client_min_messages = error;
ALTER TABLE ledger_merkle_roots DISABLE TRIGGER USER;
ALTER TABLE ledger_events DISABLE TRIGGER USER;
ALTER TABLE :"leaf" DISABLE TRIGGER USER;
UPDATE ledger_merkle_roots SET frontier = sha256('x') WHERE chain_id = ledger_chain_id('anchored', 'tampered');
UPDATE ledger_chains SET last_anchored_sequence = 1 WHERE chain_id = ledger_chain_id('anchored', 'registry');
DELETE FROM :"leaf" WHERE chain_id = ledger_chain_id('anchored', 'short') AND sequence_no > 1;
DELETE FROM :"leaf" WHERE chain_id = ledger_chain_id('anchored', 'gone') AND sequence_no = 3;
RESET session_replication_role;
RESET client_min_messages;
SELECT c.policy_version, s.events FROM ledger_anchor_tick('anchored', true) AS r JOIN ledger_chains AS c USING (chain_id), pg_temp.shown(r) AS s;
SELECT anchors, failures FROM ledger_anchor_stats WHERE tenant_id = 'anchored';
SELECT metric, labels, value FROM ledger_anchor_metrics() WHERE labels ->> 'tenant' = 'anchored' AND (metric ~ 'failures|count|unanchored' OR labels ->> 'le' = '+Inf') ORDER BY 1, 2;
ROLLBACK;
SELECT count(*) FROM ledger_anchor_tick('anchored', true);

-- The fingerprint: SHA-256 of the canonical JSON, of all that is no other tenant's.
SELECT ledger_guard_fingerprint('anchored') = sha256(convert_to('[' || string_agg(
	ledger_canonical_json(jsonb_build_array(guard, object, state, ok, tenant_id)), ',' ORDER BY guard COLLATE "C", object COLLATE "C", state COLLATE "C") || ']', 'UTF8')) AS recipe
FROM ledger_guard_state() WHERE tenant_id IS NULL OR tenant_id = 'anchored';
SELECT ledger_guard_fingerprint('anchored') AS before, ledger_guard_fingerprint('acme') AS of_acme \gset
SELECT tenant_id FROM ledger_create_tenant('anchored-3');
SET quote_all_identifiers = on;
SELECT ledger_guard_fingerprint('anchored') = :'before'::bytea AS another_tenant_changes_nothing, ledger_guard_fingerprint('nobody') AS nobody;
RESET quote_all_identifiers;
BEGIN;
SET LOCAL client_min_messages = error;
SELECT leaf FROM ledger_tenants WHERE tenant_id = 'acme' \gset
ALTER TABLE :"leaf" DISABLE TRIGGER ledger_refuse_direct;
SELECT ledger_guard_fingerprint('anchored') = :'before'::bytea AS theirs, ledger_guard_fingerprint('acme') = :'of_acme'::bytea AS ours;
GRANT SELECT, TRIGGER ON ledger_keys TO acme_reader;
SELECT ledger_guard_fingerprint('anchored') = :'before'::bytea AS everyones;
ROLLBACK;
SET SESSION AUTHORIZATION some_operator;
SELECT ledger_accept_guards('  ');
SELECT ledger_accept_guards('fsync was off while the disk was changed') IS NOT NULL AS recorded;
RESET SESSION AUTHORIZATION;
SELECT event_type, event_body - 'guardFingerprint' AS body, event_body -> 'guardFingerprint' ->> 'anchored' = encode(ledger_guard_fingerprint('anchored'), 'hex') AS same
FROM ledger_events WHERE tenant_id = 'ledger' ORDER BY sequence_no DESC LIMIT 1;

-- The parts are nobody else's.
SELECT ledger_own_head();
SELECT ledger_anchored_ends(NULL);
SET SESSION AUTHORIZATION acme_anchorer;
SELECT ledger_anchor_chain('anchored', 'efc2b696-49e2-8114-ab5b-c9f5c3ebd739', true, '', 1);
SELECT ledger_guard_witness('{anchored}');
SELECT ledger_record_anchor_failure('anchored', 'required_tsa');
SELECT ledger_record_anchor_failure('globex', 'required_tsa');
SELECT ledger_record_anchor_failure('anchored', 'No Such');
RESET SESSION AUTHORIZATION;
SELECT failures -> 'required_tsa' AS counted FROM ledger_anchor_stats WHERE tenant_id = 'anchored';
-- Reasons are labels of a metric; behind 32 of them they are counted together.
BEGIN;
SELECT count(ledger_record_anchor_failure('anchored', 'r' || n)) FROM generate_series(1, 100) AS n;
SELECT count(*) AS reasons, sum(value::bigint) FILTER (WHERE key ~ '^(r[0-9]+|other)$') AS counted
FROM ledger_anchor_stats, jsonb_each_text(failures) WHERE tenant_id = 'anchored';
ROLLBACK;
