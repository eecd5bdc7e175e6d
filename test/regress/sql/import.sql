-- ledger_import: six lines of two chains (and two that do not go with them), made and
-- hashed by an independent program; every member that can be wrong, and how the
-- refusal names it.
\set VERBOSITY default
\set SHOW_CONTEXT never
CREATE TEMP TABLE source (n serial, line jsonb);
COPY source (line) FROM stdin;
{"envelope":{"actor":{"id":"Zoë","type":"operator"},"chainId":"79a3c37e-c7ec-85fb-a392-03b4246b6ec0","evaluationHash":"237c8514e1c8df9c7d5b45db4aeb716c90a3f50128995782814208c2cef7f043","evidenceBundleRef":"bundle://1","finding":{"artifactId":"pkg:deb/debian/zlib1g@1.2.13","id":"FND-7","vulnId":"CVE-2026-0001"},"id":"01890000-0000-7000-8000-000000000001","occurredAt":"2026-01-01T08:00:00.000001Z","payloadHash":"832b673aad8f849b8ff4ba3ffdfa385f1dce3ab8310ccb9e3175c09ae8ece6d3","policyVersion":"import-1","previousHash":"0000000000000000000000000000000000000000000000000000000000000000","recordedAt":"2026-01-01T08:00:01.500000Z","recordedBy":"source_writer","schema":"ledger.event.v1","sequence":1,"sourceRunId":"01890000-0000-4000-8000-0000000000aa","tenant":"acme","type":"finding.created"},"evaluation":{"rationale":["☕"],"status":"affected"},"eventHash":"00951c352dd128859f7ac4709182e74960e6f812c7ee753c30653bc9ecd83425","merkleLeafHash":"f6428df32d364b943eb77c3c295fdb93c3406c655e2e9d25453540e21918060e","payload":{"labels":{"team":"Größe"},"score":1e+21,"severity":7.5},"salt":"oaGhoaGhoaGhoaGhoaGhoQ=="}
{"envelope":{"actor":{"id":"scanner","type":"system"},"chainId":"79a3c37e-c7ec-85fb-a392-03b4246b6ec0","finding":{"artifactId":"pkg:deb/debian/zlib1g@1.2.13","id":"FND-7"},"id":"01890000-0000-7000-8000-000000000002","occurredAt":"2026-01-02T08:00:00.000001Z","payloadHash":"7968939df8213ab9d3e3f64813d6fc3a0be8d9bbac6363c49d8b21d9c380157d","policyVersion":"import-1","previousHash":"00951c352dd128859f7ac4709182e74960e6f812c7ee753c30653bc9ecd83425","recordedAt":"2026-01-02T08:00:01.500000Z","recordedBy":"source_writer","schema":"ledger.event.v1","sequence":2,"tenant":"acme","type":"finding.status_changed"},"eventHash":"d807a13686673683ca627a224dec4911972e7fc795b7df0ac68264357b5f22ec","merkleLeafHash":"513d93c7abb4f7bd1da0298d36c1d917462d637c99a5142293edfefeee6b91f7","payload":{"status":"triaged"},"salt":""}
{"envelope":{"actor":{"id":"Zoë","type":"operator"},"chainId":"79a3c37e-c7ec-85fb-a392-03b4246b6ec0","finding":{"artifactId":"pkg:deb/debian/zlib1g@1.2.13","id":"FND-7"},"id":"01890000-0000-7000-8000-000000000003","occurredAt":"2026-01-03T08:00:00.000001Z","payloadHash":"e74a1be0069a573a8f7d183d4c89a5b845d6e4ac40b06a656c73f901f81a24a7","policyVersion":"import-1","previousHash":"d807a13686673683ca627a224dec4911972e7fc795b7df0ac68264357b5f22ec","recordedAt":"2026-01-03T08:00:01.500000Z","recordedBy":"source_writer","schema":"ledger.event.v1","sequence":3,"tenant":"acme","type":"finding.comment_added"},"eventHash":"119325fd8b7072c65332027df20ec4b68e0681b298e7d5568aee2ac6ba6ba534","merkleLeafHash":"d569aff0a2c9472f9b25bbbf4551bd454b2bd8fbc13987da0ad3eb349d0cace1","payload":null,"salt":null}
{"envelope":{"actor":{"id":"privacy","type":"operator"},"chainId":"79a3c37e-c7ec-85fb-a392-03b4246b6ec0","finding":{"artifactId":"ledger","id":"ledger"},"id":"01890000-0000-7000-8000-000000000004","occurredAt":"2026-01-04T08:00:00.000001Z","payloadHash":"0eb167baf9179f14d6aa5c1b6ddead335d61b9a87b0670fd657740f41fffa328","policyVersion":"import-1","previousHash":"119325fd8b7072c65332027df20ec4b68e0681b298e7d5568aee2ac6ba6ba534","recordedAt":"2026-01-04T08:00:01.500000Z","recordedBy":"source_writer","schema":"ledger.event.v1","sequence":4,"tenant":"acme","type":"ledger.payload_redacted"},"eventHash":"bfc6a3e0900956ac9189ade1e0a6fb6335834323ecbe09f8e89a211a8daca452","merkleLeafHash":"36dc7e4ee53d70a92652d532d1cd9a4caf4ca2d5a0c7b456330f2b493f2cb369","payload":{"eventId":"01890000-0000-7000-8000-000000000003","payloadHash":"e74a1be0069a573a8f7d183d4c89a5b845d6e4ac40b06a656c73f901f81a24a7","reason":"request 12","sequence":3},"salt":"AAAAAAAAAAAAAAAAAAAAAA=="}
{"envelope":{"actor":{"id":"Zoë","type":"operator"},"chainId":"79a3c37e-c7ec-85fb-a392-03b4246b6ec0","finding":{"artifactId":"pkg:deb/debian/zlib1g@1.2.13","id":"FND-7"},"id":"01890000-0000-7000-8000-000000000005","occurredAt":"2026-01-05T08:00:00.000001Z","payloadHash":"aee2319994fa5ed4b54a27649a8354f2599f61ca9658b7493c7d0967534e5b02","policyVersion":"import-1","previousHash":"bfc6a3e0900956ac9189ade1e0a6fb6335834323ecbe09f8e89a211a8daca452","recordedAt":"2026-01-05T08:00:01.500000Z","recordedBy":"source_writer","schema":"ledger.event.v1","sequence":5,"tenant":"acme","type":"finding.closed"},"eventHash":"dd6647171435e7354b056e631f307dcc920806be1dc63bae6bf1586e8259c492","merkleLeafHash":"e66f522a5ba19ffb83cc601d4300603e2a6323d9a655ac8950674a74c6ea0c3e","payload":{"reason":"fixed in 1.2.14"},"salt":"+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+/v7+w=="}
{"envelope":{"actor":{"id":"Zoë","type":"integration"},"chainId":"01890000-0000-4000-8000-0000000000cc","finding":{"artifactId":"pkg:deb/debian/zlib1g@1.2.13","id":"FND-7"},"id":"01890000-0000-7000-8000-000000000009","occurredAt":"2026-01-01T08:00:00.000001Z","payloadHash":"fb2f40b36157bdb48abb780ea4b75b9e725d89c78c70ba71d2c0a9840a615ce5","policyVersion":"import-1","previousHash":"0000000000000000000000000000000000000000000000000000000000000000","recordedAt":"2026-01-01T08:00:01.500000Z","recordedBy":"source_writer","schema":"ledger.event.v1","sequence":1,"tenant":"globex","type":"orchestrator.export_recorded"},"eventHash":"8aaf14b5f673e90838f2d9e5e60bf1ff79f05ce0cdc7cf5aa36282f00891bc41","merkleLeafHash":"a8633db391f43fba225cec89b1bf83877f4e97b1ccd75582c147855614067d33","payload":{},"salt":"EBAQEBAQEBAQEBAQEBAQEA=="}
{"envelope":{"actor":{"id":"Zoë","type":"integration"},"chainId":"01890000-0000-4000-8000-0000000000cd","finding":{"artifactId":"pkg:deb/debian/zlib1g@1.2.13","id":"FND-7"},"id":"01890000-0000-7000-8000-000000000009","occurredAt":"2026-01-01T08:00:00.000001Z","payloadHash":"fb2f40b36157bdb48abb780ea4b75b9e725d89c78c70ba71d2c0a9840a615ce5","policyVersion":"import-1","previousHash":"0000000000000000000000000000000000000000000000000000000000000000","recordedAt":"2026-01-01T08:00:01.500000Z","recordedBy":"source_writer","schema":"ledger.event.v1","sequence":1,"tenant":"globex","type":"orchestrator.export_recorded"},"eventHash":"831b3cba7f6c0d06d306ad563a57e5f0903a1e4e1fd401a43cf24a4f449141f4","merkleLeafHash":"8b7f2c70b6414f7ceb28e1e8ad6acfcae2aa6f21889bc53fb78eb70be813ccb9","payload":{},"salt":"EBAQEBAQEBAQEBAQEBAQEA=="}
{"envelope":{"actor":{"id":"Zoë","type":"operator"},"chainId":"01890000-0000-4000-8000-0000000000ce","finding":{"artifactId":"pkg:deb/debian/zlib1g@1.2.13","id":"FND-7"},"id":"01890000-0000-7000-8000-00000000000a","occurredAt":"2026-01-01T08:00:00.000001Z","payloadHash":"c4314ac08c651cadaffb2fbb4343bc16fba21fae305b20bb619843f272b43a7d","policyVersion":"import-1","previousHash":"0000000000000000000000000000000000000000000000000000000000000000","recordedAt":"2026-01-01T08:00:01.500000Z","recordedBy":"source_writer","schema":"ledger.event.v1","sequence":1,"tenant":"acme","type":"finding.reopened"},"eventHash":"82867cbcd0e3a2f1f0187497f7538bfb2e1e4efaaa6bde6fa43cec1a7d2e7a07","merkleLeafHash":"eb21b240a9b7cb17753ebf0d3f027158a7893315112d930e2ccdd2d261165169","payload":{},"salt":"EREREREREREREREREREREQ=="}
\.
GRANT SELECT ON source TO PUBLIC;
CREATE FUNCTION pg_temp.lines(first int DEFAULT 1, last int DEFAULT 6) RETURNS jsonb LANGUAGE sql
	AS 'SELECT jsonb_agg(line ORDER BY n) FROM source WHERE n BETWEEN first AND last';

