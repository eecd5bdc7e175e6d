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
