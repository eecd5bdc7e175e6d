-- One row: which log this is (origin) and which copy of it (instance).
-- A dump carries the row; ledger_after_restore() gives a restored copy a new
-- instance and keeps the origin, because the log is the same log.
CREATE TABLE ledger.ledger_settings (
	singleton    boolean     PRIMARY KEY DEFAULT true CHECK (singleton),
	origin       text        NOT NULL CHECK (origin ~ '^[a-z0-9][a-z0-9./-]{0,200}$'),
	instance_id  uuid        NOT NULL,
	incarnation  integer     NOT NULL DEFAULT 1 CHECK (incarnation > 0),
	-- System identifier, database and timeline this instance lives in (ledger_home()).
	-- Never hashed and never compared between copies: it only tells a copy that it is one.
	home         text        NOT NULL,
	created_at   timestamptz NOT NULL DEFAULT now(),
	restored_at  timestamptz,
	first_anchored_at timestamptz
);
COMMENT ON TABLE ledger.ledger_settings IS
	'One row: origin (the name of this log in checkpoints), instance_id and incarnation (which copy of it this database is).';
COMMENT ON COLUMN ledger.ledger_settings.singleton IS 'Always true: there is one row.';
COMMENT ON COLUMN ledger.ledger_settings.origin IS 'Name of this log. A restored copy keeps it.';
COMMENT ON COLUMN ledger.ledger_settings.instance_id IS 'This copy of the log. A restored copy takes a new one.';
COMMENT ON COLUMN ledger.ledger_settings.incarnation IS 'Counts the copies that went on from one another: 1, 2, 3 …';
COMMENT ON COLUMN ledger.ledger_settings.home IS 'System identifier and database that this copy lives in: a restored copy sees that it is one.';
COMMENT ON COLUMN ledger.ledger_settings.created_at IS 'When the log was begun.';
COMMENT ON COLUMN ledger.ledger_settings.restored_at IS 'When this copy was taken over after a restore.';
COMMENT ON COLUMN ledger.ledger_settings.first_anchored_at IS 'When the first anchor was made: since then the origin stands. NULL: not yet.';
