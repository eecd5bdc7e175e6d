-- Guards as they are, and whether they changed between anchors without an event that
-- says so: "Guards", and rule 9 of "Anchors", in docs/verification.md.
CREATE FUNCTION ledger.ledger_verify_guard_changes(in_present boolean)
	RETURNS TABLE (tenant_id text, detail text)
	LANGUAGE sql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	WITH told AS MATERIALIZED (
		SELECT e.sequence_no, e.event_body -> 'guardFingerprint' AS accepted
		FROM ledger.ledger_events AS e
		WHERE e.tenant_id = 'ledger' AND e.chain_id = ledger.ledger_chain_id('ledger', 'ledger')
			AND e.event_type IN ('ledger.guard_changed', 'ledger.migrated', 'ledger.incarnation_started')),
	seen AS (
		SELECT r.tenant_id, r.guard_sequence, r.anchored_at, r.guard_fingerprint, format('the anchor of %s', r.anchored_at) AS name
		FROM ledger.ledger_merkle_roots AS r
		UNION ALL
		SELECT f.tenant_id, NULL, NULL, f.fingerprint, 'now'
		FROM ledger.ledger_guard_fingerprints(ARRAY(SELECT DISTINCT r.tenant_id FROM ledger.ledger_merkle_roots AS r)) AS f
		WHERE in_present),
	pair AS (
		SELECT s.*, lead(s.guard_fingerprint) OVER w AS next_fingerprint, lead(s.guard_sequence) OVER w AS next_sequence, lead(s.name) OVER w AS next_name
		FROM seen AS s
		WINDOW w AS (PARTITION BY s.tenant_id ORDER BY s.guard_sequence NULLS LAST, s.anchored_at, s.guard_fingerprint))
	SELECT p.tenant_id, format('between %s and %s', p.name, p.next_name)
	FROM pair AS p
	WHERE p.guard_fingerprint <> p.next_fingerprint AND NOT EXISTS (
		SELECT FROM told AS t
		WHERE t.sequence_no > p.guard_sequence
			AND (t.sequence_no <= p.next_sequence OR p.next_sequence IS NULL
			     OR t.accepted ->> p.tenant_id = encode(p.next_fingerprint, 'hex')))
	$$;
COMMENT ON FUNCTION ledger.ledger_verify_guard_changes(boolean) IS
	'Changes of the guards between anchors of a tenant, and with true between the newest one and now, that no event of the ledger''s own chain explains. Part of ledger_verify().';

CREATE FUNCTION ledger.ledger_verify_guards(in_changes boolean)
	RETURNS TABLE (tenant_id text, kind text, detail text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_missing boolean;
BEGIN
	RETURN QUERY SELECT g.tenant_id, 'guard_missing', format('%s %s: %s', g.guard, g.object, g.state)
		FROM ledger.ledger_guard_state() AS g
		WHERE NOT g.ok AND g.guard IN ('trigger', 'foreign trigger', 'foreign rule', 'event trigger', 'row security',
			'key', 'leaf', 'owner', 'owned');
	v_missing := FOUND;
	-- Who cannot read the ledger's own chain cannot see what explains a change.
	IF in_changes AND ledger.ledger_tenant_allowed('ledger') THEN
		RETURN QUERY SELECT c.tenant_id, 'guard_changed', c.detail FROM ledger.ledger_verify_guard_changes(NOT v_missing) AS c;
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_verify_guards(boolean) IS
	'Findings about guards: guard_missing, and, where asked, guard_changed for who may read tenant ledger. Part of ledger_verify().';
