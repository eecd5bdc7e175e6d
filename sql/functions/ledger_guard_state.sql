-- Every guard as data.  What a privileged role switched off shows here, and so in
-- ledger_verify() as guard_missing.
CREATE FUNCTION ledger.ledger_guard_triggers()
	RETURNS TABLE (guard text, object text, state text, ok boolean, tenant_id text)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	-- Bits of pg_trigger.tgtype: 1 row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate, 64 instead.
	WITH on_parent (name, function, bits) AS (VALUES
		('zzzz_ledger_link', 'ledger_link', 1 + 2 + 4), ('ledger_refuse_row', 'ledger_refuse_change', 1 + 2 + 8 + 16),
		('ledger_refuse_statement', 'ledger_refuse_change', 2 + 8 + 16 + 32), ('ledger_project', 'ledger_project', 4)
	), on_leaf (name, function, bits) AS (VALUES
		('zzzz_ledger_link', 'ledger_link', 1 + 2 + 4), ('ledger_refuse_row', 'ledger_refuse_change', 1 + 2 + 8 + 16),
		('ledger_refuse_direct', 'ledger_refuse_direct', 2 + 4 + 8 + 16), ('ledger_refuse_truncate', 'ledger_refuse_change', 2 + 32)
	), on_others (relation, name, bits, condition) AS (VALUES
		('ledger_event_types', 'ledger_refuse_statement', 2 + 8 + 16 + 32, NULL),
		-- A migration's event may be filled in, once.
		('ledger_schema_migrations', 'ledger_refuse_row', 1 + 2 + 16, '*'),
		('ledger_schema_migrations', 'ledger_refuse_statement', 2 + 8 + 32, NULL)
	), append_only AS (
		SELECT t.relation, w.name, w.bits, NULL AS condition
		FROM (VALUES ('ledger_merkle_tiles'), ('ledger_anchor_receipts'), ('ledger_verification_marks'), ('ledger_access_log')) AS t (relation),
			(VALUES ('ledger_refuse_row', 1 + 2 + 8 + 16), ('ledger_refuse_statement', 2 + 8 + 16 + 32)) AS w (name, bits)
	), additive AS (
		SELECT t.relation, w.name, w.bits, CASE w.name WHEN 'ledger_refuse_row' THEN format('(NOT ledger.%s(old.*, new.*))', t.condition) END AS condition
		FROM (VALUES ('ledger_merkle_roots', 'ledger_anchor_only_adds'), ('ledger_keys', 'ledger_key_only_ends'),
				('ledger_key_ranges', 'ledger_range_only_narrows'), ('ledger_settings', 'ledger_origin_stays'),
				('ledger_attachments', 'ledger_attachment_only_rewraps')) AS t (relation, condition),
			(VALUES ('ledger_refuse_row', 1 + 2 + 16), ('ledger_refuse_delete', 1 + 2 + 8), ('ledger_refuse_statement', 2 + 8 + 32)) AS w (name, bits)
	), wanted AS (
		SELECT NULL::text AS tenant_id, 'ledger_events' AS relation, w.*, NULL AS condition FROM on_parent AS w
		UNION ALL
		SELECT t.tenant_id, t.leaf::text, w.*, NULL FROM ledger.ledger_tenants AS t, on_leaf AS w
		UNION ALL
		SELECT NULL, o.relation, o.name, 'ledger_refuse_change', o.bits, o.condition
		FROM (SELECT * FROM on_others UNION ALL SELECT * FROM append_only UNION ALL SELECT * FROM additive) AS o
	), found AS (
		SELECT c.relname, t.tgname, t.tgenabled, t.tgtype, p.proname, cardinality(t.tgattr::int2[]) > 0 AS partial,
			CASE WHEN t.tgqual IS NOT NULL
			     THEN translate(substring(pg_get_triggerdef(t.oid) FROM ' WHEN [(](.*)[)] EXECUTE '), '"', '') END AS condition,
			p.pronamespace = 'ledger'::regnamespace AS ours
		FROM pg_trigger AS t
		JOIN pg_class AS c ON c.oid = t.tgrelid
		JOIN pg_proc AS p ON p.oid = t.tgfoid
		WHERE c.relnamespace = 'ledger'::regnamespace AND NOT t.tgisinternal
	), judged AS (
		SELECT w.tenant_id, w.relation, w.name,
			CASE WHEN f.tgname IS NULL THEN 'missing'
			     WHEN NOT f.ours OR f.proname <> w.function THEN 'runs another function'
			     WHEN f.tgenabled <> 'A' THEN format('not enabled always (%s)', f.tgenabled)
			     WHEN f.partial OR (f.condition IS DISTINCT FROM w.condition AND w.condition IS DISTINCT FROM '*')
			       OR (f.tgtype & w.bits) <> w.bits OR (f.tgtype & 67) <> (w.bits & 67)
			     THEN 'does not fire for every row or statement that it must'
			     ELSE 'enabled always' END AS state
		FROM wanted AS w
		-- The triggers of a table that is gone are not reported one by one.
		JOIN pg_class AS c ON c.relname = w.relation AND c.relnamespace = 'ledger'::regnamespace
		LEFT JOIN found AS f ON f.relname = w.relation AND f.tgname = w.name
	)
	SELECT 'trigger', format('%s on %s', j.name, j.relation), j.state, j.state = 'enabled always', j.tenant_id
	FROM judged AS j
	UNION ALL
	SELECT 'foreign trigger', format('%s on %s', f.tgname, f.relname), 'present', false, t.tenant_id
	FROM found AS f LEFT JOIN ledger.ledger_tenants AS t ON t.leaf = f.relname
	WHERE EXISTS (SELECT FROM wanted AS w WHERE w.relation = f.relname)
		AND NOT EXISTS (SELECT FROM wanted AS w WHERE w.relation = f.relname AND w.name = f.tgname)
	UNION ALL
	SELECT 'foreign rule', format('%s on %s', r.rulename, c.relname), 'present', false, t.tenant_id
	FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = r.ev_class
	LEFT JOIN ledger.ledger_tenants AS t ON t.leaf = c.relname
	WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p')
	UNION ALL
	SELECT 'event trigger', w.name,
		CASE WHEN e.evtname IS NULL THEN 'missing'
		     WHEN e.evtevent <> w.event OR e.evttags IS NOT NULL THEN 'fires elsewhere'
		     WHEN p.proname <> w.name OR p.pronamespace <> 'ledger'::regnamespace THEN 'runs another function'
		     WHEN e.evtenabled <> 'A' THEN 'not enabled always (' || e.evtenabled::text || ')'
		     ELSE 'enabled always' END,
		coalesce(e.evtevent = w.event AND e.evttags IS NULL AND p.proname = w.name
			AND p.pronamespace = 'ledger'::regnamespace AND e.evtenabled = 'A', false), NULL
	FROM (VALUES ('ledger_guard_start', 'ddl_command_start'), ('ledger_guard_ddl_end', 'ddl_command_end'), ('ledger_guard_drop', 'sql_drop'),
		('ledger_guard_rewrite', 'table_rewrite')) AS w (name, event)
	LEFT JOIN pg_event_trigger AS e ON e.evtname = w.name
	LEFT JOIN pg_proc AS p ON p.oid = e.evtfoid
	$$;
