-- runs as: superuser
-- Undoes 0001_bootstrap.sql in this database.  The roles stay, for they belong to the
-- cluster and other databases may use them; so does pg_partman, which may have been here
-- before and may serve others.
DROP TABLE ledger.ledger_schema_migrations;
DROP EXTENSION findings_ledger;
DROP SCHEMA ledger;

DO $$
BEGIN
	IF to_regclass('partman.part_config') IS NOT NULL THEN
		REVOKE ALL ON partman.part_config, partman.part_config_sub FROM ledger_owner;
		REVOKE ALL ON SCHEMA partman FROM ledger_owner;
	END IF;
	IF EXISTS (
		SELECT FROM pg_db_role_setting AS s JOIN pg_database AS d ON d.oid = s.setdatabase
		WHERE d.datname = current_database() AND s.setrole = 0
			AND 'search_path="$user", public, ledger' = ANY (s.setconfig))
	THEN
		EXECUTE format('ALTER DATABASE %I RESET search_path', current_database());
	END IF;
END
$$;
