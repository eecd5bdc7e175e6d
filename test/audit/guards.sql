-- Catalog objects with the names and shapes of the ledger's guards: what is tested
-- here is that the verifiers miss each one.  The event triggers do nothing.

CREATE TRIGGER zzzz_ledger_link BEFORE INSERT ON ledger.ledger_events
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_link();
CREATE TRIGGER ledger_refuse_row BEFORE UPDATE OR DELETE ON ledger.ledger_events
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.ledger_events
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_project AFTER INSERT ON ledger.ledger_events
	REFERENCING NEW TABLE AS new_rows FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_project();

DO $$
DECLARE
	v_leaf text;
	v_name text;
BEGIN
	FOREACH v_leaf IN ARRAY '{ledger_events_acme,ledger_events_globex}'::text[] LOOP
		EXECUTE format('CREATE TRIGGER ledger_refuse_direct BEFORE INSERT OR UPDATE OR DELETE ON ledger.%I
			FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_direct()', v_leaf);
		EXECUTE format('CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger.%I
			FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change()', v_leaf);
		FOREACH v_name IN ARRAY '{ledger_refuse_direct,ledger_refuse_truncate,zzzz_ledger_link,ledger_refuse_row}'::text[] LOOP
			EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER %I', v_leaf, v_name);
		END LOOP;
	END LOOP;
	CREATE TRIGGER ledger_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.ledger_event_types
		FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
	ALTER TABLE ledger.ledger_event_types ENABLE ALWAYS TRIGGER ledger_refuse_statement;
	FOREACH v_name IN ARRAY '{zzzz_ledger_link,ledger_refuse_row,ledger_refuse_statement,ledger_project}'::text[] LOOP
		EXECUTE format('ALTER TABLE ledger.ledger_events ENABLE ALWAYS TRIGGER %I', v_name);
	END LOOP;
	FOREACH v_name IN ARRAY '{ledger_events,findings_projection,finding_history,triage_actions,ledger_chains,ledger_merkle_roots,ledger_merkle_tiles,
		ledger_merkle_edge,ledger_key_ranges,ledger_anchor_receipts,ledger_anchor_stats,ledger_verification_marks,ledger_access_log,ledger_attachments,ledger_projection_stats}'::text[] LOOP
		EXECUTE format('ALTER TABLE ledger.%I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', v_name);
	END LOOP;
	CREATE ROLE ledger_owner NOLOGIN;
	ALTER SCHEMA ledger OWNER TO ledger_owner;
	FOR v_name IN SELECT relname FROM pg_class WHERE relnamespace = 'ledger'::regnamespace AND relkind IN ('r', 'p') LOOP
		EXECUTE format('ALTER TABLE ledger.%I OWNER TO ledger_owner', v_name);
	END LOOP;
END
$$;

\i sql/triggers/ledger_schema_migrations.sql
\i sql/triggers/ledger_merkle_roots.sql
\i sql/triggers/ledger_keys.sql
\i sql/triggers/ledger_settings.sql
\i sql/triggers/ledger_attachments.sql
CREATE EVENT TRIGGER ledger_guard_start ON ddl_command_start EXECUTE FUNCTION ledger.ledger_guard_start();
CREATE EVENT TRIGGER ledger_guard_ddl_end ON ddl_command_end EXECUTE FUNCTION ledger.ledger_guard_ddl_end();
CREATE EVENT TRIGGER ledger_guard_drop ON sql_drop EXECUTE FUNCTION ledger.ledger_guard_drop();
CREATE EVENT TRIGGER ledger_guard_rewrite ON table_rewrite EXECUTE FUNCTION ledger.ledger_guard_rewrite();
ALTER EVENT TRIGGER ledger_guard_start ENABLE ALWAYS;
ALTER EVENT TRIGGER ledger_guard_ddl_end ENABLE ALWAYS;
ALTER EVENT TRIGGER ledger_guard_drop ENABLE ALWAYS;
ALTER EVENT TRIGGER ledger_guard_rewrite ENABLE ALWAYS;
