-- Exports of findings (docs/formats.md section 9): filters, heads, rows, manifest.  The
-- gateway streams the rows, hashes, and signs.  Nothing here looks at the clock:
-- equal ledgers give equal bytes.

CREATE FUNCTION ledger.ledger_http_export_list(context jsonb, name text) RETURNS jsonb
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_values jsonb := context -> 'query' -> name;
	v_value  text;
BEGIN
	IF v_values IS NULL OR jsonb_typeof(v_values) = 'null' THEN
		RETURN NULL;
	END IF;
	FOR v_value IN SELECT jsonb_array_elements_text(v_values) LOOP
		IF v_value = '' OR octet_length(v_value) > 1024 THEN
			PERFORM ledger.ledger_http_malformed(name, v_value, 'a text of 1 to 1024 bytes, or left out');
		END IF;
	END LOOP;
	RETURN (SELECT jsonb_agg(DISTINCT a.value COLLATE "C" ORDER BY a.value COLLATE "C") FROM jsonb_array_elements_text(v_values) AS a);
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_export_list(jsonb, text) IS
	'A parameter that may be given more than once: its values, each once, in order; NULL if there are none. LG400: empty or too long. Part of ledger_http_export_filters().';

CREATE FUNCTION ledger.ledger_http_export_filters(context jsonb) RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_shape  text   := ledger.ledger_http_word(ledger.ledger_http_text(context, 'shape'), 'shape', '{canonical,compact}');
	v_since  bigint := ledger.ledger_http_number(ledger.ledger_http_text(context, 'since_sequence'), 'since_sequence', 0, 9007199254740991);
	v_until  bigint := ledger.ledger_http_number(ledger.ledger_http_text(context, 'until_sequence'), 'until_sequence', 0, 9007199254740991);
	v_risk   text   := ledger.ledger_http_text(context, 'risk_profile_version');
BEGIN
	IF v_shape IS NULL THEN
		PERFORM ledger.ledger_http_malformed('shape', NULL, 'canonical or compact');
	END IF;
	RETURN jsonb_strip_nulls(jsonb_build_object(
		'shape', v_shape, 'since_sequence', v_since, 'until_sequence', v_until,
		'since_observed_at', ledger.ledger_http_time(ledger.ledger_http_instant(
			ledger.ledger_http_text(context, 'since_observed_at'), 'since_observed_at')),
		'until_observed_at', ledger.ledger_http_time(ledger.ledger_http_instant(
			ledger.ledger_http_text(context, 'until_observed_at'), 'until_observed_at')),
		'advisory_id', ledger.ledger_http_export_list(context, 'advisory_id'),
		'component_purl', ledger.ledger_http_export_list(context, 'component_purl'),
		'finding_status', ledger.ledger_http_word(ledger.ledger_http_text(context, 'finding_status'), 'finding_status', '{open,fixed,dismissed}'),
		'severity', ledger.ledger_http_word(ledger.ledger_http_text(context, 'severity'), 'severity', '{critical,high,medium,low,unknown}'),
		'risk_profile_version', v_risk));
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_export_filters(jsonb) IS
	'The filters of an export, in one form: repeated values once and in order, times in UTC, what was not given left out. filtersHash is the SHA-256 of its canonical JSON. LG400: a malformed parameter, or no shape. Part of ledger_http_export_plan().';

CREATE FUNCTION ledger.ledger_http_export_plan(tenant text, context jsonb,
	OUT filters text, OUT filters_hash text, OUT page_size text, OUT after text, OUT as_array boolean)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	PERFORM ledger.ledger_http_tenant(tenant);
	filters := ledger.ledger_canonical_json(ledger.ledger_http_export_filters(context));
	filters_hash := encode(sha256(convert_to(filters, 'UTF8')), 'hex');
	after := context ->> 'after';
	-- Who follows a page goes on in pages.
	page_size := coalesce(ledger.ledger_http_number(ledger.ledger_http_text(context, 'page_size'), 'page_size', 1, 100000),
		CASE WHEN after IS NOT NULL THEN 1000 END);
	as_array := coalesce(context ->> 'accept' LIKE '%application/json%' AND context ->> 'accept' NOT LIKE '%application/x-ndjson%', false);
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_export_plan(text, jsonb) IS
	'What GET /ledger/export/findings was asked for: filters as canonical JSON and their SHA-256, size of a page (NULL: all in one), position of the page token, and whether as a JSON array. LG400: malformed parameter; LG403: tenant not granted. For ledger_gateway.';

