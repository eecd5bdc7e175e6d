-- What every file of test/gateway finds: a login for the gateway, and two tenants.
SET client_min_messages = warning;

DO $$
DECLARE
	v_tenant text;
BEGIN
	IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'gateway_login') THEN
		CREATE ROLE gateway_login LOGIN;
	END IF;
	IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'ledger_gateway') THEN
		GRANT ledger_gateway TO gateway_login;
	ELSE
		GRANT ledger_reader, ledger_writer, ledger_auditor, ledger_anchorer TO gateway_login;
	END IF;
	FOREACH v_tenant IN ARRAY ARRAY['acme', 'globex', 'ledger'] LOOP
		IF v_tenant <> 'ledger' AND NOT EXISTS (SELECT FROM ledger.ledger_tenants WHERE tenant_id = v_tenant) THEN
			PERFORM ledger.ledger_create_tenant(v_tenant);
		END IF;
		IF NOT EXISTS (SELECT FROM ledger.ledger_tenant_grants
		               WHERE tenant_id = v_tenant AND role_name = 'gateway_login') THEN
			PERFORM ledger.ledger_grant_tenant('gateway_login', v_tenant);
		END IF;
	END LOOP;
END
$$;
