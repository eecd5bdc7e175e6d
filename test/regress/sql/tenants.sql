-- Tenants and grants: creation, its guarded leaf, who may, and every error.
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
BEGIN;
\set ON_ERROR_ROLLBACK on
SELECT ledger_leaf_name('acme'), ledger_leaf_name('ACME'), ledger_leaf_name('a.b-c_d'), length(ledger_leaf_name(repeat('x', 128))) AS longest, ledger_leaf_name(NULL) IS NULL AS strict;
SET LOCAL SESSION AUTHORIZATION some_operator;
SELECT tenant_id, leaf, settings, reserved, created_by FROM ledger_create_tenant('Reg-1.x', '{"tier": "gold"}');
-- Again: the tenant as it is; with other settings a conflict.
SELECT tenant_id, settings FROM ledger_create_tenant('Reg-1.x');
SELECT tenant_id, settings FROM ledger_create_tenant('Reg-1.x', '{"tier": "gold"}');
SELECT ledger_create_tenant('Reg-1.x', '{"tier": "lead"}');
:code
SELECT ledger_create_tenant(NULL);
:code
SELECT ledger_create_tenant('');
SELECT ledger_create_tenant('a b');
SELECT ledger_create_tenant('.a');
SELECT ledger_create_tenant(E'a\n');
SELECT ledger_create_tenant('tenänt');
SELECT ledger_create_tenant(repeat('x', 129));
SELECT tenant_id = repeat('x', 128) AS longest FROM ledger_create_tenant(repeat('x', 128));
SELECT ledger_create_tenant('Reg-2', NULL);
:code
SELECT ledger_create_tenant('Reg-2', '[]');
-- The operator made it, and may not write to it.
SELECT ledger_append('Reg-1.x', 'finding.created', 'F', 'p', 'a');
:code
SELECT ledger_grant_tenant('acme_writer', 'Reg-1.x');
SELECT ledger_grant_tenant('acme_writer', 'Reg-1.x');
SELECT tenant_id, role_name, granted_by FROM ledger_tenant_grants WHERE tenant_id = 'Reg-1.x';
SELECT ledger_grant_tenant('acme_writer', 'nobody');
:code
SELECT ledger_grant_tenant('no_such_role', 'acme');
:code
SELECT ledger_grant_tenant(NULL, 'acme');
SELECT ledger_grant_tenant('acme_writer', NULL);
SET LOCAL SESSION AUTHORIZATION acme_writer;
SELECT sequence_no FROM ledger_append('Reg-1.x', 'finding.created', 'F', 'p', 'a');
SET LOCAL SESSION AUTHORIZATION some_operator;
SELECT ledger_revoke_tenant('acme_writer', 'Reg-1.x') AS revoked, ledger_revoke_tenant('acme_writer', 'Reg-1.x') AS again, ledger_revoke_tenant('no_such_role', 'nobody') AS unknown;
SET LOCAL SESSION AUTHORIZATION acme_writer;
SELECT ledger_append('Reg-1.x', 'finding.created', 'F', 'p', 'a');
:code
-- A grant to a role counts for its members, inherited or by SET ROLE.
RESET SESSION AUTHORIZATION;
CREATE ROLE team_blue;
CREATE ROLE blue_member LOGIN IN ROLE team_blue, ledger_writer;
CREATE ROLE blue_noinherit LOGIN NOINHERIT IN ROLE team_blue, ledger_writer;
SELECT ledger_grant_tenant('team_blue', 'Reg-1.x');
SET LOCAL SESSION AUTHORIZATION blue_member;
SELECT ledger_tenant_allowed('Reg-1.x') AS allowed, ledger_tenant_allowed('acme') AS other, ledger_tenant_allowed('') AS empty, ledger_tenant_allowed(NULL) IS NULL AS strict;
SELECT sequence_no FROM ledger_append('Reg-1.x', 'finding.closed', 'F', 'p', 'a');
SET LOCAL SESSION AUTHORIZATION blue_noinherit;
SELECT ledger_tenant_allowed('Reg-1.x') AS allowed;
SET LOCAL ROLE team_blue;
SELECT ledger_tenant_allowed('Reg-1.x') AS allowed;
-- The subject is the session's role, not the owner of a function it is in.
RESET SESSION AUTHORIZATION;
CREATE FUNCTION pg_temp.as_superuser() RETURNS boolean LANGUAGE sql SECURITY DEFINER AS $$ SELECT ledger.ledger_tenant_allowed('acme') $$;
SET LOCAL SESSION AUTHORIZATION nobody_special;
SELECT pg_temp.as_superuser() AS inside_definer;
-- Selected is what the setting names, if it is allowed; all names are taken literally.
SET LOCAL SESSION AUTHORIZATION acme_reader;
SELECT ledger_tenant_selected('acme') AS unset;
SET LOCAL app.current_tenant = 'acme';
SELECT ledger_tenant_selected('acme') AS acme, ledger_tenant_selected('ACME') AS upper, ledger_tenant_selected('acme ') AS blank, ledger_tenant_selected(NULL) IS NULL AS strict;
SET LOCAL app.current_tenant = 'globex';
SELECT ledger_tenant_selected('globex') AS not_allowed;
RESET SESSION AUTHORIZATION;
-- A grant and its rollback inside one statement.
CREATE FUNCTION pg_temp.flicker() RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_seen text := '';
BEGIN
	v_seen := v_seen || ledger.ledger_tenant_allowed('Reg-1.x')::int;
	BEGIN
		PERFORM ledger.ledger_grant_tenant('nobody_special', 'Reg-1.x');
		SET LOCAL ROLE nobody_special;
		v_seen := v_seen || ledger.ledger_tenant_allowed('Reg-1.x')::int;
		RAISE EXCEPTION 'undo';
	EXCEPTION WHEN raise_exception THEN
		SET LOCAL ROLE nobody_special;
		v_seen := v_seen || ledger.ledger_tenant_allowed('Reg-1.x')::int;
	END;
	RESET ROLE;
	RETURN v_seen;
END
$$;
SELECT pg_temp.flicker();
-- Every new leaf is guarded, owned, granted to nobody, and vacuumed early.
SELECT g.guard, g.object, g.state FROM ledger_guard_state() AS g WHERE NOT g.ok AND g.guard <> 'setting';
SELECT g.guard, g.state FROM ledger_guard_state() AS g, ledger_tenants AS t
WHERE t.tenant_id = 'Reg-1.x' AND g.object IN (t.leaf::text, 'zzzz_ledger_link on ' || t.leaf, 'ledger_refuse_row on ' || t.leaf,
	'ledger_refuse_direct on ' || t.leaf, 'ledger_refuse_truncate on ' || t.leaf) ORDER BY 1, 2;
SELECT pg_get_userbyid(c.relowner) AS owner, c.relrowsecurity, c.relforcerowsecurity, c.relacl, pg_get_expr(c.relpartbound, c.oid) AS bound,
	'autovacuum_vacuum_scale_factor=0' = ANY (c.reloptions) AS eager
FROM ledger_tenants AS t JOIN pg_class AS c ON c.relname = t.leaf WHERE t.tenant_id = 'Reg-1.x';
SELECT indexdef FROM ledger_tenants AS t JOIN pg_indexes AS i ON i.tablename = t.leaf WHERE t.tenant_id = 'Reg-1.x' ORDER BY 1;
SELECT count(*) FROM ledger_verify('Reg-1.x');
ROLLBACK;
