-- A login role of each kind for the throw-away cluster, granted both tenants of
-- the demo.  The cluster trusts every local login; a real one does not.
SET client_min_messages = warning;

DO $$
DECLARE
	v_kind   text;
	v_login  name;
	v_tenant text;
BEGIN
	FOREACH v_kind IN ARRAY ARRAY['writer', 'reader', 'auditor', 'operator', 'loader', 'anchorer', 'gateway'] LOOP
		v_login := 'demo_' || v_kind;
		IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = v_login) THEN
			EXECUTE format('CREATE ROLE %I LOGIN', v_login);
		END IF;
		EXECUTE format('GRANT %I TO %I', 'ledger_' || v_kind, v_login);
		-- The ledger's own chain is anchored as well.
		FOREACH v_tenant IN ARRAY ARRAY['acme', 'globex'] || CASE WHEN v_kind IN ('anchorer', 'gateway') THEN '{ledger}' ELSE '{}' END::text[] LOOP
			IF NOT EXISTS (SELECT FROM ledger.ledger_tenant_grants
			               WHERE tenant_id = v_tenant AND role_name = v_login) THEN
				PERFORM ledger.ledger_grant_tenant(v_login, v_tenant);
			END IF;
		END LOOP;
	END LOOP;
END
$$;
