-- runs as: owner
-- Built from sql/ by migrations/freeze.sh.  Frozen once released: change sql/
-- and add a migration instead (migrations/README.md).

-- ---- sql/functions/ledger_home.sql
-- Where this database lives.  A copy made by dump and restore has another system
-- identifier or another database; one made by promotion or point-in-time recovery
-- has the same of both and another timeline.
CREATE FUNCTION ledger.ledger_home() RETURNS text
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT format('%s/%s/%s',
		(SELECT system_identifier FROM pg_control_system()),
		(SELECT oid FROM pg_database WHERE datname = current_database()),
		-- Before the first checkpoint after a promotion the control file still has the old timeline.
		CASE WHEN pg_is_in_recovery() THEN (SELECT timeline_id FROM pg_control_checkpoint())
		     ELSE ('x' || left(pg_walfile_name(pg_current_wal_lsn()), 8))::bit(32)::integer END)
	$$;
COMMENT ON FUNCTION ledger.ledger_home() IS
	'System identifier, database and timeline of this copy; compared with ledger_settings.home, to tell a restored copy from the one that was dumped.';

-- What these objects were written for.  A dump carries this function and CREATE
-- EXTENSION without a version, so a restore may meet another one.
CREATE FUNCTION ledger.ledger_schema_version() RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$ SELECT '1.0' $$;
COMMENT ON FUNCTION ledger.ledger_schema_version() IS
	'The version of the extension findings_ledger that the migrations of this database need.';

-- ---- sql/functions/ledger_only_adds.sql
-- What may still happen to a row that is recorded.  The triggers that refuse
-- changes ask these in their WHEN: a condition of one call is one that
-- ledger_guard_state() can compare with what it must be.

-- Signature lines behind a checkpoint, signatures behind those of its statement, and
-- one reference.  The text that was signed has no empty line, so the first signature
-- brings the one that ends it; a line that only looked like text would be one more
-- line of the checkpoint.
CREATE FUNCTION ledger.ledger_anchor_only_adds(before ledger.ledger_merkle_roots, after ledger.ledger_merkle_roots)
	RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT (
		(before.tenant_id, before.anchor_id, before.chain_id, before.window_start, before.window_end,
			before.sequence_start, before.sequence_end, before.root_hash, before.leaf_count, before.anchored_at,
			before.tree_size, before.previous_root_hash, before.frontier, before.origin,
			before.guard_fingerprint, before.guard_sequence)
		IS NOT DISTINCT FROM
		(after.tenant_id, after.anchor_id, after.chain_id, after.window_start, after.window_end,
			after.sequence_start, after.sequence_end, after.root_hash, after.leaf_count, after.anchored_at,
			after.tree_size, after.previous_root_hash, after.frontier, after.origin,
			after.guard_fingerprint, after.guard_sequence)
		AND coalesce(before.anchor_reference = after.anchor_reference, before.anchor_reference IS NULL)
		AND (before.checkpoint = after.checkpoint
			OR (starts_with(after.checkpoint, before.checkpoint)
				AND substr(after.checkpoint, length(before.checkpoint) + 1)
					~ (CASE WHEN before.checkpoint LIKE E'%\n\n%' THEN '^' ELSE E'^\n' END || E'(— [^\n]+\n)+$')))
		AND before.dsse - 'signatures' = after.dsse - 'signatures'
		AND (before.dsse = after.dsse
			OR before.dsse -> 'signatures' = (
				SELECT coalesce(jsonb_agg(s.signature ORDER BY s.n), '[]')
				FROM jsonb_array_elements(after.dsse -> 'signatures') WITH ORDINALITY AS s (signature, n)
				WHERE s.n <= jsonb_array_length(before.dsse -> 'signatures')))
	) IS TRUE
	$$;
COMMENT ON FUNCTION ledger.ledger_anchor_only_adds(ledger.ledger_merkle_roots, ledger.ledger_merkle_roots) IS
	'Does this change of an anchor only add signature lines, signatures, or the reference that was missing? For the trigger on ledger_merkle_roots.';

CREATE FUNCTION ledger.ledger_key_only_ends(before ledger.ledger_keys, after ledger.ledger_keys)
	RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT ((before.key_id, before.public_key, before.purpose, before.registered_at, before.registered_by)
			= (after.key_id, after.public_key, after.purpose, after.registered_at, after.registered_by)
		AND coalesce(before.retired_at = after.retired_at, before.retired_at IS NULL)
		AND coalesce(before.revoked_at = after.revoked_at, before.revoked_at IS NULL)) IS TRUE
	$$;
COMMENT ON FUNCTION ledger.ledger_key_only_ends(ledger.ledger_keys, ledger.ledger_keys) IS
	'Does this change of a key only retire or revoke it? For the trigger on ledger_keys.';

CREATE FUNCTION ledger.ledger_range_only_narrows(before ledger.ledger_key_ranges, after ledger.ledger_key_ranges)
	RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT ((before.key_id, before.tenant_id, before.chain_id, before.first_sequence)
			= (after.key_id, after.tenant_id, after.chain_id, after.first_sequence)
		AND coalesce(after.last_sequence <= before.last_sequence, before.last_sequence IS NULL)) IS TRUE
	$$;
COMMENT ON FUNCTION ledger.ledger_range_only_narrows(ledger.ledger_key_ranges, ledger.ledger_key_ranges) IS
	'Does this change of a key''s range only make it smaller? For the trigger on ledger_key_ranges.';

-- Checkpoints name the log by its origin: another name under the same events would be
-- another log.  A copy that takes an identity of its own may take one.
CREATE FUNCTION ledger.ledger_origin_stays(before ledger.ledger_settings, after ledger.ledger_settings)
	RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT before.first_anchored_at IS NULL
		OR (after.first_anchored_at = before.first_anchored_at
			AND (after.origin = before.origin OR after.instance_id <> before.instance_id)) IS TRUE
	$$;
COMMENT ON FUNCTION ledger.ledger_origin_stays(ledger.ledger_settings, ledger.ledger_settings) IS
	'Does this change leave the log''s name as it is, or is nothing anchored under it yet, or does a copy take an identity of its own? For the trigger on ledger_settings.';

-- ---- sql/functions/ledger_create_tenant.sql
-- Name of a tenant's leaf: readable, and unique by eight digits of its hash.
CREATE FUNCTION ledger.ledger_leaf_name(tenant text) RETURNS name
	LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT ('ledger_events_' ||
		left(trim(BOTH '_' FROM regexp_replace(lower(tenant), '[^a-z0-9]+', '_', 'g')), 32) || '_' ||
		left(encode(sha256(convert_to(tenant, 'UTF8')), 'hex'), 8))::name
	$$;
COMMENT ON FUNCTION ledger.ledger_leaf_name(text) IS
	'Name of the leaf of ledger_events that holds a tenant.';

