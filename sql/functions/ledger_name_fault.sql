-- Rules 2 to 8 of "How a row is judged" (docs/verification.md): the first that fits.
CREATE FUNCTION ledger.ledger_name_fault(
	twin text, moved boolean, same_chain boolean, home text, sound boolean, leaf_sound boolean,
	computed bytea, event_hash bytea, next_says bytea, stub ledger.ledger_events,
	previous_true bytea, payload_now bytea, evaluation_now bytea, unexplained boolean, payload_fault text)
	RETURNS text[]
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_other ledger.ledger_events;
BEGIN
	IF twin IS NOT NULL THEN
		RETURN ARRAY['duplicate', twin];
	ELSIF moved THEN
		RETURN ARRAY[CASE WHEN same_chain THEN 'reordered' ELSE 'envelope_edited' END, home];
	ELSIF NOT sound THEN
		-- Two witnesses outside the envelope: the next row's memory, and the leaf hash.
		IF next_says = computed OR (leaf_sound AND next_says IS DISTINCT FROM event_hash) THEN
			RETURN ARRAY['hash_edited', 'event_hash'];
		END IF;
		-- A column of the envelope is wrong.  Those that can be derived are tried first.
		v_other := stub;
		v_other.previous_hash := previous_true;
		IF ledger.ledger_computed_hash(v_other) = event_hash THEN
			RETURN ARRAY['link_broken', 'previous_hash is not the hash of the row before'];
		END IF;
		v_other := stub;
		v_other.payload_hash := payload_now;
		v_other.evaluation_hash := evaluation_now;
		IF ledger.ledger_computed_hash(v_other) = event_hash THEN
			RETURN ARRAY['hash_edited', CASE WHEN payload_now = stub.payload_hash THEN 'evaluation_hash' ELSE 'payload_hash' END];
		END IF;
		RETURN ARRAY['envelope_edited', 'the columns do not give event_hash'];
	ELSIF unexplained THEN
		RETURN ARRAY['payload_missing', 'no payload, and no later event says that it was erased'];
	ELSIF payload_fault IS NOT NULL THEN
		RETURN ARRAY['payload_edited', payload_fault];
	ELSIF NOT leaf_sound THEN
		RETURN ARRAY['hash_edited', 'merkle_leaf_hash'];
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION ledger.ledger_name_fault(text, boolean, boolean, text, boolean, boolean, bytea, bytea, bytea, ledger.ledger_events, bytea, bytea, bytea, boolean, text) IS
	'Kind and detail of the finding that a row earns; NULL for a row in order. Part of ledger_verify().';
