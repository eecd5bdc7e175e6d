-- runs as: superuser
-- Undoes 0003_functions.sql: every function of the owner's in schema ledger; the
-- extension's are the superuser's.
DO $$
DECLARE
	v_routine regprocedure;
BEGIN
	FOR v_routine IN
		SELECT p.oid FROM pg_proc AS p
		WHERE p.pronamespace = 'ledger'::regnamespace AND p.proowner = 'ledger_owner'::regrole
	LOOP
		EXECUTE format('DROP ROUTINE %s', v_routine);
	END LOOP;
END
$$;
