CREATE FUNCTION ledger.ledger_history_horizon() RETURNS timestamptz
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT i.aged_out_before FROM ledger.ledger_partition_intent AS i WHERE i.parent_table = 'ledger.finding_history'
	$$;
COMMENT ON FUNCTION ledger.ledger_history_horizon() IS
	'Where finding_history begins: what was recorded before was aged out by retention. NULL if nothing ever was.';

CREATE FUNCTION ledger.ledger_rebuild_projection(tenant text) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
DECLARE
	v_leaf name;
BEGIN
	SELECT t.leaf INTO v_leaf FROM ledger.ledger_tenants AS t WHERE t.tenant_id = tenant;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'tenant "%" does not exist', tenant
			USING ERRCODE = 'LG404', HINT = 'SELECT tenant_id FROM ledger.ledger_tenants lists them.';
	END IF;
	IF NOT ledger.ledger_tenant_allowed(tenant) THEN
		RAISE EXCEPTION 'role may not touch tenant "%"', tenant
			USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
	END IF;
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION 'rebuild needs READ COMMITTED'
			USING ERRCODE = 'LG400', HINT = 'An older snapshot would miss events appended before the lock was got.';
	END IF;
	-- Appends to this tenant wait until the rebuild commits; reads go on.
	EXECUTE format('LOCK TABLE ledger.%I IN SHARE MODE', v_leaf);
	DELETE FROM ledger.findings_projection AS p WHERE p.tenant_id = tenant;
	DELETE FROM ledger.finding_history AS h WHERE h.tenant_id = tenant;
	DELETE FROM ledger.triage_actions AS a WHERE a.tenant_id = tenant;
	RETURN ledger.ledger_refold(tenant, ledger.ledger_history_horizon());
END
$$;
COMMENT ON FUNCTION ledger.ledger_rebuild_projection(text) IS
	'Empties a tenant''s derived tables and folds all its events again, to identical rows and cycle hashes; returns how many events were read. Appends to the tenant wait meanwhile. LG404 unknown tenant, LG403 not granted.';
