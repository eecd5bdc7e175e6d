-- runs as: owner
-- Built from sql/ by migrations/freeze.sh.  Frozen once released: change sql/
-- and add a migration instead (migrations/README.md).

-- ---- sql/tables/ledger_settings.sql
-- One row: which log this is (origin) and which copy of it (instance).
-- A dump carries the row; ledger_after_restore() gives a restored copy a new
-- instance and keeps the origin, because the log is the same log.
CREATE TABLE ledger.ledger_settings (
	singleton    boolean     PRIMARY KEY DEFAULT true CHECK (singleton),
	origin       text        NOT NULL CHECK (origin ~ '^[a-z0-9][a-z0-9./-]{0,200}$'),
	instance_id  uuid        NOT NULL,
	incarnation  integer     NOT NULL DEFAULT 1 CHECK (incarnation > 0),
	-- System identifier, database and timeline this instance lives in (ledger_home()).
	-- Never hashed and never compared between copies: it only tells a copy that it is one.
	home         text        NOT NULL,
	created_at   timestamptz NOT NULL DEFAULT now(),
	restored_at  timestamptz,
	first_anchored_at timestamptz
);
COMMENT ON TABLE ledger.ledger_settings IS
	'One row: origin (the name of this log in checkpoints), instance_id and incarnation (which copy of it this database is).';
COMMENT ON COLUMN ledger.ledger_settings.singleton IS 'Always true: there is one row.';
COMMENT ON COLUMN ledger.ledger_settings.origin IS 'Name of this log. A restored copy keeps it.';
COMMENT ON COLUMN ledger.ledger_settings.instance_id IS 'This copy of the log. A restored copy takes a new one.';
COMMENT ON COLUMN ledger.ledger_settings.incarnation IS 'Counts the copies that went on from one another: 1, 2, 3 …';
COMMENT ON COLUMN ledger.ledger_settings.home IS 'System identifier and database that this copy lives in: a restored copy sees that it is one.';
COMMENT ON COLUMN ledger.ledger_settings.created_at IS 'When the log was begun.';
COMMENT ON COLUMN ledger.ledger_settings.restored_at IS 'When this copy was taken over after a restore.';
COMMENT ON COLUMN ledger.ledger_settings.first_anchored_at IS 'When the first anchor was made: since then the origin stands. NULL: not yet.';

-- ---- sql/tables/ledger_tenants.sql
CREATE TABLE ledger.ledger_tenants (
	tenant_id   text COLLATE "C" PRIMARY KEY
	            CHECK (tenant_id ~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$'),
	-- Name of the tenant's leaf of ledger_events, without schema.  Text, not
	-- regclass: reg* columns block pg_upgrade and OIDs change at restore.
	leaf        name        NOT NULL UNIQUE,
	settings    jsonb       NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(settings) = 'object'),
	reserved    boolean     NOT NULL DEFAULT false,
	created_at  timestamptz NOT NULL DEFAULT now(),
	created_by  name        NOT NULL DEFAULT session_user,
	anchor_batch_size integer  CHECK (anchor_batch_size > 0),
	anchor_window     interval CHECK (anchor_window > '0'),
	anchor_interval   interval CHECK (anchor_interval >= '0')
);
COMMENT ON TABLE ledger.ledger_tenants IS
	'The tenants and the leaf partition of ledger_events that holds each. Rows are made by ledger_create_tenant().';
COMMENT ON COLUMN ledger.ledger_tenants.tenant_id IS 'Name of the tenant; "ledger" is the ledger''s own.';
COMMENT ON COLUMN ledger.ledger_tenants.leaf IS 'Partition of ledger_events that holds its events, without schema.';
COMMENT ON COLUMN ledger.ledger_tenants.settings IS 'Whatever the operator keeps about the tenant; the ledger reads nothing of it.';
COMMENT ON COLUMN ledger.ledger_tenants.reserved IS 'True for the ledger''s own tenant.';
COMMENT ON COLUMN ledger.ledger_tenants.created_at IS 'When it was created.';
COMMENT ON COLUMN ledger.ledger_tenants.created_by IS 'Which role created it.';
COMMENT ON COLUMN ledger.ledger_tenants.anchor_batch_size IS 'A chain is anchored at the latest with so many new events; NULL: ledger.anchor_batch_size. Set by ledger_set_anchoring(), like the next two.';
COMMENT ON COLUMN ledger.ledger_tenants.anchor_window IS 'Or when its first new event is so old; NULL: ledger.anchor_window.';
COMMENT ON COLUMN ledger.ledger_tenants.anchor_interval IS 'Or so old, if that is shorter; 0: never for this reason; NULL: ledger.anchor_interval.';

