-- Rules 2 to 8 of "How a row is judged": kind and detail of one row, or NULLs.
CREATE FUNCTION ledger.ledger_name_fault(
	twin text, moved boolean, same_chain boolean, home text, sound boolean, leaf_sound boolean,
	computed bytea, event_hash bytea, next_says bytea, stub ledger.ledger_events,
	previous_true bytea, payload_now bytea, evaluation_now bytea, unexplained boolean, payload_fault text,
	OUT kind text, OUT detail text) RETURNS record
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_other ledger.ledger_events;
BEGIN
	IF twin IS NOT NULL THEN
		kind := 'duplicate'; detail := twin;
	ELSIF moved THEN
		kind := CASE WHEN same_chain THEN 'reordered' ELSE 'envelope_edited' END; detail := home;
	ELSIF NOT sound THEN
		-- Two witnesses outside the envelope: the next row's memory, and the leaf hash.
		IF next_says = computed OR (leaf_sound AND next_says IS DISTINCT FROM event_hash) THEN
			kind := 'hash_edited'; detail := 'event_hash';
			RETURN;
		END IF;
		-- A column of the envelope is wrong.  Those that can be derived are tried first.
		v_other := stub;
		v_other.previous_hash := previous_true;
		IF ledger.ledger_computed_hash(v_other) = event_hash THEN
			kind := 'link_broken'; detail := 'previous_hash is not the hash of the row before';
			RETURN;
		END IF;
		v_other := stub;
		v_other.payload_hash := payload_now;
		v_other.evaluation_hash := evaluation_now;
		IF ledger.ledger_computed_hash(v_other) = event_hash THEN
			kind := 'hash_edited';
			detail := CASE WHEN payload_now = stub.payload_hash THEN 'evaluation_hash' ELSE 'payload_hash' END;
			RETURN;
		END IF;
		kind := 'envelope_edited'; detail := 'the columns do not give event_hash';
	ELSIF unexplained THEN
		kind := 'payload_missing'; detail := 'no payload, and no later event says that it was erased';
	ELSIF payload_fault IS NOT NULL THEN
		kind := 'payload_edited'; detail := payload_fault;
	ELSIF NOT leaf_sound THEN
		kind := 'hash_edited'; detail := 'merkle_leaf_hash';
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_name_fault(text, boolean, boolean, text, boolean, boolean, bytea, bytea, bytea, ledger.ledger_events, bytea, bytea, bytea, boolean, text) IS
	'The kind of finding that a row earns, and why; NULL for a row in order. Part of ledger_verify().';
