-- runs as: owner
-- Built from sql/ by migrations/freeze.sh.  Frozen once released: change sql/
-- and add a migration instead (migrations/README.md).

-- ---- sql/triggers/ledger_events.sql
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

-- ---- sql/triggers/ledger_event_types.sql
-- The vocabulary only grows: a changed row would fold old events anew.
CREATE TRIGGER ledger_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.ledger_event_types
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_event_types ENABLE ALWAYS TRIGGER ledger_refuse_statement;

-- ---- sql/policies/tenant_rows.sql
-- Row-level security, forced: it holds for the owner too.  A reader sees the
-- tenant that app.current_tenant selects, if a grant allows it.  Inside the
-- owner's SECURITY DEFINER functions the tenant comes as a parameter, so there the
-- grant alone decides; the asked subject stays the session's role.
DO $$
DECLARE
	v_table text;
BEGIN
	FOREACH v_table IN ARRAY ARRAY['ledger_events', 'findings_projection', 'finding_history', 'triage_actions', 'ledger_chains']
	LOOP
		EXECUTE format('ALTER TABLE ledger.%I ENABLE ROW LEVEL SECURITY', v_table);
		EXECUTE format('ALTER TABLE ledger.%I FORCE ROW LEVEL SECURITY', v_table);
		EXECUTE format('CREATE POLICY tenant_selected ON ledger.%I
			USING (ledger.ledger_tenant_selected(tenant_id))', v_table);
		EXECUTE format('CREATE POLICY tenant_granted ON ledger.%I TO ledger_owner
			USING (ledger.ledger_tenant_allowed(tenant_id))', v_table);
	END LOOP;
END
$$;
