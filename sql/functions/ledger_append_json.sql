-- From the camelCase request of the HTTP contract to a row.  Members that the
-- ledger sets itself are refused, and so are a member nobody knows and one of
-- another type: nothing a caller says vanishes or changes its meaning silently.

-- What is wrong with the members of a request, or NULL; one look at each.  PL/pgSQL
-- keeps the query's plan; an SQL function would parse and plan it for every event,
-- which took five times as long as all the rest of reading a request.
CREATE FUNCTION ledger.ledger_request_fault(event jsonb, OUT member text, OUT fault text)
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
BEGIN
	WITH given (member, value) AS (
		SELECT e.key, e.value FROM jsonb_each(event) AS e
		UNION ALL
		SELECT 'finding.' || f.key, f.value
		FROM jsonb_each(CASE jsonb_typeof(event -> 'finding') WHEN 'object' THEN event -> 'finding' ELSE '{}' END) AS f
		UNION ALL
		SELECT 'actor.' || a.key, a.value
		FROM jsonb_each(CASE jsonb_typeof(event -> 'actor') WHEN 'object' THEN event -> 'actor' ELSE '{}' END) AS a
	), judged AS (
		SELECT g.member, CASE
			WHEN g.member IN ('sequence', 'sequenceNo', 'recordedAt', 'recordedBy', 'salt', 'payloadSalt', 'payloadHash',
				'evaluation', 'evaluationHash', 'previousHash', 'eventHash', 'merkleLeafHash', 'schema') THEN 'owned'
			WHEN g.member NOT IN ('tenant', 'tenantId', 'type', 'eventType', 'id', 'eventId', 'chainId', 'policyVersion',
				'findingId', 'artifactId', 'vulnId', 'finding', 'actorId', 'actorType', 'actor', 'occurredAt',
				'payload', 'sourceRunId', 'evidenceBundleRef', 'expectedSequence',
				'finding.id', 'finding.artifactId', 'finding.vulnId', 'actor.id', 'actor.type') THEN 'unknown'
			WHEN g.member = 'payload' OR jsonb_typeof(g.value) = 'null' THEN NULL
			WHEN g.member IN ('finding', 'actor') THEN CASE WHEN jsonb_typeof(g.value) <> 'object' THEN 'an object' END
			-- As a string too: not every language's JSON has 64-bit numbers.
			WHEN g.member = 'expectedSequence' THEN CASE WHEN jsonb_typeof(g.value) NOT IN ('number', 'string') THEN 'a number' END
			WHEN jsonb_typeof(g.value) <> 'string' THEN 'a string' END AS fault
		FROM given AS g
	)
	SELECT j.member, j.fault INTO member, fault FROM judged AS j
	WHERE j.fault IS NOT NULL
	ORDER BY j.fault <> 'owned', j.fault <> 'unknown', j.member
	LIMIT 1;
END
$$;
COMMENT ON FUNCTION ledger.ledger_request_fault(jsonb) IS
	'The first member of an append request that is not as it must be: fault "owned" (the ledger sets it), "unknown", or the type it must have. NULL if there is none.';

