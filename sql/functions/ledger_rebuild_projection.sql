CREATE FUNCTION ledger.ledger_history_horizon() RETURNS timestamptz
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT i.aged_out_before FROM ledger.ledger_partition_intent AS i WHERE i.parent_table = 'ledger.finding_history'
	$$;
COMMENT ON FUNCTION ledger.ledger_history_horizon() IS
	'Where finding_history begins: what was recorded before was aged out by retention. NULL if nothing ever was.';

-- The bounds of the histogram ledger_projection_rebuild_seconds.
CREATE FUNCTION ledger.ledger_rebuild_buckets() RETURNS double precision[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$ SELECT '{0.1,0.25,0.5,1,2.5,5,10,30,60,300,900,3600}'::double precision[] $$;
COMMENT ON FUNCTION ledger.ledger_rebuild_buckets() IS
	'Upper bounds in seconds of the buckets in ledger_projection_stats.';

CREATE FUNCTION ledger.ledger_count_rebuild(in_tenant text, in_seconds double precision) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	INSERT INTO ledger.ledger_projection_stats AS s (tenant_id, rebuilds, duration_seconds, buckets)
	VALUES (in_tenant, 1, in_seconds,
		ARRAY(SELECT (in_seconds <= b.bound)::integer FROM unnest(ledger.ledger_rebuild_buckets()) WITH ORDINALITY AS b (bound, n) ORDER BY b.n))
	ON CONFLICT (tenant_id) DO UPDATE
	SET rebuilds = s.rebuilds + 1, duration_seconds = s.duration_seconds + excluded.duration_seconds,
		buckets = ARRAY(SELECT coalesce(b.before, 0) + b.more FROM unnest(s.buckets, excluded.buckets) WITH ORDINALITY AS b (before, more, n) ORDER BY b.n)
	$$;
COMMENT ON FUNCTION ledger.ledger_count_rebuild(text, double precision) IS
	'Counts a rebuild of a tenant''s projection and how long it took. Part of ledger_rebuild_projection().';

CREATE FUNCTION ledger.ledger_rebuild_projection(tenant text) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
DECLARE
	v_leaf   name;
	v_begun  timestamptz := clock_timestamp();
	v_events bigint;
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
	v_events := ledger.ledger_refold(tenant, ledger.ledger_history_horizon());
	PERFORM ledger.ledger_count_rebuild(tenant, extract(epoch FROM clock_timestamp() - v_begun));
	RETURN v_events;
END
$$;
COMMENT ON FUNCTION ledger.ledger_rebuild_projection(text) IS
	'Empties a tenant''s derived tables and folds all its events again, to identical rows and cycle hashes; returns how many events were read. Appends to the tenant wait meanwhile. LG404 unknown tenant, LG403 not granted.';
