-- One row, and the name in it is what every checkpoint that left says.
CREATE TRIGGER ledger_refuse_row BEFORE UPDATE ON ledger.ledger_settings
	FOR EACH ROW WHEN (NOT ledger.ledger_origin_stays(old, new))
	EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_delete BEFORE DELETE ON ledger.ledger_settings
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE DELETE OR TRUNCATE ON ledger.ledger_settings
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_settings ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_settings ENABLE ALWAYS TRIGGER ledger_refuse_delete;
ALTER TABLE ledger.ledger_settings ENABLE ALWAYS TRIGGER ledger_refuse_statement;
