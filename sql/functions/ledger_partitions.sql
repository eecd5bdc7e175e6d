-- The one place that knows pg_partman's signatures: 4.x takes a partition type
-- 'native' and interval words, 5.x takes intervals.
CREATE FUNCTION ledger.ledger_ensure_partitions() RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_intent record;
	v_major  integer;
	v_count  integer := 0;
BEGIN
	SELECT split_part(extversion, '.', 1)::integer INTO v_major FROM pg_extension WHERE extname = 'pg_partman';
	IF NOT FOUND THEN
		RAISE EXCEPTION 'extension pg_partman is not installed'
			USING ERRCODE = 'LG503', HINT = 'A superuser runs: CREATE EXTENSION pg_partman SCHEMA partman.';
	END IF;
	FOR v_intent IN
		SELECT i.* FROM ledger.ledger_partition_intent AS i
		WHERE NOT EXISTS (SELECT FROM partman.part_config AS c WHERE c.parent_table = i.parent_table)
		ORDER BY i.parent_table
	LOOP
		IF v_major >= 5 THEN
			EXECUTE 'SELECT partman.create_parent(p_parent_table => $1, p_control => $2, p_interval => $3, p_premake => $4)'
			USING v_intent.parent_table, v_intent.control_column,
				CASE v_intent.step WHEN 'daily' THEN '1 day' WHEN 'weekly' THEN '1 week' ELSE '1 month' END,
				v_intent.premake;
		ELSE
			EXECUTE 'SELECT partman.create_parent($1, $2, ''native'', $3, p_premake => $4, p_jobmon => false)'
			USING v_intent.parent_table, v_intent.control_column, v_intent.step, v_intent.premake;
		END IF;
		v_count := v_count + 1;
	END LOOP;
	-- Retention follows the intent; partitions that are aged out are detached and kept.
	UPDATE partman.part_config AS c
	   SET retention = i.retention::text, retention_keep_table = true, infinite_time_partitions = true
	  FROM ledger.ledger_partition_intent AS i
	 WHERE i.parent_table = c.parent_table
	   AND (c.retention IS DISTINCT FROM i.retention::text OR NOT c.retention_keep_table
	        OR NOT c.infinite_time_partitions);
	RETURN v_count;
END
$$;
COMMENT ON FUNCTION ledger.ledger_ensure_partitions() IS
	'Registers with pg_partman what ledger_partition_intent wants and is not registered yet, and sets its retention; returns how many tables were registered. Works with pg_partman 4 and 5.';

CREATE FUNCTION ledger.ledger_maintenance_tick() RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_parent text;
BEGIN
	-- Any number of drivers may call; one works, the others go home.
	IF NOT pg_try_advisory_xact_lock(7310, 1) THEN
		RETURN false;
	END IF;
	PERFORM ledger.ledger_ensure_partitions();
	FOR v_parent IN SELECT i.parent_table FROM ledger.ledger_partition_intent AS i ORDER BY 1
	LOOP
		PERFORM partman.run_maintenance(v_parent, p_jobmon => false);
	END LOOP;
	RETURN true;
END
$$;
COMMENT ON FUNCTION ledger.ledger_maintenance_tick() IS
	'Makes coming partitions and ages out old ones through pg_partman. Idempotent, safe from several drivers: false if another one is at work. Call it hourly.';
