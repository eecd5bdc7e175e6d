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
