-- Appends as the gateway makes them: what an item does wrong is data, what is wrong
-- with the database is an error.
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
BEGIN;
\set ON_ERROR_ROLLBACK on
-- An item; what it asks for lies over a sound request.
CREATE FUNCTION pg_temp.item(event jsonb, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('event', jsonb_build_object('type', 'finding.created', 'policyVersion', 'http-append', 'findingId', 'HA-1', 'artifactId', 'img') || event,
		'subject', 'ann', 'actorType', 'operator') || more $$;
-- Answers without what differs from run to run.
CREATE FUNCTION pg_temp.shown(tenant text, items jsonb) RETURNS TABLE (item integer, status integer, sequence text, answer text) LANGUAGE sql AS $$
	SELECT a.item, a.status, a.body::jsonb #>> '{envelope,sequence}',
		CASE WHEN a.status < 400 THEN (SELECT string_agg(key, ' ' ORDER BY key) FROM json_object_keys(a.headers) AS h (key))
		ELSE concat_ws(' ', a.headers ->> 'Ledger-Code', a.body::jsonb ->> 'message', a.body::jsonb ->> 'pointer') END
	FROM ledger.ledger_http_append(tenant, items) AS a $$;
SET LOCAL SESSION AUTHORIZATION acme_gateway;

-- Created; there already; the same key for something else.
SELECT item, status, headers ->> 'Location' AS location, headers ->> 'ETag' AS etag, headers ->> 'Idempotency-Hit' AS hit FROM ledger_http_append('acme', jsonb_build_array(pg_temp.item('{}', '{"key": "k1"}')));
SELECT item, status, headers ->> 'Location' AS location, headers ->> 'ETag' AS etag, headers ->> 'Idempotency-Hit' AS hit FROM ledger_http_append('acme', jsonb_build_array(pg_temp.item('{}', '{"key": "k1"}')));
SELECT * FROM pg_temp.shown('acme', jsonb_build_array(pg_temp.item('{"payload": {"n": 1}}', '{"key": "k1"}')));
SELECT headers, jsonb_pretty(body::jsonb) AS body FROM ledger_http_append('acme', jsonb_build_array(pg_temp.item('{"payload": {"n": 1.50}}', '{"key": "k1"}')));
-- The id is that of the tenant and the key, unless the request brings its own.
SELECT ledger_http_event_id('acme', 'k1'), ledger_http_event_id('acme', 'k1') <> ledger_http_event_id('globex', 'k1') AS of_the_tenant,
	ledger_http_event_id('acme', 'Zürich') = (SELECT overlay(overlay(h PLACING '8' FROM 13) PLACING to_hex(('x' || substr(h, 17, 1))::bit(4)::integer & 3 | 8) FROM 17)::uuid
		FROM left(encode(sha256(convert_to(E'acme\nZürich', 'UTF8')), 'hex'), 32) AS h) AS recipe;
SELECT body::jsonb #>> '{envelope,id}' AS id FROM ledger_http_append('acme', jsonb_build_array(pg_temp.item('{"id": "01890000-0000-7000-8000-00000000ab01"}', '{"key": "k2"}')));

-- Some are refused, the others are stored; each is answered under its number.
SELECT * FROM pg_temp.shown('acme', jsonb_build_array(
	pg_temp.item('{"findingId": "HA-2"}'),
	pg_temp.item('{"type": "finding.nothing"}'),
	pg_temp.item('{"findingId": "HA-3"}'),
	pg_temp.item('{"severity": 5}'),
	pg_temp.item('{"finding": {"purl": "x"}}'),
	pg_temp.item('{"sequence": 7}'),
	pg_temp.item('{"findingId": ""}'),
	pg_temp.item('{"occurredAt": "yesterday"}'),
	pg_temp.item('{"chainId": "{2a404bbc}"}'),
	pg_temp.item('{"payload": {"severity": {}}}'),
	pg_temp.item('{"payload": {"big": 9007199254740993}}'),
	pg_temp.item('{"type": "ledger.migrated"}'),
	pg_temp.item('{"tenant": "globex"}'),
	pg_temp.item('{"tenant": "acme", "findingId": "HA-4"}'),
	'{"event": 5, "subject": "ann", "actorType": "operator"}', '{"subject": "ann"}', 'null', '"x"',
	pg_temp.item('{}', '{"subject": null}')));
-- Only together are they wrong: what can be stored is.
SELECT * FROM pg_temp.shown('acme', jsonb_build_array(
	pg_temp.item('{"id": "01890000-0000-7000-8000-00000000ab02", "findingId": "HA-5"}'),
	pg_temp.item('{"id": "01890000-0000-7000-8000-00000000ab02", "findingId": "HA-6"}'),
	pg_temp.item('{"id": "01890000-0000-7000-8000-00000000ab02", "findingId": "HA-5"}'),
	pg_temp.item('{"findingId": "HA-7"}')));
-- A place in the chain is asked for alone, before or behind the others.
SELECT * FROM pg_temp.shown('acme', jsonb_build_array(
	pg_temp.item('{"findingId": "HA-8", "expectedSequence": 9}'), pg_temp.item('{"findingId": "HA-9"}'), pg_temp.item('{"findingId": "HA-10", "expectedSequence": "10"}'),
	pg_temp.item('{"findingId": "HA-11", "expectedSequence": 10}'), pg_temp.item('{"findingId": "HA-12", "expectedSequence": "x"}')));
SELECT count(*), min(sequence_no), max(sequence_no), count(DISTINCT actor_id) AS actors FROM ledger_events WHERE tenant_id = 'acme' AND policy_version = 'http-append';
SET LOCAL app.current_tenant = 'acme';
SELECT count(*), min(sequence_no), max(sequence_no), count(DISTINCT actor_id) AS actors, min(recorded_by) AS recorded_by FROM ledger_events WHERE tenant_id = 'acme' AND policy_version = 'http-append';

-- Who acts: who asks, unless he may name another.
SELECT a.status, a.body::jsonb #> '{envelope,actor}' AS actor, a.body::jsonb ->> 'message' AS message, a.body::jsonb ->> 'detail' AS detail
FROM ledger_http_append('acme', jsonb_build_array(
	pg_temp.item('{}'), pg_temp.item('{"actor": {"id": "ann", "type": "operator"}}'), pg_temp.item('{"actorId": "bob"}'), pg_temp.item('{"actor": {"type": "system"}}'),
	pg_temp.item('{"actor": {"id": "bob", "type": "operator"}}'), pg_temp.item('{}', '{"actorType": "integration", "subject": "svc"}'),
	pg_temp.item('{"actorId": "bob"}', '{"anyActor": true, "actorType": "system"}'), pg_temp.item('{"actor": {"id": "bob", "type": "integration"}}', '{"anyActor": true}'),
	pg_temp.item('{}', '{"anyActor": true, "actorType": "system"}'), pg_temp.item('{"actorId": "bob"}', '{"anyActor": "true"}'),
	pg_temp.item('{}', '{"actorType": "robot"}'))) AS a;

-- What comes back is a line of an export, byte for byte.
SELECT a.body AS line FROM ledger_http_append('acme', jsonb_build_array(pg_temp.item('{"id": "01890000-0000-7000-8000-00000000ab03", "vulnId": "CVE-2026-1",
	"sourceRunId": "01890000-0000-7000-8000-0000000000aa", "evidenceBundleRef": "b::1", "payload": {"z": "Zürich ☃ 😀", "a": 7.50}}'))) AS a \gset
SELECT a.body = ledger_canonical_json(a.body::json) AS canonical, a.body = ledger_event_json(e) AS same, a.body::jsonb -> 'envelope' = ledger_event_envelope(e) AS envelope,
	a.body::jsonb ->> 'eventHash' = encode(e.event_hash, 'hex') AS hash, a.body::jsonb ->> 'merkleLeafHash' = encode(e.merkle_leaf_hash, 'hex') AS leaf,
	a.body::jsonb -> 'payload' = e.event_body AS payload, decode(a.body::jsonb ->> 'salt', 'base64') = e.payload_salt AS salt
FROM ledger_events AS e, (SELECT :'line') AS a (body) WHERE e.tenant_id = 'acme' AND e.event_id = '01890000-0000-7000-8000-00000000ab03';
-- An erased one, and one with an evaluation, as rows.
SELECT ledger_event_json(jsonb_populate_record(e, '{"event_body": null, "payload_salt": null}'))::jsonb - 'envelope' - 'eventHash' - 'merkleLeafHash' AS erased,
	ledger_event_json(jsonb_populate_record(e, '{"evaluation": {"b": 1, "a": 2.0}, "payload_salt": ""}'))::jsonb - 'envelope' - 'eventHash' - 'merkleLeafHash' AS evaluated
FROM ledger_events AS e WHERE tenant_id = 'acme' AND policy_version = 'http-append' AND sequence_no = 1;
SELECT ledger_event_json(jsonb_populate_record(e, '{"event_hash": null}')) FROM ledger_events AS e WHERE tenant_id = 'acme' AND policy_version = 'http-append' AND sequence_no = 1;
SELECT ledger_event_json(ROW(1));

-- What is no item's fault is raised, and nothing is stored.
SELECT * FROM pg_temp.shown('globex', jsonb_build_array(pg_temp.item('{}')));
SELECT * FROM pg_temp.shown('nobody', jsonb_build_array(pg_temp.item('{}')));
SELECT count(*) FROM pg_temp.shown('acme', '[]');
SELECT * FROM ledger_http_append('acme', '{}');
SELECT * FROM ledger_http_append('acme', NULL);
RESET SESSION AUTHORIZATION;
CREATE FUNCTION pg_temp.fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'made up' USING ERRCODE = current_setting('test.fails'); END $$;
\set QUIET on
SET LOCAL client_min_messages = error;
CREATE TRIGGER fails BEFORE INSERT ON ledger.findings_projection FOR EACH ROW WHEN (new.finding_id = 'HA-FAIL') EXECUTE FUNCTION pg_temp.fail();
RESET client_min_messages;
\set QUIET off
CREATE FUNCTION pg_temp.fails_with(state text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v text;
BEGIN
	PERFORM set_config('test.fails', state, true);
	SELECT string_agg(s.status::text, ' ' ORDER BY s.item) INTO v
	FROM pg_temp.shown('acme', jsonb_build_array(pg_temp.item('{"findingId": "HA-20"}'), pg_temp.item('{"findingId": "HA-FAIL"}'))) AS s;
	RETURN v;
EXCEPTION WHEN OTHERS THEN
	RETURN 'raised ' || SQLSTATE;
END $$;
SELECT state, pg_temp.fails_with(state) FROM unnest('{LG400,LG403,LG404,LG409,LG413,LG422,22P02,40001,40P01,08006,53100,57P01,55P03,25006,42501,XX000,P0001,LG500,LG503}'::text[]) AS state;
CREATE FUNCTION pg_temp.batch_fails_with(state text) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM set_config('test.fails', state, true);
	RETURN (SELECT b.status FROM ledger.ledger_http_append_batch('acme', '{"subject": "ann", "actorType": "operator"}',
		'[{"type": "finding.created", "policyVersion": "http-append", "findingId": "HA-FAIL", "artifactId": "a"}]') AS b);
EXCEPTION WHEN OTHERS THEN
	RETURN 'raised ' || SQLSTATE;
END $$;
SELECT state, pg_temp.batch_fails_with(state) FROM unnest('{LG400,LG422,22P02,40001,40P01,08006,53100,XX000,P0001,LG500,LG503}'::text[]) AS state;

-- Batches: all or nothing.
CREATE FUNCTION pg_temp.event(more jsonb) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('type', 'finding.created', 'policyVersion', 'http-batch', 'findingId', 'HB-1', 'artifactId', 'img') || more $$;
CREATE FUNCTION pg_temp.batch(events jsonb, more jsonb DEFAULT '{}') RETURNS TABLE (status integer, headers json, answer text) LANGUAGE sql AS $$
	SELECT b.status, b.headers, CASE WHEN b.status < 400
		THEN (SELECT string_agg(e #>> '{envelope,finding,id}', ' ' ORDER BY n) FROM jsonb_array_elements(b.body::jsonb -> 'events') WITH ORDINALITY AS e (e, n))
		ELSE jsonb_pretty(b.body::jsonb - 'errors') END
	FROM ledger.ledger_http_append_batch('acme', '{"subject": "ann", "actorType": "operator", "traceId": "0af7651916cd43dd8448eb211c80319c"}' || more, events) AS b $$;
SET LOCAL SESSION AUTHORIZATION acme_gateway;
SELECT * FROM pg_temp.batch(jsonb_build_array(pg_temp.event('{"findingId": "HB-2"}'), pg_temp.event('{"findingId": "HB-1"}')), '{"idempotencyKey": "b"}');
SELECT * FROM pg_temp.batch(jsonb_build_array(pg_temp.event('{"findingId": "HB-2"}'), pg_temp.event('{"findingId": "HB-1"}')), '{"idempotencyKey": "b"}');
SELECT * FROM pg_temp.batch(jsonb_build_array(pg_temp.event('{"findingId": "HB-2"}'), pg_temp.event('{"findingId": "HB-1"}'), pg_temp.event('{"findingId": "HB-3"}')), '{"idempotencyKey": "b"}');
SELECT count(*) FROM ledger_events WHERE tenant_id = 'acme' AND policy_version = 'http-batch';
CREATE FUNCTION pg_temp.errors(events jsonb) RETURNS TABLE (index text, status text, code text, pointer text, detail text, hint boolean) LANGUAGE sql AS $$
	SELECT e ->> 'index', e ->> 'status', e ->> 'code', e ->> 'pointer', e ->> 'detail', e ? 'hint'
	FROM ledger.ledger_http_append_batch('acme', '{"subject": "ann", "actorType": "operator"}', events) AS b, jsonb_array_elements(b.body::jsonb -> 'errors') AS e $$;
SELECT jsonb_build_array(pg_temp.event('{"findingId": "HB-4"}'), pg_temp.event('{"type": "finding.nothing"}'), pg_temp.event('{"payload": {"severity": []}}'),
	pg_temp.event('{"actorId": "bob"}'), pg_temp.event('{"expectedSequence": 4}'), pg_temp.event('{"x/y": 1}'), '7') AS bad \gset
SELECT * FROM pg_temp.batch(:'bad');
SELECT * FROM pg_temp.errors(:'bad');
SELECT count(*) FROM ledger_events WHERE tenant_id = 'acme' AND policy_version = 'http-batch';
SELECT count(*) AS told, max(index::integer) FROM pg_temp.errors((SELECT jsonb_agg(pg_temp.event('{"x": 1}')) FROM generate_series(1, 150)));
SELECT status FROM pg_temp.batch(jsonb_build_array(pg_temp.event('{"actor": {"id": "bob", "type": "system"}}')), '{"anyActor": true}');
SELECT * FROM pg_temp.batch('[]');
SELECT * FROM pg_temp.batch('{}');
SELECT * FROM pg_temp.batch(NULL);
SELECT * FROM pg_temp.batch((SELECT jsonb_agg(n) FROM generate_series(1, 10001) AS n));
:code
-- More chains than a transaction may lock: no item's fault.
RESET SESSION AUTHORIZATION;
SET LOCAL ledger.max_chains_per_transaction = 3;
SET LOCAL SESSION AUTHORIZATION acme_gateway;
SELECT * FROM pg_temp.batch((SELECT jsonb_agg(pg_temp.event(jsonb_build_object('policyVersion', 'http-chains-' || n))) FROM generate_series(1, 3) AS n));
RESET SESSION AUTHORIZATION;

-- Nobody else may.
SET LOCAL SESSION AUTHORIZATION acme_writer;
SELECT * FROM ledger_http_append('acme', '[]');
SELECT * FROM ledger_http_append_batch('acme', '{}', '[]');
ROLLBACK;
-- And nobody in a transaction that only reads.
\set ON_ERROR_ROLLBACK off
SET SESSION AUTHORIZATION acme_gateway;
BEGIN READ ONLY;
SELECT * FROM ledger_http_append('acme', '[{"event": {"type": "finding.created", "policyVersion": "p", "findingId": "F", "artifactId": "a"}, "subject": "ann", "actorType": "operator"}]');
:code
ROLLBACK;
BEGIN READ ONLY;
SELECT * FROM ledger_http_append_batch('acme', '{"subject": "ann"}', '[{"type": "finding.created", "policyVersion": "p", "findingId": "F", "artifactId": "a"}]');
ROLLBACK;
