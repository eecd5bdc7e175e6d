-- The schema, the extensions and the search_path: what needs a superuser.
CREATE SCHEMA ledger AUTHORIZATION ledger_owner;
COMMENT ON SCHEMA ledger IS 'Findings Ledger: events, projections and the functions that write and verify them.';
GRANT USAGE ON SCHEMA ledger TO PUBLIC;

CREATE EXTENSION findings_ledger SCHEMA ledger;

CREATE SCHEMA IF NOT EXISTS partman;
CREATE EXTENSION IF NOT EXISTS pg_partman SCHEMA partman;
-- pg_partman works with the rights of its caller, which is a function of the owner.
-- Only what 4.x and 5.x both have is named: a dump carries each grant, and one for an
-- object that the other version lacks would be an error at restore.
GRANT USAGE, CREATE ON SCHEMA partman TO ledger_owner;
GRANT SELECT, INSERT, UPDATE, DELETE ON partman.part_config, partman.part_config_sub TO ledger_owner;

-- So that SELECT ledger_append(…) works as users wrote it.  A dump does not carry
-- this setting; ledger_after_restore() sets it again.
DO $$
BEGIN
	EXECUTE pg_catalog.format('ALTER DATABASE %I SET search_path = "$user", public, ledger',
		pg_catalog.current_database());
END
$$;
