-- The log's name in its checkpoints: an operator's choice until the first anchor, and
-- fixed from then on, for superusers too.
\set VERBOSITY default
\set SHOW_CONTEXT never
BEGIN;
SET LOCAL client_min_messages = warning;
ALTER TABLE ledger.ledger_settings DISABLE TRIGGER ledger_refuse_row;
UPDATE ledger.ledger_settings SET first_anchored_at = NULL;
ALTER TABLE ledger.ledger_settings ENABLE ALWAYS TRIGGER ledger_refuse_row;

SELECT ledger.ledger_set_origin('ledger.example/test');
SELECT origin FROM ledger.ledger_settings;
SAVEPOINT s;
SELECT ledger.ledger_set_origin('Ledger Example');
ROLLBACK TO s;
SELECT ledger.ledger_set_origin(NULL);
ROLLBACK TO s;

UPDATE ledger.ledger_settings SET first_anchored_at = now();
SELECT ledger.ledger_set_origin('ledger.example/test') AS the_same_name_again;
SAVEPOINT s;
SELECT ledger.ledger_set_origin('ledger.example/other');
ROLLBACK TO s;
UPDATE ledger.ledger_settings SET origin = 'ledger.example/other';
ROLLBACK TO s;
UPDATE ledger.ledger_settings SET first_anchored_at = NULL;
ROLLBACK TO s;
DELETE FROM ledger.ledger_settings;
ROLLBACK TO s;
TRUNCATE ledger.ledger_settings;
ROLLBACK TO s;

-- A restored copy that is to be a log of its own takes a name and an identity of its own.
SELECT instance_id AS instance FROM ledger.ledger_settings \gset
UPDATE ledger.ledger_settings SET home = '1/2/3';
SELECT ledger.ledger_set_origin('ledger.example/fork');
SELECT origin, instance_id <> :'instance' AS other_instance FROM ledger.ledger_settings;
ROLLBACK;
