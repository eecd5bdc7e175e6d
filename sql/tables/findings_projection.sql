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
