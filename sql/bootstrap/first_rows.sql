-- The log's name and this copy's identity; and the reserved tenant that holds
-- the ledger's events about itself.
INSERT INTO ledger.ledger_settings (origin, instance_id, home)
SELECT 'ledger-' || encode(uuid_send(gen_random_uuid()), 'hex'), gen_random_uuid(),
	format('%s/%s', (SELECT system_identifier FROM pg_control_system()),
		(SELECT oid FROM pg_database WHERE datname = current_database()));

SELECT ledger.ledger_create_tenant('ledger');

SELECT ledger.ledger_ensure_partitions();
