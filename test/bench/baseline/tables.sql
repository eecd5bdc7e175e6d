-- The tables of a baseline, in a schema of its own (psql variable "side"): the
-- columns, checks and indexes of the ledger's tables, LIST by tenant alike, without
-- its triggers and policies.  Writing that much is what any ledger costs; the
-- benchmarks ask what ours costs besides.
CREATE SCHEMA :"side";

CREATE TABLE :"side".events (LIKE ledger.ledger_events INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
	PARTITION BY LIST (tenant_id);
ALTER TABLE :"side".events
	ADD PRIMARY KEY (tenant_id, chain_id, sequence_no),
	ADD UNIQUE (tenant_id, event_id);
CREATE INDEX ON :"side".events (tenant_id, finding_id, policy_version, sequence_no);
CREATE TABLE :"side".events_bench PARTITION OF :"side".events FOR VALUES IN ('bench');

CREATE TABLE :"side".projection (LIKE ledger.findings_projection INCLUDING ALL) WITH (fillfactor = 80);

CREATE TABLE :"side".history (LIKE ledger.finding_history INCLUDING DEFAULTS INCLUDING CONSTRAINTS)
	PARTITION BY RANGE (recorded_at);
ALTER TABLE :"side".history
	ADD PRIMARY KEY (tenant_id, finding_id, policy_version, sequence_no, recorded_at);
CREATE TABLE :"side".history_all PARTITION OF :"side".history DEFAULT;

-- Only unique: the plain side has no chains.
CREATE SEQUENCE :"side".numbers CACHE 100;
