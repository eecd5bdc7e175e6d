INSERT INTO ledger.ledger_partition_intent (parent_table, control_column, step)
VALUES ('ledger.finding_history', 'recorded_at', 'monthly');
