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
COMMENT ON COLUMN ledger.ledger_events.tenant_id IS 'Whose event it is; names the leaf partition.';
COMMENT ON COLUMN ledger.ledger_events.chain_id IS 'The hash chain; by default ledger_chain_id(tenant_id, policy_version).';
COMMENT ON COLUMN ledger.ledger_events.sequence_no IS 'Place in the chain: 1, 2, 3 … without gaps. Set by the ledger.';
COMMENT ON COLUMN ledger.ledger_events.event_id IS 'The caller''s UUID, which makes a retry idempotent, or a new UUID version 7.';
COMMENT ON COLUMN ledger.ledger_events.event_type IS 'A word of ledger_event_types.';
COMMENT ON COLUMN ledger.ledger_events.policy_version IS 'Policy under which the finding was judged; one chain has one.';
COMMENT ON COLUMN ledger.ledger_events.finding_id IS 'The finding; "ledger" for events about the ledger itself.';
COMMENT ON COLUMN ledger.ledger_events.artifact_id IS 'What the finding is about: an image, a package, a host.';
COMMENT ON COLUMN ledger.ledger_events.vuln_id IS 'The vulnerability, such as a CVE number.';
COMMENT ON COLUMN ledger.ledger_events.source_run_id IS 'The run of a scanner or orchestrator that the event came from.';
COMMENT ON COLUMN ledger.ledger_events.actor_id IS 'Who acted, as the caller says.';
COMMENT ON COLUMN ledger.ledger_events.actor_type IS 'system, operator or integration.';
COMMENT ON COLUMN ledger.ledger_events.occurred_at IS 'When it happened, as the caller says; else recorded_at.';
COMMENT ON COLUMN ledger.ledger_events.recorded_at IS 'When the ledger linked the event, by the server''s clock. Set by the ledger.';
COMMENT ON COLUMN ledger.ledger_events.recorded_by IS 'The database role that really wrote it (session_user). Set by the ledger.';
COMMENT ON COLUMN ledger.ledger_events.evidence_bundle_ref IS 'Where the evidence lies.';
COMMENT ON COLUMN ledger.ledger_events.schema_version IS 'Recipe of the envelope: ledger.event.v1. Set by the ledger.';
COMMENT ON COLUMN ledger.ledger_events.event_body IS 'The payload, a JSON object; NULL once erased.';
COMMENT ON COLUMN ledger.ledger_events.payload_salt IS '16 random bytes that hide the payload behind its hash; erased with it. Set by the ledger.';
COMMENT ON COLUMN ledger.ledger_events.payload_hash IS 'SHA-256 of salt and canonical payload; outlives an erasure. Set by the ledger.';
COMMENT ON COLUMN ledger.ledger_events.evaluation IS 'What a policy evaluator answered; none is called yet, so NULL.';
COMMENT ON COLUMN ledger.ledger_events.evaluation_hash IS 'SHA-256 of salt and canonical evaluation, or NULL.';
COMMENT ON COLUMN ledger.ledger_events.previous_hash IS 'event_hash of the event before; 32 zero bytes at sequence 1. Set by the ledger.';
COMMENT ON COLUMN ledger.ledger_events.event_hash IS 'SHA-256 of the canonical envelope. Set by the ledger.';
COMMENT ON COLUMN ledger.ledger_events.merkle_leaf_hash IS 'RFC 6962 leaf hash of the canonical envelope. Set by the ledger.';
