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
	-- System identifier and database this instance lives in.  Never hashed and
	-- never compared between copies: it only tells a copy that it is one.
	home         text        NOT NULL,
	created_at   timestamptz NOT NULL DEFAULT now(),
	restored_at  timestamptz
);
COMMENT ON TABLE ledger.ledger_settings IS
	'One row: origin (the name of this log in checkpoints), instance_id and incarnation (which copy of it this database is).';

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
	created_by  name        NOT NULL DEFAULT session_user
);
COMMENT ON TABLE ledger.ledger_tenants IS
	'The tenants and the leaf partition of ledger_events that holds each. Rows are made by ledger_create_tenant().';

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

-- ---- sql/tables/ledger_event_types.sql
-- The vocabulary, and what the reducer does with each word of it.  Rows are
-- added, never changed or removed: a projection rebuilt years later must fold
-- each event as it was folded at first.
CREATE TABLE ledger.ledger_event_types (
	event_type     text COLLATE "C" PRIMARY KEY
	               CHECK (event_type ~ '^[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+$' AND length(event_type) <= 63),
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
	retention      interval CHECK (retention > interval '0')
);
COMMENT ON TABLE ledger.ledger_partition_intent IS
	'Which tables pg_partman ages by time, and how; independent of pg_partman''s version. retention NULL (the default) keeps everything.';

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
	('ledger.tenant_closed',       true, false, '{}', 'A tenant was closed.');

-- ---- sql/data/partition_intent.sql
INSERT INTO ledger.ledger_partition_intent (parent_table, control_column, step)
VALUES ('ledger.finding_history', 'recorded_at', 'monthly');
