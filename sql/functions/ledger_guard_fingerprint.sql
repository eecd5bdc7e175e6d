-- The guards in one hash, kept in every anchor: whoever takes a guard away for a
-- while must also take the anchors back that say it was there.  A fingerprint of all
-- guards would change whenever any tenant is made, and so accuse every other one;
-- so each tenant's covers what belongs to all, and its own leaf.
CREATE FUNCTION ledger.ledger_guard_fingerprints(tenants text[] DEFAULT NULL)
	RETURNS TABLE (tenant_id text, fingerprint bytea)
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	-- It would change how names are written, and so the hash.
	SET quote_all_identifiers = off
	AS $$
	WITH state AS MATERIALIZED (
		SELECT g.tenant_id, g.guard, g.object, g.state,
			jsonb_build_array(g.guard, g.object, g.state, g.ok, g.tenant_id) AS line
		FROM ledger.ledger_guard_state() AS g
	), tenant AS MATERIALIZED (
		SELECT t.tenant_id FROM ledger.ledger_tenants AS t
		WHERE tenants IS NULL OR t.tenant_id = ANY (tenants)
	), line AS (
		-- In two parts, because a join on either would compare every tenant with the leaves of all.
		SELECT t.tenant_id, s.guard, s.object, s.state, s.line FROM tenant AS t CROSS JOIN state AS s WHERE s.tenant_id IS NULL
		UNION ALL
		SELECT t.tenant_id, s.guard, s.object, s.state, s.line FROM tenant AS t JOIN state AS s USING (tenant_id)
	)
	SELECT l.tenant_id, sha256(convert_to(ledger.ledger_canonical_json(
		jsonb_agg(l.line ORDER BY l.guard COLLATE "C", l.object COLLATE "C", l.state COLLATE "C")), 'UTF8'))
	FROM line AS l GROUP BY l.tenant_id
	$$;
COMMENT ON FUNCTION ledger.ledger_guard_fingerprints(text[]) IS
	'ledger_guard_fingerprint() of many tenants, NULL: of all, for the price of one ledger_guard_state().';

CREATE FUNCTION ledger.ledger_guard_fingerprint(tenant text) RETURNS bytea
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT f.fingerprint FROM ledger.ledger_guard_fingerprints(ARRAY[tenant]) AS f
	$$;
COMMENT ON FUNCTION ledger.ledger_guard_fingerprint(text) IS
	'SHA-256 of the canonical JSON of ledger_guard_state(), without other tenants'' guards: an array of [guard, object, state, ok, tenant_id], sorted by the first three. Every anchor keeps it.';

CREATE FUNCTION ledger.ledger_accept_guards(reason text) RETURNS uuid
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
BEGIN
	IF reason IS NULL OR btrim(reason) = '' OR octet_length(reason) > 4096 THEN
		RAISE EXCEPTION 'a reason is required'
			USING ERRCODE = 'LG400', HINT = 'Say in up to 4096 bytes who changed which guard and why.';
	END IF;
	RETURN ledger.ledger_append_own('ledger.guard_changed', jsonb_build_object(
		'command', 'ledger_accept_guards', 'reason', reason, 'role', session_user,
		'guardFingerprint', (SELECT jsonb_object_agg(f.tenant_id, encode(f.fingerprint, 'hex'))
		                     FROM ledger.ledger_guard_fingerprints() AS f)));
END
$$;
COMMENT ON FUNCTION ledger.ledger_accept_guards(text) IS
	'Appends a ledger.guard_changed event that explains the guards as they are now: for a legitimate change that left no event of its own, such as a setting. Returns the event''s id. LG400: no reason. For ledger_operator.';
