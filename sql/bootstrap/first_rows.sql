-- The log's name and this copy's identity; and the reserved tenant that holds
-- the ledger's events about itself.
INSERT INTO ledger.ledger_settings (origin, instance_id, home)
SELECT 'ledger-' || encode(uuid_send(gen_random_uuid()), 'hex'), gen_random_uuid(), ledger.ledger_home();

SELECT ledger.ledger_create_tenant('ledger');

SELECT ledger.ledger_ensure_partitions();
