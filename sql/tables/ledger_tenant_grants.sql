-- Which role may touch which tenant.  A setting selects a tenant, this table
-- allows it: any role can SET any setting, so a setting is never a permission.
CREATE TABLE ledger.ledger_tenant_grants (
	tenant_id   text COLLATE "C" NOT NULL REFERENCES ledger.ledger_tenants,
	role_name   name        NOT NULL,
	granted_at  timestamptz NOT NULL DEFAULT now(),
	granted_by  name        NOT NULL DEFAULT session_user,
	PRIMARY KEY (tenant_id, role_name)
);
COMMENT ON TABLE ledger.ledger_tenant_grants IS
	'Which database role (and so its members) may touch which tenant. Rows are made by ledger_grant_tenant().';
COMMENT ON COLUMN ledger.ledger_tenant_grants.tenant_id IS 'The tenant.';
COMMENT ON COLUMN ledger.ledger_tenant_grants.role_name IS 'The role that may touch it; its members inherit that.';
COMMENT ON COLUMN ledger.ledger_tenant_grants.granted_at IS 'Since when.';
COMMENT ON COLUMN ledger.ledger_tenant_grants.granted_by IS 'Which role granted it.';
