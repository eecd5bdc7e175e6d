-- Findings for the gateway: as they are, as they were, and how they came to be so.
-- What is called for every item is PL/pgSQL, which keeps its plans; an SQL function
-- would be planned for each.

CREATE FUNCTION ledger.ledger_http_finding(f ledger.findings_projection) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN ledger.ledger_canonical_json(jsonb_strip_nulls(jsonb_build_object(
		'tenant', f.tenant_id, 'findingId', f.finding_id, 'policyVersion', f.policy_version, 'artifactId', f.artifact_id,
		'vulnId', f.vuln_id, 'chainId', f.chain_id, 'status', f.status, 'severity', f.severity, 'labels', f.labels,
		'explainRef', f.explain_ref, 'rationale', f.rationale, 'riskScore', f.risk_score, 'riskSeverity', f.risk_severity,
		'riskProfileVersion', f.risk_profile_version, 'riskExplanationId', f.risk_explanation_id,
		'riskEventSequence', f.risk_event_sequence, 'riskUpdatedAt', ledger.ledger_http_time(f.risk_updated_at),
		'airgap', CASE WHEN coalesce(f.airgap_bundle_id, f.airgap_staleness_seconds::text) IS NOT NULL THEN
			jsonb_build_object('bundleId', f.airgap_bundle_id, 'stalenessSeconds', f.airgap_staleness_seconds) END,
		'currentEventId', f.current_event_id, 'currentSequence', f.current_sequence, 'schema', f.projection_version,
		'observedAt', ledger.ledger_http_time(f.observed_at), 'updatedAt', ledger.ledger_http_time(f.updated_at),
		'cycleHash', encode(f.cycle_hash, 'hex'))));
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_finding(ledger.findings_projection) IS
	'A finding as the gateway tells it: the members that its cycle hash covers (docs/formats.md section 8), times, and cycleHash. Part of ledger_http_findings().';

CREATE FUNCTION ledger.ledger_http_score(value text, name text) RETURNS numeric
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF value !~ '^(10|[0-9])([.][0-9]{1,3})?$' OR value::numeric > 10 THEN
		PERFORM ledger.ledger_http_malformed(name, value, 'a number from 0 to 10 with up to three decimals');
	END IF;
	RETURN value::numeric;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_score(text, text) IS
	'A severity, or NULL. LG400: malformed. Part of ledger_http_findings().';

CREATE FUNCTION ledger.ledger_http_word(value text, name text, words text[]) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF value <> ALL (words) THEN
		PERFORM ledger.ledger_http_malformed(name, value, 'one of ' || array_to_string(words, ', '));
	END IF;
	RETURN value;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_word(text, text, text[]) IS
	'One of a few words, or NULL. LG400: another one. Part of ledger_http_findings().';

-- The past is folded from the events, by the reducer that keeps the present, in the
-- order of their index: a page then reads what it shows and no more.
CREATE FUNCTION ledger.ledger_http_findings(tenant text, context jsonb)
	RETURNS TABLE (status integer, headers json, body text)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED ROWS 1
	SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan SET enable_hashagg = off SET enable_sort = off
	AS $$
DECLARE
	v_finding  text    := ledger.ledger_http_text(context, 'findingId');
	v_policy   text    := ledger.ledger_http_text(context, 'policyVersion');
	v_status   text    := ledger.ledger_http_word(ledger.ledger_http_text(context, 'status'), 'status',
		'{affected,triaged,in_progress,accepted_risk,verified,resolved,unknown}');
	v_least    numeric := ledger.ledger_http_score(ledger.ledger_http_text(context, 'severityMin'), 'severityMin');
	v_most     numeric := ledger.ledger_http_score(ledger.ledger_http_text(context, 'severityMax'), 'severityMax');
	v_risk     text    := ledger.ledger_http_word(ledger.ledger_http_text(context, 'riskSeverity'), 'riskSeverity',
		'{critical,high,medium,low,informational}');
	v_artifact text    := ledger.ledger_http_text(context, 'artifactId');
	v_vuln     text    := ledger.ledger_http_text(context, 'vulnId');
	v_chain    uuid    := ledger.ledger_http_uuid(ledger.ledger_http_text(context, 'chainId'), 'chainId');
	v_sequence bigint  := ledger.ledger_http_number(ledger.ledger_http_text(context, 'asOfSequence'), 'asOfSequence', 1, 9007199254740991);
	v_time     timestamptz := ledger.ledger_http_instant(ledger.ledger_http_text(context, 'asOf'), 'asOf');
	v_limit    integer := ledger.ledger_http_limit(context);
	v_after_finding text := context -> 'after' ->> 'findingId';
	v_after_policy  text := context -> 'after' ->> 'policyVersion';
	v_cursor   refcursor;
	v_row      ledger.findings_projection;
	v_items    text[] := '{}';
	v_hashes   bytea  := '';
