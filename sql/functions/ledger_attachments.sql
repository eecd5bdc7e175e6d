-- Attachments (docs/formats.md, "Attachments").  The gateway encrypts and decrypts;
-- here the ciphertext is kept beside the event that tells of it.  What an attachment
-- is taken for is what its event says, because that is in the chain and this is not.

CREATE FUNCTION ledger.ledger_attachment_only_rewraps(before ledger.ledger_attachments, after ledger.ledger_attachments)
	RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT ((before.tenant_id, before.attachment_id, before.finding_id, before.media_type, before.file_name, before.size_bytes,
			before.digest, before.algorithm, before.nonce, before.tag, before.ciphertext, before.created_at)
		= (after.tenant_id, after.attachment_id, after.finding_id, after.media_type, after.file_name, after.size_bytes,
			after.digest, after.algorithm, after.nonce, after.tag, after.ciphertext, after.created_at)
		AND before.expires_at IS NOT DISTINCT FROM after.expires_at) IS TRUE
	$$;
COMMENT ON FUNCTION ledger.ledger_attachment_only_rewraps(ledger.ledger_attachments, ledger.ledger_attachments) IS
	'Does this change of an attachment only wrap its data key anew? For the trigger on ledger_attachments.';

-- As the gateway tells of one.
CREATE FUNCTION ledger.ledger_attachment_json(in_row ledger.ledger_attachments, in_event ledger.ledger_events) RETURNS json
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	SET timezone = 'UTC'
	AS $$
	SELECT json_strip_nulls(json_build_object(
		'attachmentId', in_row.attachment_id,
		'findingId', in_row.finding_id,
		'policyVersion', in_event.policy_version,
		'digest', 'sha256:' || encode(in_row.digest, 'hex'),
		'size', in_row.size_bytes,
		'mediaType', in_row.media_type,
		'fileName', nullif(in_row.file_name, ''),
		'algorithm', in_row.algorithm,
		'keyId', in_row.key_id,
		'createdAt', to_char(in_row.created_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
		'expiresAt', to_char(in_row.expires_at, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
		'event', json_build_object('id', in_event.event_id, 'chainId', in_event.chain_id, 'sequence', in_event.sequence_no,
			'eventHash', encode(in_event.event_hash, 'hex'))))
	$$;
COMMENT ON FUNCTION ledger.ledger_attachment_json(ledger.ledger_attachments, ledger.ledger_events) IS
	'An attachment and the place of its event, as the gateway''s answers have it.';

-- Which policy version, artifact and vulnerability are meant where the caller does
-- not say: those of the finding, if it has been seen under one policy version only.
CREATE FUNCTION ledger.ledger_attachment_event(in_tenant text, in_context jsonb, in_attachment jsonb) RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_finding  text := in_context #>> '{path,findingId}';
	v_policy   text := ledger.ledger_http_text(in_context, 'policyVersion');
	v_artifact text := ledger.ledger_http_text(in_context, 'artifactId');
	v_vuln     text := ledger.ledger_http_text(in_context, 'vulnId');
	v_known    record;
BEGIN
	SELECT p.policy_version, p.artifact_id, p.vuln_id, count(*) OVER () AS findings INTO v_known FROM ledger.findings_projection AS p
	WHERE p.tenant_id = in_tenant AND p.finding_id = v_finding AND p.policy_version = coalesce(v_policy, p.policy_version)
	LIMIT 1;
	IF v_known.findings > 1 THEN
		RAISE EXCEPTION 'policyVersion is required'
			USING ERRCODE = 'LG400', DETAIL = format('The finding is known under %s policy versions.', v_known.findings),
				HINT = 'Name one: ?policyVersion=….';
	ELSIF v_known.findings IS NULL AND (v_policy IS NULL OR v_artifact IS NULL) THEN
		RAISE EXCEPTION 'finding does not exist'
			USING ERRCODE = 'LG404', DETAIL = format('Tenant "%s" has no finding "%s"%s.', in_tenant, left(v_finding, 200),
				CASE WHEN v_policy IS NULL THEN '' ELSE format(' under policy version "%s"', left(v_policy, 200)) END),
				HINT = 'Append its first event; or name policyVersion and artifactId, if the attachment is to be that.';
	END IF;
	RETURN jsonb_strip_nulls(jsonb_build_object(
		'tenant', in_tenant, 'type', 'finding.attachment_added', 'id', in_attachment ->> 'attachmentId',
		'policyVersion', coalesce(v_policy, v_known.policy_version),
		'finding', jsonb_build_object('id', v_finding,
			'artifactId', coalesce(v_artifact, v_known.artifact_id),
			'vulnId', coalesce(v_vuln, v_known.vuln_id)),
		'actor', jsonb_build_object('id', in_context ->> 'subject', 'type', in_context ->> 'actorType'),
		'payload', jsonb_build_object('attachmentId', in_attachment ->> 'attachmentId', 'digest', in_attachment ->> 'digest',
			'size', in_attachment -> 'size', 'mediaType', in_attachment ->> 'mediaType',
			'fileName', nullif(in_attachment ->> 'fileName', ''))));
END
$$;
COMMENT ON FUNCTION ledger.ledger_attachment_event(text, jsonb, jsonb) IS
	'The append request of an attachment''s event: digest and metadata only. LG400: the finding is known under several policy versions; LG404: under none. Part of ledger_http_attach().';

CREATE FUNCTION ledger.ledger_http_attach(tenant text, context jsonb, attachment jsonb, ciphertext bytea)
	RETURNS TABLE (status integer, headers json, body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
DECLARE
	v_request jsonb;
	v_answer  record;
	v_row     ledger.ledger_attachments;
BEGIN
	IF NOT ledger.ledger_tenant_allowed(tenant) THEN
		RAISE EXCEPTION 'role may not touch tenant "%"', tenant
			USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
	END IF;
	v_request := ledger.ledger_attachment_event(tenant, context, attachment);
	SELECT a.created, a.event INTO v_answer FROM ledger.ledger_append_request(v_request) AS a;
	IF v_answer.created THEN
		INSERT INTO ledger.ledger_attachments AS t (tenant_id, attachment_id, finding_id, media_type, file_name, size_bytes,
			digest, algorithm, key_id, wrapped_key, nonce, tag, ciphertext, expires_at)
		VALUES (tenant, (attachment ->> 'attachmentId')::uuid, context #>> '{path,findingId}', attachment ->> 'mediaType',
			coalesce(attachment ->> 'fileName', ''), (attachment ->> 'size')::bigint,
			decode(substr(attachment ->> 'digest', 8), 'hex'), attachment ->> 'algorithm', attachment ->> 'keyId',
			decode(attachment ->> 'wrappedKey', 'base64'), decode(attachment ->> 'nonce', 'base64'),
			decode(attachment ->> 'tag', 'base64'), ciphertext,
			now() + (attachment ->> 'lifetimeSeconds')::bigint * interval '1 second')
		RETURNING t.* INTO v_row;
	ELSE
		SELECT t.* INTO v_row FROM ledger.ledger_attachments AS t
		WHERE t.tenant_id = tenant AND t.attachment_id = (attachment ->> 'attachmentId')::uuid;
		IF NOT FOUND THEN
			RAISE EXCEPTION 'event % has no attachment', attachment ->> 'attachmentId'
				USING ERRCODE = 'LG409', DETAIL = 'It was appended as an event, without content.',
					HINT = 'Send the attachment with another Idempotency-Key.';
		END IF;
	END IF;
	status := CASE WHEN v_answer.created THEN 201 ELSE 200 END;
	headers := CASE WHEN v_answer.created THEN '{}'::json ELSE '{"Idempotency-Hit": "true"}'::json END;
	body := ledger.ledger_attachment_json(v_row, v_answer.event)::text;
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_attach(text, jsonb, jsonb, bytea) IS
	'Stores an encrypted attachment and appends its event, in one transaction. The attachment''s id is the event''s, so the same again returns the stored one (status 200). LG400, LG403, LG404, LG409 as ledger_append() and ledger_attachment_event(). For ledger_gateway.';

-- The event is looked up by the id alone: a row that was put under another finding
-- would not find it.  Plans are made for this tenant (force_custom_plan), here and
-- wherever events are read: one for any would lock the leaves of all.
CREATE FUNCTION ledger.ledger_http_attachment(tenant text, context jsonb, purpose text, destination text DEFAULT NULL,
	OUT finding_id text, OUT attachment_id text, OUT media_type text, OUT file_name text, OUT size_bytes bigint, OUT digest text, OUT event_digest text,
	OUT key_id text, OUT wrapped_key bytea, OUT nonce bytea, OUT tag bytea, OUT ciphertext bytea)
	RETURNS record
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
	AS $$
#variable_conflict use_variable
DECLARE
	v_finding text := context #>> '{path,findingId}';
	v_id      text := context #>> '{path,attachmentId}';
	v_row     ledger.ledger_attachments;
	v_event   ledger.ledger_events;
BEGIN
	PERFORM ledger.ledger_http_tenant(tenant);
	IF v_id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN
		SELECT a.* INTO v_row FROM ledger.ledger_attachments AS a
		WHERE a.tenant_id = tenant AND a.attachment_id = v_id::uuid AND a.finding_id = v_finding;
		SELECT e.* INTO v_event FROM ledger.ledger_events AS e
		WHERE e.tenant_id = tenant AND e.event_id = v_row.attachment_id;
	END IF;
	IF v_row.attachment_id IS NULL OR v_event.event_body IS NULL OR v_row.expires_at <= now() THEN
		RAISE EXCEPTION 'attachment does not exist'
			USING ERRCODE = 'LG404', DETAIL = format('Finding "%s" has no attachment "%s"%s.', left(v_finding, 200), left(v_id, 80),
				CASE WHEN v_row.attachment_id IS NULL THEN '' WHEN v_event.event_body IS NULL THEN ' any more: its event was erased'
				     ELSE ' any more: it has expired' END);
	END IF;
	PERFORM ledger.ledger_log_access(tenant, context, 'attachment.' || purpose, concat_ws(' ', v_id, destination));
	finding_id := v_row.finding_id;
	attachment_id := v_id;
	media_type := v_row.media_type;
	file_name := v_row.file_name;
	size_bytes := v_row.size_bytes;
	digest := 'sha256:' || encode(v_row.digest, 'hex');
	event_digest := coalesce(v_event.event_body ->> 'digest', '');
	key_id := v_row.key_id;
	wrapped_key := v_row.wrapped_key;
	nonce := v_row.nonce;
	tag := v_row.tag;
	-- A link needs no content.
	ciphertext := CASE WHEN purpose <> 'link' THEN v_row.ciphertext END;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_attachment(text, jsonb, text, text) IS
	'One attachment as it is stored, with the digest that its event tells; the access is recorded. purpose: read, link or push, with the destination, which is recorded behind the id. LG404: there is none, or not any more. For ledger_gateway.';

CREATE FUNCTION ledger.ledger_http_attachments(tenant text, context jsonb)
	RETURNS TABLE (status integer, headers json, body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
	SET timezone = 'UTC'
	AS $$
#variable_conflict use_column
DECLARE
	v_finding text := context #>> '{path,findingId}';
	v_limit   integer := ledger.ledger_http_limit(context);
	v_items   json[];
	v_last    jsonb;
BEGIN
	PERFORM ledger.ledger_http_tenant(tenant);
	SELECT array_agg(ledger.ledger_attachment_json(q.a, q.e) ORDER BY (q.a).created_at, (q.a).attachment_id),
		(array_agg(jsonb_build_object('createdAt', (q.a).created_at, 'attachmentId', (q.a).attachment_id)
			ORDER BY (q.a).created_at, (q.a).attachment_id))[v_limit]
	INTO v_items, v_last
	FROM (
		SELECT a, e FROM ledger.ledger_attachments AS a
		JOIN ledger.ledger_events AS e ON e.tenant_id = a.tenant_id AND e.event_id = a.attachment_id
		WHERE a.tenant_id = tenant AND a.finding_id = v_finding
			-- What is not given out any more is not offered; that it was there, its event tells.
			AND (a.expires_at > now()) IS NOT FALSE AND e.event_body IS NOT NULL
			AND (context -> 'after' IS NULL OR (a.created_at, a.attachment_id)
				> ((context #>> '{after,createdAt}')::timestamptz, (context #>> '{after,attachmentId}')::uuid))
		ORDER BY a.created_at, a.attachment_id
		LIMIT v_limit + 1
	) AS q;
	PERFORM ledger.ledger_log_access(tenant, context, 'attachment.list', v_finding);
	status := 200;
	headers := CASE WHEN cardinality(v_items) > v_limit THEN json_build_object('Ledger-Next', v_last) END;
	body := json_build_object('attachments', coalesce(array_to_json(v_items[1:v_limit]), '[]'))::text;
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_attachments(text, jsonb) IS
	'The attachments of a finding that can be read, oldest first, without content: those that have expired, or whose event was erased, are left out. The access is recorded. LG400: a bad limit. For ledger_gateway.';

-- Rotation.  Whoever may call these could make attachments unreadable, and nobody
-- else's content readable: that needs the gateway''s key.
CREATE FUNCTION ledger.ledger_attachments_to_rewrap(key_id text, after_tenant text, after_id uuid, most integer)
	RETURNS SETOF ledger.ledger_attachments
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
BEGIN
	RETURN QUERY
	SELECT a.tenant_id, a.attachment_id, a.finding_id, a.media_type, a.file_name, a.size_bytes, a.digest, a.algorithm,
		a.key_id, a.wrapped_key, a.nonce, a.tag, ''::bytea, a.created_at, a.expires_at
	FROM ledger.ledger_attachments AS a
	WHERE a.key_id = key_id AND (a.tenant_id, a.attachment_id)
		> (coalesce(after_tenant, ''), coalesce(after_id, '00000000-0000-0000-0000-000000000000'))
	ORDER BY a.tenant_id, a.attachment_id
	LIMIT most;
END
$$;
COMMENT ON FUNCTION ledger.ledger_attachments_to_rewrap(text, text, uuid, integer) IS
	'Attachments of the granted tenants whose data key this key wrapped, in order, at most so many, behind that one; without their content. For ledger_gateway.';

CREATE FUNCTION ledger.ledger_rewrap_attachment(tenant text, attachment_id uuid, old_key_id text, new_key_id text, wrapped_key bytea)
	RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
BEGIN
	UPDATE ledger.ledger_attachments AS a SET key_id = new_key_id, wrapped_key = wrapped_key
	WHERE a.tenant_id = tenant AND a.attachment_id = attachment_id AND a.key_id = old_key_id;
	RETURN FOUND;
END
$$;
COMMENT ON FUNCTION ledger.ledger_rewrap_attachment(text, uuid, text, text, bytea) IS
	'Puts a data key that was wrapped anew in the place of the old one; false if the old one is not there any more, because another gateway was first. For ledger_gateway.';
