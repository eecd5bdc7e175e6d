-- Redaction of exports: the rules are data (ledger_redaction_rules), and this file
-- is the one place that applies them.

CREATE FUNCTION ledger.ledger_http_redaction_rules() RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT ledger.ledger_canonical_json(jsonb_build_object('schema', 'ledger.redaction.v1', 'rules', jsonb_agg(
		jsonb_build_object('shape', r.shape, 'path', r.path, 'action', r.action, 'reason', r.reason) ORDER BY r.shape, r.path)))
	FROM ledger.ledger_redaction_rules AS r
	$$;
COMMENT ON FUNCTION ledger.ledger_http_redaction_rules() IS
	'The redaction manifest: the rules in the order (shape, path), canonical JSON. Its SHA-256 is redactionSha256 in manifests of exports.';

CREATE FUNCTION ledger.ledger_http_redaction_manifest(tenant text, context jsonb)
	RETURNS TABLE (status integer, headers json, body text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	PERFORM ledger.ledger_http_tenant(tenant);
	status := 200;
	body := ledger.ledger_http_redaction_rules();
	headers := json_build_object('Cache-Control', 'private, no-cache',
		'ETag', '"' || encode(sha256(convert_to(body, 'UTF8')), 'hex') || '"');
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_redaction_manifest(text, jsonb) IS
	'GET /ledger/export/redaction-manifest: the rules under which exports are made; the ETag is their SHA-256. LG403: tenant not granted. For ledger_gateway.';

-- What looks like an address: something, an at sign (also full-width, or as in a URL),
-- a domain whose last label has no digits.  A domain that begins like a version
-- number is one: pkg:maven/spring@5.3.RELEASE names no mailbox.
CREATE FUNCTION ledger.ledger_http_redaction_pattern() RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT E'[^[:space:][:cntrl:]@＠<>()"\\u0027,;:/\\\\|=?&#\\[\\]]+(?:@|＠|%40)(?![0-9]+[.][0-9])'
		|| E'(?:[^[:space:][:cntrl:]@＠<>()"\\u0027,;:/\\\\|=?&#\\[\\]%.]+[.])+[^[:space:][:cntrl:]@＠<>()"\\u0027,;:/\\\\|=?&#\\[\\]%.0-9-]{2,}'
	$$;
COMMENT ON FUNCTION ledger.ledger_http_redaction_pattern() IS
	'Regular expression of an e-mail address, for the collation "C". Part of ledger_http_redact().';

CREATE FUNCTION ledger.ledger_http_redact_addresses(item jsonb) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_pattern CONSTANT text := ledger.ledger_http_redaction_pattern();
	v_text    CONSTANT text := item::text COLLATE "C";
BEGIN
	-- No match holds a quote or a backslash: so none leaves the text of a string, and only
	-- where a backslash stands before it could it begin within an escape.
	IF v_text !~ v_pattern THEN
		RETURN item;
	ELSIF position(E'\\' IN v_text) = 0 THEN
		RETURN regexp_replace(v_text, v_pattern, '[masked]', 'g')::jsonb;
	END IF;
	RETURN CASE jsonb_typeof(item)
		WHEN 'string' THEN to_jsonb(regexp_replace((item #>> '{}') COLLATE "C", v_pattern, '[masked]', 'g'))
		WHEN 'array' THEN (SELECT jsonb_agg(ledger.ledger_http_redact_addresses(a.value) ORDER BY a.ordinality)
			FROM jsonb_array_elements(item) WITH ORDINALITY AS a)
		ELSE (SELECT jsonb_object_agg(regexp_replace(m.key COLLATE "C", v_pattern, '[masked]', 'g'),
			ledger.ledger_http_redact_addresses(m.value)) FROM jsonb_each(item) AS m)
	END;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_redact_addresses(jsonb) IS
	'The document with every e-mail address in its texts and names of members covered. Part of ledger_http_redact().';

CREATE FUNCTION ledger.ledger_http_redact_actor(actor text) RETURNS text
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT 'user:' || coalesce(substring(lower(coalesce(
		substring($1 FROM '.*[@＠](.*)$'), substring($1 FROM '^user:([^:/]*)[:/]'))) COLLATE "C" FROM '^[a-z0-9]+(?:[.-][a-z0-9]+)*$'), 'local')
	$$;
COMMENT ON FUNCTION ledger.ledger_http_redact_actor(text) IS
	'user:<realm>: what stands behind the last @ of an actor''s id, or in user:<realm>/…; local if there is none that reads as a realm. Part of ledger_http_redact().';

CREATE FUNCTION ledger.ledger_http_redact_paths(shape text, OUT paths text[], OUT actions text[])
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	-- '*' comes first in the order of "C", and is meant last: it looks at what the others left.
	SELECT array_agg(r.path ORDER BY r.path DESC), array_agg(r.action ORDER BY r.path DESC)
	FROM ledger.ledger_redaction_rules AS r WHERE r.shape = $1
	$$;
COMMENT ON FUNCTION ledger.ledger_http_redact_paths(text) IS
	'The rules of a shape, in the order in which they are applied. Part of ledger_http_export_open().';

CREATE FUNCTION ledger.ledger_http_redact(item jsonb, paths text[], actions text[]) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_path text[];
BEGIN
	FOR i IN 1 .. coalesce(cardinality(paths), 0) LOOP
		v_path := string_to_array(paths[i], '.');
		IF actions[i] = 'mask_addresses' THEN
			item := ledger.ledger_http_redact_addresses(item);
		ELSIF item #> v_path IS NULL THEN
			CONTINUE;
		ELSIF actions[i] = 'drop' THEN
			item := item #- v_path;
		ELSIF actions[i] = 'mask' THEN
			item := jsonb_set(item, v_path, '"[masked]"');
		ELSE
			item := jsonb_set(item, v_path, to_jsonb(ledger.ledger_http_redact_actor(item #>> v_path)));
		END IF;
	END LOOP;
	RETURN item;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_redact(jsonb, text[], text[]) IS
	'An item of an export after the rules of its shape, one action for each path. Part of ledger_http_export_item().';
