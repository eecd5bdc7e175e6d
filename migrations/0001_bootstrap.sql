-- runs as: superuser
-- Built from sql/ by migrations/freeze.sh.  Frozen once released: change sql/
-- and add a migration instead (migrations/README.md).

-- ---- sql/bootstrap/roles.sql
-- Roles of the ledger.  Roles belong to the cluster, not to the database, so
-- pg_dump does not carry them: a restore into a new cluster runs this file
-- first (or pg_dumpall --globals-only).  Needs a superuser, because of
-- BYPASSRLS.  All are NOLOGIN: a login role is made a member of what it needs.
DO $$
DECLARE
	v_role record;
BEGIN
	FOR v_role IN
		SELECT *
		FROM (VALUES
			('ledger_owner',    false, 'owns every ledger object; nobody logs in as it'),
			('ledger_reader',   false, 'reads events and projections of the tenants granted to it'),
			('ledger_writer',   false, 'appends through the ledger_append functions; has no INSERT'),
			('ledger_auditor',  false, 'reads everything of its tenants, guards and settings, and verifies'),
			('ledger_operator', false, 'creates and grants tenants, adds event types, runs maintenance'),
			('ledger_anchorer', false, 'ticks, and stores signatures and receipts of the tenants granted to it'),
			('ledger_gateway',  false, 'what the HTTP gateway logs in with: reads, appends, audits and anchors for the tenants granted to it'),
			('ledger_loader',   true,  'privileged: plain INSERT and COPY into ledger_events, ledger_import'),
			('ledger_backup',   true,  'privileged: reads all rows for pg_dump')
		) AS r (name, bypass_rls, purpose)
	LOOP
		IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = v_role.name) THEN
			EXECUTE pg_catalog.format('CREATE ROLE %I NOLOGIN', v_role.name);
		END IF;
		EXECUTE pg_catalog.format('ALTER ROLE %I NOLOGIN NOSUPERUSER NOCREATEROLE NOCREATEDB %s',
			v_role.name, CASE WHEN v_role.bypass_rls THEN 'BYPASSRLS' ELSE 'NOBYPASSRLS' END);
		EXECUTE pg_catalog.format('COMMENT ON ROLE %I IS %L', v_role.name,
			'Findings Ledger: ' || v_role.purpose);
	END LOOP;
	-- The gateway judges who asks; the tenants it may serve at all are granted to it like to any other.
	FOR v_role IN
		SELECT m.name FROM pg_catalog.unnest('{ledger_reader,ledger_writer,ledger_auditor,ledger_anchorer}'::name[]) AS m (name)
		WHERE NOT pg_catalog.pg_has_role('ledger_gateway', m.name, 'MEMBER')
	LOOP
		EXECUTE pg_catalog.format('GRANT %I TO ledger_gateway', v_role.name);
	END LOOP;
	-- A dump of the whole database reads every leaf, pg_partman's tables, and what
	-- others keep beside the ledger; a grant on each would miss the next one.
	IF NOT pg_catalog.pg_has_role('ledger_backup', 'pg_read_all_data', 'MEMBER') THEN
		GRANT pg_read_all_data TO ledger_backup;
	END IF;
END
$$;

-- ---- sql/bootstrap/schema.sql
-- The schema, the extensions and the search_path: what needs a superuser.
-- The schema stays the superuser's: its owner could drop what others own in it, the
-- extension and with it the guards.
CREATE SCHEMA ledger;
COMMENT ON SCHEMA ledger IS 'Findings Ledger: events, projections and the functions that write and verify them.';
GRANT USAGE ON SCHEMA ledger TO PUBLIC;
GRANT CREATE ON SCHEMA ledger TO ledger_owner;

CREATE EXTENSION findings_ledger SCHEMA ledger;
GRANT EXECUTE ON FUNCTION
	ledger.ledger_write(anyelement, bigint), ledger.ledger_write_many(anyarray),
	ledger.ledger_refold(text, timestamptz), ledger.ledger_import_lines(jsonb),
	ledger.ledger_lock_chains(), ledger.ledger_tree_head(text, uuid), ledger.ledger_own_head(), ledger.ledger_anchored_ends(timestamptz),
	ledger.ledger_watch_chain(text, uuid, bigint),
	ledger.ledger_tree_advance(text, uuid, bytea, bigint, bigint), ledger.ledger_tree_root(text, uuid, bigint),
	ledger.ledger_tree_inclusion(text, uuid, bigint, bigint),
	ledger.ledger_tree_consistency(text, uuid, bigint, bigint), ledger.ledger_force_flush(), ledger.ledger_link(), ledger.ledger_project(),
	ledger.ledger_refuse_change(), ledger.ledger_refuse_direct()
	TO ledger_owner;

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

-- ---- sql/tables/ledger_schema_migrations.sql
CREATE TABLE ledger.ledger_schema_migrations (
	version    integer     PRIMARY KEY CHECK (version > 0),
	file_name  text        NOT NULL UNIQUE,
	checksum   text        NOT NULL CHECK (checksum ~ '^[0-9a-f]{64}$'),
	applied_at timestamptz NOT NULL DEFAULT now(),
	applied_by name        NOT NULL DEFAULT session_user,
	-- The ledger.migrated event that records it, once the write path exists.
	event_id   uuid
);
COMMENT ON TABLE ledger.ledger_schema_migrations IS
	'Migrations applied to this database, with the SHA-256 of each file. The runner refuses a file whose checksum differs.';
COMMENT ON COLUMN ledger.ledger_schema_migrations.version IS 'Number of the migration.';
COMMENT ON COLUMN ledger.ledger_schema_migrations.file_name IS 'Its file.';
COMMENT ON COLUMN ledger.ledger_schema_migrations.checksum IS 'SHA-256 of the file, in hex.';
COMMENT ON COLUMN ledger.ledger_schema_migrations.applied_at IS 'When it was applied.';
COMMENT ON COLUMN ledger.ledger_schema_migrations.applied_by IS 'By which role.';
COMMENT ON COLUMN ledger.ledger_schema_migrations.event_id IS 'The ledger.migrated event that records it.';

-- ---- sql/bootstrap/own_migrations_table.sql
ALTER TABLE ledger.ledger_schema_migrations OWNER TO ledger_owner;
