-- runs as: superuser
-- Undoes 0005_event_triggers.sql.  The ledger's own chain stays, and says so.
SELECT ledger.ledger_record_guard_change('ledgerctl migrate --rollback-to', ARRAY['migration 0005_event_triggers.sql']);

DO $$
DECLARE
	v_name name;
BEGIN
	FOR v_name IN
		SELECT t.evtname
		FROM pg_event_trigger AS t JOIN pg_proc AS p ON p.oid = t.evtfoid
		WHERE p.pronamespace = 'ledger'::regnamespace
	LOOP
		EXECUTE format('DROP EVENT TRIGGER %I', v_name);
	END LOOP;
END
$$;
