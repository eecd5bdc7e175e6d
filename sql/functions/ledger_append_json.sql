-- From the camelCase request of the HTTP contract to a row.  Members that the
-- ledger sets itself are refused, and so is a member nobody knows: a misspelt
-- optional member must not vanish silently.
CREATE FUNCTION ledger.ledger_request_row(event jsonb) RETURNS ledger.ledger_events
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_row    ledger.ledger_events;
	v_member text;
BEGIN
	IF event IS NULL OR jsonb_typeof(event) <> 'object' THEN
		RAISE EXCEPTION 'event must be a JSON object' USING ERRCODE = 'LG400';
	END IF;
	SELECT k INTO v_member
	FROM jsonb_object_keys(event) AS k
	WHERE k IN ('sequence', 'sequenceNo', 'recordedAt', 'recordedBy', 'salt', 'payloadSalt', 'payloadHash',
		'evaluation', 'evaluationHash', 'previousHash', 'eventHash', 'merkleLeafHash', 'schema')
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION '% is set by the ledger', v_member
			USING ERRCODE = 'LG403', HINT = 'Leave it out.';
	END IF;
	SELECT k INTO v_member
	FROM jsonb_object_keys(event) AS k
	WHERE k NOT IN ('tenant', 'tenantId', 'type', 'eventType', 'id', 'eventId', 'chainId', 'policyVersion',
		'findingId', 'artifactId', 'vulnId', 'finding', 'actorId', 'actorType', 'actor', 'occurredAt',
		'payload', 'sourceRunId', 'evidenceBundleRef', 'expectedSequence')
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'unknown member "%"', v_member
			USING ERRCODE = 'LG400', HINT = 'What is particular to the event belongs into payload.';
	END IF;

	v_row.tenant_id := coalesce(event ->> 'tenant', event ->> 'tenantId');
	v_row.event_type := coalesce(event ->> 'type', event ->> 'eventType');
	v_row.policy_version := event ->> 'policyVersion';
	v_row.finding_id := coalesce(event #>> '{finding,id}', event ->> 'findingId');
	v_row.artifact_id := coalesce(event #>> '{finding,artifactId}', event ->> 'artifactId');
	v_row.vuln_id := coalesce(event #>> '{finding,vulnId}', event ->> 'vulnId');
	v_row.actor_id := coalesce(event #>> '{actor,id}', event ->> 'actorId');
	v_row.actor_type := coalesce(event #>> '{actor,type}', event ->> 'actorType');
	v_row.evidence_bundle_ref := event ->> 'evidenceBundleRef';
	v_row.event_body := coalesce(nullif(event -> 'payload', 'null'), '{}');
	v_member := 'id';
	v_row.event_id := coalesce(event ->> 'id', event ->> 'eventId')::uuid;
	v_member := 'chainId';
	v_row.chain_id := (event ->> 'chainId')::uuid;
	v_member := 'sourceRunId';
	v_row.source_run_id := (event ->> 'sourceRunId')::uuid;
	v_member := 'occurredAt';
	v_row.occurred_at := (event ->> 'occurredAt')::timestamptz;
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
	'The row that a camelCase append request asks for. LG400: unknown or malformed member; LG403: a member that the ledger sets itself.';

CREATE FUNCTION ledger.ledger_request_expected(event jsonb) RETURNS bigint
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN (event ->> 'expectedSequence')::bigint;
EXCEPTION
	WHEN data_exception THEN
		RAISE EXCEPTION 'expectedSequence is malformed' USING ERRCODE = 'LG400', DETAIL = SQLERRM;
END
$$;
COMMENT ON FUNCTION ledger.ledger_request_expected(jsonb) IS
	'The expectedSequence of an append request, or NULL.';

CREATE FUNCTION ledger.ledger_append_request(event jsonb)
	RETURNS TABLE (created boolean, stored ledger.ledger_events)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_result record;
BEGIN
	v_result := ledger.ledger_write(ledger.ledger_request_row(event), ledger.ledger_request_expected(event));
	created := v_result.created;
	stored := v_result.stored;
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
	v_rows ledger.ledger_events[];
BEGIN
	IF events IS NULL OR jsonb_typeof(events) <> 'array' THEN
		RAISE EXCEPTION 'events must be a JSON array' USING ERRCODE = 'LG400';
	END IF;
	IF EXISTS (SELECT FROM jsonb_array_elements(events) AS e WHERE e ? 'expectedSequence') THEN
		RAISE EXCEPTION 'expectedSequence has no meaning in a batch'
			USING ERRCODE = 'LG400', HINT = 'Append the event alone with ledger_append().';
	END IF;
	SELECT array_agg(ledger.ledger_request_row(e.value) ORDER BY e.ordinality) INTO v_rows
	FROM jsonb_array_elements(events) WITH ORDINALITY AS e;
	RETURN QUERY SELECT (w.stored).* FROM ledger.ledger_write_many(v_rows) AS w;
END
$$;
COMMENT ON FUNCTION ledger.ledger_append_many(jsonb) IS
	'Appends an array of requests, all or nothing, chains locked in sorted order; returns the stored rows in the order asked. Errors as ledger_append().';
