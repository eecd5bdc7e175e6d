-- Attachments as the gateway stores and reads them.  Here nothing is encrypted: the
-- database takes the ciphertext as it comes, and looks after what stands beside it.
\set SHOW_CONTEXT never
BEGIN;
\set ON_ERROR_ROLLBACK on
CREATE FUNCTION pg_temp.context(finding text, more jsonb DEFAULT '{}') RETURNS jsonb LANGUAGE sql AS $$
	SELECT jsonb_build_object('subject', 'ann', 'actorType', 'operator', 'requestId', 'r', 'traceId', 't', 'query', '{}'::jsonb,
		'path', jsonb_build_object('findingId', finding)) || more $$;
CREATE FUNCTION pg_temp.attach(tenant text, finding text, n integer, more jsonb DEFAULT '{}', asked jsonb DEFAULT '{}') RETURNS TABLE (status integer, headers json, answer text)
	LANGUAGE sql AS $$
	SELECT a.status, a.headers, concat_ws(' ', a.body::jsonb ->> 'attachmentId', a.body::jsonb ->> 'policyVersion', a.body::jsonb ->> 'size',
		a.body::jsonb ->> 'fileName', a.body::jsonb #>> '{event,sequence}')
	FROM ledger.ledger_http_attach(tenant, pg_temp.context(finding, asked), jsonb_build_object(
		'attachmentId', '01890000-0000-7000-8000-0000000a' || to_char(n, 'FM0000'), 'digest', 'sha256:' || encode(sha256('abc'), 'hex'), 'size', 3,
		'mediaType', 'text/plain', 'fileName', 'a.txt', 'algorithm', 'AES-256-GCM', 'keyId', '0011223344556677', 'wrappedKey', encode(convert_to(repeat('w', 60), 'UTF8'), 'base64'),
		'nonce', encode(convert_to(repeat('n', 12), 'UTF8'), 'base64'), 'tag', encode(convert_to(repeat('t', 16), 'UTF8'), 'base64')) || more, 'xyz') AS a $$;
SET LOCAL SESSION AUTHORIZATION acme_gateway;
SELECT set_config('app.current_tenant', 'acme', true);
SELECT count(*) FROM ledger_append_many('[
	{"tenant": "acme", "type": "finding.created", "policyVersion": "att-1", "findingId": "AT-1", "artifactId": "img", "vulnId": "CVE-1"},
	{"tenant": "acme", "type": "finding.created", "policyVersion": "att-1", "findingId": "AT-2", "artifactId": "img"},
	{"tenant": "acme", "type": "finding.created", "policyVersion": "att-2", "findingId": "AT-2", "artifactId": "img"}]');

-- Stored with its event; the same again; the same id for something else.
SELECT * FROM pg_temp.attach('acme', 'AT-1', 1);
SELECT * FROM pg_temp.attach('acme', 'AT-1', 1, '{"keyId": "ffffffffffffffff"}');
SELECT * FROM pg_temp.attach('acme', 'AT-1', 1, '{"fileName": "b.txt"}');
SELECT event_type, finding_id, artifact_id, vuln_id, actor_id, actor_type, event_body FROM ledger.ledger_events
WHERE tenant_id = 'acme' AND event_id = '01890000-0000-7000-8000-0000000a0001';
SELECT key_id, convert_from(ciphertext, 'UTF8') AS ciphertext, expires_at FROM ledger.ledger_attachments WHERE tenant_id = 'acme';
SELECT action_type, payload ->> 'fileName' AS file_name FROM ledger.triage_actions WHERE tenant_id = 'acme' AND finding_id = 'AT-1';

-- Whose finding it is, must be plain.
SELECT * FROM pg_temp.attach('acme', 'AT-2', 2);
SELECT * FROM pg_temp.attach('acme', 'AT-2', 2, '{}', '{"query": {"policyVersion": ["att-2"]}}');
SELECT * FROM pg_temp.attach('acme', 'AT-3', 3);
SELECT * FROM pg_temp.attach('acme', 'AT-3', 3, '{}', '{"query": {"policyVersion": ["att-1"]}}');
SELECT * FROM pg_temp.attach('acme', 'AT-3', 3, '{}', '{"query": {"policyVersion": ["att-1"], "artifactId": ["img"]}}');
SELECT * FROM pg_temp.attach('acme', 'AT-3', 4, '{}', '{"query": {"policyVersion": ["att-1", "att-2"]}}');
SELECT * FROM pg_temp.attach('globex', 'AT-1', 5);
-- An event of that id that came without content.
SELECT sequence_no > 0 AS appended FROM ledger_append('{"tenant": "acme", "type": "finding.attachment_added", "policyVersion": "att-1", "findingId": "AT-1", "artifactId": "img", "vulnId": "CVE-1",
	"actorId": "ann", "actorType": "operator", "id": "01890000-0000-7000-8000-0000000a0006", "payload": {"attachmentId": "01890000-0000-7000-8000-0000000a0006", "size": 3, "fileName": "a.txt", "mediaType": "text/plain",
	"digest": "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}}'::jsonb);
SELECT * FROM pg_temp.attach('acme', 'AT-1', 6);
-- What the gateway would never send.
SELECT * FROM pg_temp.attach('acme', 'AT-1', 7, '{"size": 4}');
SELECT * FROM pg_temp.attach('acme', 'AT-1', 7, '{"keyId": "x"}');
SELECT * FROM pg_temp.attach('acme', 'AT-1', 7, '{"nonce": "AAAA"}');

-- Read, and recorded who did.
\set one '{"path": {"findingId": "AT-1", "attachmentId": "01890000-0000-7000-8000-0000000a0001"}}'
SELECT media_type, file_name, size_bytes, digest = event_digest AS same, convert_from(ciphertext, 'UTF8') AS ciphertext FROM ledger_http_attachment('acme', pg_temp.context('AT-1', :'one'), 'read');
SELECT attachment_id, ciphertext IS NULL AS bare FROM ledger_http_attachment('acme', pg_temp.context('AT-1', :'one'), 'link');
SELECT subject, action, object FROM ledger.ledger_access_log WHERE tenant_id = 'acme' AND action LIKE 'attachment.%' ORDER BY action;
SELECT attachment_id FROM ledger_http_attachment('acme', pg_temp.context('AT-2', '{"path": {"findingId": "AT-2", "attachmentId": "01890000-0000-7000-8000-0000000a0001"}}'), 'read');
SELECT attachment_id FROM ledger_http_attachment('acme', pg_temp.context('AT-1', '{"path": {"findingId": "AT-1", "attachmentId": "x"}}'), 'read');
SELECT attachment_id FROM ledger_http_attachment('globex', pg_temp.context('AT-1', :'one'), 'read');

-- Listed, page by page.
SELECT count(*) FROM generate_series(10, 12) AS n, LATERAL pg_temp.attach('acme', 'AT-1', n);
SELECT (SELECT string_agg(right(a ->> 'attachmentId', 2), ' ') FROM jsonb_array_elements(body::jsonb -> 'attachments') AS a) AS ids, headers -> 'Ledger-Next' ->> 'attachmentId' AS next
FROM ledger_http_attachments('acme', pg_temp.context('AT-1', '{"query": {"limit": ["3"]}}'));
SELECT status, headers, body FROM ledger_http_attachments('acme', pg_temp.context('none'));
SELECT status FROM ledger_http_attachments('acme', pg_temp.context('AT-1', '{"query": {"limit": ["0"]}}'));

-- Rotation: by key, in order, and only what still has the old one.
SELECT right(attachment_id::text, 2) AS id, octet_length(ciphertext) AS content FROM ledger_attachments_to_rewrap('0011223344556677', NULL, NULL, 2);
SELECT right(attachment_id::text, 2) AS id FROM ledger_attachments_to_rewrap('0011223344556677', 'acme', '01890000-0000-7000-8000-0000000a0010', 10);
SELECT ledger_rewrap_attachment('acme', '01890000-0000-7000-8000-0000000a0001', '0011223344556677', 'ffffffffffffffff', convert_to(repeat('v', 60), 'UTF8')) AS first,
	ledger_rewrap_attachment('acme', '01890000-0000-7000-8000-0000000a0001', '0011223344556677', 'eeeeeeeeeeeeeeee', convert_to(repeat('u', 60), 'UTF8')) AS second;
SELECT key_id, convert_from(substr(wrapped_key, 1, 1), 'UTF8') AS wrapped, convert_from(ciphertext, 'UTF8') AS ciphertext FROM ledger.ledger_attachments
WHERE tenant_id = 'acme' AND attachment_id = '01890000-0000-7000-8000-0000000a0001';
SELECT ledger_rewrap_attachment('globex', '01890000-0000-7000-8000-0000000a0001', '0011223344556677', 'ffffffffffffffff', convert_to(repeat('v', 60), 'UTF8')) AS of_another;
UPDATE ledger.ledger_attachments SET file_name = 'c.txt';
RESET SESSION AUTHORIZATION;
UPDATE ledger.ledger_attachments SET file_name = 'c.txt';
DELETE FROM ledger.ledger_attachments;
TRUNCATE ledger.ledger_attachments;
-- Others have no part in it.
SET LOCAL SESSION AUTHORIZATION acme_writer;
SELECT * FROM pg_temp.attach('acme', 'AT-1', 20);
SELECT count(*) FROM ledger.ledger_attachments;
ROLLBACK;