-- One value that may be given under two names.
CREATE FUNCTION ledger.ledger_request_either(one text, other text, names text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF one <> other THEN
		RAISE EXCEPTION '% differ', names
			USING ERRCODE = 'LG400', DETAIL = format('They are "%s" and "%s".', left(one, 80), left(other, 80)),
				HINT = 'They are two names of one member: give one.';
	END IF;
	RETURN coalesce(one, other);
END
$$;
COMMENT ON FUNCTION ledger.ledger_request_either(text, text, text) IS
	'The value of a request member that has two names; LG400 if both are given and differ.';

CREATE FUNCTION ledger.ledger_request_row(event jsonb) RETURNS ledger.ledger_events
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_row    ledger.ledger_events;
	v_member text;
	v_fault  text;
	v_text   text;
BEGIN
	IF event IS NULL OR jsonb_typeof(event) <> 'object' THEN
		RAISE EXCEPTION 'event must be a JSON object'
			USING ERRCODE = 'LG400', DETAIL = format('It is %s.', coalesce(jsonb_typeof(event), 'null')),
				HINT = 'Give one object; an array of them goes to ledger_append_many().';
	END IF;
	SELECT f.member, f.fault INTO v_member, v_fault FROM ledger.ledger_request_fault(event) AS f;
	IF v_fault = 'owned' THEN
		RAISE EXCEPTION '% is set by the ledger', v_member
			USING ERRCODE = 'LG403', HINT = 'Leave it out.';
	ELSIF v_fault = 'unknown' THEN
		RAISE EXCEPTION 'unknown member "%"', left(v_member, 80)
			USING ERRCODE = 'LG400', HINT = 'What is particular to the event belongs into payload.';
	ELSIF v_fault IS NOT NULL THEN
		RAISE EXCEPTION '% must be %', v_member, v_fault
			USING ERRCODE = 'LG400',
				DETAIL = format('It is %s.', left((event #> string_to_array(v_member, '.'))::text, 80)),
				HINT = 'Leave out what the event does not have.';
	END IF;

	v_row.tenant_id := ledger.ledger_request_either(event ->> 'tenant', event ->> 'tenantId', 'tenant and tenantId');
	v_row.event_type := ledger.ledger_request_either(event ->> 'type', event ->> 'eventType', 'type and eventType');
	v_row.policy_version := event ->> 'policyVersion';
	v_row.finding_id := ledger.ledger_request_either(event #>> '{finding,id}', event ->> 'findingId', 'finding.id and findingId');
	v_row.artifact_id := ledger.ledger_request_either(event #>> '{finding,artifactId}', event ->> 'artifactId',
		'finding.artifactId and artifactId');
	v_row.vuln_id := ledger.ledger_request_either(event #>> '{finding,vulnId}', event ->> 'vulnId', 'finding.vulnId and vulnId');
	v_row.actor_id := ledger.ledger_request_either(event #>> '{actor,id}', event ->> 'actorId', 'actor.id and actorId');
	v_row.actor_type := ledger.ledger_request_either(event #>> '{actor,type}', event ->> 'actorType', 'actor.type and actorType');
	v_row.evidence_bundle_ref := event ->> 'evidenceBundleRef';
	v_row.event_body := coalesce(nullif(event -> 'payload', 'null'), '{}');
	v_member := 'id';
	v_text := ledger.ledger_request_either(event ->> 'id', event ->> 'eventId', 'id and eventId');
	v_row.event_id := v_text::uuid;
	v_member := 'chainId';
	v_text := event ->> 'chainId';
	v_row.chain_id := v_text::uuid;
	v_member := 'sourceRunId';
	v_text := event ->> 'sourceRunId';
	v_row.source_run_id := v_text::uuid;
	-- The cast alone would take 'yesterday', and read a time without zone in the session's.
	v_member := 'occurredAt';
	v_text := event ->> 'occurredAt';
	IF v_text !~* '^[0-9]{4}-[0-9]{2}-[0-9]{2}[t ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(z|[+-][0-9]{2}:[0-9]{2})$' THEN
		RAISE data_exception USING MESSAGE = format('not an RFC 3339 time: "%s"', left(v_text, 80));
	END IF;
	v_row.occurred_at := v_text::timestamptz;
	IF v_row.event_type LIKE 'ledger.%' THEN
		RAISE EXCEPTION 'event type "%" is reserved to the ledger', v_row.event_type
			USING ERRCODE = 'LG403', HINT = 'Use a finding.* type, or one of your own (ledger_add_event_type()).';
	END IF;
	RETURN v_row;
EXCEPTION
	WHEN data_exception THEN
		RAISE EXCEPTION '% is malformed', v_member
			USING ERRCODE = 'LG400', DETAIL = SQLERRM,
				HINT = 'Identifiers are UUIDs; times are RFC 3339, such as 2026-11-23T19:30:00Z.';
END
$$;
COMMENT ON FUNCTION ledger.ledger_request_row(jsonb) IS
	'The row that a camelCase append request asks for. LG400: unknown, mistyped or malformed member, or two names of one member that differ; LG403: a member that the ledger sets itself, or a type reserved to it.';

CREATE FUNCTION ledger.ledger_request_expected(event jsonb) RETURNS bigint
	LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN (event ->> 'expectedSequence')::bigint;
EXCEPTION
	WHEN data_exception THEN
		RAISE EXCEPTION 'expectedSequence is malformed'
			USING ERRCODE = 'LG400', DETAIL = SQLERRM, HINT = 'It is a whole number: the head''s sequence plus 1.';
END
$$;
COMMENT ON FUNCTION ledger.ledger_request_expected(jsonb) IS
	'The expectedSequence of an append request, or NULL.';

-- The argument has another name, because PL/pgSQL lets none be that of a result column.
CREATE FUNCTION ledger.ledger_append_request(request jsonb)
	RETURNS TABLE (created boolean, event ledger.ledger_events)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_result record;
BEGIN
	v_result := ledger.ledger_write(ledger.ledger_request_row(request), ledger.ledger_request_expected(request));
	created := v_result.created;
	event := v_result.stored;
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_append_request(jsonb) IS
	'ledger_append(jsonb) that also tells whether the event is new (created true, HTTP 201) or was stored before (false, HTTP 200). One row. Errors as ledger_append().';

CREATE FUNCTION ledger.ledger_append(event jsonb) RETURNS ledger.ledger_events
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN (ledger.ledger_write(ledger.ledger_request_row(event), ledger.ledger_request_expected(event))).stored;
END
$$;
COMMENT ON FUNCTION ledger.ledger_append(jsonb) IS
	'Appends one event given as the camelCase request of the HTTP contract: tenant, type, policyVersion, finding {id, artifactId, vulnId} or findingId …, actor {id, type} or actorId …, payload, and optionally id, chainId, occurredAt, sourceRunId, evidenceBundleRef, expectedSequence. Errors as the other ledger_append().';

CREATE FUNCTION ledger.ledger_append_many(events jsonb) RETURNS SETOF ledger.ledger_events
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_rows   ledger.ledger_events[];
	v_answer record;
BEGIN
	IF events IS NULL OR jsonb_typeof(events) <> 'array' THEN
		RAISE EXCEPTION 'events must be a JSON array'
			USING ERRCODE = 'LG400', DETAIL = format('It is %s.', coalesce(jsonb_typeof(events), 'null')),
				HINT = 'One event alone goes to ledger_append().';
	END IF;
	IF EXISTS (SELECT FROM jsonb_array_elements(events) AS e WHERE e ? 'expectedSequence') THEN
		RAISE EXCEPTION 'expectedSequence has no meaning in a batch'
			USING ERRCODE = 'LG400', HINT = 'Append the event alone with ledger_append().';
	END IF;
	SELECT array_agg(ledger.ledger_request_row(e.value) ORDER BY e.ordinality) INTO v_rows
	FROM jsonb_array_elements(events) WITH ORDINALITY AS e;
	-- Whole rows: a plan with (stored).* would not notice a column that a migration adds.
	FOR v_answer IN SELECT w.stored FROM ledger.ledger_write_many(v_rows) AS w
	LOOP
		RETURN NEXT v_answer.stored;
	END LOOP;
END
$$;
COMMENT ON FUNCTION ledger.ledger_append_many(jsonb) IS
	'Appends an array of requests, all or nothing, chains locked in sorted order; returns the stored rows in the order asked. Errors as ledger_append().';
