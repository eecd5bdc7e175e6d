-- Exports of findings: filters, order, pages, redaction, and what the manifest says.
\set SHOW_CONTEXT never
\set VERBOSITY default
\set code '\\echo :LAST_ERROR_SQLSTATE'
-- Findings of two policies; addresses wherever a text may hold one.
SELECT count(*) FROM ledger_append_many((SELECT jsonb_agg(jsonb_build_object('tenant', 'acme', 'type', 'finding.created', 'policyVersion', 'export-' || n % 2,
	'findingId', 'EX-' || n, 'artifactId', 'pkg:npm/lib' || n % 3 || '@1.' || n || '.0', 'vulnId', 'CVE-X-' || n % 4, 'occurredAt', '2026-01-0' || n || 'T00:00:00Z',
	'actor', jsonb_build_object('id', 'jane.doe@example.org', 'type', 'operator'),
	'payload', jsonb_build_object('severity', n * 1.2, 'comment', 'ask jane.doe@example.org', 'rationale', jsonb_build_array('said bob@corp.example'),
		'labels', jsonb_build_object('owner', 'x jané@bücher.example y', 'eve@mail.example', E'a "b"\n\\eve@mail.example'), 'explainRef', 'mailto:max%40host.example?x')) ORDER BY n)
	FROM generate_series(1, 8) AS n));
SELECT event_type FROM ledger_append('acme', 'finding.closed', 'EX-1', 'export-1', 'pkg:npm/lib1@1.1.0');
SELECT event_type FROM ledger_append('acme', 'finding.accepted_risk', 'EX-2', 'export-0', 'pkg:npm/lib2@1.2.0', '{"justification": "call 5@6.example"}', 'user:corp/jane');
SELECT event_type FROM ledger_append('acme', 'finding.risk_scored', 'CVE-1@pkg:golang/x.org/y@v2?a=b', 'export-2', 'image', '{"risk": {"score": 95, "profileVersion": "1.2.3"}}', 'scanner', 'system');

SET SESSION AUTHORIZATION acme_gateway;
SET app.current_tenant = 'acme';
-- All lines of an export of these three chains, by one statement.
CREATE FUNCTION pg_temp.lines(filters jsonb, after jsonb DEFAULT NULL, size integer DEFAULT NULL) RETURNS TABLE (line jsonb, text text, digest bytea, place jsonb) LANGUAGE plpgsql AS $$
DECLARE
	c refcursor := 'ledger_http_export_rows';
BEGIN
	PERFORM ledger_http_export_open('acme', filters, coalesce(after, jsonb_build_object('last', NULL, 'chains', (SELECT jsonb_object_agg(h.chain_id, least(h.head, (filters ->> 'until_sequence')::bigint))
		FROM ledger_http_export_heads('acme') AS h WHERE h.chain_id IN (ledger_chain_id('acme', 'export-0'), ledger_chain_id('acme', 'export-1'), ledger_chain_id('acme', 'export-2'))))), size);
	LOOP
		FETCH c INTO text, digest, place;
		EXIT WHEN NOT FOUND;
		line := text;
		RETURN NEXT;
	END LOOP;
	CLOSE c;
END $$;
SELECT line ->> 'event_sequence' AS seq, line ->> 'finding_id' AS finding, line ->> 'status' AS status, line ->> 'finding_status' AS word, line -> 'severity' AS severity,
	line ->> 'severity_band' AS band, line #>> '{component,purl}' AS purl, line #>> '{component,version}' AS version FROM pg_temp.lines('{"shape": "canonical"}') ORDER BY (line ->> 'event_sequence')::bigint, line ->> 'finding_id' COLLATE "C";
-- In their order; each text canonical, its digest that of the line without it.
SELECT count(*), bool_and(text = ledger_canonical_json(line)) AS canonical, bool_and(digest = sha256(convert_to(ledger_canonical_json(line - 'lineDigest'), 'UTF8'))) AS digests,
	bool_and(line ->> 'lineDigest' = encode(digest, 'hex')) AS told, array_agg(place ORDER BY n) = array_agg(place ORDER BY (place ->> 'event_sequence')::bigint, place ->> 'projection_version' COLLATE "C", place ->> 'cycle_hash' COLLATE "C") AS ordered
FROM (SELECT *, row_number() OVER () AS n FROM pg_temp.lines('{"shape": "canonical"}')) AS l;
-- Members of both shapes; nothing looks like an address.
SELECT shape, (SELECT string_agg(DISTINCT k, ' ' ORDER BY k) FROM pg_temp.lines(jsonb_build_object('shape', shape)), jsonb_object_keys(line) AS k) AS members,
	(SELECT string_agg(DISTINCT k, ' ' ORDER BY k) FROM pg_temp.lines(jsonb_build_object('shape', shape)), jsonb_object_keys(line -> 'provenance') AS k) AS provenance,
	(SELECT count(*) FROM pg_temp.lines(jsonb_build_object('shape', shape)) WHERE text ~ 'jane|jan.@|bob@|eve@|max%40|6[.]example|said') AS leaks
