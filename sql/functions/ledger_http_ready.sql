-- Can a gateway do its work with this database?  Asked every second or so, so only what is
-- cheap: triggers, event triggers and row security of ledger_guard_state(), not its hashes
-- of every function, which ledger_check_runtime() and every anchor look at.

CREATE FUNCTION ledger.ledger_ready_guards() RETURNS bigint
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp SET jit = off
	AS $$
	SELECT (SELECT count(*) FROM ledger.ledger_guard_triggers() AS g WHERE NOT g.ok)
		+ (SELECT count(*) FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid
		   WHERE p.polname = 'tenant_selected' AND c.relnamespace = 'ledger'::regnamespace
			AND NOT (c.relrowsecurity AND c.relforcerowsecurity))
	$$;
COMMENT ON FUNCTION ledger.ledger_ready_guards() IS
	'How many triggers, rules, event triggers and tables with row security are not as the ledger left them. Part of ledger_http_ready().';

-- Late is three intervals.  A tenant's own rule counts before the gateway's, that before the database's.
CREATE FUNCTION ledger.ledger_ready_anchors(in_interval interval, OUT late bigint, OUT longest interval, OUT unsigned_late bigint, OUT tenants bigint)
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp SET jit = off
	AS $$
	WITH rule AS (
		SELECT t.tenant_id, 3 * coalesce(least(t.anchor_window, nullif(t.anchor_interval, '0')), in_interval,
			least(current_setting('ledger.anchor_window')::interval, nullif(current_setting('ledger.anchor_interval')::interval, '0'))) AS age
		FROM ledger.ledger_tenants AS t
	), chain AS (
		SELECT w.tenant_id, now() - w.waiting_since AS waiting, now() - w.waiting_since > r.age AS late, (
			-- Of the anchors that had their time, the newest.  Without a key nobody signs.
			SELECT strpos(a.checkpoint, E'\n\n') = 0 FROM ledger.ledger_merkle_roots AS a
			WHERE NOT w.signed AND a.tenant_id = w.tenant_id AND a.chain_id = w.chain_id AND a.anchored_at < now() - r.age
				AND EXISTS (SELECT FROM ledger.ledger_keys AS k
				            WHERE k.purpose = 'log' AND k.retired_at IS NULL AND k.revoked_at IS NULL)
			ORDER BY a.tree_size DESC LIMIT 1) AS unsigned_late
		FROM ledger.ledger_watch() AS w JOIN rule AS r USING (tenant_id)
	)
	SELECT count(*) FILTER (WHERE c.late), max(c.waiting) FILTER (WHERE c.late), count(*) FILTER (WHERE c.unsigned_late),
		count(DISTINCT c.tenant_id) FILTER (WHERE c.late OR c.unsigned_late)
	FROM chain AS c
	$$;
COMMENT ON FUNCTION ledger.ledger_ready_anchors(interval) IS
	'How many chains have events that have waited for an anchor for more than three intervals, and the longest wait; how many have had an anchor without a signature for as long while there is a key; of how many tenants. Part of ledger_http_ready().';

CREATE FUNCTION ledger.ledger_http_ready(expected_schema text, anchor_interval interval DEFAULT NULL)
	RETURNS TABLE (name text, ok boolean, degraded boolean, detail text)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
DECLARE
	-- First: the settings ledger.anchor_… are there when the library is.
	v_library text := ledger.ledger_library_version();
	v_schema  text := ledger.ledger_schema_version();
	v_pending bigint := (SELECT count(*) FROM ledger.ledger_schema_migrations AS m WHERE m.event_id IS NULL);
	v_guards  bigint := ledger.ledger_ready_guards();
	v_anchors record;
	v_late    text[];
	v_weak    text[];
BEGIN
	name := 'migrations';
	ok := v_pending = 0 AND split_part(v_schema, '.', 1) = split_part(expected_schema, '.', 1)
		AND string_to_array(v_schema, '.')::integer[] >= string_to_array(expected_schema, '.')::integer[]
		AND string_to_array(v_library, '.')::integer[] >= string_to_array(v_schema, '.')::integer[];
	degraded := false;
	detail := CASE WHEN v_pending > 0 THEN format('migrations without an event: %s; run ledgerctl migrate again', v_pending)
		WHEN NOT ok THEN format('schema %s, library %s; the gateway was built for %s', v_schema, v_library, expected_schema)
		ELSE format('schema %s', v_schema) END;
	RETURN NEXT;

	name := 'guards';
	ok := v_guards = 0;
	detail := CASE WHEN ok THEN 'on' ELSE format('not as the ledger left them: %s; ledger_check_runtime() names them', v_guards) END;
	RETURN NEXT;

	SELECT * INTO v_anchors FROM ledger.ledger_ready_anchors(anchor_interval);
	v_late := array_remove(ARRAY[
		CASE WHEN v_anchors.late > 0 THEN format('chains that wait for an anchor: %s, the longest for %s s', v_anchors.late,
			round(extract(epoch FROM v_anchors.longest))) END,
		CASE WHEN v_anchors.unsigned_late > 0 THEN format('chains that wait for a signature: %s', v_anchors.unsigned_late) END], NULL);
	name := 'anchoring';
	ok := true;
	degraded := v_late <> '{}';
	detail := CASE WHEN degraded THEN array_to_string(v_late, '; ') ELSE 'in time' END;
	RETURN NEXT;

	SELECT array_agg(s.name || ' is ' || current_setting(s.name, true) ORDER BY s.name) INTO v_weak
	FROM (VALUES ('ledger.allow_lossy_append', 'off'), ('fsync', 'on'), ('full_page_writes', 'on')) AS s (name, wanted)
	WHERE coalesce(current_setting(s.name, true), 'off') <> s.wanted;
	name := 'durability';
	degraded := v_weak IS NOT NULL;
	detail := coalesce(array_to_string(v_weak, ', '), 'as it must be');
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_ready(text, interval) IS
	'Whether a gateway built for a schema version can work with this database, one row a check: migrations, guards, anchoring, durability. ok false: it cannot; degraded: it can, and somebody should look. anchor_interval: how often chains without a rule of their own are anchored, NULL: as the database''s settings say. For ledger_auditor, ledger_operator and ledger_anchorer.';
