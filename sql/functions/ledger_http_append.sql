-- Appends for the gateway.  What one item does wrong is data, so that the others of
-- its batch are stored; what is wrong with the database is an error as everywhere,
-- and the caller tries the whole again, which event ids make harmless.

-- The id of an event that came with an Idempotency-Key instead: the same for every
-- try.  Tenant names have no newline, so the first one ends it.
CREATE FUNCTION ledger.ledger_http_event_id(tenant text, key text) RETURNS uuid
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN (SELECT encode(set_byte(set_byte(h.bytes, 6, get_byte(h.bytes, 6) & 15 | 128), 8, get_byte(h.bytes, 8) & 63 | 128), 'hex')::uuid
	FROM (SELECT substr(sha256(convert_to($1 || E'\n' || $2, 'UTF8')), 1, 16)) AS h (bytes));
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_event_id(text, text) IS
	'The event id that stands for an Idempotency-Key: the first 16 bytes of SHA-256(tenant || newline || key) as a UUID version 8.';

CREATE FUNCTION ledger.ledger_http_event_row(tenant text, event jsonb, subject text, actor_type text, any_actor boolean, key text)
	RETURNS ledger.ledger_events
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_row ledger.ledger_events := ledger.ledger_request_row(event);
BEGIN
	IF v_row.tenant_id <> tenant THEN
		RAISE EXCEPTION 'tenant is not the one of the request'
			USING ERRCODE = 'LG403', DETAIL = format('The event names "%s", the request "%s".', left(v_row.tenant_id, 128), tenant),
				HINT = 'Leave it out.', COLUMN = 'tenant';
	END IF;
	v_row.tenant_id := tenant;
	IF subject IS NULL THEN
		RAISE EXCEPTION 'subject is required' USING ERRCODE = 'LG400', HINT = 'It is who asks.';
	END IF;
	IF any_actor IS NOT TRUE AND (v_row.actor_id <> subject OR v_row.actor_type <> actor_type) THEN
		RAISE EXCEPTION 'actor is not who asks'
			USING ERRCODE = 'LG403', DETAIL = format('The event names %s "%s".', coalesce(v_row.actor_type, actor_type), left(coalesce(v_row.actor_id, subject), 256)),
				HINT = 'Leave the actor out; to name another one takes the scope ledger.events.actor.', COLUMN = 'actor';
	END IF;
	-- Of what type somebody else is, only the request can say.
	v_row.actor_type := coalesce(v_row.actor_type, CASE WHEN coalesce(v_row.actor_id, subject) = subject THEN actor_type END);
	v_row.actor_id := coalesce(v_row.actor_id, subject);
	IF v_row.event_id IS NULL AND key IS NOT NULL THEN
		v_row.event_id := ledger.ledger_http_event_id(tenant, key);
	END IF;
	RETURN v_row;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_event_row(text, jsonb, text, text, boolean, text) IS
	'The row that a request asks for (ledger_request_row()), in that tenant and by that actor. LG403: it names another tenant, or without leave another actor. Part of ledger_http_append().';

-- Class 22 is a value that a cast did not take.
CREATE FUNCTION ledger.ledger_http_refuses(state text) RETURNS boolean
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN $1 ~ '^(LG4|22)';
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_refuses(text) IS
	'Does this SQLSTATE say that the request is wrong, and not that the database cannot serve it now? Part of ledger_http_append().';

-- "#/finding/id" of "finding.id must not be empty": where a message begins with a member.
CREATE FUNCTION ledger.ledger_http_pointer(message text, item integer DEFAULT NULL) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_member text := coalesce(
		substring(message FROM '^unknown member "([^"/~]{1,80})"$'),
		'payload' || substring(message FROM '^number at [$]((?:[.][A-Za-z0-9_]+)+) of payload '),
		substring(message FROM '^((?:tenant|tenantId|type|eventType|id|eventId|chainId|policyVersion|findingId|artifactId|vulnId|finding|actorId|actorType|actor|occurredAt|payload|sourceRunId|evidenceBundleRef|expectedSequence)(?:[.][A-Za-z]+)*)(?: "[^"]*")? (?:is|must|has) '),
		substring(message FROM '^([A-Za-z]+) is set by the ledger$'));
BEGIN
	RETURN nullif(coalesce('/' || item, '') || coalesce('/' || replace(v_member, '.', '/'), ''), '');
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_pointer(text, integer) IS
	'JSON Pointer (RFC 6901) to the member that an error''s message begins with, in the item of that number; NULL if it names none. Part of ledger_http_append().';

