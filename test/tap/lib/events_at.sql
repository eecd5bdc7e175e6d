-- Events as another ledger recorded them at given times: one chain of one finding of
-- acme, its policy version named like the finding.  Functions of one session only.
CREATE FUNCTION pg_temp.events_at(in_finding text, in_times timestamptz[]) RETURNS SETOF ledger.ledger_events
	LANGUAGE plpgsql AS $$
DECLARE
	r ledger.ledger_events;
BEGIN
	r.previous_hash := decode(repeat('00', 32), 'hex');
	FOR n IN 1 .. cardinality(in_times) LOOP
		r.tenant_id := 'acme'; r.policy_version := in_finding; r.chain_id := ledger.ledger_chain_id('acme', in_finding);
		r.sequence_no := n; r.event_id := gen_random_uuid(); r.finding_id := in_finding; r.artifact_id := 'pkg:deb/x@1';
		r.event_type := CASE WHEN n = 1 THEN 'finding.created' ELSE 'finding.status_changed' END;
		r.actor_id := 'elsewhere'; r.actor_type := 'operator'; r.recorded_by := 'elsewhere';
		r.occurred_at := in_times[n]; r.recorded_at := in_times[n]; r.schema_version := 'ledger.event.v1';
		r.event_body := jsonb_build_object('status', CASE WHEN n % 2 = 0 THEN 'triaged' ELSE 'affected' END);
		r.payload_salt := sha256(format('%s %s', in_finding, n)::bytea);
		r.payload_hash := ledger.ledger_payload_hash(r.payload_salt, r.event_body);
		r.event_hash := ledger.ledger_event_hash(r); r.merkle_leaf_hash := ledger.ledger_leaf_hash(r);
		RETURN NEXT r;
		r.previous_hash := r.event_hash;
	END LOOP;
END $$;

-- The same as lines for ledger_import().
CREATE FUNCTION pg_temp.lines_at(in_finding text, in_times timestamptz[]) RETURNS jsonb
	LANGUAGE sql AS $$
	SELECT jsonb_agg(jsonb_build_object('envelope', ledger.ledger_event_envelope(e),
		'eventHash', encode(e.event_hash, 'hex'), 'merkleLeafHash', encode(e.merkle_leaf_hash, 'hex'),
		'payload', e.event_body, 'salt', encode(e.payload_salt, 'base64')) ORDER BY e.sequence_no)
	FROM pg_temp.events_at(in_finding, in_times) AS e $$;