-- ---- sql/tables/ledger_tenant_grants.sql
-- Which role may touch which tenant.  A setting selects a tenant, this table
-- allows it: any role can SET any setting, so a setting is never a permission.
CREATE TABLE ledger.ledger_tenant_grants (
	tenant_id   text COLLATE "C" NOT NULL REFERENCES ledger.ledger_tenants,
	role_name   name        NOT NULL,
	granted_at  timestamptz NOT NULL DEFAULT now(),
	granted_by  name        NOT NULL DEFAULT session_user,
	PRIMARY KEY (tenant_id, role_name)
);
COMMENT ON TABLE ledger.ledger_tenant_grants IS
	'Which database role (and so its members) may touch which tenant. Rows are made by ledger_grant_tenant().';
COMMENT ON COLUMN ledger.ledger_tenant_grants.tenant_id IS 'The tenant.';
COMMENT ON COLUMN ledger.ledger_tenant_grants.role_name IS 'The role that may touch it; its members inherit that.';
COMMENT ON COLUMN ledger.ledger_tenant_grants.granted_at IS 'Since when.';
COMMENT ON COLUMN ledger.ledger_tenant_grants.granted_by IS 'Which role granted it.';

-- ---- sql/tables/ledger_event_types.sql
-- The vocabulary, and what the reducer does with each word of it.  Rows are
-- added, never changed or removed: a projection rebuilt years later must fold
-- each event as it was folded at first.
CREATE TABLE ledger.ledger_event_types (
	event_type     text COLLATE "C" PRIMARY KEY
	               CHECK (event_type ~ '^[a-z][a-z0-9_]*([.][a-z][a-z0-9_]*)+$' AND length(event_type) <= 63),
	reserved       boolean NOT NULL DEFAULT false,
	projected      boolean NOT NULL DEFAULT true,
	default_status text    CHECK (default_status IN ('affected', 'triaged', 'in_progress', 'accepted_risk',
	                                                 'verified', 'resolved', 'unknown')),
	action_kind    text    CHECK (action_kind ~ '^[a-z][a-z0-9_]*$'),
	reads          text[]  NOT NULL DEFAULT '{status,severity,labels,explainRef,rationale}'
	               CHECK (reads <@ '{status,severity,labels,explainRef,rationale,risk,airgap}'::text[]),
	labels_mode    text    NOT NULL DEFAULT 'replace' CHECK (labels_mode IN ('replace', 'merge')),
	description    text    NOT NULL,
	CHECK (NOT (reserved AND projected)),
	CHECK (reserved = (event_type LIKE 'ledger.%'))
);
COMMENT ON TABLE ledger.ledger_event_types IS
	'Event types and how the reducer folds each: default status, action kind, payload members read. Append-only: add with ledger_add_event_type().';
COMMENT ON COLUMN ledger.ledger_event_types.event_type IS 'The wire name.';
COMMENT ON COLUMN ledger.ledger_event_types.reserved IS 'True for ledger.*: written by the ledger''s own functions only.';
COMMENT ON COLUMN ledger.ledger_event_types.projected IS 'Does the reducer fold it?';
COMMENT ON COLUMN ledger.ledger_event_types.default_status IS 'Status it gives if the payload names none; NULL leaves the status.';
COMMENT ON COLUMN ledger.ledger_event_types.action_kind IS 'action_type of the triage_actions row that it makes; NULL makes none.';
COMMENT ON COLUMN ledger.ledger_event_types.reads IS 'The payload members that the reducer looks at.';
COMMENT ON COLUMN ledger.ledger_event_types.labels_mode IS 'replace: payload.labels is the whole of them. merge: it sets some and removes those that are null.';
COMMENT ON COLUMN ledger.ledger_event_types.description IS 'What it says, for people.';

-- ---- sql/tables/ledger_chains.sql
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

-- ---- sql/tables/ledger_events.sql
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

