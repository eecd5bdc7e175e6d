-- Who is answered by the gateway's functions, and what they take.
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
BEGIN;
\set ON_ERROR_ROLLBACK on
SELECT (ledger_append('globex', 'finding.created', 'GLOBEX-SECRET', 'http-access', 'img', event_id => '01890000-0000-7000-8000-00000000d001')).sequence_no, (ledger_append('acme', 'finding.created', 'HX-1', 'http-access', 'img')).sequence_no;
-- Every function that reads, with arguments that would find something.
CREATE FUNCTION pg_temp.reads() RETURNS TABLE (name text, context jsonb, call text) LANGUAGE sql AS $$
	SELECT v.name, jsonb_build_object('subject', 'ann', 'path', v.path, 'query', v.query), CASE v.name WHEN 'ledger_http_verify'
		THEN 'SELECT status, body::text FROM ledger.ledger_http_verify($1, $2, ''{}'')' ELSE format('SELECT status, body::text FROM ledger.%I($1, $2)', v.name) END
	FROM (VALUES
		('ledger_http_event', '{"eventId": "01890000-0000-7000-8000-00000000d001"}', '{}'::jsonb),
		('ledger_http_events', '{}', '{}'), ('ledger_http_proof', '{"eventId": "01890000-0000-7000-8000-00000000d001"}', '{}'),
		('ledger_http_chains', '{}', '{}'), ('ledger_http_checkpoint', jsonb_build_object('chainId', ledger.ledger_chain_id('globex', 'http-access')), '{}'),
		('ledger_http_consistency', jsonb_build_object('chainId', ledger.ledger_chain_id('globex', 'http-access')), '{"from": ["1"], "to": ["1"]}'),
		('ledger_http_tile', jsonb_build_object('chainId', ledger.ledger_chain_id('globex', 'http-access'), 'tile', '0/000.p/1'), '{}'),
		('ledger_http_anchors', '{}', '{}'), ('ledger_http_findings', '{}', '{}'), ('ledger_http_findings', '{}', '{"asOf": ["2200-01-01T00:00:00Z"]}'),
		('ledger_http_history', '{"findingId": "GLOBEX-SECRET"}', '{}'), ('ledger_http_verify', '{}', '{}')) AS v (name, path, query) $$;
