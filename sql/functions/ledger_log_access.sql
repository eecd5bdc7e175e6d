CREATE FUNCTION ledger.ledger_log_access(tenant text, context jsonb, action text, object text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
BEGIN
	IF tenant IS NULL OR context ->> 'subject' IS NULL OR object IS NULL OR action IS NULL
		OR action !~ '^[a-z]+([._][a-z]+)*$' OR octet_length(action) > 63 THEN
		RAISE EXCEPTION 'tenant, subject, action and object are required'
			USING ERRCODE = 'LG400', DETAIL = format('action is %s.', coalesce('"' || left(action, 80) || '"', 'null')),
				HINT = 'An action is lower-case words joined by dots or underscores; the subject is a member of context.';
	END IF;
	IF NOT ledger.ledger_tenant_allowed(tenant) THEN
		RAISE EXCEPTION 'role may not touch tenant "%"', tenant
			USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
	END IF;
	INSERT INTO ledger.ledger_access_log (tenant_id, subject, via, action, object, request_id, trace_id)
	VALUES (tenant, left(context ->> 'subject', 256), context ->> 'via', action, left(object, 1024),
		left(context ->> 'requestId', 64), left(context ->> 'traceId', 64));
END
$$;
COMMENT ON FUNCTION ledger.ledger_log_access(text, jsonb, text, text) IS
	'Records in ledger_access_log who was given what: subject, via, requestId and traceId are members of a request''s context (docs/decisions/0017), action and object are told by the function that gives it. LG400: a member is missing; LG403: tenant not granted. For ledger_gateway.';
