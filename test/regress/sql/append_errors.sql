-- Every refusal of an append: SQLSTATE, the field in the message, what came in
-- the detail, what to do in the hint; and nothing stored.
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
BEGIN;
\set ON_ERROR_ROLLBACK on
SELECT count(*) AS before FROM ledger_events \gset

-- Tenant.
SELECT ledger_append('nobody', 'finding.created', 'F', 'p', 'a');
:code
SELECT ledger_append(NULL, 'finding.created', 'F', 'p', 'a');
:code
SELECT ledger_append('', 'finding.created', 'F', 'p', 'a');
SELECT ledger_append('-x', 'finding.created', 'F', 'p', 'a');
SELECT ledger_append('a b', 'finding.created', 'F', 'p', 'a');
SELECT ledger_append('äcme', 'finding.created', 'F', 'p', 'a');
SELECT ledger_append(repeat('x', 129), 'finding.created', 'F', 'p', 'a');
SELECT ledger_append('ledger', 'finding.created', 'F', 'p', 'a');
:code

-- Event type.
SELECT ledger_append('acme', 'finding.creatd', 'F', 'p', 'a');
:code
SELECT ledger_append('acme', NULL, 'F', 'p', 'a');
:code
SELECT ledger_append('acme', '', 'F', 'p', 'a');
SELECT ledger_append('acme', repeat('x', 64), 'F', 'p', 'a');
SELECT ledger_append('acme', 'Finding.Created', 'F', 'p', 'a');
SELECT ledger_append('acme', 'ledger.migrated', 'F', 'p', 'a');
:code
SELECT ledger_append('ledger', 'ledger.migrated', 'ledger', 'ledger', 'ledger');

-- Texts: none, empty, too long; the limits count bytes, not characters.
SELECT ledger_append('acme', 'finding.created', NULL, 'p', 'a');
SELECT ledger_append('acme', 'finding.created', 'F', NULL, 'a');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', NULL);
SELECT ledger_append('acme', 'finding.created', '', 'p', 'a');
SELECT ledger_append('acme', 'finding.created', 'F', '', 'a');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', '');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', actor_id => '');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', vuln_id => '');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', evidence_bundle_ref => '');
SELECT ledger_append('acme', 'finding.created', repeat('x', 1025), 'p', 'a');
SELECT ledger_append('acme', 'finding.created', repeat('é', 513), 'p', 'a');
:code
SELECT ledger_append('acme', 'finding.created', 'F', repeat('é', 129), 'a');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', repeat('é', 513));
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', actor_id => repeat('é', 129));
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', vuln_id => repeat('é', 129));
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', evidence_bundle_ref => repeat('é', 1025));
SELECT sequence_no, octet_length(finding_id), length(finding_id) FROM ledger_append('acme', 'finding.created', repeat('é', 512), repeat('é', 128), repeat('é', 512),
	actor_id => repeat('é', 128), vuln_id => repeat('é', 128), evidence_bundle_ref => repeat('é', 1024));
-- All limits reached with bytes that JSON escapes: the envelope still fits.
SELECT sequence_no, octet_length(ledger_canonical_json(ledger_event_envelope(e))) <= 65535 AS fits
FROM ledger_append('acme', 'finding.created', repeat(E'\x01', 1024), repeat(E'\x01', 256), repeat(E'\x01', 1024),
	actor_id => repeat(E'\x01', 256), vuln_id => repeat(E'\x01', 256), evidence_bundle_ref => repeat(E'\x01', 2048)) AS e;
SELECT ledger_append('acme', 'finding.created', 'ledger', 'p', 'a');
:code

-- Actor.
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', actor_type => 'human');
:code
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', actor_type => 'OPERATOR');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', actor_type => '');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', actor_type => repeat('x', 17));
SELECT actor_id, actor_type FROM ledger_append('acme', 'finding.created', 'F', 'defaults', 'a', actor_id => NULL, actor_type => NULL);

-- Payload.
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', NULL);
:code
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', '[]');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', '"text"');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', 'null');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', '{"a": {"b": [1, 12345678901234567890]}}');
:code
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', '{"a": 1e400}');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', '{"a": "\u0000"}');
:code
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', jsonb_build_object('x', repeat('x', 1048569)));
:code
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'F', 'largest', 'a', jsonb_build_object('x', repeat('x', 1048568)));

-- Times.
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', occurred_at => 'infinity');
:code
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', occurred_at => '-infinity');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', occurred_at => '0044-03-15 BC');
SELECT ledger_append('acme', 'finding.created', 'F', 'p', 'a', occurred_at => '10000-01-01');
-- The clock stands in the detail, so only the rest is shown.
DO $$
DECLARE
	v_detail text;
	v_hint   text;
BEGIN
	PERFORM ledger_append('acme', 'finding.created', 'F', 'p', 'a', occurred_at => clock_timestamp() + interval '5 minutes 10 seconds');
	RAISE EXCEPTION 'a far-future event was stored';
