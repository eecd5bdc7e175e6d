-- Anchors are evidence like events.  What changes in the course of their lives is only
-- what is added to them (functions/ledger_only_adds.sql).  Row triggers too, because
-- logical replication fires no others.
CREATE TRIGGER ledger_refuse_row BEFORE UPDATE ON ledger.ledger_merkle_roots
	FOR EACH ROW WHEN (NOT ledger.ledger_anchor_only_adds(old, new))
	EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_delete BEFORE DELETE ON ledger.ledger_merkle_roots
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE DELETE OR TRUNCATE ON ledger.ledger_merkle_roots
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_merkle_roots ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_merkle_roots ENABLE ALWAYS TRIGGER ledger_refuse_delete;
ALTER TABLE ledger.ledger_merkle_roots ENABLE ALWAYS TRIGGER ledger_refuse_statement;

-- Tiles, receipts, marks, and who got evidence: nothing at all.
CREATE TRIGGER ledger_refuse_row BEFORE UPDATE OR DELETE ON ledger.ledger_merkle_tiles
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.ledger_merkle_tiles
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_merkle_tiles ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_merkle_tiles ENABLE ALWAYS TRIGGER ledger_refuse_statement;

CREATE TRIGGER ledger_refuse_row BEFORE UPDATE OR DELETE ON ledger.ledger_anchor_receipts
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.ledger_anchor_receipts
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_anchor_receipts ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_anchor_receipts ENABLE ALWAYS TRIGGER ledger_refuse_statement;

CREATE TRIGGER ledger_refuse_row BEFORE UPDATE OR DELETE ON ledger.ledger_verification_marks
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.ledger_verification_marks
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_verification_marks ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_verification_marks ENABLE ALWAYS TRIGGER ledger_refuse_statement;

CREATE TRIGGER ledger_refuse_row BEFORE UPDATE OR DELETE ON ledger.ledger_access_log
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.ledger_access_log
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_access_log ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_access_log ENABLE ALWAYS TRIGGER ledger_refuse_statement;
