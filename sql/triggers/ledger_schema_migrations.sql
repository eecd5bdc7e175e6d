-- A recorded migration is what lets the owner's members change the ledger's
-- objects, so the record stays: only its event may be filled in, once.
CREATE TRIGGER ledger_refuse_row BEFORE UPDATE ON ledger.ledger_schema_migrations
	FOR EACH ROW
	WHEN (old.event_id IS NOT NULL
		OR (old.version, old.file_name, old.checksum, old.applied_at, old.applied_by)
			IS DISTINCT FROM (new.version, new.file_name, new.checksum, new.applied_at, new.applied_by))
	EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE DELETE OR TRUNCATE ON ledger.ledger_schema_migrations
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_schema_migrations ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_schema_migrations ENABLE ALWAYS TRIGGER ledger_refuse_statement;
