-- The one place that knows pg_partman.  4.x says 'native' and takes interval words,
-- 5.x says 'range' and takes intervals; the rest of what is used here is the same.
--
-- Bounds are computed in UTC whoever calls: in another time zone the next month
-- would begin hours off, and partitions would gape or overlap.

-- pg_partman looks in pg_temp before pg_catalog, and names some catalogs without
-- their schema.  A caller's temporary view of such a name would run its functions
-- as the owner.
CREATE FUNCTION ledger.ledger_refuse_shadows() RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_name name;
BEGIN
	SELECT c.relname INTO v_name FROM pg_class AS c
	WHERE c.relnamespace = pg_my_temp_schema() AND (starts_with(c.relname::text, 'pg_') OR starts_with(c.relname::text, 'partman'))
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'maintenance is refused: the session has a temporary relation "%"', v_name
			USING ERRCODE = 'LG403', HINT = 'Drop it, or use another session.';
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_refuse_shadows() IS
	'Refuses to go on (LG403) where the session has temporary relations that pg_partman would take for catalogs.';

-- Rows that a tick came too late for, or that an import brought from earlier months,
-- lie in the default partition, and a partition made for their month would be
-- refused while they do.  They are moved here and not by partition_data_time(),
-- which works through a temporary table: a caller could have made one of that name
-- beforehand, with a trigger that would run as the owner.
CREATE FUNCTION ledger.ledger_sort_default(in_intent ledger.ledger_partition_intent) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET timezone = 'UTC'
	AS $$
DECLARE
	v_unit    text := CASE in_intent.step WHEN 'daily' THEN 'day' WHEN 'weekly' THEN 'week' ELSE 'month' END;
	v_default text;
	v_start   timestamptz;
	v_target  record;
	v_rows    bigint;
	v_moved   bigint := 0;
BEGIN
	SELECT c.oid::regclass::text INTO v_default
	FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
	WHERE i.inhparent = in_intent.parent_table::regclass AND pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT';
	IF NOT FOUND THEN
		RETURN 0;
	END IF;
	EXECUTE format('SELECT min(%I) FROM %s', in_intent.control_column, v_default) INTO v_start;
	IF v_start IS NULL THEN
		RETURN 0;
	END IF;
	EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', in_intent.parent_table, v_default);
	WHILE v_start IS NOT NULL
	LOOP
		v_start := date_trunc(v_unit, v_start);
		PERFORM partman.create_partition_time(p_parent_table => in_intent.parent_table, p_partition_times => ARRAY[v_start]);
		-- A window that was aged out before is a table of that name, no longer attached.
		SELECT n.partition_schema, n.partition_table INTO v_target
		FROM partman.show_partition_name(in_intent.parent_table, v_start::text) AS n;
		EXECUTE format('WITH moved AS (DELETE FROM %1$s WHERE %2$I < %3$L RETURNING *)
			INSERT INTO %4$I.%5$I SELECT * FROM moved ON CONFLICT DO NOTHING',
			v_default, in_intent.control_column, v_start + ('1 ' || v_unit)::interval,
			v_target.partition_schema, v_target.partition_table);
		GET DIAGNOSTICS v_rows = ROW_COUNT;
		v_moved := v_moved + v_rows;
		EXECUTE format('SELECT min(%I) FROM %s', in_intent.control_column, v_default) INTO v_start;
	END LOOP;
	EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s DEFAULT', in_intent.parent_table, v_default);
	RETURN v_moved;
END
$$;
COMMENT ON FUNCTION ledger.ledger_sort_default(ledger.ledger_partition_intent) IS
	'Moves the rows of a default partition to partitions of their own time, made where missing; returns how many. Locks the table while it works, which is only if there are any.';

-- A restored table has its partitions already, perhaps named by another version of
-- pg_partman: then it is registered as it stands.  create_parent() would make
-- partitions of the same months under its own names.
CREATE FUNCTION ledger.ledger_register_partitions(in_intent ledger.ledger_partition_intent, in_major integer) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET timezone = 'UTC'
	AS $$
DECLARE
	v_interval text := CASE in_intent.step WHEN 'daily' THEN '1 day' WHEN 'weekly' THEN '1 week' ELSE '1 month' END;
	v_template text := 'partman.template_' || replace(in_intent.parent_table, '.', '_');
	v_suffix   text;
