-- Can this database run the ledger as it is?  Asked after a restore, an upgrade, a
-- failover, and by whoever watches the server.  Each part answers rows
-- (check_name, ok, detail, hint); the hint says what to do and is NULL where all is well.
-- All run with the caller's rights: in a copy restored without owners or privileges
-- the owner could not even be asked.

CREATE FUNCTION ledger.ledger_check_software()
	RETURNS TABLE (check_name text, ok boolean, detail text, hint text)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT 'extension version', p.problem IS NULL,
		format('extension %s, library %s, schema %s', v.installed, v.library, v.wanted), p.problem
	FROM (SELECT e.extversion AS installed, ledger.ledger_library_version() AS library, ledger.ledger_schema_version() AS wanted
	      FROM pg_extension AS e WHERE e.extname = 'findings_ledger') AS v,
		LATERAL (SELECT CASE
			WHEN string_to_array(v.library, '.')::integer[] < string_to_array(v.wanted, '.')::integer[]
			THEN format('Install findings_ledger %s or newer on this server and reconnect; then, as superuser: ALTER EXTENSION findings_ledger UPDATE.', v.wanted)
			WHEN v.library <> v.installed
			THEN format('As superuser: ALTER EXTENSION findings_ledger UPDATE TO %L; or install version %s of the library.', v.library, v.installed)
			WHEN split_part(v.library, '.', 1) <> split_part(v.wanted, '.', 1)
			THEN 'Run the migrations of this release: ledgerctl migrate.' END) AS p (problem)
	UNION ALL
	SELECT 'encoding', e.name = 'UTF8', e.name,
		CASE WHEN e.name <> 'UTF8' THEN 'Restore into a database made with ENCODING ''UTF8'' TEMPLATE template0.' END
	FROM (SELECT current_setting('server_encoding')) AS e (name)
	UNION ALL
	SELECT 'search_path', c.command IS NULL,
		CASE WHEN c.command IS NULL THEN 'names ledger' ELSE 'of the database does not name ledger: a dump does not carry it' END,
		'As owner of the database or superuser: CALL ledger.ledger_after_restore(reason), or ' || c.command || '.'
	FROM (SELECT ledger.ledger_search_path_command()) AS c (command)
	UNION ALL
	SELECT 'migrations', count(*) FILTER (WHERE m.event_id IS NULL) = 0,
		format('%s applied, %s of them without an event', count(*), count(*) FILTER (WHERE m.event_id IS NULL)),
		CASE WHEN bool_or(m.event_id IS NULL) THEN 'Run ledgerctl migrate again.' END
	FROM ledger.ledger_schema_migrations AS m
	$$;
COMMENT ON FUNCTION ledger.ledger_check_software() IS
	'The part of ledger_check_runtime() about versions, encoding, search_path and migrations.';

CREATE FUNCTION ledger.ledger_check_copy()
	RETURNS TABLE (check_name text, ok boolean, detail text, hint text)
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
	WITH homes AS (
		SELECT s.incarnation, string_to_array(s.home, '/') AS recorded, string_to_array(ledger.ledger_home(), '/') AS here
		FROM ledger.ledger_settings AS s
	)
	SELECT 'copy', h.recorded[1:2] = h.here[1:2],
		CASE WHEN h.recorded[1:2] = h.here[1:2] THEN format('incarnation %s', h.incarnation)
		     ELSE format('incarnation %s lives elsewhere: this is a copy of it', h.incarnation) END,
		CASE WHEN h.recorded[1:2] <> h.here[1:2] THEN 'If it is to go on from here: CALL ledger.ledger_after_restore(reason).' END
	FROM homes AS h
	UNION ALL
	SELECT 'timeline', h.recorded[3] = h.here[3] OR h.recorded[1:2] <> h.here[1:2],
		CASE WHEN h.recorded[3] = h.here[3] OR h.recorded[1:2] <> h.here[1:2] THEN format('timeline %s', h.here[3])
		     ELSE format('timeline %s, recorded is %s: promoted or recovered to a point in time, which may have lost events', h.here[3], h.recorded[3]) END,
		CASE WHEN h.recorded[3] <> h.here[3] AND h.recorded[1:2] = h.here[1:2]
		     THEN 'Write it into the chains: CALL ledger.ledger_after_restore(reason).' END
	FROM homes AS h
	UNION ALL
	SELECT 'partitions', p.problem IS NULL, coalesce(p.problem, 'registered and made ahead'),
		CASE WHEN p.problem IS NOT NULL THEN
			coalesce(p.cure, 'CALL ledger.ledger_after_restore(reason), or SELECT ledger.ledger_maintenance_tick().') END
	FROM (SELECT string_agg(q.problem, '; ' ORDER BY q.problem), min(q.cure)
	      FROM ledger.ledger_partition_problems() AS q) AS p (problem, cure)
	$$;
