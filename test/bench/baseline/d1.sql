-- The baseline D1, "trigger chain": what a good engineer writes today.  A plpgsql
-- trigger takes an advisory lock for the chain, reads the last row by the primary
-- key and hashes jsonb's text; a plpgsql function walks the chain and checks it.
CREATE FUNCTION d1.envelope(e d1.events) RETURNS bytea LANGUAGE sql STABLE
	AS $$
	SELECT e.previous_hash || convert_to(jsonb_build_object('tenant', e.tenant_id, 'chain', e.chain_id,
		'sequence', e.sequence_no, 'id', e.event_id, 'type', e.event_type, 'policy', e.policy_version,
		'finding', e.finding_id, 'artifact', e.artifact_id, 'actor', e.actor_id, 'actorType', e.actor_type,
		'occurredAt', e.occurred_at, 'recordedAt', e.recorded_at, 'recordedBy', e.recorded_by,
		'payloadHash', encode(e.payload_hash, 'hex'))::text, 'UTF8')
	$$;

CREATE FUNCTION d1.link() RETURNS trigger LANGUAGE plpgsql
	AS $$
DECLARE
	v_sequence bigint;
	v_hash     bytea;
BEGIN
	NEW.payload_hash := sha256(convert_to(NEW.event_body::text, 'UTF8'));
	PERFORM pg_advisory_xact_lock(hashtextextended(NEW.tenant_id || NEW.chain_id::text, 0));
	SELECT e.sequence_no, e.event_hash INTO v_sequence, v_hash
	FROM d1.events AS e
	WHERE e.tenant_id = NEW.tenant_id AND e.chain_id = NEW.chain_id
	ORDER BY e.sequence_no DESC LIMIT 1;
	NEW.sequence_no := coalesce(v_sequence, 0) + 1;
	NEW.previous_hash := coalesce(v_hash, decode(repeat('00', 32), 'hex'));
	NEW.recorded_at := clock_timestamp();
	NEW.event_hash := sha256(d1.envelope(NEW));
	NEW.merkle_leaf_hash := sha256('\x00' || d1.envelope(NEW));
	RETURN NEW;
END
$$;
CREATE TRIGGER link BEFORE INSERT ON d1.events FOR EACH ROW EXECUTE FUNCTION d1.link();

-- How many rows of the chain are right; the first wrong one is an error.
CREATE FUNCTION d1.verify(chain uuid) RETURNS bigint LANGUAGE plpgsql STABLE
	AS $$
DECLARE
	v_event    d1.events;
	v_previous bytea := decode(repeat('00', 32), 'hex');
	v_count    bigint := 0;
BEGIN
	FOR v_event IN
		SELECT * FROM d1.events AS e WHERE e.tenant_id = 'bench' AND e.chain_id = chain ORDER BY e.sequence_no
	LOOP
		v_count := v_count + 1;
		IF v_event.sequence_no <> v_count OR v_event.previous_hash <> v_previous
			OR v_event.payload_hash <> sha256(convert_to(v_event.event_body::text, 'UTF8'))
			OR v_event.event_hash <> sha256(d1.envelope(v_event))
			OR v_event.merkle_leaf_hash <> sha256('\x00' || d1.envelope(v_event)) THEN
			RAISE EXCEPTION 'row % does not verify', v_event.sequence_no;
		END IF;
		v_previous := v_event.event_hash;
	END LOOP;
	RETURN v_count;
END
$$;
