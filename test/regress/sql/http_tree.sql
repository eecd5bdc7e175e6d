-- Trees as the gateway hands them out: nothing beyond the newest anchor, nothing unsigned.
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
-- Two chains: one of two tiles and a bit, and one that nobody will have signed.
SELECT count(*) FROM ledger_append_many((SELECT jsonb_agg(jsonb_build_object('tenant', 'acme', 'type', 'finding.created', 'policyVersion', 'http-tree',
	'findingId', 'HT-' || n, 'artifactId', 'img', 'id', '01890000-0000-7000-8000-0000000' || lpad((10000 + n)::text, 5, '0'))) FROM generate_series(1, 600) AS n));
SELECT (ledger_append('acme', 'finding.created', 'HT-0', 'http-tree-2', 'img')).sequence_no;
SELECT ledger_chain_id('acme', 'http-tree') AS chain, ledger_chain_id('acme', 'http-tree-2') AS chain2 \gset
-- The rest is taken back at the end: no anchor stays.
BEGIN;
\set ON_ERROR_ROLLBACK on
CREATE FUNCTION pg_temp.ask(query jsonb DEFAULT '{}', path jsonb DEFAULT '{}', after jsonb DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('subject', 'ann', 'requestId', 'r-2', 'path', path, 'after', after,
		'query', (SELECT coalesce(jsonb_object_agg(key, jsonb_build_array(value)), '{}') FROM jsonb_each_text(query) AS q)) $$;
CREATE FUNCTION pg_temp.tile(chain uuid, path text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	RETURN (SELECT concat_ws(' ', t.status, length(t.body), t.headers ->> 'Content-Type', t.headers ->> 'Cache-Control')
		FROM ledger.ledger_http_tile('acme', pg_temp.ask('{}', jsonb_build_object('chainId', chain, 'tile', path))) AS t);
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
SELECT jsonb_build_object('chainId', :'chain') AS at, jsonb_build_object('chainId', :'chain2') AS at2 \gset
SET LOCAL app.current_tenant = 'acme';
SET LOCAL SESSION AUTHORIZATION acme_gateway;
-- Before there is an anchor.
SELECT * FROM ledger_http_checkpoint('acme', pg_temp.ask('{}', :'at'));
:code
SELECT * FROM ledger_http_proof('acme', pg_temp.ask('{}', '{"eventId": "01890000-0000-7000-8000-000000010005"}'));
:code
SELECT pg_temp.tile(:'chain', '0/000');
SELECT count(*) FROM ledger_anchor_tick('acme', true) WHERE chain_id = :'chain';
-- Anchored and not signed: still nobody's word.
SELECT * FROM ledger_http_checkpoint('acme', pg_temp.ask('{}', :'at'));
SELECT * FROM ledger_http_proof('acme', pg_temp.ask('{}', '{"eventId": "01890000-0000-7000-8000-000000010005"}'));
:code
-- Signed by a key that counts.  The line's signature is none; its key is what is asked for here.
RESET SESSION AUTHORIZATION;
\set key 'ledger.example/prod+77b80c1d+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4'
SELECT (ledger_register_key(:'key', 'log', true)).key_id;
CREATE FUNCTION pg_temp.line(id text) RETURNS text LANGUAGE sql AS $$
	SELECT '— ledger.example/prod ' || translate(encode(decode(id, 'hex') || sha256('a') || sha256('b'), 'base64'), E'\n', '') || E'\n' $$;
UPDATE ledger_merkle_roots SET checkpoint = checkpoint || E'\n' || pg_temp.line('77b80c1e') WHERE tenant_id = 'acme' AND chain_id = :'chain';
SET LOCAL SESSION AUTHORIZATION acme_gateway;
SELECT status FROM ledger_http_checkpoint('acme', pg_temp.ask('{}', :'at'));
RESET SESSION AUTHORIZATION;
UPDATE ledger_merkle_roots SET checkpoint = checkpoint || pg_temp.line('77b80c1d') WHERE tenant_id = 'acme' AND chain_id = :'chain';
SET LOCAL SESSION AUTHORIZATION acme_gateway;
SELECT h.status, h.headers::jsonb - 'ETag' AS headers, h.body = r.checkpoint AS checkpoint, h.headers ->> 'ETag' = '"' || left(encode(sha256(convert_to(h.body, 'UTF8')), 'hex'), 32) || '"' AS etag
FROM ledger_http_checkpoint('acme', pg_temp.ask('{}', :'at')) AS h, ledger_merkle_roots AS r WHERE r.tenant_id = 'acme' AND r.chain_id = :'chain';
SELECT status FROM ledger_http_checkpoint('acme', pg_temp.ask('{"size": 600}', :'at'));
SELECT * FROM ledger_http_checkpoint('acme', pg_temp.ask('{"size": 599}', :'at'));
SELECT * FROM ledger_http_checkpoint('acme', pg_temp.ask('{"size": 0}', :'at'));
SELECT * FROM ledger_http_checkpoint('acme', pg_temp.ask('{}', :'at2'));
SELECT * FROM ledger_http_checkpoint('acme', pg_temp.ask('{}', '{"chainId": "01890000-0000-7000-8000-00000000cfff"}'));
:code

-- Proofs, and the record of who got them.
SELECT h.status, h.headers, h.body = ledger_proof_bundle('acme', '01890000-0000-7000-8000-000000010005') AS bundle, left(h.body, 30) AS begins
FROM ledger_http_proof('acme', pg_temp.ask('{}', '{"eventId": "01890000-0000-7000-8000-000000010005"}')) AS h;
SELECT * FROM ledger_http_proof('acme', pg_temp.ask('{}', '{"eventId": "x"}'));
SELECT * FROM ledger_http_proof('acme', pg_temp.ask('{}', '{"eventId": "01890000-0000-7000-8000-00000000cfff"}'));
SELECT h.status, h.headers, p.body - 'hashes' - 'fromRoot' - 'toRoot' AS body, jsonb_array_length(p.body -> 'hashes') AS hashes,
	ledger_verify_consistency(300, decode(p.body ->> 'fromRoot', 'hex'), 600, decode(p.body ->> 'toRoot', 'hex'), ARRAY(SELECT decode(x, 'hex') FROM jsonb_array_elements_text(p.body -> 'hashes') AS x)) AS proves,
	p.body ->> 'toRoot' = (SELECT encode(root_hash, 'hex') FROM ledger_merkle_roots WHERE tenant_id = 'acme' AND chain_id = :'chain') AS root
FROM ledger_http_consistency('acme', pg_temp.ask('{"from": 300, "to": 600}', :'at')) AS h, LATERAL (SELECT h.body::jsonb) AS p (body);
SELECT body::jsonb -> 'hashes' AS none FROM ledger_http_consistency('acme', pg_temp.ask('{"from": 600, "to": 600}', :'at'));
SELECT * FROM ledger_http_consistency('acme', pg_temp.ask('{"from": 300}', :'at'));
SELECT * FROM ledger_http_consistency('acme', pg_temp.ask('{"to": 300}', :'at'));
SELECT * FROM ledger_http_consistency('acme', pg_temp.ask('{"from": 0, "to": 300}', :'at'));
SELECT * FROM ledger_http_consistency('acme', pg_temp.ask('{"from": 300, "to": 200}', :'at'));
SELECT * FROM ledger_http_consistency('acme', pg_temp.ask('{"from": 300, "to": 601}', :'at'));
:code
SELECT subject, action, replace(object, :'chain', 'CHAIN') AS object FROM ledger_access_log WHERE request_id = 'r-2' ORDER BY access_id;

-- Tiles of C2SP tlog-tiles.
SELECT path, pg_temp.tile(:'chain', path) FROM unnest('{0/000,0/001,0/002,0/002.p/88,0/002.p/87,0/002.p/89,0/000.p/7,0/003,1/000,1/000.p/2,1/000.p/1,1/000.p/3,1/001,2/000,7/000,entries/000,entries/002.p/88}'::text[]) WITH ORDINALITY AS p (path, n) ORDER BY n;
SELECT path, pg_temp.tile(:'chain', path) FROM unnest(ARRAY['', '0', '0/', '0/0', '0/00', '0/0000', '0/x000/000', '0/x001/000', '0/001.p/256', '0/001.p/0', '0/001.p/01', '0/001.p/', '0/001.p', '8/000', '-1/000', '00/000', '0/000/',
	'/0/000', '0/000.p/7/8', 'entries', 'entries/x/000', 'ENTRIES/000', '0/x999/x999/x999/x999/x999/999', '0/x999/x999/x999/x999/x999/x999/999', E'0/000\n', '0/٠٠٠', NULL]) WITH ORDINALITY AS p (path, n) ORDER BY n;
SELECT pg_temp.tile(:'chain2', '0/000.p/1'), pg_temp.tile(:'chain2', '0/000');
-- The hashes lead to the root; an entry's leaf hash is its tile's.
CREATE FUNCTION pg_temp.bytes(chain uuid, path text) RETURNS bytea LANGUAGE sql AS $$ SELECT body FROM ledger.ledger_http_tile('acme', pg_temp.ask('{}', jsonb_build_object('chainId', chain, 'tile', path))) $$;
SELECT (SELECT ledger_merkle_root(substr(x.all, n * 32 + 1, 32) ORDER BY n) FROM generate_series(0, 599) AS n) = r.root_hash AS root,
	(SELECT ledger_merkle_root(substr(pg_temp.bytes(:'chain', '0/001'), n * 32 + 1, 32) ORDER BY n) FROM generate_series(0, 255) AS n) = substr(pg_temp.bytes(:'chain', '1/000.p/2'), 33) AS above
FROM (SELECT pg_temp.bytes(:'chain', '0/000') || pg_temp.bytes(:'chain', '0/001') || pg_temp.bytes(:'chain', '0/002.p/88')) AS x ("all"), ledger_merkle_roots AS r WHERE r.tenant_id = 'acme' AND r.chain_id = :'chain';
CREATE FUNCTION pg_temp.entries(bundle bytea) RETURNS TABLE (n integer, entry bytea) LANGUAGE plpgsql AS $$
DECLARE v_at integer := 0; v_size integer;
BEGIN
	n := 0;
	WHILE v_at < length(bundle) LOOP
		v_size := get_byte(bundle, v_at) * 256 + get_byte(bundle, v_at + 1);
		entry := substr(bundle, v_at + 3, v_size);
		v_at := v_at + 2 + v_size;
		RETURN NEXT;
		n := n + 1;
	END LOOP;
END $$;
SELECT count(*), bool_and(sha256('\x00'::bytea || e.entry) = substr(pg_temp.bytes(:'chain', '0/002.p/88'), e.n * 32 + 1, 32)) AS leaves, min(convert_from(e.entry, 'UTF8')::jsonb ->> 'sequence') AS first
FROM pg_temp.entries(pg_temp.bytes(:'chain', 'entries/002.p/88')) AS e;

-- What came after the anchor is not told, though it is there.
RESET SESSION AUTHORIZATION;
SELECT (ledger_append('acme', 'finding.created', 'HT-601', 'http-tree', 'img')).sequence_no;
SET LOCAL SESSION AUTHORIZATION acme_gateway;
SELECT pg_temp.tile(:'chain', '0/002.p/89');

-- Anchors.
SELECT a - 'anchorId' - 'dsse' - 'windowStart' - 'windowEnd' - 'anchoredAt' - 'rootHash' - 'checkpoint' AS anchor, a ->> 'rootHash' = encode(r.root_hash, 'hex') AS root, a ->> 'checkpoint' = r.checkpoint AS checkpoint,
	a -> 'dsse' = r.dsse AS dsse, (a ->> 'anchorId')::uuid = r.anchor_id AS id, (a ->> 'anchoredAt')::timestamptz = r.anchored_at AS at
FROM ledger_http_anchors('acme', pg_temp.ask(:'at')) AS h, jsonb_array_elements(h.body::jsonb -> 'anchors') AS a, ledger_merkle_roots AS r WHERE r.tenant_id = 'acme' AND r.chain_id = :'chain';
RESET SESSION AUTHORIZATION;
SELECT ledger_store_receipt('acme', (SELECT anchor_id FROM ledger_merkle_roots WHERE tenant_id = 'acme' AND chain_id = :'chain'), 'worm', 'vault', 'worm::a', '\x01');
SET LOCAL SESSION AUTHORIZATION acme_gateway;
SELECT a ->> 'reference' AS reference, (a #> '{receipts,0}') - 'obtainedAt' AS receipt FROM ledger_http_anchors('acme', pg_temp.ask(:'at')) AS h, jsonb_array_elements(h.body::jsonb -> 'anchors') AS a;
SELECT body FROM ledger_http_anchors('acme', pg_temp.ask(:'at' || '{"sinceSize": 600}'::jsonb));
SELECT jsonb_array_length(body::jsonb -> 'anchors') AS one, headers -> 'Ledger-Next' ->> 'size' IS NOT NULL AS next FROM ledger_http_anchors('acme', pg_temp.ask('{"limit": 1}'));
SELECT bool_and(b.body::jsonb #> '{anchors,0}' = a.body::jsonb #> '{anchors,1}') AS second FROM ledger_http_anchors('acme', pg_temp.ask('{}')) AS a,
	LATERAL (SELECT headers -> 'Ledger-Next' AS next FROM ledger_http_anchors('acme', pg_temp.ask('{"limit": 1}'))) AS n, LATERAL ledger_http_anchors('acme', pg_temp.ask('{"limit": 1}', '{}', n.next::jsonb)) AS b;
SELECT c -> 'anchored' AS anchored FROM ledger_http_chains('acme', pg_temp.ask('{"policyVersion": "http-tree"}')) AS h, jsonb_array_elements(h.body::jsonb -> 'chains') AS c;
-- A tile that is not whole is no tile.
RESET SESSION AUTHORIZATION;
\set QUIET on
SET LOCAL client_min_messages = error;
UPDATE ledger_merkle_edge SET hashes = substr(hashes, 1, 32) WHERE tenant_id = 'acme' AND chain_id = :'chain' AND level = 1;
\set QUIET off
SET LOCAL SESSION AUTHORIZATION acme_gateway;
SELECT pg_temp.tile(:'chain', '1/000.p/2');
ROLLBACK;