COMMENT ON FUNCTION ledger.ledger_check_copy() IS
	'The part of ledger_check_runtime() about what a dump cannot carry: whether this is the recorded copy, and the partitions.';

-- Roles and grants are the cluster's: a dump without the globals, or a restore with
-- --no-acl, leaves functions that PUBLIC may call and groups that may do nothing.
CREATE FUNCTION ledger.ledger_privilege_problems() RETURNS SETOF text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT format('%s lacks %s on %s', w.role, w.privilege, w.object)
	FROM (VALUES ('ledger_reader', 'SELECT', 'ledger_events'), ('ledger_reader', 'SELECT', 'findings_projection'),
		('ledger_auditor', 'SELECT', 'ledger_events'), ('ledger_auditor', 'SELECT', 'ledger_settings'),
		('ledger_auditor', 'SELECT', 'ledger_merkle_roots'), ('ledger_anchorer', 'SELECT', 'ledger_keys'),
		('ledger_loader', 'INSERT', 'ledger_events')) AS w (role, privilege, object)
	JOIN pg_roles AS r ON r.rolname = w.role
	WHERE NOT has_table_privilege(r.oid, format('ledger.%I', w.object), w.privilege)
	UNION ALL
	SELECT 'ledger_backup is no member of pg_read_all_data'
	FROM pg_roles AS r WHERE r.rolname = 'ledger_backup' AND NOT pg_has_role(r.oid, 'pg_read_all_data', 'USAGE')
	UNION ALL
	SELECT 'ledger_gateway is no member of ' || w.name
	FROM (VALUES ('ledger_reader'), ('ledger_writer'), ('ledger_auditor'), ('ledger_anchorer')) AS w (name)
	JOIN pg_roles AS r ON r.rolname = 'ledger_gateway' JOIN pg_roles AS g ON g.rolname = w.name
	WHERE NOT pg_has_role(r.oid, g.oid, 'USAGE')
	UNION ALL
	SELECT format('%s may not use schema ledger', r.rolname)
	FROM pg_roles AS r
	WHERE r.rolname IN ('ledger_owner', 'ledger_reader', 'ledger_writer', 'ledger_auditor', 'ledger_operator', 'ledger_anchorer', 'ledger_gateway', 'ledger_loader', 'ledger_backup')
		AND NOT has_schema_privilege(r.oid, 'ledger', 'USAGE')
	UNION ALL
	SELECT format('%s may not execute %s()', w.role, p.proname)
	FROM (VALUES ('ledger_writer', 'ledger_append'), ('ledger_reader', 'ledger_verify'),
		('ledger_auditor', 'ledger_guard_state'), ('ledger_operator', 'ledger_create_tenant'),
		('ledger_anchorer', 'ledger_anchor_tick'), ('ledger_anchorer', 'ledger_store_signature'),
		('ledger_gateway', 'ledger_http_append')) AS w (role, name)
	JOIN pg_roles AS r ON r.rolname = w.role
	JOIN pg_proc AS p ON p.proname = w.name AND p.pronamespace = 'ledger'::regnamespace
	WHERE NOT has_function_privilege(r.oid, p.oid, 'EXECUTE')
	UNION ALL
	SELECT format('ledger_owner may not execute %s()', p.proname)
	FROM pg_proc AS p JOIN pg_roles AS r ON r.rolname = 'ledger_owner'
	WHERE p.pronamespace = 'ledger'::regnamespace AND NOT has_function_privilege(r.oid, p.oid, 'EXECUTE')
	UNION ALL
	SELECT format('PUBLIC may execute %s()', p.proname)
	FROM pg_proc AS p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
	WHERE p.pronamespace = 'ledger'::regnamespace AND p.prosecdef AND a.grantee = 0
	$$;
