-- runs as: superuser
-- Undoes 0002_tables.sql: every table of schema ledger but the record of migrations.
DO $$
BEGIN
	EXECUTE (
		SELECT 'DROP TABLE ' || string_agg(c.oid::regclass::text, ', ')
		FROM pg_class AS c
		WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p')
			AND c.relname <> 'ledger_schema_migrations');
END
$$;
