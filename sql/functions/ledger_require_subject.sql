-- No findings about something that does not exist would read as clean.
CREATE FUNCTION ledger.ledger_require_subject(in_tenant text, in_chain uuid, in_from bigint, in_to bigint) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF in_from > in_to THEN
		RAISE EXCEPTION 'the range to verify ends before it starts'
			USING ERRCODE = 'LG400', DETAIL = format('It is %s to %s.', in_from, in_to), HINT = 'Give the smaller sequence first.';
	END IF;
	IF NOT ledger.ledger_tenant_allowed(in_tenant) THEN
		RAISE EXCEPTION 'role may not touch tenant "%"', in_tenant
			USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
	END IF;
	-- One that was dropped is still registered by its chains, one that lost its registration has events.
	IF NOT EXISTS (SELECT FROM ledger.ledger_tenants AS t WHERE t.tenant_id = in_tenant)
		AND NOT EXISTS (SELECT FROM ledger.ledger_chains AS c WHERE c.tenant_id = in_tenant)
		AND NOT EXISTS (SELECT FROM ledger.ledger_events AS e WHERE e.tenant_id = in_tenant) AND in_tenant IS NOT NULL THEN
		RAISE EXCEPTION 'tenant "%" does not exist', in_tenant
			USING ERRCODE = 'LG404', HINT = 'ledger_tenants lists those that do.';
	END IF;
	IF in_chain IS NOT NULL
		AND NOT EXISTS (SELECT FROM ledger.ledger_chains AS c WHERE c.chain_id = in_chain AND (in_tenant IS NULL OR c.tenant_id = in_tenant))
		AND NOT EXISTS (SELECT FROM ledger.ledger_events AS e WHERE e.chain_id = in_chain AND (in_tenant IS NULL OR e.tenant_id = in_tenant)) THEN
		RAISE EXCEPTION 'chain % does not exist', in_chain
			USING ERRCODE = 'LG404', DETAIL = CASE WHEN in_tenant IS NULL THEN 'No tenant that the role may touch has it.'
				ELSE format('Tenant "%s" has no chain of that id.', in_tenant) END,
				HINT = 'ledger_chain_id(tenant, policy version) gives the id of a chain that was not chosen.';
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_require_subject(text, uuid, bigint, bigint) IS
	'What is to be verified (NULL: all): LG400 if the range ends before it starts, LG403 if the tenant is not granted, LG404 if the tenant or chain does not exist. Part of ledger_verify().';
