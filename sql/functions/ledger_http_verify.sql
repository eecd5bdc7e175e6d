-- Verification for the gateway.  Writes: who was told the verdict is recorded.
CREATE FUNCTION ledger.ledger_http_verify(tenant text, context jsonb, request jsonb)
	RETURNS TABLE (status integer, headers json, body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 1
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_member text;
	v_chain  uuid;
	v_from   bigint;
	v_to     bigint;
BEGIN
	PERFORM ledger.ledger_http_tenant(tenant);
	IF jsonb_typeof($3) IS DISTINCT FROM 'object' THEN
		RAISE EXCEPTION 'the request must be a JSON object'
			USING ERRCODE = 'LG400', DETAIL = format('It is %s.', coalesce(jsonb_typeof($3), 'null')), HINT = '{} verifies everything of the tenant.';
	END IF;
	SELECT m.key INTO v_member FROM jsonb_object_keys($3) AS m (key)
	WHERE m.key NOT IN ('tenant', 'chainId', 'from', 'to') ORDER BY m.key COLLATE "C" LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'unknown member "%"', left(v_member, 80)
			USING ERRCODE = 'LG400', HINT = 'Known are chainId, from and to.';
	ELSIF $3 ->> 'tenant' <> tenant THEN
		RAISE EXCEPTION 'tenant is not the one of the request' USING ERRCODE = 'LG403', HINT = 'Leave it out.', COLUMN = 'tenant';
	END IF;
	v_chain := ledger.ledger_http_uuid($3 ->> 'chainId', 'chainId');
	v_from := ledger.ledger_http_number($3 ->> 'from', 'from', 1, 9007199254740991);
	v_to := ledger.ledger_http_number($3 ->> 'to', 'to', 1, 9007199254740991);
	status := 200;
	headers := '{"Cache-Control":"no-store"}';
	body := ledger.ledger_canonical_json(ledger.ledger_verify_report(tenant, v_chain, v_from, v_to));
	PERFORM ledger.ledger_log_access(tenant, context, 'verify', coalesce(v_chain::text, '*') || coalesce(' ' || v_from || '-', ' 1-') || coalesce(v_to::text, ''));
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_verify(text, jsonb, jsonb) IS
	'POST /v1/ledger/verify: the report of ledger_verify_report() for the tenant, {chainId, from, to} narrow it down; recorded in ledger_access_log. LG400: unknown or malformed member, or the range ends before it starts; LG403: tenant not granted; LG404: no such chain. For ledger_gateway.';
