-- The ledger's tables (read from sql/tables by run.sh) with two tenants' leaves
-- and a few months of history; no triggers.
INSERT INTO ledger.ledger_tenants (tenant_id, leaf)
VALUES ('acme', 'ledger_events_acme'), ('globex', 'ledger_events_globex');
CREATE TABLE ledger.ledger_events_acme PARTITION OF ledger.ledger_events FOR VALUES IN ('acme');
CREATE TABLE ledger.ledger_events_globex PARTITION OF ledger.ledger_events FOR VALUES IN ('globex');
CREATE TABLE ledger.finding_history_2026_11 PARTITION OF ledger.finding_history
	FOR VALUES FROM ('2026-11-01 00:00:00+00') TO ('2026-12-01 00:00:00+00');
CREATE TABLE ledger.finding_history_2026_12 PARTITION OF ledger.finding_history
	FOR VALUES FROM ('2026-12-01 00:00:00+00') TO ('2027-01-01 00:00:00+00');
CREATE TABLE ledger.finding_history_default PARTITION OF ledger.finding_history DEFAULT;
INSERT INTO ledger.ledger_chains (tenant_id, chain_id, policy_version, created_at) VALUES
	('acme', 'a0000000-0000-8000-8000-00000000000a', 'policy-v1', '2026-11-01 00:00:00+00'),
	('acme', 'b0000000-0000-8000-8000-00000000000b', 'policy-v2', '2026-11-01 00:00:00+00'),
	('globex', 'c0000000-0000-8000-8000-00000000000c', 'policy-v1', '2026-11-01 00:00:00+00'),
	('globex', 'd0000000-0000-8000-8000-00000000000d', 'policy-v2', '2026-11-01 00:00:00+00');
