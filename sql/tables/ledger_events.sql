-- The ledger.  LIST by tenant, one leaf a tenant, no default partition: only so
-- can the database itself enforce both unique keys, and a row for an unknown
-- tenant has nowhere to go.  Every column is covered by event_hash: the payload
-- through payload_hash, the evaluation through evaluation_hash, all others
-- through the envelope (docs/formats.md section 2).
CREATE TABLE ledger.ledger_events (
	tenant_id           text COLLATE "C" NOT NULL,
	chain_id            uuid        NOT NULL,
	sequence_no         bigint      NOT NULL CHECK (sequence_no > 0),
	event_id            uuid        NOT NULL,
	event_type          text COLLATE "C" NOT NULL,
	policy_version      text COLLATE "C" NOT NULL,
	finding_id          text COLLATE "C" NOT NULL,
	artifact_id         text COLLATE "C" NOT NULL,
	vuln_id             text COLLATE "C",
	source_run_id       uuid,
	actor_id            text COLLATE "C" NOT NULL,
	actor_type          text COLLATE "C" NOT NULL CHECK (actor_type IN ('system', 'operator', 'integration')),
	occurred_at         timestamptz NOT NULL,
	recorded_at         timestamptz NOT NULL,
	recorded_by         text COLLATE "C" NOT NULL,
	evidence_bundle_ref text COLLATE "C",
	schema_version      text COLLATE "C" NOT NULL,
	event_body          jsonb       CHECK (jsonb_typeof(event_body) = 'object'),
	payload_salt        bytea       CHECK (octet_length(payload_salt) IN (0) OR octet_length(payload_salt) BETWEEN 16 AND 64),
	payload_hash        bytea       NOT NULL CHECK (octet_length(payload_hash) = 32),
	evaluation          jsonb,
	evaluation_hash     bytea       CHECK (octet_length(evaluation_hash) = 32),
	previous_hash       bytea       NOT NULL CHECK (octet_length(previous_hash) = 32),
	event_hash          bytea       NOT NULL CHECK (octet_length(event_hash) = 32),
	merkle_leaf_hash    bytea       NOT NULL CHECK (octet_length(merkle_leaf_hash) = 32),
	PRIMARY KEY (tenant_id, chain_id, sequence_no),
	UNIQUE (tenant_id, event_id)
) PARTITION BY LIST (tenant_id);

-- What a rebuild and a finding's timeline read, in fold order.
CREATE INDEX ledger_events_finding_idx
	ON ledger.ledger_events (tenant_id, finding_id, policy_version, sequence_no);

COMMENT ON TABLE ledger.ledger_events IS
	'The append-only, hash-chained events. Written through ledger_append() and its kin; sequence, salt, hashes, recorded_at and recorded_by are set by the link trigger.';
