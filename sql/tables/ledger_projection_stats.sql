-- For the metrics: how long rebuilds of each tenant's projection took.
CREATE TABLE ledger.ledger_projection_stats (
	tenant_id        text COLLATE "C" PRIMARY KEY REFERENCES ledger.ledger_tenants,
	rebuilds         bigint   NOT NULL DEFAULT 0,
	duration_seconds double precision NOT NULL DEFAULT 0,
	buckets          bigint[] NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE ledger.ledger_projection_stats IS
	'Counters behind the metric ledger_projection_rebuild_seconds; written by ledger_rebuild_projection(), read by ledger_metrics().';
COMMENT ON COLUMN ledger.ledger_projection_stats.tenant_id IS 'The tenant.';
COMMENT ON COLUMN ledger.ledger_projection_stats.rebuilds IS 'How many rebuilds were committed.';
COMMENT ON COLUMN ledger.ledger_projection_stats.duration_seconds IS 'How long they took in all.';
COMMENT ON COLUMN ledger.ledger_projection_stats.buckets IS 'How many took up to each bound of ledger_rebuild_buckets().';
