-- A key that was once trusted stays in the books: it ends, and its ranges shrink, but
-- neither is taken out, widened or given another content.
CREATE TRIGGER ledger_refuse_row BEFORE UPDATE ON ledger.ledger_keys
	FOR EACH ROW WHEN (NOT ledger.ledger_key_only_ends(old, new))
	EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_delete BEFORE DELETE ON ledger.ledger_keys
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE DELETE OR TRUNCATE ON ledger.ledger_keys
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_keys ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_keys ENABLE ALWAYS TRIGGER ledger_refuse_delete;
ALTER TABLE ledger.ledger_keys ENABLE ALWAYS TRIGGER ledger_refuse_statement;

CREATE TRIGGER ledger_refuse_row BEFORE UPDATE ON ledger.ledger_key_ranges
	FOR EACH ROW WHEN (NOT ledger.ledger_range_only_narrows(old, new))
	EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_delete BEFORE DELETE ON ledger.ledger_key_ranges
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE DELETE OR TRUNCATE ON ledger.ledger_key_ranges
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_key_ranges ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_key_ranges ENABLE ALWAYS TRIGGER ledger_refuse_delete;
ALTER TABLE ledger.ledger_key_ranges ENABLE ALWAYS TRIGGER ledger_refuse_statement;
