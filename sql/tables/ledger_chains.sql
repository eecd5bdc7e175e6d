-- Registry of chains: a row when the chain gets its first event, and later the
-- newest anchored position.  Not touched per event: a head row updated by every
-- append collapses as soon as any old snapshot (a pg_dump) is open.
CREATE TABLE ledger.ledger_chains (
	tenant_id              text COLLATE "C" NOT NULL REFERENCES ledger.ledger_tenants,
	chain_id               uuid        NOT NULL,
	policy_version         text COLLATE "C" NOT NULL,
	created_at             timestamptz NOT NULL,
	first_anchored_sequence bigint,
	last_anchored_sequence bigint,
	PRIMARY KEY (tenant_id, chain_id)
);
COMMENT ON TABLE ledger.ledger_chains IS
	'Registry of chains: policy version, creation, anchored range. A registered chain without events is a finding of the verifier.';
