-- The anchors: one row each time a chain's tree head is fixed.  A row is never
-- changed; only signature lines, signatures and one reference may be added
-- (triggers/ledger_merkle_roots.sql).
CREATE TABLE ledger.ledger_merkle_roots (
	tenant_id          text COLLATE "C" NOT NULL REFERENCES ledger.ledger_tenants,
	anchor_id          uuid        NOT NULL,
	chain_id           uuid        NOT NULL,
	window_start       timestamptz NOT NULL,
	window_end         timestamptz NOT NULL,
	sequence_start     bigint      NOT NULL CHECK (sequence_start > 0),
	sequence_end       bigint      NOT NULL CHECK (sequence_end >= sequence_start),
	root_hash          bytea       NOT NULL CHECK (octet_length(root_hash) = 32),
	leaf_count         bigint      NOT NULL CHECK (leaf_count = sequence_end - sequence_start + 1),
	anchored_at        timestamptz NOT NULL,
	anchor_reference   text,
	tree_size          bigint      NOT NULL CHECK (tree_size = sequence_end),
	previous_root_hash bytea       CHECK (octet_length(previous_root_hash) = 32),
	frontier           bytea       NOT NULL CHECK (octet_length(frontier) % 32 = 0),
	origin             text        NOT NULL,
	checkpoint         text        NOT NULL,
	dsse               jsonb       NOT NULL,
	guard_fingerprint  bytea       NOT NULL CHECK (octet_length(guard_fingerprint) = 32),
	guard_sequence     bigint      NOT NULL,
	PRIMARY KEY (tenant_id, chain_id, tree_size),
	UNIQUE (tenant_id, anchor_id),
	-- The first anchor of a chain has no root before it, and only the first.
	CHECK ((previous_root_hash IS NULL) = (sequence_start = 1))
);
COMMENT ON TABLE ledger.ledger_merkle_roots IS
	'The anchors: a chain''s RFC 6962 tree head at a size, with checkpoint and statement to be signed outside. Rows are made by ledger_anchor_tick() and never changed; signatures are added.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.tenant_id IS 'Whose chain it is.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.anchor_id IS 'The anchor, a UUID version 7.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.chain_id IS 'The chain.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.window_start IS 'recorded_at of the first event that this anchor is the first to cover.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.window_end IS 'recorded_at of the last event covered.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.sequence_start IS 'First sequence that this anchor is the first to cover.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.sequence_end IS 'Last sequence covered.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.root_hash IS 'RFC 6962 root over the leaves of sequences 1 to sequence_end.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.leaf_count IS 'Events of this window: sequence_end - sequence_start + 1.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.anchored_at IS 'When the tick made it, by the server''s clock.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.anchor_reference IS 'First external anchor: airgap::<bundle>, tsa::<serial>, witness::<name>, worm::<file>, rekor::<uuid>; NULL: internal only.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.tree_size IS 'Leaves of the tree: all events of the chain so far.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.previous_root_hash IS 'root_hash of the chain''s anchor before; NULL in the first.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.frontier IS 'Roots of the complete subtrees that tree_size decomposes into, largest first: what is needed to go on.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.origin IS 'ledger_settings.origin when it was anchored.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.checkpoint IS 'C2SP tlog-checkpoint; the text alone until it is signed, then the signed note.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.dsse IS 'DSSE v1 envelope of the anchor statement; signatures are empty until it is signed.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.guard_fingerprint IS 'ledger_guard_fingerprint() of the tenant when it was anchored.';
COMMENT ON COLUMN ledger.ledger_merkle_roots.guard_sequence IS 'Head of the ledger''s own chain when the fingerprint was taken: a change of guards recorded after it is explained.';
