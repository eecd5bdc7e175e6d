-- The vocabulary only grows: a changed row would fold old events anew.
CREATE TRIGGER ledger_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.ledger_event_types
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_event_types ENABLE ALWAYS TRIGGER ledger_refuse_statement;
