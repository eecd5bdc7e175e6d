-- What the gateway's functions (docs/decisions/0017) share: who asks for which
-- tenant, and what the strings of a query mean.  Every value is judged here, for the
-- gateway hands on what strangers typed.  COLUMN of an error names the parameter.

-- Row-level security decides what is seen; this tells "not allowed" from "not there".
CREATE FUNCTION ledger.ledger_http_tenant(tenant text) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF ledger.ledger_tenant_selected(tenant) THEN
		RETURN;
	END IF;
	IF tenant IS NULL THEN
		RAISE EXCEPTION 'tenant is required' USING ERRCODE = 'LG400', HINT = 'Send X-Stella-Tenant.';
	END IF;
	IF ledger.ledger_tenant_allowed(tenant) THEN
		RAISE EXCEPTION 'tenant "%" is not selected', tenant
			USING ERRCODE = 'LG403', HINT = 'Set app.current_tenant to it first.';
	END IF;
	RAISE EXCEPTION 'role may not touch tenant "%"', tenant
		USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_tenant(text) IS
	'LG403 if the role may not touch the tenant, or app.current_tenant names another; LG400 if it is null. Part of the ledger_http functions.';

CREATE FUNCTION ledger.ledger_http_malformed(name text, value text, wanted text) RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF value IS NULL THEN
		RAISE EXCEPTION '% is required', name
			USING ERRCODE = 'LG400', HINT = format('It must be %s.', wanted), COLUMN = name;
	END IF;
	RAISE EXCEPTION '% is malformed', name
		USING ERRCODE = 'LG400', DETAIL = format('It is "%s".', left(value, 80)), HINT = format('It must be %s.', wanted), COLUMN = name;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_malformed(text, text, text) IS
	'Raises LG400: a parameter is not what it must be, or NULL is missing. Part of the ledger_http functions.';

CREATE FUNCTION ledger.ledger_http_text(context jsonb, name text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_values jsonb := context -> 'query' -> name;
	v_value  text  := v_values ->> 0;
BEGIN
	IF v_values IS NULL OR jsonb_typeof(v_values) = 'null' THEN
		RETURN NULL;
	END IF;
	IF jsonb_typeof(v_values) <> 'array' OR jsonb_array_length(v_values) <> 1 THEN
		RAISE EXCEPTION '% is given more than once', name
			USING ERRCODE = 'LG400', HINT = 'Give it once.', COLUMN = name;
	END IF;
	IF v_value = '' OR octet_length(v_value) > 1024 THEN
		PERFORM ledger.ledger_http_malformed(name, v_value, 'a text of 1 to 1024 bytes, or left out');
	END IF;
	RETURN v_value;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_text(jsonb, text) IS
	'A parameter of the query that may be given once, or NULL. LG400: given twice, empty or too long. Part of the ledger_http functions.';

CREATE FUNCTION ledger.ledger_http_uuid(value text, name text) RETURNS uuid
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_id uuid := ledger.ledger_uuid(value);
BEGIN
	-- The cast would take braces and misplaced dashes: one id, one spelling (but for case).
	IF v_id IS NULL AND value IS NOT NULL THEN
		PERFORM ledger.ledger_http_malformed(name, value, 'a UUID');
	END IF;
	RETURN v_id;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_uuid(text, text) IS
	'A UUID, or NULL. LG400: malformed. Part of the ledger_http functions.';

CREATE FUNCTION ledger.ledger_http_number(value text, name text, low bigint, high bigint) RETURNS bigint
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF value !~ '^(0|[1-9][0-9]{0,15})$' OR value::bigint < low OR value::bigint > high THEN
		PERFORM ledger.ledger_http_malformed(name, value, format('a whole number from %s to %s', low, high));
	END IF;
	RETURN value::bigint;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_number(text, text, bigint, bigint) IS
	'A whole number in decimal, without sign or leading zeros, or NULL. LG400: malformed or out of range. Part of the ledger_http functions.';

CREATE FUNCTION ledger.ledger_http_limit(context jsonb) RETURNS integer
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN coalesce(ledger.ledger_http_number(ledger.ledger_http_text(context, 'limit'), 'limit', 1, 1000), 200);
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_limit(jsonb) IS
	'How many items a page has: 1 to 1000, 200 if nothing is said. LG400: malformed. Part of the ledger_http functions.';

CREATE FUNCTION ledger.ledger_http_instant(value text, name text) RETURNS timestamptz
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	-- The cast alone would take 'yesterday', and read a time without zone in the session's.
	IF value !~* '^[0-9]{4}-[0-9]{2}-[0-9]{2}[t ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(z|[+-][0-9]{2}:[0-9]{2})$' THEN
		RAISE data_exception;
	END IF;
	RETURN value::timestamptz;
EXCEPTION
	WHEN data_exception THEN
		PERFORM ledger.ledger_http_malformed(name, value, 'a time as in RFC 3339, such as 2026-11-23T19:30:00Z');
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_instant(text, text) IS
	'A time, or NULL. LG400: not RFC 3339. Part of the ledger_http functions.';

CREATE FUNCTION ledger.ledger_http_time(value timestamptz) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN to_char(value AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_time(timestamptz) IS
	'A time as everywhere in the ledger: UTC, six fraction digits, Z. Part of the ledger_http functions.';