CREATE FUNCTION ledger.ledger_http_status(state text) RETURNS integer
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN CASE WHEN $1 LIKE 'LG4%' THEN right($1, 3)::integer ELSE 400 END;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_status(text) IS
	'The HTTP status of a refusal''s SQLSTATE. Part of ledger_http_append().';

CREATE FUNCTION ledger.ledger_http_refusal(message text, detail text, hint text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN jsonb_strip_nulls(jsonb_build_object('message', $1, 'detail', nullif($2, ''), 'hint', nullif($3, ''),
		'pointer', '#' || ledger.ledger_http_pointer($1)))::text;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_refusal(text, text, text) IS
	'The body of an item that is refused, as ledger_http_append() answers it.';

CREATE FUNCTION ledger.ledger_http_event_headers(event ledger.ledger_events, created boolean) RETURNS json
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN '{"Location":"/v1/ledger/events/' || event.event_id || E'","ETag":"\\"' || event.chain_id || '-' || event.sequence_no || E'\\""'
		|| CASE WHEN created THEN '}' ELSE ',"Idempotency-Hit":"true"}' END;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_event_headers(ledger.ledger_events, boolean) IS
	'Headers of the answer to an append: Location, ETag, and Idempotency-Hit if the event was there already. Part of ledger_http_append().';

CREATE FUNCTION ledger.ledger_http_append(tenant text, items jsonb)
	RETURNS TABLE (item integer, status integer, headers json, body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 10
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
DECLARE
	v_alone   integer[];
	v_todo    integer[];
	v_good    integer[];
	v_number  integer;
	v_rows    ledger.ledger_events[];
	v_answer  record;
	v_stored  ledger.ledger_events;
	v_item    jsonb;
	v_detail  text;
	v_hint    text;
	-- Answers, by number from 1: what a block stored before it failed is not among them.
	v_status  integer[] := '{}';
	v_headers json[] := '{}';
	v_body    text[] := '{}';
BEGIN
	IF items IS NULL OR jsonb_typeof(items) <> 'array' THEN
		RAISE EXCEPTION 'items must be a JSON array'
			USING ERRCODE = 'LG400', DETAIL = format('It is %s.', coalesce(jsonb_typeof(items), 'null')), HINT = 'One object for each request.';
	END IF;
	-- What asks for a place in the chain is not moved by what stands beside it in the batch.
	SELECT coalesce(array_agg(i.ordinality) FILTER (WHERE i.value -> 'event' ? 'expectedSequence'), '{}'),
		coalesce(array_agg(i.ordinality) FILTER (WHERE (i.value -> 'event' ? 'expectedSequence') IS NOT TRUE), '{}')
	INTO v_alone, v_todo
	FROM jsonb_array_elements(items) WITH ORDINALITY AS i;

	-- All as one set; if that is refused, once more without those that are malformed.
	FOR v_attempt IN 1 .. 2
	LOOP
		EXIT WHEN cardinality(v_todo) = 0;
		v_number := 0;
		BEGIN
			SELECT array_agg(ledger.ledger_http_event_row(tenant, i.value -> 'event', i.value ->> 'subject', i.value ->> 'actorType',
				i.value -> 'anyActor' = 'true', i.value ->> 'key') ORDER BY i.ordinality)
			INTO v_rows
			FROM jsonb_array_elements(items) WITH ORDINALITY AS i WHERE i.ordinality = ANY (v_todo);
			FOR v_answer IN SELECT w.created, w.stored FROM ledger.ledger_write_many(v_rows) AS w
			LOOP
				v_number := v_number + 1;
				v_stored := v_answer.stored;
				v_status[v_todo[v_number]] := CASE WHEN v_answer.created THEN 201 ELSE 200 END;
				v_headers[v_todo[v_number]] := ledger.ledger_http_event_headers(v_stored, v_answer.created);
				v_body[v_todo[v_number]] := ledger.ledger_event_json(v_stored);
			END LOOP;
			v_todo := '{}';
		EXCEPTION WHEN OTHERS THEN
			IF NOT ledger.ledger_http_refuses(SQLSTATE) THEN
				RAISE;
			END IF;
			IF cardinality(v_todo) = 1 THEN
				GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT;
				v_status[v_todo[1]] := ledger.ledger_http_status(SQLSTATE);
				v_headers[v_todo[1]] := json_build_object('Ledger-Code', SQLSTATE);
				v_body[v_todo[1]] := ledger.ledger_http_refusal(SQLERRM, v_detail, v_hint);
				v_todo := '{}';
			END IF;
		END;
		EXIT WHEN v_attempt = 2;
		v_good := '{}';
		FOREACH v_number IN ARRAY v_todo
		LOOP
			v_item := items -> (v_number - 1);
			BEGIN
				PERFORM ledger.ledger_http_event_row(tenant, v_item -> 'event', v_item ->> 'subject', v_item ->> 'actorType',
					v_item -> 'anyActor' = 'true', v_item ->> 'key');
				v_good := v_good || v_number;
			EXCEPTION WHEN OTHERS THEN
				IF NOT ledger.ledger_http_refuses(SQLSTATE) THEN
					RAISE;
				END IF;
				GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT;
				v_status[v_number] := ledger.ledger_http_status(SQLSTATE);
				v_headers[v_number] := json_build_object('Ledger-Code', SQLSTATE);
				v_body[v_number] := ledger.ledger_http_refusal(SQLERRM, v_detail, v_hint);
			END;
		END LOOP;
		EXIT WHEN cardinality(v_good) = cardinality(v_todo);
		v_todo := v_good;
	END LOOP;

	-- What is left was refused as a set, or asks for its place: one by one.
	FOREACH v_number IN ARRAY v_todo || v_alone
	LOOP
		v_item := items -> (v_number - 1);
		BEGIN
			v_stored := ledger.ledger_http_event_row(tenant, v_item -> 'event', v_item ->> 'subject', v_item ->> 'actorType',
				v_item -> 'anyActor' = 'true', v_item ->> 'key');
			v_answer := ledger.ledger_write(v_stored, ledger.ledger_request_expected(v_item -> 'event'));
			v_stored := v_answer.stored;
			v_status[v_number] := CASE WHEN v_answer.created THEN 201 ELSE 200 END;
			v_headers[v_number] := ledger.ledger_http_event_headers(v_stored, v_answer.created);
			v_body[v_number] := ledger.ledger_event_json(v_stored);
		EXCEPTION WHEN OTHERS THEN
			IF NOT ledger.ledger_http_refuses(SQLSTATE) THEN
				RAISE;
			END IF;
			GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT;
			v_status[v_number] := ledger.ledger_http_status(SQLSTATE);
			v_headers[v_number] := json_build_object('Ledger-Code', SQLSTATE);
			v_body[v_number] := ledger.ledger_http_refusal(SQLERRM, v_detail, v_hint);
		END;
	END LOOP;
	FOR i IN 1 .. cardinality(v_status)
	LOOP
		item := i - 1;
		status := v_status[i];
		headers := v_headers[i];
		body := v_body[i];
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_append(text, jsonb) IS
	'Appends for the gateway: items [{event, subject, actorType, anyActor, key}] of one tenant, independent of one another. Every item is answered, by its number from 0: 201 and the event (line of an export) with Location and ETag; 200 with Idempotency-Hit too if it was stored before; or its refusal, a status from 400 on, header Ledger-Code and body {message, detail, hint, pointer}. Raises only what is not an item''s fault: then nothing is stored, and the whole may be tried again. Without an id, an event with key gets ledger_http_event_id(). For ledger_gateway.';

CREATE FUNCTION ledger.ledger_http_batch_row(tenant text, context jsonb, event jsonb, item bigint) RETURNS ledger.ledger_events
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF event ? 'expectedSequence' THEN
		RAISE EXCEPTION 'expectedSequence has no meaning in a batch'
			USING ERRCODE = 'LG400', HINT = 'Append the event alone.';
	END IF;
	RETURN ledger.ledger_http_event_row(tenant, event, context ->> 'subject', context ->> 'actorType', context -> 'anyActor' = 'true',
		(context ->> 'idempotencyKey') || '/' || item);
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_batch_row(text, jsonb, jsonb, bigint) IS
	'ledger_http_event_row() of an item of a batch; its key is the batch''s Idempotency-Key, a slash and the item''s number. LG400: it has an expectedSequence. Part of ledger_http_append_batch().';

-- All or nothing.  After the set failed the items are tried one after the other, so
-- that each can be told what is wrong with it, and everything is taken back.
CREATE FUNCTION ledger.ledger_http_append_batch(tenant text, context jsonb, events jsonb)
	RETURNS TABLE (status integer, headers json, body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER ROWS 1
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
DECLARE
	v_count  integer := CASE jsonb_typeof($3) WHEN 'array' THEN jsonb_array_length($3) END;
	v_rows   ledger.ledger_events[];
	v_row    ledger.ledger_events;
	v_new    text;
	v_lines  text;
	v_first  text;
	v_detail text;
	v_hint   text;
	v_taken_back boolean := false;
	v_errors jsonb := '[]';
	v_worst  text := 'LG400';
BEGIN
	IF v_count IS NULL OR v_count = 0 THEN
		RAISE EXCEPTION 'events must be a JSON array with at least one event'
			USING ERRCODE = 'LG400', HINT = 'Send an array, or application/x-ndjson with one event a line.';
	ELSIF v_count > 10000 THEN
		RAISE EXCEPTION 'a batch has at most 10000 events'
			USING ERRCODE = 'LG413', DETAIL = format('It has %s.', v_count), HINT = 'Send several batches.';
	END IF;
	BEGIN
		SELECT array_agg(ledger.ledger_http_batch_row(tenant, context, e.value, e.ordinality - 1) ORDER BY e.ordinality) INTO v_rows
		FROM jsonb_array_elements($3) WITH ORDINALITY AS e;
		SELECT string_agg(w.created::integer::text, '' ORDER BY w.ordinality), string_agg(ledger.ledger_event_json(w.stored), ',' ORDER BY w.ordinality)
		INTO v_new, v_lines
		FROM ledger.ledger_write_many(v_rows) WITH ORDINALITY AS w;
	EXCEPTION WHEN OTHERS THEN
		IF NOT ledger.ledger_http_refuses(SQLSTATE) THEN
			RAISE;
		END IF;
		v_first := SQLERRM;
	END;
	IF v_lines IS NOT NULL THEN
		status := CASE WHEN v_new LIKE '%1%' THEN 201 ELSE 200 END;
		headers := CASE WHEN status = 200 THEN '{"Idempotency-Hit":"true"}' WHEN v_new LIKE '%0%' THEN json_build_object('Ledger-New', v_new) END;
		body := '{"events":[' || v_lines || ']}';
		RETURN NEXT;
		RETURN;
	END IF;

	BEGIN
		FOR v_number IN 0 .. v_count - 1
		LOOP
			BEGIN
				v_row := ledger.ledger_http_batch_row(tenant, context, $3 -> v_number, v_number);
				PERFORM ledger.ledger_write(v_row, NULL);
			EXCEPTION WHEN OTHERS THEN
				IF NOT ledger.ledger_http_refuses(SQLSTATE) THEN
					RAISE;
				END IF;
				GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT;
				v_errors := v_errors || jsonb_strip_nulls(jsonb_build_object('index', v_number, 'status', ledger.ledger_http_status(SQLSTATE),
					'code', SQLSTATE, 'detail', SQLERRM || coalesce('. ' || nullif(v_detail, ''), '.'), 'hint', nullif(v_hint, ''),
					'pointer', '#' || ledger.ledger_http_pointer(SQLERRM, v_number)));
				IF SQLSTATE LIKE 'LG4%' AND ledger.ledger_http_status(SQLSTATE) > ledger.ledger_http_status(v_worst) THEN
					v_worst := SQLSTATE;
				END IF;
			END;
			-- Somebody who sends garbage need not be told of every piece, while others wait for the chain.
			EXIT WHEN jsonb_array_length(v_errors) = 100;
		END LOOP;
		v_taken_back := true;
		RAISE EXCEPTION 'taken back';
	EXCEPTION WHEN raise_exception THEN
		IF NOT v_taken_back THEN
			RAISE;
		END IF;
	END;
	IF v_errors = '[]' THEN
		-- Each alone is good, and together they are not.
		RAISE EXCEPTION '%', v_first USING ERRCODE = 'LG409', HINT = 'Send the events in smaller batches.';
	END IF;
	status := ledger.ledger_http_status(v_worst);
	headers := json_build_object('Content-Type', 'application/problem+json', 'Ledger-Code', v_worst);
	body := ledger.ledger_canonical_json(jsonb_strip_nulls(jsonb_build_object('type', '/problems/' || v_worst, 'status', status,
		'code', v_worst, 'detail', format('%s of %s events are refused, and nothing is stored.', jsonb_array_length(v_errors), v_count),
		'instance', '/v1/ledger/events:batch', 'traceId', context -> 'traceId', 'errors', v_errors)));
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_append_batch(text, jsonb, jsonb) IS
	'POST /v1/ledger/events:batch: appends an array of requests, all or nothing. 201 {events} if one of them is new (header Ledger-New: a digit for each, 1 if it is, when some are not), 200 if all were stored before; or the status of the worst item, with application/problem+json whose errors say for each refused item (the first 100) index, status, code, detail, hint and pointer, and whose title is the gateway''s to add. LG400: no array, or an empty one; LG413: more than 10000 events. For ledger_gateway.';
