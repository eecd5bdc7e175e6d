-- Where this database lives.  A copy made by dump and restore has another system
-- identifier or another database; one made by promotion or point-in-time recovery
-- has the same of both and another timeline.
CREATE FUNCTION ledger.ledger_home() RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT format('%s/%s/%s',
		(SELECT system_identifier FROM pg_control_system()),
		(SELECT oid FROM pg_database WHERE datname = current_database()),
		-- Before the first checkpoint after a promotion the control file still has the old timeline.
		CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())
		     ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer END)
	$$;
COMMENT ON FUNCTION ledger.ledger_home() IS
	'System identifier, database and timeline of this copy; compared with ledger_settings.home, to tell a restored copy from the one that was dumped.';

-- What these objects were written for.  A dump carries this function and CREATE
-- EXTENSION without a version, so a restore may meet another one.
CREATE FUNCTION ledger.ledger_schema_version() RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$ SELECT '1.0' $$;
COMMENT ON FUNCTION ledger.ledger_schema_version() IS
	'The version of the extension findings_ledger that the migrations of this database need.';