BEGIN
	SELECT substring(c.relname FROM '_p([0-9w_]+)$') INTO v_suffix
	FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
	WHERE i.inhparent = in_intent.parent_table::regclass AND c.relname ~ '_p[0-9w_]+$'
	ORDER BY c.relname DESC LIMIT 1;
	IF v_suffix IS NOT NULL THEN
		INSERT INTO partman.part_config
			(parent_table, control, partition_type, partition_interval, premake, datetime_string, template_table)
		VALUES (in_intent.parent_table, in_intent.control_column, CASE WHEN in_major >= 5 THEN 'range' ELSE 'native' END,
			v_interval::interval::text, in_intent.premake,
			CASE WHEN v_suffix ~ '^[0-9]{4}_[0-9]{2}$' THEN 'YYYY_MM'
			     WHEN v_suffix ~ '^[0-9]{4}_[0-9]{2}_[0-9]{2}$' THEN 'YYYY_MM_DD'
			     WHEN v_suffix ~ '^[0-9]{4}w[0-9]{2}$' THEN 'IYYY"w"IW'
			     ELSE 'YYYYMMDD' END,
			CASE WHEN to_regclass(v_template) IS NOT NULL THEN v_template END);
	ELSIF in_major >= 5 THEN
		EXECUTE 'SELECT partman.create_parent(p_parent_table => $1, p_control => $2, p_interval => $3, p_premake => $4, p_jobmon => false)'
		USING in_intent.parent_table, in_intent.control_column, v_interval, in_intent.premake;
	ELSE
		EXECUTE 'SELECT partman.create_parent($1, $2, ''native'', $3, p_premake => $4, p_jobmon => false)'
		USING in_intent.parent_table, in_intent.control_column, in_intent.step, in_intent.premake;
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_register_partitions(ledger.ledger_partition_intent, integer) IS
	'Registers one table with pg_partman of that major version: as it stands if it has partitions, else with its first ones.';

-- Intervals are written into pg_partman's configuration: in one spelling, whoever calls.
CREATE FUNCTION ledger.ledger_ensure_partitions() RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET timezone = 'UTC'
	SET intervalstyle = 'postgres'
	AS $$
DECLARE
	v_intent ledger.ledger_partition_intent;
	v_major  integer;
	v_count  integer := 0;
BEGIN
	PERFORM ledger.ledger_refuse_shadows();
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
		PERFORM ledger.ledger_register_partitions(v_intent, v_major);
		v_count := v_count + 1;
	END LOOP;
	-- The intent decides; partitions that are aged out are detached and kept.
	UPDATE partman.part_config AS c
	   SET premake = i.premake, retention = i.retention::text, retention_keep_table = true,
	       infinite_time_partitions = true, automatic_maintenance = 'off'
	  FROM ledger.ledger_partition_intent AS i
	 WHERE i.parent_table = c.parent_table
	   AND (c.premake <> i.premake OR c.retention IS DISTINCT FROM i.retention::text
	        OR NOT c.retention_keep_table OR NOT c.infinite_time_partitions OR c.automatic_maintenance <> 'off');
	RETURN v_count;
END
$$;
COMMENT ON FUNCTION ledger.ledger_ensure_partitions() IS
	'Registers with pg_partman what ledger_partition_intent wants and is not registered yet, and sets its premake and retention; returns how many tables were registered. Works with pg_partman 4 and 5. LG503 no pg_partman, LG403 temporary relations that it would take for catalogs.';

-- What is detached moves the horizon, in the same transaction: the projection, a
-- rebuild and both verifiers then agree on what is expected.  Therefore no one else
-- may run this table's maintenance (automatic_maintenance is off): partitions that
-- vanish outside of here are history lost.
CREATE FUNCTION ledger.ledger_maintain_partitions(in_intent ledger.ledger_partition_intent) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET timezone = 'UTC'
	AS $$
DECLARE
	v_children oid[];
	v_ends     timestamptz[];
BEGIN
	PERFORM ledger.ledger_sort_default(in_intent);
	SELECT array_agg(c.oid), array_agg(substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO [(]''([^'']+)''[)]')::timestamptz)
	INTO v_children, v_ends
	FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
	WHERE i.inhparent = in_intent.parent_table::regclass;
	PERFORM partman.run_maintenance(in_intent.parent_table, p_jobmon => false);
	UPDATE ledger.ledger_partition_intent AS i
	   SET aged_out_before = greatest(i.aged_out_before, gone.until)
	  FROM (SELECT max(c.until) AS until
	        FROM unnest(v_children, v_ends) AS c (id, until)
	        WHERE NOT EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhrelid = c.id)) AS gone
	 WHERE i.parent_table = in_intent.parent_table AND gone.until IS NOT NULL;
END
$$;
COMMENT ON FUNCTION ledger.ledger_maintain_partitions(ledger.ledger_partition_intent) IS
	'Empties one table''s default partition, makes coming partitions, ages out old ones, and remembers up to when.';

CREATE FUNCTION ledger.ledger_maintenance_tick() RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	-- Any number of drivers may call; one works, the others go home.  Locks of rows that
	-- only the owner may update: anyone could hold an advisory lock.
	IF (SELECT count(*) FROM (SELECT FROM ledger.ledger_partition_intent FOR UPDATE SKIP LOCKED) AS mine)
			< (SELECT count(*) FROM ledger.ledger_partition_intent) THEN
		RETURN false;
	END IF;
	PERFORM ledger.ledger_ensure_partitions();
	PERFORM ledger.ledger_maintain_partitions(i) FROM ledger.ledger_partition_intent AS i;
	RETURN true;
