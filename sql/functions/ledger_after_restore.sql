-- Taking over a restored copy.  The procedure runs with the caller's rights, because
-- two steps need more than the owner of the ledger has: ALTER DATABASE wants the
-- database's owner, an event trigger a superuser.  What the caller may not do is
-- said with a hint and left; ledger_check_runtime() names it until it is done.

-- One event in each chain, so that whoever holds a later head of that chain from
-- before the restore finds the reason in the chain itself.  All or nothing: the
-- settings row is the lock, and the mark that this copy was taken over.
CREATE FUNCTION ledger.ledger_start_incarnation(reason text, OUT started integer, OUT verdict text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
DECLARE
	v_old    ledger.ledger_settings;
	v_new    uuid := gen_random_uuid();
	v_report jsonb;
	v_chain  record;
BEGIN
	IF reason IS NULL OR btrim(reason) = '' OR octet_length(reason) > 4096 THEN
		RAISE EXCEPTION 'a reason is required'
			USING ERRCODE = 'LG400', HINT = 'Say in up to 4096 bytes why there is a copy and what it was made from.';
	END IF;
	-- Triggers come after the data in a restore: nothing was checked on the way in.  What
	-- the chains say of it is what was found here, and nothing a caller could hand over.
	v_report := ledger.ledger_verify_report();
	verdict := v_report ->> 'verdict';
	SELECT s.* INTO STRICT v_old FROM ledger.ledger_settings AS s FOR UPDATE;
	IF v_old.home = ledger.ledger_home() THEN
		RETURN;
	END IF;
	FOR v_chain IN SELECT * FROM ledger.ledger_lock_chains()
	LOOP
		PERFORM ledger.ledger_append_own('ledger.incarnation_started', jsonb_build_object(
			'incarnation', v_old.incarnation + 1, 'lastSequence', v_chain.sequence_no,
			'oldInstance', v_old.instance_id, 'newInstance', v_new,
			'reason', reason, 'verification', jsonb_build_object('verdict', verdict, 'rows', v_report -> 'rows'))
			|| CASE WHEN v_chain.anchored_size IS NULL THEN '{}' ELSE jsonb_build_object('checkpoint', jsonb_build_object(
				'treeSize', v_chain.anchored_size, 'rootHash', encode(v_chain.anchored_root, 'hex'))) END,
			v_chain.tenant_id, v_chain.policy_version, v_chain.chain_id);
	END LOOP;
	UPDATE ledger.ledger_settings AS s
	   SET instance_id = v_new, incarnation = v_old.incarnation + 1, home = ledger.ledger_home(), restored_at = now();
	started := v_old.incarnation + 1;
END
$$;
COMMENT ON FUNCTION ledger.ledger_start_incarnation(text) IS
	'Verifies, and starts an incarnation if this is not the recorded copy: a ledger.incarnation_started event in every chain that has events, naming the last sequence present, the newest checkpoint known, both instances, the reason and the verdict; then a new instance_id. Returns its number, or NULL if none was due, and the verdict. LG400: no reason. The core of ledger_after_restore().';

-- NULL if the database's search_path names the schema, else the command that makes it so.
CREATE FUNCTION ledger.ledger_search_path_command() RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT format('ALTER DATABASE %I SET search_path = %s', current_database(),
		coalesce(s.path || ', ledger', '"$user", public, ledger'))
	FROM (SELECT (SELECT substring(c FROM 'search_path=(.*)')
	              FROM pg_db_role_setting AS r, unnest(r.setconfig) AS c
	              WHERE r.setrole = 0 AND c LIKE 'search_path=%'
	                AND r.setdatabase = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))) AS s (path)
	WHERE s.path IS NULL OR NOT 'ledger' = ANY (string_to_array(replace(replace(s.path, '"', ''), ' ', ''), ','))
	$$;
COMMENT ON FUNCTION ledger.ledger_search_path_command() IS
	'The ALTER DATABASE that puts schema ledger on this database''s search_path, or NULL if it is there.';

CREATE FUNCTION ledger.ledger_mend_event_triggers() RETURNS text[]
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_mended text[] := '{}';
	v_guard  record;
