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