BEGIN
	PERFORM ledger.ledger_http_tenant(tenant);
	IF v_sequence IS NOT NULL AND v_chain IS NULL AND v_finding IS NULL THEN
		RAISE EXCEPTION 'asOfSequence needs a chainId or a findingId'
			USING ERRCODE = 'LG400', HINT = 'A sequence counts the events of one chain. For all of them give asOf, a time.', COLUMN = 'asOfSequence';
	ELSIF v_sequence IS NOT NULL AND v_time IS NOT NULL THEN
		RAISE EXCEPTION 'asOfSequence and asOf exclude one another'
			USING ERRCODE = 'LG400', HINT = 'Give one of them.', COLUMN = 'asOf';
	END IF;
	IF coalesce(v_sequence::text, v_time::text) IS NULL THEN
		OPEN v_cursor NO SCROLL FOR
			SELECT p.* FROM ledger.findings_projection AS p
			WHERE p.tenant_id = $1
				AND (v_finding IS NULL OR p.finding_id = v_finding) AND (v_policy IS NULL OR p.policy_version = v_policy)
				AND (v_chain IS NULL OR p.chain_id = v_chain) AND (v_status IS NULL OR p.status = v_status)
				AND (v_least IS NULL OR p.severity >= v_least) AND (v_most IS NULL OR p.severity <= v_most)
				AND (v_risk IS NULL OR p.risk_severity = v_risk)
				AND (v_artifact IS NULL OR p.artifact_id = v_artifact) AND (v_vuln IS NULL OR p.vuln_id = v_vuln)
				AND (v_after_finding IS NULL OR (p.finding_id, p.policy_version) > (v_after_finding, v_after_policy))
			ORDER BY p.finding_id, p.policy_version
			LIMIT v_limit + 1;
	ELSE
		OPEN v_cursor NO SCROLL FOR
			SELECT (f.p).* FROM (
				SELECT s.finding_id, s.policy_version, ledger.ledger_fold_events(s.event, NULL::ledger.findings_projection) AS p
				FROM (SELECT e.finding_id, e.policy_version, e AS event FROM ledger.ledger_events AS e
					WHERE e.tenant_id = $1
						AND (v_finding IS NULL OR e.finding_id = v_finding) AND (v_policy IS NULL OR e.policy_version = v_policy)
						AND (v_chain IS NULL OR e.chain_id = v_chain)
						AND (v_sequence IS NULL OR e.sequence_no <= v_sequence) AND (v_time IS NULL OR e.recorded_at <= v_time)
						AND (v_after_finding IS NULL OR (e.finding_id, e.policy_version) > (v_after_finding, v_after_policy))
					ORDER BY e.finding_id, e.policy_version, e.sequence_no) AS s
				GROUP BY s.finding_id, s.policy_version) AS f
			WHERE (f.p).finding_id IS NOT NULL AND (v_status IS NULL OR (f.p).status = v_status)
				AND (v_least IS NULL OR (f.p).severity >= v_least) AND (v_most IS NULL OR (f.p).severity <= v_most)
				AND (v_risk IS NULL OR (f.p).risk_severity = v_risk)
				AND (v_artifact IS NULL OR (f.p).artifact_id = v_artifact) AND (v_vuln IS NULL OR (f.p).vuln_id = v_vuln)
			ORDER BY f.finding_id, f.policy_version
			LIMIT v_limit + 1;
	END IF;
	LOOP
		FETCH v_cursor INTO v_row;
		EXIT WHEN NOT FOUND;
		IF cardinality(v_items) = v_limit THEN
			headers := json_build_object('Ledger-Next', json_build_object('findingId', v_after_finding, 'policyVersion', v_after_policy));
			v_hashes := v_hashes || decode('01', 'hex');
			EXIT;
		END IF;
		v_after_finding := v_row.finding_id;
		v_after_policy := v_row.policy_version;
		v_items := v_items || ledger.ledger_http_finding(v_row);
		v_hashes := v_hashes || v_row.cycle_hash;
	END LOOP;
	CLOSE v_cursor;
	status := 200;
	-- Equal cycle hashes are equal findings, their newest events included.
	headers := (coalesce(headers::jsonb, '{}') || jsonb_build_object('Cache-Control', 'private, no-cache',
		'ETag', '"' || left(encode(sha256(v_hashes), 'hex'), 32) || '"'))::json;
	body := '{"findings":[' || array_to_string(v_items, ',') || ']}';
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_findings(text, jsonb) IS
	'GET /v1/ledger/projections/findings: {findings} in the order (finding, policy version), by finding, policy version, chain, status, severity, risk severity, artifact and vulnerability; with an ETag over their cycle hashes. As of a sequence (of a chain, or of one finding) or of a time they are folded from the events up to there. LG400: malformed parameter; LG403: tenant not granted. For ledger_gateway.';

