-- What the gateway reads: events, chains, findings, as they are and as they were.
-- Each state is seen as it was at the time: events are committed one after the other.
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
CREATE FUNCTION pg_temp.put(n integer, policy text, finding text, type text, payload jsonb) RETURNS void LANGUAGE sql AS $$
	SELECT ledger.ledger_append('acme', 'finding.' || type, finding, policy, 'img-' || n % 3, payload, 'ann', 'operator', vuln_id => 'CVE-2026-' || n % 2,
		event_id => ('01890000-0000-7000-8000-00000000c' || lpad(n::text, 3, '0'))::uuid) $$;
CREATE TEMP TABLE seen AS SELECT 0 AS n, now() AS at, p.* FROM findings_projection AS p WHERE false;
CREATE FUNCTION pg_temp.look(number integer) RETURNS bigint LANGUAGE sql AS $$
	WITH s AS (INSERT INTO pg_temp.seen SELECT number, clock_timestamp(), p.* FROM ledger.findings_projection AS p WHERE tenant_id = 'acme' AND policy_version LIKE 'http-reads%' RETURNING 1)
	SELECT count(*) FROM s $$;
\set put 'SELECT pg_temp.put('
\pset tuples_only on
SELECT pg_temp.put(1, 'http-reads', 'HR-1', 'created', '{"severity": 7.5, "status": "new", "labels": {"team": "shop"}}');
SELECT pg_temp.look(1);
SELECT pg_temp.put(2, 'http-reads', 'HR-2', 'created', '{"severity": "critical"}');
SELECT pg_temp.look(2);
SELECT pg_temp.put(3, 'http-reads', 'HR-1', 'tag_updated', '{"labels": {"tier": "gold", "team": null}}');
SELECT pg_temp.look(3);
SELECT pg_temp.put(4, 'http-reads', 'HR-1', 'accepted_risk', '{"justification": "behind the firewall"}');
SELECT pg_temp.look(4);
SELECT pg_temp.put(5, 'http-reads', 'pkg:npm/lodash', 'created', '{"severity": 2}');
SELECT pg_temp.look(5);
SELECT pg_temp.put(6, 'http-reads', 'HR-2', 'comment_added', '{"comment": "looking"}');
SELECT pg_temp.look(6);
SELECT pg_temp.put(7, 'http-reads', 'HR-2', 'risk_scored', '{"risk": {"score": 81.25, "profileVersion": "1.2.0", "explanationId": "x-1"}}');
SELECT pg_temp.look(7);
SELECT pg_temp.put(8, 'http-reads', 'HR-1', 'closed', '{}');
SELECT pg_temp.look(8);
SELECT pg_temp.put(9, 'http-reads-2', 'HR-1', 'created', '{"severity": 4}');
SELECT pg_temp.look(9);
\pset tuples_only off
SELECT ledger_chain_id('acme', 'http-reads') AS chain, ledger_chain_id('acme', 'http-reads-2') AS chain2 \gset
SELECT recorded_at AS last FROM ledger_events WHERE tenant_id = 'acme' AND policy_version = 'http-reads-2' \gset
SET SESSION AUTHORIZATION acme_gateway;
SET app.current_tenant = 'acme';
CREATE FUNCTION pg_temp.ask(query jsonb, path jsonb DEFAULT '{}', after jsonb DEFAULT NULL) RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('subject', 'ann', 'requestId', 'r-1', 'traceId', '0af7651916cd43dd8448eb211c80319c', 'path', path, 'after', after,
		'query', (SELECT coalesce(jsonb_object_agg(key, jsonb_build_array(value)), '{}') FROM jsonb_each_text(query) AS q)) $$;

-- One event.
SELECT status, headers, body = ledger_event_json(e) AS line FROM ledger_http_event('acme', pg_temp.ask('{}', '{"eventId": "01890000-0000-7000-8000-00000000C001"}')),
	ledger_events AS e WHERE e.tenant_id = 'acme' AND e.event_id = '01890000-0000-7000-8000-00000000c001';
SELECT * FROM ledger_http_event('acme', pg_temp.ask('{}', '{"eventId": "01890000-0000-7000-8000-00000000cfff"}'));
:code
SELECT * FROM ledger_http_event('acme', pg_temp.ask('{}', '{"eventId": "{01890000-0000-7000-8000-00000000c001}"}'));
:code
SELECT * FROM ledger_http_event('acme', '{}');