-- ---- sql/tables/findings_projection.sql
-- The present state of every finding, folded from its events in the transaction
-- that appends them.  Derived: ledger_rebuild_projection() makes identical rows.
CREATE TABLE ledger.findings_projection (
	tenant_id                text COLLATE "C" NOT NULL,
	finding_id               text COLLATE "C" NOT NULL,
	policy_version           text COLLATE "C" NOT NULL,
	artifact_id              text COLLATE "C" NOT NULL,
	vuln_id                  text COLLATE "C",
	chain_id                 uuid        NOT NULL,
	status                   text COLLATE "C" NOT NULL,
	severity                 numeric(5,3),
	labels                   jsonb,
	explain_ref              text COLLATE "C",
	rationale                jsonb,
	risk_score               numeric(5,2),
	risk_severity            text COLLATE "C",
	risk_profile_version     text COLLATE "C",
	risk_explanation_id      text COLLATE "C",
	risk_event_sequence      bigint,
	risk_updated_at          timestamptz,
	airgap_bundle_id         text COLLATE "C",
	airgap_staleness_seconds bigint,
	current_event_id         uuid        NOT NULL,
	current_sequence         bigint      NOT NULL,
	projection_version       text COLLATE "C" NOT NULL,
	observed_at              timestamptz NOT NULL,
	updated_at               timestamptz NOT NULL,
	cycle_hash               bytea       NOT NULL CHECK (octet_length(cycle_hash) = 32),
	PRIMARY KEY (tenant_id, finding_id, policy_version)
) WITH (fillfactor = 80);
COMMENT ON TABLE ledger.findings_projection IS
	'Current state of each (tenant, finding, policy version), folded from ledger_events; cycle_hash covers it (docs/formats.md section 8).';
COMMENT ON COLUMN ledger.findings_projection.tenant_id IS 'Whose finding it is.';
COMMENT ON COLUMN ledger.findings_projection.finding_id IS 'The finding.';
COMMENT ON COLUMN ledger.findings_projection.policy_version IS 'The policy under which it is judged.';
COMMENT ON COLUMN ledger.findings_projection.artifact_id IS 'What it is about, by its newest event.';
COMMENT ON COLUMN ledger.findings_projection.vuln_id IS 'The vulnerability, by the newest event that named one.';
COMMENT ON COLUMN ledger.findings_projection.chain_id IS 'The chain of all its events.';
COMMENT ON COLUMN ledger.findings_projection.status IS 'affected, triaged, in_progress, accepted_risk, verified, resolved or unknown.';
COMMENT ON COLUMN ledger.findings_projection.severity IS 'CVSS score from 0 to 10, three decimals.';
COMMENT ON COLUMN ledger.findings_projection.labels IS 'Object of strings.';
COMMENT ON COLUMN ledger.findings_projection.explain_ref IS 'Where the policy''s explanation lies.';
COMMENT ON COLUMN ledger.findings_projection.rationale IS 'Array of strings: why the policy judged so.';
COMMENT ON COLUMN ledger.findings_projection.risk_score IS 'Score of the risk engine, 0 to 100, two decimals.';
COMMENT ON COLUMN ledger.findings_projection.risk_severity IS 'critical, high, medium, low or informational.';
COMMENT ON COLUMN ledger.findings_projection.risk_profile_version IS 'Version of the risk profile that scored; only goes up.';
COMMENT ON COLUMN ledger.findings_projection.risk_explanation_id IS 'The risk engine''s explanation.';
COMMENT ON COLUMN ledger.findings_projection.risk_event_sequence IS 'The risk engine''s counter; only goes up within a profile version.';
COMMENT ON COLUMN ledger.findings_projection.risk_updated_at IS 'recorded_at of the event that set the risk.';
COMMENT ON COLUMN ledger.findings_projection.airgap_bundle_id IS 'The newest imported bundle that touched it.';
COMMENT ON COLUMN ledger.findings_projection.airgap_staleness_seconds IS 'How old that bundle''s data were.';
COMMENT ON COLUMN ledger.findings_projection.current_event_id IS 'The newest event folded in.';
COMMENT ON COLUMN ledger.findings_projection.current_sequence IS 'Its place in the chain.';
COMMENT ON COLUMN ledger.findings_projection.projection_version IS 'Recipe of cycle_hash: ledger.projection.v1.';
COMMENT ON COLUMN ledger.findings_projection.observed_at IS 'occurred_at of the newest event.';
COMMENT ON COLUMN ledger.findings_projection.updated_at IS 'recorded_at of the newest event.';
COMMENT ON COLUMN ledger.findings_projection.cycle_hash IS 'SHA-256 of the canonical projection.';

