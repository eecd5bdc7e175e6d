-- "Verified up to here": signed outside, so that a later verification may start
-- where an earlier one ended without trusting whoever can write this table.
CREATE TABLE ledger.ledger_verification_marks (
	tenant_id   text COLLATE "C" NOT NULL REFERENCES ledger.ledger_tenants,
	chain_id    uuid        NOT NULL,
	tree_size   bigint      NOT NULL CHECK (tree_size > 0),
	mode        text COLLATE "C" NOT NULL CHECK (mode IN ('full', 'incremental')),
	root_hash   bytea       NOT NULL CHECK (octet_length(root_hash) = 32),
	verified_at timestamptz NOT NULL,
	dsse        jsonb       NOT NULL,
	PRIMARY KEY (tenant_id, chain_id, tree_size, mode, verified_at)
);
COMMENT ON TABLE ledger.ledger_verification_marks IS
	'Signed statements that a chain was verified and clean up to a size. Append-only; stored by ledger_store_mark(), written by ledgerctl verify.';
COMMENT ON COLUMN ledger.ledger_verification_marks.tenant_id IS 'Whose chain it is.';
COMMENT ON COLUMN ledger.ledger_verification_marks.chain_id IS 'The chain.';
COMMENT ON COLUMN ledger.ledger_verification_marks.tree_size IS 'Verified up to this sequence.';
COMMENT ON COLUMN ledger.ledger_verification_marks.mode IS 'full: from sequence 1; incremental: from the mark before.';
COMMENT ON COLUMN ledger.ledger_verification_marks.root_hash IS 'Root of the tree of that size.';
COMMENT ON COLUMN ledger.ledger_verification_marks.verified_at IS 'When the verification began.';
COMMENT ON COLUMN ledger.ledger_verification_marks.dsse IS 'DSSE envelope, payloadType application/vnd.stella-ledger-verified+json.';
