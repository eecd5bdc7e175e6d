CREATE FUNCTION ledger.ledger_add_event_type(
	event_type     text,
	description    text,
	default_status text    DEFAULT NULL,
	action_kind    text    DEFAULT NULL,
	reads          text[]  DEFAULT '{status,severity,labels,explainRef,rationale}',
	labels_mode    text    DEFAULT 'replace',
	projected      boolean DEFAULT true)
	RETURNS ledger.ledger_event_types
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	v_row ledger.ledger_event_types;
BEGIN
	IF event_type LIKE 'ledger.%' THEN
		RAISE EXCEPTION 'event types ledger.* are reserved' USING ERRCODE = 'LG403';
	END IF;
	INSERT INTO ledger.ledger_event_types AS t
		(event_type, projected, default_status, action_kind, reads, labels_mode, description)
	VALUES (event_type, projected, default_status, action_kind, reads, labels_mode, description)
	ON CONFLICT DO NOTHING
	RETURNING t.* INTO v_row;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'event type "%" exists', event_type
			USING ERRCODE = 'LG409', HINT = 'Event types are never changed: add another one.';
	END IF;
	RETURN v_row;
EXCEPTION
	WHEN check_violation OR not_null_violation THEN
		RAISE EXCEPTION 'event type is not valid' USING ERRCODE = 'LG400', DETAIL = SQLERRM;
END
$$;
COMMENT ON FUNCTION ledger.ledger_add_event_type(text, text, text, text, text[], text, boolean) IS
	'Adds an event type and how the reducer folds it (docs/projection.md). Types are never changed or removed. LG400 malformed, LG403 reserved name, LG409 exists. For ledger_operator.';