COMMENT ON FUNCTION ledger.ledger_privilege_problems() IS
	'One text for each privilege that a role of the ledger lacks, or that PUBLIC has and must not.';

CREATE FUNCTION ledger.ledger_check_access()
	RETURNS TABLE (check_name text, ok boolean, detail text, hint text)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	WITH problem (check_name, text) AS (
		SELECT 'roles', CASE WHEN r.oid IS NULL THEN w.name || ' is missing' ELSE w.name || ' has other attributes' END
		FROM (VALUES ('ledger_owner', false), ('ledger_reader', false), ('ledger_writer', false), ('ledger_auditor', false),
			('ledger_operator', false), ('ledger_anchorer', false), ('ledger_gateway', false), ('ledger_loader', true), ('ledger_backup', true)) AS w (name, bypass_rls)
		LEFT JOIN pg_roles AS r ON r.rolname = w.name
		WHERE (r.rolbypassrls = w.bypass_rls AND NOT (r.rolcanlogin OR r.rolsuper OR r.rolcreaterole OR r.rolcreatedb)) IS NOT TRUE
		UNION ALL
		SELECT DISTINCT 'tenant grants', format('role %s of ledger_tenant_grants does not exist', g.role_name)
		FROM ledger.ledger_tenant_grants AS g
		WHERE NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = g.role_name)
		UNION ALL
		SELECT 'privileges', p FROM ledger.ledger_privilege_problems() AS p
		UNION ALL
		SELECT CASE g.guard WHEN 'setting' THEN 'settings' ELSE 'guards' END, format('%s %s: %s', g.guard, g.object, g.state)
		FROM ledger.ledger_guard_state() AS g WHERE NOT g.ok
	)
	SELECT w.name, count(p.text) = 0, coalesce(string_agg(p.text, '; ' ORDER BY p.text), 'as they must be'),
		CASE WHEN count(p.text) > 0 THEN w.hint END
	FROM (VALUES
		(1, 'roles', 'As superuser: psql -f sql/bootstrap/roles.sql, or load pg_dumpall --globals-only.'),
		(2, 'tenant grants', 'Make the role (pg_dumpall --globals-only), or take the grant back: ledger_revoke_tenant().'),
		(3, 'privileges', 'Restore with owners and privileges: without --no-owner and --no-acl, after the roles exist. Or as superuser: the GRANTs of sql/bootstrap/schema.sql, and sql/privileges/grants.sql.'),
		(4, 'guards', 'SELECT * FROM ledger.ledger_guard_state() WHERE NOT ok. Event triggers are made again by a superuser''s CALL ledger.ledger_after_restore(reason); for the rest, restore the whole dump.'),
		(5, 'settings', 'These settings weaken durability: set them back.')) AS w (n, name, hint)
	LEFT JOIN problem AS p ON p.check_name = w.name
	GROUP BY w.n, w.name, w.hint
	ORDER BY w.n
	$$;
COMMENT ON FUNCTION ledger.ledger_check_access() IS
	'The part of ledger_check_runtime() about roles, tenant grants, privileges, guards and settings.';

CREATE FUNCTION ledger.ledger_check_runtime()
	RETURNS TABLE (check_name text, ok boolean, detail text, hint text)
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT * FROM ledger.ledger_check_software()
	UNION ALL SELECT * FROM ledger.ledger_check_copy()
	UNION ALL SELECT * FROM ledger.ledger_check_access()
	$$;
COMMENT ON FUNCTION ledger.ledger_check_runtime() IS
	'Whether this database can run the ledger as it is, one row a check: extension version, encoding, search_path, migrations, copy (is this the recorded copy or a restored one), timeline, partitions, roles, tenant grants, privileges, guards, settings. Where ok is false, hint says what to do. For ledger_auditor and ledger_operator.';