FROM (VALUES ('canonical'), ('compact')) AS v (shape);
SELECT line ->> 'finding_id' AS finding, line -> 'labels' AS labels, line ->> 'explain_ref' AS explain, line -> 'rationale' AS rationale,
	line #>> '{provenance,actor_id}' AS actor, line #>> '{provenance,comment}' AS comment FROM pg_temp.lines('{"shape": "canonical"}') WHERE line ->> 'finding_id' IN ('EX-1', 'EX-2', 'EX-3', 'CVE-1@pkg:golang/x.org/y@v2?a=b') ORDER BY 1;
-- Actors, addresses, and what only looks like one.
SELECT a, ledger_http_redact_actor(a) FROM unnest(ARRAY['jane@Example.org', 'user:corp/jane', 'user:corp:jane', 'user:jane', 'jane', 'jane@"odd"', 'a@b@c.example', 'user:/x', '']) WITH ORDINALITY AS u (a, n) ORDER BY n;
SELECT t, ledger_http_redact_addresses(to_jsonb(t)) #>> '{}' AS covered FROM unnest(ARRAY['a@b.example', 'pkg:npm/%40angular/core@12.3.4', 'pkg:maven/spring@5.3.RELEASE', 'lib@1.2.3-beta.rc', 'a@163.com', 'a＠b.example',
	'a%40b.example', 'a@b', 'a@b.c', '@b.example', 'a@b@c.example', '<a.b+c@d-e.example>', 'a@b.example.', 'x@y.example@z.example', E'n\na@b.example', 'mailto:a@b.example?c', 'git@github.com:a/b']) WITH ORDINALITY AS u (t, n) ORDER BY n;
SELECT ledger_http_redact_addresses('{"a@b.example": {"c": ["d@e.example", 1, null, true]}, "f": "g"}'), ledger_http_redact_addresses('{"a@b.example": {"c": ["\n\"d@e.example", 1, null, true]}, "f": "g"}');
-- Filters.
SELECT f, (SELECT string_agg(line ->> 'finding_id', ' ' ORDER BY line ->> 'finding_id' COLLATE "C") FROM pg_temp.lines(f || '{"shape": "canonical"}')) AS findings FROM (VALUES
	('{"since_sequence": 4}'::jsonb), ('{"until_sequence": 1}'), ('{"since_sequence": 1, "until_sequence": 2}'), ('{"until_sequence": 0}'), ('{"since_observed_at": "2026-01-06T00:00:00.000000Z"}'),
	('{"until_observed_at": "2026-01-04T00:00:00.000000Z"}'), ('{"advisory_id": ["CVE-X-1", "CVE-X-2"]}'), ('{"component_purl": ["pkg:npm/lib0"]}'), ('{"component_purl": ["pkg:npm/lib0@1.3.0", "pkg:golang/x.org/y"]}'),
	('{"finding_status": "open"}'), ('{"finding_status": "fixed"}'), ('{"finding_status": "dismissed"}'), ('{"severity": "critical"}'), ('{"severity": "high"}'), ('{"severity": "medium"}'), ('{"severity": "low"}'),
	('{"severity": "unknown"}'), ('{"risk_profile_version": "1.2.3"}'), ('{"risk_profile_version": "1.2.4"}')) AS v (f);
-- As it was at that sequence: the cycle hash is the one that finding_history kept.
SELECT line ->> 'finding_id' AS finding, line ->> 'status' AS status, line ->> 'cycle_hash' = encode(h.cycle_hash, 'hex') AS as_it_was FROM pg_temp.lines('{"shape": "canonical", "until_sequence": 4}')
	JOIN finding_history AS h ON h.tenant_id = 'acme' AND h.finding_id = line ->> 'finding_id' AND h.policy_version = line ->> 'policy_version' AND h.sequence_no = (line ->> 'event_sequence')::bigint
WHERE line ->> 'finding_id' IN ('EX-1', 'EX-2') ORDER BY 1;
-- Pages of two, while findings move on: together they are the whole as it was at the first.
CREATE TEMP TABLE whole AS SELECT row_number() OVER () AS n, text FROM pg_temp.lines('{"shape": "compact"}');
CREATE TEMP TABLE paged (n serial, text text);
CREATE PROCEDURE pg_temp.page(INOUT pos jsonb) LANGUAGE plpgsql AS $$
DECLARE
	v record;
	i integer := 0;
	v_pins jsonb := coalesce(pos -> 'chains', (SELECT jsonb_object_agg(h.chain_id, h.head) FROM ledger_http_export_heads('acme') AS h
		WHERE h.chain_id IN (ledger_chain_id('acme', 'export-0'), ledger_chain_id('acme', 'export-1'), ledger_chain_id('acme', 'export-2'))));
	v_last jsonb;
BEGIN
	FOR v IN SELECT * FROM pg_temp.lines('{"shape": "compact"}', coalesce(pos, jsonb_build_object('chains', v_pins)), 2) LOOP
		i := i + 1;
		IF i = 3 THEN
			pos := ledger_http_export_after(v_pins, v_last);
			RETURN;
		END IF;
		INSERT INTO paged (text) VALUES (v.text);
		v_last := v.place;
	END LOOP;
	pos := NULL;
