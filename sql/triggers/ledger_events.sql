-- The link trigger must fire last of all BEFORE triggers, which fire by name: a
-- later one could change what was hashed.
CREATE TRIGGER zzzz_ledger_link BEFORE INSERT ON ledger.ledger_events
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_link();
CREATE TRIGGER ledger_refuse_row BEFORE UPDATE OR DELETE ON ledger.ledger_events
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.ledger_events
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_events ENABLE ALWAYS TRIGGER zzzz_ledger_link;
ALTER TABLE ledger.ledger_events ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_events ENABLE ALWAYS TRIGGER ledger_refuse_statement;

-- Statement triggers see all new rows at once; a statement aimed at a leaf would not
-- fire it, which is why leaves refuse such statements.
CREATE TRIGGER ledger_project AFTER INSERT ON ledger.ledger_events
	REFERENCING NEW TABLE AS new_events
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_project();
ALTER TABLE ledger.ledger_events ENABLE ALWAYS TRIGGER ledger_project;
