-- What outsiders answered: one row for each external anchor of an anchor.
CREATE TABLE ledger.ledger_anchor_receipts (
	tenant_id   text COLLATE "C" NOT NULL REFERENCES ledger.ledger_tenants,
	anchor_id   uuid        NOT NULL,
	kind        text COLLATE "C" NOT NULL CHECK (kind IN ('worm', 'tsa', 'witness', 'airgap')),
	name        text COLLATE "C" NOT NULL,
	reference   text COLLATE "C" NOT NULL,
	receipt     bytea       NOT NULL,
	obtained_at timestamptz NOT NULL DEFAULT now(),
	PRIMARY KEY (tenant_id, anchor_id, kind, name),
	FOREIGN KEY (tenant_id, anchor_id) REFERENCES ledger.ledger_merkle_roots (tenant_id, anchor_id)
);
ALTER TABLE ledger.ledger_anchor_receipts ALTER COLUMN receipt SET STORAGE EXTERNAL;
COMMENT ON TABLE ledger.ledger_anchor_receipts IS
	'Receipts of external anchors: time stamp tokens, cosignatures, WORM file names, air-gap bundles. Append-only; stored by ledger_store_receipt().';
COMMENT ON COLUMN ledger.ledger_anchor_receipts.tenant_id IS 'Whose chain was anchored.';
COMMENT ON COLUMN ledger.ledger_anchor_receipts.anchor_id IS 'The anchor.';
COMMENT ON COLUMN ledger.ledger_anchor_receipts.kind IS 'worm, tsa, witness or airgap.';
COMMENT ON COLUMN ledger.ledger_anchor_receipts.name IS 'Which one: directory, time stamping authority, witness key, bundle.';
COMMENT ON COLUMN ledger.ledger_anchor_receipts.reference IS 'As in ledger_merkle_roots.anchor_reference.';
COMMENT ON COLUMN ledger.ledger_anchor_receipts.receipt IS 'Time stamp token in DER, cosignature line, or SHA-256 of the file.';
COMMENT ON COLUMN ledger.ledger_anchor_receipts.obtained_at IS 'When it was stored.';

-- For the metrics: how long ticks took and what failed, of each tenant.
CREATE TABLE ledger.ledger_anchor_stats (
	tenant_id        text COLLATE "C" PRIMARY KEY REFERENCES ledger.ledger_tenants,
	anchors          bigint   NOT NULL DEFAULT 0,
	duration_seconds double precision NOT NULL DEFAULT 0,
	buckets          bigint[] NOT NULL DEFAULT '{}',
	failures         jsonb    NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE ledger.ledger_anchor_stats IS
	'Counters behind the metrics ledger_merkle_anchor_duration_seconds and ledger_merkle_anchor_failures_total; read by ledger_anchor_metrics().';
COMMENT ON COLUMN ledger.ledger_anchor_stats.tenant_id IS 'The tenant.';
COMMENT ON COLUMN ledger.ledger_anchor_stats.anchors IS 'How many anchors were made.';
COMMENT ON COLUMN ledger.ledger_anchor_stats.duration_seconds IS 'How long they took in all.';
COMMENT ON COLUMN ledger.ledger_anchor_stats.buckets IS 'How many took up to each bound of ledger_anchor_buckets().';
COMMENT ON COLUMN ledger.ledger_anchor_stats.failures IS 'How many failures of each reason.';