END $$;
DO $$
DECLARE
	v_pos jsonb;
BEGIN
	FOR i IN 1 .. 10 LOOP
		CALL pg_temp.page(v_pos);
		EXIT WHEN v_pos IS NULL;
		PERFORM ledger_append('acme', 'finding.comment_added', 'EX-' || 9 - i, 'export-' || (9 - i) % 2, 'pkg:npm/lib', '{"comment": "later"}');
		PERFORM ledger_append('acme', 'finding.created', 'EX-new-' || i, 'export-' || i % 2, 'pkg:npm/new', '{}');
	END LOOP;
END $$;
SELECT (SELECT count(*) FROM whole) AS whole, (SELECT count(*) FROM paged) AS paged, (SELECT array_agg(text ORDER BY n) FROM whole) = (SELECT array_agg(text ORDER BY n) FROM paged) AS same;
SELECT count(*) > (SELECT count(*) FROM whole) AS moved_on FROM pg_temp.lines('{"shape": "compact"}');
-- The manifest.
SELECT m - 'chains' - 'redactionSha256' AS manifest, m ->> 'filtersHash' = encode(sha256(convert_to(ledger_canonical_json(m -> 'filters'), 'UTF8')), 'hex') AS filters_hash,
	m ->> 'redactionSha256' = encode(sha256(convert_to(ledger_http_redaction_rules(), 'UTF8')), 'hex') AS redaction,
	(SELECT bool_and(c ->> 'rootHash' = encode(ledger_chain_root('acme', (c ->> 'chainId')::uuid, 3), 'hex')) FROM jsonb_array_elements(m -> 'chains') AS c) AS roots
FROM (SELECT ledger_http_export_manifest('acme', '{"shape": "compact", "severity": "high"}', jsonb_build_object(ledger_chain_id('acme', 'export-0'), 3, ledger_chain_id('acme', 'export-1'), 3), '{"last": {"event_sequence": 1}, "chains": {}}',
	'{"count": 2, "datasetSha256": "00"}')::jsonb AS m) AS x;
SELECT jsonb_pretty(body::jsonb) FROM ledger_http_redaction_manifest('acme', '{}');
SELECT status, headers ->> 'ETag' = '"' || encode(sha256(convert_to(body, 'UTF8')), 'hex') || '"' AS etag FROM ledger_http_redaction_manifest('acme', '{}');
-- What was asked for, in one form.
SELECT * FROM ledger_http_export_plan('acme', '{"query": {"shape": ["compact"], "advisory_id": ["b", "a", "b"], "since_observed_at": ["2026-01-01T01:00:00+01:00"], "page_size": ["7"], "since_sequence": ["0"]}, "accept": "application/json"}');
SELECT * FROM ledger_http_export_plan('acme', '{"query": {"shape": ["canonical"]}, "after": {"last": {}}}');
-- What is refused.
SELECT ledger_http_export_plan('acme', '{"query": {}}');
:code
SELECT ledger_http_export_plan('acme', '{"query": {"shape": ["full"]}}');
SELECT ledger_http_export_plan('acme', '{"query": {"shape": ["compact", "canonical"]}}');
SELECT ledger_http_export_plan('acme', '{"query": {"shape": ["compact"], "since_sequence": ["-1"]}}');
SELECT ledger_http_export_plan('acme', '{"query": {"shape": ["compact"], "until_sequence": ["1e3"]}}');
SELECT ledger_http_export_plan('acme', '{"query": {"shape": ["compact"], "until_observed_at": ["yesterday"]}}');
SELECT ledger_http_export_plan('acme', '{"query": {"shape": ["compact"], "advisory_id": ["a", ""]}}');
SELECT ledger_http_export_plan('acme', '{"query": {"shape": ["compact"], "finding_status": ["resolved"]}}');
SELECT ledger_http_export_plan('acme', '{"query": {"shape": ["compact"], "severity": ["none"]}}');
SELECT ledger_http_export_plan('acme', '{"query": {"shape": ["compact"], "page_size": ["0"]}}');
SELECT ledger_http_export_open('acme', '{"shape": "compact"}', jsonb_build_object('chains', (SELECT jsonb_object_agg(ledger_uuid_v7(), 1) FROM generate_series(1, 200))), 10);
:code
-- Another's tenant, and no tenant bound.
SELECT ledger_http_export_plan('globex', '{"query": {"shape": ["compact"]}}');
:code
SELECT ledger_http_export_heads('globex');
SELECT ledger_http_export_open('globex', '{"shape": "compact"}', NULL, NULL);
SELECT ledger_http_export_manifest('globex', '{"shape": "compact"}', jsonb_build_object(ledger_chain_id('acme', 'export-0'), 3), NULL, '{}')::jsonb -> 'chains' AS nothing;
RESET app.current_tenant;
SELECT ledger_http_export_open('acme', '{"shape": "compact"}', NULL, NULL);
RESET SESSION AUTHORIZATION;
-- The rules cannot be taken away by who exports.
SET SESSION AUTHORIZATION acme_gateway;
DELETE FROM ledger.ledger_redaction_rules;
RESET SESSION AUTHORIZATION;
