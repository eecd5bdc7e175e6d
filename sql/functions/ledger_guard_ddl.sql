-- Event triggers call these.  Whoever is no superuser changes the ledger's objects
-- only in a migration: a transaction that has already written its row into
-- ledger_schema_migrations, and so leaves evidence; or inside the owner's SECURITY
-- DEFINER functions (a new tenant's leaf, pg_partman's maintenance).  A superuser
-- cannot be stopped: what he changes is recorded as an event.
CREATE FUNCTION ledger.ledger_ddl_allowed() RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF current_user = 'ledger_owner' AND session_user <> 'ledger_owner'
		AND current_setting('role') <> 'ledger_owner' THEN
		RETURN true;
	END IF;
	IF NOT pg_has_role(current_user, 'ledger_owner', 'USAGE') THEN
		RETURN false;
	END IF;
	RETURN EXISTS (SELECT FROM ledger.ledger_schema_migrations AS m
		WHERE m.xmin::text::bigint = pg_current_xact_id()::text::bigint % 4294967296);
END
$$;
COMMENT ON FUNCTION ledger.ledger_ddl_allowed() IS
	'May the current command change the ledger''s objects? In a recorded migration and inside the owner''s own functions only.';

CREATE FUNCTION ledger.ledger_record_guard_change(in_tag text, in_objects text[]) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	PERFORM ledger.ledger_append_own('ledger.guard_changed', jsonb_build_object(
		'command', in_tag, 'objects', to_jsonb(in_objects), 'role', session_user));
END
$$;
COMMENT ON FUNCTION ledger.ledger_record_guard_change(text, text[]) IS
	'Appends a ledger.guard_changed event: which command of which role changed which objects.';

CREATE FUNCTION ledger.ledger_judge_ddl(in_tag text, in_objects text[]) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF in_objects IS NULL OR ledger.ledger_ddl_allowed() THEN
		RETURN;
	END IF;
	IF NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user) THEN
		RAISE EXCEPTION '% of % is refused', in_tag, in_objects[1]
			USING ERRCODE = 'LG423', HINT = 'Change the ledger''s objects by a migration: migrations/README.md.';
	END IF;
	BEGIN
		PERFORM ledger.ledger_record_guard_change(in_tag, in_objects);
	EXCEPTION WHEN OTHERS THEN
		RAISE WARNING 'change of the ledger''s objects could not be recorded: %', SQLERRM;
	END;
END
$$;
COMMENT ON FUNCTION ledger.ledger_judge_ddl(text, text[]) IS
	'Refuses a change of the ledger''s objects (LG423), or records it if a superuser makes it.';

CREATE FUNCTION ledger.ledger_guard_ddl_end() RETURNS event_trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_objects text[];
BEGIN
	-- GRANT and REVOKE name no object: those of the owner's members are refused, those
	-- of a superuser show in the guard state.
	SELECT array_agg(DISTINCT coalesce(c.object_identity, c.object_type)) INTO v_objects
	FROM pg_event_trigger_ddl_commands() AS c
	WHERE c.schema_name = 'ledger' OR c.object_identity = 'ledger' OR c.object_identity LIKE '% on ledger.%'
		OR (c.command_tag IN ('GRANT', 'REVOKE') AND c.object_identity IS NULL
			AND pg_has_role(current_user, 'ledger_owner', 'USAGE')
			AND NOT (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user))
		OR (current_setting('role') = 'ledger_owner' AND c.object_type IN ('function', 'procedure'));
	PERFORM ledger.ledger_judge_ddl(tg_tag, v_objects);
END
$$;
COMMENT ON FUNCTION ledger.ledger_guard_ddl_end() IS
	'Event trigger on ddl_command_end: guards the ledger''s objects.';

CREATE FUNCTION ledger.ledger_guard_drop() RETURNS event_trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_objects text[];
BEGIN
	SELECT array_agg(d.object_identity) INTO v_objects
	FROM pg_event_trigger_dropped_objects() AS d
	WHERE NOT d.is_temporary AND d.original
		AND (d.schema_name = 'ledger' OR d.object_identity = 'ledger' OR d.object_identity LIKE '% on ledger.%');
	PERFORM ledger.ledger_judge_ddl(tg_tag, v_objects);
END
$$;
COMMENT ON FUNCTION ledger.ledger_guard_drop() IS
	'Event trigger on sql_drop: guards the ledger''s objects.';

CREATE FUNCTION ledger.ledger_guard_rewrite() RETURNS event_trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_objects text[];
BEGIN
	SELECT array_agg(format('%s', c.oid::regclass)) INTO v_objects
	FROM pg_class AS c
	WHERE c.oid = pg_event_trigger_table_rewrite_oid() AND c.relnamespace = 'ledger'::regnamespace;
	PERFORM ledger.ledger_judge_ddl(tg_tag, v_objects);
END
$$;
COMMENT ON FUNCTION ledger.ledger_guard_rewrite() IS
	'Event trigger on table_rewrite: guards the ledger''s tables (ALTER COLUMN … USING).';
