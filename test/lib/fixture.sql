-- What every regress, isolation and pgTAP test finds: two tenants, and a login
-- role of each kind.  The names say what each may do; roles on globex exist so
-- that a test can show what acme's may not see.
SELECT ledger.ledger_create_tenant('acme');
SELECT ledger.ledger_create_tenant('globex');

CREATE ROLE acme_writer LOGIN IN ROLE ledger_writer;
CREATE ROLE acme_reader LOGIN IN ROLE ledger_reader;
CREATE ROLE acme_auditor LOGIN IN ROLE ledger_auditor;
CREATE ROLE globex_writer LOGIN IN ROLE ledger_writer;
CREATE ROLE globex_reader LOGIN IN ROLE ledger_reader;
CREATE ROLE some_operator LOGIN IN ROLE ledger_operator;
CREATE ROLE acme_anchorer LOGIN IN ROLE ledger_anchorer;
CREATE ROLE acme_gateway LOGIN IN ROLE ledger_gateway;
CREATE ROLE globex_gateway LOGIN IN ROLE ledger_gateway;
CREATE ROLE some_loader LOGIN IN ROLE ledger_loader;
CREATE ROLE nobody_special LOGIN;

SELECT ledger.ledger_grant_tenant('acme_writer', 'acme');
SELECT ledger.ledger_grant_tenant('acme_reader', 'acme');
SELECT ledger.ledger_grant_tenant('acme_auditor', 'acme');
SELECT ledger.ledger_grant_tenant('acme_anchorer', 'acme');
SELECT ledger.ledger_grant_tenant('acme_gateway', 'acme');
SELECT ledger.ledger_grant_tenant('globex_gateway', 'globex');
SELECT ledger.ledger_grant_tenant('globex_writer', 'globex');
SELECT ledger.ledger_grant_tenant('globex_reader', 'globex');

CREATE EXTENSION IF NOT EXISTS pgtap SCHEMA public;
