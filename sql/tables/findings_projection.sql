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
