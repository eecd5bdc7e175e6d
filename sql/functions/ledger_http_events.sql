-- Events for the gateway, each as the line of an export.

-- As data: an error would end the statement, which others may share (gateway/src/dbpipe.c).
CREATE FUNCTION ledger.ledger_http_no_event(tenant text, event_id text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	PERFORM ledger.ledger_http_tenant(tenant);
	RETURN jsonb_build_object('message', format('event %s does not exist', coalesce(event_id, 'null')),
		'detail', format('Tenant "%s" has no event of that id.', tenant));
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_no_event(text, text) IS
	'The body {message, detail} of a refusal: the tenant has no such event. LG403: tenant not granted. Part of the ledger_http functions.';

-- Asked for more often than anything else.  The planner puts such a body into the query
-- that calls it, so a call costs no more than what stands in it; a SET clause, or
-- PL/pgSQL, would double that.  Its names are bound when it is made.
CREATE FUNCTION ledger.ledger_http_event(tenant text, context jsonb)
	RETURNS TABLE (status integer, headers json, body text)
	LANGUAGE sql STABLE PARALLEL SAFE ROWS 1
BEGIN ATOMIC
	SELECT CASE WHEN e.line IS NULL THEN 404 ELSE 200 END,
		CASE WHEN e.line IS NULL THEN '{"Ledger-Code":"LG404"}'
		     ELSE E'{"ETag":"\\"' || e.chain_id || '-' || e.sequence_no || E'\\"","Cache-Control":"private, max-age=31536000, immutable"}'
		END::json,
		coalesce(e.line, ledger.ledger_http_no_event(tenant, context -> 'path' ->> 'eventId'))
	FROM ledger.ledger_event_line(tenant, coalesce(ledger.ledger_uuid(context -> 'path' ->> 'eventId'),
		ledger.ledger_http_uuid(context -> 'path' ->> 'eventId', 'eventId'))) AS e;
END;
COMMENT ON FUNCTION ledger.ledger_http_event(text, jsonb) IS
	'GET /v1/ledger/events/{eventId}: the event, with ETag "<chain>-<sequence>"; it never changes. No such event: 404 with header Ledger-Code (LG404) and body {message, detail}. LG400: malformed id; LG403: tenant not granted. For ledger_gateway.';

-- Plans are made for this tenant (force_custom_plan): a plan for any would lock the
-- leaves of all, and filters that are not given fall out of the query before it is
-- planned.  One that no index serves reads at most so many events for a page: it ends
-- there, perhaps empty, and the cursor goes on behind it.
CREATE FUNCTION ledger.ledger_http_events(tenant text, context jsonb)
	RETURNS TABLE (status integer, headers json, body text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
	SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
	AS $$
DECLARE
	v_chain   uuid    := ledger.ledger_http_uuid(ledger.ledger_http_text(context, 'chainId'), 'chainId');
	v_since   bigint  := ledger.ledger_http_number(ledger.ledger_http_text(context, 'sinceSequence'), 'sinceSequence', 0, 9007199254740991);
	v_finding text    := ledger.ledger_http_text(context, 'findingId');
	v_type    text    := ledger.ledger_http_text(context, 'type');
	v_limit   integer := ledger.ledger_http_limit(context);
	v_after_chain uuid   := context -> 'after' ->> 'chainId';
	v_after       bigint := context -> 'after' ->> 'sequence';
	-- How many events one page may read.
	v_reads   integer := CASE WHEN v_type IS NOT NULL OR (v_since > 0 AND v_chain IS NULL) THEN 2000 ELSE v_limit END;
	v_lines   text[]  := '{}';
	v_read    integer := 0;
	v_event   record;
BEGIN
	PERFORM ledger.ledger_http_tenant(tenant);
	FOR v_event IN
		SELECT e.chain_id, e.sequence_no,
			CASE WHEN (v_type IS NULL OR e.event_type = v_type) AND (v_since IS NULL OR e.sequence_no > v_since)
			     THEN ledger.ledger_event_json(e) END AS line
		FROM ledger.ledger_events AS e
		WHERE e.tenant_id = $1
			AND (v_chain IS NULL OR e.chain_id = v_chain)
			AND (v_chain IS NULL OR v_since IS NULL OR e.sequence_no > v_since)
			AND (v_finding IS NULL OR e.finding_id = v_finding)
			AND (v_after IS NULL OR (e.chain_id, e.sequence_no) > (v_after_chain, v_after))
		ORDER BY e.chain_id, e.sequence_no
		LIMIT v_reads + 1
	LOOP
		IF v_read = v_reads OR cardinality(v_lines) = v_limit THEN
			headers := json_build_object('Ledger-Next', json_build_object('chainId', v_after_chain, 'sequence', v_after));
			EXIT;
		END IF;
		v_read := v_read + 1;
		v_after_chain := v_event.chain_id;
		v_after := v_event.sequence_no;
		IF v_event.line IS NOT NULL THEN
			v_lines := v_lines || v_event.line;
		END IF;
	END LOOP;
	status := 200;
	body := '{"events":[' || array_to_string(v_lines, ',') || ']}';
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_events(text, jsonb) IS
	'GET /v1/ledger/events: {events} in the order (chain, sequence), of a chain, behind a sequence, of a finding, of a type; 200 a page, at most 1000. With a type, or sinceSequence without chainId, a page reads at most 2000 events, and may have fewer than it could. LG400: malformed parameter; LG403: tenant not granted. For ledger_gateway.';

-- Writes: who got the evidence is recorded.
CREATE FUNCTION ledger.ledger_http_proof(tenant text, context jsonb)
	RETURNS TABLE (status integer, headers json, body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 1
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_id uuid := ledger.ledger_http_uuid(context -> 'path' ->> 'eventId', 'eventId');
BEGIN
	PERFORM ledger.ledger_http_tenant(tenant);
	status := 200;
	-- The newest signed checkpoint is in it, and another one will come.
	headers := '{"Content-Type":"text/plain; charset=utf-8","Cache-Control":"private, no-cache"}';
	body := ledger.ledger_proof_bundle(tenant, v_id);
	PERFORM ledger.ledger_log_access(tenant, context, 'proof', v_id::text);
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_proof(text, jsonb) IS
	'GET /v1/ledger/events/{eventId}/proof: the proof bundle of ledger_proof_bundle(), recorded in ledger_access_log. LG400: malformed id; LG403: tenant not granted; LG404: no such event, or no signed checkpoint covers it yet. For ledger_gateway.';
