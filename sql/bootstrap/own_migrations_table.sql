ALTER TABLE ledger.ledger_schema_migrations OWNER TO ledger_owner;
