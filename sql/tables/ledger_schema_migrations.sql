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