-- ---- sql/tables/finding_history.sql
-- One row for every event that changed a finding's status or severity.  RANGE by
-- month of recorded_at under pg_partman, so that it may be aged out (retention is
-- off until an operator sets it); the events themselves stay.
CREATE TABLE ledger.finding_history (
	tenant_id         text COLLATE "C" NOT NULL,
	finding_id        text COLLATE "C" NOT NULL,
	policy_version    text COLLATE "C" NOT NULL,
	chain_id          uuid        NOT NULL,
	sequence_no       bigint      NOT NULL,
	event_id          uuid        NOT NULL,
	event_type        text COLLATE "C" NOT NULL,
	previous_status   text COLLATE "C",
	status            text COLLATE "C" NOT NULL,
	previous_severity numeric(5,3),
	severity          numeric(5,3),
	actor_id          text COLLATE "C" NOT NULL,
	actor_type        text COLLATE "C" NOT NULL,
	justification     text COLLATE "C",
	occurred_at       timestamptz NOT NULL,
	recorded_at       timestamptz NOT NULL,
	cycle_hash        bytea       NOT NULL CHECK (octet_length(cycle_hash) = 32),
	PRIMARY KEY (tenant_id, finding_id, policy_version, sequence_no, recorded_at)
) PARTITION BY RANGE (recorded_at);
COMMENT ON TABLE ledger.finding_history IS
	'State transitions of findings: one row for each event that changed status or severity, with actor and justification. Monthly partitions by recorded_at.';
COMMENT ON COLUMN ledger.finding_history.tenant_id IS 'Whose finding it is.';
COMMENT ON COLUMN ledger.finding_history.finding_id IS 'The finding.';
COMMENT ON COLUMN ledger.finding_history.policy_version IS 'The policy under which it is judged.';
COMMENT ON COLUMN ledger.finding_history.chain_id IS 'Chain of the event that changed it.';
COMMENT ON COLUMN ledger.finding_history.sequence_no IS 'Place of that event.';
COMMENT ON COLUMN ledger.finding_history.event_id IS 'That event.';
COMMENT ON COLUMN ledger.finding_history.event_type IS 'Its type.';
COMMENT ON COLUMN ledger.finding_history.previous_status IS 'Status before; NULL for a new finding.';
COMMENT ON COLUMN ledger.finding_history.status IS 'Status after.';
COMMENT ON COLUMN ledger.finding_history.previous_severity IS 'Severity before; NULL if there was none.';
COMMENT ON COLUMN ledger.finding_history.severity IS 'Severity after.';
COMMENT ON COLUMN ledger.finding_history.actor_id IS 'Who acted.';
COMMENT ON COLUMN ledger.finding_history.actor_type IS 'system, operator or integration.';
COMMENT ON COLUMN ledger.finding_history.justification IS 'The first of payload.justification, payload.comment, payload.reason.';
COMMENT ON COLUMN ledger.finding_history.occurred_at IS 'When it happened, as the caller said.';
COMMENT ON COLUMN ledger.finding_history.recorded_at IS 'When the ledger linked it.';
COMMENT ON COLUMN ledger.finding_history.cycle_hash IS 'cycle_hash of the finding after the event.';

-- ---- sql/tables/triage_actions.sql
-- One row for every event whose type has an action kind: comment, assignment,
-- remediation plan, attachment, accepted risk, …
CREATE TABLE ledger.triage_actions (
	tenant_id      text COLLATE "C" NOT NULL,
	action_id      uuid        NOT NULL,
	action_type    text COLLATE "C" NOT NULL,
	finding_id     text COLLATE "C" NOT NULL,
	policy_version text COLLATE "C" NOT NULL,
	chain_id       uuid        NOT NULL,
	sequence_no    bigint      NOT NULL,
	payload        jsonb       NOT NULL,
	created_by     text COLLATE "C" NOT NULL,
	occurred_at    timestamptz NOT NULL,
	created_at     timestamptz NOT NULL,
	PRIMARY KEY (tenant_id, finding_id, policy_version, sequence_no)
);
COMMENT ON TABLE ledger.triage_actions IS
	'Discrete actions on findings, one row for each event whose type has an action_kind; action_id is the event id.';