-- Only what is committed, durable and replicated may leave the house.
CREATE FUNCTION ledger.ledger_http_export_heads(tenant text)
	RETURNS TABLE (chain_id uuid, head bigint)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp SET row_security = on
	AS $$
BEGIN
	IF NOT ledger.ledger_tenant_allowed(tenant) THEN
		RAISE EXCEPTION 'role may not touch tenant "%"', tenant
			USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
	END IF;
	RETURN QUERY SELECT c.chain_id, ledger.ledger_tree_head($1, c.chain_id) FROM ledger.ledger_chains AS c WHERE c.tenant_id = $1;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_export_heads(text) IS
	'How far each chain of a tenant may be testified to. LG403: tenant not granted. Part of ledger_http_export_open().';

CREATE FUNCTION ledger.ledger_http_export_pins(tenant text, filters jsonb, after jsonb) RETURNS jsonb
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT CASE WHEN after IS NOT NULL THEN after -> 'chains' ELSE (
		SELECT coalesce(jsonb_object_agg(h.chain_id, least(h.head, (filters ->> 'until_sequence')::bigint)), '{}')
		FROM ledger.ledger_http_export_heads(tenant) AS h WHERE least(h.head, (filters ->> 'until_sequence')::bigint) > 0) END
	$$;
COMMENT ON FUNCTION ledger.ledger_http_export_pins(text, jsonb, jsonb) IS
	'Up to which sequence an export reads each chain: what its first page found, for all its pages. Part of ledger_http_export_open().';

