CREATE FUNCTION ledger.ledger_append(
	tenant_id           text,
	event_type          text,
	finding_id          text,
	policy_version      text,
	artifact_id         text,
	payload             jsonb       DEFAULT '{}',
	actor_id            text        DEFAULT session_user,
	actor_type          text        DEFAULT 'operator',
	vuln_id             text        DEFAULT NULL,
	occurred_at         timestamptz DEFAULT NULL,
	event_id            uuid        DEFAULT NULL,
	chain_id            uuid        DEFAULT NULL,
	source_run_id       uuid        DEFAULT NULL,
	evidence_bundle_ref text        DEFAULT NULL,
	expected_sequence   bigint      DEFAULT NULL)
	RETURNS ledger.ledger_events
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_event ledger.ledger_events;
BEGIN
	IF event_type LIKE 'ledger.%' THEN
		RAISE EXCEPTION 'event type "%" is reserved to the ledger', event_type
			USING ERRCODE = 'LG403', HINT = 'Use a finding.* type, or one of your own (ledger_add_event_type()).';
	END IF;
	v_event.tenant_id := tenant_id;
	v_event.event_type := event_type;
	v_event.finding_id := finding_id;
	v_event.policy_version := policy_version;
	v_event.artifact_id := artifact_id;
	v_event.event_body := payload;
	v_event.actor_id := actor_id;
	v_event.actor_type := actor_type;
	v_event.vuln_id := vuln_id;
	v_event.occurred_at := occurred_at;
	v_event.event_id := event_id;
	v_event.chain_id := chain_id;
	v_event.source_run_id := source_run_id;
	v_event.evidence_bundle_ref := evidence_bundle_ref;
	RETURN (ledger.ledger_write(v_event, expected_sequence)).stored;
END
$$;
COMMENT ON FUNCTION ledger.ledger_append(text, text, text, text, text, jsonb, text, text, text, timestamptz, uuid, uuid, uuid, text, bigint) IS
	'Appends one event and returns the stored row: chained, hashed, projected, and durable once the transaction''s commit is acknowledged. The same event_id with the same content returns the stored event. expected_sequence: the number the event must get (head + 1). LG400 bad field, LG403 tenant not granted or reserved type, LG404 unknown tenant or type, LG409 conflict, LG413 payload too large, LG422 payload not representable.';