-- Events: filters and order.
CREATE FUNCTION pg_temp.events(query jsonb, after jsonb DEFAULT NULL) RETURNS TABLE (sequences text, next json) LANGUAGE sql AS $$
	SELECT (SELECT string_agg(right(e #>> '{envelope,policyVersion}', -5) || ':' || (e #>> '{envelope,sequence}'), ' ' ORDER BY n) FROM jsonb_array_elements(h.body::jsonb -> 'events') WITH ORDINALITY AS e (e, n)),
		h.headers -> 'Ledger-Next'
	FROM ledger.ledger_http_events('acme', pg_temp.ask(query, '{}', after)) AS h $$;
SELECT * FROM pg_temp.events(jsonb_build_object('chainId', :'chain'));
SELECT * FROM pg_temp.events(jsonb_build_object('chainId', :'chain', 'sinceSequence', 5, 'limit', 2));
SELECT * FROM pg_temp.events(jsonb_build_object('chainId', :'chain', 'sinceSequence', 5, 'limit', 2), jsonb_build_object('chainId', :'chain', 'sequence', 7));
SELECT * FROM pg_temp.events(jsonb_build_object('chainId', :'chain', 'sinceSequence', 8));
SELECT * FROM pg_temp.events('{"findingId": "HR-1"}');
SELECT * FROM pg_temp.events('{"findingId": "HR-1", "limit": 1}', jsonb_build_object('chainId', least(:'chain'::uuid, :'chain2'), 'sequence', 1000));
SELECT * FROM pg_temp.events('{"findingId": "HR-1", "type": "finding.closed"}');
SELECT * FROM pg_temp.events(jsonb_build_object('chainId', :'chain', 'type', 'finding.created', 'sinceSequence', 1));
SELECT * FROM pg_temp.events('{"findingId": "HR-1", "sinceSequence": 3}');
SELECT * FROM pg_temp.events('{"findingId": "nobody''s"}');
-- Pages, one after the other, are all of it, whatever their size and however rare what is looked for.
CREATE FUNCTION pg_temp.pages(function text, items text, query jsonb, OUT pages integer, OUT items_in_all bigint, OUT digest text) LANGUAGE plpgsql AS $$
DECLARE v_after jsonb; v_page record; v_all jsonb := '[]';
BEGIN
	pages := 0;
	LOOP
		EXECUTE format('SELECT headers, body::jsonb -> %L AS items FROM ledger.%I(''acme'', pg_temp.ask($1, %L, $2))', items, function, CASE function WHEN 'ledger_http_history' THEN '{"findingId": "HR-1"}' ELSE '{}' END)
			INTO v_page USING query, v_after;
		v_all := v_all || v_page.items;
		pages := pages + 1;
		v_after := v_page.headers -> 'Ledger-Next';
		EXIT WHEN v_after IS NULL OR pages > 1000;
	END LOOP;
	items_in_all := jsonb_array_length(v_all);
	digest := md5(v_all::text);
END $$;
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ledger_append_many((SELECT jsonb_agg(jsonb_build_object('tenant', 'acme', 'type', CASE WHEN n % 1500 = 0 THEN 'finding.closed' ELSE 'finding.comment_added' END,
	'policyVersion', 'http-pages', 'findingId', 'HP-' || n % 700, 'artifactId', 'img')) FROM generate_series(1, 4501) AS n));
SET SESSION AUTHORIZATION acme_gateway;
SELECT p.pages, p.items_in_all, p.digest = (SELECT md5(jsonb_agg(ledger_event_json(e)::jsonb ORDER BY chain_id, sequence_no)::text) FROM ledger_events AS e WHERE tenant_id = 'acme' AND chain_id = ledger_chain_id('acme', 'http-pages')) AS same
FROM (VALUES ('1000'), ('999'), ('500')) AS l (size), pg_temp.pages('ledger_http_events', 'events', jsonb_build_object('limit', size, 'chainId', ledger_chain_id('acme', 'http-pages'))) AS p;
SELECT p.pages, p.items_in_all, p.digest = (SELECT md5(jsonb_agg(ledger_event_json(e)::jsonb ORDER BY chain_id, sequence_no)::text) FROM ledger_events AS e WHERE tenant_id = 'acme' AND policy_version = 'http-pages' AND event_type = 'finding.closed') AS same
FROM pg_temp.pages('ledger_http_events', 'events', jsonb_build_object('type', 'finding.closed', 'limit', 2, 'chainId', ledger_chain_id('acme', 'http-pages'))) AS p;
SELECT p.pages > 2 AS several, p.digest = (SELECT md5(jsonb_agg(ledger_event_json(e)::jsonb ORDER BY chain_id, sequence_no)::text) FROM ledger_events AS e WHERE tenant_id = 'acme' AND sequence_no > 4000) AS same
FROM pg_temp.pages('ledger_http_events', 'events', '{"sinceSequence": "4000", "limit": "1000"}') AS p;

-- Chains.
SELECT c - 'createdAt' - 'head' AS chain, c -> 'head' ->> 'eventHash' = encode(e.event_hash, 'hex') AS head, c -> 'head' ->> 'sequence' AS sequence, c -> 'head' ->> 'eventId' AS event,
	(c -> 'head' ->> 'recordedAt')::timestamptz = e.recorded_at AS recorded
FROM ledger_http_chains('acme', pg_temp.ask('{"policyVersion": "http-reads"}')) AS h, jsonb_array_elements(h.body::jsonb -> 'chains') AS c
JOIN ledger_events AS e ON e.tenant_id = 'acme' AND e.chain_id = :'chain' AND e.sequence_no = 8;
SELECT p.pages = ceil(p.items_in_all / 3.0) AS three_a_page, p.items_in_all = (SELECT count(*) FROM ledger_chains WHERE tenant_id = 'acme') AS all, p.digest = q.digest AS same
FROM pg_temp.pages('ledger_http_chains', 'chains', '{"limit": "3"}') AS p, pg_temp.pages('ledger_http_chains', 'chains', '{}') AS q;

-- Findings.
CREATE FUNCTION pg_temp.findings(query jsonb, after jsonb DEFAULT NULL) RETURNS TABLE (findings text, next json) LANGUAGE sql AS $$
	SELECT (SELECT string_agg(concat_ws(':', f ->> 'findingId', right(f ->> 'policyVersion', -5), f ->> 'currentSequence', f ->> 'status', f ->> 'severity'), ' ' ORDER BY n) FROM jsonb_array_elements(h.body::jsonb -> 'findings') WITH ORDINALITY AS f (f, n)),
		h.headers -> 'Ledger-Next'
	FROM ledger.ledger_http_findings('acme', pg_temp.ask(query, '{}', after)) AS h $$;
SELECT * FROM pg_temp.findings(jsonb_build_object('policyVersion', 'http-reads'));
SELECT * FROM pg_temp.findings(jsonb_build_object('policyVersion', 'http-reads', 'limit', 2));
SELECT * FROM pg_temp.findings(jsonb_build_object('policyVersion', 'http-reads', 'limit', 2), '{"findingId": "HR-2", "policyVersion": "http-reads"}');
SELECT * FROM pg_temp.findings('{"findingId": "HR-1"}');
SELECT * FROM pg_temp.findings(jsonb_build_object('chainId', :'chain', 'status', 'affected'));
SELECT * FROM pg_temp.findings(jsonb_build_object('chainId', :'chain', 'severityMin', '7.500', 'severityMax', 8));
SELECT * FROM pg_temp.findings(jsonb_build_object('chainId', :'chain', 'riskSeverity', 'critical'));
SELECT * FROM pg_temp.findings(jsonb_build_object('chainId', :'chain', 'vulnId', 'CVE-2026-1', 'artifactId', 'img-2'));
SELECT jsonb_pretty(f - 'riskUpdatedAt' - 'observedAt' - 'updatedAt') AS finding FROM ledger_http_findings('acme', pg_temp.ask('{"findingId": "HR-2"}')) AS h, jsonb_array_elements(h.body::jsonb -> 'findings') AS f;
-- What the cycle hash covers is told as it is hashed.
SELECT bool_and(encode(sha256(convert_to(ledger_canonical_json(f - 'riskUpdatedAt' - 'observedAt' - 'updatedAt' - 'cycleHash'), 'UTF8')), 'hex') = f ->> 'cycleHash') AS covered, count(*) > 3 AS several
FROM ledger_http_findings('acme', pg_temp.ask('{"limit": "1000"}')) AS h, jsonb_array_elements(h.body::jsonb -> 'findings') AS f;
-- The tag changes with what is told, and only with that.
SELECT a.headers ->> 'ETag' = b.headers ->> 'ETag' AS same, a.headers ->> 'ETag' <> c.headers ->> 'ETag' AS another_page, a.headers ->> 'ETag' <> d.headers ->> 'ETag' AS another_time, a.headers ->> 'Cache-Control' AS caching
FROM ledger_http_findings('acme', pg_temp.ask('{"policyVersion": "http-reads"}')) AS a, ledger_http_findings('acme', pg_temp.ask('{"policyVersion": "http-reads", "limit": "3"}')) AS b,
	ledger_http_findings('acme', pg_temp.ask('{"policyVersion": "http-reads", "limit": "2"}')) AS c, ledger_http_findings('acme', pg_temp.ask(jsonb_build_object('chainId', :'chain', 'asOfSequence', 7))) AS d;
SELECT status, headers - 'Ledger-Next' AS headers, body FROM (SELECT status, headers::jsonb AS headers, body FROM ledger_http_findings('acme', pg_temp.ask('{"findingId": "nobody''s"}'))) AS h;

-- As it was: after each event, by sequence and by time, the rows that stood in the projection then.
RESET SESSION AUTHORIZATION;
GRANT SELECT ON seen TO acme_gateway;
SET SESSION AUTHORIZATION acme_gateway;
CREATE FUNCTION pg_temp.was(number integer) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(ledger.ledger_http_finding(jsonb_populate_record(NULL::ledger.findings_projection, to_jsonb(s))) ORDER BY finding_id, policy_version)
	FROM pg_temp.seen AS s WHERE n = number AND (number < 9 OR policy_version = 'http-reads-2') $$;
CREATE FUNCTION pg_temp.told(query jsonb) RETURNS text[] LANGUAGE sql AS $$
	SELECT array_agg(ledger.ledger_canonical_json(f) ORDER BY n) FROM ledger.ledger_http_findings('acme', pg_temp.ask(query)) AS h, jsonb_array_elements(h.body::jsonb -> 'findings') WITH ORDINALITY AS f (f, n) $$;
SELECT n, cardinality(pg_temp.was(n)) AS findings, pg_temp.told(jsonb_build_object('chainId', :'chain', 'asOfSequence', n)) = pg_temp.was(n) AS by_sequence,
	pg_temp.told(jsonb_build_object('policyVersion', 'http-reads', 'asOf', to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))) = pg_temp.was(n) AS by_time
FROM (SELECT n, max(at) AS at FROM seen WHERE n < 9 GROUP BY n) AS s ORDER BY n;
SELECT * FROM pg_temp.findings(jsonb_build_object('chainId', :'chain', 'asOfSequence', 4, 'status', 'accepted_risk'));
SELECT * FROM pg_temp.findings(jsonb_build_object('chainId', :'chain', 'asOfSequence', 6, 'severityMin', 3, 'limit', 1));
SELECT * FROM pg_temp.findings(jsonb_build_object('chainId', :'chain', 'asOfSequence', 6, 'severityMin', 3, 'limit', 1), '{"findingId": "HR-1", "policyVersion": "http-reads"}');
SELECT * FROM pg_temp.findings('{"findingId": "HR-1", "asOfSequence": 1}');
SELECT * FROM pg_temp.findings('{"asOf": "2001-01-01T00:00:00+01:00"}');
SELECT p.pages, p.digest = q.digest AS same FROM pg_temp.pages('ledger_http_findings', 'findings', '{"policyVersion": "http-pages", "asOf": "2200-01-01T00:00:00Z", "limit": "100"}') AS p,
	pg_temp.pages('ledger_http_findings', 'findings', '{"policyVersion": "http-pages"}') AS q;
-- The aggregate itself takes nothing else.
SELECT ledger_fold_events(e, NULL::findings_projection ORDER BY e.sequence_no) IS NULL AS nothing FROM ledger_events AS e WHERE tenant_id = 'acme' AND false;
SELECT ledger_fold_events(e, NULL::findings_projection ORDER BY e.sequence_no DESC) FROM ledger_events AS e WHERE tenant_id = 'acme' AND finding_id = 'HR-1' AND policy_version = 'http-reads';
SELECT ledger_fold_events(e, NULL::findings_projection ORDER BY e.sequence_no) FROM ledger_events AS e WHERE tenant_id = 'acme' AND chain_id = :'chain';
SELECT ledger_fold_events(e, 1) FROM ledger_events AS e WHERE tenant_id = 'acme' AND chain_id = :'chain' AND sequence_no = 1;
SELECT ledger_fold_events(ROW(1), NULL::findings_projection);
SELECT ledger_fold_events_add(NULL, NULL, NULL::findings_projection);
-- A long life: its memory is renewed on the way.
RESET SESSION AUTHORIZATION;
SELECT count(*) FROM ledger_append_many((SELECT jsonb_agg(jsonb_build_object('tenant', 'acme', 'type', 'finding.tag_updated', 'policyVersion', 'http-life', 'findingId', 'HL', 'artifactId', 'img-' || n,
	'payload', jsonb_build_object('labels', jsonb_build_object('n' || n % 50, 'v' || n)))) FROM generate_series(1, 1000) AS n));
SET SESSION AUTHORIZATION acme_gateway;
SELECT pg_temp.told('{"findingId": "HL", "asOfSequence": 1000}') = pg_temp.told('{"findingId": "HL"}') AS same;

-- History.
SELECT h - 'occurredAt' - 'recordedAt' - 'cycleHash' - 'chainId' AS step, h ->> 'cycleHash' = encode(f.cycle_hash, 'hex') AS hash
FROM ledger_http_history('acme', pg_temp.ask('{"policyVersion": "http-reads"}', '{"findingId": "HR-1"}')) AS a, jsonb_array_elements(a.body::jsonb -> 'history') AS h
JOIN finding_history AS f ON f.tenant_id = 'acme' AND f.event_id = (h ->> 'eventId')::uuid;
SELECT p.* FROM pg_temp.pages('ledger_http_history', 'history', '{"limit": "1"}') AS p, pg_temp.pages('ledger_http_history', 'history', '{}') AS q WHERE p.digest = q.digest \gset
\echo :pages :items_in_all
SELECT jsonb_array_length(body::jsonb -> 'history') AS steps FROM ledger_http_history('acme', pg_temp.ask('{}', '{"findingId": "pkg:npm/lodash"}'));
SELECT * FROM ledger_http_history('acme', pg_temp.ask('{}', '{"findingId": "nobody''s"}'));
:code
SELECT * FROM ledger_http_history('acme', pg_temp.ask('{"policyVersion": "other"}', '{"findingId": "HR-1"}'));

-- Verification, and the record of who was told.
SELECT status, headers, body::jsonb ->> 'verdict' AS verdict, body::jsonb ->> 'rows' AS rows FROM ledger_http_verify('acme', pg_temp.ask('{}'), jsonb_build_object('chainId', :'chain', 'from', 2, 'to', '5'));
SELECT body::jsonb ->> 'verdict' AS verdict FROM ledger_http_verify('acme', pg_temp.ask('{}'), jsonb_build_object('tenant', 'acme', 'chainId', :'chain'));
SELECT tenant_id, subject, role_name, action, replace(object, :'chain', 'CHAIN') AS object, request_id, trace_id, at <= now() AS past FROM ledger_access_log WHERE request_id = 'r-1' ORDER BY access_id;
SELECT * FROM ledger_http_verify('acme', pg_temp.ask('{}'), '[]');
SELECT * FROM ledger_http_verify('acme', pg_temp.ask('{}'), NULL);
SELECT * FROM ledger_http_verify('acme', pg_temp.ask('{}'), '{"chainId": 5}');
SELECT * FROM ledger_http_verify('acme', pg_temp.ask('{}'), '{"from": 1.5}');
SELECT * FROM ledger_http_verify('acme', pg_temp.ask('{}'), '{"from": {}}');
SELECT * FROM ledger_http_verify('acme', pg_temp.ask('{}'), '{"since": 1}');
SELECT * FROM ledger_http_verify('acme', pg_temp.ask('{}'), '{"tenant": "globex"}');
SELECT * FROM ledger_http_verify('acme', pg_temp.ask('{}'), '{"from": 5, "to": 2}');
SELECT * FROM ledger_http_verify('acme', pg_temp.ask('{}'), '{"chainId": "01890000-0000-7000-8000-00000000cfff"}');