EXCEPTION WHEN SQLSTATE 'LG400' THEN
	GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT;
	RAISE NOTICE '% / % / %', SQLERRM, regexp_replace(v_detail, '\d{4}-[^; ]+ [^; ]+?(;|\.$)', 'TIME\1', 'g'), v_hint;
END
$$;
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'F', 'near', 'a', occurred_at => clock_timestamp() + interval '4 minutes 50 seconds');
SELECT sequence_no, occurred_at AT TIME ZONE 'UTC' AS occurred FROM ledger_append('acme', 'finding.created', 'F', 'old', 'a', occurred_at => '0001-01-01 00:00:00+00');

-- What the stored event says otherwise: each member that differs is named.
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'F', 'same', 'a', '{"n": 1.50}', 'ann', 'operator', 'V', '2026-01-01+00',
	'01890000-0000-7000-8000-000000000001', NULL, '01890000-0000-7000-8000-000000000002', 'e');
SELECT ledger_append('acme', 'finding.closed', 'F', 'same', 'a', '{"n": 1.5}', 'ann', 'operator', 'V', '2026-01-01+00', '01890000-0000-7000-8000-000000000001', NULL, '01890000-0000-7000-8000-000000000002', 'e');
:code
SELECT ledger_append('acme', 'finding.created', 'G', 'same', 'a', '{"n": 1.5}', 'ann', 'operator', 'V', '2026-01-01+00', '01890000-0000-7000-8000-000000000001', NULL, '01890000-0000-7000-8000-000000000002', 'e');
SELECT ledger_append('acme', 'finding.created', 'F', 'other', 'a', '{"n": 1.5}', 'ann', 'operator', 'V', '2026-01-01+00', '01890000-0000-7000-8000-000000000001', ledger_chain_id('acme', 'same'), '01890000-0000-7000-8000-000000000002', 'e');
SELECT ledger_append('acme', 'finding.created', 'F', 'other', 'a', '{"n": 1.5}', 'ann', 'operator', 'V', '2026-01-01+00', '01890000-0000-7000-8000-000000000001', NULL, '01890000-0000-7000-8000-000000000002', 'e');
SELECT ledger_append('acme', 'finding.created', 'F', 'same', 'b', '{"n": 1.5}', 'ann', 'operator', 'V', '2026-01-01+00', '01890000-0000-7000-8000-000000000001', NULL, '01890000-0000-7000-8000-000000000002', 'e');
SELECT ledger_append('acme', 'finding.created', 'F', 'same', 'a', '{"n": 2}', 'ann', 'operator', 'V', '2026-01-01+00', '01890000-0000-7000-8000-000000000001', NULL, '01890000-0000-7000-8000-000000000002', 'e');
SELECT ledger_append('acme', 'finding.created', 'F', 'same', 'a', '{"n": 1.5}', 'bob', 'operator', 'V', '2026-01-01+00', '01890000-0000-7000-8000-000000000001', NULL, '01890000-0000-7000-8000-000000000002', 'e');
SELECT ledger_append('acme', 'finding.created', 'F', 'same', 'a', '{"n": 1.5}', 'ann', 'system', 'V', '2026-01-01+00', '01890000-0000-7000-8000-000000000001', NULL, '01890000-0000-7000-8000-000000000002', 'e');
SELECT ledger_append('acme', 'finding.created', 'F', 'same', 'a', '{"n": 1.5}', 'ann', 'operator', NULL, '2026-01-01+00', '01890000-0000-7000-8000-000000000001', NULL, '01890000-0000-7000-8000-000000000002', 'e');
SELECT ledger_append('acme', 'finding.created', 'F', 'same', 'a', '{"n": 1.5}', 'ann', 'operator', 'V', '2026-01-02+00', '01890000-0000-7000-8000-000000000001', NULL, '01890000-0000-7000-8000-000000000002', 'e');
SELECT ledger_append('acme', 'finding.created', 'F', 'same', 'a', '{"n": 1.5}', 'ann', 'operator', 'V', '2026-01-01+00', '01890000-0000-7000-8000-000000000001', NULL, NULL, 'e');
SELECT ledger_append('acme', 'finding.created', 'F', 'same', 'a', '{"n": 1.5}', 'ann', 'operator', 'V', '2026-01-01+00', '01890000-0000-7000-8000-000000000001', NULL, '01890000-0000-7000-8000-000000000002', 'f');
-- The same again is answered, whatever sequence it expects; without a time it matches any.
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'F', 'same', 'a', '{"n": 1.5}', 'ann', 'operator', 'V', '2026-01-01+00', '01890000-0000-7000-8000-000000000001', NULL, '01890000-0000-7000-8000-000000000002', 'e', 99);
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'F', 'same', 'a', '{"n": 1.5}', 'ann', 'operator', 'V', NULL, '01890000-0000-7000-8000-000000000001', NULL, '01890000-0000-7000-8000-000000000002', 'e');

