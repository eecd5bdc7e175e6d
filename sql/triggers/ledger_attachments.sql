-- An attachment stays as it was stored.  Only its data key may be wrapped anew
-- (functions/ledger_attachments.sql).
CREATE TRIGGER ledger_refuse_row BEFORE UPDATE ON ledger.ledger_attachments
	FOR EACH ROW WHEN (NOT ledger.ledger_attachment_only_rewraps(old, new))
	EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_delete BEFORE DELETE ON ledger.ledger_attachments
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE DELETE OR TRUNCATE ON ledger.ledger_attachments
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_attachments ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_attachments ENABLE ALWAYS TRIGGER ledger_refuse_delete;
ALTER TABLE ledger.ledger_attachments ENABLE ALWAYS TRIGGER ledger_refuse_statement;
