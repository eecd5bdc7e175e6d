-- Name of a tenant's leaf: readable, and unique by eight digits of its hash.
CREATE FUNCTION ledger.ledger_leaf_name(tenant text) RETURNS name
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT ('ledger_events_' ||
		left(trim(BOTH '_' FROM regexp_replace(lower(tenant), '[^a-z0-9]+', '_', 'g')), 32) || '_' ||
		left(encode(sha256(convert_to(tenant, 'UTF8')), 'hex'), 8))::name
	$$;
COMMENT ON FUNCTION ledger.ledger_leaf_name(text) IS
	'Name of the leaf of ledger_events that holds a tenant.';

-- The guards of one leaf.  Statement triggers and row-level security are not
-- cloned from the parent: a leaf without them could be truncated or read.
CREATE FUNCTION ledger.ledger_guard_leaf(leaf name) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER ledger_refuse_direct BEFORE INSERT OR UPDATE OR DELETE ON ledger.%I
		FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_direct()', leaf);
	EXECUTE format('CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger.%I
		FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change()', leaf);
	EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER ledger_refuse_direct', leaf);
	EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER ledger_refuse_truncate', leaf);
	EXECUTE format('ALTER TABLE ledger.%I ENABLE ROW LEVEL SECURITY', leaf);
	EXECUTE format('ALTER TABLE ledger.%I FORCE ROW LEVEL SECURITY', leaf);
	EXECUTE format('REVOKE ALL ON ledger.%I FROM PUBLIC', leaf);
END
$$;
COMMENT ON FUNCTION ledger.ledger_guard_leaf(name) IS
	'Puts the guards on one leaf of ledger_events. Called when a tenant is created.';

-- Made apart and attached: CREATE TABLE … PARTITION OF would lock all of
-- ledger_events against readers and appenders, and wait for a running pg_dump.
CREATE FUNCTION ledger.ledger_make_leaf(tenant text) RETURNS name
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_leaf name := ledger.ledger_leaf_name(tenant);
BEGIN
	EXECUTE format('CREATE TABLE ledger.%I (LIKE ledger.ledger_events
			INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION)
		WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
		      autovacuum_vacuum_insert_scale_factor = 0.02,
		      autovacuum_vacuum_insert_threshold = 10000, autovacuum_vacuum_cost_delay = 0)', v_leaf);
	PERFORM ledger.ledger_guard_leaf(v_leaf);
	EXECUTE format('ALTER TABLE ledger.ledger_events ATTACH PARTITION ledger.%I FOR VALUES IN (%L)',
		v_leaf, tenant);
	RETURN v_leaf;
END
$$;
COMMENT ON FUNCTION ledger.ledger_make_leaf(text) IS
	'Makes and guards a tenant''s leaf. Vacuumed eagerly: dead entries of a rolled-back append stand where the next append looks for the head.';

CREATE FUNCTION ledger.ledger_create_tenant(tenant text, settings jsonb DEFAULT '{}')
	RETURNS ledger.ledger_tenants
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_row ledger.ledger_tenants;
BEGIN
	IF tenant IS NULL OR tenant !~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' THEN
		RAISE EXCEPTION 'tenant name is not valid'
			USING ERRCODE = 'LG400', DETAIL = CASE WHEN tenant IS NULL THEN 'It is null.' ELSE format('It is "%s".', left(tenant, 140)) END,
				HINT = 'A tenant name matches ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$.';
	END IF;
	IF settings IS NULL OR jsonb_typeof(settings) <> 'object' THEN
		RAISE EXCEPTION 'settings of a tenant must be a JSON object'
			USING ERRCODE = 'LG400', DETAIL = format('They are %s.', coalesce(jsonb_typeof(settings), 'null')),
				HINT = 'Pass {} for none.';
	END IF;
	IF current_setting('server_encoding') <> 'UTF8' THEN
		RAISE EXCEPTION 'the ledger needs a database with encoding UTF8'
			USING ERRCODE = 'LG503', HINT = 'Create one with ENCODING ''UTF8'' TEMPLATE template0.';
	END IF;

	-- Two racing creations: the second waits for the first and then finds its row.
	-- A table's lock, because anyone could hold an advisory one; appends go on.
	SELECT t.* INTO v_row FROM ledger.ledger_tenants AS t WHERE t.tenant_id = tenant;
	IF NOT FOUND THEN
		LOCK TABLE ledger.ledger_tenants IN SHARE ROW EXCLUSIVE MODE;
		SELECT t.* INTO v_row FROM ledger.ledger_tenants AS t WHERE t.tenant_id = tenant;
	END IF;
	IF FOUND THEN
		IF v_row.settings <> settings AND settings <> '{}' THEN
			RAISE EXCEPTION 'tenant "%" exists with other settings', tenant
				USING ERRCODE = 'LG409', DETAIL = format('Its settings are %s.', v_row.settings),
					HINT = 'Leave settings out to get the tenant as it is.';
		END IF;
		RETURN v_row;
	END IF;

	INSERT INTO ledger.ledger_tenants (tenant_id, leaf, settings, reserved)
	VALUES (tenant, ledger.ledger_make_leaf(tenant), settings, tenant = 'ledger')
	RETURNING * INTO v_row;
	RETURN v_row;
EXCEPTION
	-- Above READ COMMITTED the row that the other one committed is out of sight.
	WHEN duplicate_table THEN
		RAISE EXCEPTION 'tenant "%" was created by a concurrent transaction', tenant
			USING ERRCODE = 'serialization_failure', HINT = 'Retry the transaction.';
END
$$;
COMMENT ON FUNCTION ledger.ledger_create_tenant(text, jsonb) IS
	'Creates a tenant and its guarded leaf of ledger_events; an existing tenant is returned as it is. LG400: bad name or settings. LG409: exists with other settings. For ledger_operator.';