COMMENT ON COLUMN ledger.triage_actions.tenant_id IS 'Whose finding it is.';
COMMENT ON COLUMN ledger.triage_actions.action_id IS 'The event''s id.';
COMMENT ON COLUMN ledger.triage_actions.action_type IS 'action_kind of the event''s type.';
COMMENT ON COLUMN ledger.triage_actions.finding_id IS 'The finding.';
COMMENT ON COLUMN ledger.triage_actions.policy_version IS 'The policy under which it is judged.';
COMMENT ON COLUMN ledger.triage_actions.chain_id IS 'The event''s chain.';
COMMENT ON COLUMN ledger.triage_actions.sequence_no IS 'The event''s place in it.';
COMMENT ON COLUMN ledger.triage_actions.payload IS 'The event''s payload; {} once erased.';
COMMENT ON COLUMN ledger.triage_actions.created_by IS 'Who acted.';
COMMENT ON COLUMN ledger.triage_actions.occurred_at IS 'When it happened, as the caller said.';
COMMENT ON COLUMN ledger.triage_actions.created_at IS 'When the ledger linked the event.';

-- ---- sql/tables/ledger_partition_intent.sql
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

-- ---- sql/tables/ledger_merkle_roots.sql
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

-- ---- sql/tables/ledger_merkle_tiles.sql
-- Hash tiles as in C2SP tlog-tiles: the 256 nodes of height 8·level from
-- 256·tile_index on.  Only full tiles; level 0 is merkle_leaf_hash itself.
CREATE TABLE ledger.ledger_merkle_tiles (
	tenant_id  text COLLATE "C" NOT NULL REFERENCES ledger.ledger_tenants,
	chain_id   uuid     NOT NULL,
	level      smallint NOT NULL CHECK (level BETWEEN 1 AND 7),
	tile_index bigint   NOT NULL CHECK (tile_index >= 0),
	hashes     bytea    NOT NULL CHECK (octet_length(hashes) = 8192),
	PRIMARY KEY (tenant_id, chain_id, level, tile_index)
);
-- Hashes do not compress.
ALTER TABLE ledger.ledger_merkle_tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;
COMMENT ON TABLE ledger.ledger_merkle_tiles IS
	'Full hash tiles (C2SP tlog-tiles, 256 hashes) of levels 1 and up, made by ledger_anchor_tick(), immutable.';
COMMENT ON COLUMN ledger.ledger_merkle_tiles.tenant_id IS 'Whose chain it is.';
COMMENT ON COLUMN ledger.ledger_merkle_tiles.chain_id IS 'The chain.';
COMMENT ON COLUMN ledger.ledger_merkle_tiles.level IS 'Level of the tile: its hashes are roots of 256^level leaves.';
COMMENT ON COLUMN ledger.ledger_merkle_tiles.tile_index IS 'Place of the tile in its level, from 0.';
COMMENT ON COLUMN ledger.ledger_merkle_tiles.hashes IS '256 hashes of 32 bytes.';

-- The right edge: of each level the one tile that is not full yet.  Without it a
-- proof near the end of a chain would hash up to 65,535 leaves again.
CREATE TABLE ledger.ledger_merkle_edge (
	tenant_id  text COLLATE "C" NOT NULL REFERENCES ledger.ledger_tenants,
	chain_id   uuid     NOT NULL,
	level      smallint NOT NULL CHECK (level BETWEEN 1 AND 7),
	tile_index bigint   NOT NULL CHECK (tile_index >= 0),
	hashes     bytea    NOT NULL CHECK (octet_length(hashes) % 32 = 0 AND octet_length(hashes) < 8192),
	PRIMARY KEY (tenant_id, chain_id, level)
);
ALTER TABLE ledger.ledger_merkle_edge ALTER COLUMN hashes SET STORAGE EXTERNAL;
COMMENT ON TABLE ledger.ledger_merkle_edge IS
	'Of each chain and level the one tile that is not full yet: complete nodes up to the newest anchor. Derived; kept by ledger_anchor_tick().';
COMMENT ON COLUMN ledger.ledger_merkle_edge.tenant_id IS 'Whose chain it is.';
COMMENT ON COLUMN ledger.ledger_merkle_edge.chain_id IS 'The chain.';
COMMENT ON COLUMN ledger.ledger_merkle_edge.level IS 'Level of the tile.';
COMMENT ON COLUMN ledger.ledger_merkle_edge.tile_index IS 'Place of the tile in its level: how many full ones are before it.';
COMMENT ON COLUMN ledger.ledger_merkle_edge.hashes IS 'Its 0 to 255 hashes so far.';

-- ---- sql/tables/ledger_keys.sql
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

-- ---- sql/tables/ledger_anchor_receipts.sql
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