CREATE TEMP TABLE calls AS SELECT * FROM pg_temp.reads();
GRANT SELECT ON calls TO PUBLIC;
CREATE FUNCTION pg_temp.answer(tenant text, context jsonb, call text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v record;
BEGIN
	EXECUTE call INTO v USING tenant, context;
	RETURN concat_ws(' ', v.status, CASE WHEN v.body LIKE '%GLOBEX%' THEN 'with what is globex''s' END);
EXCEPTION WHEN OTHERS THEN
	RETURN SQLSTATE || ' ' || SQLERRM;
END $$;
\set all 'SELECT name, pg_temp.answer(:tenant, context, call) FROM calls;'

-- A login without a grant for the tenant, whatever it has selected.
SET LOCAL SESSION AUTHORIZATION acme_gateway;
\set tenant '''globex'''
SET LOCAL app.current_tenant = 'globex';
:all
SET LOCAL app.current_tenant = 'acme';
:all
-- A tenant that does not exist, and none.
SELECT name, pg_temp.answer('nobody', context, call) FROM calls WHERE name IN ('ledger_http_event', 'ledger_http_events', 'ledger_http_tile');
SELECT name, pg_temp.answer(NULL, context, call) FROM calls WHERE name IN ('ledger_http_event', 'ledger_http_events', 'ledger_http_tile');
-- A grant, and another tenant selected, or none.
SET LOCAL app.current_tenant = 'globex';
SELECT DISTINCT pg_temp.answer('acme', context, call) FROM calls;
SET LOCAL app.current_tenant = '';
SELECT DISTINCT pg_temp.answer('acme', context, call) FROM calls;
-- The tenant of somebody else's event, chain and finding.
SET LOCAL app.current_tenant = 'acme';
SELECT name, pg_temp.answer('acme', context, call) FROM calls WHERE context -> 'path' <> '{}';
-- With the grant it is seen.
SET LOCAL SESSION AUTHORIZATION globex_gateway;
SET LOCAL app.current_tenant = 'globex';
SELECT name, pg_temp.answer('globex', context, call) FROM calls WHERE name IN ('ledger_http_event', 'ledger_http_events', 'ledger_http_findings', 'ledger_http_history');
-- Whoever else logs in may not ask at all.
SET LOCAL SESSION AUTHORIZATION acme_reader;
SET LOCAL app.current_tenant = 'acme';
SELECT DISTINCT regexp_replace(pg_temp.answer('acme', context, call), 'ledger_http_\w+', '…') FROM calls;
SET LOCAL SESSION AUTHORIZATION nobody_special;
SELECT ledger_log_access('acme', '{"subject": "x"}', 'proof', 'x');
-- The probe behind ledger_http_event() asks for the right to read the table, as the policy does for the tenant.
SELECT * FROM ledger_event_line('acme', '01890000-0000-7000-8000-00000000c001');
SET LOCAL SESSION AUTHORIZATION acme_reader;
SET LOCAL app.current_tenant = 'globex';
SELECT e.* FROM calls AS c, ledger_event_line('globex', (c.context #>> '{path,eventId}')::uuid) AS e WHERE c.name = 'ledger_http_event';
SELECT e.* FROM calls AS c, ledger_event_line('nobody', (c.context #>> '{path,eventId}')::uuid) AS e WHERE c.name = 'ledger_http_event';

-- Functions that forget their WHERE show no more: row-level security has the last word.
RESET SESSION AUTHORIZATION;
CREATE FUNCTION pg_temp.forget(name text) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE v_old text := (SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'ledger'::regnamespace AND proname = name);
	v_new text := regexp_replace(v_old, '\mtenant_id = \$1', 'tenant_id IS NOT NULL', 'g');
BEGIN
	EXECUTE v_new;
	RETURN v_new <> v_old;
END $$;
\set QUIET on
SET LOCAL client_min_messages = error;
\set QUIET off
SELECT name, pg_temp.forget(name) FROM unnest('{ledger_http_events,ledger_http_chains,ledger_http_anchors,ledger_http_findings,ledger_http_history,ledger_http_tile}'::text[]) AS n (name);
SET LOCAL SESSION AUTHORIZATION acme_gateway;
SET LOCAL app.current_tenant = 'acme';
SELECT name, pg_temp.answer('acme', context, call) FROM calls WHERE name IN ('ledger_http_events', 'ledger_http_chains', 'ledger_http_anchors', 'ledger_http_findings', 'ledger_http_history', 'ledger_http_tile');
SELECT body FROM ledger_http_events('acme', '{"query": {"findingId": ["GLOBEX-SECRET"]}}');
SELECT bool_and(e #>> '{envelope,tenant}' = 'acme') AS acme FROM ledger_http_events('acme', '{"query": {"limit": ["1000"]}}') AS h, jsonb_array_elements(h.body::jsonb -> 'events') AS e;
-- Without the policy they would: the test can fail.
RESET SESSION AUTHORIZATION;
\set QUIET on
ALTER POLICY tenant_selected ON ledger.ledger_events USING (true);
ALTER POLICY tenant_selected ON ledger.findings_projection USING (true);
\set QUIET off
SET LOCAL SESSION AUTHORIZATION acme_gateway;
SELECT name, pg_temp.answer('acme', context || '{"query": {"policyVersion": ["http-access"]}}', call) FROM calls WHERE name = 'ledger_http_findings' LIMIT 1;
ROLLBACK;

-- A transaction that only reads: the reads answer, what is recorded does not.
BEGIN READ ONLY;
\set ON_ERROR_ROLLBACK off
SET LOCAL SESSION AUTHORIZATION acme_gateway;
SET LOCAL app.current_tenant = 'acme';
SELECT status FROM ledger_http_events('acme', '{}');
SELECT status FROM ledger_http_chains('acme', '{}');
SELECT status FROM ledger_http_anchors('acme', '{}');
SELECT status FROM ledger_http_findings('acme', '{}');
SELECT status FROM ledger_http_findings('acme', '{"query": {"asOf": ["2200-01-01T00:00:00Z"]}}');
SELECT * FROM ledger_http_verify('acme', '{"subject": "ann"}', '{"from": 1, "to": 1}');
:code
ROLLBACK;

-- Arguments: once, in one spelling, within their range; the parameter is named.
CREATE FUNCTION pg_temp.refused(function text, query jsonb) RETURNS text LANGUAGE plpgsql AS $$
DECLARE v record; v_column text; v_detail text;
BEGIN
	EXECUTE format('SELECT status FROM ledger.%I(''acme'', $1)', function) INTO v USING jsonb_build_object('path', '{"findingId": "F"}'::jsonb, 'query', query);
	RETURN v.status;
EXCEPTION WHEN OTHERS THEN
	GET STACKED DIAGNOSTICS v_column = COLUMN_NAME, v_detail = PG_EXCEPTION_DETAIL;
	RETURN concat_ws(' ', SQLSTATE, SQLERRM || '.', v_detail, '[' || v_column || ']');
END $$;
SET SESSION AUTHORIZATION acme_gateway;
SET app.current_tenant = 'acme';
SELECT query, pg_temp.refused('ledger_http_events', query::jsonb) FROM unnest(ARRAY['{"chainId": ["x"]}', '{"chainId": ["01890000000070008000000000000001"]}', '{"chainId": ["{01890000-0000-7000-8000-000000000001}"]}', '{"chainId": [""]}',
	'{"sinceSequence": ["-1"]}', '{"sinceSequence": ["1.0"]}', '{"sinceSequence": ["+1"]}', '{"sinceSequence": ["01"]}', '{"sinceSequence": ["1e3"]}', '{"sinceSequence": [" 1"]}', '{"sinceSequence": ["9007199254740992"]}',
	'{"sinceSequence": ["99999999999999999999999"]}', '{"sinceSequence": ["٣"]}', '{"sinceSequence": [""]}', '{"sinceSequence": ["9007199254740991"]}', '{"limit": ["0"]}', '{"limit": ["1001"]}', '{"limit": ["1000"]}', '{"limit": ["10", "20"]}', '{"limit": []}',
	'{"limit": "10"}', '{"limit": null}', '{"type": ["a", "b"]}', '{"findingId": [""]}']) AS query
UNION ALL SELECT 'a findingId of 1025 bytes', left(pg_temp.refused('ledger_http_events', jsonb_build_object('findingId', jsonb_build_array(repeat('x', 1025)))), 60);
SELECT query, pg_temp.refused('ledger_http_findings', query::jsonb) FROM unnest(ARRAY['{"status": ["new"]}', '{"status": ["Affected"]}', '{"severityMin": ["high"]}', '{"severityMin": ["10.001"]}', '{"severityMax": ["-1"]}', '{"severityMax": ["7.5555"]}', '{"severityMax": ["10.000"]}',
	'{"riskSeverity": ["none"]}', '{"asOfSequence": ["0"], "findingId": ["F"]}', '{"asOfSequence": ["5"]}', '{"asOfSequence": ["5"], "asOf": ["2026-01-01T00:00:00Z"], "findingId": ["F"]}', '{"asOf": ["yesterday"]}', '{"asOf": ["2026-01-01"]}',
	'{"asOf": ["2026-01-01T00:00:00"]}', '{"asOf": ["2026-13-01T00:00:00Z"]}', '{"asOf": ["infinity"]}', '{"asOf": ["2026-01-01t00:00:00.123456789+01:00"]}', '{"chainId": ["x"]}', '{"artifactId": ["a", "a"]}']) AS query;
SELECT query, pg_temp.refused(f, query::jsonb) FROM (VALUES ('ledger_http_chains', '{"policyVersion": ["a", "b"]}'), ('ledger_http_chains', '{"limit": ["x"]}'), ('ledger_http_anchors', '{"chainId": ["x"]}'), ('ledger_http_anchors', '{"sinceSize": ["x"]}'),
	('ledger_http_history', '{"policyVersion": [""]}'), ('ledger_http_history', '{"limit": ["-5"]}'), ('ledger_http_checkpoint', '{}'), ('ledger_http_tile', '{}'), ('ledger_http_proof', '{}'), ('ledger_http_event', '{}')) AS v (f, query);

-- The record of accesses: written through one function, read by the tenant's auditors, changed by nobody.
SELECT ledger_log_access('acme', '{"subject": "eva", "requestId": "r-3", "traceId": "t"}', 'export.findings', 'a-1');
SELECT ledger_log_access('globex', '{"subject": "ann"}', 'proof', 'x');
:code
SELECT ledger_log_access(NULL, '{"subject": "ann"}', 'proof', 'x');
SELECT ledger_log_access('acme', '{}', 'proof', 'x');
:code
SELECT ledger_log_access('acme', NULL, 'proof', 'x');
SELECT ledger_log_access('acme', '{"subject": "ann"}', 'Proof!', 'x');
SELECT ledger_log_access('acme', '{"subject": "ann"}', 'proof', NULL);
SELECT ledger_log_access('acme', jsonb_build_object('subject', repeat('ü', 2000), 'requestId', repeat('r', 2000)), 'proof', repeat('ü', 9000));
SELECT role_name, action, length(subject), length(object), length(request_id), trace_id FROM ledger_access_log WHERE object LIKE 'a-1' OR object LIKE 'ü%' ORDER BY access_id;
INSERT INTO ledger_access_log (tenant_id, subject, action, object) VALUES ('acme', 'x', 'proof', 'x');
SET SESSION AUTHORIZATION acme_auditor;
SELECT count(*) FROM ledger_access_log WHERE request_id = 'r-3';
SET app.current_tenant = 'globex';
SELECT count(*) FROM ledger_access_log;
SET SESSION AUTHORIZATION acme_reader;
SELECT count(*) FROM ledger_access_log;
RESET SESSION AUTHORIZATION;
UPDATE ledger_access_log SET subject = 'nobody';
DELETE FROM ledger_access_log;
TRUNCATE ledger_access_log;
:code
SELECT object, state, ok FROM ledger_guard_state() WHERE object LIKE '%ledger_access_log%' AND guard <> 'function' ORDER BY guard, object;

-- What the role must have is among what is checked at start.
BEGIN;
SELECT * FROM ledger_privilege_problems();
REVOKE ledger_writer FROM ledger_gateway;
REVOKE EXECUTE ON FUNCTION ledger.ledger_http_append(text, jsonb) FROM ledger_gateway;
SELECT * FROM ledger_privilege_problems();
ROLLBACK;
