-- The functions behind the ledger's functions, called by somebody else: even a
-- superuser gets nothing done with them that would leave no trace.
\set SHOW_CONTEXT never
\set VERBOSITY default
\set code '\\echo :LAST_ERROR_SQLSTATE'
SELECT * FROM ledger_import_lines('[]');
:code
SELECT * FROM ledger_lock_chains();
:code
-- The verifier's, which look at rows only.
SELECT * FROM ledger_find_homes(ARRAY[NULL]::ledger_events[], '{}', '{}', '{}', '{}');
:code
SELECT ledger_event_hash(t) FROM (VALUES ('acme'::text)) AS t (tenant_id);
:code
-- pg_partman would take a caller's temporary relations for catalogs.
CREATE TEMPORARY VIEW pg_namespace AS SELECT 1 AS oid;
SELECT pg_catalog.count(*) FROM ledger.ledger_maintenance_tick();
:code
DROP VIEW pg_temp.pg_namespace;
SELECT ledger_set_retention('ledger.ledger_events', '1 day');
:code
SELECT ledger_set_retention('ledger.finding_history', '0');
:code