-- ---- sql/tables/ledger_verification_marks.sql
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

-- ---- sql/tables/ledger_access_log.sql
-- Who was given evidence, and when.  Written by the gateway through
-- ledger_log_access(); a row stays as it is.
CREATE TABLE ledger.ledger_access_log (
	tenant_id  text COLLATE "C" NOT NULL REFERENCES ledger.ledger_tenants,
	access_id  uuid        NOT NULL DEFAULT ledger.ledger_uuid_v7(),
	at         timestamptz NOT NULL DEFAULT now(),
	subject    text COLLATE "C" NOT NULL CHECK (octet_length(subject) <= 1024),
	-- Whoever has a link is nobody in particular: a token's subject may be "link" too.
	via        text COLLATE "C" CHECK (via IN ('token', 'certificate', 'link')),
	role_name  name        NOT NULL DEFAULT session_user,
	action     text COLLATE "C" NOT NULL CHECK (action ~ '^[a-z]+([._][a-z]+)*$' AND octet_length(action) <= 63),
	object     text COLLATE "C" NOT NULL CHECK (octet_length(object) <= 4096),
	request_id text COLLATE "C" CHECK (octet_length(request_id) <= 256),
	trace_id   text COLLATE "C" CHECK (octet_length(trace_id) <= 64),
	PRIMARY KEY (tenant_id, access_id)
);
COMMENT ON TABLE ledger.ledger_access_log IS
	'Who got evidence through the gateway: proofs, exports, attachments, verifications. Append-only; written by ledger_log_access().';
COMMENT ON COLUMN ledger.ledger_access_log.tenant_id IS 'Whose evidence it is.';
COMMENT ON COLUMN ledger.ledger_access_log.access_id IS 'UUID version 7: in the order of time.';
COMMENT ON COLUMN ledger.ledger_access_log.at IS 'When the transaction that gave it began.';
COMMENT ON COLUMN ledger.ledger_access_log.subject IS 'Who asked, as the gateway knows him: subject of the token, or of the client certificate.';
COMMENT ON COLUMN ledger.ledger_access_log.via IS 'What he brought: token, certificate, or a signed link, which says nothing of who he is.';
COMMENT ON COLUMN ledger.ledger_access_log.role_name IS 'Database role that the gateway was logged in with.';
COMMENT ON COLUMN ledger.ledger_access_log.action IS 'What was done: proof, consistency, export, verify, attachment.read, …';
COMMENT ON COLUMN ledger.ledger_access_log.object IS 'To what: an event''s id, a chain and sizes, an attachment''s id, and where it was pushed to, filters of an export.';
COMMENT ON COLUMN ledger.ledger_access_log.request_id IS 'X-Request-Id of the request.';
COMMENT ON COLUMN ledger.ledger_access_log.trace_id IS 'Trace id of the request (W3C Trace Context).';

-- ---- sql/tables/ledger_redaction_rules.sql
-- What an export leaves out or covers, as data: it is published as a manifest, and
-- every export names the SHA-256 of the rules that it was made under.
CREATE TABLE ledger.ledger_redaction_rules (
	shape  text COLLATE "C" NOT NULL CHECK (shape IN ('canonical', 'compact')),
	path   text COLLATE "C" NOT NULL CHECK (path = '*' OR path ~ '^[a-z_]+([.][a-z_]+)*$'),
	action text COLLATE "C" NOT NULL CHECK (action IN ('mask', 'drop', 'truncate_realm', 'mask_addresses')),
	reason text COLLATE "C" NOT NULL CHECK (reason <> ''),
	PRIMARY KEY (shape, path),
	CHECK ((path = '*') = (action = 'mask_addresses'))
);
COMMENT ON TABLE ledger.ledger_redaction_rules IS
	'What exports of findings leave out or cover (docs/formats.md section 9); ledger_http_redaction() applies it.';
COMMENT ON COLUMN ledger.ledger_redaction_rules.shape IS 'Of which shape of export: canonical or compact.';
COMMENT ON COLUMN ledger.ledger_redaction_rules.path IS 'Members from the outside in, joined by dots; * is every text in the line, names of members included.';
COMMENT ON COLUMN ledger.ledger_redaction_rules.action IS
	'mask: the value becomes "[masked]"; drop: the member is left out; truncate_realm: of an actor''s id only user:<realm> stays; mask_addresses: e-mail addresses in the text become "[masked]".';
COMMENT ON COLUMN ledger.ledger_redaction_rules.reason IS 'Why.';