-- The guards of one leaf.  Statement triggers and row-level security are not
-- cloned from the parent: a leaf without them could be truncated or read.
CREATE FUNCTION ledger.ledger_guard_leaf(leaf name) RETURNS void
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	EXECUTE format('CREATE TRIGGER ledger_refuse_direct BEFORE INSERT OR UPDATE OR DELETE ON ledger.%I
		FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_direct()', leaf);
	EXECUTE format('CREATE TRIGGER ledger_refuse_truncate BEFORE TRUNCATE ON ledger.%I
		FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change()', leaf);
	EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER ledger_refuse_direct', leaf);
	EXECUTE format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER ledger_refuse_truncate', leaf);
	EXECUTE format('ALTER TABLE ledger.%I ENABLE ROW LEVEL SECURITY', leaf);
	EXECUTE format('ALTER TABLE ledger.%I FORCE ROW LEVEL SECURITY', leaf);
	EXECUTE format('REVOKE ALL ON ledger.%I FROM PUBLIC', leaf);
END
$$;
COMMENT ON FUNCTION ledger.ledger_guard_leaf(name) IS
	'Puts the guards on one leaf of ledger_events. Called when a tenant is created.';

-- Made apart and attached: CREATE TABLE … PARTITION OF would lock all of
-- ledger_events against readers and appenders, and wait for a running pg_dump.
CREATE FUNCTION ledger.ledger_make_leaf(tenant text) RETURNS name
	LANGUAGE plpgsql VOLATILE STRICT PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_leaf name := ledger.ledger_leaf_name(tenant);
BEGIN
	EXECUTE format('CREATE TABLE ledger.%I (LIKE ledger.ledger_events
			INCLUDING CONSTRAINTS INCLUDING STORAGE INCLUDING COMPRESSION)
		WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000,
		      autovacuum_vacuum_insert_scale_factor = 0.02,
		      autovacuum_vacuum_insert_threshold = 10000, autovacuum_vacuum_cost_delay = 0)', v_leaf);
	PERFORM ledger.ledger_guard_leaf(v_leaf);
	EXECUTE format('ALTER TABLE ledger.ledger_events ATTACH PARTITION ledger.%I FOR VALUES IN (%L)',
		v_leaf, tenant);
	RETURN v_leaf;
END
$$;
COMMENT ON FUNCTION ledger.ledger_make_leaf(text) IS
	'Makes and guards a tenant''s leaf. Vacuumed eagerly: dead entries of a rolled-back append stand where the next append looks for the head.';

CREATE FUNCTION ledger.ledger_create_tenant(tenant text, settings jsonb DEFAULT '{}')
	RETURNS ledger.ledger_tenants
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_row ledger.ledger_tenants;
BEGIN
	IF tenant IS NULL OR tenant !~ '^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$' THEN
		RAISE EXCEPTION 'tenant name is not valid'
			USING ERRCODE = 'LG400', DETAIL = CASE WHEN tenant IS NULL THEN 'It is null.' ELSE format('It is "%s".', left(tenant, 140)) END,
				HINT = 'A tenant name matches ^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$.';
	END IF;
	IF settings IS NULL OR jsonb_typeof(settings) <> 'object' THEN
		RAISE EXCEPTION 'settings of a tenant must be a JSON object'
			USING ERRCODE = 'LG400', DETAIL = format('They are %s.', coalesce(jsonb_typeof(settings), 'null')),
				HINT = 'Pass {} for none.';
	END IF;
	IF current_setting('server_encoding') <> 'UTF8' THEN
		RAISE EXCEPTION 'the ledger needs a database with encoding UTF8'
			USING ERRCODE = 'LG503', HINT = 'Create one with ENCODING ''UTF8'' TEMPLATE template0.';
	END IF;

	-- Two racing creations: the second waits for the first and then finds its row.
	-- A table's lock, because anyone could hold an advisory one; appends go on.
	SELECT t.* INTO v_row FROM ledger.ledger_tenants AS t WHERE t.tenant_id = tenant;
	IF NOT FOUND THEN
		LOCK TABLE ledger.ledger_tenants IN SHARE ROW EXCLUSIVE MODE;
		SELECT t.* INTO v_row FROM ledger.ledger_tenants AS t WHERE t.tenant_id = tenant;
	END IF;
	IF FOUND THEN
		IF v_row.settings <> settings AND settings <> '{}' THEN
			RAISE EXCEPTION 'tenant "%" exists with other settings', tenant
				USING ERRCODE = 'LG409', DETAIL = format('Its settings are %s.', v_row.settings),
					HINT = 'Leave settings out to get the tenant as it is.';
		END IF;
		RETURN v_row;
	END IF;

	INSERT INTO ledger.ledger_tenants (tenant_id, leaf, settings, reserved)
	VALUES (tenant, ledger.ledger_make_leaf(tenant), settings, tenant = 'ledger')
	RETURNING * INTO v_row;
	RETURN v_row;
EXCEPTION
	-- Above READ COMMITTED the row that the other one committed is out of sight.
	WHEN duplicate_table THEN
		RAISE EXCEPTION 'tenant "%" was created by a concurrent transaction', tenant
			USING ERRCODE = 'serialization_failure', HINT = 'Retry the transaction.';
END
$$;
COMMENT ON FUNCTION ledger.ledger_create_tenant(text, jsonb) IS
	'Creates a tenant and its guarded leaf of ledger_events; an existing tenant is returned as it is. LG400: bad name or settings. LG409: exists with other settings. For ledger_operator.';

-- ---- sql/functions/ledger_grant_tenant.sql
CREATE FUNCTION ledger.ledger_grant_tenant(role name, tenant text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF role IS NULL OR tenant IS NULL THEN
		RAISE EXCEPTION '% is required', CASE WHEN role IS NULL THEN 'role' ELSE 'tenant' END
			USING ERRCODE = 'LG400', HINT = 'Name a role and a tenant.';
	END IF;
	IF NOT EXISTS (SELECT FROM ledger.ledger_tenants t WHERE t.tenant_id = tenant) THEN
		RAISE EXCEPTION 'tenant "%" does not exist', tenant
			USING ERRCODE = 'LG404', HINT = 'Create it with ledger_create_tenant().';
	END IF;
	IF NOT EXISTS (SELECT FROM pg_roles r WHERE r.rolname = role) THEN
		RAISE EXCEPTION 'role "%" does not exist', role
			USING ERRCODE = 'LG404', HINT = 'Create it with CREATE ROLE; names are case-sensitive here.';
	END IF;
	INSERT INTO ledger.ledger_tenant_grants (tenant_id, role_name)
	VALUES (tenant, role)
	ON CONFLICT DO NOTHING;
END
$$;
COMMENT ON FUNCTION ledger.ledger_grant_tenant(name, text) IS
	'Allows a role, and so its members, to touch a tenant; granting twice is no error. LG400: null; LG404: unknown tenant or role. For ledger_operator.';

CREATE FUNCTION ledger.ledger_revoke_tenant(role name, tenant text) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	DELETE FROM ledger.ledger_tenant_grants g WHERE g.tenant_id = tenant AND g.role_name = role;
	RETURN FOUND;
END
$$;
COMMENT ON FUNCTION ledger.ledger_revoke_tenant(name, text) IS
	'Takes a grant back; true if there was one. For ledger_operator.';

-- ---- sql/functions/ledger_append.sql
CREATE FUNCTION ledger.ledger_append(
	tenant_id           text,
	event_type          text,
	finding_id          text,
	policy_version      text,
	artifact_id         text,
	payload             jsonb       DEFAULT '{}',
	actor_id            text        DEFAULT session_user,
	actor_type          text        DEFAULT 'operator',
	vuln_id             text        DEFAULT NULL,
	occurred_at         timestamptz DEFAULT NULL,
	event_id            uuid        DEFAULT NULL,
	chain_id            uuid        DEFAULT NULL,
	source_run_id       uuid        DEFAULT NULL,
	evidence_bundle_ref text        DEFAULT NULL,
	expected_sequence   bigint      DEFAULT NULL)
	RETURNS ledger.ledger_events
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_event ledger.ledger_events;
BEGIN
	IF event_type LIKE 'ledger.%' THEN
		RAISE EXCEPTION 'event type "%" is reserved to the ledger', event_type
			USING ERRCODE = 'LG403', HINT = 'Use a finding.* type, or one of your own (ledger_add_event_type()).';
	END IF;
	v_event.tenant_id := tenant_id;
	v_event.event_type := event_type;
	v_event.finding_id := finding_id;
	v_event.policy_version := policy_version;
	v_event.artifact_id := artifact_id;
	v_event.event_body := payload;
	v_event.actor_id := actor_id;
	v_event.actor_type := actor_type;
	v_event.vuln_id := vuln_id;
	v_event.occurred_at := occurred_at;
	v_event.event_id := event_id;
	v_event.chain_id := chain_id;
	v_event.source_run_id := source_run_id;
	v_event.evidence_bundle_ref := evidence_bundle_ref;
	RETURN (ledger.ledger_write(v_event, expected_sequence)).stored;
END
$$;
COMMENT ON FUNCTION ledger.ledger_append(text, text, text, text, text, jsonb, text, text, text, timestamptz, uuid, uuid, uuid, text, bigint) IS
	'Appends one event and returns the stored row: chained, hashed, projected, and durable once the transaction''s commit is acknowledged. The same event_id with the same content returns the stored event. expected_sequence: the number the event must get (head + 1). LG400 bad field, LG403 tenant not granted or reserved type, LG404 unknown tenant or type, LG409 conflict, LG413 payload too large, LG422 payload not representable.';

-- ---- sql/functions/ledger_append_json.sql
-- From the camelCase request of the HTTP contract to a row.  Members that the
-- ledger sets itself are refused, and so are a member nobody knows and one of
-- another type: nothing a caller says vanishes or changes its meaning silently.

-- What is wrong with the members of a request, or NULL; one look at each.  PL/pgSQL
-- keeps the query's plan; an SQL function would parse and plan it for every event,
-- which took five times as long as all the rest of reading a request.
CREATE FUNCTION ledger.ledger_request_fault(event jsonb, OUT member text, OUT fault text)
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
BEGIN
	WITH given (member, value) AS (
		SELECT e.key, e.value FROM jsonb_each(event) AS e
		UNION ALL
		SELECT 'finding.' || f.key, f.value
		FROM jsonb_each(CASE jsonb_typeof(event -> 'finding') WHEN 'object' THEN event -> 'finding' ELSE '{}' END) AS f
		UNION ALL
		SELECT 'actor.' || a.key, a.value
		FROM jsonb_each(CASE jsonb_typeof(event -> 'actor') WHEN 'object' THEN event -> 'actor' ELSE '{}' END) AS a
	), judged AS (
		SELECT g.member, CASE
			WHEN g.member IN ('sequence', 'sequenceNo', 'recordedAt', 'recordedBy', 'salt', 'payloadSalt', 'payloadHash',
				'evaluation', 'evaluationHash', 'previousHash', 'eventHash', 'merkleLeafHash', 'schema') THEN 'owned'
			WHEN g.member NOT IN ('tenant', 'tenantId', 'type', 'eventType', 'id', 'eventId', 'chainId', 'policyVersion',
				'findingId', 'artifactId', 'vulnId', 'finding', 'actorId', 'actorType', 'actor', 'occurredAt',
				'payload', 'sourceRunId', 'evidenceBundleRef', 'expectedSequence',
				'finding.id', 'finding.artifactId', 'finding.vulnId', 'actor.id', 'actor.type') THEN 'unknown'
			WHEN g.member = 'payload' OR jsonb_typeof(g.value) = 'null' THEN NULL
			WHEN g.member IN ('finding', 'actor') THEN CASE WHEN jsonb_typeof(g.value) <> 'object' THEN 'an object' END
			-- As a string too: not every language's JSON has 64-bit numbers.
			WHEN g.member = 'expectedSequence' THEN CASE WHEN jsonb_typeof(g.value) NOT IN ('number', 'string') THEN 'a number' END
			WHEN jsonb_typeof(g.value) <> 'string' THEN 'a string' END AS fault
		FROM given AS g
	)
	SELECT j.member, j.fault INTO member, fault FROM judged AS j
	WHERE j.fault IS NOT NULL
	ORDER BY j.fault <> 'owned', j.fault <> 'unknown', j.member
	LIMIT 1;
END
$$;
COMMENT ON FUNCTION ledger.ledger_request_fault(jsonb) IS
	'The first member of an append request that is not as it must be: fault "owned" (the ledger sets it), "unknown", or the type it must have. NULL if there is none.';

-- One value that may be given under two names.
CREATE FUNCTION ledger.ledger_request_either(one text, other text, names text) RETURNS text
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF one <> other THEN
		RAISE EXCEPTION '% differ', names
			USING ERRCODE = 'LG400', DETAIL = format('They are "%s" and "%s".', left(one, 80), left(other, 80)),
				HINT = 'They are two names of one member: give one.';
	END IF;
	RETURN coalesce(one, other);
END
$$;
COMMENT ON FUNCTION ledger.ledger_request_either(text, text, text) IS
	'The value of a request member that has two names; LG400 if both are given and differ.';

CREATE FUNCTION ledger.ledger_request_row(event jsonb) RETURNS ledger.ledger_events
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_row    ledger.ledger_events;
	v_member text;
	v_fault  text;
	v_text   text;
BEGIN
	IF event IS NULL OR jsonb_typeof(event) <> 'object' THEN
		RAISE EXCEPTION 'event must be a JSON object'
			USING ERRCODE = 'LG400', DETAIL = format('It is %s.', coalesce(jsonb_typeof(event), 'null')),
				HINT = 'Give one object; an array of them goes to ledger_append_many().';
	END IF;
	SELECT f.member, f.fault INTO v_member, v_fault FROM ledger.ledger_request_fault(event) AS f;
	IF v_fault = 'owned' THEN
		RAISE EXCEPTION '% is set by the ledger', v_member
			USING ERRCODE = 'LG403', HINT = 'Leave it out.';
	ELSIF v_fault = 'unknown' THEN
		RAISE EXCEPTION 'unknown member "%"', left(v_member, 80)
			USING ERRCODE = 'LG400', HINT = 'What is particular to the event belongs into payload.';
	ELSIF v_fault IS NOT NULL THEN
		RAISE EXCEPTION '% must be %', v_member, v_fault
			USING ERRCODE = 'LG400',
				DETAIL = format('It is %s.', left((event #> string_to_array(v_member, '.'))::text, 80)),
				HINT = 'Leave out what the event does not have.';
	END IF;

	v_row.tenant_id := ledger.ledger_request_either(event ->> 'tenant', event ->> 'tenantId', 'tenant and tenantId');
	v_row.event_type := ledger.ledger_request_either(event ->> 'type', event ->> 'eventType', 'type and eventType');
	v_row.policy_version := event ->> 'policyVersion';
	v_row.finding_id := ledger.ledger_request_either(event #>> '{finding,id}', event ->> 'findingId', 'finding.id and findingId');
	v_row.artifact_id := ledger.ledger_request_either(event #>> '{finding,artifactId}', event ->> 'artifactId',
		'finding.artifactId and artifactId');
	v_row.vuln_id := ledger.ledger_request_either(event #>> '{finding,vulnId}', event ->> 'vulnId', 'finding.vulnId and vulnId');
	v_row.actor_id := ledger.ledger_request_either(event #>> '{actor,id}', event ->> 'actorId', 'actor.id and actorId');
	v_row.actor_type := ledger.ledger_request_either(event #>> '{actor,type}', event ->> 'actorType', 'actor.type and actorType');
	v_row.evidence_bundle_ref := event ->> 'evidenceBundleRef';
	v_row.event_body := coalesce(nullif(event -> 'payload', 'null'), '{}');
	v_member := 'id';
	v_text := ledger.ledger_request_either(event ->> 'id', event ->> 'eventId', 'id and eventId');
	v_row.event_id := v_text::uuid;
	v_member := 'chainId';
	v_text := event ->> 'chainId';
	v_row.chain_id := v_text::uuid;
	v_member := 'sourceRunId';
	v_text := event ->> 'sourceRunId';
	v_row.source_run_id := v_text::uuid;
	-- The cast alone would take 'yesterday', and read a time without zone in the session's.
	v_member := 'occurredAt';
	v_text := event ->> 'occurredAt';
	IF v_text !~* '^[0-9]{4}-[0-9]{2}-[0-9]{2}[t ][0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{1,9})?(z|[+-][0-9]{2}:[0-9]{2})$' THEN
		RAISE data_exception USING MESSAGE = format('not an RFC 3339 time: "%s"', left(v_text, 80));
	END IF;
	v_row.occurred_at := v_text::timestamptz;
	IF v_row.event_type LIKE 'ledger.%' THEN
		RAISE EXCEPTION 'event type "%" is reserved to the ledger', v_row.event_type
			USING ERRCODE = 'LG403', HINT = 'Use a finding.* type, or one of your own (ledger_add_event_type()).';
	END IF;
	RETURN v_row;
EXCEPTION
	WHEN data_exception THEN
		RAISE EXCEPTION '% is malformed', v_member
			USING ERRCODE = 'LG400', DETAIL = SQLERRM,
				HINT = 'Identifiers are UUIDs; times are RFC 3339, such as 2026-11-23T19:30:00Z.';
END
$$;
COMMENT ON FUNCTION ledger.ledger_request_row(jsonb) IS
	'The row that a camelCase append request asks for. LG400: unknown, mistyped or malformed member, or two names of one member that differ; LG403: a member that the ledger sets itself, or a type reserved to it.';

CREATE FUNCTION ledger.ledger_request_expected(event jsonb) RETURNS bigint
	LANGUAGE plpgsql IMMUTABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN (event ->> 'expectedSequence')::bigint;
EXCEPTION
	WHEN data_exception THEN
		RAISE EXCEPTION 'expectedSequence is malformed'
			USING ERRCODE = 'LG400', DETAIL = SQLERRM, HINT = 'It is a whole number: the head''s sequence plus 1.';
END
$$;
COMMENT ON FUNCTION ledger.ledger_request_expected(jsonb) IS
	'The expectedSequence of an append request, or NULL.';

-- The argument has another name, because PL/pgSQL lets none be that of a result column.
CREATE FUNCTION ledger.ledger_append_request(request jsonb)
	RETURNS TABLE (created boolean, event ledger.ledger_events)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_result record;
BEGIN
	v_result := ledger.ledger_write(ledger.ledger_request_row(request), ledger.ledger_request_expected(request));
	created := v_result.created;
	event := v_result.stored;
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_append_request(jsonb) IS
	'ledger_append(jsonb) that also tells whether the event is new (created true, HTTP 201) or was stored before (false, HTTP 200). One row. Errors as ledger_append().';

CREATE FUNCTION ledger.ledger_append(event jsonb) RETURNS ledger.ledger_events
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN (ledger.ledger_write(ledger.ledger_request_row(event), ledger.ledger_request_expected(event))).stored;
END
$$;
COMMENT ON FUNCTION ledger.ledger_append(jsonb) IS
	'Appends one event given as the camelCase request of the HTTP contract: tenant, type, policyVersion, finding {id, artifactId, vulnId} or findingId …, actor {id, type} or actorId …, payload, and optionally id, chainId, occurredAt, sourceRunId, evidenceBundleRef, expectedSequence. Errors as the other ledger_append().';

CREATE FUNCTION ledger.ledger_append_many(events jsonb) RETURNS SETOF ledger.ledger_events
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_rows   ledger.ledger_events[];
	v_answer record;
BEGIN
	IF events IS NULL OR jsonb_typeof(events) <> 'array' THEN
		RAISE EXCEPTION 'events must be a JSON array'
			USING ERRCODE = 'LG400', DETAIL = format('It is %s.', coalesce(jsonb_typeof(events), 'null')),
				HINT = 'One event alone goes to ledger_append().';
	END IF;
	IF EXISTS (SELECT FROM jsonb_array_elements(events) AS e WHERE e ? 'expectedSequence') THEN
		RAISE EXCEPTION 'expectedSequence has no meaning in a batch'
			USING ERRCODE = 'LG400', HINT = 'Append the event alone with ledger_append().';
	END IF;
	SELECT array_agg(ledger.ledger_request_row(e.value) ORDER BY e.ordinality) INTO v_rows
	FROM jsonb_array_elements(events) WITH ORDINALITY AS e;
	-- Whole rows: a plan with (stored).* would not notice a column that a migration adds.
	FOR v_answer IN SELECT w.stored FROM ledger.ledger_write_many(v_rows) AS w
	LOOP
		RETURN NEXT v_answer.stored;
	END LOOP;
END
$$;
COMMENT ON FUNCTION ledger.ledger_append_many(jsonb) IS
	'Appends an array of requests, all or nothing, chains locked in sorted order; returns the stored rows in the order asked. Errors as ledger_append().';

-- ---- sql/functions/ledger_own_events.sql
-- The only way the ledger's own event types are written, and only from inside the
-- owner's SECURITY DEFINER functions: the link trigger refuses them elsewhere.
CREATE FUNCTION ledger.ledger_append_own(
	in_type    text,
	in_payload jsonb,
	in_tenant  text DEFAULT 'ledger',
	in_policy  text DEFAULT 'ledger',
	in_chain   uuid DEFAULT NULL)
	RETURNS uuid
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_id uuid := ledger.ledger_uuid_v7();
BEGIN
	INSERT INTO ledger.ledger_events
		(tenant_id, chain_id, event_id, event_type, finding_id, policy_version, artifact_id, actor_id, actor_type, event_body)
	VALUES (in_tenant, in_chain, v_id, in_type, 'ledger', in_policy, 'ledger', session_user, 'system', in_payload);
	RETURN v_id;
END
$$;
COMMENT ON FUNCTION ledger.ledger_append_own(text, jsonb, text, text, uuid) IS
	'Appends an event of the ledger''s own: about the whole to the reserved tenant (the defaults), about one chain to that chain. For the ledger''s own functions.';

CREATE FUNCTION ledger.ledger_record_migrations() RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_row   record;
	v_count integer := 0;
BEGIN
	FOR v_row IN
		SELECT m.version, m.file_name, m.checksum FROM ledger.ledger_schema_migrations AS m
		WHERE m.event_id IS NULL ORDER BY m.version FOR UPDATE
	LOOP
		UPDATE ledger.ledger_schema_migrations AS m
		   SET event_id = ledger.ledger_append_own('ledger.migrated', jsonb_build_object(
				'version', v_row.version, 'fileName', v_row.file_name, 'checksum', v_row.checksum))
		 WHERE m.version = v_row.version;
		v_count := v_count + 1;
	END LOOP;
	RETURN v_count;
END
$$;
COMMENT ON FUNCTION ledger.ledger_record_migrations() IS
	'Appends a ledger.migrated event for each migration that has none yet; returns how many. Called by the migration runner.';

-- ---- sql/functions/ledger_import.sql
-- Events of another ledger, as it recorded them (docs/formats.md section 10).  The
-- trace of an import stands in the reserved tenant's chain, not in the imported
-- one: there it would take the very place of the source's next event, and no later
-- part of that chain could follow (docs/decisions/0011-imports.md).
CREATE FUNCTION ledger.ledger_import(rows jsonb)
	RETURNS TABLE (tenant_id text, chain_id uuid, first_sequence bigint, last_sequence bigint,
		imported bigint, present bigint, source_digest bytea)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
DECLARE
	v_range record;
BEGIN
	IF rows IS NULL OR jsonb_typeof(rows) <> 'array' THEN
		RAISE EXCEPTION 'rows must be a JSON array of lines'
			USING ERRCODE = 'LG400', HINT = 'Lines are described in docs/formats.md, section 10.';
	END IF;
	FOR v_range IN SELECT * FROM ledger.ledger_import_lines(rows)
	LOOP
		IF v_range.imported > 0 THEN
			PERFORM ledger.ledger_append_own('ledger.import_recorded', jsonb_build_object(
				'tenant', v_range.tenant_id, 'chainId', v_range.chain_id,
				'firstSequence', v_range.first_sequence + v_range.present, 'lastSequence', v_range.last_sequence,
				'importedBy', session_user, 'sourceDigest', encode(v_range.source_digest, 'hex'),
				'sourceLines', jsonb_array_length(rows)));
		END IF;
		tenant_id := v_range.tenant_id;
		chain_id := v_range.chain_id;
		first_sequence := v_range.first_sequence;
		last_sequence := v_range.last_sequence;
		imported := v_range.imported;
		present := v_range.present;
		source_digest := v_range.source_digest;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION ledger.ledger_import(jsonb) IS
	'Imports an array of lines {envelope, eventHash, merkleLeafHash, payload, salt[, evaluation]} of one or more chains, each in its order, into an empty chain or behind its head, all or nothing. Every hash is recomputed; recordedAt and recordedBy are the source''s. Lines stored already, byte for byte, are skipped. Returns for each chain its range, how many events were imported and were present, and the SHA-256 of the canonical lines joined by newlines; leaves an event ledger.import_recorded for each chain that got events. Errors name the line: LG400 malformed, LG403 tenant not granted or reserved, LG404 unknown tenant or type, LG409 not contiguous or stored otherwise, LG413 too large, LG422 a hash differs or a number is not representable. For ledger_loader.';

-- ---- sql/functions/ledger_partitions.sql
-- The one place that knows pg_partman.  4.x says 'native' and takes interval words,
-- 5.x says 'range' and takes intervals; the rest of what is used here is the same.
--
-- Bounds are computed in UTC whoever calls: in another time zone the next month
-- would begin hours off, and partitions would gape or overlap.

-- pg_partman looks in pg_temp before pg_catalog, and names some catalogs without
-- their schema.  A caller's temporary view of such a name would run its functions
-- as the owner.
CREATE FUNCTION ledger.ledger_refuse_shadows() RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_name name;
BEGIN
	SELECT c.relname INTO v_name FROM pg_class AS c
	WHERE c.relnamespace = pg_my_temp_schema() AND (starts_with(c.relname::text, 'pg_') OR starts_with(c.relname::text, 'partman'))
	LIMIT 1;
	IF FOUND THEN
		RAISE EXCEPTION 'maintenance is refused: the session has a temporary relation "%"', v_name
			USING ERRCODE = 'LG403', HINT = 'Drop it, or use another session.';
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_refuse_shadows() IS
	'Refuses to go on (LG403) where the session has temporary relations that pg_partman would take for catalogs.';

-- Rows that a tick came too late for, or that an import brought from earlier months,
-- lie in the default partition, and a partition made for their month would be
-- refused while they do.  They are moved here and not by partition_data_time(),
-- which works through a temporary table: a caller could have made one of that name
-- beforehand, with a trigger that would run as the owner.
CREATE FUNCTION ledger.ledger_sort_default(in_intent ledger.ledger_partition_intent) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET timezone = 'UTC'
	AS $$
DECLARE
	v_unit    text := CASE in_intent.step WHEN 'daily' THEN 'day' WHEN 'weekly' THEN 'week' ELSE 'month' END;
	v_default text;
	v_start   timestamptz;
	v_target  record;
	v_rows    bigint;
	v_moved   bigint := 0;
BEGIN
	SELECT c.oid::regclass::text INTO v_default
	FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
	WHERE i.inhparent = in_intent.parent_table::regclass AND pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT';
	IF NOT FOUND THEN
		RETURN 0;
	END IF;
	EXECUTE format('SELECT min(%I) FROM %s', in_intent.control_column, v_default) INTO v_start;
	IF v_start IS NULL THEN
		RETURN 0;
	END IF;
	EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', in_intent.parent_table, v_default);
	WHILE v_start IS NOT NULL
	LOOP
		v_start := date_trunc(v_unit, v_start);
		PERFORM partman.create_partition_time(p_parent_table => in_intent.parent_table, p_partition_times => ARRAY[v_start]);
		-- A window that was aged out before is a table of that name, no longer attached.
		SELECT n.partition_schema, n.partition_table INTO v_target
		FROM partman.show_partition_name(in_intent.parent_table, v_start::text) AS n;
		EXECUTE format('WITH moved AS (DELETE FROM %1$s WHERE %2$I < %3$L RETURNING *)
			INSERT INTO %4$I.%5$I SELECT * FROM moved ON CONFLICT DO NOTHING',
			v_default, in_intent.control_column, v_start + ('1 ' || v_unit)::interval,
			v_target.partition_schema, v_target.partition_table);
		GET DIAGNOSTICS v_rows = ROW_COUNT;
		v_moved := v_moved + v_rows;
		EXECUTE format('SELECT min(%I) FROM %s', in_intent.control_column, v_default) INTO v_start;
	END LOOP;
	EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s DEFAULT', in_intent.parent_table, v_default);
	RETURN v_moved;
END
$$;
COMMENT ON FUNCTION ledger.ledger_sort_default(ledger.ledger_partition_intent) IS
	'Moves the rows of a default partition to partitions of their own time, made where missing; returns how many. Locks the table while it works, which is only if there are any.';

-- A restored table has its partitions already, perhaps named by another version of
-- pg_partman: then it is registered as it stands.  create_parent() would make
-- partitions of the same months under its own names.
CREATE FUNCTION ledger.ledger_register_partitions(in_intent ledger.ledger_partition_intent, in_major integer) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET timezone = 'UTC'
	AS $$
DECLARE
	v_interval text := CASE in_intent.step WHEN 'daily' THEN '1 day' WHEN 'weekly' THEN '1 week' ELSE '1 month' END;
	v_template text := 'partman.template_' || replace(in_intent.parent_table, '.', '_');
	v_suffix   text;
BEGIN
	SELECT substring(c.relname FROM '_p([0-9w_]+)$') INTO v_suffix
	FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
	WHERE i.inhparent = in_intent.parent_table::regclass AND c.relname ~ '_p[0-9w_]+$'
	ORDER BY c.relname DESC LIMIT 1;
	IF v_suffix IS NOT NULL THEN
		INSERT INTO partman.part_config
			(parent_table, control, partition_type, partition_interval, premake, datetime_string, template_table)
		VALUES (in_intent.parent_table, in_intent.control_column, CASE WHEN in_major >= 5 THEN 'range' ELSE 'native' END,
			v_interval::interval::text, in_intent.premake,
			CASE WHEN v_suffix ~ '^[0-9]{4}_[0-9]{2}$' THEN 'YYYY_MM'
			     WHEN v_suffix ~ '^[0-9]{4}_[0-9]{2}_[0-9]{2}$' THEN 'YYYY_MM_DD'
			     WHEN v_suffix ~ '^[0-9]{4}w[0-9]{2}$' THEN 'IYYY"w"IW'
			     ELSE 'YYYYMMDD' END,
			CASE WHEN to_regclass(v_template) IS NOT NULL THEN v_template END);
	ELSIF in_major >= 5 THEN
		EXECUTE 'SELECT partman.create_parent(p_parent_table => $1, p_control => $2, p_interval => $3, p_premake => $4, p_jobmon => false)'
		USING in_intent.parent_table, in_intent.control_column, v_interval, in_intent.premake;
	ELSE
		EXECUTE 'SELECT partman.create_parent($1, $2, ''native'', $3, p_premake => $4, p_jobmon => false)'
		USING in_intent.parent_table, in_intent.control_column, in_intent.step, in_intent.premake;
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_register_partitions(ledger.ledger_partition_intent, integer) IS
	'Registers one table with pg_partman of that major version: as it stands if it has partitions, else with its first ones.';

-- Intervals are written into pg_partman's configuration: in one spelling, whoever calls.
CREATE FUNCTION ledger.ledger_ensure_partitions() RETURNS integer
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET timezone = 'UTC'
	SET intervalstyle = 'postgres'
	AS $$
DECLARE
	v_intent ledger.ledger_partition_intent;
	v_major  integer;
	v_count  integer := 0;
BEGIN
	PERFORM ledger.ledger_refuse_shadows();
	SELECT split_part(extversion, '.', 1)::integer INTO v_major FROM pg_extension WHERE extname = 'pg_partman';
	IF NOT FOUND THEN
		RAISE EXCEPTION 'extension pg_partman is not installed'
			USING ERRCODE = 'LG503', HINT = 'A superuser runs: CREATE EXTENSION pg_partman SCHEMA partman.';
	END IF;
	FOR v_intent IN
		SELECT i.* FROM ledger.ledger_partition_intent AS i
		WHERE NOT EXISTS (SELECT FROM partman.part_config AS c WHERE c.parent_table = i.parent_table)
		ORDER BY i.parent_table
	LOOP
		PERFORM ledger.ledger_register_partitions(v_intent, v_major);
		v_count := v_count + 1;
	END LOOP;
	-- The intent decides; partitions that are aged out are detached and kept.
	UPDATE partman.part_config AS c
	   SET premake = i.premake, retention = i.retention::text, retention_keep_table = true,
	       infinite_time_partitions = true, automatic_maintenance = 'off'
	  FROM ledger.ledger_partition_intent AS i
	 WHERE i.parent_table = c.parent_table
	   AND (c.premake <> i.premake OR c.retention IS DISTINCT FROM i.retention::text
	        OR NOT c.retention_keep_table OR NOT c.infinite_time_partitions OR c.automatic_maintenance <> 'off');
	RETURN v_count;
END
$$;
COMMENT ON FUNCTION ledger.ledger_ensure_partitions() IS
	'Registers with pg_partman what ledger_partition_intent wants and is not registered yet, and sets its premake and retention; returns how many tables were registered. Works with pg_partman 4 and 5. LG503 no pg_partman, LG403 temporary relations that it would take for catalogs.';

-- What is detached moves the horizon, in the same transaction: the projection, a
-- rebuild and both verifiers then agree on what is expected.  Therefore no one else
-- may run this table's maintenance (automatic_maintenance is off): partitions that
-- vanish outside of here are history lost.
CREATE FUNCTION ledger.ledger_maintain_partitions(in_intent ledger.ledger_partition_intent) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET timezone = 'UTC'
	AS $$
DECLARE
	v_children oid[];
	v_ends     timestamptz[];
BEGIN
	PERFORM ledger.ledger_sort_default(in_intent);
	SELECT array_agg(c.oid), array_agg(substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO [(]''([^'']+)''[)]')::timestamptz)
	INTO v_children, v_ends
	FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid
	WHERE i.inhparent = in_intent.parent_table::regclass;
	PERFORM partman.run_maintenance(in_intent.parent_table, p_jobmon => false);
	UPDATE ledger.ledger_partition_intent AS i
	   SET aged_out_before = greatest(i.aged_out_before, gone.until)
	  FROM (SELECT max(c.until) AS until
	        FROM unnest(v_children, v_ends) AS c (id, until)
	        WHERE NOT EXISTS (SELECT FROM pg_inherits AS h WHERE h.inhrelid = c.id)) AS gone
	 WHERE i.parent_table = in_intent.parent_table AND gone.until IS NOT NULL;
END
$$;
COMMENT ON FUNCTION ledger.ledger_maintain_partitions(ledger.ledger_partition_intent) IS
	'Empties one table''s default partition, makes coming partitions, ages out old ones, and remembers up to when.';

CREATE FUNCTION ledger.ledger_maintenance_tick() RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	-- Any number of drivers may call; one works, the others go home.  Locks of rows that
	-- only the owner may update: anyone could hold an advisory lock.
	IF (SELECT count(*) FROM (SELECT FROM ledger.ledger_partition_intent FOR UPDATE SKIP LOCKED) AS mine)
			< (SELECT count(*) FROM ledger.ledger_partition_intent) THEN
		RETURN false;
	END IF;
	PERFORM ledger.ledger_ensure_partitions();
	PERFORM ledger.ledger_maintain_partitions(i) FROM ledger.ledger_partition_intent AS i;
	RETURN true;
END
$$;
COMMENT ON FUNCTION ledger.ledger_maintenance_tick() IS
	'Makes coming partitions, empties default ones and ages out old ones through pg_partman. Idempotent, safe from several drivers: false if another one is at work. Call it hourly. LG503: no pg_partman.';

CREATE FUNCTION ledger.ledger_set_retention(parent_table text, retention interval)
	RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET intervalstyle = 'postgres'
	AS $$
#variable_conflict use_variable
BEGIN
	IF retention <= interval '0' THEN
		RAISE EXCEPTION 'retention must be a positive interval'
			USING ERRCODE = 'LG400', HINT = 'NULL switches it off; what was aged out stays out.';
	END IF;
	UPDATE ledger.ledger_partition_intent AS i SET retention = retention WHERE i.parent_table = parent_table;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'table "%" is not aged by time', parent_table
			USING ERRCODE = 'LG404', HINT = 'ledger_partition_intent lists the tables that are.';
	END IF;
	PERFORM ledger.ledger_append_own('ledger.guard_changed', jsonb_build_object(
		'command', 'set retention', 'objects', jsonb_build_array(parent_table), 'retention', retention::text, 'role', session_user));
END
$$;
COMMENT ON FUNCTION ledger.ledger_set_retention(text, interval) IS
	'Sets after which time ledger_maintenance_tick() detaches a table''s old partitions (kept as tables, never dropped), or never again (NULL), and records it as an event. LG400 no positive interval, LG404 not a table aged by time. For ledger_operator.';

-- NULL, or the first thing that keeps one table's maintenance from its work.
CREATE FUNCTION ledger.ledger_partition_problem(in_intent ledger.ledger_partition_intent) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	SET timezone = 'UTC'
	AS $$
DECLARE
	v_width   interval := CASE in_intent.step WHEN 'daily' THEN '1 day' WHEN 'weekly' THEN '1 week' ELSE '1 month' END;
	v_default text;
	v_until   timestamptz;
	v_config  record;
	v_full    boolean;
BEGIN
	SELECT p.control, p.partition_interval::interval AS width INTO v_config
	FROM partman.part_config AS p WHERE p.parent_table = in_intent.parent_table;
	IF NOT FOUND THEN
		RETURN in_intent.parent_table || ' is not registered with pg_partman';
	ELSIF (v_config.control, v_config.width) IS DISTINCT FROM (in_intent.control_column, v_width) THEN
		RETURN in_intent.parent_table || ' is registered with another column or interval';
	END IF;
	SELECT max(substring(b.bound FROM 'TO [(]''([^'']+)''[)]')::timestamptz), min(b.name) FILTER (WHERE b.bound = 'DEFAULT')
	INTO v_until, v_default
	FROM (SELECT c.oid::regclass::text, pg_get_expr(c.relpartbound, c.oid)
	      FROM pg_inherits AS h JOIN pg_class AS c ON c.oid = h.inhrelid
	      WHERE h.inhparent = to_regclass(in_intent.parent_table)) AS b (name, bound);
	IF v_until IS NULL OR v_until < now() + v_width THEN
		RETURN format('%s has no partitions beyond %s', in_intent.parent_table, coalesce(v_until::date::text, 'its default'));
	ELSIF v_default IS NOT NULL THEN
		EXECUTE format('SELECT EXISTS (SELECT FROM %s)', v_default) INTO v_full;
		RETURN CASE WHEN v_full THEN v_default || ' holds rows' END;
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION ledger.ledger_partition_problem(ledger.ledger_partition_intent) IS
	'What keeps pg_partman''s maintenance of one table from its work: not registered or registered otherwise, no partitions ahead, rows in the default partition; or NULL.';

CREATE FUNCTION ledger.ledger_partition_problems() RETURNS TABLE (problem text, cure text)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF NOT EXISTS (SELECT FROM pg_extension WHERE extname = 'pg_partman') THEN
		RETURN QUERY SELECT 'extension pg_partman is not installed', 'As superuser: CREATE EXTENSION pg_partman SCHEMA partman.';
	ELSIF NOT (has_schema_privilege('ledger', 'USAGE') AND has_schema_privilege('ledger', 'CREATE')
		AND has_schema_privilege('partman', 'USAGE') AND has_schema_privilege('partman', 'CREATE')) THEN
		RETURN QUERY SELECT 'ledger_owner may not work in schemas ledger and partman',
			'As superuser: the GRANTs of sql/bootstrap/schema.sql.';
	ELSE
		RETURN QUERY SELECT p.problem,
			CASE WHEN p.problem LIKE '% registered with another %' THEN
				format('As superuser: DELETE FROM partman.part_config WHERE parent_table = %L; then SELECT ledger.ledger_maintenance_tick().', p.parent_table) END
		FROM (SELECT i.parent_table, ledger.ledger_partition_problem(i) AS problem FROM ledger.ledger_partition_intent AS i) AS p
		WHERE p.problem IS NOT NULL;
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_partition_problems() IS
	'What keeps pg_partman''s maintenance from its work, one row a table, with a cure where it is not maintenance itself; or that pg_partman is not installed or not granted.';

-- ---- sql/functions/ledger_rebuild_projection.sql
CREATE FUNCTION ledger.ledger_history_horizon() RETURNS timestamptz
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT i.aged_out_before FROM ledger.ledger_partition_intent AS i WHERE i.parent_table = 'ledger.finding_history'
	$$;
COMMENT ON FUNCTION ledger.ledger_history_horizon() IS
	'Where finding_history begins: what was recorded before was aged out by retention. NULL if nothing ever was.';

-- The bounds of the histogram ledger_projection_rebuild_seconds.
CREATE FUNCTION ledger.ledger_rebuild_buckets() RETURNS double precision[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$ SELECT '{0.1,0.25,0.5,1,2.5,5,10,30,60,300,900,3600}'::double precision[] $$;
COMMENT ON FUNCTION ledger.ledger_rebuild_buckets() IS
	'Upper bounds in seconds of the buckets in ledger_projection_stats.';

CREATE FUNCTION ledger.ledger_count_rebuild(in_tenant text, in_seconds double precision) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	INSERT INTO ledger.ledger_projection_stats AS s (tenant_id, rebuilds, duration_seconds, buckets)
	VALUES (in_tenant, 1, in_seconds,
		ARRAY(SELECT (in_seconds <= b.bound)::integer FROM unnest(ledger.ledger_rebuild_buckets()) WITH ORDINALITY AS b (bound, n) ORDER BY b.n))
	ON CONFLICT (tenant_id) DO UPDATE
	SET rebuilds = s.rebuilds + 1, duration_seconds = s.duration_seconds + excluded.duration_seconds,
		buckets = ARRAY(SELECT coalesce(b.before, 0) + b.more FROM unnest(s.buckets, excluded.buckets) WITH ORDINALITY AS b (before, more, n) ORDER BY b.n)
	$$;
COMMENT ON FUNCTION ledger.ledger_count_rebuild(text, double precision) IS
	'Counts a rebuild of a tenant''s projection and how long it took. Part of ledger_rebuild_projection().';

CREATE FUNCTION ledger.ledger_rebuild_projection(tenant text) RETURNS bigint
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
DECLARE
	v_leaf   name;
	v_begun  timestamptz := clock_timestamp();
	v_events bigint;
BEGIN
	SELECT t.leaf INTO v_leaf FROM ledger.ledger_tenants AS t WHERE t.tenant_id = tenant;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'tenant "%" does not exist', tenant
			USING ERRCODE = 'LG404', HINT = 'SELECT tenant_id FROM ledger.ledger_tenants lists them.';
	END IF;
	IF NOT ledger.ledger_tenant_allowed(tenant) THEN
		RAISE EXCEPTION 'role may not touch tenant "%"', tenant
			USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
	END IF;
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION 'rebuild needs READ COMMITTED'
			USING ERRCODE = 'LG400', HINT = 'An older snapshot would miss events appended before the lock was got.';
	END IF;
	-- Appends to this tenant wait until the rebuild commits; reads go on.
	EXECUTE format('LOCK TABLE ledger.%I IN SHARE MODE', v_leaf);
	DELETE FROM ledger.findings_projection AS p WHERE p.tenant_id = tenant;
	DELETE FROM ledger.finding_history AS h WHERE h.tenant_id = tenant;
	DELETE FROM ledger.triage_actions AS a WHERE a.tenant_id = tenant;
	v_events := ledger.ledger_refold(tenant, ledger.ledger_history_horizon());
	PERFORM ledger.ledger_count_rebuild(tenant, extract(epoch FROM clock_timestamp() - v_begun));
	RETURN v_events;
END
$$;
COMMENT ON FUNCTION ledger.ledger_rebuild_projection(text) IS
	'Empties a tenant''s derived tables and folds all its events again, to identical rows and cycle hashes; returns how many events were read. Appends to the tenant wait meanwhile. LG404 unknown tenant, LG403 not granted.';

-- ---- sql/functions/ledger_add_event_type.sql
CREATE FUNCTION ledger.ledger_add_event_type(
	event_type     text,
	description    text,
	default_status text    DEFAULT NULL,
	action_kind    text    DEFAULT NULL,
	reads          text[]  DEFAULT '{status,severity,labels,explainRef,rationale}',
	labels_mode    text    DEFAULT 'replace',
	projected      boolean DEFAULT true)
	RETURNS ledger.ledger_event_types
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	v_row ledger.ledger_event_types;
BEGIN
	IF event_type LIKE 'ledger.%' THEN
		RAISE EXCEPTION 'event types ledger.* are reserved' USING ERRCODE = 'LG403';
	END IF;
	INSERT INTO ledger.ledger_event_types AS t
		(event_type, projected, default_status, action_kind, reads, labels_mode, description)
	VALUES (event_type, projected, default_status, action_kind, reads, labels_mode, description)
	ON CONFLICT DO NOTHING
	RETURNING t.* INTO v_row;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'event type "%" exists', event_type
			USING ERRCODE = 'LG409', HINT = 'Event types are never changed: add another one.';
	END IF;
	RETURN v_row;
EXCEPTION
	WHEN check_violation OR not_null_violation THEN
		RAISE EXCEPTION 'event type is not valid' USING ERRCODE = 'LG400', DETAIL = SQLERRM;
END
$$;
COMMENT ON FUNCTION ledger.ledger_add_event_type(text, text, text, text, text[], text, boolean) IS
	'Adds an event type and how the reducer folds it (docs/projection.md). Types are never changed or removed. LG400 malformed, LG403 reserved name, LG409 exists. For ledger_operator.';

-- ---- sql/functions/ledger_guard_state.sql
-- Every guard as data.  What a privileged role switched off shows here, and so in
-- ledger_verify() as guard_missing.
CREATE FUNCTION ledger.ledger_guard_triggers()
	RETURNS TABLE (guard text, object text, state text, ok boolean, tenant_id text)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	-- Bits of pg_trigger.tgtype: 1 row, 2 before, 4 insert, 8 delete, 16 update, 32 truncate, 64 instead.
	WITH on_parent (name, function, bits) AS (VALUES
		('zzzz_ledger_link', 'ledger_link', 1 + 2 + 4), ('ledger_refuse_row', 'ledger_refuse_change', 1 + 2 + 8 + 16),
		('ledger_refuse_statement', 'ledger_refuse_change', 2 + 8 + 16 + 32), ('ledger_project', 'ledger_project', 4)
	), on_leaf (name, function, bits) AS (VALUES
		('zzzz_ledger_link', 'ledger_link', 1 + 2 + 4), ('ledger_refuse_row', 'ledger_refuse_change', 1 + 2 + 8 + 16),
		('ledger_refuse_direct', 'ledger_refuse_direct', 2 + 4 + 8 + 16), ('ledger_refuse_truncate', 'ledger_refuse_change', 2 + 32)
	), on_others (relation, name, bits, condition) AS (VALUES
		('ledger_event_types', 'ledger_refuse_statement', 2 + 8 + 16 + 32, NULL),
		-- A migration's event may be filled in, once.
		('ledger_schema_migrations', 'ledger_refuse_row', 1 + 2 + 16, '*'),
		('ledger_schema_migrations', 'ledger_refuse_statement', 2 + 8 + 32, NULL)
	), append_only AS (
		SELECT t.relation, w.name, w.bits, NULL AS condition
		FROM (VALUES ('ledger_merkle_tiles'), ('ledger_anchor_receipts'), ('ledger_verification_marks'), ('ledger_access_log')) AS t (relation),
			(VALUES ('ledger_refuse_row', 1 + 2 + 8 + 16), ('ledger_refuse_statement', 2 + 8 + 16 + 32)) AS w (name, bits)
	), additive AS (
		SELECT t.relation, w.name, w.bits, CASE w.name WHEN 'ledger_refuse_row' THEN format('(NOT ledger.%s(old.*, new.*))', t.condition) END AS condition
		FROM (VALUES ('ledger_merkle_roots', 'ledger_anchor_only_adds'), ('ledger_keys', 'ledger_key_only_ends'),
				('ledger_key_ranges', 'ledger_range_only_narrows'), ('ledger_settings', 'ledger_origin_stays'),
				('ledger_attachments', 'ledger_attachment_only_rewraps')) AS t (relation, condition),
			(VALUES ('ledger_refuse_row', 1 + 2 + 16), ('ledger_refuse_delete', 1 + 2 + 8), ('ledger_refuse_statement', 2 + 8 + 32)) AS w (name, bits)
	), wanted AS (
		SELECT NULL::text AS tenant_id, 'ledger_events' AS relation, w.*, NULL AS condition FROM on_parent AS w
		UNION ALL
		SELECT t.tenant_id, t.leaf::text, w.*, NULL FROM ledger.ledger_tenants AS t, on_leaf AS w
		UNION ALL
		SELECT NULL, o.relation, o.name, 'ledger_refuse_change', o.bits, o.condition
		FROM (SELECT * FROM on_others UNION ALL SELECT * FROM append_only UNION ALL SELECT * FROM additive) AS o
	), found AS (
		SELECT c.relname, t.tgname, t.tgenabled, t.tgtype, p.proname, cardinality(t.tgattr::int2[]) > 0 AS partial,
			CASE WHEN t.tgqual IS NOT NULL
			     THEN translate(substring(pg_get_triggerdef(t.oid) FROM ' WHEN [(](.*)[)] EXECUTE '), '"', '') END AS condition,
			p.pronamespace = 'ledger'::regnamespace AS ours
		FROM pg_trigger AS t
		JOIN pg_class AS c ON c.oid = t.tgrelid
		JOIN pg_proc AS p ON p.oid = t.tgfoid
		WHERE c.relnamespace = 'ledger'::regnamespace AND NOT t.tgisinternal
	), judged AS (
		SELECT w.tenant_id, w.relation, w.name,
			CASE WHEN f.tgname IS NULL THEN 'missing'
			     WHEN NOT f.ours OR f.proname <> w.function THEN 'runs another function'
			     WHEN f.tgenabled <> 'A' THEN format('not enabled always (%s)', f.tgenabled)
			     WHEN f.partial OR (f.condition IS DISTINCT FROM w.condition AND w.condition IS DISTINCT FROM '*')
			       OR (f.tgtype & w.bits) <> w.bits OR (f.tgtype & 67) <> (w.bits & 67)
			     THEN 'does not fire for every row or statement that it must'
			     ELSE 'enabled always' END AS state
		FROM wanted AS w
		-- The triggers of a table that is gone are not reported one by one.
		JOIN pg_class AS c ON c.relname = w.relation AND c.relnamespace = 'ledger'::regnamespace
		LEFT JOIN found AS f ON f.relname = w.relation AND f.tgname = w.name
	)
	SELECT 'trigger', format('%s on %s', j.name, j.relation), j.state, j.state = 'enabled always', j.tenant_id
	FROM judged AS j
	UNION ALL
	SELECT 'foreign trigger', format('%s on %s', f.tgname, f.relname), 'present', false, t.tenant_id
	FROM found AS f LEFT JOIN ledger.ledger_tenants AS t ON t.leaf = f.relname
	WHERE EXISTS (SELECT FROM wanted AS w WHERE w.relation = f.relname)
		AND NOT EXISTS (SELECT FROM wanted AS w WHERE w.relation = f.relname AND w.name = f.tgname)
	UNION ALL
	SELECT 'foreign rule', format('%s on %s', r.rulename, c.relname), 'present', false, t.tenant_id
	FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = r.ev_class
	LEFT JOIN ledger.ledger_tenants AS t ON t.leaf = c.relname
	WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p')
	UNION ALL
	SELECT 'event trigger', w.name,
		CASE WHEN e.evtname IS NULL THEN 'missing'
		     WHEN e.evtevent <> w.event OR e.evttags IS NOT NULL THEN 'fires elsewhere'
		     WHEN p.proname <> w.name OR p.pronamespace <> 'ledger'::regnamespace THEN 'runs another function'
		     WHEN e.evtenabled <> 'A' THEN 'not enabled always (' || e.evtenabled::text || ')'
		     ELSE 'enabled always' END,
		coalesce(e.evtevent = w.event AND e.evttags IS NULL AND p.proname = w.name
			AND p.pronamespace = 'ledger'::regnamespace AND e.evtenabled = 'A', false), NULL
	FROM (VALUES ('ledger_guard_start', 'ddl_command_start'), ('ledger_guard_ddl_end', 'ddl_command_end'), ('ledger_guard_drop', 'sql_drop'),
		('ledger_guard_rewrite', 'table_rewrite')) AS w (name, event)
	LEFT JOIN pg_event_trigger AS e ON e.evtname = w.name
	LEFT JOIN pg_proc AS p ON p.oid = e.evtfoid
	$$;
COMMENT ON FUNCTION ledger.ledger_guard_triggers() IS
	'The part of ledger_guard_state() about triggers, rules and event triggers.';

CREATE FUNCTION ledger.ledger_guard_state()
	RETURNS TABLE (guard text, object text, state text, ok boolean, tenant_id text)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT g.guard, g.object, g.state, g.ok, g.tenant_id FROM ledger.ledger_guard_triggers() AS g
	UNION ALL
	SELECT 'row security', w.name,
		CASE WHEN c.relrowsecurity AND c.relforcerowsecurity THEN 'forced'
		     WHEN c.relrowsecurity THEN 'not forced' ELSE 'off' END,
		coalesce(c.relrowsecurity AND c.relforcerowsecurity, false), NULL
	FROM unnest('{ledger_events,findings_projection,finding_history,triage_actions,ledger_chains,ledger_merkle_roots,ledger_merkle_tiles,
		ledger_merkle_edge,ledger_key_ranges,ledger_anchor_receipts,ledger_anchor_stats,ledger_verification_marks,ledger_access_log,ledger_attachments,ledger_projection_stats}'::text[]) AS w (name)
	LEFT JOIN pg_class AS c ON c.relname = w.name AND c.relnamespace = 'ledger'::regnamespace
	UNION ALL
	SELECT 'policy', format('%s on %s', p.polname, c.relname),
		format('%s %s %s', p.polcmd, coalesce(pg_get_expr(p.polqual, p.polrelid), '-'),
			coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '-')),
		p.polname IN ('tenant_selected', 'tenant_granted', 'own_events', 'own_ranges'), NULL
	FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid
	WHERE c.relnamespace = 'ledger'::regnamespace
	UNION ALL
	SELECT 'key', t.leaf::text,
		CASE WHEN i.indexrelid IS NULL THEN 'missing' WHEN NOT (i.indisvalid AND i.indisunique) THEN 'invalid' ELSE 'valid' END,
		coalesce(i.indisvalid AND i.indisunique, false), t.tenant_id
	FROM ledger.ledger_tenants AS t
	JOIN pg_class AS c ON c.relname = t.leaf AND c.relnamespace = 'ledger'::regnamespace
	LEFT JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisprimary
		AND ARRAY(SELECT a.attname::text FROM unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, n)
		          JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum ORDER BY k.n)
			= ARRAY['tenant_id', 'chain_id', 'sequence_no']
	UNION ALL
	SELECT 'leaf', t.leaf::text, CASE WHEN c.oid IS NULL THEN 'missing' WHEN h.inhrelid IS NULL THEN 'not attached' ELSE 'attached' END,
		h.inhrelid IS NOT NULL, t.tenant_id
	FROM ledger.ledger_tenants AS t
	LEFT JOIN pg_class AS c ON c.relname = t.leaf AND c.relnamespace = 'ledger'::regnamespace
	LEFT JOIN pg_inherits AS h ON h.inhrelid = c.oid AND h.inhparent = 'ledger.ledger_events'::regclass
	UNION ALL
	-- A partition that no tenant names has guards that nobody looks at.
	SELECT 'leaf', c.relname::text, 'of no tenant', false, NULL
	FROM pg_partition_tree('ledger.ledger_events') AS p JOIN pg_class AS c ON c.oid = p.relid
	WHERE p.level > 0 AND NOT EXISTS (
		SELECT FROM ledger.ledger_tenants AS t WHERE t.leaf = c.relname AND c.relnamespace = 'ledger'::regnamespace)
	UNION ALL
	SELECT 'owner', 'ledger_owner',
		CASE WHEN r.rolname IS NULL THEN 'missing' WHEN r.rolcanlogin OR r.rolsuper OR r.rolbypassrls THEN 'too strong' ELSE 'cannot log in' END,
		coalesce(NOT (r.rolcanlogin OR r.rolsuper OR r.rolbypassrls), false), NULL
	FROM (VALUES ('ledger_owner')) AS w (name) LEFT JOIN pg_roles AS r ON r.rolname = w.name
	UNION ALL
	SELECT 'owned', c.relname::text, 'belongs to ' || pg_get_userbyid(c.relowner), false, t.tenant_id
	FROM pg_class AS c LEFT JOIN ledger.ledger_tenants AS t ON t.leaf = c.relname
	WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p')
		AND pg_get_userbyid(c.relowner) <> 'ledger_owner'
	UNION ALL
	SELECT 'privilege', c.relname::text,
		format('%s to %s', a.privilege_type, CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee)::text END),
		a.privilege_type = 'INSERT' AND c.relname = 'ledger_events' AND a.grantee <> 0
			AND pg_get_userbyid(a.grantee) = 'ledger_loader', NULL
	FROM pg_class AS c, aclexplode(c.relacl) AS a
	WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p') AND a.grantee <> c.relowner
		AND a.privilege_type IN ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'TRIGGER', 'REFERENCES')
	UNION ALL
	SELECT 'function', p.oid::regprocedure::text,
		format('%s %s', pg_get_userbyid(p.proowner), encode(sha256(convert_to(pg_get_functiondef(p.oid), 'UTF8')), 'hex')),
		NOT p.prosecdef OR (pg_get_userbyid(p.proowner) = 'ledger_owner'
			AND EXISTS (SELECT FROM unnest(p.proconfig) AS s WHERE s LIKE 'search_path=%')), NULL
	FROM pg_proc AS p
	WHERE p.pronamespace = 'ledger'::regnamespace AND p.prokind IN ('f', 'p')
	UNION ALL
	SELECT 'extension', e.extname::text, e.extversion, true, NULL
	FROM pg_extension AS e WHERE e.extname IN ('findings_ledger', 'pg_partman')
	UNION ALL
	SELECT 'setting', s.name, coalesce(current_setting(s.name, true), 'off'), coalesce(current_setting(s.name, true), 'off') = s.wanted, NULL
	FROM (VALUES ('ledger.allow_lossy_append', 'off'), ('fsync', 'on'), ('full_page_writes', 'on')) AS s (name, wanted)
	$$;
COMMENT ON FUNCTION ledger.ledger_guard_state() IS
	'Every guard with its state: triggers, event triggers, row security, policies, keys, leaves, owner, privileges, functions (owner and SHA-256 of the definition), extension versions, settings that weaken durability. ok false: the guard is not as the ledger left it. tenant_id: of guards of one tenant''s leaf.';

-- ---- sql/functions/ledger_guard_fingerprint.sql
-- The guards in one hash, kept in every anchor: whoever takes a guard away for a
-- while must also take the anchors back that say it was there.  A fingerprint of all
-- guards would change whenever any tenant is made, and so accuse every other one;
-- so each tenant's covers what belongs to all, and its own leaf.
CREATE FUNCTION ledger.ledger_guard_fingerprints(tenants text[] DEFAULT NULL)
	RETURNS TABLE (tenant_id text, fingerprint bytea)
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	-- It would change how names are written, and so the hash.
	SET quote_all_identifiers = off
	AS $$
	WITH state AS MATERIALIZED (
		SELECT g.tenant_id, g.guard, g.object, g.state,
			jsonb_build_array(g.guard, g.object, g.state, g.ok, g.tenant_id) AS line
		FROM ledger.ledger_guard_state() AS g
	), tenant AS MATERIALIZED (
		SELECT t.tenant_id FROM ledger.ledger_tenants AS t
		WHERE tenants IS NULL OR t.tenant_id = ANY (tenants)
	), line AS (
		-- In two parts, because a join on either would compare every tenant with the leaves of all.
		SELECT t.tenant_id, s.guard, s.object, s.state, s.line FROM tenant AS t CROSS JOIN state AS s WHERE s.tenant_id IS NULL
		UNION ALL
		SELECT t.tenant_id, s.guard, s.object, s.state, s.line FROM tenant AS t JOIN state AS s USING (tenant_id)
	)
	SELECT l.tenant_id, sha256(convert_to(ledger.ledger_canonical_json(
		jsonb_agg(l.line ORDER BY l.guard COLLATE "C", l.object COLLATE "C", l.state COLLATE "C")), 'UTF8'))
	FROM line AS l GROUP BY l.tenant_id
	$$;
COMMENT ON FUNCTION ledger.ledger_guard_fingerprints(text[]) IS
	'ledger_guard_fingerprint() of many tenants, NULL: of all, for the price of one ledger_guard_state().';

CREATE FUNCTION ledger.ledger_guard_fingerprint(tenant text) RETURNS bytea
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT f.fingerprint FROM ledger.ledger_guard_fingerprints(ARRAY[tenant]) AS f
	$$;
COMMENT ON FUNCTION ledger.ledger_guard_fingerprint(text) IS
	'SHA-256 of the canonical JSON of ledger_guard_state(), without other tenants'' guards: an array of [guard, object, state, ok, tenant_id], sorted by the first three. Every anchor keeps it.';

CREATE FUNCTION ledger.ledger_accept_guards(reason text) RETURNS uuid
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
BEGIN
	IF reason IS NULL OR btrim(reason) = '' OR octet_length(reason) > 4096 THEN
		RAISE EXCEPTION 'a reason is required'
			USING ERRCODE = 'LG400', HINT = 'Say in up to 4096 bytes who changed which guard and why.';
	END IF;
	RETURN ledger.ledger_append_own('ledger.guard_changed', jsonb_build_object(
		'command', 'ledger_accept_guards', 'reason', reason, 'role', session_user,
		'guardFingerprint', (SELECT jsonb_object_agg(f.tenant_id, encode(f.fingerprint, 'hex'))
		                     FROM ledger.ledger_guard_fingerprints() AS f)));
END
$$;
COMMENT ON FUNCTION ledger.ledger_accept_guards(text) IS
	'Appends a ledger.guard_changed event that explains the guards as they are now: for a legitimate change that left no event of its own, such as a setting. Returns the event''s id. LG400: no reason. For ledger_operator.';

-- ---- sql/functions/ledger_tiles.sql
-- Tiles grow with the tree: each level's unfinished tile stands in ledger_merkle_edge,
-- and moves to ledger_merkle_tiles when it is full; its root is then one hash more of
-- the level above.  The cost is that of the new hashes.
CREATE FUNCTION ledger.ledger_extend_tiles(in_tenant text, in_chain uuid, in_size bigint, in_nodes bytea) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_level smallint := 1;
	v_nodes bytea    := in_nodes;
	v_edge  ledger.ledger_merkle_edge;
	v_up    bytea;
	v_tile  bytea;
	v_full  bigint;
BEGIN
	WHILE length(v_nodes) > 0
	LOOP
		SELECT e.* INTO v_edge
		FROM ledger.ledger_merkle_edge AS e
		WHERE e.tenant_id = in_tenant AND e.chain_id = in_chain AND e.level = v_level;
		IF NOT FOUND THEN
			v_edge.tile_index := 0;
			v_edge.hashes := '';
		END IF;
		IF v_edge.tile_index * 256 + length(v_edge.hashes) / 32 <> in_size >> (8 * v_level) THEN
			RAISE EXCEPTION 'the right edge of level % does not fit a tree of % leaves', v_level, in_size
				USING ERRCODE = 'LG500', DETAIL = format('It has tile %s with %s hashes.', v_edge.tile_index, length(v_edge.hashes) / 32),
					HINT = 'Run ledger_verify(), and keep the evidence.';
		END IF;
		v_nodes := v_edge.hashes || v_nodes;
		v_full := length(v_nodes) / 8192;
		v_up := '';
		FOR i IN 0 .. v_full - 1
		LOOP
			v_tile := substr(v_nodes, (i * 8192 + 1)::integer, 8192);
			INSERT INTO ledger.ledger_merkle_tiles (tenant_id, chain_id, level, tile_index, hashes)
			VALUES (in_tenant, in_chain, v_level, v_edge.tile_index + i, v_tile);
			v_up := v_up || (SELECT ledger.ledger_merkle_root(substr(v_tile, n * 32 + 1, 32) ORDER BY n) FROM generate_series(0, 255) AS n);
		END LOOP;
		INSERT INTO ledger.ledger_merkle_edge AS e (tenant_id, chain_id, level, tile_index, hashes)
		VALUES (in_tenant, in_chain, v_level, v_edge.tile_index + v_full, substr(v_nodes, (v_full * 8192 + 1)::integer))
		ON CONFLICT (tenant_id, chain_id, level) DO UPDATE SET tile_index = excluded.tile_index, hashes = excluded.hashes;
		v_nodes := v_up;
		v_level := v_level + 1;
	END LOOP;
END
$$;
COMMENT ON FUNCTION ledger.ledger_extend_tiles(text, uuid, bigint, bytea) IS
	'Takes the roots of newly completed subtrees of 256 leaves into the tiles of a chain whose tree had in_size leaves. LG500: what is stored does not fit that size. Part of ledger_anchor_tick().';

-- ---- sql/functions/ledger_require_subject.sql
-- No findings about something that does not exist would read as clean.
CREATE FUNCTION ledger.ledger_require_subject(in_tenant text, in_chain uuid, in_from bigint, in_to bigint) RETURNS void
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF in_from > in_to THEN
		RAISE EXCEPTION 'the range to verify ends before it starts'
			USING ERRCODE = 'LG400', DETAIL = format('It is %s to %s.', in_from, in_to), HINT = 'Give the smaller sequence first.';
	END IF;
	IF NOT ledger.ledger_tenant_allowed(in_tenant) THEN
		RAISE EXCEPTION 'role may not touch tenant "%"', in_tenant
			USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
	END IF;
	-- One that was dropped is still registered by its chains, one that lost its registration has events.
	IF NOT EXISTS (SELECT FROM ledger.ledger_tenants AS t WHERE t.tenant_id = in_tenant)
		AND NOT EXISTS (SELECT FROM ledger.ledger_chains AS c WHERE c.tenant_id = in_tenant)
		AND NOT EXISTS (SELECT FROM ledger.ledger_events AS e WHERE e.tenant_id = in_tenant) AND in_tenant IS NOT NULL THEN
		RAISE EXCEPTION 'tenant "%" does not exist', in_tenant
			USING ERRCODE = 'LG404', HINT = 'ledger_tenants lists those that do.';
	END IF;
	IF in_chain IS NOT NULL
		AND NOT EXISTS (SELECT FROM ledger.ledger_chains AS c WHERE c.chain_id = in_chain AND (in_tenant IS NULL OR c.tenant_id = in_tenant))
		AND NOT EXISTS (SELECT FROM ledger.ledger_events AS e WHERE e.chain_id = in_chain AND (in_tenant IS NULL OR e.tenant_id = in_tenant)) THEN
		RAISE EXCEPTION 'chain % does not exist', in_chain
			USING ERRCODE = 'LG404', DETAIL = CASE WHEN in_tenant IS NULL THEN 'No tenant that the role may touch has it.'
				ELSE format('Tenant "%s" has no chain of that id.', in_tenant) END,
				HINT = 'ledger_chain_id(tenant, policy version) gives the id of a chain that was not chosen.';
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_require_subject(text, uuid, bigint, bigint) IS
	'What is to be verified (NULL: all): LG400 if the range ends before it starts, LG403 if the tenant is not granted, LG404 if the tenant or chain does not exist. Part of ledger_verify().';

-- ---- sql/functions/ledger_verify_scan.sql
-- The fast path: one parallel scan in any order tells whether every chain is
-- intact (extension/src/verify_chain.c).  It need not tell what is wrong: any
-- doubt is the judge's to settle, so a doubt too many costs time and no more.
CREATE FUNCTION ledger.ledger_verify_scan(
	in_tenant text, in_chain uuid, in_from bigint, in_to bigint,
	OUT sound boolean, OUT rows bigint, OUT payloads bigint, OUT chains bigint, OUT workers bigint)
	RETURNS record
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_erased bigint;
	v_doubt  boolean;
BEGIN
	-- The key of the multiset hash: 122 random bits.  Dynamic, so that the plan is
	-- made for these very arguments; without INTO's row limit, so that it may be parallel.
	EXECUTE $q$
		SELECT coalesce(bool_and(s.c[4] = 1), true), coalesce(sum(s.c[1]), 0), coalesce(sum(s.c[2]), 0),
			count(*) FILTER (WHERE s.c[1] > 0), length(replace(coalesce(bit_or(s.c[5]), 0)::bit(32)::text, '0', '')),
			coalesce(sum(s.c[3]), 0)
		FROM (SELECT ledger.ledger_chain_check(e, $5, coalesce($3, 1), coalesce($4, 9223372036854775807)) AS c
		      FROM ledger.ledger_events AS e
		      WHERE ($1 IS NULL OR e.tenant_id = $1) AND ($2 IS NULL OR e.chain_id = $2)
		        -- A neighbour on each side; the ends of bigint have none.
		        AND ($3 IS NULL OR e.sequence_no >= greatest($3, -9223372036854775807) - 1)
		        AND ($4 IS NULL OR e.sequence_no <= least($4, 9223372036854775806) + 1)
		      GROUP BY e.tenant_id, e.chain_id) AS s $q$
	INTO sound, rows, payloads, chains, workers, v_erased
	USING in_tenant, in_chain, in_from, in_to, uuid_send(gen_random_uuid());
	IF NOT sound THEN
		RETURN;
	END IF;
	-- A range may end in a gap, or lie in one.  The chains are those of the events, found
	-- by leaps through the primary key: the registry may have lost one.
	IF in_to IS NOT NULL THEN
		EXECUTE $q$
			WITH RECURSIVE chain (tenant_id, chain_id) AS (
				(SELECT e.tenant_id, e.chain_id FROM ledger.ledger_events AS e
				 WHERE ($1 IS NULL OR e.tenant_id = $1) AND ($2 IS NULL OR e.chain_id = $2)
				 ORDER BY e.tenant_id, e.chain_id LIMIT 1)
				UNION ALL
				SELECT n.tenant_id, n.chain_id
				FROM chain AS c, LATERAL (
					SELECT e.tenant_id, e.chain_id FROM ledger.ledger_events AS e
					WHERE (e.tenant_id, e.chain_id) > (c.tenant_id, c.chain_id)
					  AND ($1 IS NULL OR e.tenant_id = $1) AND ($2 IS NULL OR e.chain_id = $2)
					ORDER BY e.tenant_id, e.chain_id LIMIT 1) AS n)
			SELECT EXISTS (
				SELECT FROM chain AS c
				WHERE EXISTS (SELECT FROM ledger.ledger_events AS e
				              WHERE e.tenant_id = c.tenant_id AND e.chain_id = c.chain_id AND e.sequence_no > least($3, 9223372036854775806) + 1)
				  AND NOT EXISTS (SELECT FROM ledger.ledger_events AS e
				                  WHERE e.tenant_id = c.tenant_id AND e.chain_id = c.chain_id AND e.sequence_no = least($3, 9223372036854775806) + 1)) $q$
		INTO v_doubt USING in_tenant, in_chain, in_to;
	ELSE
		-- Links say nothing about event ids.  An index on them that is no longer
		-- unique would not have stopped a second row.
		EXECUTE $q$
			SELECT EXISTS (
				SELECT FROM ledger.ledger_events AS e
				WHERE ($1 IS NULL OR e.tenant_id = $1) AND ($2 IS NULL OR e.chain_id = $2)
				GROUP BY e.tenant_id, e.event_id HAVING count(*) > 1) $q$
		INTO v_doubt USING in_tenant, in_chain;
	END IF;
	IF NOT v_doubt AND v_erased > 0 THEN
		v_doubt := EXISTS (SELECT FROM ledger.ledger_unexplained(in_tenant, in_chain));
	END IF;
	sound := NOT v_doubt;
END
$$;
COMMENT ON FUNCTION ledger.ledger_verify_scan(text, uuid, bigint, bigint) IS
	'Is every chain in the tenant, chain and range asked for (NULL: all) intact? With the counts of what was asked for, and how many parallel workers took part. Part of ledger_verify().';

-- "An event whose payload is gone without such an event is payload_missing."
CREATE FUNCTION ledger.ledger_unexplained(in_tenant text, in_chain uuid)
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, event_id uuid)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT e.tenant_id, e.chain_id, e.sequence_no, e.event_id
	FROM ledger.ledger_events AS e
	WHERE e.event_body IS NULL AND (in_tenant IS NULL OR e.tenant_id = in_tenant) AND (in_chain IS NULL OR e.chain_id = in_chain)
		AND NOT EXISTS (
			SELECT FROM ledger.ledger_events AS x
			WHERE x.event_type = 'ledger.payload_redacted'
				AND x.tenant_id = e.tenant_id AND x.chain_id = e.chain_id AND x.sequence_no > e.sequence_no
				AND x.event_body ->> 'eventId' = e.event_id::text
				AND x.event_body -> 'sequence' = to_jsonb(e.sequence_no)
				AND x.event_body ->> 'payloadHash' = encode(e.payload_hash, 'hex'))
	$$;
COMMENT ON FUNCTION ledger.ledger_unexplained(text, uuid) IS
	'Events without a payload that no later ledger.payload_redacted event of their chain names by id, sequence and payload hash. Part of ledger_verify().';

-- ---- sql/functions/ledger_name_fault.sql
-- Rules 2 to 8 of "How a row is judged" (docs/verification.md): the first that fits.
CREATE FUNCTION ledger.ledger_name_fault(
	twin text, moved boolean, same_chain boolean, home text, sound boolean, leaf_sound boolean,
	computed bytea, event_hash bytea, next_says bytea, stub ledger.ledger_events,
	previous_true bytea, payload_now bytea, evaluation_now bytea, unexplained boolean, payload_fault text)
	RETURNS text[]
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_other ledger.ledger_events;
BEGIN
	IF twin IS NOT NULL THEN
		RETURN ARRAY['duplicate', twin];
	ELSIF moved THEN
		RETURN ARRAY[CASE WHEN same_chain THEN 'reordered' ELSE 'envelope_edited' END, home];
	ELSIF NOT sound THEN
		-- Two witnesses outside the envelope: the next row's memory, and the leaf hash.
		IF next_says = computed OR (leaf_sound AND next_says IS DISTINCT FROM event_hash) THEN
			RETURN ARRAY['hash_edited', 'event_hash'];
		END IF;
		-- A column of the envelope is wrong.  Those that can be derived are tried first.
		v_other := stub;
		v_other.previous_hash := previous_true;
		IF ledger.ledger_computed_hash(v_other) = event_hash THEN
			RETURN ARRAY['link_broken', 'previous_hash is not the hash of the row before'];
		END IF;
		v_other := stub;
		v_other.payload_hash := payload_now;
		v_other.evaluation_hash := evaluation_now;
		IF ledger.ledger_computed_hash(v_other) = event_hash THEN
			RETURN ARRAY['hash_edited', CASE WHEN payload_now = stub.payload_hash THEN 'evaluation_hash' ELSE 'payload_hash' END];
		END IF;
		RETURN ARRAY['envelope_edited', 'the columns do not give event_hash'];
	ELSIF unexplained THEN
		RETURN ARRAY['payload_missing', 'no payload, and no later event says that it was erased'];
	ELSIF payload_fault IS NOT NULL THEN
		RETURN ARRAY['payload_edited', payload_fault];
	ELSIF NOT leaf_sound THEN
		RETURN ARRAY['hash_edited', 'merkle_leaf_hash'];
	END IF;
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION ledger.ledger_name_fault(text, boolean, boolean, text, boolean, boolean, bytea, bytea, bytea, ledger.ledger_events, bytea, bytea, bytea, boolean, text) IS
	'Kind and detail of the finding that a row earns; NULL for a row in order. Part of ledger_verify().';

-- ---- sql/functions/ledger_judge.sql
-- Names the rows that were touched, by the rules of docs/verification.md.  It runs
-- when the scan has a doubt, on everything that was asked for: what a row is guilty
-- of depends on its neighbours, on rows with the same event id and on rows that
-- remember its hash.  One query of ordinary joins and windows, so that it works on a
-- hot standby, where nothing can be created, and spills to disk instead of growing.
CREATE FUNCTION ledger.ledger_judge(in_tenant text, in_chain uuid, in_from bigint, in_to bigint)
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text,
		finding_id text, policy_version text, home_tenant text, home_chain uuid, counts jsonb)
	LANGUAGE sql STABLE PARALLEL UNSAFE
	-- Nobody can estimate how many rows are tampered with: a nested loop chosen for
	-- one would be quadratic for many.
	SET search_path = pg_catalog, pg_temp SET enable_nestloop = off
	AS $$
	WITH
	-- 1. The rows asked for, and of each chain the next ones on both sides of a range as witnesses.
	bounds AS MATERIALIZED (
		SELECT e.tenant_id, e.chain_id, max(e.sequence_no) FILTER (WHERE e.sequence_no < in_from) AS before,
			min(e.sequence_no) FILTER (WHERE e.sequence_no > in_to) AS after
		FROM ledger.ledger_events AS e
		WHERE (in_from IS NOT NULL OR in_to IS NOT NULL)
			AND (in_tenant IS NULL OR e.tenant_id = in_tenant) AND (in_chain IS NULL OR e.chain_id = in_chain)
		GROUP BY e.tenant_id, e.chain_id),
	fact AS MATERIALIZED (
		SELECT r.*, (r.f).computed, (r.f).sound, (r.f).leaf_sound, (r.f).payload_fault,
			(r.f).payload_now, (r.f).evaluation_now, (r.f).stub
		FROM (SELECT row_number() OVER () AS row_no, e.tenant_id, e.chain_id, e.sequence_no, e.event_id,
				e.finding_id, e.policy_version, e.previous_hash, e.event_hash, e.event_body IS NOT NULL AS has_payload,
				(in_from IS NULL OR e.sequence_no >= in_from) AND (in_to IS NULL OR e.sequence_no <= in_to) AS in_range,
				ledger.ledger_row_facts(e) AS f
			-- Without a range every row is read, even one with no chain or number at all.
			FROM ledger.ledger_events AS e LEFT JOIN bounds AS b USING (tenant_id, chain_id)
			WHERE (in_tenant IS NULL OR e.tenant_id = in_tenant) AND (in_chain IS NULL OR e.chain_id = in_chain)
				AND (in_from IS NULL AND in_to IS NULL
				     OR e.sequence_no >= coalesce(b.before, e.sequence_no) AND e.sequence_no <= coalesce(b.after, e.sequence_no))
			OFFSET 0) AS r),
	-- 2. Homes of rows that are wrong where they stand.  Beyond 20,000 such rows memory
	--    would grow; the others are judged in place.
	stray AS MATERIALIZED (
		SELECT row_number() OVER (ORDER BY s.row_no)::integer AS stray, s.*
		FROM (SELECT f.row_no, f.tenant_id, f.chain_id, f.previous_hash, f.event_hash, f.stub FROM fact AS f
			WHERE NOT f.sound AND NOT f.leaf_sound
				-- A number that no envelope holds is one that was changed.
				AND (f.computed IS NOT NULL OR f.sequence_no NOT BETWEEN 1 AND 9007199254740991)
			ORDER BY f.tenant_id, f.chain_id, f.sequence_no LIMIT 20000) AS s),
	place AS MATERIALIZED (
		SELECT s.stray, p.tenant_id, p.chain_id, p.sequence_no + 1 AS sequence_no
		FROM stray AS s JOIN fact AS p ON s.previous_hash = CASE WHEN p.leaf_sound THEN p.computed ELSE p.event_hash END
		WHERE p.tenant_id IS NOT NULL AND p.chain_id IS NOT NULL AND p.sequence_no < 9007199254740991
		UNION
		SELECT s.stray, s.tenant_id, s.chain_id, 1 FROM stray AS s
		WHERE s.previous_hash = decode(repeat('00', 32), 'hex') AND s.tenant_id IS NOT NULL AND s.chain_id IS NOT NULL
		UNION
		SELECT s.stray, p.tenant_id, p.chain_id, 1
		FROM stray AS s JOIN fact AS p ON p.previous_hash = s.event_hash AND p.sequence_no = 2
		WHERE s.previous_hash = decode(repeat('00', 32), 'hex') AND p.tenant_id IS NOT NULL AND p.chain_id IS NOT NULL),
	home AS MATERIALIZED (
		SELECT s.row_no, h.tenant_id, h.chain_id, h.sequence_no
		FROM ledger.ledger_find_homes(
				(SELECT array_agg(s.stub ORDER BY s.stray) FROM stray AS s),
				(SELECT array_agg(p.stray ORDER BY p.stray, p.tenant_id, p.chain_id, p.sequence_no) FROM place AS p),
				(SELECT array_agg(p.tenant_id ORDER BY p.stray, p.tenant_id, p.chain_id, p.sequence_no) FROM place AS p),
				(SELECT array_agg(p.chain_id ORDER BY p.stray, p.tenant_id, p.chain_id, p.sequence_no) FROM place AS p),
				(SELECT array_agg(p.sequence_no ORDER BY p.stray, p.tenant_id, p.chain_id, p.sequence_no) FROM place AS p)) AS h
		JOIN stray AS s USING (stray)
		-- A row that stands there rightly makes this one a copy, not a stray.
		LEFT JOIN (SELECT DISTINCT o.tenant_id, o.chain_id, o.sequence_no FROM fact AS o WHERE o.sound OR o.leaf_sound) AS o
			ON (o.tenant_id, o.chain_id, o.sequence_no) = (h.tenant_id, h.chain_id, h.sequence_no)
		WHERE o.tenant_id IS NULL),
	housed AS MATERIALIZED (
		SELECT f.row_no, f.tenant_id, f.chain_id, f.sequence_no, f.event_id, f.finding_id, f.policy_version,
			f.previous_hash, f.event_hash, f.has_payload, f.in_range, f.sound, f.leaf_sound, f.payload_fault,
			f.payload_now, f.evaluation_now, f.stub, h.row_no IS NOT NULL AS moved,
			CASE WHEN h.row_no IS NULL THEN f.computed ELSE f.event_hash END AS computed,
			coalesce(h.tenant_id, f.tenant_id) AS home_tenant, coalesce(h.chain_id, f.chain_id) AS home_chain,
			coalesce(h.sequence_no, f.sequence_no) AS home_sequence
		FROM fact AS f LEFT JOIN home AS h USING (row_no)),
	-- 3. Duplicates: by event id, as copies of sound rows, by place.
	copied AS MATERIALIZED (
		SELECT r.row_no, min(format('copy of chain %s sequence %s', o.chain_id, o.sequence_no)) AS detail
		FROM fact AS r JOIN fact AS o ON o.event_id = r.event_id AND o.event_hash = r.event_hash AND o.sound
		WHERE NOT r.sound AND NOT r.leaf_sound
		GROUP BY r.row_no),
	marked AS MATERIALIZED (
		SELECT h.*, c.row_no IS NULL AS takes_place,
			CASE WHEN c.row_no IS NOT NULL THEN c.detail
			     WHEN row_number() OVER (PARTITION BY h.tenant_id, h.event_id
			                             ORDER BY h.sound DESC, h.chain_id, h.sequence_no, h.row_no) > 1
			     THEN format('event id %s stands in another row of the tenant too', h.event_id) END AS duplicate
		FROM housed AS h LEFT JOIN copied AS c USING (row_no)),
	crowded AS MATERIALIZED (
		SELECT * FROM (
			SELECT m.row_no, m.tenant_id, m.chain_id, m.sequence_no, m.event_id, m.event_hash, m.duplicate, m.sound, m.leaf_sound,
				m.home_tenant, m.home_chain, m.home_sequence,
				count(*) OVER (PARTITION BY m.home_tenant, m.home_chain, m.home_sequence) AS crowd
			FROM marked AS m WHERE m.takes_place) AS c
		WHERE c.crowd > 1),
	ranked AS MATERIALIZED (
		SELECT c.row_no, row_number() OVER (PARTITION BY c.home_tenant, c.home_chain, c.home_sequence
			ORDER BY c.duplicate IS NOT NULL, c.sound DESC, c.leaf_sound DESC, n.tenant_id IS NOT NULL DESC, c.event_id, c.row_no) AS place
		FROM crowded AS c LEFT JOIN (SELECT DISTINCT m.tenant_id, m.chain_id, m.sequence_no, m.previous_hash FROM marked AS m) AS n
			ON (n.tenant_id, n.chain_id, n.sequence_no, n.previous_hash) = (c.tenant_id, c.chain_id, nullif(c.sequence_no, 9223372036854775807) + 1, c.event_hash)),
	placed AS MATERIALIZED (
		SELECT m.*, m.takes_place AND coalesce(r.place, 1) = 1 AS holds,
			coalesce(m.duplicate, CASE WHEN r.place > 1
				THEN format('another row has the same sequence; this one has event id %s', m.event_id) END) AS twin
		FROM marked AS m LEFT JOIN ranked AS r USING (row_no)),
	-- 4. What the neighbours remember.
	told AS (
		SELECT p.*, CASE WHEN lead(p.home_sequence) OVER chain = nullif(p.home_sequence, 9223372036854775807) + 1 THEN lead(p.previous_hash) OVER chain END AS next_says
		FROM placed AS p WHERE p.holds
		WINDOW chain AS (PARTITION BY p.home_tenant, p.home_chain ORDER BY p.home_sequence)),
	trued AS (
		SELECT t.*, CASE WHEN NOT t.sound AND (t.leaf_sound OR coalesce(t.next_says = t.computed, false))
		                 THEN t.computed ELSE t.event_hash END AS true_hash
		FROM told AS t),
	linked AS MATERIALIZED (
		SELECT t.*, lag(t.home_sequence) OVER chain AS previous_sequence,
			CASE WHEN lag(t.home_sequence) OVER chain = nullif(t.home_sequence, -9223372036854775808) - 1 THEN lag(t.row_no) OVER chain END AS previous_row,
			CASE WHEN t.home_sequence = 1 THEN true
			     WHEN lag(t.home_sequence) OVER chain = nullif(t.home_sequence, -9223372036854775808) - 1 THEN lag(t.computed = t.true_hash) OVER chain END AS previous_fits,
			CASE WHEN t.home_sequence = 1 THEN decode(repeat('00', 32), 'hex')
			     WHEN lag(t.home_sequence) OVER chain = nullif(t.home_sequence, -9223372036854775808) - 1 THEN lag(t.true_hash) OVER chain END AS previous_true
		FROM trued AS t
		WINDOW chain AS (PARTITION BY t.home_tenant, t.home_chain ORDER BY t.home_sequence)),
	-- 5. The first rule that fits names a row.
	guilty AS MATERIALIZED (
		SELECT c.*, c.fault[1] AS kind, c.fault[2] AS detail
		FROM (SELECT l.*, CASE
				WHEN l.twin IS NULL AND NOT l.moved AND l.sound AND u.event_id IS NULL AND l.payload_fault IS NULL AND l.leaf_sound THEN NULL
				ELSE ledger.ledger_name_fault(l.twin, l.moved, (l.home_tenant, l.home_chain) = (l.tenant_id, l.chain_id),
					format('was sequence %s of tenant %s, chain %s', l.home_sequence, l.home_tenant, l.home_chain),
					l.sound, l.leaf_sound, l.computed, l.event_hash, l.next_says, l.stub, l.previous_true, l.payload_now,
					l.evaluation_now, u.event_id IS NOT NULL, l.payload_fault) END AS fault
			FROM linked AS l
			-- Rows that were copied are answered as often.
			LEFT JOIN (SELECT DISTINCT x.* FROM ledger.ledger_unexplained(in_tenant, in_chain) AS x) AS u
				ON NOT l.has_payload
				AND (u.tenant_id, u.chain_id, u.sequence_no, u.event_id) = (l.tenant_id, l.chain_id, l.sequence_no, l.event_id)
			OFFSET 0) AS c),
	-- 6. Two sound rows that do not fit: one was rewritten and hashed again.
	blamed AS MATERIALIZED (
		SELECT DISTINCT ON (b.row_no) b.row_no, b.detail
		FROM (SELECT CASE WHEN t.home_sequence > 1 AND (t.next_says IS NULL OR t.next_says = t.true_hash)
				THEN t.previous_row ELSE t.row_no END AS row_no,
				CASE WHEN t.home_sequence > 1 AND (t.next_says IS NULL OR t.next_says = t.true_hash)
				THEN 'rewritten: its hash is not the one that the next row recorded'
				ELSE 'previous_hash is not the hash of the row before, and the row was hashed again' END AS detail
			FROM guilty AS t
			WHERE t.in_range AND t.computed = t.true_hash AND t.previous_hash <> t.previous_true AND t.previous_fits) AS b
		ORDER BY b.row_no, b.detail),
	verdict AS MATERIALIZED (
		SELECT g.tenant_id, g.chain_id, g.sequence_no, coalesce(g.kind, CASE WHEN b.row_no IS NOT NULL THEN 'link_broken' END) AS kind,
			coalesce(g.detail, b.detail) AS detail, g.finding_id, g.policy_version, g.home_tenant, g.home_chain,
			g.in_range OR (g.kind IS NULL AND b.row_no IS NOT NULL) AS reported
		FROM guilty AS g LEFT JOIN blamed AS b USING (row_no)
		UNION ALL
		SELECT p.tenant_id, p.chain_id, p.sequence_no, 'duplicate', p.twin, p.finding_id, p.policy_version, p.home_tenant, p.home_chain, p.in_range
		FROM placed AS p WHERE NOT p.holds),
	-- 7. Numbers that no row takes, and chains that are gone.
	gap AS (
		SELECT g.home_tenant, g.home_chain, greatest(nullif(g.previous_sequence, 9223372036854775807) + 1, in_from, 1) AS first_no,
			least(greatest(g.home_sequence, 1) - 1, in_to) AS last_no
		FROM linked AS g)
	SELECT v.tenant_id, v.chain_id, v.sequence_no, v.kind, v.detail, v.finding_id, v.policy_version, v.home_tenant, v.home_chain, NULL::jsonb
	FROM verdict AS v WHERE v.kind IS NOT NULL AND v.reported
	UNION ALL
	SELECT g.home_tenant, g.home_chain, g.first_no, 'missing', format('no event with sequence %s', CASE
			WHEN g.first_no = g.last_no THEN g.first_no::text ELSE format('%s to %s', g.first_no, g.last_no) END),
		NULL, NULL, g.home_tenant, g.home_chain, NULL
	FROM gap AS g WHERE g.first_no <= g.last_no
	UNION ALL
	SELECT c.tenant_id, c.chain_id, NULL, 'missing_chain', 'a registered chain has no events', NULL, NULL, c.tenant_id, c.chain_id, NULL
	FROM ledger.ledger_chains AS c
	LEFT JOIN (SELECT DISTINCT h.home_tenant, h.home_chain FROM housed AS h) AS h
		ON (h.home_tenant, h.home_chain) = (c.tenant_id, c.chain_id)
	WHERE in_from IS NULL AND in_to IS NULL AND h.home_tenant IS NULL
		AND (in_tenant IS NULL OR c.tenant_id = in_tenant) AND (in_chain IS NULL OR c.chain_id = in_chain)
	UNION ALL
	SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, (
		SELECT jsonb_build_object('rows', count(*), 'payloads', count(*) FILTER (WHERE f.has_payload),
			'links', (SELECT count(*) FROM linked AS l WHERE l.in_range AND l.previous_true IS NOT NULL),
			'chains', count(DISTINCT (f.tenant_id, f.chain_id)))
		FROM fact AS f WHERE f.in_range)
	$$;
COMMENT ON FUNCTION ledger.ledger_judge(text, uuid, bigint, bigint) IS
	'Findings about events, gaps and chains by the rules of docs/verification.md, then one row of counts. Part of ledger_verify().';

-- ---- sql/functions/ledger_verify_signatures.sql
-- Signatures of anchors: rule 8 of "Anchors" in docs/verification.md.

CREATE FUNCTION ledger.ledger_anchor_signatures(
	anchor ledger.ledger_merkle_roots, OUT is_signed boolean, OUT verified bigint, OUT fault text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_note record;
	v_dsse record;
BEGIN
	is_signed := strpos(anchor.checkpoint, E'\n\n') > 0 OR anchor.dsse -> 'signatures' <> '[]';
	verified := 0;
	IF NOT is_signed THEN
		RETURN;
	END IF;
	-- OFFSET 0: each signature is verified once, and not wherever its answer is asked for.
	SELECT count(*) FILTER (WHERE s.ok) AS good, string_agg(s.key_id, ', ' ORDER BY s.key_id) FILTER (WHERE NOT s.ok) AS bad,
			coalesce(bool_or(s.ok AND s.purpose = 'log'
				AND ledger.ledger_signature_valid(anchor.tenant_id, anchor.chain_id, anchor.tree_size, s.key_id)), false) AS counts
		INTO v_note
		FROM (SELECT k.key_id, k.purpose, ledger.ledger_verify_note(anchor.checkpoint, k.public_key) AS ok
			FROM ledger.ledger_keys AS k
			WHERE k.key_id IN (SELECT ledger.ledger_note_keys(anchor.checkpoint)) OFFSET 0) AS s;
	-- One at a time, so that a wrong one does not hide behind a right one.  The key
	-- id is a hint: without it every log key is tried.
	SELECT count(*) FILTER (WHERE s.ok) AS good, string_agg(s.key_id, ', ' ORDER BY s.key_id) FILTER (WHERE NOT s.ok AND s.named) AS bad,
			coalesce(bool_or(s.ok AND s.purpose = 'log'
				AND ledger.ledger_signature_valid(anchor.tenant_id, anchor.chain_id, anchor.tree_size, s.key_id)), false) AS counts
		INTO v_dsse
		FROM (SELECT k.key_id, k.purpose, coalesce(g.value ->> 'keyid', '') <> '' AS named,
				ledger.ledger_verify_dsse(jsonb_set(anchor.dsse, '{signatures}', jsonb_build_array(g.value)), k.public_key) IS NOT NULL AS ok
			FROM jsonb_array_elements(anchor.dsse -> 'signatures') AS g
			JOIN ledger.ledger_keys AS k
				ON CASE WHEN coalesce(g.value ->> 'keyid', '') <> '' THEN k.key_id = g.value ->> 'keyid' ELSE k.purpose = 'log' END OFFSET 0) AS s;
	verified := v_note.good + v_dsse.good;
	fault := CASE
		WHEN v_note.bad IS NOT NULL THEN format('the checkpoint''s signature of %s is wrong', v_note.bad)
		WHEN v_dsse.bad IS NOT NULL THEN format('the statement''s signature of %s is wrong', v_dsse.bad)
		WHEN NOT v_note.counts THEN 'no signature of the checkpoint counts'
		WHEN NOT v_dsse.counts THEN 'no signature of the statement counts' END;
END
$$;
COMMENT ON FUNCTION ledger.ledger_anchor_signatures(ledger.ledger_merkle_roots) IS
	'Is an anchor signed, how many signatures of registered keys verify, and what is wrong with them (NULL: nothing). Part of ledger_verify().';

-- ---- sql/functions/ledger_verify_anchors.sql
-- Anchors, tiles and registry against the leaf hashes: rules 1 to 8 of
-- "Anchors" in docs/verification.md.  One pass over the leaves of each anchored
-- chain (extension/src/verify_tree.c); the rest is as many rows as there are anchors.

-- The payload may be anything: what cannot be read has no policy.
CREATE FUNCTION ledger.ledger_stated_policy(dsse jsonb) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RETURN convert_from(decode(dsse ->> 'payload', 'base64'), 'UTF8')::jsonb ->> 'policyHash';
EXCEPTION WHEN data_exception THEN
	RETURN NULL;
END
$$;
COMMENT ON FUNCTION ledger.ledger_stated_policy(jsonb) IS
	'The policyHash of an anchor statement, or NULL if it cannot be read. Part of ledger_verify().';

-- What disagrees within an anchor's own row (rule 3); NULL if nothing does.
CREATE FUNCTION ledger.ledger_anchor_fault(anchor ledger.ledger_merkle_roots, policies text[])
	RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	WITH expected AS (
		SELECT format(E'%s/%s/%s\n%s\n%s\n', anchor.origin, anchor.tenant_id, anchor.chain_id, anchor.tree_size,
				encode(anchor.root_hash, 'base64')) AS checkpoint,
			'YYYY-MM-DD"T"HH24:MI:SS.US"Z"' AS rfc3339)
	SELECT nullif(concat_ws(', ',
		CASE WHEN (starts_with(anchor.checkpoint, x.checkpoint)
			-- C2SP signed-note: an empty line, then "— <key name> <base64>" lines.
			AND substr(anchor.checkpoint, length(x.checkpoint) + 1) ~ E'^(\n(— [^ +\n]+ [A-Za-z0-9+/]+={0,2}\n)+)?$')
			IS NOT TRUE THEN 'checkpoint' END,
		CASE WHEN (anchor.dsse ->> 'payloadType' = 'application/vnd.stella-ledger-anchor+json'
			AND jsonb_typeof(anchor.dsse -> 'signatures') = 'array'
			AND EXISTS (
				SELECT FROM unnest(policies) AS p (policy)
				WHERE anchor.dsse ->> 'payload' = translate(encode(convert_to(concat(
					format('{"anchorId":"%s","chainId":"%s","leafCount":%s,"policyHash":%s,', anchor.anchor_id, anchor.chain_id,
						anchor.leaf_count, ledger.ledger_canonical_json(to_jsonb(p.policy))),
					'"previousRootHash":"' || encode(anchor.previous_root_hash, 'hex') || '",',
					format('"rootHash":"%s","schemaVersion":"ledger.event.v1","sequenceEnd":%s,"sequenceStart":%s,"tenant":"%s",',
						encode(anchor.root_hash, 'hex'), anchor.sequence_end, anchor.sequence_start, anchor.tenant_id),
					format('"treeSize":%s,"windowEnd":"%s","windowStart":"%s"}', anchor.tree_size,
						to_char(anchor.window_end AT TIME ZONE 'UTC', x.rfc3339), to_char(anchor.window_start AT TIME ZONE 'UTC', x.rfc3339))
					), 'UTF8'), 'base64'), E'\n', '')))
			IS NOT TRUE THEN 'dsse' END,
		CASE WHEN ledger.ledger_frontier_root(anchor.frontier, anchor.tree_size) IS DISTINCT FROM anchor.root_hash THEN 'frontier' END,
		CASE WHEN anchor.anchor_reference IS NOT NULL AND NOT EXISTS (
			SELECT FROM ledger.ledger_anchor_receipts AS t
			WHERE t.tenant_id = anchor.tenant_id AND t.anchor_id = anchor.anchor_id AND t.reference = anchor.anchor_reference)
			THEN 'anchor_reference' END), '')
	FROM expected AS x
	$$;
COMMENT ON FUNCTION ledger.ledger_anchor_fault(ledger.ledger_merkle_roots, text[]) IS
	'Which of checkpoint, dsse, frontier and anchor_reference are not what the anchor''s other columns give, with one of these policy versions; NULL if all are. Part of ledger_verify().';

CREATE FUNCTION ledger.ledger_verify_anchors(in_tenant text, in_chain uuid, in_doubt jsonb, in_marks jsonb DEFAULT '[]')
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text, counts jsonb)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	-- As in ledger_judge(): nobody can estimate how much is tampered with; and nothing here is worth compiling.
	SET search_path = pg_catalog, pg_temp SET enable_nestloop = off SET jit = off
	-- Planned for this tenant and chain, and every table is asked for them alone:
	-- ledger_verify_new() comes here once for each chain.
	SET plan_cache_mode = force_custom_plan
	AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH
	doubt AS (
		SELECT d.tenant_id, d.chain_id, bool_or(d.moved) AS moved
		FROM jsonb_to_recordset(in_doubt) AS d (tenant_id text, chain_id uuid, moved boolean) GROUP BY d.tenant_id, d.chain_id),
	-- 1. The anchored chains, and what is known of each.
	anchored AS MATERIALIZED (
		SELECT r.tenant_id, r.chain_id FROM ledger.ledger_merkle_roots AS r
			WHERE (in_tenant IS NULL OR r.tenant_id = in_tenant) AND (in_chain IS NULL OR r.chain_id = in_chain)
		UNION SELECT t.tenant_id, t.chain_id FROM ledger.ledger_merkle_tiles AS t
			WHERE (in_tenant IS NULL OR t.tenant_id = in_tenant) AND (in_chain IS NULL OR t.chain_id = in_chain)
		UNION SELECT g.tenant_id, g.chain_id FROM ledger.ledger_merkle_edge AS g
			WHERE (in_tenant IS NULL OR g.tenant_id = in_tenant) AND (in_chain IS NULL OR g.chain_id = in_chain)
		UNION SELECT c.tenant_id, c.chain_id FROM ledger.ledger_chains AS c
			WHERE (c.first_anchored_sequence IS NOT NULL OR c.last_anchored_sequence IS NOT NULL)
				AND (in_tenant IS NULL OR c.tenant_id = in_tenant) AND (in_chain IS NULL OR c.chain_id = in_chain)),
	chain AS MATERIALIZED (
		SELECT a.tenant_id, a.chain_id, c.tenant_id IS NOT NULL AS registered, c.first_anchored_sequence AS first_no,
			c.last_anchored_sequence AS last_no, c.policy_version AS registered_policy,
			(SELECT max(e.sequence_no) FROM ledger.ledger_events AS e
			 WHERE e.tenant_id = a.tenant_id AND e.chain_id = a.chain_id AND (in_tenant IS NULL OR e.tenant_id = in_tenant)) AS head,
			(SELECT e.policy_version FROM ledger.ledger_events AS e
			 WHERE e.tenant_id = a.tenant_id AND e.chain_id = a.chain_id AND (in_tenant IS NULL OR e.tenant_id = in_tenant) ORDER BY e.sequence_no LIMIT 1) AS policy,
			d.tenant_id IS NOT NULL AS doubtful, coalesce(d.moved, false) AS moved,
			coalesce(m.tree_size, 0) AS since, coalesce(m.start, 0) AS start, coalesce(decode(m.frontier, 'hex'), '') AS frontier
		FROM anchored AS a
		LEFT JOIN (SELECT * FROM ledger.ledger_chains AS c WHERE (in_tenant IS NULL OR c.tenant_id = in_tenant) AND (in_chain IS NULL OR c.chain_id = in_chain)) AS c
			USING (tenant_id, chain_id)
		LEFT JOIN doubt AS d USING (tenant_id, chain_id)
		LEFT JOIN jsonb_to_recordset(in_marks) AS m (tenant_id text, chain_id uuid, tree_size bigint, start bigint, frontier text)
			USING (tenant_id, chain_id)),
	-- 2. The anchors with their neighbours, and their own words.
	anchor AS MATERIALIZED (
		SELECT r.tenant_id, r.chain_id, r.tree_size, r.sequence_start, r.root_hash, r.previous_root_hash, c.head, c.doubtful, c.moved, c.since,
			ledger.ledger_anchor_fault(r, ARRAY[c.policy, c.registered_policy,
				-- Of a chain that is gone only the statement says it.
				CASE WHEN coalesce(c.policy, c.registered_policy) IS NULL THEN ledger.ledger_stated_policy(r.dsse) END]) AS fault,
			lag(r.tree_size) OVER w AS before_size, lag(r.root_hash) OVER w AS before_root,
			coalesce(lead(r.previous_root_hash) OVER w = r.root_hash, lead(r.tree_size) OVER w IS NULL) AS remembered
		FROM ledger.ledger_merkle_roots AS r JOIN chain AS c USING (tenant_id, chain_id)
		WHERE (in_tenant IS NULL OR r.tenant_id = in_tenant) AND (in_chain IS NULL OR r.chain_id = in_chain)
		WINDOW w AS (PARTITION BY r.tenant_id, r.chain_id ORDER BY r.tree_size)),
	-- 3. The tree that the leaves give.
	size AS MATERIALIZED (
		SELECT a.tenant_id, a.chain_id, array_agg(a.tree_size) AS sizes FROM anchor AS a
		WHERE NOT a.doubtful AND a.tree_size <= a.head AND a.tree_size > a.since GROUP BY a.tenant_id, a.chain_id),
	tree AS MATERIALIZED (
		SELECT c.tenant_id, c.chain_id, t.*
		FROM chain AS c JOIN size AS s USING (tenant_id, chain_id),
			LATERAL ledger.ledger_tree_check(c.tenant_id, c.chain_id, s.sizes, c.start, c.frontier) AS t),
	compared AS MATERIALIZED (
		SELECT a.*, t.root, CASE
			WHEN a.fault IS NOT NULL OR (t.root <> a.root_hash AND NOT a.remembered) THEN 'anchor_mismatch'
			WHEN t.root <> a.root_hash THEN 'rewritten' END AS kind
		FROM anchor AS a LEFT JOIN tree AS t ON (t.tenant_id, t.chain_id, t.tree_size) = (a.tenant_id, a.chain_id, a.tree_size) AND t.level IS NULL),
	judged AS MATERIALIZED (
		SELECT c.*, c.kind IS DISTINCT FROM 'anchor_mismatch'
				AND (lag(c.kind) OVER w) IS DISTINCT FROM 'anchor_mismatch'
				AND CASE WHEN c.before_size IS NULL THEN c.sequence_start <> 1
				    ELSE c.sequence_start <> c.before_size + 1 OR c.previous_root_hash IS DISTINCT FROM c.before_root END AS astray,
			-- Of the leaves that were rewritten the first anchor that covers them tells.
			c.kind = 'rewritten' AND count(*) FILTER (WHERE c.kind = 'rewritten') OVER (w ROWS UNBOUNDED PRECEDING) = 1 AS first_rewritten,
			coalesce(max(c.tree_size) FILTER (WHERE c.root = c.root_hash) OVER w, c.since) AS sound_before
		FROM compared AS c
		WINDOW w AS (PARTITION BY c.tenant_id, c.chain_id ORDER BY c.tree_size)),
	signed AS MATERIALIZED (
		SELECT j.tenant_id, j.chain_id, j.tree_size, s.*
		FROM judged AS j JOIN ledger.ledger_merkle_roots AS r USING (tenant_id, chain_id, tree_size),
			LATERAL ledger.ledger_anchor_signatures(r) AS s
		WHERE j.kind IS DISTINCT FROM 'anchor_mismatch' AND j.astray IS NOT TRUE AND j.tree_size > j.since
			AND (in_tenant IS NULL OR r.tenant_id = in_tenant) AND (in_chain IS NULL OR r.chain_id = in_chain)),
	-- 4. What each chain's anchors say together.
	summary AS MATERIALIZED (
		SELECT c.*, coalesce(max(j.tree_size), 0) AS newest, count(j.tree_size) AS anchors,
			coalesce(max(j.tree_size) FILTER (WHERE j.root = j.root_hash), 0) AS agreed,
			min(j.sequence_start) AS first_start,
			coalesce((array_agg(j.kind = 'anchor_mismatch' ORDER BY j.tree_size DESC) FILTER (WHERE j.tree_size IS NOT NULL))[1], false) AS newest_faulty,
			coalesce((array_agg(j.kind = 'anchor_mismatch' OR j.astray ORDER BY j.tree_size) FILTER (WHERE j.tree_size IS NOT NULL))[1], false) AS first_faulty,
			bool_or(j.fault IS NULL AND j.tree_size IS NOT NULL) AS believed,
			greatest(max(j.tree_size) FILTER (WHERE j.fault IS NULL), c.last_no) AS known_size
		FROM chain AS c LEFT JOIN judged AS j USING (tenant_id, chain_id)
		GROUP BY c.tenant_id, c.chain_id, c.registered, c.first_no, c.last_no, c.registered_policy, c.head, c.policy, c.doubtful, c.moved, c.since,
			c.start, c.frontier),
	registry AS (
		SELECT s.tenant_id, s.chain_id, CASE WHEN s.last_no > s.newest THEN s.last_no ELSE nullif(s.newest, 0) END AS sequence_no,
			concat_ws('; ',
				CASE WHEN NOT s.registered THEN 'the chain is not registered'
				     WHEN s.last_no > s.newest THEN format('the anchor of tree size %s is lost', s.last_no)
				     WHEN s.last_no IS DISTINCT FROM nullif(s.newest, 0) THEN format('ledger_chains.last_anchored_sequence is %s', coalesce(s.last_no::text, 'NULL')) END,
				CASE WHEN s.registered AND NOT s.first_faulty AND s.first_no IS DISTINCT FROM s.first_start
				     THEN format('ledger_chains.first_anchored_sequence is %s', coalesce(s.first_no::text, 'NULL')) END,
				CASE WHEN s.registered AND NOT s.doubtful AND s.policy <> s.registered_policy
				     THEN format('ledger_chains.policy_version is %s', s.registered_policy) END) AS detail
		FROM summary AS s
		WHERE s.head IS NOT NULL AND NOT s.newest_faulty AND NOT coalesce(s.last_no > s.head, false)
			AND (s.anchors > 0 OR s.first_no IS NOT NULL OR s.last_no IS NOT NULL)),
	-- 5. Tiles: of what the leaves agree with, and none that has no place.
	whole AS MATERIALIZED (
		SELECT s.tenant_id, s.chain_id, s.agreed, s.start, s.agreed = s.newest AND s.agreed = coalesce(s.last_no, 0) AND NOT s.doubtful AS to_the_end
		FROM summary AS s),
	wanted AS MATERIALIZED (
		SELECT t.tenant_id, t.chain_id, t.level, t.tile_index, t.hashes, octet_length(t.hashes) = 8192 AS is_full
		FROM tree AS t JOIN whole AS w USING (tenant_id, chain_id)
		WHERE t.level IS NOT NULL AND CASE WHEN octet_length(t.hashes) = 8192 THEN t.tree_size <= w.agreed ELSE w.to_the_end END),
	stored AS (
		SELECT t.tenant_id, t.chain_id, t.level, t.tile_index, t.hashes, true AS is_full FROM ledger.ledger_merkle_tiles AS t
		WHERE (in_tenant IS NULL OR t.tenant_id = in_tenant) AND (in_chain IS NULL OR t.chain_id = in_chain)
		UNION ALL
		SELECT g.tenant_id, g.chain_id, g.level, g.tile_index, g.hashes, false FROM ledger.ledger_merkle_edge AS g
		WHERE (in_tenant IS NULL OR g.tenant_id = in_tenant) AND (in_chain IS NULL OR g.chain_id = in_chain)),
	placed AS (
		SELECT p.*, power(256::numeric, p.level + 1) AS span FROM stored AS p),
	tile AS (
		SELECT w.tenant_id, w.chain_id, w.level, w.tile_index, power(256::numeric, w.level + 1) AS span,
			CASE WHEN p.hashes IS NULL THEN 'is not there' ELSE 'is not what the leaves give' END AS fault, w.is_full
		FROM wanted AS w LEFT JOIN placed AS p USING (tenant_id, chain_id, level, tile_index, is_full)
		WHERE w.hashes IS DISTINCT FROM p.hashes
		UNION ALL
		-- Full ones beyond the tree; and of the edge what is not where the tree ends.
		SELECT p.tenant_id, p.chain_id, p.level, p.tile_index, p.span, 'has no place in the tree', p.is_full
		FROM placed AS p JOIN whole AS w USING (tenant_id, chain_id)
		LEFT JOIN wanted AS n USING (tenant_id, chain_id, level, tile_index, is_full)
		WHERE w.to_the_end AND n.hashes IS NULL AND CASE
			WHEN p.is_full THEN (p.tile_index + 1::numeric) * p.span > w.agreed
			WHEN p.tile_index * p.span < w.start AND p.tile_index = div(w.agreed, p.span) THEN false
			ELSE octet_length(p.hashes) > 0 OR p.tile_index <> div(w.agreed, p.span) END),
	finding AS (
		SELECT s.tenant_id, s.chain_id, NULL::bigint AS sequence_no, 'missing_chain' AS kind, 'an anchored chain has no events' AS detail
		FROM summary AS s WHERE s.head IS NULL AND NOT s.registered AND s.believed AND NOT s.moved
		UNION ALL
		SELECT s.tenant_id, s.chain_id, s.head + 1, 'truncated', format('the chain was anchored up to %s and ends at %s', s.known_size, s.head)
		FROM summary AS s WHERE s.known_size > s.head AND NOT s.moved
		UNION ALL
		SELECT j.tenant_id, j.chain_id, j.tree_size, 'anchor_mismatch', CASE
			WHEN j.root = j.root_hash THEN j.fault || ': not what the other columns give'
			WHEN j.fault IS NULL OR j.root IS NOT NULL THEN concat_ws(', ', 'root_hash', j.fault) || ': not what the leaves give'
			ELSE j.fault || ': not what the other columns give' END
		FROM judged AS j WHERE j.kind = 'anchor_mismatch' AND (j.tree_size > j.since OR j.tree_size < 1)
		UNION ALL
		SELECT j.tenant_id, j.chain_id, j.sound_before + 1, 'rewritten',
			format('an event between %s and %s is not the one that was anchored', j.sound_before + 1, j.tree_size)
		FROM judged AS j WHERE j.first_rewritten
		UNION ALL
		SELECT j.tenant_id, j.chain_id, j.tree_size, 'inconsistent_history', CASE
			WHEN j.before_size IS NULL THEN format('the first anchor starts at %s', j.sequence_start)
			WHEN j.sequence_start <> j.before_size + 1 THEN format('it starts at %s, after an anchor of size %s', j.sequence_start, j.before_size)
			ELSE format('previous_root_hash is not the root of the anchor of size %s', j.before_size) END
		FROM judged AS j WHERE j.astray AND j.tree_size > j.since
		UNION ALL
		SELECT s.tenant_id, s.chain_id, s.tree_size, 'signature_invalid', s.fault FROM signed AS s WHERE s.fault IS NOT NULL
		UNION ALL
		SELECT r.tenant_id, r.chain_id, r.sequence_no, 'anchor_mismatch', r.detail FROM registry AS r WHERE r.detail <> ''
		UNION ALL
		SELECT t.tenant_id, t.chain_id, CASE WHEN t.tile_index * t.span < 9223372036854775807 THEN (t.tile_index * t.span)::bigint + 1 END, 'tile_mismatch',
			format('%s of level %s, index %s, %s', CASE WHEN t.is_full THEN 'the tile' ELSE 'the edge' END, t.level, t.tile_index, t.fault)
		FROM tile AS t)
	SELECT f.tenant_id, f.chain_id, f.sequence_no, f.kind, f.detail, NULL::jsonb FROM finding AS f
	UNION ALL
	SELECT NULL, NULL, NULL, NULL, NULL, jsonb_build_object(
		'anchors', (SELECT count(*) FROM judged AS j WHERE j.tree_size > j.since),
		'tiles', (SELECT count(*) FROM wanted AS w WHERE w.is_full),
		'signatures', (SELECT coalesce(sum(s.verified), 0) FROM signed AS s),
		'unsigned', (SELECT count(*) FROM signed AS s WHERE NOT s.is_signed));
END
$$;
COMMENT ON FUNCTION ledger.ledger_verify_anchors(text, uuid, jsonb, jsonb) IS
	'Findings about anchors, tiles and the registry''s anchored range by rules 1 to 8 of docs/verification.md, then one row of counts. Doubt: chains whose leaves are not compared, because events of theirs have findings; marks: sizes up to which chains were verified, with the frontier to start from. Part of ledger_verify().';

-- ---- sql/functions/ledger_verify_guards.sql
-- Guards as they are, and whether they changed between anchors without an event that
-- says so: "Guards", and rule 9 of "Anchors", in docs/verification.md.
CREATE FUNCTION ledger.ledger_verify_guard_changes(in_present boolean)
	RETURNS TABLE (tenant_id text, detail text)
	LANGUAGE sql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	WITH told AS MATERIALIZED (
		SELECT e.sequence_no, e.event_body -> 'guardFingerprint' AS accepted
		FROM ledger.ledger_events AS e
		WHERE e.tenant_id = 'ledger' AND e.chain_id = ledger.ledger_chain_id('ledger', 'ledger')
			AND e.event_type IN ('ledger.guard_changed', 'ledger.migrated', 'ledger.incarnation_started')),
	seen AS (
		SELECT r.tenant_id, r.guard_sequence, r.anchored_at, r.guard_fingerprint, format('the anchor of %s', r.anchored_at) AS name
		FROM ledger.ledger_merkle_roots AS r
		UNION ALL
		SELECT f.tenant_id, NULL, NULL, f.fingerprint, 'now'
		FROM ledger.ledger_guard_fingerprints(ARRAY(SELECT DISTINCT r.tenant_id FROM ledger.ledger_merkle_roots AS r)) AS f
		WHERE in_present),
	pair AS (
		SELECT s.*, lead(s.guard_fingerprint) OVER w AS next_fingerprint, lead(s.guard_sequence) OVER w AS next_sequence, lead(s.name) OVER w AS next_name
		FROM seen AS s
		WINDOW w AS (PARTITION BY s.tenant_id ORDER BY s.guard_sequence NULLS LAST, s.anchored_at, s.guard_fingerprint))
	SELECT p.tenant_id, format('between %s and %s', p.name, p.next_name)
	FROM pair AS p
	WHERE p.guard_fingerprint <> p.next_fingerprint AND NOT EXISTS (
		SELECT FROM told AS t
		WHERE t.sequence_no > p.guard_sequence
			AND (t.sequence_no <= p.next_sequence OR p.next_sequence IS NULL
			     OR t.accepted ->> p.tenant_id = encode(p.next_fingerprint, 'hex')))
	$$;
COMMENT ON FUNCTION ledger.ledger_verify_guard_changes(boolean) IS
	'Changes of the guards between anchors of a tenant, and with true between the newest one and now, that no event of the ledger''s own chain explains. Part of ledger_verify().';

CREATE FUNCTION ledger.ledger_verify_guards(in_changes boolean)
	RETURNS TABLE (tenant_id text, kind text, detail text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_missing boolean;
BEGIN
	RETURN QUERY SELECT g.tenant_id, 'guard_missing', format('%s %s: %s', g.guard, g.object, g.state)
		FROM ledger.ledger_guard_state() AS g
		WHERE NOT g.ok AND g.guard IN ('trigger', 'foreign trigger', 'foreign rule', 'event trigger', 'row security',
			'key', 'leaf', 'owner', 'owned');
	v_missing := FOUND;
	-- Who cannot read the ledger's own chain cannot see what explains a change.
	IF in_changes AND ledger.ledger_tenant_allowed('ledger') THEN
		RETURN QUERY SELECT c.tenant_id, 'guard_changed', c.detail FROM ledger.ledger_verify_guard_changes(NOT v_missing) AS c;
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_verify_guards(boolean) IS
	'Findings about guards: guard_missing, and, where asked, guard_changed for who may read tenant ledger. Part of ledger_verify().';

-- ---- sql/functions/ledger_verify.sql
-- Verification: docs/verification.md says what is checked and how a row is named.
-- One scan decides whether there is anything to name; only then the judge runs.
CREATE FUNCTION ledger.ledger_verify_all(
	in_tenant text, in_chain uuid, in_from bigint, in_to bigint, in_guards boolean)
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text, counts jsonb)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	-- Nothing here is worth compiling: the work is in C, and the compiler is 40 MiB.
	SET search_path = pg_catalog, pg_temp SET jit = off
	AS $$
DECLARE
	v_scan record;
	-- A part of the events cannot say what was folded from all.
	v_folds boolean := in_chain IS NULL AND in_from IS NULL AND in_to IS NULL;
	-- Nor can it give the root of a tree.
	v_anchors boolean := in_from IS NULL AND in_to IS NULL;
	v_guards boolean := in_guards AND in_tenant IS NULL AND v_folds;
	v_denied text;
BEGIN
	BEGIN
		SELECT * INTO v_scan FROM ledger.ledger_verify_scan(in_tenant, in_chain, in_from, in_to);
		IF v_scan.sound THEN
			RETURN QUERY SELECT c.tenant_id, c.chain_id, NULL::bigint, 'missing_chain', 'a registered chain has no events', NULL::jsonb
				FROM ledger.ledger_chains AS c
				WHERE in_from IS NULL AND in_to IS NULL
					AND (in_tenant IS NULL OR c.tenant_id = in_tenant) AND (in_chain IS NULL OR c.chain_id = in_chain)
					AND NOT EXISTS (SELECT FROM ledger.ledger_events AS e WHERE e.tenant_id = c.tenant_id AND e.chain_id = c.chain_id);
			RETURN QUERY SELECT NULL::text, NULL::uuid, NULL::bigint, NULL::text, NULL::text, jsonb_build_object(
				'rows', v_scan.rows, 'links', v_scan.rows, 'payloads', v_scan.payloads, 'chains', v_scan.chains, 'workers', v_scan.workers);
			RETURN QUERY SELECT a.* FROM ledger.ledger_verify_anchors(in_tenant, in_chain, '[]') AS a WHERE v_anchors;
		END IF;
		IF v_folds OR NOT v_scan.sound THEN
			-- What was folded from a tampered event is not reported again.
			RETURN QUERY
				WITH judged AS MATERIALIZED (
					SELECT * FROM ledger.ledger_judge(in_tenant, in_chain, in_from, in_to) WHERE NOT v_scan.sound),
				lost AS (
					SELECT c.tenant_id, c.chain_id FROM ledger.ledger_chains AS c
					WHERE v_scan.sound AND NOT EXISTS (
						SELECT FROM ledger.ledger_events AS e WHERE e.tenant_id = c.tenant_id AND e.chain_id = c.chain_id)),
				unsound_finding AS MATERIALIZED (
					SELECT j.tenant_id, j.finding_id, j.policy_version FROM judged AS j WHERE j.finding_id IS NOT NULL
					UNION SELECT j.home_tenant, j.finding_id, j.policy_version FROM judged AS j WHERE j.finding_id IS NOT NULL),
				unsound_chain AS MATERIALIZED (
					SELECT j.tenant_id, j.chain_id FROM judged AS j WHERE j.kind IN ('envelope_edited', 'link_broken', 'missing', 'missing_chain')
					UNION SELECT j.home_tenant, j.home_chain FROM judged AS j WHERE j.kind IN ('envelope_edited', 'link_broken')
					UNION SELECT l.tenant_id, l.chain_id FROM lost AS l),
				folded AS MATERIALIZED (
					SELECT * FROM ledger.ledger_verify_projection(in_tenant, ledger.ledger_history_horizon()) WHERE v_folds),
				-- Nor is what was anchored of its chain, or of the one that it was moved out of.
				doubt AS MATERIALIZED (
					SELECT p.tenant_id, p.chain_id, bool_or(j.kind = 'reordered' OR (j.tenant_id, j.chain_id) IS DISTINCT FROM (j.home_tenant, j.home_chain)) AS moved
					FROM judged AS j, LATERAL (VALUES (j.tenant_id, j.chain_id), (j.home_tenant, j.home_chain)) AS p (tenant_id, chain_id)
					WHERE j.kind IN ('duplicate', 'envelope_edited', 'hash_edited', 'link_broken', 'missing', 'reordered')
					GROUP BY p.tenant_id, p.chain_id)
				SELECT j.tenant_id, j.chain_id, j.sequence_no, j.kind, j.detail, j.counts FROM judged AS j
				UNION ALL
				SELECT p.tenant_id, p.chain_id, p.sequence_no, CASE WHEN p.folded IS NULL THEN 'projection_diverged' END, p.detail,
					CASE WHEN p.folded IS NOT NULL THEN jsonb_build_object('projections', p.folded) END
				FROM folded AS p
				LEFT JOIN unsound_finding AS f ON (f.tenant_id, f.finding_id, f.policy_version) = (p.tenant_id, p.finding_id, p.policy_version)
				LEFT JOIN unsound_chain AS c ON (c.tenant_id, c.chain_id) = (p.tenant_id, p.chain_id)
				LEFT JOIN unsound_chain AS s ON (s.tenant_id, s.chain_id) = (p.tenant_id, p.stored_chain)
				WHERE f.tenant_id IS NULL AND c.tenant_id IS NULL AND s.tenant_id IS NULL
				UNION ALL
				SELECT a.* FROM ledger.ledger_verify_anchors(in_tenant, in_chain,
					(SELECT coalesce(jsonb_agg(d), '[]') FROM doubt AS d)) AS a WHERE v_anchors AND NOT v_scan.sound;
		END IF;
	EXCEPTION WHEN insufficient_privilege THEN
		-- A table was taken from the owner.  The guards name it, where they are asked.
		IF NOT v_guards THEN
			RAISE;
		END IF;
		v_denied := SQLERRM;
	END;
	IF v_guards THEN
		RETURN QUERY SELECT g.tenant_id, NULL::uuid, NULL::bigint, g.kind, g.detail, NULL::jsonb
			FROM ledger.ledger_verify_guards(v_denied IS NULL) AS g;
		IF v_denied IS NOT NULL AND NOT FOUND THEN
			RAISE EXCEPTION 'the ledger cannot be read: %', v_denied USING ERRCODE = 'LG503';
		END IF;
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_verify_all(text, uuid, bigint, bigint, boolean) IS
	'Findings, with NULL kind for rows that hold counts. Part of ledger_verify() and ledger_verify_report().';

CREATE FUNCTION ledger.ledger_verify(
	tenant_id text DEFAULT NULL, chain_id uuid DEFAULT NULL,
	from_sequence bigint DEFAULT NULL, to_sequence bigint DEFAULT NULL)
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text)
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER ROWS 10
	SET search_path = pg_catalog, pg_temp
	-- The session that ran a plain dump has it off, and ought to verify.
	SET row_security = on
	AS $$
	SELECT ledger.ledger_require_subject($1, $2, $3, $4);
	SELECT v.tenant_id, v.chain_id, v.sequence_no, v.kind, v.detail
	FROM ledger.ledger_verify_all($1, $2, $3, $4, true) AS v
	WHERE v.kind IS NOT NULL
	ORDER BY v.tenant_id, v.chain_id, v.sequence_no, v.kind, v.detail
	$$;
COMMENT ON FUNCTION ledger.ledger_verify(text, uuid, bigint, bigint) IS
	'One row for each thing that is not as the ledger left it, naming the row that was touched and only that one; none when clean. Arguments: tenant, chain, first and last sequence, all optional; without any, everything that the role may touch, and the guards. The kinds are listed in docs/verification.md. Reads only, so it works on a hot standby. LG400: the range ends before it starts; LG403: tenant not granted; LG404: no such tenant or chain.';

CREATE FUNCTION ledger.ledger_verify_report(
	tenant_id text DEFAULT NULL, chain_id uuid DEFAULT NULL,
	from_sequence bigint DEFAULT NULL, to_sequence bigint DEFAULT NULL)
	RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
DECLARE
	v_started  timestamptz := clock_timestamp();
	v_counts   jsonb := '{"rows": 0, "links": 0, "payloads": 0, "chains": 0, "projections": 0, "workers": 0, "anchors": 0, "tiles": 0, "signatures": 0, "unsigned": 0}';
	v_kinds    jsonb := '{}';
	v_findings bigint := 0;
	v_part     record;
BEGIN
	PERFORM ledger.ledger_require_subject($1, $2, $3, $4);
	FOR v_part IN
		SELECT v.kind, v.counts, count(*) AS n
		FROM ledger.ledger_verify_all($1, $2, $3, $4, true) AS v
		GROUP BY v.kind, v.counts
	LOOP
		IF v_part.kind IS NULL THEN
			v_counts := v_counts || v_part.counts;
		ELSE
			v_kinds := v_kinds || jsonb_build_object(v_part.kind, v_part.n);
			v_findings := v_findings + v_part.n;
		END IF;
	END LOOP;
	RETURN v_counts || jsonb_build_object(
		'leaves', v_counts -> 'rows', 'findings', v_findings, 'kinds', v_kinds,
		'durationMs', round(extract(epoch FROM clock_timestamp() - v_started) * 1000),
		'verdict', CASE WHEN v_findings > 0 THEN 'tampered'
		                WHEN (v_counts ->> 'rows')::bigint = 0 THEN 'nothing_checked' ELSE 'clean' END);
END
$$;
COMMENT ON FUNCTION ledger.ledger_verify_report(text, uuid, bigint, bigint) IS
	'What ledger_verify() with the same arguments checked: counts of rows, links, payloads, leaves, projections (findings folded), chains, anchors, full tiles, signatures and unsigned anchors; findings in all and by kind; duration in ms; parallel workers that took part; and the verdict: clean, tampered, or nothing_checked (zero rows checked are never clean).';

-- ---- sql/functions/ledger_verify_against.sql
-- An auditor's own copies of checkpoints against the present ledger
-- (docs/verification.md, "Outside checkpoints").  Nothing inside a database shows that
-- all of it was rewritten; these do.

-- What was handed over, element by element.
CREATE FUNCTION ledger.ledger_given_checkpoints(checkpoints text[])
	RETURNS TABLE (tenant_id text, chain_id uuid, tree_size bigint, root bytea)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_given  record;
	v_origin text[];
BEGIN
	IF coalesce(cardinality(checkpoints), 0) = 0 THEN
		RAISE EXCEPTION 'checkpoints are required'
			USING ERRCODE = 'LG400', HINT = 'Give copies of checkpoints that were kept outside this database.';
	END IF;
	FOR v_given IN
		SELECT p.*, c.number FROM unnest(checkpoints) WITH ORDINALITY AS c (text, number)
		-- A shell's $(…) and psql's `…` take the last newline away.
		LEFT JOIN LATERAL ledger.ledger_parse_checkpoint(rtrim(c.text, E'\n') || E'\n') AS p ON true
	LOOP
		v_origin := regexp_match(v_given.origin, '^(.+)/([^/]+)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$');
		IF v_given.root IS NULL OR (v_origin IS NULL AND v_given.origin NOT LIKE '%/%') THEN
			RAISE EXCEPTION 'checkpoints[%] is no checkpoint', v_given.number
				USING ERRCODE = 'LG400', HINT = 'A checkpoint is a text of three lines, with or without signature lines (docs/formats.md section 6).';
		END IF;
		IF v_origin IS NULL OR (v_origin[1] NOT IN (SELECT s.origin FROM ledger.ledger_settings AS s)
			AND NOT EXISTS (SELECT FROM ledger.ledger_merkle_roots AS r
				WHERE r.tenant_id = v_origin[2] AND r.chain_id = v_origin[3]::uuid AND r.origin = v_origin[1])) THEN
			RAISE EXCEPTION 'checkpoints[%] is of another log', v_given.number
				USING ERRCODE = 'LG404', DETAIL = format('Its origin is "%s".', v_given.origin),
					HINT = 'ledger_settings.origin names this log.';
		END IF;
		IF NOT ledger.ledger_tenant_allowed(v_origin[2]) THEN
			RAISE EXCEPTION 'role may not touch tenant "%"', v_origin[2]
				USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
		END IF;
		RETURN QUERY SELECT v_origin[2], v_origin[3]::uuid, v_given.tree_size, v_given.root;
	END LOOP;
END
$$;
COMMENT ON FUNCTION ledger.ledger_given_checkpoints(text[]) IS
	'Tenant, chain, size and root of each checkpoint. LG400: one is none; LG403: its tenant is not granted; LG404: it is of another log. Part of ledger_verify_against().';

CREATE FUNCTION ledger.ledger_compare_checkpoints(checkpoints text[])
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text)
	LANGUAGE sql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	WITH given AS MATERIALIZED (
		SELECT DISTINCT g.* FROM ledger.ledger_given_checkpoints(checkpoints) AS g),
	chain AS MATERIALIZED (
		SELECT g.tenant_id, g.chain_id, array_agg(g.tree_size) AS sizes,
			(SELECT max(e.sequence_no) FROM ledger.ledger_events AS e
			 WHERE e.tenant_id = g.tenant_id AND e.chain_id = g.chain_id) AS head
		FROM given AS g GROUP BY g.tenant_id, g.chain_id),
	tree AS MATERIALIZED (
		SELECT c.tenant_id, c.chain_id, t.tree_size, t.root
		FROM chain AS c, LATERAL ledger.ledger_tree_check(c.tenant_id, c.chain_id,
			ARRAY(SELECT s FROM unnest(c.sizes) AS s WHERE s <= c.head)) AS t
		WHERE t.level IS NULL),
	-- A restore to N is told by the event N + 1 (ledger_start_incarnation()).  Looked for once
	-- in a chain: no index leads to it, and a year has 35,000 checkpoints.
	restore AS MATERIALIZED (
		SELECT e.tenant_id, e.chain_id, e.sequence_no, e.recorded_at
		FROM chain AS c, LATERAL (
			SELECT * FROM ledger.ledger_events AS e
			WHERE e.tenant_id = c.tenant_id AND e.chain_id = c.chain_id AND e.event_type = 'ledger.incarnation_started') AS e),
	compared AS MATERIALIZED (
		SELECT g.tenant_id, g.chain_id, g.tree_size, g.root, c.head, t.root AS present, r.sequence_no AS restored_at_sequence, r.recorded_at,
			count(*) OVER (PARTITION BY g.tenant_id, g.chain_id, g.tree_size) > 1 AS twofold,
			coalesce(max(g.tree_size) FILTER (WHERE t.root = g.root) OVER (PARTITION BY g.tenant_id, g.chain_id ORDER BY g.tree_size
				GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS agreed
		FROM given AS g JOIN chain AS c USING (tenant_id, chain_id)
		LEFT JOIN tree AS t USING (tenant_id, chain_id, tree_size)
		LEFT JOIN LATERAL (
			SELECT e.sequence_no, e.recorded_at FROM restore AS e
			WHERE e.tenant_id = g.tenant_id AND e.chain_id = g.chain_id AND e.sequence_no <= g.tree_size
			ORDER BY e.sequence_no DESC LIMIT 1) AS r ON true),
	named AS (
		SELECT c.*, CASE
			WHEN c.head IS NULL THEN 'missing_chain'
			WHEN c.present = c.root AND NOT (c.twofold AND c.restored_at_sequence IS NULL) THEN NULL
			WHEN c.restored_at_sequence IS NOT NULL AND (c.present <> c.root OR c.tree_size > c.head) THEN 'rolled_back'
			WHEN c.twofold THEN 'inconsistent_history'
			WHEN c.tree_size > c.head THEN 'truncated'
			-- Where a gap hides the root, the gap is the finding.
			WHEN c.present <> c.root THEN 'rewritten' END AS kind
		FROM compared AS c),
	finding AS (
		SELECT n.tenant_id, n.chain_id, n.kind, n.tree_size, CASE n.kind
				WHEN 'rolled_back' THEN n.restored_at_sequence WHEN 'inconsistent_history' THEN n.tree_size
				WHEN 'truncated' THEN n.head + 1 WHEN 'rewritten' THEN n.agreed + 1 END AS sequence_no,
			CASE n.kind
				WHEN 'missing_chain' THEN format('a checkpoint of size %s is known, and the chain has no events', n.tree_size)
				WHEN 'rolled_back' THEN format('rolled back to %s by restore at %s; a checkpoint of size %s is known',
					n.restored_at_sequence - 1, to_char(n.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), n.tree_size)
				WHEN 'inconsistent_history' THEN format('checkpoints of size %s with different roots are known', n.tree_size)
				WHEN 'truncated' THEN format('a checkpoint of size %s is known, and the chain ends at %s', n.tree_size, n.head)
				WHEN 'rewritten' THEN format('an event between %s and %s is not the one that the checkpoint of size %s covers', n.agreed + 1, n.tree_size, n.tree_size)
			END AS detail
		FROM named AS n WHERE n.kind IS NOT NULL)
	-- Of truncated and rewritten events the smallest checkpoint tells most.
	SELECT DISTINCT ON (f.tenant_id, f.chain_id, f.kind, CASE WHEN f.kind IN ('rolled_back', 'inconsistent_history') THEN f.sequence_no END)
		f.tenant_id, f.chain_id, f.sequence_no, f.kind, f.detail
	FROM finding AS f
	ORDER BY f.tenant_id, f.chain_id, f.kind, CASE WHEN f.kind IN ('rolled_back', 'inconsistent_history') THEN f.sequence_no END, f.tree_size
	$$;
COMMENT ON FUNCTION ledger.ledger_compare_checkpoints(text[]) IS
	'Findings about checkpoints by "Outside checkpoints" of docs/verification.md. Part of ledger_verify_against().';

CREATE FUNCTION ledger.ledger_verify_against(checkpoints text[])
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text)
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER ROWS 10
	SET search_path = pg_catalog, pg_temp SET jit = off
	SET row_security = on
	AS $$
	SELECT DISTINCT ON (f.tenant_id, f.chain_id, f.sequence_no, f.kind) f.tenant_id, f.chain_id, f.sequence_no, f.kind, f.detail
	FROM (
		SELECT c.tenant_id, c.chain_id, c.sequence_no, c.kind, c.detail, 0 AS place FROM ledger.ledger_compare_checkpoints($1) AS c
		UNION ALL
		SELECT v.tenant_id, v.chain_id, v.sequence_no, v.kind, v.detail, 1
		FROM (SELECT DISTINCT g.tenant_id, g.chain_id FROM ledger.ledger_given_checkpoints($1) AS g) AS g,
			LATERAL ledger.ledger_verify_all(g.tenant_id, g.chain_id, NULL, NULL, false) AS v
		WHERE v.kind IS NOT NULL) AS f (tenant_id, chain_id, sequence_no, kind, detail, place)
	ORDER BY f.tenant_id, f.chain_id, f.sequence_no, f.kind, f.place, f.detail
	$$;
COMMENT ON FUNCTION ledger.ledger_verify_against(text[]) IS
	'Checks copies of old checkpoints, kept outside, against the present ledger, and verifies the chains that they name: one row for each thing that is not as it was, none when clean. Shows what nothing inside a database can: rewritten, truncated, missing_chain; rolled_back where a restore explains it (docs/verification.md). Who signed them is for ledger_verify_note() to say. LG400: none given, or one is no checkpoint; LG403: tenant not granted; LG404: of another log.';

-- ---- sql/functions/ledger_signer.sql
-- What a signer outside the database asks for: what its key signed before, how the
-- chain was rolled back, and what no external anchor has yet (ledgerctl anchor).
-- It believes none of it: signatures and proofs are judged on its side.

CREATE FUNCTION ledger.ledger_signed_checkpoints(tenant text, chain uuid, key_id text, max_size bigint DEFAULT NULL)
	RETURNS TABLE (tree_size bigint, checkpoint text)
	LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
	SELECT r.tree_size, r.checkpoint
	FROM ledger.ledger_merkle_roots AS r
	WHERE r.tenant_id = $1 AND r.chain_id = $2 AND ledger.ledger_tenant_allowed($1)
		AND r.tree_size <= coalesce($4, r.tree_size)
		AND $3 IN (SELECT k FROM ledger.ledger_note_keys(r.checkpoint) AS k)
	ORDER BY r.tree_size DESC
	LIMIT 100
	$$;
COMMENT ON FUNCTION ledger.ledger_signed_checkpoints(text, uuid, text, bigint) IS
	'The newest 100 stored checkpoints of a chain that bear a line of the key, newest first, of at most max_size leaves. The lines are not verified here. Nothing for a tenant that is not granted. For ledger_anchorer.';

CREATE FUNCTION ledger.ledger_incarnations(tenant text, chain uuid)
	RETURNS TABLE (sequence_no bigint, last_sequence bigint, incarnation bigint, recorded_at timestamptz, reason text)
	LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
	SELECT e.sequence_no, (e.event_body ->> 'lastSequence')::bigint, (e.event_body ->> 'incarnation')::bigint,
		e.recorded_at, e.event_body ->> 'reason'
	FROM ledger.ledger_events AS e
	WHERE e.tenant_id = $1 AND e.chain_id = $2 AND ledger.ledger_tenant_allowed($1)
		AND e.event_type = 'ledger.incarnation_started' AND e.event_body IS NOT NULL
	ORDER BY e.sequence_no
	$$;
COMMENT ON FUNCTION ledger.ledger_incarnations(text, uuid) IS
	'The restores that a chain records (ledger.incarnation_started): where the event stands, the last sequence that survived, and why. Nothing for a tenant that is not granted. For ledger_anchorer.';

-- A witness takes no checkpoint below what it has cosigned, and needs none: the
-- newer one covers it.  A file or a time stamp is wanted of every anchor.
CREATE FUNCTION ledger.ledger_unpublished_anchors(kind text, name text, tenant text DEFAULT NULL)
	RETURNS TABLE (tenant_id text, chain_id uuid, anchor_id uuid, tree_size bigint, checkpoint text, dsse jsonb,
		published_size bigint)
	LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
	WITH published AS (
		SELECT r.tenant_id, r.chain_id, max(r.tree_size) AS tree_size
		FROM ledger.ledger_anchor_receipts AS a
		JOIN ledger.ledger_merkle_roots AS r ON r.tenant_id = a.tenant_id AND r.anchor_id = a.anchor_id
		WHERE a.kind = $1 AND a.name = $2
		GROUP BY r.tenant_id, r.chain_id
	)
	SELECT r.tenant_id, r.chain_id, r.anchor_id, r.tree_size, r.checkpoint, r.dsse, coalesce(p.tree_size, 0)
	FROM ledger.ledger_merkle_roots AS r
	LEFT JOIN published AS p ON p.tenant_id = r.tenant_id AND p.chain_id = r.chain_id
	WHERE jsonb_array_length(r.dsse -> 'signatures') > 0
		AND r.tenant_id = coalesce($3, r.tenant_id)
		AND ($1 <> 'witness' OR r.tree_size > coalesce(p.tree_size, 0))
		AND NOT EXISTS (SELECT FROM ledger.ledger_anchor_receipts AS a
			WHERE a.tenant_id = r.tenant_id AND a.anchor_id = r.anchor_id AND a.kind = $1 AND a.name = $2)
	ORDER BY r.tenant_id, r.chain_id, r.tree_size
	$$;
COMMENT ON FUNCTION ledger.ledger_unpublished_anchors(text, text, text) IS
	'The signed anchors of the granted tenants that have no receipt of this external anchor yet, the oldest of a chain first; for a witness, only those larger than what it has cosigned. published_size is the largest that has one. For ledger_anchorer.';

CREATE FUNCTION ledger.ledger_newest_anchors(tenant text DEFAULT NULL) RETURNS SETOF ledger.ledger_merkle_roots
	LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
	SELECT r.* FROM ledger.ledger_chains AS c, LATERAL (
		SELECT n.* FROM ledger.ledger_merkle_roots AS n
		WHERE n.tenant_id = c.tenant_id AND n.chain_id = c.chain_id
		ORDER BY n.tree_size DESC LIMIT 1) AS r
	WHERE c.tenant_id = coalesce($1, c.tenant_id) AND ledger.ledger_tenant_allowed(c.tenant_id)
	ORDER BY c.tenant_id, c.chain_id
	$$;
COMMENT ON FUNCTION ledger.ledger_newest_anchors(text) IS
	'The newest anchor of each chain of the granted tenants, or of one of them: what a mark is made of (ledgerctl verify). For ledger_auditor, ledger_operator and ledger_anchorer.';

-- ---- sql/functions/ledger_set_origin.sql
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

-- ---- sql/functions/ledger_anchor_tick.sql
-- Anchoring: fixing the head of a chain's tree, so that it can be signed and carried
-- outside.  A function to be called again and again, by any number of drivers; what
-- is due is anchored once, what is not is left alone.

CREATE FUNCTION ledger.ledger_set_anchoring(
	tenant          text,
	batch_size      integer  DEFAULT NULL,
	window_duration interval DEFAULT NULL,
	anchor_interval interval DEFAULT NULL)
	RETURNS ledger.ledger_tenants
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	v_row ledger.ledger_tenants;
BEGIN
	UPDATE ledger.ledger_tenants AS t
	   SET anchor_batch_size = batch_size, anchor_window = window_duration, anchor_interval = anchor_interval
	 WHERE t.tenant_id = tenant
	RETURNING t.* INTO v_row;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'tenant "%" does not exist', tenant
			USING ERRCODE = 'LG404', HINT = 'Create it with ledger_create_tenant().';
	END IF;
	RETURN v_row;
EXCEPTION
	WHEN check_violation THEN
		RAISE EXCEPTION 'anchoring cannot be set like that'
			USING ERRCODE = 'LG400', DETAIL = format('batch_size is %s, window_duration %s, anchor_interval %s.',
					coalesce(batch_size::text, 'null'), coalesce(window_duration::text, 'null'), coalesce(anchor_interval::text, 'null')),
				HINT = 'The first two are greater than 0, the last is not negative; NULL takes the deployment''s ledger.anchor_* settings.';
END
$$;
COMMENT ON FUNCTION ledger.ledger_set_anchoring(text, integer, interval, interval) IS
	'When a tenant''s chains are anchored: with so many new events, or when the first of them is as old as the window or the interval (0: none), whichever is shorter. NULL: the settings ledger.anchor_*. LG400: out of range; LG404: no such tenant. For ledger_operator.';

-- The bounds of the histogram ledger_merkle_anchor_duration_seconds.
CREATE FUNCTION ledger.ledger_anchor_buckets() RETURNS double precision[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$ SELECT '{0.01,0.025,0.05,0.1,0.25,0.5,1,2.5,5,10,30,60}'::double precision[] $$;
COMMENT ON FUNCTION ledger.ledger_anchor_buckets() IS
	'Upper bounds in seconds of the buckets in ledger_anchor_stats.';

-- What a chain's signer will be asked to sign besides the checkpoint (docs/formats.md section 7).
CREATE FUNCTION ledger.ledger_anchor_statement(in_anchor ledger.ledger_merkle_roots, in_policy text) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT ledger.ledger_canonical_json(jsonb_strip_nulls(jsonb_build_object(
		'anchorId', in_anchor.anchor_id, 'chainId', in_anchor.chain_id, 'tenant', in_anchor.tenant_id,
		'policyHash', in_policy, 'schemaVersion', 'ledger.event.v1',
		'sequenceStart', in_anchor.sequence_start, 'sequenceEnd', in_anchor.sequence_end,
		'leafCount', in_anchor.leaf_count, 'treeSize', in_anchor.tree_size,
		'rootHash', encode(in_anchor.root_hash, 'hex'), 'previousRootHash', encode(in_anchor.previous_root_hash, 'hex'),
		'windowStart', to_char(in_anchor.window_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
		'windowEnd', to_char(in_anchor.window_end AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))))
	$$;
COMMENT ON FUNCTION ledger.ledger_anchor_statement(ledger.ledger_merkle_roots, text) IS
	'The anchor statement (docs/formats.md section 7) of an anchor in a chain of that policy version, as canonical JSON.';

-- Is there anything new, and enough or old enough?  Imported events bring their own
-- recorded_at, and so are due at once.
CREATE FUNCTION ledger.ledger_anchor_due(in_tenant text, in_chain uuid, in_from bigint, in_head bigint, in_force boolean) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	-- Planned for this tenant: a plan for any would lock the leaves of all.
	SET plan_cache_mode = force_custom_plan
	AS $$
DECLARE
	v_rule record;
BEGIN
	IF in_head <= in_from THEN
		RETURN false;
	END IF;
	SELECT coalesce(t.anchor_batch_size, current_setting('ledger.anchor_batch_size')::integer) AS batch_size,
		least(coalesce(t.anchor_window, current_setting('ledger.anchor_window')::interval),
			nullif(coalesce(t.anchor_interval, current_setting('ledger.anchor_interval')::interval), '0')) AS age
	INTO STRICT v_rule FROM ledger.ledger_tenants AS t WHERE t.tenant_id = in_tenant;
	IF in_force OR in_head - in_from >= v_rule.batch_size THEN
		RETURN true;
	END IF;
	RETURN coalesce((
		SELECT clock_timestamp() - e.recorded_at >= v_rule.age FROM ledger.ledger_events AS e
		WHERE e.tenant_id = in_tenant AND e.chain_id = in_chain AND e.sequence_no = in_from + 1), true);
END
$$;
COMMENT ON FUNCTION ledger.ledger_anchor_due(text, uuid, bigint, bigint, boolean) IS
	'Is a chain anchored up to in_from to be anchored up to in_head? An event that is not there makes it due: the tick names it. Part of ledger_anchor_tick().';

-- What an anchor builds on must be what was left, or the next one would give a
-- tampered row the look of a sound one.
CREATE FUNCTION ledger.ledger_require_anchor(in_chain ledger.ledger_chains, in_newest ledger.ledger_merkle_roots, in_head bigint) RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_fault text := CASE
		WHEN in_chain.last_anchored_sequence IS DISTINCT FROM in_newest.tree_size
		THEN format('The registry says %s was anchored, the newest anchor %s.',
			coalesce(in_chain.last_anchored_sequence::text, 'nothing'), coalesce(in_newest.tree_size::text, 'nothing'))
		WHEN in_newest.tree_size > in_head
		THEN format('%s was anchored, and the chain ends at %s.', in_newest.tree_size, in_head)
		WHEN in_newest.root_hash <> coalesce(ledger.ledger_frontier_root(in_newest.frontier, in_newest.tree_size), '')
		THEN format('The frontier of the anchor of size %s does not give its root.', in_newest.tree_size) END;
BEGIN
	IF v_fault IS NOT NULL THEN
		RAISE EXCEPTION 'the newest anchor cannot be built upon'
			USING ERRCODE = 'LG500', DETAIL = v_fault, HINT = 'Run ledger_verify(), and keep the evidence.';
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_require_anchor(ledger.ledger_chains, ledger.ledger_merkle_roots, bigint) IS
	'LG500 unless registry, newest anchor and head of a chain agree. Part of ledger_anchor_tick().';

-- One chain.  The lock is the registry's row: any other lock could be held by anyone,
-- and appends never take this one.
CREATE FUNCTION ledger.ledger_anchor_chain(
	in_tenant text, in_chain uuid, in_force boolean, in_fingerprint bytea, in_guard_sequence bigint)
	RETURNS ledger.ledger_merkle_roots
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	AS $$
DECLARE
	v_chain ledger.ledger_chains;
	v_last  ledger.ledger_merkle_roots;
	v_new   ledger.ledger_merkle_roots;
	v_from  bigint;
	v_head  bigint;
	v_tree  record;
BEGIN
	SELECT c.* INTO v_chain FROM ledger.ledger_chains AS c
	WHERE c.tenant_id = in_tenant AND c.chain_id = in_chain FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	-- Read after the lock: what another driver has anchored meanwhile is committed.
	SELECT r.* INTO v_last FROM ledger.ledger_merkle_roots AS r
	WHERE r.tenant_id = in_tenant AND r.chain_id = in_chain ORDER BY r.tree_size DESC LIMIT 1;
	v_from := coalesce(v_last.tree_size, 0);
	v_head := ledger.ledger_tree_head(in_tenant, in_chain);
	PERFORM ledger.ledger_require_anchor(v_chain, v_last, v_head);
	IF NOT ledger.ledger_anchor_due(in_tenant, in_chain, v_from, v_head, in_force) THEN
		RETURN NULL;
	END IF;

	SELECT * INTO v_tree FROM ledger.ledger_tree_advance(in_tenant, in_chain, coalesce(v_last.frontier, ''), v_from, v_head);
	SELECT in_tenant, ledger.ledger_uuid_v7(), in_chain, a.recorded_at, z.recorded_at, v_from + 1, v_head, v_tree.root,
		v_head - v_from, clock_timestamp(), NULL, v_head, v_last.root_hash, v_tree.new_frontier, s.origin,
		ledger.ledger_checkpoint_text(ledger.ledger_checkpoint_origin(in_tenant, in_chain), v_head, v_tree.root),
		NULL, in_fingerprint, in_guard_sequence
	INTO v_new
	FROM ledger.ledger_events AS a, ledger.ledger_events AS z, ledger.ledger_settings AS s
	WHERE a.tenant_id = in_tenant AND a.chain_id = in_chain AND a.sequence_no = v_from + 1
		AND z.tenant_id = in_tenant AND z.chain_id = in_chain AND z.sequence_no = v_head;
	v_new.dsse := jsonb_build_object('payloadType', 'application/vnd.stella-ledger-anchor+json', 'signatures', '[]'::jsonb,
		'payload', translate(encode(convert_to(ledger.ledger_anchor_statement(v_new, v_chain.policy_version), 'UTF8'), 'base64'), E'\n', ''));
	INSERT INTO ledger.ledger_merkle_roots SELECT v_new.*;
	PERFORM ledger.ledger_extend_tiles(in_tenant, in_chain, v_from, v_tree.nodes);
	UPDATE ledger.ledger_chains AS c
	   SET first_anchored_sequence = coalesce(c.first_anchored_sequence, 1), last_anchored_sequence = v_head
	 WHERE c.tenant_id = in_tenant AND c.chain_id = in_chain;
	RETURN v_new;
END
$$;
COMMENT ON FUNCTION ledger.ledger_anchor_chain(text, uuid, boolean, bytea, bigint) IS
	'Anchors one chain if it is due and no other driver is at it; NULL if not. LG500: what lies there cannot be built upon. Part of ledger_anchor_tick().';

CREATE FUNCTION ledger.ledger_count_anchors(in_tenants text[], in_seconds double precision[]) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	INSERT INTO ledger.ledger_anchor_stats AS s (tenant_id, anchors, duration_seconds, buckets)
	SELECT a.tenant_id, count(*), sum(a.seconds),
		ARRAY(SELECT count(*) FILTER (WHERE t.seconds <= b.bound)
		      FROM unnest(ledger.ledger_anchor_buckets()) WITH ORDINALITY AS b (bound, n),
			unnest(in_tenants, in_seconds) AS t (tenant_id, seconds)
		      WHERE t.tenant_id = a.tenant_id GROUP BY b.n ORDER BY b.n)
	FROM unnest(in_tenants, in_seconds) AS a (tenant_id, seconds)
	GROUP BY a.tenant_id
	ORDER BY a.tenant_id COLLATE "C"
	ON CONFLICT (tenant_id) DO UPDATE
	SET anchors = s.anchors + excluded.anchors, duration_seconds = s.duration_seconds + excluded.duration_seconds,
		buckets = ARRAY(SELECT coalesce(b.before, 0) + b.more FROM unnest(s.buckets, excluded.buckets) WITH ORDINALITY AS b (before, more, n) ORDER BY b.n)
	$$;
COMMENT ON FUNCTION ledger.ledger_count_anchors(text[], double precision[]) IS
	'Counts anchors of these tenants and how long each took. Part of ledger_anchor_tick().';

CREATE FUNCTION ledger.ledger_count_failure(in_tenant text, in_reason text) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	INSERT INTO ledger.ledger_anchor_stats AS s (tenant_id, failures)
	VALUES (in_tenant, jsonb_build_object(in_reason, 1))
	ON CONFLICT (tenant_id) DO UPDATE
	SET failures = (
		-- A reason is a label of a metric: there must not be ever more of them.
		SELECT s.failures || jsonb_build_object(r.reason, coalesce((s.failures ->> r.reason)::bigint, 0) + 1)
		FROM (SELECT CASE WHEN s.failures ? in_reason OR (SELECT count(*) FROM jsonb_object_keys(s.failures)) < 32
		                  THEN in_reason ELSE 'other' END) AS r (reason))
	$$;
COMMENT ON FUNCTION ledger.ledger_count_failure(text, text) IS
	'Counts a failure to anchor for a reason. Part of ledger_anchor_tick() and ledger_record_anchor_failure().';

-- Chains that look due, without a lock: a tick that finds nothing to do writes nothing.
CREATE FUNCTION ledger.ledger_anchor_candidates(in_tenant text, in_force boolean)
	RETURNS TABLE (tenant_id text, chain_id uuid, fault text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_chain record;
	v_head  bigint;
BEGIN
	FOR v_chain IN
		SELECT c.tenant_id, c.chain_id, coalesce(c.last_anchored_sequence, 0) AS anchored FROM ledger.ledger_chains AS c
		WHERE (in_tenant IS NULL OR c.tenant_id = in_tenant) AND ledger.ledger_tenant_allowed(c.tenant_id)
		ORDER BY c.tenant_id, c.chain_id
	LOOP
		tenant_id := v_chain.tenant_id;
		chain_id := v_chain.chain_id;
		fault := NULL;
		BEGIN
			v_head := ledger.ledger_tree_head(v_chain.tenant_id, v_chain.chain_id);
			-- A chain that has become shorter is no candidate to anchor but one to name.
			CONTINUE WHEN v_head >= v_chain.anchored
				AND NOT ledger.ledger_anchor_due(v_chain.tenant_id, v_chain.chain_id, v_chain.anchored, v_head, in_force);
		EXCEPTION WHEN OTHERS THEN
			fault := SQLSTATE || ' ' || SQLERRM;
		END;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION ledger.ledger_anchor_candidates(text, boolean) IS
	'Chains of the tenants that the role may touch which seem to be due; fault says why one could not be looked at. Part of ledger_anchor_tick().';

-- Fingerprints, and the head of the ledger's own chain at which they were true: a guard
-- that changes while they are taken would leave its event on one side or the other.
CREATE FUNCTION ledger.ledger_guard_witness(in_tenants text[], OUT fingerprints jsonb, OUT guard_sequence bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_before bigint;
BEGIN
	guard_sequence := ledger.ledger_own_head();
	LOOP
		v_before := guard_sequence;
		SELECT jsonb_object_agg(f.tenant_id, encode(f.fingerprint, 'hex')) INTO fingerprints
		FROM ledger.ledger_guard_fingerprints(in_tenants) AS f;
		guard_sequence := ledger.ledger_own_head();
		EXIT WHEN guard_sequence = v_before;
	END LOOP;
END
$$;
COMMENT ON FUNCTION ledger.ledger_guard_witness(text[]) IS
	'Guard fingerprints of tenants (hex, by name), and the newest event of the ledger''s own chain then. Part of ledger_anchor_tick().';

CREATE FUNCTION ledger.ledger_require_tick(in_tenant text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	-- With an older snapshot another driver's anchor is out of sight, and the same
	-- window would be anchored twice.
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION 'ledger_anchor_tick() needs isolation level read committed'
			USING ERRCODE = 'LG400', DETAIL = format('It is %s.', current_setting('transaction_isolation')),
				HINT = 'Call it in a transaction of its own.';
	END IF;
	IF in_tenant IS NOT NULL AND NOT ledger.ledger_tenant_allowed(in_tenant) THEN
		RAISE EXCEPTION 'role may not touch tenant "%"', in_tenant
			USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
	END IF;
	IF in_tenant IS NOT NULL AND NOT EXISTS (SELECT FROM ledger.ledger_tenants AS t WHERE t.tenant_id = in_tenant) THEN
		RAISE EXCEPTION 'tenant "%" does not exist', in_tenant
			USING ERRCODE = 'LG404', HINT = 'Create it with ledger_create_tenant().';
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_require_tick(text) IS
	'What ledger_anchor_tick() refuses before it begins.';

-- Outsiders sign what this transaction commits, so it must not be lost with the
-- server, nor with it where events are not.
CREATE FUNCTION ledger.ledger_commit_firmly() RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	PERFORM ledger.ledger_force_flush();
	IF current_setting('synchronous_standby_names') <> '' AND current_setting('synchronous_commit') IN ('off', 'local') THEN
		PERFORM set_config('synchronous_commit', 'on', true);
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_commit_firmly() IS
	'The present transaction''s commit is flushed and, with synchronous standbys, replicated, whatever synchronous_commit says. Part of what anchors and signs.';

CREATE FUNCTION ledger.ledger_anchor_tick(tenant text DEFAULT NULL, force boolean DEFAULT false)
	RETURNS SETOF ledger.ledger_merkle_roots
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
DECLARE
	v_force    boolean := coalesce(force, false);
	v_due      record;
	v_witness  record;
	v_anchor   ledger.ledger_merkle_roots;
	v_begun    timestamptz;
	v_fault    text;
	v_detail   text;
	v_anchored text[] := '{}';
	v_seconds  double precision[] := '{}';
BEGIN
	PERFORM ledger.ledger_require_tick(tenant);
	SELECT array_agg(c.tenant_id) AS tenants, array_agg(c.chain_id) AS chains, array_agg(c.fault) AS faults INTO v_due
	FROM ledger.ledger_anchor_candidates(tenant, v_force) AS c;
	IF v_due.tenants IS NULL THEN
		RETURN;
	END IF;
	v_witness := ledger.ledger_guard_witness(v_due.tenants);
	FOR i IN 1 .. cardinality(v_due.tenants)
	LOOP
		v_fault := v_due.faults[i];
		v_begun := clock_timestamp();
		-- What is wrong with one chain must not keep the others from being anchored.
		BEGIN
			IF v_fault IS NULL THEN
				v_anchor := ledger.ledger_anchor_chain(v_due.tenants[i], v_due.chains[i], v_force,
					decode(v_witness.fingerprints ->> v_due.tenants[i], 'hex'), v_witness.guard_sequence);
				CONTINUE WHEN v_anchor.anchor_id IS NULL;
				v_anchored := v_anchored || v_due.tenants[i];
				v_seconds := v_seconds || extract(epoch FROM clock_timestamp() - v_begun)::double precision;
				RETURN NEXT v_anchor;
			END IF;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
			v_fault := concat_ws(' ', SQLSTATE, SQLERRM || '.', nullif(v_detail, ''));
		END;
		IF v_fault IS NOT NULL THEN
			RAISE WARNING 'chain % of tenant "%" could not be anchored', v_due.chains[i], v_due.tenants[i]
				USING DETAIL = v_fault, HINT = 'SELECT * FROM ledger_verify(tenant, chain) says more.';
			PERFORM ledger.ledger_count_failure(v_due.tenants[i], CASE left(v_fault, 5) WHEN 'LG500' THEN 'corrupted' ELSE left(v_fault, 5) END);
		END IF;
	END LOOP;
	IF v_anchored <> '{}' THEN
		PERFORM ledger.ledger_count_anchors(v_anchored, v_seconds);
		UPDATE ledger.ledger_settings AS s SET first_anchored_at = clock_timestamp() WHERE s.first_anchored_at IS NULL;
		PERFORM ledger.ledger_commit_firmly();
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_anchor_tick(text, boolean) IS
	'Anchors every chain that is due (ledger_set_anchoring()), or with force every one that has new events, of one tenant or of all that the role may touch, and returns the new anchors. Any number of drivers may call it at any time. What it anchors is durable and, with synchronous standbys, replicated; its own transaction is flushed. A chain that cannot be anchored is a WARNING and is counted. LG400: above READ COMMITTED; LG403: tenant not granted; LG404: no such tenant. For ledger_anchorer.';

-- ---- sql/functions/ledger_keys.sql
-- Keys of signers and witnesses.  A key counts in ranges of sequences, so that what it
-- signed stays verifiable after the next one took over, and what a thief signs with
-- it does not count.  Each change is an event of the ledger's own chain, which is
-- itself anchored and signed.

-- A key of the log signs notes and statements; a witness adds the time to its line
-- (C2SP tlog-cosignature), or signs like a log.
CREATE FUNCTION ledger.ledger_key_type(in_public_key text) RETURNS integer
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$ SELECT get_byte(decode(substring(in_public_key FROM '^[^+]+[+][0-9a-f]{8}[+](.+)$'), 'base64'), 0) $$;
COMMENT ON FUNCTION ledger.ledger_key_type(text) IS
	'Type byte of a verifier key (C2SP signed-note) that ledger_key_id() takes: 1 Ed25519, 4 cosignature.';

CREATE FUNCTION ledger.ledger_record_key(in_action text, in_key ledger.ledger_keys, in_more jsonb DEFAULT '{}') RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT ledger.ledger_append_own('ledger.key_changed', jsonb_strip_nulls(jsonb_build_object(
		'action', in_action, 'keyId', in_key.key_id, 'publicKey', in_key.public_key, 'purpose', in_key.purpose,
		'reason', in_key.reason, 'role', session_user) || in_more))
	$$;
COMMENT ON FUNCTION ledger.ledger_record_key(text, ledger.ledger_keys, jsonb) IS
	'Appends the ledger.key_changed event of a key that was registered, retired or revoked.';

CREATE FUNCTION ledger.ledger_register_key(public_key text, purpose text DEFAULT 'log', from_start boolean DEFAULT false)
	RETURNS ledger.ledger_keys
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
DECLARE
	v_row  ledger.ledger_keys;
	v_id   text := ledger.ledger_key_id(public_key);
	v_late boolean;
BEGIN
	IF v_id IS NULL OR purpose IS NULL OR purpose NOT IN ('log', 'witness') THEN
		RAISE EXCEPTION '% is not valid', CASE WHEN v_id IS NULL THEN 'public_key' ELSE 'purpose' END
			USING ERRCODE = 'LG400', DETAIL = format('It is %s.', coalesce('"' || CASE WHEN v_id IS NULL THEN public_key ELSE purpose END || '"', 'null')),
				HINT = 'A key is a C2SP verifier key, a purpose log or witness.';
	END IF;
	IF purpose = 'log' AND ledger.ledger_key_type(public_key) <> 1 THEN
		RAISE EXCEPTION 'key "%" makes cosignatures', v_id
			USING ERRCODE = 'LG400', DETAIL = 'A key of the log is of type 1, Ed25519.', HINT = 'Register it as witness.';
	END IF;
	-- What a range begins with must not change between two registrations.
	LOCK TABLE ledger.ledger_keys IN SHARE ROW EXCLUSIVE MODE;
	SELECT k.* INTO v_row FROM ledger.ledger_keys AS k WHERE k.key_id = v_id;
	IF FOUND THEN
		IF (v_row.public_key, v_row.purpose) = (public_key, purpose) AND v_row.retired_at IS NULL AND v_row.revoked_at IS NULL THEN
			RETURN v_row;
		END IF;
		RAISE EXCEPTION 'key "%" is registered', v_id
			USING ERRCODE = 'LG409', DETAIL = format('Its purpose is %s%s%s.', v_row.purpose,
					CASE WHEN v_row.retired_at IS NOT NULL THEN ', it was retired' ELSE '' END,
					CASE WHEN v_row.revoked_at IS NOT NULL THEN ', it was revoked' ELSE '' END),
				HINT = 'A key that ended does not come back: make another one.';
	END IF;
	v_late := purpose = 'log' AND from_start IS NOT TRUE
		AND EXISTS (SELECT FROM ledger.ledger_keys AS k WHERE k.purpose = 'log' AND k.retired_at IS NULL AND k.revoked_at IS NULL);
	INSERT INTO ledger.ledger_keys AS k (key_id, public_key, purpose) VALUES (v_id, public_key, purpose) RETURNING k.* INTO v_row;
	IF v_late THEN
		INSERT INTO ledger.ledger_key_ranges (key_id, tenant_id, chain_id, first_sequence)
		SELECT v_id, e.tenant_id, e.chain_id, e.last_sequence + 1 FROM ledger.ledger_anchored_ends(NULL) AS e;
	END IF;
	PERFORM ledger.ledger_record_key('registered', v_row, jsonb_build_object('fromStart', NOT v_late));
	RETURN v_row;
END
$$;
COMMENT ON FUNCTION ledger.ledger_register_key(text, text, boolean) IS
	'Registers the public key of a signer (log) or a witness, a C2SP verifier key, and records it. A further key of the log counts behind the newest anchor of each chain, or from its start if from_start says so; the first one counts from the start. Registering again what is registered changes nothing. LG400: malformed or weak key; LG409: retired, revoked or of another purpose. For ledger_operator.';

-- Ends a key's ranges: chains that have no row yet get one.  Never widens one.
CREATE FUNCTION ledger.ledger_end_ranges(in_key text, in_before timestamptz, in_nothing boolean) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	INSERT INTO ledger.ledger_key_ranges AS r (key_id, tenant_id, chain_id, first_sequence, last_sequence)
	SELECT in_key, e.tenant_id, e.chain_id, 1, CASE WHEN in_nothing THEN 0 ELSE e.last_sequence END
	FROM ledger.ledger_anchored_ends(in_before) AS e
	ON CONFLICT (key_id, tenant_id, chain_id) DO UPDATE
	SET last_sequence = greatest(r.first_sequence - 1, least(r.last_sequence, excluded.last_sequence))
	$$;
COMMENT ON FUNCTION ledger.ledger_end_ranges(text, timestamptz, boolean) IS
	'Ends the ranges of a key at each chain''s newest anchor, at the newest made before that time, or before they begin. Part of ledger_retire_key() and ledger_revoke_key().';

CREATE FUNCTION ledger.ledger_key_to_end(in_key text, in_reason text) RETURNS ledger.ledger_keys
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_row ledger.ledger_keys;
BEGIN
	IF in_reason IS NULL OR btrim(in_reason) = '' OR octet_length(in_reason) > 4096 THEN
		RAISE EXCEPTION 'a reason is required'
			USING ERRCODE = 'LG400', HINT = 'Say in up to 4096 bytes why the key ends.';
	END IF;
	LOCK TABLE ledger.ledger_keys IN SHARE ROW EXCLUSIVE MODE;
	SELECT k.* INTO v_row FROM ledger.ledger_keys AS k WHERE k.key_id = in_key;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'key "%" is not registered', in_key
			USING ERRCODE = 'LG404', HINT = 'SELECT key_id FROM ledger_keys lists them: <name>+<8 hex digits>.';
	END IF;
	RETURN v_row;
END
$$;
COMMENT ON FUNCTION ledger.ledger_key_to_end(text, text) IS
	'The key that is to end, with the table locked. LG400: no reason; LG404: unknown. Part of ledger_retire_key() and ledger_revoke_key().';

CREATE FUNCTION ledger.ledger_retire_key(key_id text, reason text) RETURNS ledger.ledger_keys
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
DECLARE
	v_row ledger.ledger_keys := ledger.ledger_key_to_end(key_id, reason);
BEGIN
	IF v_row.retired_at IS NOT NULL OR v_row.revoked_at IS NOT NULL THEN
		RAISE EXCEPTION 'key "%" has ended', key_id
			USING ERRCODE = 'LG409', DETAIL = CASE WHEN v_row.revoked_at IS NULL THEN 'It was retired.' ELSE 'It was revoked.' END,
				HINT = 'A retired key that is no longer trusted is revoked: ledger_revoke_key().';
	END IF;
	UPDATE ledger.ledger_keys AS k SET retired_at = clock_timestamp(), reason = reason WHERE k.key_id = key_id RETURNING k.* INTO v_row;
	IF v_row.purpose = 'log' THEN
		PERFORM ledger.ledger_end_ranges(key_id, NULL, false);
	END IF;
	PERFORM ledger.ledger_record_key('retired', v_row);
	RETURN v_row;
END
$$;
COMMENT ON FUNCTION ledger.ledger_retire_key(text, text) IS
	'Ends a key that is no longer used: what it signed up to the newest anchor of each chain stays valid, nothing after it. Recorded. LG400: no reason; LG404: unknown; LG409: it has ended. For ledger_operator.';

CREATE FUNCTION ledger.ledger_revoke_key(key_id text, reason text, trusted_until timestamptz DEFAULT NULL) RETURNS ledger.ledger_keys
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
DECLARE
	v_row ledger.ledger_keys := ledger.ledger_key_to_end(key_id, reason);
BEGIN
	UPDATE ledger.ledger_keys AS k SET revoked_at = coalesce(k.revoked_at, clock_timestamp()), reason = reason
	 WHERE k.key_id = key_id RETURNING k.* INTO v_row;
	IF v_row.purpose = 'log' THEN
		PERFORM ledger.ledger_end_ranges(key_id, trusted_until, trusted_until IS NULL);
	END IF;
	PERFORM ledger.ledger_record_key('revoked', v_row, jsonb_build_object('trustedUntil',
		to_char(trusted_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')));
	RETURN v_row;
END
$$;
COMMENT ON FUNCTION ledger.ledger_revoke_key(text, text, timestamptz) IS
	'Ends a key that can no longer be trusted: only signatures under anchors made before trusted_until count, and none without it. Of a witness none counts. Revoking again can only take away more. Recorded. LG400: no reason; LG404: unknown. For ledger_operator.';

CREATE FUNCTION ledger.ledger_signature_valid(tenant text, chain uuid, tree_size bigint, key_id text) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
	-- What was copied behind a dropped key must not be worth more than each of it.
	SELECT ledger.ledger_tenant_allowed($1) AND coalesce((
		SELECT bool_and(CASE k.purpose WHEN 'witness' THEN k.revoked_at IS NULL
			ELSE coalesce($3 BETWEEN r.first_sequence AND coalesce(r.last_sequence, $3), k.retired_at IS NULL AND k.revoked_at IS NULL) END)
		FROM ledger.ledger_keys AS k
		LEFT JOIN ledger.ledger_key_ranges AS r ON r.key_id = k.key_id AND r.tenant_id = $1 AND r.chain_id = $2
		WHERE k.key_id = $4), false)
	$$;
COMMENT ON FUNCTION ledger.ledger_signature_valid(text, uuid, bigint, text) IS
	'Does a signature of this key count under a tree of that size of that chain: is the key registered, and the size in its range? False for one that is not, and for a tenant that is not granted. Whether there is such a signature, and whether it is right, is another question.';

-- ---- sql/functions/ledger_marks.sql
-- Marks: "verified up to here", signed outside (docs/verification.md, "Marks").  The
-- next verification may start there without trusting whoever can write this database.

-- The root of a tree size, from the newest anchor before it: its frontier is only a
-- claim, which a root that is known from elsewhere proves or not.
CREATE FUNCTION ledger.ledger_root_since(in_tenant text, in_chain uuid, in_size bigint, OUT root bytea, OUT start bigint, OUT frontier bytea)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
BEGIN
	SELECT r.tree_size, r.frontier INTO start, frontier FROM ledger.ledger_merkle_roots AS r
	WHERE r.tenant_id = in_tenant AND r.chain_id = in_chain AND r.tree_size <= in_size
	ORDER BY r.tree_size DESC LIMIT 1;
	start := coalesce(start, 0);
	frontier := coalesce(frontier, '');
	SELECT t.root INTO root
	FROM ledger.ledger_tree_check(in_tenant, in_chain, ARRAY[in_size], start, frontier) AS t WHERE t.level IS NULL;
END
$$;
COMMENT ON FUNCTION ledger.ledger_root_since(text, uuid, bigint) IS
	'The root of that size as the newest anchor up to it and the leaves after that give it; NULL if they do not reach it. Part of ledger_verify_new().';

-- What a registered log key signed that counts for that tree size.
CREATE FUNCTION ledger.ledger_signed_mark(in_dsse jsonb, in_tenant text, in_chain uuid, in_size bigint) RETURNS jsonb
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT v.payload
	FROM ledger.ledger_keys AS k, LATERAL (SELECT ledger.ledger_verify_dsse(in_dsse, k.public_key) AS payload OFFSET 0) AS v
	WHERE k.purpose = 'log' AND v.payload IS NOT NULL AND ledger.ledger_signature_valid(in_tenant, in_chain, in_size, k.key_id)
	LIMIT 1
	$$;
COMMENT ON FUNCTION ledger.ledger_signed_mark(jsonb, text, uuid, bigint) IS
	'The payload of the envelope, if a log key signed it whose signature counts for that size; else NULL. Part of ledger_store_mark() and ledger_verify_new().';

-- What a mark says, as a row of the table; LG422 if it is not a mark of this log.
CREATE FUNCTION ledger.ledger_read_mark(in_dsse jsonb) RETURNS ledger.ledger_verification_marks
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_said jsonb;
	v_mark ledger.ledger_verification_marks;
BEGIN
	BEGIN
		v_said := convert_from(decode(in_dsse ->> 'payload', 'base64'), 'UTF8')::jsonb;
		v_mark := ROW(v_said ->> 'tenant', v_said ->> 'chainId', v_said -> 'treeSize', v_said ->> 'mode',
			decode(v_said ->> 'rootHash', 'hex'), v_said ->> 'verifiedAt', in_dsse);
	EXCEPTION WHEN data_exception THEN
		v_said := NULL;
	END;
	IF (in_dsse ->> 'payloadType' = 'application/vnd.stella-ledger-verified+json' AND v_said ->> 'schemaVersion' = 'ledger.verified.v1'
		AND v_mark.tenant_id IS NOT NULL AND v_mark.chain_id IS NOT NULL AND v_mark.tree_size > 0 AND v_mark.mode IN ('full', 'incremental')
		AND octet_length(v_mark.root_hash) = 32 AND isfinite(v_mark.verified_at)) IS NOT TRUE THEN
		RAISE EXCEPTION 'this is no mark'
			USING ERRCODE = 'LG422', HINT = 'A mark is a DSSE envelope that ledgerctl verify signs (docs/verification.md).';
	END IF;
	IF v_said ->> 'origin' IS DISTINCT FROM (SELECT s.origin FROM ledger.ledger_settings AS s) THEN
		RAISE EXCEPTION 'the mark is of another log'
			USING ERRCODE = 'LG422', DETAIL = format('Its origin is "%s".', v_said ->> 'origin'), HINT = 'ledger_settings.origin names this log.';
	END IF;
	RETURN v_mark;
END
$$;
COMMENT ON FUNCTION ledger.ledger_read_mark(jsonb) IS
	'A mark''s payload as a row of ledger_verification_marks, signature and root not checked. LG422: no mark, or of another log. Part of ledger_store_mark().';

CREATE FUNCTION ledger.ledger_store_mark(dsse jsonb) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
DECLARE
	v_mark ledger.ledger_verification_marks := ledger.ledger_read_mark(dsse);
	v_root bytea;
BEGIN
	IF NOT ledger.ledger_tenant_allowed(v_mark.tenant_id) THEN
		RAISE EXCEPTION 'role may not touch tenant "%"', v_mark.tenant_id
			USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
	END IF;
	IF ledger.ledger_signed_mark(dsse, v_mark.tenant_id, v_mark.chain_id, v_mark.tree_size) IS NULL THEN
		RAISE EXCEPTION 'no registered log key that counts signed the mark'
			USING ERRCODE = 'LG422', HINT = 'Register the key with ledger_register_key(), or sign with one that is.';
	END IF;
	v_root := (SELECT r.root FROM ledger.ledger_root_since(v_mark.tenant_id, v_mark.chain_id, v_mark.tree_size) AS r);
	IF v_root IS DISTINCT FROM v_mark.root_hash THEN
		RAISE EXCEPTION 'the tree of size % does not have the root that the mark names', v_mark.tree_size
			USING ERRCODE = 'LG422', DETAIL = format('It has %s.', coalesce(encode(v_root, 'hex'), 'none')), HINT = 'Verify again.';
	END IF;
	INSERT INTO ledger.ledger_verification_marks SELECT v_mark.* ON CONFLICT DO NOTHING;
	RETURN FOUND;
END
$$;
COMMENT ON FUNCTION ledger.ledger_store_mark(jsonb) IS
	'Keeps a signed mark "verified up to here" (DSSE envelope, docs/verification.md); false if it is there already. LG403: tenant not granted; LG422: no mark of this log, not signed by a log key that counts, or the present tree has another root at that size.';

-- Of each chain with events, anchors or registration the newest mark that a key signed.
CREATE FUNCTION ledger.ledger_newest_marks(in_tenant text)
	RETURNS TABLE (tenant_id text, chain_id uuid, tree_size bigint, root_hash bytea)
	LANGUAGE sql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	WITH RECURSIVE stored (tenant_id, chain_id) AS (
		-- The registry may have lost a chain: those of the events are found by leaps through the key.
		(SELECT e.tenant_id, e.chain_id FROM ledger.ledger_events AS e
		 WHERE in_tenant IS NULL OR e.tenant_id = in_tenant ORDER BY e.tenant_id, e.chain_id LIMIT 1)
		UNION ALL
		SELECT n.tenant_id, n.chain_id FROM stored AS c, LATERAL (
			SELECT e.tenant_id, e.chain_id FROM ledger.ledger_events AS e
			WHERE (e.tenant_id, e.chain_id) > (c.tenant_id, c.chain_id) AND (in_tenant IS NULL OR e.tenant_id = in_tenant)
			ORDER BY e.tenant_id, e.chain_id LIMIT 1) AS n),
	chain AS (
		SELECT s.tenant_id, s.chain_id FROM stored AS s
		UNION SELECT c.tenant_id, c.chain_id FROM ledger.ledger_chains AS c
		UNION SELECT r.tenant_id, r.chain_id FROM ledger.ledger_merkle_roots AS r
		UNION SELECT t.tenant_id, t.chain_id FROM ledger.ledger_merkle_tiles AS t
		UNION SELECT g.tenant_id, g.chain_id FROM ledger.ledger_merkle_edge AS g
		UNION SELECT k.tenant_id, k.chain_id FROM ledger.ledger_verification_marks AS k)
	SELECT c.tenant_id, c.chain_id, m.tree_size, m.root_hash
	FROM chain AS c
	LEFT JOIN LATERAL (
		SELECT k.tree_size, k.root_hash FROM ledger.ledger_verification_marks AS k
		WHERE k.tenant_id = c.tenant_id AND k.chain_id = c.chain_id
			AND k.dsse ->> 'payloadType' = 'application/vnd.stella-ledger-verified+json'
			-- The signed words decide, not the columns beside them.
			AND (SELECT (p.said ->> 'tenant', p.said ->> 'chainId', p.said ->> 'treeSize', p.said ->> 'rootHash', p.said ->> 'schemaVersion')
					= (k.tenant_id, k.chain_id::text, k.tree_size::text, encode(k.root_hash, 'hex'), 'ledger.verified.v1')
			     FROM ledger.ledger_signed_mark(k.dsse, k.tenant_id, k.chain_id, k.tree_size) AS p (said))
		ORDER BY k.tree_size DESC, k.mode, k.verified_at DESC LIMIT 1) AS m ON true
	WHERE in_tenant IS NULL OR c.tenant_id = in_tenant
	$$;
COMMENT ON FUNCTION ledger.ledger_newest_marks(text) IS
	'All chains, with size and root of the newest mark that a counting key signed and that says what its row says; NULL without one. Part of ledger_verify_new().';

-- One chain after its mark.  The tree must still have the mark's root; if the newest
-- anchor cannot show that, all leaves are asked.
CREATE FUNCTION ledger.ledger_verify_since(in_tenant text, in_chain uuid, in_size bigint, in_root bytea)
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
DECLARE
	v_tree  record;
	v_root  bytea;
	v_head  bigint := (SELECT max(e.sequence_no) FROM ledger.ledger_events AS e WHERE e.tenant_id = in_tenant AND e.chain_id = in_chain);
	v_found jsonb := '[]';
BEGIN
	SELECT * INTO v_tree FROM ledger.ledger_root_since(in_tenant, in_chain, in_size);
	IF v_tree.root IS DISTINCT FROM in_root THEN
		SELECT t.root INTO v_root FROM ledger.ledger_tree_check(in_tenant, in_chain, ARRAY[in_size]) AS t WHERE t.level IS NULL;
		IF v_head IS NULL THEN
			RETURN QUERY SELECT in_tenant, in_chain, NULL::bigint, 'missing_chain', format('a mark of size %s is known, and the chain has no events', in_size);
		ELSIF in_size > v_head THEN
			RETURN QUERY SELECT in_tenant, in_chain, v_head + 1, 'truncated', format('verified up to %s, and the chain ends at %s', in_size, v_head);
		ELSIF v_root <> in_root THEN
			RETURN QUERY SELECT in_tenant, in_chain, 1::bigint, 'rewritten', format('an event between 1 and %s is not the one that was verified', in_size);
		END IF;
		-- The mark helps no more; whatever else is wrong is found from the start.
		RETURN QUERY SELECT v.tenant_id, v.chain_id, v.sequence_no, v.kind, v.detail
			FROM ledger.ledger_verify_all(in_tenant, in_chain, NULL, NULL, false) AS v WHERE v.kind IS NOT NULL;
		RETURN;
	END IF;
	SELECT coalesce(jsonb_agg(v), '[]') INTO v_found
	FROM ledger.ledger_verify_all(in_tenant, in_chain, in_size + 1, NULL, false) AS v WHERE v.kind IS NOT NULL;
	RETURN QUERY SELECT f.tenant_id, f.chain_id, f.sequence_no, f.kind, f.detail
		FROM jsonb_to_recordset(v_found) AS f (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text);
	RETURN QUERY SELECT a.tenant_id, a.chain_id, a.sequence_no, a.kind, a.detail
		FROM ledger.ledger_verify_anchors(in_tenant, in_chain,
			(SELECT coalesce(jsonb_agg(jsonb_build_object('tenant_id', in_tenant, 'chain_id', in_chain, 'moved', f ->> 'kind' IN ('reordered', 'envelope_edited'))), '[]')
			 FROM jsonb_array_elements(v_found) AS f WHERE f ->> 'kind' NOT IN ('payload_edited', 'payload_missing')),
			jsonb_build_array(jsonb_build_object('tenant_id', in_tenant, 'chain_id', in_chain, 'tree_size', in_size,
				'start', v_tree.start, 'frontier', encode(v_tree.frontier, 'hex')))) AS a
		WHERE a.kind IS NOT NULL;
END
$$;
COMMENT ON FUNCTION ledger.ledger_verify_since(text, uuid, bigint, bytea) IS
	'Findings about a chain after a mark of that size and root. Part of ledger_verify_new().';

CREATE FUNCTION ledger.ledger_verify_new(tenant text DEFAULT NULL)
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER ROWS 10
	SET search_path = pg_catalog, pg_temp SET jit = off
	SET row_security = on
	AS $$
#variable_conflict use_column
DECLARE
	v_chain record;
BEGIN
	PERFORM ledger.ledger_require_subject($1, NULL, NULL, NULL);
	FOR v_chain IN SELECT m.* FROM ledger.ledger_newest_marks($1) AS m ORDER BY m.tenant_id, m.chain_id
	LOOP
		IF v_chain.tree_size IS NULL THEN
			RETURN QUERY SELECT v.tenant_id, v.chain_id, v.sequence_no, v.kind, v.detail
				FROM ledger.ledger_verify_all(v_chain.tenant_id, v_chain.chain_id, NULL, NULL, false) AS v WHERE v.kind IS NOT NULL;
		ELSE
			RETURN QUERY SELECT s.* FROM ledger.ledger_verify_since(v_chain.tenant_id, v_chain.chain_id, v_chain.tree_size, v_chain.root_hash) AS s;
		END IF;
	END LOOP;
	IF $1 IS NULL THEN
		RETURN QUERY SELECT g.tenant_id, NULL::uuid, NULL::bigint, g.kind, g.detail FROM ledger.ledger_verify_guards(true) AS g;
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_verify_new(text) IS
	'As ledger_verify(), of a tenant or (NULL) of everything, but only what came after each chain''s newest signed mark, whose root the tree must still have; chains without a mark are verified from their start. Projections are not compared. LG403: tenant not granted; LG404: no such tenant.';

-- ---- sql/functions/ledger_proofs.sql
-- Proofs and checkpoints.  A tree covers what is committed, durable and replicated
-- (ledger_tree_head()), under the snapshot of the calling statement: a proof of an
-- event that may still vanish would accuse the ledger of a crime it did not commit.

-- The line that names a chain's tree in checkpoints (docs/formats.md section 6).
CREATE FUNCTION ledger.ledger_checkpoint_origin(tenant text, chain uuid) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT s.origin || '/' || $1 || '/' || $2::text FROM ledger.ledger_settings AS s
	$$;
COMMENT ON FUNCTION ledger.ledger_checkpoint_origin(text, uuid) IS
	'First line of a chain''s checkpoints: <origin>/<tenant>/<chain id>.';

-- Who asks, and for what: then how far the chain may be testified to.
CREATE FUNCTION ledger.ledger_proof_head(in_tenant text, in_chain uuid) RETURNS bigint
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF in_tenant IS NULL OR in_chain IS NULL THEN
		RAISE EXCEPTION 'tenant and chain are required' USING ERRCODE = 'LG400';
	END IF;
	IF NOT ledger.ledger_tenant_allowed(in_tenant) THEN
		RAISE EXCEPTION 'role may not touch tenant "%"', in_tenant
			USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
	END IF;
	IF NOT EXISTS (SELECT FROM ledger.ledger_chains AS c WHERE c.tenant_id = in_tenant AND c.chain_id = in_chain) THEN
		RAISE EXCEPTION 'chain % does not exist', in_chain
			USING ERRCODE = 'LG404', DETAIL = format('Tenant "%s" has no chain of that id.', in_tenant),
				HINT = 'ledger_chain_id(tenant, policy version) gives the id of a chain that was not chosen.';
	END IF;
	RETURN ledger.ledger_tree_head(in_tenant, in_chain);
END
$$;
COMMENT ON FUNCTION ledger.ledger_proof_head(text, uuid) IS
	'The durable head of a chain that the role may touch: LG400 if an argument is null, LG403 if the tenant is not granted, LG404 if the chain does not exist. Part of the functions that prove.';

CREATE FUNCTION ledger.ledger_require_size(in_name text, in_size bigint, in_least bigint, in_head bigint) RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	IF in_size BETWEEN in_least AND in_head THEN
		RETURN;
	END IF;
	IF in_head < in_least THEN
		RAISE EXCEPTION 'there is no event to prove yet'
			USING ERRCODE = 'LG400', HINT = 'An event counts once the transaction that wrote it has committed and is durable.';
	END IF;
	RAISE EXCEPTION '% must be between % and %', in_name, in_least, in_head
		USING ERRCODE = 'LG400', DETAIL = format('It is %s.', coalesce(in_size::text, 'null')),
			HINT = 'An event counts once the transaction that wrote it has committed and is durable.';
END
$$;
COMMENT ON FUNCTION ledger.ledger_require_size(text, bigint, bigint, bigint) IS
	'LG400 if a size or sequence is not between the least and the greatest. Part of the functions that prove.';

CREATE FUNCTION ledger.ledger_chain_root(tenant text, chain uuid, tree_size bigint DEFAULT NULL) RETURNS bytea
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp SET row_security = on
	AS $$
DECLARE
	v_head bigint := ledger.ledger_proof_head($1, $2);
	v_size bigint := coalesce($3, v_head);
BEGIN
	PERFORM ledger.ledger_require_size('tree_size', v_size, 0, v_head);
	RETURN ledger.ledger_tree_root($1, $2, v_size);
END
$$;
COMMENT ON FUNCTION ledger.ledger_chain_root(text, uuid, bigint) IS
	'RFC 6962 root of a chain''s tree of that size; without a size, of all its durable events. LG400: there is no such tree; LG403: tenant not granted; LG404: no such chain.';

CREATE FUNCTION ledger.ledger_inclusion_proof(
	tenant text, chain uuid, sequence_no bigint, tree_size bigint DEFAULT NULL) RETURNS bytea[]
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp SET row_security = on
	AS $$
DECLARE
	v_head bigint := ledger.ledger_proof_head($1, $2);
	v_size bigint := coalesce($4, v_head);
BEGIN
	PERFORM ledger.ledger_require_size('tree_size', v_size, 0, v_head);
	PERFORM ledger.ledger_require_size('sequence_no', $3, 1, v_size);
	RETURN ledger.ledger_tree_inclusion($1, $2, $3 - 1, v_size);
END
$$;
COMMENT ON FUNCTION ledger.ledger_inclusion_proof(text, uuid, bigint, bigint) IS
	'Inclusion proof (RFC 9162 section 2.1.3) of the event of that sequence, leaf index sequence_no - 1, in the tree of that size; without a size, of all durable events. LG400: there is no such tree or leaf; LG403: tenant not granted; LG404: no such chain.';

CREATE FUNCTION ledger.ledger_consistency_proof(tenant text, chain uuid, size1 bigint, size2 bigint) RETURNS bytea[]
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp SET row_security = on
	AS $$
DECLARE
	v_head bigint := ledger.ledger_proof_head($1, $2);
	v_size bigint := coalesce($4, v_head);
BEGIN
	PERFORM ledger.ledger_require_size('size2', v_size, 1, v_head);
	PERFORM ledger.ledger_require_size('size1', $3, 1, v_size);
	RETURN ledger.ledger_tree_consistency($1, $2, $3, v_size);
END
$$;
COMMENT ON FUNCTION ledger.ledger_consistency_proof(text, uuid, bigint, bigint) IS
	'Consistency proof (RFC 9162 section 2.1.4) that the tree of size1 is the beginning of the tree of size2 (NULL: of all durable events). Empty between equal sizes. LG400: there is no such tree; LG403: tenant not granted; LG404: no such chain.';

CREATE FUNCTION ledger.ledger_checkpoint(tenant text, chain uuid, tree_size bigint DEFAULT NULL) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp SET row_security = on
	AS $$
DECLARE
	v_head   bigint := ledger.ledger_proof_head($1, $2);
	v_size   bigint := coalesce($3, v_head);
	v_stored text;
BEGIN
	PERFORM ledger.ledger_require_size('tree_size', v_size, 0, v_head);
	SELECT r.checkpoint INTO v_stored FROM ledger.ledger_merkle_roots AS r
	WHERE r.tenant_id = $1 AND r.chain_id = $2 AND ($3 IS NULL OR r.tree_size = $3)
	ORDER BY r.tree_size DESC LIMIT 1;
	RETURN coalesce(v_stored, ledger.ledger_checkpoint_text(
		ledger.ledger_checkpoint_origin($1, $2), v_size, ledger.ledger_tree_root($1, $2, v_size)));
END
$$;
COMMENT ON FUNCTION ledger.ledger_checkpoint(text, uuid, bigint) IS
	'Checkpoint (C2SP tlog-checkpoint) of a chain''s tree of that size: the anchor''s, a signed note once it is signed, if that size was anchored, else the text alone. Without a size: that of the newest anchor, or of all durable events while there is none. LG400: there is no such tree; LG403: tenant not granted; LG404: no such chain.';

-- The newest anchor of a chain from that size on, with a signature that counts: a bundle
-- signed by a revoked key alone would convince nobody.
CREATE FUNCTION ledger.ledger_signed_anchor(in_tenant text, in_chain uuid, in_sequence bigint, OUT tree_size bigint,
	OUT root_hash bytea, OUT checkpoint text)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT r.tree_size, r.root_hash, r.checkpoint FROM ledger.ledger_merkle_roots AS r
	WHERE r.tenant_id = in_tenant AND r.chain_id = in_chain AND r.tree_size >= in_sequence
		AND EXISTS (SELECT FROM ledger.ledger_note_keys(r.checkpoint) AS line (key_id)
			JOIN ledger.ledger_keys AS k ON k.key_id = line.key_id AND k.purpose = 'log'
			WHERE ledger.ledger_signature_valid(r.tenant_id, r.chain_id, r.tree_size, k.key_id))
	ORDER BY r.tree_size DESC LIMIT 1
	$$;
COMMENT ON FUNCTION ledger.ledger_signed_anchor(text, uuid, bigint) IS
	'The newest signed anchor of a chain that covers a sequence; NULLs if there is none. Part of ledger_proof_bundle().';

CREATE FUNCTION ledger.ledger_proof_bundle(tenant text, event_id uuid) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp SET row_security = on
	AS $$
DECLARE
	v_event  record;
	v_anchor record;
	v_proof  bytea[];
BEGIN
	IF $1 IS NULL OR $2 IS NULL THEN
		RAISE EXCEPTION 'tenant and event_id are required' USING ERRCODE = 'LG400';
	END IF;
	IF NOT ledger.ledger_tenant_allowed($1) THEN
		RAISE EXCEPTION 'role may not touch tenant "%"', $1
			USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
	END IF;
	-- Planned for this tenant: a plan for any would lock the leaves of all.
	EXECUTE 'SELECT e.chain_id, e.sequence_no, e.merkle_leaf_hash FROM ledger.ledger_events AS e WHERE e.tenant_id = $1 AND e.event_id = $2'
		INTO v_event USING $1, $2;
	IF v_event.sequence_no IS NULL THEN
		RAISE EXCEPTION 'event % does not exist', $2
			USING ERRCODE = 'LG404', DETAIL = format('Tenant "%s" has no event of that id.', $1);
	END IF;
	SELECT * INTO v_anchor FROM ledger.ledger_signed_anchor($1, v_event.chain_id, v_event.sequence_no);
	IF v_anchor.tree_size IS NULL THEN
		RAISE EXCEPTION 'no signed checkpoint covers event % yet', $2
			USING ERRCODE = 'LG404', DETAIL = format('It is sequence %s of chain %s.', v_event.sequence_no, v_event.chain_id),
				HINT = 'ledger_anchor_tick() anchors what is due, and ledgerctl anchor signs it; ask again after that.';
	END IF;
	-- The anchored tree was durable when it was anchored; the proof is computed from what lies here now.
	v_proof := ledger.ledger_tree_inclusion($1, v_event.chain_id, v_event.sequence_no - 1, v_anchor.tree_size);
	IF NOT ledger.ledger_verify_inclusion(v_event.merkle_leaf_hash, v_event.sequence_no - 1, v_anchor.tree_size, v_proof, v_anchor.root_hash) THEN
		RAISE EXCEPTION 'the tree no longer leads to the root that was anchored at size %', v_anchor.tree_size
			USING ERRCODE = 'LG500', DETAIL = format('Tenant "%s", chain %s.', $1, v_event.chain_id),
				HINT = 'Run ledger_verify(), and keep the evidence.';
	END IF;
	RETURN ledger.ledger_proof_text(v_event.sequence_no - 1, v_proof, v_anchor.checkpoint);
END
$$;
COMMENT ON FUNCTION ledger.ledger_proof_bundle(text, uuid) IS
	'Proof bundle (C2SP tlog-proof) of an event: its index, inclusion proof, and the newest signed checkpoint that covers it. With the event''s envelope and the public key it is verified without any database (ledgerctl verify-proof). LG403: tenant not granted; LG404: no such event, or no signed checkpoint covers it yet; LG500: the tree does not lead to the anchored root.';

-- ---- sql/functions/ledger_anchor_store.sql
-- What comes back from outside: signatures, receipts, and word of failures.  The
-- database holds no private key, so it believes nobody: what does not verify with a
-- registered key is not stored.

CREATE FUNCTION ledger.ledger_unsigned_anchors(key_id text) RETURNS SETOF ledger.ledger_merkle_roots
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
DECLARE
	v_chain  record;
	v_anchor record;
	v_signed bigint;
	v_first  bigint;
BEGIN
	IF NOT EXISTS (SELECT FROM ledger.ledger_keys AS k WHERE k.key_id = key_id AND k.purpose = 'log') THEN
		RAISE EXCEPTION 'key "%" is not registered as a key of the log', key_id
			USING ERRCODE = 'LG404', HINT = 'An operator registers it with ledger_register_key().';
	END IF;
	IF EXISTS (SELECT FROM ledger.ledger_keys AS k WHERE k.key_id = key_id AND k.revoked_at IS NOT NULL) THEN
		RETURN;
	END IF;
	FOR v_chain IN
		SELECT c.tenant_id, c.chain_id FROM ledger.ledger_chains AS c
		WHERE c.last_anchored_sequence IS NOT NULL ORDER BY c.tenant_id, c.chain_id
	LOOP
		-- Before its range a key signs nothing: one that came late need not walk through the past.
		v_first := coalesce((SELECT g.first_sequence FROM ledger.ledger_key_ranges AS g
			WHERE g.key_id = key_id AND g.tenant_id = v_chain.tenant_id AND g.chain_id = v_chain.chain_id), 1);
		-- A signer goes from old to new, so behind its newest signature nothing is left to do.
		v_signed := 0;
		FOR v_anchor IN
			SELECT r.tree_size, r.checkpoint FROM ledger.ledger_merkle_roots AS r
			WHERE r.tenant_id = v_chain.tenant_id AND r.chain_id = v_chain.chain_id AND r.tree_size >= v_first
			ORDER BY r.tree_size DESC
		LOOP
			v_signed := v_anchor.tree_size;
			EXIT WHEN EXISTS (SELECT FROM ledger.ledger_note_keys(v_anchor.checkpoint) AS line (key) WHERE line.key = key_id);
			v_signed := 0;
		END LOOP;
		RETURN QUERY
		SELECT r.* FROM ledger.ledger_merkle_roots AS r
		WHERE r.tenant_id = v_chain.tenant_id AND r.chain_id = v_chain.chain_id AND r.tree_size > v_signed AND r.tree_size >= v_first
			AND ledger.ledger_signature_valid(r.tenant_id, r.chain_id, r.tree_size, key_id)
		ORDER BY r.tree_size;
	END LOOP;
END
$$;
COMMENT ON FUNCTION ledger.ledger_unsigned_anchors(text) IS
	'Anchors of the granted tenants, in the key''s range, behind the newest that it signed, in the order in which they are to be signed. None for a revoked key. LG404: no such key of the log. For ledger_anchorer.';

CREATE FUNCTION ledger.ledger_anchor_to_store(in_tenant text, in_anchor uuid) RETURNS ledger.ledger_merkle_roots
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_row ledger.ledger_merkle_roots;
BEGIN
	IF in_tenant IS NULL OR in_anchor IS NULL THEN
		RAISE EXCEPTION 'tenant and anchor_id are required' USING ERRCODE = 'LG400', HINT = 'Pass those of an anchor.';
	END IF;
	IF NOT ledger.ledger_tenant_allowed(in_tenant) THEN
		RAISE EXCEPTION 'role may not touch tenant "%"', in_tenant
			USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
	END IF;
	SELECT r.* INTO v_row FROM ledger.ledger_merkle_roots AS r
	WHERE r.tenant_id = in_tenant AND r.anchor_id = in_anchor FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'anchor % does not exist', in_anchor
			USING ERRCODE = 'LG404', DETAIL = format('Tenant "%s" has no anchor of that id.', in_tenant);
	END IF;
	RETURN v_row;
END
$$;
COMMENT ON FUNCTION ledger.ledger_anchor_to_store(text, uuid) IS
	'The anchor that something is to be added to, locked. LG400: null; LG403: tenant not granted; LG404: no such anchor. Part of ledger_store_signature() and ledger_store_receipt().';

-- The line by itself is judged, not the checkpoint with it: what others have signed
-- there must not vouch for it.  Returns the key's id.
CREATE FUNCTION ledger.ledger_judge_line(in_anchor ledger.ledger_merkle_roots, in_line text, in_purpose text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_note  text := coalesce(ledger.ledger_note_text(in_anchor.checkpoint), in_anchor.checkpoint) || E'\n' || rtrim(in_line, E'\n') || E'\n';
	v_lines text[] := ARRAY(SELECT ledger.ledger_note_keys(v_note));
	v_key   ledger.ledger_keys;
	v_fault text;
BEGIN
	SELECT k.* INTO v_key FROM ledger.ledger_keys AS k WHERE k.key_id = v_lines[1] AND k.purpose = in_purpose;
	v_fault := CASE
		WHEN cardinality(v_lines) <> 1 THEN 'It is not one signature line.'
		WHEN v_key.key_id IS NULL THEN format('Key "%s" is not registered as %s.', v_lines[1], in_purpose)
		WHEN v_key.revoked_at IS NOT NULL THEN format('Key "%s" was revoked.', v_key.key_id)
		WHEN NOT ledger.ledger_signature_valid(in_anchor.tenant_id, in_anchor.chain_id, in_anchor.tree_size, v_key.key_id)
		THEN format('Key "%s" does not count for size %s of this chain.', v_key.key_id, in_anchor.tree_size)
		WHEN NOT ledger.ledger_verify_note(v_note, v_key.public_key)
		THEN format('It is no signature of key "%s" on the checkpoint of size %s.', v_key.key_id, in_anchor.tree_size) END;
	IF v_fault IS NOT NULL THEN
		RAISE EXCEPTION 'signature line is not valid'
			USING ERRCODE = 'LG422', DETAIL = v_fault, HINT = CASE WHEN cardinality(v_lines) = 1 AND v_key.key_id IS NULL
				THEN format('An operator registers it: ledger_register_key(public key, %L).', in_purpose)
				ELSE 'Sign the checkpoint of this anchor, to its last newline, with a registered key.' END;
	END IF;
	RETURN v_key.key_id;
END
$$;
COMMENT ON FUNCTION ledger.ledger_judge_line(ledger.ledger_merkle_roots, text, text) IS
	'The id of the key that made a signature line, or LG422: it is not one valid line of a key of that purpose that counts for the anchor. Part of ledger_store_signature() and ledger_store_receipt().';

-- An unsigned checkpoint ends with its text; the first line brings the empty line before it.
CREATE FUNCTION ledger.ledger_add_line(in_checkpoint text, in_line text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT in_checkpoint || CASE WHEN ledger.ledger_note_text(in_checkpoint) IS NULL THEN E'\n' ELSE '' END || rtrim(in_line, E'\n') || E'\n'
	$$;
COMMENT ON FUNCTION ledger.ledger_add_line(text, text) IS
	'A checkpoint with one signature line more.';

CREATE FUNCTION ledger.ledger_store_signature(tenant text, anchor_id uuid, line text, dsse_signature jsonb) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
DECLARE
	v_anchor ledger.ledger_merkle_roots := ledger.ledger_anchor_to_store(tenant, anchor_id);
	v_key    text := ledger.ledger_judge_line(v_anchor, coalesce(line, ''), 'log');
	v_public text := (SELECT k.public_key FROM ledger.ledger_keys AS k WHERE k.key_id = v_key);
	v_noted  boolean := v_key IN (SELECT ledger.ledger_note_keys(v_anchor.checkpoint));
	v_stated boolean := EXISTS (SELECT FROM jsonb_array_elements(v_anchor.dsse -> 'signatures') AS s WHERE s ->> 'keyid' = v_key);
BEGIN
	IF dsse_signature ->> 'keyid' IS DISTINCT FROM v_key
		OR ledger.ledger_verify_dsse(jsonb_set(v_anchor.dsse, '{signatures}', jsonb_build_array(dsse_signature)), v_public) IS NULL THEN
		RAISE EXCEPTION 'dsse_signature is not valid'
			USING ERRCODE = 'LG422', DETAIL = format('It is no signature of key "%s" on the statement of anchor %s.', v_key, anchor_id),
				HINT = 'An object with keyid and sig, by the key that signed the checkpoint.';
	END IF;
	IF v_noted AND v_stated THEN
		RETURN false;
	END IF;
	UPDATE ledger.ledger_merkle_roots AS r
	   SET checkpoint = CASE WHEN v_noted THEN r.checkpoint ELSE ledger.ledger_add_line(r.checkpoint, line) END,
		dsse = CASE WHEN v_stated THEN r.dsse ELSE jsonb_insert(r.dsse, '{signatures,-1}',
			jsonb_build_object('keyid', v_key, 'sig', dsse_signature -> 'sig'), true) END
	 WHERE r.tenant_id = v_anchor.tenant_id AND r.chain_id = v_anchor.chain_id AND r.tree_size = v_anchor.tree_size;
	PERFORM ledger.ledger_commit_firmly();
	RETURN true;
END
$$;
COMMENT ON FUNCTION ledger.ledger_store_signature(text, uuid, text, jsonb) IS
	'Adds a signature to an anchor''s checkpoint (line) and statement (dsse_signature: keyid and sig), by one registered key of the log that counts there. False if the key has signed it already. LG403: tenant not granted; LG404: no such anchor; LG422: a signature does not verify. For ledger_anchorer.';

CREATE FUNCTION ledger.ledger_store_receipt(tenant text, anchor_id uuid, kind text, name text, reference text, receipt bytea) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
DECLARE
	v_anchor ledger.ledger_merkle_roots := ledger.ledger_anchor_to_store(tenant, anchor_id);
	v_line   text;
	v_key    text;
BEGIN
	IF kind NOT IN ('worm', 'tsa', 'witness', 'airgap') OR name = '' OR octet_length(name) > 512 OR octet_length(reference) > 1024
		OR NOT starts_with(reference, kind || '::') OR length(reference) = length(kind) + 2 OR length(receipt) = 0
		OR kind IS NULL OR name IS NULL OR reference IS NULL OR receipt IS NULL THEN
		RAISE EXCEPTION 'receipt is not valid'
			USING ERRCODE = 'LG400', DETAIL = format('kind is %s, name %s, reference %s, of %s bytes.', coalesce(kind, 'null'), coalesce(left(name, 80), 'null'),
					coalesce(left(reference, 80), 'null'), coalesce(length(receipt)::text, 'null')),
				HINT = 'kind is worm, tsa, witness or airgap; the reference starts with it and two colons; the receipt is not empty.';
	END IF;
	IF kind = 'witness' THEN
		BEGIN
			v_line := convert_from(receipt, 'UTF8');
		EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
			v_line := '';
		END;
		v_key := ledger.ledger_judge_line(v_anchor, v_line, 'witness');
	END IF;
	INSERT INTO ledger.ledger_anchor_receipts AS a (tenant_id, anchor_id, kind, name, reference, receipt)
	VALUES (tenant, anchor_id, kind, name, reference, receipt) ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	UPDATE ledger.ledger_merkle_roots AS r
	   SET anchor_reference = coalesce(r.anchor_reference, reference),
		checkpoint = CASE WHEN v_key IS NULL OR v_key IN (SELECT ledger.ledger_note_keys(r.checkpoint)) THEN r.checkpoint
			ELSE ledger.ledger_add_line(r.checkpoint, v_line) END
	 WHERE r.tenant_id = v_anchor.tenant_id AND r.chain_id = v_anchor.chain_id AND r.tree_size = v_anchor.tree_size;
	PERFORM ledger.ledger_commit_firmly();
	RETURN true;
END
$$;
COMMENT ON FUNCTION ledger.ledger_store_receipt(text, uuid, text, text, text, bytea) IS
	'Stores what an external anchor answered: a time stamp token, the SHA-256 of a file, or a witness'' cosignature line, which must verify with a registered witness key and is also added to the checkpoint. False if that anchor has one of this kind and name. LG400: malformed; LG403: tenant not granted; LG404: no such anchor; LG422: the cosignature does not verify. For ledger_anchorer.';

CREATE FUNCTION ledger.ledger_record_anchor_failure(tenant text, reason text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
BEGIN
	IF tenant IS NULL OR reason IS NULL OR reason !~ '^[a-z0-9_]{1,63}$' THEN
		RAISE EXCEPTION 'tenant and reason are required'
			USING ERRCODE = 'LG400', DETAIL = format('reason is %s.', coalesce('"' || left(reason, 80) || '"', 'null')),
				HINT = 'A reason is one word of up to 63 lower-case letters, digits and underscores.';
	END IF;
	IF NOT ledger.ledger_tenant_allowed(tenant) THEN
		RAISE EXCEPTION 'role may not touch tenant "%"', tenant
			USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
	END IF;
	PERFORM ledger.ledger_count_failure(tenant, reason);
END
$$;
COMMENT ON FUNCTION ledger.ledger_record_anchor_failure(text, text) IS
	'Counts a failure to sign or to anchor outside, for ledger_merkle_anchor_failures_total; behind 32 reasons of a tenant as "other". LG400: malformed reason; LG403: tenant not granted. For ledger_anchorer.';

-- ---- sql/functions/ledger_anchor_metrics.sql
-- What a monitor scrapes, in the terms of Prometheus.
CREATE FUNCTION ledger.ledger_anchor_metrics()
	RETURNS TABLE (metric text, labels jsonb, value double precision)
	LANGUAGE sql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	-- It is asked every few seconds, and compiling would take longer than what is compiled.
	SET search_path = pg_catalog, pg_temp SET jit = off
	SET row_security = on
	AS $$
	WITH stats AS (
		SELECT s.* FROM ledger.ledger_anchor_stats AS s
	), heads AS MATERIALIZED (
		SELECT c.tenant_id, c.chain_id, coalesce(c.last_anchored_sequence, 0) AS anchored, h.sequence_no AS head
		FROM ledger.ledger_chains AS c CROSS JOIN LATERAL (
			SELECT e.sequence_no FROM ledger.ledger_events AS e
			WHERE e.tenant_id = c.tenant_id AND e.chain_id = c.chain_id ORDER BY e.sequence_no DESC LIMIT 1) AS h
	), newest AS (
		-- Of each chain, which may have any number of anchors.
		SELECT c.tenant_id, a.anchored_at
		FROM ledger.ledger_chains AS c CROSS JOIN LATERAL (
			SELECT r.anchored_at FROM ledger.ledger_merkle_roots AS r
			WHERE r.tenant_id = c.tenant_id AND r.chain_id = c.chain_id ORDER BY r.tree_size DESC LIMIT 1) AS a
	), marks AS (
		-- The newest full verification of each chain, and how far it went.
		SELECT DISTINCT ON (m.tenant_id, m.chain_id) m.tenant_id, m.chain_id, m.tree_size, m.verified_at
		FROM ledger.ledger_verification_marks AS m WHERE m.mode = 'full'
		ORDER BY m.tenant_id, m.chain_id, m.verified_at DESC
	)
	SELECT 'ledger_merkle_anchor_duration_seconds_bucket', jsonb_build_object('tenant', s.tenant_id, 'le', b.bound::text), coalesce(s.buckets[b.n], 0)
	FROM stats AS s, unnest(ledger.ledger_anchor_buckets()) WITH ORDINALITY AS b (bound, n)
	UNION ALL
	SELECT 'ledger_merkle_anchor_duration_seconds_bucket', jsonb_build_object('tenant', s.tenant_id, 'le', '+Inf'), s.anchors FROM stats AS s
	UNION ALL
	SELECT 'ledger_merkle_anchor_duration_seconds_sum', jsonb_build_object('tenant', s.tenant_id), s.duration_seconds FROM stats AS s
	UNION ALL
	SELECT 'ledger_merkle_anchor_duration_seconds_count', jsonb_build_object('tenant', s.tenant_id), s.anchors FROM stats AS s
	UNION ALL
	SELECT 'ledger_merkle_anchor_failures_total', jsonb_build_object('tenant', s.tenant_id, 'reason', f.key), f.value::double precision
	FROM stats AS s, jsonb_each_text(s.failures) AS f
	UNION ALL
	SELECT 'ledger_merkle_last_anchor_age_seconds', jsonb_build_object('tenant', r.tenant_id), extract(epoch FROM now() - max(r.anchored_at))
	FROM newest AS r GROUP BY r.tenant_id
	UNION ALL
	SELECT 'ledger_merkle_unanchored_events', jsonb_build_object('tenant', h.tenant_id), sum(greatest(h.head - h.anchored, 0))
	FROM heads AS h GROUP BY h.tenant_id
	UNION ALL
	SELECT 'ledger_verified_events_ratio', jsonb_build_object('tenant', h.tenant_id), sum(least(coalesce(m.tree_size, 0), h.head)) / sum(h.head)
	FROM heads AS h LEFT JOIN marks AS m USING (tenant_id, chain_id) GROUP BY h.tenant_id
	UNION ALL
	SELECT 'ledger_verification_age_seconds', jsonb_build_object('tenant', m.tenant_id), extract(epoch FROM now() - min(m.verified_at))
	FROM marks AS m GROUP BY m.tenant_id
	$$;
COMMENT ON FUNCTION ledger.ledger_anchor_metrics() IS
	'Of each granted tenant: how many anchors were made and how long each took (histogram), failures by reason, age of the newest anchor, events not yet anchored, and of its full verifications (marks) the share of events covered and the age of the oldest that counts. For ledger_auditor, ledger_operator and ledger_anchorer.';

-- ---- sql/functions/ledger_metrics.sql
-- What a monitor asks of the whole database every few seconds.  Every part of it is a
-- few probes of an index for each chain: it grows with the number of chains, and with the
-- number of events only as the depth of the indexes does.

-- One row a chain of the granted tenants.  A tenant whose leaf is gone is left out here:
-- ledger_guard_state() names it.
CREATE FUNCTION ledger.ledger_watch()
	RETURNS TABLE (tenant_id text, chain_id uuid, head bigint, anchored bigint, waiting_since timestamptz,
		anchored_at timestamptz, signed boolean, projection_lag double precision, verified_size bigint, verified_at timestamptz)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	-- Planned once a session, for whatever tenants there are: a LIMIT 1 keeps a plan that was made
	-- while a table was small from reading all of it later.  Compiling would take longer than what is compiled.
	SET plan_cache_mode = force_generic_plan SET jit = off
	AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	SELECT c.tenant_id, c.chain_id, w.head, coalesce(c.last_anchored_sequence, 0),
		-- An import brings old times: what came after an anchor has waited since that anchor at most.
		greatest(w.waiting_since, CASE WHEN w.waiting_since IS NOT NULL THEN a.anchored_at END),
		a.anchored_at, a.signed,
		CASE WHEN p.current_sequence >= w.sequence_no OR w.sequence_no IS NULL THEN 0
		     ELSE ledger.ledger_projection_lag(c.tenant_id, c.chain_id, c.created_at, w.recorded_at) END,
		m.tree_size, m.verified_at
	FROM ledger.ledger_tenants AS t
	CROSS JOIN LATERAL (
		SELECT FROM pg_class AS k WHERE k.relname = t.leaf AND k.relnamespace = 'ledger'::regnamespace AND k.relispartition LIMIT 1) AS k
	JOIN ledger.ledger_chains AS c ON c.tenant_id = t.tenant_id
	CROSS JOIN LATERAL ledger.ledger_watch_chain(c.tenant_id, c.chain_id, coalesce(c.last_anchored_sequence, 0)) AS w
	LEFT JOIN LATERAL (
		-- A signed note has an empty line before its signatures; the statement is larger, and compressed.
		SELECT r.anchored_at, strpos(r.checkpoint, E'\n\n') > 0 AS signed FROM ledger.ledger_merkle_roots AS r
		WHERE r.tenant_id = c.tenant_id AND r.chain_id = c.chain_id ORDER BY r.tree_size DESC LIMIT 1) AS a ON true
	LEFT JOIN LATERAL (
		SELECT f.current_sequence FROM ledger.findings_projection AS f
		WHERE f.tenant_id = c.tenant_id AND f.finding_id = w.finding_id AND f.policy_version = w.policy_version LIMIT 1) AS p ON true
	LEFT JOIN LATERAL (
		-- The newest full verification, and how far it went.
		SELECT v.tree_size, v.verified_at FROM ledger.ledger_verification_marks AS v
		WHERE v.tenant_id = c.tenant_id AND v.chain_id = c.chain_id AND v.mode = 'full'
		ORDER BY v.verified_at DESC LIMIT 1) AS m ON true
	WHERE w.head IS NOT NULL;
END
$$;
COMMENT ON FUNCTION ledger.ledger_watch() IS
	'Of each chain of the granted tenants: head, how far it is anchored, since when the oldest event has been waiting for an anchor, the newest anchor and whether it is signed, how far the projection is behind, and the newest full verification. Part of ledger_metrics() and ledger_http_ready().';

-- Asked only of a chain whose newest event is not folded, which the projection in the
-- append's transaction does not let happen: somebody switched it off, or took rows away.
CREATE FUNCTION ledger.ledger_projection_lag(in_tenant text, in_chain uuid, in_created timestamptz, in_newest timestamptz)
	RETURNS double precision
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	AS $$
DECLARE
	v_tail timestamptz;
BEGIN
	SELECT e.recorded_at INTO v_tail
	FROM (SELECT n.* FROM ledger.ledger_events AS n
	      WHERE n.tenant_id = in_tenant AND n.chain_id = in_chain ORDER BY n.sequence_no DESC LIMIT 1000) AS e
	JOIN ledger.findings_projection AS p ON p.tenant_id = e.tenant_id AND p.finding_id = e.finding_id
		AND p.policy_version = e.policy_version AND p.current_sequence >= e.sequence_no
	ORDER BY e.sequence_no DESC LIMIT 1;
	-- The same time twice is behind, too: 0 would say that nothing is missing.
	RETURN greatest(extract(epoch FROM in_newest - coalesce(v_tail, in_created)), 0.001);
END
$$;
COMMENT ON FUNCTION ledger.ledger_projection_lag(text, uuid, timestamptz, timestamptz) IS
	'By how many seconds the newest folded event of a chain, of its last 1000, is older than its newest event; since the chain''s beginning if none is. Part of ledger_watch().';

CREATE FUNCTION ledger.ledger_metrics()
	RETURNS TABLE (metric text, labels jsonb, value double precision)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_generic_plan SET jit = off
	SET row_security = on
	AS $$
#variable_conflict use_column
BEGIN
	RETURN QUERY
	WITH tenant AS MATERIALIZED (
		SELECT w.tenant_id, jsonb_build_object('tenant', w.tenant_id) AS labels,
			count(*)::double precision AS chains, sum(w.head)::double precision AS events,
			sum(greatest(w.head - w.anchored, 0))::double precision AS unanchored,
			coalesce(extract(epoch FROM now() - min(w.waiting_since))::double precision, 0) AS waiting,
			extract(epoch FROM now() - max(w.anchored_at))::double precision AS anchor_age,
			count(*) FILTER (WHERE NOT w.signed)::double precision AS not_signed,
			max(w.projection_lag) AS lag,
			(sum(least(coalesce(w.verified_size, 0), w.head)) / sum(w.head))::double precision AS verified,
			extract(epoch FROM now() - min(w.verified_at))::double precision AS verified_age
		FROM ledger.ledger_watch() AS w GROUP BY w.tenant_id
	), stats AS MATERIALIZED (
		SELECT s.*, jsonb_build_object('tenant', s.tenant_id) AS labels FROM ledger.ledger_anchor_stats AS s
	), rebuilt AS MATERIALIZED (
		SELECT s.*, jsonb_build_object('tenant', s.tenant_id) AS labels FROM ledger.ledger_projection_stats AS s
	)
	SELECT m.name, t.labels, m.value
	FROM tenant AS t, LATERAL (VALUES
		('ledger_chains', t.chains), ('ledger_chain_events', t.events), ('ledger_ingest_backlog_events', t.unanchored),
		('ledger_projection_lag_seconds', t.lag), ('ledger_merkle_unanchored_events', t.unanchored),
		('ledger_merkle_oldest_unanchored_age_seconds', t.waiting), ('ledger_merkle_last_anchor_age_seconds', t.anchor_age),
		('ledger_merkle_unsigned_anchors', t.not_signed), ('ledger_verified_events_ratio', t.verified),
		('ledger_verification_age_seconds', t.verified_age)) AS m (name, value)
	WHERE m.value IS NOT NULL
	UNION ALL
	SELECT 'ledger_merkle_anchor_duration_seconds_bucket', s.labels || jsonb_build_object('le', b.bound::text), coalesce(s.buckets[b.n], 0)
	FROM stats AS s, unnest(ledger.ledger_anchor_buckets()) WITH ORDINALITY AS b (bound, n)
	UNION ALL
	SELECT 'ledger_merkle_anchor_duration_seconds_bucket', s.labels || '{"le": "+Inf"}', s.anchors FROM stats AS s
	UNION ALL
	SELECT 'ledger_merkle_anchor_duration_seconds_sum', s.labels, s.duration_seconds FROM stats AS s
	UNION ALL
	SELECT 'ledger_merkle_anchor_duration_seconds_count', s.labels, s.anchors FROM stats AS s
	UNION ALL
	SELECT 'ledger_merkle_anchor_failures_total', s.labels || jsonb_build_object('reason', f.key), f.value::double precision
	FROM stats AS s, jsonb_each_text(s.failures) AS f
	UNION ALL
	SELECT 'ledger_projection_rebuild_seconds_bucket', s.labels || jsonb_build_object('le', b.bound::text), coalesce(s.buckets[b.n], 0)
	FROM rebuilt AS s, unnest(ledger.ledger_rebuild_buckets()) WITH ORDINALITY AS b (bound, n)
	UNION ALL
	SELECT 'ledger_projection_rebuild_seconds_bucket', s.labels || '{"le": "+Inf"}', s.rebuilds FROM rebuilt AS s
	UNION ALL
	SELECT 'ledger_projection_rebuild_seconds_sum', s.labels, s.duration_seconds FROM rebuilt AS s
	UNION ALL
	SELECT 'ledger_projection_rebuild_seconds_count', s.labels, s.rebuilds FROM rebuilt AS s
	UNION ALL
	SELECT 'ledger_incarnation', '{}', s.incarnation FROM ledger.ledger_settings AS s;
END
$$;
COMMENT ON FUNCTION ledger.ledger_metrics() IS
	'Every metric that the database itself knows, in the terms of Prometheus, of the granted tenants: what ledger_anchor_metrics() has, chains and events by their heads, backlog, projection lag and rebuilds, verification, incarnation. Its cost grows with the number of chains, and hardly with that of events. For ledger_auditor, ledger_operator and ledger_anchorer.';

-- ---- sql/functions/ledger_http_ready.sql
-- Can a gateway do its work with this database?  Asked every second or so, so only what is
-- cheap: triggers, event triggers and row security of ledger_guard_state(), not its hashes
-- of every function, which ledger_check_runtime() and every anchor look at.

CREATE FUNCTION ledger.ledger_ready_guards() RETURNS bigint
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp SET jit = off
	AS $$
	SELECT (SELECT count(*) FROM ledger.ledger_guard_triggers() AS g WHERE NOT g.ok)
		+ (SELECT count(*) FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid
		   WHERE p.polname = 'tenant_selected' AND c.relnamespace = 'ledger'::regnamespace
			AND NOT (c.relrowsecurity AND c.relforcerowsecurity))
	$$;
COMMENT ON FUNCTION ledger.ledger_ready_guards() IS
	'How many triggers, rules, event triggers and tables with row security are not as the ledger left them. Part of ledger_http_ready().';

-- Late is three intervals.  A tenant's own rule counts before the gateway's, that before the database's.
CREATE FUNCTION ledger.ledger_ready_anchors(in_interval interval, OUT late bigint, OUT longest interval, OUT unsigned_late bigint, OUT tenants bigint)
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp SET jit = off
	AS $$
	WITH rule AS (
		SELECT t.tenant_id, 3 * coalesce(least(t.anchor_window, nullif(t.anchor_interval, '0')), in_interval,
			least(current_setting('ledger.anchor_window')::interval, nullif(current_setting('ledger.anchor_interval')::interval, '0'))) AS age
		FROM ledger.ledger_tenants AS t
	), chain AS (
		SELECT w.tenant_id, now() - w.waiting_since AS waiting, now() - w.waiting_since > r.age AS late, (
			-- Of the anchors that had their time, the newest.  Without a key nobody signs.
			SELECT strpos(a.checkpoint, E'\n\n') = 0 FROM ledger.ledger_merkle_roots AS a
			WHERE NOT w.signed AND a.tenant_id = w.tenant_id AND a.chain_id = w.chain_id AND a.anchored_at < now() - r.age
				AND EXISTS (SELECT FROM ledger.ledger_keys AS k
				            WHERE k.purpose = 'log' AND k.retired_at IS NULL AND k.revoked_at IS NULL)
			ORDER BY a.tree_size DESC LIMIT 1) AS unsigned_late
		FROM ledger.ledger_watch() AS w JOIN rule AS r USING (tenant_id)
	)
	SELECT count(*) FILTER (WHERE c.late), max(c.waiting) FILTER (WHERE c.late), count(*) FILTER (WHERE c.unsigned_late),
		count(DISTINCT c.tenant_id) FILTER (WHERE c.late OR c.unsigned_late)
	FROM chain AS c
	$$;
COMMENT ON FUNCTION ledger.ledger_ready_anchors(interval) IS
	'How many chains have events that have waited for an anchor for more than three intervals, and the longest wait; how many have had an anchor without a signature for as long while there is a key; of how many tenants. Part of ledger_http_ready().';

CREATE FUNCTION ledger.ledger_http_ready(expected_schema text, anchor_interval interval DEFAULT NULL)
	RETURNS TABLE (name text, ok boolean, degraded boolean, detail text)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
DECLARE
	-- First: the settings ledger.anchor_… are there when the library is.
	v_library text := ledger.ledger_library_version();
	v_schema  text := ledger.ledger_schema_version();
	v_pending bigint := (SELECT count(*) FROM ledger.ledger_schema_migrations AS m WHERE m.event_id IS NULL);
	v_guards  bigint := ledger.ledger_ready_guards();
	v_anchors record;
	v_late    text[];
	v_weak    text[];
BEGIN
	name := 'migrations';
	ok := v_pending = 0 AND split_part(v_schema, '.', 1) = split_part(expected_schema, '.', 1)
		AND string_to_array(v_schema, '.')::integer[] >= string_to_array(expected_schema, '.')::integer[]
		AND string_to_array(v_library, '.')::integer[] >= string_to_array(v_schema, '.')::integer[];
	degraded := false;
	detail := CASE WHEN v_pending > 0 THEN format('migrations without an event: %s; run ledgerctl migrate again', v_pending)
		WHEN NOT ok THEN format('schema %s, library %s; the gateway was built for %s', v_schema, v_library, expected_schema)
		ELSE format('schema %s', v_schema) END;
	RETURN NEXT;

	name := 'guards';
	ok := v_guards = 0;
	detail := CASE WHEN ok THEN 'on' ELSE format('not as the ledger left them: %s; ledger_check_runtime() names them', v_guards) END;
	RETURN NEXT;

	SELECT * INTO v_anchors FROM ledger.ledger_ready_anchors(anchor_interval);
	v_late := array_remove(ARRAY[
		CASE WHEN v_anchors.late > 0 THEN format('chains that wait for an anchor: %s, the longest for %s s', v_anchors.late,
			round(extract(epoch FROM v_anchors.longest))) END,
		CASE WHEN v_anchors.unsigned_late > 0 THEN format('chains that wait for a signature: %s', v_anchors.unsigned_late) END], NULL);
	name := 'anchoring';
	ok := true;
	degraded := v_late <> '{}';
	detail := CASE WHEN degraded THEN array_to_string(v_late, '; ') ELSE 'in time' END;
	RETURN NEXT;

	SELECT array_agg(s.name || ' is ' || current_setting(s.name, true) ORDER BY s.name) INTO v_weak
	FROM (VALUES ('ledger.allow_lossy_append', 'off'), ('fsync', 'on'), ('full_page_writes', 'on')) AS s (name, wanted)
	WHERE coalesce(current_setting(s.name, true), 'off') <> s.wanted;
	name := 'durability';
	degraded := v_weak IS NOT NULL;
	detail := coalesce(array_to_string(v_weak, ', '), 'as it must be');
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_ready(text, interval) IS
	'Whether a gateway built for a schema version can work with this database, one row a check: migrations, guards, anchoring, durability. ok false: it cannot; degraded: it can, and somebody should look. anchor_interval: how often chains without a rule of their own are anchored, NULL: as the database''s settings say. For ledger_auditor, ledger_operator and ledger_anchorer.';

-- ---- sql/functions/ledger_guard_ddl.sql
-- The event triggers themselves are C (extension/src/guard_ddl.c): whoever may
-- replace a guard's function could judge his own replacement.
CREATE FUNCTION ledger.ledger_record_guard_change(in_tag text, in_objects text[]) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	-- A session that says off, as every restore does, would fail here and go unrecorded.
	SET row_security = on
	AS $$
BEGIN
	PERFORM ledger.ledger_append_own('ledger.guard_changed', jsonb_build_object(
		'command', in_tag, 'objects', to_jsonb(in_objects), 'role', session_user));
EXCEPTION
	-- A ledger that is broken must not keep the superuser from mending it.
	WHEN OTHERS THEN
		RAISE WARNING 'change of the ledger''s objects could not be recorded: %', SQLERRM;
END
$$;
COMMENT ON FUNCTION ledger.ledger_record_guard_change(text, text[]) IS
	'Appends a ledger.guard_changed event: which command of which role changed which objects. Called by the event triggers; a WARNING says if it could not.';

-- ---- sql/functions/ledger_after_restore.sql
-- Taking over a restored copy.  The procedure runs with the caller's rights, because
-- two steps need more than the owner of the ledger has: ALTER DATABASE wants the
-- database's owner, an event trigger a superuser.  What the caller may not do is
-- said with a hint and left; ledger_check_runtime() names it until it is done.

-- One event in each chain, so that whoever holds a later head of that chain from
-- before the restore finds the reason in the chain itself.  All or nothing: the
-- settings row is the lock, and the mark that this copy was taken over.
CREATE FUNCTION ledger.ledger_start_incarnation(reason text, OUT started integer, OUT verdict text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
DECLARE
	v_old    ledger.ledger_settings;
	v_new    uuid := gen_random_uuid();
	v_report jsonb;
	v_chain  record;
BEGIN
	IF reason IS NULL OR btrim(reason) = '' OR octet_length(reason) > 4096 THEN
		RAISE EXCEPTION 'a reason is required'
			USING ERRCODE = 'LG400', HINT = 'Say in up to 4096 bytes why there is a copy and what it was made from.';
	END IF;
	-- Triggers come after the data in a restore: nothing was checked on the way in.  What
	-- the chains say of it is what was found here, and nothing a caller could hand over.
	v_report := ledger.ledger_verify_report();
	verdict := v_report ->> 'verdict';
	SELECT s.* INTO STRICT v_old FROM ledger.ledger_settings AS s FOR UPDATE;
	IF v_old.home = ledger.ledger_home() THEN
		RETURN;
	END IF;
	FOR v_chain IN SELECT * FROM ledger.ledger_lock_chains()
	LOOP
		PERFORM ledger.ledger_append_own('ledger.incarnation_started', jsonb_build_object(
			'incarnation', v_old.incarnation + 1, 'lastSequence', v_chain.sequence_no,
			'oldInstance', v_old.instance_id, 'newInstance', v_new,
			'reason', reason, 'verification', jsonb_build_object('verdict', verdict, 'rows', v_report -> 'rows'))
			|| CASE WHEN v_chain.anchored_size IS NULL THEN '{}' ELSE jsonb_build_object('checkpoint', jsonb_build_object(
				'treeSize', v_chain.anchored_size, 'rootHash', encode(v_chain.anchored_root, 'hex'))) END,
			v_chain.tenant_id, v_chain.policy_version, v_chain.chain_id);
	END LOOP;
	UPDATE ledger.ledger_settings AS s
	   SET instance_id = v_new, incarnation = v_old.incarnation + 1, home = ledger.ledger_home(), restored_at = now();
	started := v_old.incarnation + 1;
END
$$;
COMMENT ON FUNCTION ledger.ledger_start_incarnation(text) IS
	'Verifies, and starts an incarnation if this is not the recorded copy: a ledger.incarnation_started event in every chain that has events, naming the last sequence present, the newest checkpoint known, both instances, the reason and the verdict; then a new instance_id. Returns its number, or NULL if none was due, and the verdict. LG400: no reason. The core of ledger_after_restore().';

-- NULL if the database's search_path names the schema, else the command that makes it so.
CREATE FUNCTION ledger.ledger_search_path_command() RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT format('ALTER DATABASE %I SET search_path = %s', current_database(),
		coalesce(s.path || ', ledger', '"$user", public, ledger'))
	FROM (SELECT (SELECT substring(c FROM 'search_path=(.*)')
	              FROM pg_db_role_setting AS r, unnest(r.setconfig) AS c
	              WHERE r.setrole = 0 AND c LIKE 'search_path=%'
	                AND r.setdatabase = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database()))) AS s (path)
	WHERE s.path IS NULL OR NOT 'ledger' = ANY (string_to_array(replace(replace(s.path, '"', ''), ' ', ''), ','))
	$$;
COMMENT ON FUNCTION ledger.ledger_search_path_command() IS
	'The ALTER DATABASE that puts schema ledger on this database''s search_path, or NULL if it is there.';

CREATE FUNCTION ledger.ledger_mend_event_triggers() RETURNS text[]
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_mended text[] := '{}';
	v_guard  record;
BEGIN
	FOR v_guard IN
		SELECT w.name, w.event
		FROM (VALUES ('ledger_guard_start', 'ddl_command_start'), ('ledger_guard_ddl_end', 'ddl_command_end'), ('ledger_guard_drop', 'sql_drop'),
			('ledger_guard_rewrite', 'table_rewrite')) AS w (name, event)
		JOIN ledger.ledger_guard_triggers() AS g ON g.guard = 'event trigger' AND g.object = w.name AND NOT g.ok
	LOOP
		IF EXISTS (SELECT FROM pg_event_trigger AS e WHERE e.evtname = v_guard.name) THEN
			EXECUTE format('DROP EVENT TRIGGER %I', v_guard.name);
		END IF;
		EXECUTE format('CREATE EVENT TRIGGER %I ON %s EXECUTE FUNCTION ledger.%I()', v_guard.name, v_guard.event, v_guard.name);
		EXECUTE format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', v_guard.name);
		EXECUTE format('COMMENT ON EVENT TRIGGER %I IS %L', v_guard.name, 'Findings Ledger: guards the ledger''s objects');
		v_mended := v_mended || v_guard.name;
	END LOOP;
	RETURN v_mended;
END
$$;
COMMENT ON FUNCTION ledger.ledger_mend_event_triggers() IS
	'Makes again the ledger''s event triggers that are missing or not as they must be; returns their names. Runs with the caller''s rights: a superuser''s.';

-- A table's lock, because anyone could hold an advisory one; appends go on.
CREATE FUNCTION ledger.ledger_lock_copy() RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	LOCK TABLE ledger.ledger_settings IN SHARE UPDATE EXCLUSIVE MODE;
END
$$;
COMMENT ON FUNCTION ledger.ledger_lock_copy() IS
	'Lets one transaction at a time take over a copy. Part of ledger_after_restore().';

CREATE PROCEDURE ledger.ledger_after_restore(reason text)
	LANGUAGE plpgsql
	SET search_path = pg_catalog, pg_temp
	-- It may be called in the session that ran a plain dump, which has left it off.
	SET row_security = on
	AS $$
DECLARE
	v_superuser boolean := (SELECT r.rolsuper FROM pg_roles AS r WHERE r.rolname = current_user);
	v_command   text := ledger.ledger_search_path_command();
	v_outcome   record;
	v_left      record;
BEGIN
	-- A second caller waits before it reads anything: maintenance must not wait for its locks.
	PERFORM ledger.ledger_lock_copy();
	IF v_command IS NOT NULL AND (v_superuser OR pg_has_role(
		(SELECT d.datdba FROM pg_database AS d WHERE d.datname = current_database()), 'USAGE')) THEN
		EXECUTE v_command;
	END IF;
	IF v_superuser THEN
		PERFORM ledger.ledger_mend_event_triggers();
	END IF;
	SELECT * INTO v_outcome FROM ledger.ledger_start_incarnation(reason);
	-- Behind the chains' locks, as an append has them: the other way round both could wait for each other.
	BEGIN
		PERFORM ledger.ledger_maintenance_tick() WHERE EXISTS (SELECT FROM ledger.ledger_partition_problems());
	EXCEPTION WHEN SQLSTATE 'LG503' OR insufficient_privilege THEN
		NULL; -- no pg_partman, or no right to it: named below, and no reason to keep the copy from going on
	END;
	IF v_outcome.started IS NULL THEN
		RAISE NOTICE 'this is the recorded copy: no incarnation was started';
	ELSE
		RAISE NOTICE 'incarnation % started', v_outcome.started;
	END IF;
	IF v_outcome.verdict <> 'clean' THEN
		RAISE WARNING 'verification says: %', v_outcome.verdict
			USING HINT = 'SELECT * FROM ledger.ledger_verify(), as a role that may touch every tenant.';
	END IF;
	FOR v_left IN SELECT c.* FROM ledger.ledger_check_runtime() AS c WHERE NOT c.ok
	LOOP
		RAISE WARNING '%: %', v_left.check_name, v_left.detail USING HINT = v_left.hint;
	END LOOP;
END
$$;
COMMENT ON PROCEDURE ledger.ledger_after_restore(text) IS
	'Takes over a restored copy: sets the database''s search_path (as its owner or a superuser), makes event triggers that are missing (as a superuser), registers the partitions and runs their maintenance, verifies, and starts an incarnation, once for each copy. What is left to do is warned of, with a hint. LG400: no reason. For ledger_operator.';

-- ---- sql/functions/ledger_check_runtime.sql
-- Can this database run the ledger as it is?  Asked after a restore, an upgrade, a
-- failover, and by whoever watches the server.  Each part answers rows
-- (check_name, ok, detail, hint); the hint says what to do and is NULL where all is well.
-- All run with the caller's rights: in a copy restored without owners or privileges
-- the owner could not even be asked.

CREATE FUNCTION ledger.ledger_check_software()
	RETURNS TABLE (check_name text, ok boolean, detail text, hint text)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT 'extension version', p.problem IS NULL,
		format('extension %s, library %s, schema %s', v.installed, v.library, v.wanted), p.problem
	FROM (SELECT e.extversion AS installed, ledger.ledger_library_version() AS library, ledger.ledger_schema_version() AS wanted
	      FROM pg_extension AS e WHERE e.extname = 'findings_ledger') AS v,
		LATERAL (SELECT CASE
			WHEN string_to_array(v.library, '.')::integer[] < string_to_array(v.wanted, '.')::integer[]
			THEN format('Install findings_ledger %s or newer on this server and reconnect; then, as superuser: ALTER EXTENSION findings_ledger UPDATE.', v.wanted)
			WHEN v.library <> v.installed
			THEN format('As superuser: ALTER EXTENSION findings_ledger UPDATE TO %L; or install version %s of the library.', v.library, v.installed)
			WHEN split_part(v.library, '.', 1) <> split_part(v.wanted, '.', 1)
			THEN 'Run the migrations of this release: ledgerctl migrate.' END) AS p (problem)
	UNION ALL
	SELECT 'encoding', e.name = 'UTF8', e.name,
		CASE WHEN e.name <> 'UTF8' THEN 'Restore into a database made with ENCODING ''UTF8'' TEMPLATE template0.' END
	FROM (SELECT current_setting('server_encoding')) AS e (name)
	UNION ALL
	SELECT 'search_path', c.command IS NULL,
		CASE WHEN c.command IS NULL THEN 'names ledger' ELSE 'of the database does not name ledger: a dump does not carry it' END,
		'As owner of the database or superuser: CALL ledger.ledger_after_restore(reason), or ' || c.command || '.'
	FROM (SELECT ledger.ledger_search_path_command()) AS c (command)
	UNION ALL
	SELECT 'migrations', count(*) FILTER (WHERE m.event_id IS NULL) = 0,
		format('%s applied, %s of them without an event', count(*), count(*) FILTER (WHERE m.event_id IS NULL)),
		CASE WHEN bool_or(m.event_id IS NULL) THEN 'Run ledgerctl migrate again.' END
	FROM ledger.ledger_schema_migrations AS m
	$$;
COMMENT ON FUNCTION ledger.ledger_check_software() IS
	'The part of ledger_check_runtime() about versions, encoding, search_path and migrations.';

CREATE FUNCTION ledger.ledger_check_copy()
	RETURNS TABLE (check_name text, ok boolean, detail text, hint text)
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
	WITH homes AS (
		SELECT s.incarnation, string_to_array(s.home, '/') AS recorded, string_to_array(ledger.ledger_home(), '/') AS here
		FROM ledger.ledger_settings AS s
	)
	SELECT 'copy', h.recorded[1:2] = h.here[1:2],
		CASE WHEN h.recorded[1:2] = h.here[1:2] THEN format('incarnation %s', h.incarnation)
		     ELSE format('incarnation %s lives elsewhere: this is a copy of it', h.incarnation) END,
		CASE WHEN h.recorded[1:2] <> h.here[1:2] THEN 'If it is to go on from here: CALL ledger.ledger_after_restore(reason).' END
	FROM homes AS h
	UNION ALL
	SELECT 'timeline', h.recorded[3] = h.here[3] OR h.recorded[1:2] <> h.here[1:2],
		CASE WHEN h.recorded[3] = h.here[3] OR h.recorded[1:2] <> h.here[1:2] THEN format('timeline %s', h.here[3])
		     ELSE format('timeline %s, recorded is %s: promoted or recovered to a point in time, which may have lost events', h.here[3], h.recorded[3]) END,
		CASE WHEN h.recorded[3] <> h.here[3] AND h.recorded[1:2] = h.here[1:2]
		     THEN 'Write it into the chains: CALL ledger.ledger_after_restore(reason).' END
	FROM homes AS h
	UNION ALL
	SELECT 'partitions', p.problem IS NULL, coalesce(p.problem, 'registered and made ahead'),
		CASE WHEN p.problem IS NOT NULL THEN
			coalesce(p.cure, 'CALL ledger.ledger_after_restore(reason), or SELECT ledger.ledger_maintenance_tick().') END
	FROM (SELECT string_agg(q.problem, '; ' ORDER BY q.problem), min(q.cure)
	      FROM ledger.ledger_partition_problems() AS q) AS p (problem, cure)
	$$;
COMMENT ON FUNCTION ledger.ledger_check_copy() IS
	'The part of ledger_check_runtime() about what a dump cannot carry: whether this is the recorded copy, and the partitions.';

-- Roles and grants are the cluster's: a dump without the globals, or a restore with
-- --no-acl, leaves functions that PUBLIC may call and groups that may do nothing.
CREATE FUNCTION ledger.ledger_privilege_problems() RETURNS SETOF text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT format('%s lacks %s on %s', w.role, w.privilege, w.object)
	FROM (VALUES ('ledger_reader', 'SELECT', 'ledger_events'), ('ledger_reader', 'SELECT', 'findings_projection'),
		('ledger_auditor', 'SELECT', 'ledger_events'), ('ledger_auditor', 'SELECT', 'ledger_settings'),
		('ledger_auditor', 'SELECT', 'ledger_merkle_roots'), ('ledger_anchorer', 'SELECT', 'ledger_keys'),
		('ledger_loader', 'INSERT', 'ledger_events')) AS w (role, privilege, object)
	JOIN pg_roles AS r ON r.rolname = w.role
	WHERE NOT has_table_privilege(r.oid, format('ledger.%I', w.object), w.privilege)
	UNION ALL
	SELECT 'ledger_backup is no member of pg_read_all_data'
	FROM pg_roles AS r WHERE r.rolname = 'ledger_backup' AND NOT pg_has_role(r.oid, 'pg_read_all_data', 'USAGE')
	UNION ALL
	SELECT 'ledger_gateway is no member of ' || w.name
	FROM (VALUES ('ledger_reader'), ('ledger_writer'), ('ledger_auditor'), ('ledger_anchorer')) AS w (name)
	JOIN pg_roles AS r ON r.rolname = 'ledger_gateway' JOIN pg_roles AS g ON g.rolname = w.name
	WHERE NOT pg_has_role(r.oid, g.oid, 'USAGE')
	UNION ALL
	SELECT format('%s may not use schema ledger', r.rolname)
	FROM pg_roles AS r
	WHERE r.rolname IN ('ledger_owner', 'ledger_reader', 'ledger_writer', 'ledger_auditor', 'ledger_operator', 'ledger_anchorer', 'ledger_gateway', 'ledger_loader', 'ledger_backup')
		AND NOT has_schema_privilege(r.oid, 'ledger', 'USAGE')
	UNION ALL
	SELECT format('%s may not execute %s()', w.role, p.proname)
	FROM (VALUES ('ledger_writer', 'ledger_append'), ('ledger_reader', 'ledger_verify'),
		('ledger_auditor', 'ledger_guard_state'), ('ledger_operator', 'ledger_create_tenant'),
		('ledger_anchorer', 'ledger_anchor_tick'), ('ledger_anchorer', 'ledger_store_signature'),
		('ledger_gateway', 'ledger_http_append')) AS w (role, name)
	JOIN pg_roles AS r ON r.rolname = w.role
	JOIN pg_proc AS p ON p.proname = w.name AND p.pronamespace = 'ledger'::regnamespace
	WHERE NOT has_function_privilege(r.oid, p.oid, 'EXECUTE')
	UNION ALL
	SELECT format('ledger_owner may not execute %s()', p.proname)
	FROM pg_proc AS p JOIN pg_roles AS r ON r.rolname = 'ledger_owner'
	WHERE p.pronamespace = 'ledger'::regnamespace AND NOT has_function_privilege(r.oid, p.oid, 'EXECUTE')
	UNION ALL
	SELECT format('PUBLIC may execute %s()', p.proname)
	FROM pg_proc AS p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
	WHERE p.pronamespace = 'ledger'::regnamespace AND p.prosecdef AND a.grantee = 0
	$$;
COMMENT ON FUNCTION ledger.ledger_privilege_problems() IS
	'One text for each privilege that a role of the ledger lacks, or that PUBLIC has and must not.';

CREATE FUNCTION ledger.ledger_check_access()
	RETURNS TABLE (check_name text, ok boolean, detail text, hint text)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	WITH problem (check_name, text) AS (
		SELECT 'roles', CASE WHEN r.oid IS NULL THEN w.name || ' is missing' ELSE w.name || ' has other attributes' END
		FROM (VALUES ('ledger_owner', false), ('ledger_reader', false), ('ledger_writer', false), ('ledger_auditor', false),
			('ledger_operator', false), ('ledger_anchorer', false), ('ledger_gateway', false), ('ledger_loader', true), ('ledger_backup', true)) AS w (name, bypass_rls)
		LEFT JOIN pg_roles AS r ON r.rolname = w.name
		WHERE (r.rolbypassrls = w.bypass_rls AND NOT (r.rolcanlogin OR r.rolsuper OR r.rolcreaterole OR r.rolcreatedb)) IS NOT TRUE
		UNION ALL
		SELECT DISTINCT 'tenant grants', format('role %s of ledger_tenant_grants does not exist', g.role_name)
		FROM ledger.ledger_tenant_grants AS g
		WHERE NOT EXISTS (SELECT FROM pg_roles AS r WHERE r.rolname = g.role_name)
		UNION ALL
		SELECT 'privileges', p FROM ledger.ledger_privilege_problems() AS p
		UNION ALL
		SELECT CASE g.guard WHEN 'setting' THEN 'settings' ELSE 'guards' END, format('%s %s: %s', g.guard, g.object, g.state)
		FROM ledger.ledger_guard_state() AS g WHERE NOT g.ok
	)
	SELECT w.name, count(p.text) = 0, coalesce(string_agg(p.text, '; ' ORDER BY p.text), 'as they must be'),
		CASE WHEN count(p.text) > 0 THEN w.hint END
	FROM (VALUES
		(1, 'roles', 'As superuser: psql -f sql/bootstrap/roles.sql, or load pg_dumpall --globals-only.'),
		(2, 'tenant grants', 'Make the role (pg_dumpall --globals-only), or take the grant back: ledger_revoke_tenant().'),
		(3, 'privileges', 'Restore with owners and privileges: without --no-owner and --no-acl, after the roles exist. Or as superuser: the GRANTs of sql/bootstrap/schema.sql, and sql/privileges/grants.sql.'),
		(4, 'guards', 'SELECT * FROM ledger.ledger_guard_state() WHERE NOT ok. Event triggers are made again by a superuser''s CALL ledger.ledger_after_restore(reason); for the rest, restore the whole dump.'),
		(5, 'settings', 'These settings weaken durability: set them back.')) AS w (n, name, hint)
	LEFT JOIN problem AS p ON p.check_name = w.name
	GROUP BY w.n, w.name, w.hint
	ORDER BY w.n
	$$;
COMMENT ON FUNCTION ledger.ledger_check_access() IS
	'The part of ledger_check_runtime() about roles, tenant grants, privileges, guards and settings.';

CREATE FUNCTION ledger.ledger_check_runtime()
	RETURNS TABLE (check_name text, ok boolean, detail text, hint text)
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT * FROM ledger.ledger_check_software()
	UNION ALL SELECT * FROM ledger.ledger_check_copy()
	UNION ALL SELECT * FROM ledger.ledger_check_access()
	$$;
COMMENT ON FUNCTION ledger.ledger_check_runtime() IS
	'Whether this database can run the ledger as it is, one row a check: extension version, encoding, search_path, migrations, copy (is this the recorded copy or a restored one), timeline, partitions, roles, tenant grants, privileges, guards, settings. Where ok is false, hint says what to do. For ledger_auditor and ledger_operator.';

-- ---- sql/functions/ledger_log_access.sql
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

-- ---- sql/functions/ledger_http_arguments.sql
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

-- ---- sql/functions/ledger_http_append.sql
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

-- ---- sql/functions/ledger_http_events.sql
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

-- ---- sql/functions/ledger_http_chains.sql
-- Chains for the gateway: heads, checkpoints, consistency, tiles, anchors.

CREATE FUNCTION ledger.ledger_http_chain(tenant text, context jsonb) RETURNS uuid
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_chain uuid := ledger.ledger_http_uuid(context -> 'path' ->> 'chainId', 'chainId');
BEGIN
	PERFORM ledger.ledger_http_tenant(tenant);
	IF NOT EXISTS (SELECT FROM ledger.ledger_chains AS c WHERE c.tenant_id = $1 AND c.chain_id = v_chain) THEN
		RAISE EXCEPTION 'chain % does not exist', coalesce(v_chain::text, 'null')
			USING ERRCODE = 'LG404', DETAIL = format('Tenant "%s" has no chain of that id.', tenant),
				HINT = 'GET /v1/ledger/chains lists them.';
	END IF;
	RETURN v_chain;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_chain(text, jsonb) IS
	'The chain that a path names. LG400: malformed id; LG403: tenant not granted; LG404: no such chain. Part of the ledger_http functions.';

CREATE FUNCTION ledger.ledger_http_chains(tenant text, context jsonb)
	RETURNS TABLE (status integer, headers json, body text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
	SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
	AS $$
DECLARE
	v_policy text    := ledger.ledger_http_text(context, 'policyVersion');
	v_limit  integer := ledger.ledger_http_limit(context);
	v_after  uuid    := context -> 'after' ->> 'chainId';
	v_chain  record;
	v_items  text[]  := '{}';
BEGIN
	PERFORM ledger.ledger_http_tenant(tenant);
	FOR v_chain IN
		SELECT c.chain_id, jsonb_strip_nulls(jsonb_build_object(
			'chainId', c.chain_id, 'policyVersion', c.policy_version, 'createdAt', ledger.ledger_http_time(c.created_at),
			'size', coalesce(h.sequence_no, 0),
			'head', CASE WHEN h.sequence_no IS NOT NULL THEN jsonb_build_object('sequence', h.sequence_no, 'eventId', h.event_id,
				'eventHash', encode(h.event_hash, 'hex'), 'recordedAt', ledger.ledger_http_time(h.recorded_at)) END,
			'anchored', CASE WHEN c.last_anchored_sequence IS NOT NULL THEN
				jsonb_build_object('first', c.first_anchored_sequence, 'last', c.last_anchored_sequence) END)) AS item
		FROM (SELECT c.* FROM ledger.ledger_chains AS c
			WHERE c.tenant_id = $1 AND (v_policy IS NULL OR c.policy_version = v_policy) AND (v_after IS NULL OR c.chain_id > v_after)
			ORDER BY c.chain_id LIMIT v_limit + 1) AS c
		LEFT JOIN LATERAL (
			SELECT e.sequence_no, e.event_id, e.event_hash, e.recorded_at FROM ledger.ledger_events AS e
			WHERE e.tenant_id = $1 AND e.chain_id = c.chain_id ORDER BY e.sequence_no DESC LIMIT 1) AS h ON true
		ORDER BY c.chain_id
	LOOP
		IF cardinality(v_items) = v_limit THEN
			headers := json_build_object('Ledger-Next', json_build_object('chainId', v_after));
			EXIT;
		END IF;
		v_after := v_chain.chain_id;
		v_items := v_items || ledger.ledger_canonical_json(v_chain.item);
	END LOOP;
	status := 200;
	body := '{"chains":[' || array_to_string(v_items, ',') || ']}';
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_chains(text, jsonb) IS
	'GET /v1/ledger/chains: {chains}, each with chainId, policyVersion, createdAt, size, head and the anchored range, in the order of their ids. LG400: malformed parameter; LG403: tenant not granted. For ledger_gateway.';

-- The note alone is what leaves: unsigned text would be nobody's word.
CREATE FUNCTION ledger.ledger_http_checkpoint(tenant text, context jsonb)
	RETURNS TABLE (status integer, headers json, body text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_chain uuid   := ledger.ledger_http_chain(tenant, context);
	v_size  bigint := ledger.ledger_http_number(ledger.ledger_http_text(context, 'size'), 'size', 1, 9007199254740991);
BEGIN
	IF v_size IS NULL THEN
		SELECT a.checkpoint INTO body FROM ledger.ledger_signed_anchor(tenant, v_chain, 1) AS a;
	ELSE
		SELECT r.checkpoint INTO body FROM ledger.ledger_merkle_roots AS r
		WHERE r.tenant_id = $1 AND r.chain_id = v_chain AND r.tree_size = v_size
			AND EXISTS (SELECT FROM ledger.ledger_note_keys(r.checkpoint) AS line (key_id)
				JOIN ledger.ledger_keys AS k ON k.key_id = line.key_id AND k.purpose = 'log'
				WHERE ledger.ledger_signature_valid(r.tenant_id, r.chain_id, r.tree_size, k.key_id));
	END IF;
	IF body IS NULL THEN
		RAISE EXCEPTION 'chain % has no signed checkpoint%', v_chain, coalesce(' of size ' || v_size, ' yet')
			USING ERRCODE = 'LG404', HINT = CASE WHEN v_size IS NULL
				THEN 'ledger_anchor_tick() anchors what is due, and ledgerctl anchor signs it; ask again after that.'
				ELSE 'GET /v1/ledger/anchors lists the sizes that there are.' END;
	END IF;
	status := 200;
	-- A cosignature may still come to the same size, so the text itself is the tag.
	headers := json_build_object('Content-Type', 'text/plain; charset=utf-8', 'Cache-Control', 'private, no-cache',
		'ETag', '"' || left(encode(sha256(convert_to(body, 'UTF8')), 'hex'), 32) || '"');
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_checkpoint(text, jsonb) IS
	'GET …/chains/{chainId}/checkpoint: the newest signed checkpoint, or that of a size, as a C2SP signed note. LG400: malformed parameter; LG403: tenant not granted; LG404: no such chain, or no such signed checkpoint. For ledger_gateway.';

-- Writes: who got the evidence is recorded.
CREATE FUNCTION ledger.ledger_http_consistency(tenant text, context jsonb)
	RETURNS TABLE (status integer, headers json, body text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE ROWS 1
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_chain uuid   := ledger.ledger_http_chain(tenant, context);
	v_from  bigint := ledger.ledger_http_number(ledger.ledger_http_text(context, 'from'), 'from', 1, 9007199254740991);
	v_to    bigint := ledger.ledger_http_number(ledger.ledger_http_text(context, 'to'), 'to', 1, 9007199254740991);
	v_proof bytea[];
	v_detail text;
	v_hint  text;
BEGIN
	IF v_from IS NULL OR v_to IS NULL THEN
		PERFORM ledger.ledger_http_malformed(CASE WHEN v_from IS NULL THEN 'from' ELSE 'to' END, NULL, 'the size of a tree');
	ELSIF v_from > v_to THEN
		PERFORM ledger.ledger_http_malformed('from', v_from::text, format('no more than to, which is %s', v_to));
	END IF;
	BEGIN
		v_proof := ledger.ledger_consistency_proof(tenant, v_chain, v_from, v_to);
	EXCEPTION WHEN SQLSTATE 'LG400' THEN
		-- It knows its own arguments' names.
		GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL, v_hint = PG_EXCEPTION_HINT;
		RAISE EXCEPTION '%', replace(SQLERRM, 'size2', 'to')
			USING ERRCODE = 'LG400', DETAIL = v_detail, HINT = v_hint, COLUMN = 'to';
	END;
	status := 200;
	headers := '{"Cache-Control":"private, max-age=31536000, immutable"}';
	body := ledger.ledger_canonical_json(jsonb_build_object('chainId', v_chain, 'from', v_from, 'to', v_to,
		'hashes', (SELECT coalesce(jsonb_agg(encode(p.hash, 'hex') ORDER BY p.n), '[]') FROM unnest(v_proof) WITH ORDINALITY AS p (hash, n)),
		'fromRoot', encode(ledger.ledger_chain_root(tenant, v_chain, v_from), 'hex'),
		'toRoot', encode(ledger.ledger_chain_root(tenant, v_chain, v_to), 'hex')));
	PERFORM ledger.ledger_log_access(tenant, context, 'consistency', format('%s %s-%s', v_chain, v_from, v_to));
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_consistency(text, jsonb) IS
	'GET …/chains/{chainId}/consistency?from=&to=: {chainId, from, to, hashes, fromRoot, toRoot}, the proof of ledger_consistency_proof() in hex; recorded in ledger_access_log. LG400: malformed or missing size, or there is no such tree; LG403: tenant not granted; LG404: no such chain. For ledger_gateway.';

CREATE FUNCTION ledger.ledger_http_no_tile(path text) RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	RAISE EXCEPTION 'there is no such tile'
		USING ERRCODE = 'LG404', DETAIL = format('Asked for was "%s".', left(path, 80)),
			HINT = 'Tiles are those of C2SP tlog-tiles: <level>/<index>[.p/<width>] or entries/<index>[.p/<width>], up to the newest anchor.';
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_no_tile(text) IS
	'Raises LG404. Part of ledger_http_tile().';

-- Up to the newest anchor: what leaves as evidence was durable before.
CREATE FUNCTION ledger.ledger_http_tile(tenant text, context jsonb)
	RETURNS TABLE (status integer, headers json, body bytea)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
	SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
	AS $$
DECLARE
	v_chain uuid   := ledger.ledger_http_chain(tenant, context);
	v_path  text   := context -> 'path' ->> 'tile';
	v_part  text[] := regexp_match(v_path, '^([0-7]|entries)/((?:x[0-9]{3}/){0,4}[0-9]{3})(?:[.]p/([1-9][0-9]{0,2}))?$');
	v_entries boolean := v_part[1] = 'entries';
	v_level smallint := CASE WHEN v_entries THEN 0 ELSE v_part[1]::smallint END;
	v_index bigint := translate(v_part[2], 'x/', '');
	v_width integer := coalesce(v_part[3], '256');
	v_first bigint;
	v_nodes bigint;
BEGIN
	-- One tile, one name: no group of zeros in front.
	IF v_part IS NULL OR v_part[2] LIKE 'x000/%' OR v_width > 256 OR (v_width = 256 AND v_part[3] IS NOT NULL) THEN
		PERFORM ledger.ledger_http_no_tile(v_path);
	END IF;
	SELECT r.tree_size >> (8 * v_level) INTO v_nodes FROM ledger.ledger_merkle_roots AS r
	WHERE r.tenant_id = $1 AND r.chain_id = v_chain ORDER BY r.tree_size DESC LIMIT 1;
	v_first := v_index * 256;
	IF v_nodes IS NULL OR v_first + v_width > v_nodes THEN
		PERFORM ledger.ledger_http_no_tile(v_path);
	END IF;
	IF v_entries THEN
		SELECT string_agg(substr(int4send(length(x.entry)), 3) || x.entry, '' ORDER BY x.sequence_no) INTO body
		FROM (SELECT e.sequence_no, convert_to(ledger.ledger_canonical_json(ledger.ledger_event_envelope(e)), 'UTF8') AS entry
			FROM ledger.ledger_events AS e
			WHERE e.tenant_id = $1 AND e.chain_id = v_chain AND e.sequence_no BETWEEN v_first + 1 AND v_first + v_width) AS x;
	ELSIF v_level = 0 THEN
		SELECT string_agg(e.merkle_leaf_hash, '' ORDER BY e.sequence_no) INTO body
		FROM ledger.ledger_events AS e
		WHERE e.tenant_id = $1 AND e.chain_id = v_chain AND e.sequence_no BETWEEN v_first + 1 AND v_first + v_width;
	ELSE
		SELECT substr(t.hashes, 1, v_width * 32) INTO body
		FROM (SELECT t.hashes FROM ledger.ledger_merkle_tiles AS t
			WHERE t.tenant_id = $1 AND t.chain_id = v_chain AND t.level = v_level AND t.tile_index = v_index
			UNION ALL
			SELECT g.hashes FROM ledger.ledger_merkle_edge AS g
			WHERE g.tenant_id = $1 AND g.chain_id = v_chain AND g.level = v_level AND g.tile_index = v_index) AS t
		LIMIT 1;
	END IF;
	IF NOT v_entries AND length(body) IS DISTINCT FROM v_width * 32 OR body IS NULL THEN
		RAISE EXCEPTION 'tile % of chain % is not whole', v_path, v_chain
			USING ERRCODE = 'LG500', HINT = 'Run ledger_verify(), and keep the evidence.';
	END IF;
	status := 200;
	headers := json_build_object('Content-Type', 'application/octet-stream', 'Cache-Control',
		CASE WHEN v_width = 256 THEN 'private, max-age=31536000, immutable' ELSE 'private, max-age=3600' END);
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_tile(text, jsonb) IS
	'GET …/chains/{chainId}/tile/…: a hash tile or an entry bundle as in C2SP tlog-tiles (docs/formats.md section 5), whole or its first hashes, as far as the newest anchor reaches. LG403: tenant not granted; LG404: no such chain, or no such tile; LG500: what is stored is not whole. For ledger_gateway.';

CREATE FUNCTION ledger.ledger_http_anchors(tenant text, context jsonb)
	RETURNS TABLE (status integer, headers json, body text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE ROWS 1
	SET search_path = pg_catalog, pg_temp SET plan_cache_mode = force_custom_plan
	AS $$
DECLARE
	v_chain  uuid    := ledger.ledger_http_uuid(ledger.ledger_http_text(context, 'chainId'), 'chainId');
	v_since  bigint  := ledger.ledger_http_number(ledger.ledger_http_text(context, 'sinceSize'), 'sinceSize', 0, 9007199254740991);
	v_limit  integer := ledger.ledger_http_limit(context);
	v_after_chain uuid   := context -> 'after' ->> 'chainId';
	v_after       bigint := context -> 'after' ->> 'size';
	v_anchor record;
	v_items  text[] := '{}';
BEGIN
	PERFORM ledger.ledger_http_tenant(tenant);
	FOR v_anchor IN
		SELECT r.chain_id, r.tree_size, jsonb_strip_nulls(jsonb_build_object(
			'anchorId', r.anchor_id, 'chainId', r.chain_id, 'treeSize', r.tree_size, 'sequenceStart', r.sequence_start,
			'sequenceEnd', r.sequence_end, 'leafCount', r.leaf_count, 'rootHash', encode(r.root_hash, 'hex'),
			'previousRootHash', encode(r.previous_root_hash, 'hex'), 'windowStart', ledger.ledger_http_time(r.window_start),
			'windowEnd', ledger.ledger_http_time(r.window_end), 'anchoredAt', ledger.ledger_http_time(r.anchored_at),
			'checkpoint', r.checkpoint, 'dsse', r.dsse, 'reference', r.anchor_reference,
			'signedBy', (SELECT coalesce(jsonb_agg(DISTINCT k.key_id), '[]') FROM ledger.ledger_note_keys(r.checkpoint) AS line (key_id)
				JOIN ledger.ledger_keys AS k ON k.key_id = line.key_id AND k.purpose = 'log'
				WHERE ledger.ledger_signature_valid(r.tenant_id, r.chain_id, r.tree_size, k.key_id)),
			'receipts', (SELECT coalesce(jsonb_agg(jsonb_build_object('kind', a.kind, 'name', a.name, 'reference', a.reference,
					'obtainedAt', ledger.ledger_http_time(a.obtained_at)) ORDER BY a.kind, a.name), '[]')
				FROM ledger.ledger_anchor_receipts AS a WHERE a.tenant_id = r.tenant_id AND a.anchor_id = r.anchor_id))) AS item
		FROM ledger.ledger_merkle_roots AS r
		WHERE r.tenant_id = $1 AND (v_chain IS NULL OR r.chain_id = v_chain) AND (v_since IS NULL OR r.tree_size > v_since)
			AND (v_after IS NULL OR (r.chain_id, r.tree_size) > (v_after_chain, v_after))
		ORDER BY r.chain_id, r.tree_size
		LIMIT v_limit + 1
	LOOP
		IF cardinality(v_items) = v_limit THEN
			headers := json_build_object('Ledger-Next', json_build_object('chainId', v_after_chain, 'size', v_after));
			EXIT;
		END IF;
		v_after_chain := v_anchor.chain_id;
		v_after := v_anchor.tree_size;
		v_items := v_items || ledger.ledger_canonical_json(v_anchor.item);
	END LOOP;
	status := 200;
	body := '{"anchors":[' || array_to_string(v_items, ',') || ']}';
	RETURN NEXT;
END
$$;
COMMENT ON FUNCTION ledger.ledger_http_anchors(text, jsonb) IS
	'GET /v1/ledger/anchors: {anchors} in the order (chain, size), of a chain, above a size: sizes, roots, times, checkpoint, statement (dsse), the keys whose signatures count (signedBy), receipts of external anchors. LG400: malformed parameter; LG403: tenant not granted. For ledger_gateway.';

-- ---- sql/functions/ledger_http_findings.sql
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

-- ---- sql/functions/ledger_http_verify.sql
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

-- ---- sql/functions/ledger_http_redaction.sql
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

-- ---- sql/functions/ledger_http_export.sql
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

-- ---- sql/functions/ledger_attachments.sql
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
