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