BEGIN
	FOR v_guard IN
		SELECT w.name, w.event
		FROM (VALUES ('ledger_guard_start', 'ddl_command_start'), ('ledger_guard_ddl_end', 'ddl_command_end'), ('ledger_guard_drop', 'sql_drop'),
			('ledger_guard_rewrite', 'table_rewrite')) AS w (name, event)
		JOIN ledger.ledger_guard_triggers() AS g ON g.guard = 'event trigger' AND g.object = w.name AND NOT g.ok
	LOOP
		IF EXISTS (SELECT FROM pg_event_trigger AS e WHERE e.evtname = v_guard.name) THEN
			EXECUTE format('DROP EVENT TRIGGER %I', v_guard.name);
		END IF;
		EXECUTE format('CREATE EVENT TRIGGER %I ON %s EXECUTE FUNCTION ledger.%I()', v_guard.name, v_guard.event, v_guard.name);
		EXECUTE format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', v_guard.name);
		EXECUTE format('COMMENT ON EVENT TRIGGER %I IS %L', v_guard.name, 'Findings Ledger: guards the ledger''s objects');
		v_mended := v_mended || v_guard.name;
	END LOOP;
	RETURN v_mended;
END
$$;
COMMENT ON FUNCTION ledger.ledger_mend_event_triggers() IS
	'Makes again the ledger''s event triggers that are missing or not as they must be; returns their names. Runs with the caller''s rights: a superuser''s.';

-- A table's lock, because anyone could hold an advisory one; appends go on.
CREATE FUNCTION ledger.ledger_lock_copy() RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	LOCK TABLE ledger.ledger_settings IN SHARE UPDATE EXCLUSIVE MODE;
END
$$;
COMMENT ON FUNCTION ledger.ledger_lock_copy() IS
	'Lets one transaction at a time take over a copy. Part of ledger_after_restore().';

CREATE PROCEDURE ledger.ledger_after_restore(reason text)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	-- It may be called in the session that ran a plain dump, which has left it off.
	SET row_security = on
	AS $$
DECLARE
	v_superuser boolean := (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user);
	v_command   text := ledger.ledger_search_path_command();
	v_outcome   record;
	v_left      record;
BEGIN
	-- A second caller waits before it reads anything: maintenance must not wait for its locks.
	PERFORM ledger.ledger_lock_copy();
	IF v_command IS NOT NULL AND (v_superuser OR pg_has_role(
		(SELECT d.datdba FROM pg_database AS d WHERE d.datname = current_database()), 'USAGE')) THEN
		EXECUTE v_command;
	END IF;
	IF v_superuser THEN
		PERFORM ledger.ledger_mend_event_triggers();
	END IF;
	SELECT * INTO v_outcome FROM ledger.ledger_start_incarnation(reason);
	-- Behind the chains' locks, as an append has them: the other way round both could wait for each other.
	BEGIN
		PERFORM ledger.ledger_maintenance_tick() WHERE EXISTS (SELECT FROM ledger.ledger_partition_problems());
	EXCEPTION WHEN SQLSTATE 'LG503' OR insufficient_privilege THEN
		NULL; -- no pg_partman, or no right to it: named below, and no reason to keep the copy from going on
	END;
	IF v_outcome.started IS NULL THEN
		RAISE NOTICE 'this is the recorded copy: no incarnation was started';
	ELSE
		RAISE NOTICE 'incarnation % started', v_outcome.started;
	END IF;
	IF v_outcome.verdict <> 'clean' THEN
		RAISE WARNING 'verification says: %', v_outcome.verdict
			USING HINT = 'SELECT * FROM ledger.ledger_verify(), as a role that may touch every tenant.';
	END IF;
	FOR v_left IN SELECT c.* FROM ledger.ledger_check_runtime() AS c WHERE NOT c.ok
	LOOP
		RAISE WARNING '%: %', v_left.check_name, v_left.detail USING HINT = v_left.hint;
	END LOOP;
END
$$;
COMMENT ON PROCEDURE ledger.ledger_after_restore(text) IS
	'Takes over a restored copy: sets the database''s search_path (as its owner or a superuser), makes event triggers that are missing (as a superuser), registers the partitions and runs their maintenance, verifies, and starts an incarnation, once for each copy. What is left to do is warned of, with a hint. LG400: no reason. For ledger_operator.';