BEGIN;

-- Imports lines whose change must be refused, and says how it was.
CREATE FUNCTION pg_temp.refusal(lines jsonb) RETURNS text LANGUAGE plpgsql AS $$
BEGIN
	PERFORM ledger.ledger_import(lines);
	RAISE EXCEPTION 'imported' USING ERRCODE = 'P0001';
EXCEPTION WHEN OTHERS THEN
	RETURN format('%s %s', SQLSTATE, SQLERRM);
END
$$;

-- The paths of all values of the first line.
CREATE FUNCTION pg_temp.paths(doc jsonb) RETURNS TABLE (path text[]) LANGUAGE sql AS $$
	WITH RECURSIVE walk (path, value) AS (
		SELECT ARRAY[key], value FROM jsonb_each(doc)
		UNION ALL
		SELECT path || key, child FROM walk, jsonb_each(CASE jsonb_typeof(walk.value) WHEN 'object' THEN walk.value ELSE '{}' END) AS c (key, child)
	) SELECT path FROM walk $$;

-- The smallest change that keeps a value's form: its last digit, letter or number.
CREATE FUNCTION pg_temp.flipped(value jsonb, name text) RETURNS jsonb LANGUAGE sql AS $$
	SELECT CASE
		WHEN jsonb_typeof(value) = 'number' THEN to_jsonb(value::numeric + 1)
		WHEN jsonb_typeof(value) = 'array' THEN value || '"more"'
		WHEN name IN ('occurredAt', 'recordedAt') THEN to_jsonb(left(value #>> '{}', -2) || '7Z')
		WHEN name = 'salt' THEN to_jsonb('b' || substr(value #>> '{}', 2))
		ELSE to_jsonb(left(value #>> '{}', -1) || CASE right(value #>> '{}', 1) WHEN '0' THEN '1' ELSE '0' END) END $$;

-- Every value changed, in its own form: a hash shows it, or the member is refused.
SELECT array_to_string(p.path, '.') AS changed,
	pg_temp.refusal(jsonb_set(pg_temp.lines(1, 2), '{0}' || p.path, pg_temp.flipped(pg_temp.lines() #> ('{0}' || p.path), p.path[cardinality(p.path)])))
FROM pg_temp.paths(pg_temp.lines() -> 0) AS p
WHERE jsonb_typeof(pg_temp.lines() #> ('{0}' || p.path)) <> 'object'
ORDER BY 1;

-- Every member left out, null, and of another type.
SELECT array_to_string(p.path, '.') AS member,
	pg_temp.refusal(pg_temp.lines(1, 2) #- ('{0}' || p.path)) AS "left out",
	pg_temp.refusal(jsonb_set(pg_temp.lines(1, 2), '{0}' || p.path, 'null')) AS "null",
	pg_temp.refusal(jsonb_set(pg_temp.lines(1, 2), '{0}' || p.path, '[1]')) AS "an array"
FROM pg_temp.paths(pg_temp.lines() -> 0) AS p
WHERE p.path[1] NOT IN ('payload', 'evaluation') OR cardinality(p.path) = 1
ORDER BY 1;

-- A member more, on each level.
SELECT array_to_string(p.path, '.') AS added, pg_temp.refusal(jsonb_set(pg_temp.lines(1, 2), '{0}' || p.path, '"x"'))
FROM (VALUES ('{extra}'::text[]), ('{envelope,extra}'), ('{envelope,finding,extra}'), ('{envelope,actor,extra}'),
	('{envelope,actor.id}'), ('{envelope,salt}'), ('{envelope,payload}'), ('{payload,extra}'), ('{evaluation,extra}')) AS p (path);

-- Values of the right type that no ledger writes.
SELECT array_to_string(p.path, '.') AS changed, left(p.value::text, 45) AS value,
	pg_temp.refusal(jsonb_set(pg_temp.lines(1, 2), '{0}' || p.path, p.value))
FROM (VALUES
	('{envelope,sequence}'::text[], '"1"'::jsonb),
	('{envelope,sequence}', '0'), ('{envelope,sequence}', '-1'), ('{envelope,sequence}', '1.5'), ('{envelope,sequence}', '1e30'),
	('{envelope,sequence}', '2'),
	('{envelope,schema}', '"ledger.event.v2"'),
	('{envelope,id}', '"01890000-0000-7000-8000-00000000000A"'), ('{envelope,id}', '"{01890000-0000-7000-8000-000000000001}"'),
	('{envelope,chainId}', '"79a3c37ec7ec85fba39203b4246b6ec0"'),
	('{envelope,occurredAt}', '"2026-01-01T08:00:00Z"'), ('{envelope,occurredAt}', '"2026-01-01T09:00:00.000001+01:00"'),
	('{envelope,occurredAt}', '"2026-01-01 08:00:00.000001Z"'), ('{envelope,occurredAt}', '"infinity"'),
	('{envelope,occurredAt}', '"2026-02-30T08:00:00.000001Z"'), ('{envelope,occurredAt}', '"0000-01-01T08:00:00.000001Z"'),
	('{envelope,occurredAt}', '"2026-01-01T08:05:01.500001Z"'), ('{envelope,recordedAt}', '"9999-01-01T08:05:01.500001Z"'),
	('{envelope,recordedBy}', '""'), ('{envelope,recordedBy}', to_jsonb(repeat('r', 64))),
	('{envelope,actor,type}', '"robot"'), ('{envelope,actor,id}', '""'), ('{envelope,actor,id}', to_jsonb(repeat('a', 257))),
	('{envelope,finding,id}', to_jsonb(repeat('f', 1025))), ('{envelope,policyVersion}', to_jsonb(repeat('p', 257))),
	('{envelope,evidenceBundleRef}', '""'),
	('{envelope,tenant}', '"nowhere"'), ('{envelope,tenant}', '"a::b"'), ('{envelope,tenant}', '"ledger"'),
	('{envelope,type}', '"finding.unheard_of"'), ('{envelope,type}', '"ledger.guard_changed"'),
	('{envelope,payloadHash}', '"832B673AAD8F849B8FF4BA3FFDFA385F1DCE3AB8310CCB9E3175C09AE8ECE6D3"'),
	('{eventHash}', '"00"'), ('{merkleLeafHash}', '"\\x00951c352dd128859f7ac4709182e74960e6f812c7ee753c30653bc9ecd83425"'),
	('{salt}', '"oaGhoaGhoaGhoaGhoaGhoQ"'), ('{salt}', '"oaGhoaGhoaGhoaGhoaGhoR=="'), ('{salt}', '"oaGhoaGhoaGhoaGh oaGhoQ=="'),
	('{salt}', '"oaGhoaGhoaGhoaGhoaGh"'), ('{salt}', to_jsonb(encode(decode(repeat('a1', 65), 'hex'), 'base64'))),
	('{salt}', to_jsonb(replace(encode(decode(repeat('a1', 65), 'hex'), 'base64'), E'\n', ''))), ('{salt}', '""'),
	('{payload,score}', '12345678901234567890'), ('{payload,severity}', '11'), ('{evaluation,n}', '1e400'),
	('{payload,score}', '1000000000000000000000.0')) AS p (path, value);

-- What came, and what to do.
SAVEPOINT whole;
SELECT * FROM ledger_import(jsonb_set(pg_temp.lines(1, 1), '{0,envelope,occurredAt}', '"2026-01-01T08:00:00Z"'));
ROLLBACK TO whole;
SELECT * FROM ledger_import(jsonb_set(pg_temp.lines(1, 1), '{0,envelope,sequence}', '1.5'));
ROLLBACK TO whole;
SELECT * FROM ledger_import(jsonb_set(pg_temp.lines(1, 1), '{0,salt}', '{}'));
ROLLBACK TO whole;
SELECT * FROM ledger_import(jsonb_set(pg_temp.lines(1, 1), '{0,eventHash}', 'true'));
ROLLBACK TO whole;
SELECT * FROM ledger_import(jsonb_set(pg_temp.lines(1, 1), '{0,merkleLeafHash}', to_jsonb(repeat('ab', 32))));
ROLLBACK TO whole;
SELECT * FROM ledger_import(jsonb_set(pg_temp.lines(1, 1), '{0,envelope,actor,id}', '"eve"'));
ROLLBACK TO whole;
SELECT * FROM ledger_import(jsonb_set(pg_temp.lines(1, 1), '{0,envelope,previousHash}', to_jsonb(repeat('ab', 32))));
ROLLBACK TO whole;

-- Erased events: payload and salt are null together, and no evaluation is left.
SELECT pg_temp.refusal(jsonb_set(pg_temp.lines(), '{2,salt}', '""'));
SELECT pg_temp.refusal(jsonb_set(pg_temp.lines(), '{2,payload}', '{}'));
SELECT pg_temp.refusal(jsonb_set(jsonb_set(pg_temp.lines(), '{0,payload}', 'null'), '{0,salt}', 'null'));
SELECT pg_temp.refusal(jsonb_set(pg_temp.lines(), '{1,evaluation}', '{}'));

-- Order: a gap, a line twice, another order, a beginning that is missing.
SELECT pg_temp.refusal(pg_temp.lines(1, 2) || pg_temp.lines(4, 4));
SELECT pg_temp.refusal(pg_temp.lines(1, 2) || pg_temp.lines(2, 2));
SELECT pg_temp.refusal(pg_temp.lines(2, 2) || pg_temp.lines(1, 1));
SELECT pg_temp.refusal(pg_temp.lines(2, 3));
-- Chains may be mixed, as long as each is in its order.
SELECT pg_temp.refusal(pg_temp.lines(1, 1) || pg_temp.lines(6, 6) || pg_temp.lines(2, 2));

-- What is no array of lines.
SELECT pg_temp.refusal(NULL), pg_temp.refusal('{}'), pg_temp.refusal('"line"'), pg_temp.refusal('[7]'), pg_temp.refusal('[[]]');
SELECT count(*) FROM ledger_import('[]');

-- Who may: the loader, for tenants granted to it or as the role with BYPASSRLS.
SET LOCAL ROLE acme_writer;
SELECT pg_temp.refusal(pg_temp.lines(1, 1));
SET LOCAL ROLE some_loader;
SELECT pg_temp.refusal(pg_temp.lines(1, 1));
SELECT pg_temp.refusal(pg_temp.lines(4, 4)) AS "a type of the ledger's own";
SET LOCAL ROLE postgres;
SELECT ledger_grant_tenant('some_loader', 'acme');
SET LOCAL ROLE some_loader;
SELECT pg_temp.refusal(pg_temp.lines(1, 1)) AS acme, pg_temp.refusal(pg_temp.lines(6, 6)) AS globex;
SET LOCAL ROLE ledger_loader;
SELECT pg_temp.refusal(pg_temp.lines(6, 6)) AS globex;
-- Not past the function that leaves the trace.
SAVEPOINT direct;
SELECT * FROM ledger_import_lines(pg_temp.lines(1, 1));
ROLLBACK TO direct;
INSERT INTO ledger_events SELECT (jsonb_populate_record(NULL::ledger_events, '{"tenant_id": "acme", "sequence_no": 1}')).*;
ROLLBACK TO direct;
SET LOCAL ROLE postgres;

-- An event id in two chains of a tenant.
SELECT pg_temp.refusal(pg_temp.lines(6, 7));
-- A finding in two chains: the projection refuses it.
SELECT pg_temp.refusal(pg_temp.lines(1, 1) || pg_temp.lines(8, 8));

-- Limits of this server hold for imports too.
SAVEPOINT limits;
SET LOCAL ledger.max_payload_bytes = 1024;
SELECT pg_temp.refusal(jsonb_set(pg_temp.lines(1, 1), '{0,payload,long}', to_jsonb(repeat('x', 1024))));
SELECT pg_temp.refusal(jsonb_set(pg_temp.lines(1, 1), '{0,evaluation,long}', to_jsonb(repeat('x', 1024))));
SET LOCAL ledger.max_chains_per_transaction = 1;
SELECT pg_temp.refusal(pg_temp.lines());
ROLLBACK TO limits;

-- Nothing was stored by any of these.
SELECT count(*) FROM ledger_events WHERE policy_version = 'import-1' OR event_type = 'ledger.import_recorded';

-- In parts: the beginning, then all of it, then once more.  The digest is the
-- SHA-256 of the lines above without their last newline.
SELECT tenant_id, chain_id, first_sequence, last_sequence, imported, present FROM ledger_import(pg_temp.lines(1, 2));
SELECT * FROM ledger_import(pg_temp.lines());
SELECT tenant_id, imported, present FROM ledger_import(pg_temp.lines());
SELECT event_body FROM ledger_events WHERE event_type = 'ledger.import_recorded' ORDER BY sequence_no;

-- Everything is as the source had it, folded, and verifies.
SELECT sequence_no, event_type, actor_id, recorded_at AT TIME ZONE 'UTC' AS recorded_at, recorded_by, event_body, evaluation, length(payload_salt) AS salt
FROM ledger_events WHERE policy_version = 'import-1' ORDER BY tenant_id, sequence_no;
SELECT finding_id, status, severity, labels, current_sequence FROM findings_projection WHERE policy_version = 'import-1';
SELECT sequence_no, action_type, payload FROM triage_actions WHERE policy_version = 'import-1' ORDER BY 1;
SELECT ledger_event_envelope(e) = (line -> 'envelope') AS envelope, encode(event_hash, 'hex') = line ->> 'eventHash' AS event,
	encode(merkle_leaf_hash, 'hex') = line ->> 'merkleLeafHash' AS leaf, event_body = nullif(line -> 'payload', 'null') AS payload
FROM ledger_events e JOIN source s ON event_id = (line #>> '{envelope,id}')::uuid ORDER BY n;

SELECT v.report ->> 'verdict' AS verdict, v.report ->> 'rows' AS rows, v.report ->> 'payloads' AS payloads
FROM ledger_verify_report('acme', '79a3c37e-c7ec-85fb-a392-03b4246b6ec0') AS v (report);

-- Stored already, but not so.
SELECT array_to_string(p.path, '.') AS changed,
	pg_temp.refusal(jsonb_set(pg_temp.lines(1, 2), '{0}' || p.path, pg_temp.flipped(pg_temp.lines() #> ('{0}' || p.path), p.path[cardinality(p.path)])))
FROM pg_temp.paths(pg_temp.lines() -> 0) AS p
WHERE jsonb_typeof(pg_temp.lines() #> ('{0}' || p.path)) <> 'object'
ORDER BY 1;
SELECT * FROM ledger_import(jsonb_set(jsonb_set(pg_temp.lines(2, 2), '{0,payload}', 'null'), '{0,salt}', 'null'));
ROLLBACK;

-- An erased event whose explanation is still to come is imported, and verification says
-- what is missing until the rest is there.
BEGIN;
SELECT imported FROM ledger_import(pg_temp.lines(1, 3));
SELECT sequence_no, kind FROM ledger_verify('acme', '79a3c37e-c7ec-85fb-a392-03b4246b6ec0');
SELECT imported FROM ledger_import(pg_temp.lines(4, 5));
SELECT sequence_no, kind FROM ledger_verify('acme', '79a3c37e-c7ec-85fb-a392-03b4246b6ec0');
ROLLBACK;
