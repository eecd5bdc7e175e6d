-- The event triggers themselves are C (extension/src/guard_ddl.c): whoever may
-- replace a guard's function could judge his own replacement.
CREATE FUNCTION ledger.ledger_record_guard_change(in_tag text, in_objects text[]) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	-- A session that says off, as every restore does, would fail here and go unrecorded.
	SET row_security = on
	AS $$
BEGIN
	PERFORM ledger.ledger_append_own('ledger.guard_changed', jsonb_build_object(
		'command', in_tag, 'objects', to_jsonb(in_objects), 'role', session_user));
EXCEPTION
	-- A ledger that is broken must not keep the superuser from mending it.
	WHEN OTHERS THEN
		RAISE WARNING 'change of the ledger''s objects could not be recorded: %', SQLERRM;
END
$$;
COMMENT ON FUNCTION ledger.ledger_record_guard_change(text, text[]) IS
	'Appends a ledger.guard_changed event: which command of which role changed which objects. Called by the event triggers; a WARNING says if it could not.';