END
$$;
COMMENT ON FUNCTION ledger.ledger_maintenance_tick() IS
	'Makes coming partitions, empties default ones and ages out old ones through pg_partman. Idempotent, safe from several drivers: false if another one is at work. Call it hourly. LG503: no pg_partman.';

CREATE FUNCTION ledger.ledger_set_retention(parent_table text, retention interval)
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET intervalstyle = 'postgres'
	AS $$
#variable_conflict use_variable
BEGIN
	IF retention <= interval '0' THEN
		RAISE EXCEPTION 'retention must be a positive interval'
			USING ERRCODE = 'LG400', HINT = 'NULL switches it off; what was aged out stays out.';
	END IF;
	UPDATE ledger.ledger_partition_intent AS i SET retention = retention WHERE i.parent_table = parent_table;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'table "%" is not aged by time', parent_table
			USING ERRCODE = 'LG404', HINT = 'ledger_partition_intent lists the tables that are.';
	END IF;
	PERFORM ledger.ledger_append_own('ledger.guard_changed', jsonb_build_object(
		'command', 'set retention', 'objects', jsonb_build_array(parent_table), 'retention', retention::text, 'role', session_user));
END
$$;
COMMENT ON FUNCTION ledger.ledger_set_retention(text, interval) IS
	'Sets after which time ledger_maintenance_tick() detaches a table''s old partitions (kept as tables, never dropped), or never again (NULL), and records it as an event. LG400 no positive interval, LG404 not a table aged by time. For ledger_operator.';

-- NULL, or the first thing that keeps one table's maintenance from its work.
CREATE FUNCTION ledger.ledger_partition_problem(in_intent ledger.ledger_partition_intent) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	SET timezone = 'UTC'
	AS $$
DECLARE
	v_width   interval := CASE in_intent.step WHEN 'daily' THEN '1 day' WHEN 'weekly' THEN '1 week' ELSE '1 month' END;
	v_default text;
	v_until   timestamptz;
	v_config  record;
	v_full    boolean;
BEGIN
	SELECT p.control, p.partition_interval::interval AS width INTO v_config
	FROM partman.part_config AS p WHERE p.parent_table = in_intent.parent_table;
	IF NOT FOUND THEN
		RETURN in_intent.parent_table || ' is not registered with pg_partman';
	ELSIF (v_config.control, v_config.width) IS DISTINCT FROM (in_intent.control_column, v_width) THEN
		RETURN in_intent.parent_table || ' is registered with another column or interval';
	END IF;
	SELECT max(substring(b.bound FROM 'TO [(]''([^'']+)''[)]')::timestamptz), min(b.name) FILTER (WHERE b.bound = 'DEFAULT')
	INTO v_until, v_default
	FROM (SELECT c.oid::regclass::text, pg_get_expr(c.relpartbound, c.oid)
	      FROM pg_inherits AS h JOIN pg_class AS c ON c.oid = h.inhrelid
	      WHERE h.inhparent = to_regclass(in_intent.parent_table)) AS b (name, bound);
	IF v_until IS NULL OR v_until < now() + v_width THEN
		RETURN format('%s has no partitions beyond %s', in_intent.parent_table, coalesce(v_until::date::text, 'its default'));
	ELSIF v_default IS NOT NULL THEN
		EXECUTE format('SELECT EXISTS (SELECT FROM %s)', v_default) INTO v_full;
		RETURN CASE WHEN v_full THEN v_default || ' holds rows' END;
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION ledger.ledger_partition_problem(ledger.ledger_partition_intent) IS
	'What keeps pg_partman''s maintenance of one table from its work: not registered or registered otherwise, no partitions ahead, rows in the default partition; or NULL.';

CREATE FUNCTION ledger.ledger_partition_problems() RETURNS TABLE (problem text, cure text)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_partman') THEN
		RETURN QUERY SELECT 'extension pg_partman is not installed', 'As superuser: CREATE EXTENSION pg_partman SCHEMA partman.';
	ELSIF NOT (has_schema_privilege('ledger', 'USAGE') AND has_schema_privilege('ledger', 'CREATE')
		AND has_schema_privilege('partman', 'USAGE') AND has_schema_privilege('partman', 'CREATE')) THEN
		RETURN QUERY SELECT 'ledger_owner may not work in schemas ledger and partman',
			'As superuser: the GRANTs of sql/bootstrap/schema.sql.';
	ELSE
		RETURN QUERY SELECT p.problem,
			CASE WHEN p.problem LIKE '% registered with another %' THEN
				format('As superuser: DELETE FROM partman.part_config WHERE parent_table = %L; then SELECT ledger.ledger_maintenance_tick().', p.parent_table) END
		FROM (SELECT i.parent_table, ledger.ledger_partition_problem(i) AS problem FROM ledger.ledger_partition_intent AS i) AS p
		WHERE p.problem IS NOT NULL;
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_partition_problems() IS
	'What keeps pg_partman''s maintenance from its work, one row a table, with a cure where it is not maintenance itself; or that pg_partman is not installed or not granted.';
