-- Public keys of signers and witnesses.  The private ones never come here.
-- Rows are made, retired and revoked by functions, each of which also appends an
-- event (ledger.key_changed) to the ledger's own chain.
CREATE TABLE ledger.ledger_keys (
	key_id        text COLLATE "C" PRIMARY KEY,
	public_key    text COLLATE "C" NOT NULL UNIQUE,
	purpose       text COLLATE "C" NOT NULL CHECK (purpose IN ('log', 'witness')),
	registered_at timestamptz NOT NULL DEFAULT now(),
	registered_by name        NOT NULL DEFAULT session_user,
	retired_at    timestamptz,
	revoked_at    timestamptz,
	reason        text,
	-- Whoever verifies reads every key: one that cannot be read would keep him from a verdict.
	CHECK (ledger.ledger_key_id(public_key) = key_id)
);
COMMENT ON TABLE ledger.ledger_keys IS
	'Public keys: whose signatures on checkpoints, statements and marks count. Made by ledger_register_key(), ended by ledger_retire_key() and ledger_revoke_key().';
COMMENT ON COLUMN ledger.ledger_keys.key_id IS '<name>+<8 hex digits>, as in signature lines and DSSE keyids.';
COMMENT ON COLUMN ledger.ledger_keys.public_key IS 'C2SP signed-note verifier key.';
COMMENT ON COLUMN ledger.ledger_keys.purpose IS 'log: signs this ledger''s checkpoints; witness: cosigns them.';
COMMENT ON COLUMN ledger.ledger_keys.registered_at IS 'When it was registered.';
COMMENT ON COLUMN ledger.ledger_keys.registered_by IS 'Which role registered it.';
COMMENT ON COLUMN ledger.ledger_keys.retired_at IS 'Signs nothing new since then; what it signed stays valid.';
COMMENT ON COLUMN ledger.ledger_keys.revoked_at IS 'Distrusted since then: only signatures within ledger_key_ranges count.';
COMMENT ON COLUMN ledger.ledger_keys.reason IS 'Why it was retired or revoked.';

-- From which tree size to which a log key's signature counts in a chain.  A chain
-- without a row: from 1 to any, if the key is neither retired nor revoked, else nothing.
CREATE TABLE ledger.ledger_key_ranges (
	key_id         text COLLATE "C" NOT NULL REFERENCES ledger.ledger_keys,
	tenant_id      text COLLATE "C" NOT NULL REFERENCES ledger.ledger_tenants,
	chain_id       uuid   NOT NULL,
	first_sequence bigint NOT NULL CHECK (first_sequence > 0),
	last_sequence  bigint CHECK (last_sequence >= first_sequence - 1),
	PRIMARY KEY (key_id, tenant_id, chain_id)
);
COMMENT ON TABLE ledger.ledger_key_ranges IS
	'In which range of sequences (tree sizes) a log key''s signatures count, for each chain that had anchors when the key was registered, retired or revoked.';
COMMENT ON COLUMN ledger.ledger_key_ranges.key_id IS 'The key.';
COMMENT ON COLUMN ledger.ledger_key_ranges.tenant_id IS 'Whose chain it is.';
COMMENT ON COLUMN ledger.ledger_key_ranges.chain_id IS 'The chain.';
COMMENT ON COLUMN ledger.ledger_key_ranges.first_sequence IS 'First tree size that it may sign.';
COMMENT ON COLUMN ledger.ledger_key_ranges.last_sequence IS 'Last one; NULL: not ended. One less than first_sequence: none.';
