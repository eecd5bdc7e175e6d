-- The name of the log in its checkpoints.  A random one is there from the start; an
-- operator may give it a name that he owns, as long as nothing is anchored under it.
CREATE FUNCTION ledger.ledger_set_origin(origin text) RETURNS text
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	v_now ledger.ledger_settings;
BEGIN
	IF origin IS NULL OR origin !~ '^[a-z0-9][a-z0-9./-]{0,200}$' THEN
		RAISE EXCEPTION 'origin is not valid'
			USING ERRCODE = 'LG400', DETAIL = CASE WHEN origin IS NULL THEN 'It is null.' ELSE format('It is "%s".', left(origin, 210)) END,
				HINT = 'An origin matches ^[a-z0-9][a-z0-9./-]{0,200}$; take a name that you own, such as ledger.example.com/prod.';
	END IF;
	SELECT s.* INTO STRICT v_now FROM ledger.ledger_settings AS s FOR UPDATE;
	-- A copy that is not taken over yet may become a log of its own.
	IF v_now.origin <> origin AND v_now.first_anchored_at IS NOT NULL AND v_now.home = ledger.ledger_home() THEN
		RAISE EXCEPTION 'the origin stands since the first anchor'
			USING ERRCODE = 'LG423', DETAIL = format('It is "%s".', v_now.origin),
				HINT = 'Checkpoints that left name the log by it. A restored copy that is to sign on its own takes a new one before ledger_after_restore().';
	END IF;
	UPDATE ledger.ledger_settings AS s
	   SET origin = origin, instance_id = CASE WHEN v_now.first_anchored_at IS NULL OR v_now.origin = origin
	                                           THEN s.instance_id ELSE gen_random_uuid() END;
	RETURN origin;
END
$$;
COMMENT ON FUNCTION ledger.ledger_set_origin(text) IS
	'Names the log in its checkpoints, and returns the name. Before the first anchor; afterwards only in a restored copy that ledger_after_restore() has not taken over, which so becomes a log of its own. LG400: no such name; LG423: anchored already. For ledger_operator.';