CREATE FUNCTION ledger.ledger_http_history(tenant text, context jsonb)
	RETURNS TABLE (status integer, headers json, body text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
	SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
	AS $$
DECLARE
	v_finding text    := context -> 'path' ->> 'findingId';
	v_policy  text    := ledger.ledger_http_text(context, 'policyVersion');
	v_limit   integer := ledger.ledger_http_limit(context);
	v_after_policy text   := context -> 'after' ->> 'policyVersion';
	v_after        bigint := context -> 'after' ->> 'sequence';
	v_step    record;
	v_items   text[] := '{}';
BEGIN
	PERFORM ledger.ledger_http_tenant(tenant);
	FOR v_step IN
		SELECT h.policy_version, h.sequence_no, jsonb_strip_nulls(jsonb_build_object(
			'policyVersion', h.policy_version, 'chainId', h.chain_id, 'sequence', h.sequence_no, 'eventId', h.event_id,
			'eventType', h.event_type, 'previousStatus', h.previous_status, 'status', h.status,
			'previousSeverity', h.previous_severity, 'severity', h.severity,
			'actor', jsonb_build_object('id', h.actor_id, 'type', h.actor_type), 'justification', h.justification,
			'occurredAt', ledger.ledger_http_time(h.occurred_at), 'recordedAt', ledger.ledger_http_time(h.recorded_at),
			'cycleHash', encode(h.cycle_hash, 'hex'))) AS item
		FROM ledger.finding_history AS h
		WHERE h.tenant_id = $1 AND h.finding_id = v_finding AND (v_policy IS NULL OR h.policy_version = v_policy)
			AND (v_after IS NULL OR (h.policy_version, h.sequence_no) > (v_after_policy, v_after))
		ORDER BY h.policy_version, h.sequence_no
		LIMIT v_limit + 1
	LOOP
		IF cardinality(v_items) = v_limit THEN
			headers := json_build_object('Ledger-Next', json_build_object('policyVersion', v_after_policy, 'sequence', v_after));
			EXIT;
		END IF;
		v_after_policy := v_step.policy_version;
		v_after := v_step.sequence_no;
		v_items := v_items || ledger.ledger_canonical_json(v_step.item);
	END LOOP;
	-- Retention may have taken the steps; the finding is there all the same.
	IF v_items = '{}' AND NOT EXISTS (SELECT FROM ledger.findings_projection AS p WHERE p.tenant_id = $1 AND p.finding_id = v_finding
		AND (v_policy IS NULL OR p.policy_version = v_policy)) THEN
		RAISE EXCEPTION 'finding "%" does not exist', coalesce(left(v_finding, 80), 'null')
			USING ERRCODE = 'LG404', DETAIL = format('Tenant "%s" has no finding of that id%s.', tenant, CASE WHEN v_policy IS NOT NULL THEN ' and policy version' ELSE '' END);
	END IF;
	status := 200;
	body := '{"history":[' || array_to_string(v_items, ',') || ']}';
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_history(text, jsonb) IS
	'GET /v1/ledger/findings/{findingId}/history: {history}, each change of status or severity with who made it and why, in the order (policy version, sequence). LG400: malformed parameter; LG403: tenant not granted; LG404: no such finding. For ledger_gateway.';