-- The component of a finding: the package URL that its artifact is, or that its id holds.
CREATE FUNCTION ledger.ledger_http_export_purl(finding_id text, artifact_id text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT CASE WHEN starts_with(artifact_id, 'pkg:') THEN artifact_id
		ELSE substring(finding_id FROM 'pkg:[a-z0-9.+-]+/[^|[:space:]]+') END
	$$;
COMMENT ON FUNCTION ledger.ledger_http_export_purl(text, text) IS
	'Package URL of a finding''s component: the artifact if it is one, else what the finding''s id holds of one, else NULL. Part of ledger_http_export_open().';

CREATE FUNCTION ledger.ledger_http_export_purl_part(purl text, part text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT CASE part WHEN 'version' THEN substring(split_part(split_part(purl, '#', 1), '?', 1) FROM '@([^@/]+)$')
		ELSE regexp_replace(split_part(split_part(purl, '#', 1), '?', 1), '@[^@/]+$', '') END
	$$;
COMMENT ON FUNCTION ledger.ledger_http_export_purl_part(text, text) IS
	'The version of a package URL, or the URL without version, qualifiers and subpath. Part of ledger_http_export_open().';

CREATE FUNCTION ledger.ledger_http_export_status(status text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT CASE WHEN status IN ('verified', 'resolved') THEN 'fixed' WHEN status = 'accepted_risk' THEN 'dismissed' ELSE 'open' END
	$$;
COMMENT ON FUNCTION ledger.ledger_http_export_status(text) IS
	'The ledger''s status as one of three words: fixed (verified, resolved), dismissed (accepted_risk), open (all others). Part of ledger_http_export_open().';

CREATE FUNCTION ledger.ledger_http_export_severity(severity numeric, risk_severity text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT CASE WHEN severity >= 9 THEN 'critical' WHEN severity >= 7 THEN 'high' WHEN severity >= 4 THEN 'medium'
		WHEN severity IS NOT NULL THEN 'low' WHEN risk_severity = 'informational' THEN 'low' ELSE coalesce(risk_severity, 'unknown') END
	$$;
COMMENT ON FUNCTION ledger.ledger_http_export_severity(numeric, text) IS
	'A severity as a word, by the bands of CVSS v3.1 (9, 7, 4; below that, 0 included, low); without a number, the risk engine''s word (informational is low); else unknown. Part of ledger_http_export_open().';

-- PL/pgSQL for speed: it reads a row's members without taking the row apart for each.
CREATE FUNCTION ledger.ledger_http_export_item(f ledger.findings_projection, e ledger.ledger_events, shape text, paths text[], actions text[])
	RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_purl text := ledger.ledger_http_export_purl(f.finding_id, f.artifact_id);
BEGIN
	RETURN ledger.ledger_http_redact(jsonb_strip_nulls(jsonb_build_object(
		'schema', 'export.v1.' || shape, 'tenant', f.tenant_id, 'finding_id', f.finding_id, 'policy_version', f.policy_version,
		'chain_id', f.chain_id, 'event_sequence', f.current_sequence, 'event_id', f.current_event_id,
		'projection_version', f.projection_version, 'cycle_hash', encode(f.cycle_hash, 'hex'),
		'observed_at', ledger.ledger_http_time(f.observed_at), 'updated_at', ledger.ledger_http_time(f.updated_at),
		'artifact_id', f.artifact_id, 'advisory_id', f.vuln_id,
		'component', CASE WHEN v_purl IS NOT NULL THEN
			jsonb_build_object('purl', v_purl, 'version', ledger.ledger_http_export_purl_part(v_purl, 'version')) END,
		'status', f.status, 'finding_status', ledger.ledger_http_export_status(f.status), 'severity', f.severity,
		'severity_band', ledger.ledger_http_export_severity(f.severity, f.risk_severity), 'labels', f.labels,
		'explain_ref', f.explain_ref, 'rationale', f.rationale,
		'risk', CASE WHEN f.risk_profile_version IS NOT NULL THEN jsonb_build_object('score', f.risk_score, 'severity', f.risk_severity,
			'profile_version', f.risk_profile_version, 'explanation_id', f.risk_explanation_id,
			'event_sequence', f.risk_event_sequence, 'updated_at', ledger.ledger_http_time(f.risk_updated_at)) END,
		'airgap', CASE WHEN f.airgap_bundle_id IS NOT NULL OR f.airgap_staleness_seconds IS NOT NULL THEN
			jsonb_build_object('bundle_id', f.airgap_bundle_id, 'staleness_seconds', f.airgap_staleness_seconds) END,
		'provenance', jsonb_build_object('event_type', e.event_type, 'event_hash', encode(e.event_hash, 'hex'),
			'actor_id', e.actor_id, 'actor_type', e.actor_type, 'recorded_at', ledger.ledger_http_time(e.recorded_at),
			'evidence_bundle_ref', e.evidence_bundle_ref, 'source_run_id', e.source_run_id,
			'comment', coalesce(e.event_body ->> 'comment', e.event_body ->> 'justification', e.event_body ->> 'reason')))), paths, actions);
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_export_item(ledger.findings_projection, ledger.ledger_events, text, text[], text[]) IS
	'A finding and its newest event as an item of an export, redacted. Part of ledger_http_export_open().';

-- A finding that moved on since the first page is folded again from the events up to
-- there: so pages belong together, whatever is appended while they are fetched.
CREATE FUNCTION ledger.ledger_http_export_open(tenant text, filters jsonb, after jsonb, page_size integer) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
	AS $$
#variable_conflict use_column
DECLARE
	v_pins     jsonb       := ledger.ledger_http_export_pins(tenant, filters, after);
	v_since    bigint      := filters ->> 'since_sequence';
	v_from     timestamptz := filters ->> 'since_observed_at';
	v_to       timestamptz := filters ->> 'until_observed_at';
	v_advisory text[]      := ARRAY(SELECT jsonb_array_elements_text(filters -> 'advisory_id'));
	v_purl     text[]      := ARRAY(SELECT jsonb_array_elements_text(filters -> 'component_purl'));
	v_status   text        := filters ->> 'finding_status';
	v_severity text        := filters ->> 'severity';
	v_risk     text        := filters ->> 'risk_profile_version';
	v_sequence bigint      := after -> 'last' ->> 'event_sequence';
	v_version  text        := after -> 'last' ->> 'projection_version';
	v_cycle    bytea       := decode(after -> 'last' ->> 'cycle_hash', 'hex');
	v_rows     refcursor   := 'ledger_http_export_rows';
	v_paths    text[];
	v_actions  text[];
BEGIN
	PERFORM ledger.ledger_http_tenant(tenant);
	IF page_size IS NOT NULL AND octet_length(v_pins::text) > 4000 THEN
		RAISE EXCEPTION 'the tenant has too many chains for pages'
			USING ERRCODE = 'LG400', DETAIL = 'A page token holds where each chain is read to.',
				HINT = 'Leave page_size out: the whole is streamed, however long it is.', COLUMN = 'page_size';
	END IF;
	SELECT r.paths, r.actions INTO v_paths, v_actions FROM ledger.ledger_http_redact_paths(filters ->> 'shape') AS r;
	OPEN v_rows NO SCROLL FOR
		SELECT ledger.ledger_canonical_json(d.item || jsonb_build_object('lineDigest', encode(d.digest, 'hex'))), d.digest, d.place
		FROM (
			SELECT i.item, sha256(convert_to(ledger.ledger_canonical_json(i.item), 'UTF8')) AS digest, ledger.ledger_canonical_json(jsonb_build_object(
				'event_sequence', (s.p).current_sequence, 'projection_version', (s.p).projection_version,
				'cycle_hash', encode((s.p).cycle_hash, 'hex'))) AS place
			FROM (
				WITH pins AS MATERIALIZED (SELECT m.key::uuid AS chain_id, m.value::bigint AS upto FROM jsonb_each_text(v_pins) AS m),
				states AS (
					SELECT p AS p FROM ledger.findings_projection AS p JOIN pins AS c ON c.chain_id = p.chain_id
					WHERE p.tenant_id = $1 AND p.current_sequence <= c.upto
					UNION ALL
					SELECT f.p FROM ledger.findings_projection AS n JOIN pins AS c ON c.chain_id = n.chain_id, LATERAL (
						SELECT ledger.ledger_fold_events(o.event, NULL::ledger.findings_projection) AS p FROM (
							SELECT e AS event FROM ledger.ledger_events AS e
							WHERE e.tenant_id = $1 AND e.finding_id = n.finding_id AND e.policy_version = n.policy_version
								AND e.chain_id = n.chain_id AND e.sequence_no <= c.upto
							ORDER BY e.sequence_no) AS o) AS f
					WHERE n.tenant_id = $1 AND n.current_sequence > c.upto AND (f.p).finding_id IS NOT NULL)
				SELECT t.p FROM states AS t
				WHERE (v_since IS NULL OR (t.p).current_sequence > v_since)
					AND (v_from IS NULL OR (t.p).observed_at >= v_from) AND (v_to IS NULL OR (t.p).observed_at <= v_to)
					AND (v_advisory = '{}' OR (t.p).vuln_id = ANY (v_advisory))
					AND (v_purl = '{}' OR ledger.ledger_http_export_purl((t.p).finding_id, (t.p).artifact_id) = ANY (v_purl)
						OR ledger.ledger_http_export_purl_part(ledger.ledger_http_export_purl((t.p).finding_id, (t.p).artifact_id), 'name') = ANY (v_purl))
					AND (v_status IS NULL OR ledger.ledger_http_export_status((t.p).status) = v_status)
					AND (v_severity IS NULL OR ledger.ledger_http_export_severity((t.p).severity, (t.p).risk_severity) = v_severity)
					AND (v_risk IS NULL OR (t.p).risk_profile_version = v_risk)
					AND (v_sequence IS NULL OR ((t.p).current_sequence, (t.p).projection_version, (t.p).cycle_hash) > (v_sequence, v_version, v_cycle))
				-- The cycle hash covers chain, finding and policy version already; they make the order total without an argument.
				ORDER BY (t.p).current_sequence, (t.p).projection_version, (t.p).cycle_hash, (t.p).chain_id, (t.p).finding_id, (t.p).policy_version
				LIMIT page_size + 1 OFFSET 0) AS s,
			-- Row by row, behind the sorting: a join could lose the order.
			LATERAL (SELECT ledger.ledger_http_export_item(s.p, (SELECT e FROM ledger.ledger_events AS e
				WHERE e.tenant_id = $1 AND e.chain_id = (s.p).chain_id AND e.sequence_no = (s.p).current_sequence),
				filters ->> 'shape', v_paths, v_actions) AS item OFFSET 0) AS i
			OFFSET 0) AS d;
	RETURN v_pins::text;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_export_open(text, jsonb, jsonb, integer) IS
	'Opens the cursor ledger_http_export_rows of an export''s lines (line, its digest, its place), one more than a page has, and returns up to where each chain is read. LG400: too many chains for pages; LG403: tenant not granted. For ledger_gateway, in a REPEATABLE READ transaction.';

CREATE FUNCTION ledger.ledger_http_export_after(pins jsonb, last jsonb) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT ledger.ledger_canonical_json(jsonb_build_object('last', last, 'chains', pins))
	$$;
COMMENT ON FUNCTION ledger.ledger_http_export_after(jsonb, jsonb) IS
	'The position behind a page: its last line''s place, and up to where each chain is read. For ledger_gateway.';

CREATE FUNCTION ledger.ledger_http_export_manifest(tenant text, filters jsonb, pins jsonb, after jsonb, page jsonb) RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT ledger.ledger_canonical_json($5 || CASE WHEN $4 IS NOT NULL THEN jsonb_build_object('afterPosition', $4 -> 'last') ELSE '{}' END || jsonb_build_object(
		'schemaVersion', 'export.v1.' || ($2 ->> 'shape'), 'tenant', $1, 'shape', $2 ->> 'shape', 'filters', $2,
		'filtersHash', encode(sha256(convert_to(ledger.ledger_canonical_json($2), 'UTF8')), 'hex'),
		'redactionSha256', encode(sha256(convert_to(ledger.ledger_http_redaction_rules(), 'UTF8')), 'hex'),
		'policyHashes', coalesce(c.policies, '[]'), 'chains', coalesce(c.chains, '[]')))
	FROM (SELECT jsonb_agg(DISTINCT k.policy_version ORDER BY k.policy_version) AS policies,
			jsonb_agg(jsonb_build_object('chainId', k.chain_id, 'policyVersion', k.policy_version, 'treeSize', m.value::bigint,
				'rootHash', encode(ledger.ledger_chain_root($1, k.chain_id, m.value::bigint), 'hex')) ORDER BY k.chain_id) AS chains
		FROM jsonb_each_text($3) AS m JOIN ledger.ledger_chains AS k ON k.tenant_id = $1 AND k.chain_id = m.key::uuid) AS c
	$$;
COMMENT ON FUNCTION ledger.ledger_http_export_manifest(text, jsonb, jsonb, jsonb, jsonb) IS
	'What the manifest of an export says (docs/formats.md section 9), canonical JSON: what the gateway counted and hashed (page), filters, rules of redaction, and the tree of each chain that was read. For ledger_gateway, in the export''s transaction.';
