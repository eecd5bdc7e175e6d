-- The login of a gateway: made if it is not there, a member of ledger_gateway, with the tenants that it is to
-- serve (psql variables "login" and "tenants", names separated by blanks). The ledger's own chain is one of
-- them: it is anchored as well. Tenants are never taken away here: ledger_revoke_tenant() does that.
SET client_min_messages = warning;

SELECT format('CREATE ROLE %I LOGIN', :'login')
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = :'login')
\gexec

SELECT format('GRANT ledger_gateway TO %I', :'login')
WHERE NOT pg_catalog.pg_has_role(:'login', 'ledger_gateway', 'MEMBER')
\gexec

CREATE TEMPORARY TABLE wanted AS
SELECT DISTINCT name
FROM pg_catalog.regexp_split_to_table('ledger ' || :'tenants', '\s+') AS t (name)
WHERE name <> '';

SELECT format('tenant %s: made', t.tenant_id)
FROM wanted AS w, LATERAL ledger.ledger_create_tenant(w.name) AS t
WHERE NOT EXISTS (SELECT FROM ledger.ledger_tenants AS l WHERE l.tenant_id = w.name)
\g (format=unaligned tuples_only=on)

SELECT format('tenant %s: granted to %s', w.name, :'login')
FROM wanted AS w, LATERAL ledger.ledger_grant_tenant(:'login', w.name) AS g
WHERE NOT EXISTS (SELECT FROM ledger.ledger_tenant_grants AS g
                  WHERE g.tenant_id = w.name AND g.role_name = :'login')
\g (format=unaligned tuples_only=on)
