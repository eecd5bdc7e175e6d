-- Created by a superuser, as PostgreSQL demands; the functions are the extension's.
CREATE EVENT TRIGGER ledger_guard_start ON ddl_command_start
	EXECUTE FUNCTION ledger.ledger_guard_start();
CREATE EVENT TRIGGER ledger_guard_ddl_end ON ddl_command_end
	EXECUTE FUNCTION ledger.ledger_guard_ddl_end();
CREATE EVENT TRIGGER ledger_guard_drop ON sql_drop
	EXECUTE FUNCTION ledger.ledger_guard_drop();
CREATE EVENT TRIGGER ledger_guard_rewrite ON table_rewrite
	EXECUTE FUNCTION ledger.ledger_guard_rewrite();
ALTER EVENT TRIGGER ledger_guard_start ENABLE ALWAYS;
ALTER EVENT TRIGGER ledger_guard_ddl_end ENABLE ALWAYS;
ALTER EVENT TRIGGER ledger_guard_drop ENABLE ALWAYS;
ALTER EVENT TRIGGER ledger_guard_rewrite ENABLE ALWAYS;
COMMENT ON EVENT TRIGGER ledger_guard_start IS 'Findings Ledger: refuses what commits before it could be judged';
COMMENT ON EVENT TRIGGER ledger_guard_ddl_end IS 'Findings Ledger: guards the ledger''s objects';
COMMENT ON EVENT TRIGGER ledger_guard_drop IS 'Findings Ledger: guards the ledger''s objects';
COMMENT ON EVENT TRIGGER ledger_guard_rewrite IS 'Findings Ledger: guards the ledger''s tables';