-- ---- sql/tables/ledger_attachments.sql
-- Files attached to findings, encrypted by the gateway: no key is ever here.  What
-- the chain holds of one is its event, finding.attachment_added, with the digest.
CREATE TABLE ledger.ledger_attachments (
	tenant_id     text COLLATE "C" NOT NULL REFERENCES ledger.ledger_tenants,
	attachment_id uuid        NOT NULL,
	finding_id    text COLLATE "C" NOT NULL,
	media_type    text COLLATE "C" NOT NULL,
	file_name     text COLLATE "C" NOT NULL,
	size_bytes    bigint      NOT NULL CHECK (size_bytes >= 0),
	digest        bytea       NOT NULL CHECK (octet_length(digest) = 32),
	algorithm     text COLLATE "C" NOT NULL CHECK (algorithm = 'AES-256-GCM'),
	key_id        text COLLATE "C" NOT NULL CHECK (key_id ~ '^[0-9a-f]{16}$'),
	wrapped_key   bytea       NOT NULL CHECK (octet_length(wrapped_key) = 60),
	nonce         bytea       NOT NULL CHECK (octet_length(nonce) = 12),
	tag           bytea       NOT NULL CHECK (octet_length(tag) = 16),
	ciphertext    bytea       NOT NULL CHECK (octet_length(ciphertext) = size_bytes),
	created_at    timestamptz NOT NULL DEFAULT now(),
	expires_at    timestamptz,
	PRIMARY KEY (tenant_id, attachment_id)
);
-- Ciphertext does not compress.
ALTER TABLE ledger.ledger_attachments ALTER COLUMN ciphertext SET STORAGE EXTERNAL;
CREATE INDEX ledger_attachments_finding_idx
	ON ledger.ledger_attachments (tenant_id, finding_id, created_at, attachment_id);
-- What a rotation goes along.
CREATE INDEX ledger_attachments_key_idx ON ledger.ledger_attachments (key_id, tenant_id, attachment_id);
COMMENT ON TABLE ledger.ledger_attachments IS
	'Attachments of findings, encrypted with AES-256-GCM under a key of their own that is wrapped by the gateway''s. Append-only; only the wrapped key changes, when the gateway''s key is rotated.';
COMMENT ON COLUMN ledger.ledger_attachments.tenant_id IS 'Whose finding it is.';
COMMENT ON COLUMN ledger.ledger_attachments.attachment_id IS 'Its id, and that of its event finding.attachment_added.';
COMMENT ON COLUMN ledger.ledger_attachments.finding_id IS 'The finding.';
COMMENT ON COLUMN ledger.ledger_attachments.media_type IS 'Media type, as the sender said.';
COMMENT ON COLUMN ledger.ledger_attachments.file_name IS 'File name, as the sender said; empty: none.';
COMMENT ON COLUMN ledger.ledger_attachments.size_bytes IS 'Bytes of the content, and of the ciphertext.';
COMMENT ON COLUMN ledger.ledger_attachments.digest IS 'SHA-256 of the content; its event says the same.';
COMMENT ON COLUMN ledger.ledger_attachments.algorithm IS 'AES-256-GCM.';
COMMENT ON COLUMN ledger.ledger_attachments.key_id IS 'Which key of the gateway wrapped the data key.';
COMMENT ON COLUMN ledger.ledger_attachments.wrapped_key IS 'Data key: nonce, ciphertext and tag.';
COMMENT ON COLUMN ledger.ledger_attachments.nonce IS 'Nonce of the ciphertext.';
COMMENT ON COLUMN ledger.ledger_attachments.tag IS 'Authentication tag of the ciphertext.';
COMMENT ON COLUMN ledger.ledger_attachments.ciphertext IS 'The encrypted content.';
COMMENT ON COLUMN ledger.ledger_attachments.created_at IS 'When it was stored.';
COMMENT ON COLUMN ledger.ledger_attachments.expires_at IS 'From when on it is not given out any more; NULL: never.';

-- ---- sql/tables/ledger_projection_stats.sql
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

-- ---- sql/data/event_types.sql
INSERT INTO ledger.ledger_event_types
	(event_type, default_status, action_kind, reads, labels_mode, description)