COMMENT ON FUNCTION ledger.ledger_guard_triggers() IS
	'The part of ledger_guard_state() about triggers, rules and event triggers.';

CREATE FUNCTION ledger.ledger_guard_state()
	RETURNS TABLE (guard text, object text, state text, ok boolean, tenant_id text)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT g.guard, g.object, g.state, g.ok, g.tenant_id FROM ledger.ledger_guard_triggers() AS g
	UNION ALL
	SELECT 'row security', w.name,
		CASE WHEN c.relrowsecurity AND c.relforcerowsecurity THEN 'forced'
		     WHEN c.relrowsecurity THEN 'not forced' ELSE 'off' END,
		coalesce(c.relrowsecurity AND c.relforcerowsecurity, false), NULL
	FROM unnest('{ledger_events,findings_projection,finding_history,triage_actions,ledger_chains,ledger_merkle_roots,ledger_merkle_tiles,
		ledger_merkle_edge,ledger_key_ranges,ledger_anchor_receipts,ledger_anchor_stats,ledger_verification_marks,ledger_access_log,ledger_attachments,ledger_projection_stats}'::text[]) AS w (name)
	LEFT JOIN pg_class AS c ON c.relname = w.name AND c.relnamespace = 'ledger'::regnamespace
	UNION ALL
	SELECT 'policy', format('%s on %s', p.polname, c.relname),
		format('%s %s %s', p.polcmd, coalesce(pg_get_expr(p.polqual, p.polrelid), '-'),
			coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '-')),
		p.polname IN ('tenant_selected', 'tenant_granted', 'own_events', 'own_ranges'), NULL
	FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid
	WHERE c.relnamespace = 'ledger'::regnamespace
	UNION ALL
	SELECT 'key', t.leaf::text,
		CASE WHEN i.indexrelid IS NULL THEN 'missing' WHEN NOT (i.indisvalid AND i.indisunique) THEN 'invalid' ELSE 'valid' END,
		coalesce(i.indisvalid AND i.indisunique, false), t.tenant_id
	FROM ledger.ledger_tenants AS t
	JOIN pg_class AS c ON c.relname = t.leaf AND c.relnamespace = 'ledger'::regnamespace
	LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
		AND ARRAY(SELECT a.attname::text FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, n)
		          JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum ORDER BY k.n)
			= ARRAY['tenant_id', 'chain_id', 'sequence_no']
	UNION ALL
	SELECT 'leaf', t.leaf::text, CASE WHEN c.oid IS NULL THEN 'missing' WHEN h.inhrelid IS NULL THEN 'not attached' ELSE 'attached' END,
		h.inhrelid IS NOT NULL, t.tenant_id
	FROM ledger.ledger_tenants AS t
	LEFT JOIN pg_class AS c ON c.relname = t.leaf AND c.relnamespace = 'ledger'::regnamespace
	LEFT JOIN pg_inherits AS h ON h.inhrelid = c.oid AND h.inhparent = 'ledger.ledger_events'::regclass
	UNION ALL
	-- A partition that no tenant names has guards that nobody looks at.
	SELECT 'leaf', c.relname::text, 'of no tenant', false, NULL
	FROM pg_partition_tree('ledger.ledger_events') AS p JOIN pg_class AS c ON c.oid = p.relid
	WHERE p.level > 0 AND NOT EXISTS (
		SELECT FROM ledger.ledger_tenants AS t WHERE t.leaf = c.relname AND c.relnamespace = 'ledger'::regnamespace)
	UNION ALL
	SELECT 'owner', 'ledger_owner',
		CASE WHEN r.rolname IS NULL THEN 'missing' WHEN r.rolcanlogin OR r.rolsuper OR r.rolbypassrls THEN 'too strong' ELSE 'cannot log in' END,
		coalesce(NOT (r.rolcanlogin OR r.rolsuper OR r.rolbypassrls), false), NULL
	FROM (VALUES ('ledger_owner')) AS w (name) LEFT JOIN pg_roles AS r ON r.rolname = w.name
	UNION ALL
	SELECT 'owned', c.relname::text, 'belongs to ' || pg_get_userbyid(c.relowner), false, t.tenant_id
	FROM pg_class AS c LEFT JOIN ledger.ledger_tenants AS t ON t.leaf = c.relname
	WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p')
		AND pg_get_userbyid(c.relowner) <> 'ledger_owner'
	UNION ALL
	SELECT 'privilege', c.relname::text,
		format('%s to %s', a.privilege_type, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END),
		a.privilege_type = 'INSERT' AND c.relname = 'ledger_events' AND a.grantee <> 0
			AND pg_get_userbyid(a.grantee) = 'ledger_loader', NULL
	FROM pg_class AS c, aclexplode(c.relacl) AS a
	WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p') AND a.grantee <> c.relowner
		AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES')
	UNION ALL
	SELECT 'function', p.oid::regprocedure::text,
		format('%s %s', pg_get_userbyid(p.proowner), encode(sha256(convert_to(pg_get_functiondef(p.oid), 'UTF8')), 'hex')),
		NOT p.prosecdef OR (pg_get_userbyid(p.proowner) = 'ledger_owner'
			AND EXISTS (SELECT FROM unnest(p.proconfig) AS s WHERE s LIKE 'search_path=%')), NULL
	FROM pg_proc AS p
	WHERE p.pronamespace = 'ledger'::regnamespace AND p.prokind IN ('f', 'p')
	UNION ALL
	SELECT 'extension', e.extname::text, e.extversion, true, NULL
	FROM pg_extension AS e WHERE e.extname IN ('findings_ledger', 'pg_partman')
	UNION ALL
	SELECT 'setting', s.name, coalesce(current_setting(s.name, true), 'off'), coalesce(current_setting(s.name, true), 'off') = s.wanted, NULL
	FROM (VALUES ('ledger.allow_lossy_append', 'off'), ('fsync', 'on'), ('full_page_writes', 'on')) AS s (name, wanted)
	$$;
COMMENT ON FUNCTION ledger.ledger_guard_state() IS
	'Every guard with its state: triggers, event triggers, row security, policies, keys, leaves, owner, privileges, functions (owner and SHA-256 of the definition), extension versions, settings that weaken durability. ok false: the guard is not as the ledger left it. tenant_id: of guards of one tenant''s leaf.';
