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
