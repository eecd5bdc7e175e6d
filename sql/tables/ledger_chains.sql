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
COMMENT ON COLUMN ledger.ledger_chains.tenant_id IS 'Whose chain it is.';
COMMENT ON COLUMN ledger.ledger_chains.chain_id IS 'The chain.';
COMMENT ON COLUMN ledger.ledger_chains.policy_version IS 'Fixed by its first event.';
COMMENT ON COLUMN ledger.ledger_chains.created_at IS 'recorded_at of its first event.';
COMMENT ON COLUMN ledger.ledger_chains.first_anchored_sequence IS 'First sequence that an anchor covers; NULL until there is one.';
COMMENT ON COLUMN ledger.ledger_chains.last_anchored_sequence IS 'Last sequence that an anchor covers; NULL until there is one.';