VALUES
	('finding.created',                'affected',      NULL,               '{status,severity,labels,explainRef,rationale,airgap}', 'replace', 'A finding was observed for the first time.'),
	('finding.status_changed',         NULL,            'status_change',    DEFAULT, 'replace', 'The status was set; payload.status names it.'),
	('finding.severity_changed',       NULL,            NULL,               DEFAULT, 'replace', 'The severity was set; payload.severity gives it.'),
	('finding.tag_updated',            NULL,            NULL,               DEFAULT, 'merge',   'Labels were set (string) or removed (null); payload.labels lists them.'),
	('finding.comment_added',          NULL,            'comment',          DEFAULT, 'replace', 'Someone commented.'),
	('finding.assignment_changed',     NULL,            'assignment',       DEFAULT, 'replace', 'The finding was assigned to someone.'),
	('finding.accepted_risk',          'accepted_risk', 'accept_risk',      DEFAULT, 'replace', 'The risk was accepted, with a justification.'),
	('finding.remediation_plan_added', NULL,            'remediation_plan', DEFAULT, 'replace', 'A plan to mend the finding was added.'),
	('finding.attachment_added',       NULL,            'attachment',       DEFAULT, 'replace', 'A file was attached; the payload holds its reference and digest.'),
	('finding.risk_scored',            NULL,            NULL,               '{status,severity,labels,explainRef,rationale,risk}', 'replace', 'A risk engine scored the finding; payload.risk holds the score.'),
	('finding.closed',                 'resolved',      'close',            DEFAULT, 'replace', 'The finding was closed.'),
	('finding.reopened',               'affected',      'reopen',           DEFAULT, 'replace', 'A closed finding was opened again.'),
	('finding.verified',               'verified',      'verify_fix',       DEFAULT, 'replace', 'A fix was verified.'),
	('airgap.bundle_imported',          NULL,           NULL,               '{airgap}', 'replace', 'A bundle imported on an air-gapped site touched the finding.'),
	('airgap.evidence_snapshot_linked', NULL,           NULL,               '{airgap}', 'replace', 'A portable evidence snapshot was linked.'),
	('airgap.timeline_impact',          NULL,           NULL,               '{airgap}', 'replace', 'An import changed the finding''s timeline.');

INSERT INTO ledger.ledger_event_types
	(event_type, projected, reads, description)
VALUES
	('orchestrator.export_recorded', false, '{}', 'An orchestrator export run was recorded.'),
	('attestation.verified',         false, '{}', 'An attestation was verified.');

INSERT INTO ledger.ledger_event_types
	(event_type, reserved, projected, reads, description)
VALUES
	('ledger.payload_redacted',    true, false, '{}', 'A payload was erased; names the event, the reason and who asked.'),
	('ledger.incarnation_started', true, false, '{}', 'This chain goes on in a restored copy; names the last sequence present.'),
	('ledger.guard_changed',       true, false, '{}', 'A privileged role changed an object of the ledger.'),
	('ledger.import_recorded',     true, false, '{}', 'Events were imported; names who, the range and the source''s digest.'),
	('ledger.migrated',            true, false, '{}', 'A schema migration was applied.'),
	('ledger.tenant_closed',       true, false, '{}', 'A tenant was closed.'),
	('ledger.key_changed',         true, false, '{}', 'A key of a signer or witness was registered, retired or revoked.');

-- ---- sql/data/partition_intent.sql
INSERT INTO ledger.ledger_partition_intent (parent_table, control_column, step)
VALUES ('ledger.finding_history', 'recorded_at', 'monthly');

-- ---- sql/data/redaction_rules.sql
INSERT INTO ledger.ledger_redaction_rules (shape, path, action, reason) VALUES
	('canonical', '*', 'mask_addresses', 'An e-mail address is personal data wherever it was typed.'),
	('canonical', 'provenance.actor_id', 'truncate_realm', 'Who acted is personal data; from which realm is not.'),
	('canonical', 'provenance.comment', 'mask', 'A comment is free text of a person; that there is one is told.'),
	('compact', '*', 'mask_addresses', 'An e-mail address is personal data wherever it was typed.'),
	('compact', 'explain_ref', 'drop', 'Air-gapped readers cannot follow it.'),
	('compact', 'provenance.actor_id', 'drop', 'Who acted is personal data.'),
	('compact', 'provenance.comment', 'drop', 'A comment is free text of a person.'),
	('compact', 'provenance.recorded_at', 'drop', 'Verbose provenance; updated_at has it.'),
	('compact', 'provenance.source_run_id', 'drop', 'Verbose provenance.'),
	('compact', 'rationale', 'drop', 'Verbose, and free text.');
