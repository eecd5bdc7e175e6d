-- What should be partitioned, in our own words.  pg_partman's configuration table
-- is dumped with the columns of the version that wrote it and fails to load into
-- another major version; this table always loads, and ledger_ensure_partitions()
-- registers again what is missing.
CREATE TABLE ledger.ledger_partition_intent (
	parent_table   text PRIMARY KEY,
	control_column text    NOT NULL,
	step           text    NOT NULL CHECK (step IN ('daily', 'weekly', 'monthly')),
	premake        integer NOT NULL DEFAULT 4 CHECK (premake BETWEEN 1 AND 60),
	-- NULL keeps everything.  Detached partitions are kept as tables, never dropped.
	retention      interval CHECK (retention > interval '0'),
	-- Moved by ledger_maintenance_tick() alone: rows before it are expected nowhere,
	-- rows after it are, whatever partitions there are.
	aged_out_before timestamptz
);
COMMENT ON TABLE ledger.ledger_partition_intent IS
	'Which tables pg_partman ages by time, and how; independent of pg_partman''s version. retention NULL (the default) keeps everything.';
COMMENT ON COLUMN ledger.ledger_partition_intent.parent_table IS 'The partitioned table, with its schema.';
COMMENT ON COLUMN ledger.ledger_partition_intent.control_column IS 'The column it is partitioned by.';
COMMENT ON COLUMN ledger.ledger_partition_intent.step IS 'daily, weekly or monthly.';
COMMENT ON COLUMN ledger.ledger_partition_intent.premake IS 'How many coming partitions are kept ready.';
COMMENT ON COLUMN ledger.ledger_partition_intent.retention IS 'Partitions older than that are detached, and kept as tables; NULL keeps all attached.';
COMMENT ON COLUMN ledger.ledger_partition_intent.aged_out_before IS 'End of the newest partition that retention has detached; NULL if none ever was.';
