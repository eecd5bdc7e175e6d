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