-- Sequence and chain.
SELECT ledger_append('acme', 'finding.created', 'F', 'none', 'a', expected_sequence => 2);
:code
SELECT ledger_append('acme', 'finding.created', 'F', 'none', 'a', expected_sequence => 0);
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'F', 'none', 'a', expected_sequence => 1);
SELECT ledger_append('acme', 'finding.created', 'F', 'none-2', 'a', chain_id => ledger_chain_id('acme', 'none'));
:code
SELECT ledger_append('acme', 'finding.closed', 'F', 'none', 'a', chain_id => '00000000-0000-8000-8000-000000000001');
:code

-- Requests.
SELECT ledger_append(NULL::jsonb);
:code
SELECT ledger_append('[]'::jsonb);
SELECT ledger_append('"x"'::jsonb);
SELECT ledger_append('{}'::jsonb);
-- Whatever the ledger sets itself, one by one.
DO $$
DECLARE
	v_member text;
BEGIN
	FOREACH v_member IN ARRAY '{sequence,sequenceNo,recordedAt,recordedBy,salt,payloadSalt,payloadHash,evaluation,evaluationHash,previousHash,eventHash,merkleLeafHash,schema}'::text[]
	LOOP
		BEGIN
			PERFORM ledger_append(jsonb_build_object('tenant', 'acme', 'type', 'finding.created', 'policyVersion', 'p', 'findingId', 'F', 'artifactId', 'a', v_member, NULL));
			RAISE EXCEPTION '% was taken', v_member;
		EXCEPTION WHEN SQLSTATE 'LG403' THEN
			RAISE NOTICE '%', SQLERRM;
		END;
	END LOOP;
END
$$;
SELECT ledger_append('{"tenant": "acme", "eventHash": "00"}');
:code
SELECT ledger_append('{"tenant": "acme", "polcyVersion": "p"}');
:code
SELECT ledger_append('{"tenant": "acme", "finding": {"id": "F", "artefactId": "a"}}');
SELECT ledger_append('{"tenant": "acme", "actor": {"id": "F", "name": "a"}}');
SELECT ledger_append('{"tenant": 5}');
:code
SELECT ledger_append('{"tenant": "acme", "finding": "F"}');
SELECT ledger_append('{"tenant": "acme", "finding": {"id": {"deep": true}}}');
SELECT ledger_append('{"tenant": "acme", "tenantId": "globex"}');
:code
SELECT ledger_append('{"tenant": "acme", "finding": {"id": "F"}, "findingId": "G"}');
SELECT ledger_append('{"tenant": "acme", "id": "x"}');
:code
SELECT ledger_append('{"tenant": "acme", "chainId": "x"}');
SELECT ledger_append('{"tenant": "acme", "sourceRunId": "x"}');
SELECT ledger_append('{"tenant": "acme", "occurredAt": "yesterday"}');
:code
SELECT ledger_append('{"tenant": "acme", "occurredAt": "2026-01-01T00:00:00"}');
SELECT ledger_append('{"tenant": "acme", "occurredAt": "2026-02-30T00:00:00Z"}');
SELECT ledger_append('{"tenant": "acme", "occurredAt": "infinity"}');
SELECT ledger_append('{"tenant": "acme", "type": "ledger.migrated"}');
:code
SELECT ledger_append('{"tenant": "acme", "type": "finding.created", "expectedSequence": 1.5}');
:code
SELECT ledger_append('{"tenant": "acme", "type": "finding.created", "expectedSequence": "soon"}');
SELECT ledger_append('{"tenant": "acme", "type": "finding.created", "expectedSequence": true}');
SELECT ledger_append_request('{"tenant": "acme", "type": "finding.created", "policyVersion": "p", "artifactId": "a"}');
-- Both spellings, a null that says nothing, and a time of another zone.
SELECT tenant_id, event_type, finding_id, artifact_id, vuln_id, actor_id, actor_type, event_body, occurred_at AT TIME ZONE 'UTC' AS occurred
FROM ledger_append('{"tenantId": "acme", "eventType": "finding.created", "policyVersion": "req", "findingId": "F", "artifactId": "a", "vulnId": "V", "actorId": "ann",
	"actorType": "system", "payload": null, "sourceRunId": null, "occurredAt": "2026-01-01t01:00:00.1234567+01:00", "expectedSequence": "1"}');
SELECT finding_id, vuln_id, actor_id, actor_type, event_body FROM ledger_append('{"tenant": "acme", "tenantId": "acme", "type": "finding.created", "policyVersion": "req",
	"finding": {"id": "G", "artifactId": "a", "vulnId": "V"}, "actor": {"id": "bob", "type": "integration"}, "payload": {"x": 1}}');

SELECT :before + 10 = count(*) AS only_those_shown FROM ledger_events;
SELECT count(*) FROM ledger_verify('acme');
ROLLBACK;
