CREATE FUNCTION ledger.ledger_grant_tenant(role name, tenant text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF role IS NULL OR tenant IS NULL THEN
		RAISE EXCEPTION '% is required', CASE WHEN role IS NULL THEN 'role' ELSE 'tenant' END
			USING ERRCODE = 'LG400', HINT = 'Name a role and a tenant.';
	END IF;
	IF NOT EXISTS (SELECT FROM ledger.ledger_tenants t WHERE t.tenant_id = tenant) THEN
		RAISE EXCEPTION 'tenant "%" does not exist', tenant
			USING ERRCODE = 'LG404', HINT = 'Create it with ledger_create_tenant().';
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role) THEN
		RAISE EXCEPTION 'role "%" does not exist', role
			USING ERRCODE = 'LG404', HINT = 'Create it with CREATE ROLE; names are case-sensitive here.';
	END IF;
	INSERT INTO ledger.ledger_tenant_grants (tenant_id, role_name)
	VALUES (tenant, role)
	ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION ledger.ledger_grant_tenant(name, text) IS
	'Allows a role, and so its members, to touch a tenant; granting twice is no error. LG400: null; LG404: unknown tenant or role. For ledger_operator.';

CREATE FUNCTION ledger.ledger_revoke_tenant(role name, tenant text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	DELETE FROM ledger.ledger_tenant_grants g WHERE g.tenant_id = tenant AND g.role_name = role;
	RETURN FOUND;
END
$$;
COMMENT ON FUNCTION ledger.ledger_revoke_tenant(name, text) IS
	'Takes a grant back; true if there was one. For ledger_operator.';
