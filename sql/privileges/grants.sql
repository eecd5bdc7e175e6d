-- Least privilege.  Writers have EXECUTE on the append functions and no INSERT;
-- only the loader, which is privileged, may INSERT or COPY.  Leaves get no grants.
REVOKE ALL ON ALL TABLES IN SCHEMA ledger FROM PUBLIC;

DO $$
DECLARE
	v_function regprocedure;
BEGIN
	FOR v_function IN
		SELECT p.oid FROM pg_catalog.pg_proc AS p
		WHERE p.pronamespace = 'ledger'::regnamespace
			AND p.proowner = 'ledger_owner'::regrole
	LOOP
		EXECUTE format('REVOKE ALL ON ROUTINE %s FROM PUBLIC', v_function);
	END LOOP;
END
$$;

GRANT SELECT ON ledger.ledger_events, ledger.findings_projection, ledger.finding_history,
	ledger.triage_actions, ledger.ledger_event_types
	TO ledger_reader, ledger_auditor;
GRANT SELECT ON ledger.ledger_settings, ledger.ledger_tenants, ledger.ledger_tenant_grants,
	ledger.ledger_chains, ledger.ledger_partition_intent, ledger.ledger_schema_migrations
	TO ledger_auditor, ledger_operator;
GRANT SELECT ON ledger.ledger_merkle_roots, ledger.ledger_merkle_tiles, ledger.ledger_merkle_edge,
	ledger.ledger_anchor_receipts, ledger.ledger_verification_marks
	TO ledger_reader, ledger_auditor, ledger_anchorer;
GRANT SELECT ON ledger.ledger_keys, ledger.ledger_key_ranges
	TO ledger_reader, ledger_auditor, ledger_anchorer, ledger_operator;
GRANT SELECT ON ledger.ledger_anchor_stats TO ledger_auditor, ledger_anchorer, ledger_operator;
GRANT SELECT ON ledger.ledger_settings, ledger.ledger_tenants, ledger.ledger_chains TO ledger_anchorer;
GRANT SELECT ON ledger.ledger_access_log TO ledger_auditor;
GRANT SELECT ON ledger.ledger_redaction_rules TO ledger_reader, ledger_auditor, ledger_operator;
GRANT SELECT, INSERT ON ledger.ledger_events TO ledger_loader;

GRANT EXECUTE ON FUNCTION
	ledger.ledger_append(text, text, text, text, text, jsonb, text, text, text, timestamptz, uuid, uuid, uuid, text, bigint),
	ledger.ledger_append(jsonb), ledger.ledger_append_request(jsonb), ledger.ledger_append_many(jsonb),
	ledger.ledger_request_row(jsonb), ledger.ledger_request_expected(jsonb),
	ledger.ledger_request_fault(jsonb), ledger.ledger_request_either(text, text, text)
	TO ledger_writer, ledger_loader;
GRANT EXECUTE ON FUNCTION ledger.ledger_import(jsonb) TO ledger_loader;
GRANT EXECUTE ON FUNCTION
	ledger.ledger_verify(text, uuid, bigint, bigint), ledger.ledger_verify_report(text, uuid, bigint, bigint),
	ledger.ledger_verify_against(text[]), ledger.ledger_verify_new(text)
	TO ledger_reader, ledger_auditor, ledger_operator;
GRANT EXECUTE ON FUNCTION ledger.ledger_store_mark(jsonb) TO ledger_auditor, ledger_operator, ledger_anchorer;
GRANT EXECUTE ON FUNCTION
	ledger.ledger_chain_root(text, uuid, bigint), ledger.ledger_inclusion_proof(text, uuid, bigint, bigint),
	ledger.ledger_consistency_proof(text, uuid, bigint, bigint), ledger.ledger_checkpoint(text, uuid, bigint),
	ledger.ledger_proof_bundle(text, uuid)
	TO ledger_reader, ledger_auditor, ledger_operator, ledger_anchorer;
GRANT EXECUTE ON FUNCTION
	ledger.ledger_create_tenant(text, jsonb), ledger.ledger_grant_tenant(name, text),
	ledger.ledger_revoke_tenant(name, text), ledger.ledger_ensure_partitions(),
	ledger.ledger_maintenance_tick(), ledger.ledger_set_retention(text, interval),
	ledger.ledger_add_event_type(text, text, text, text, text[], text, boolean), ledger.ledger_rebuild_projection(text),
	ledger.ledger_set_anchoring(text, integer, interval, interval), ledger.ledger_set_origin(text), ledger.ledger_accept_guards(text),
	ledger.ledger_register_key(text, text, boolean), ledger.ledger_retire_key(text, text),
	ledger.ledger_revoke_key(text, text, timestamptz)
	TO ledger_operator;
GRANT EXECUTE ON FUNCTION ledger.ledger_anchor_tick(text, boolean) TO ledger_anchorer, ledger_operator;
GRANT EXECUTE ON FUNCTION
	ledger.ledger_unsigned_anchors(text), ledger.ledger_store_signature(text, uuid, text, jsonb),
	ledger.ledger_store_receipt(text, uuid, text, text, text, bytea), ledger.ledger_record_anchor_failure(text, text)
	TO ledger_anchorer;
GRANT SELECT ON ledger.ledger_projection_stats TO ledger_auditor, ledger_anchorer, ledger_operator;
GRANT EXECUTE ON FUNCTION ledger.ledger_anchor_metrics(), ledger.ledger_metrics(), ledger.ledger_http_ready(text, interval) TO ledger_auditor, ledger_operator, ledger_anchorer;
GRANT EXECUTE ON FUNCTION ledger.ledger_signature_valid(text, uuid, bigint, text)
	TO ledger_reader, ledger_auditor, ledger_operator, ledger_anchorer;
GRANT EXECUTE ON FUNCTION ledger.ledger_guard_state(), ledger.ledger_guard_triggers(),
	ledger.ledger_check_runtime(), ledger.ledger_check_software(), ledger.ledger_check_copy(),
	ledger.ledger_check_access(), ledger.ledger_partition_problems(), ledger.ledger_privilege_problems(),
	ledger.ledger_home(), ledger.ledger_schema_version(), ledger.ledger_search_path_command(),
	ledger.ledger_guard_fingerprint(text), ledger.ledger_guard_fingerprints(text[])
	TO ledger_auditor, ledger_operator;
-- The procedure works with its caller's rights, so its parts are granted with it.
GRANT EXECUTE ON ROUTINE ledger.ledger_after_restore(text), ledger.ledger_start_incarnation(text),
	ledger.ledger_mend_event_triggers(), ledger.ledger_lock_copy()
	TO ledger_operator;
-- What a signer outside asks for.
GRANT EXECUTE ON FUNCTION
	ledger.ledger_signed_checkpoints(text, uuid, text, bigint), ledger.ledger_incarnations(text, uuid),
	ledger.ledger_unpublished_anchors(text, text, text)
	TO ledger_anchorer;
GRANT EXECUTE ON FUNCTION ledger.ledger_newest_anchors(text) TO ledger_auditor, ledger_operator, ledger_anchorer;

-- The gateway: its own functions, and the parts of those that work with its rights.
DO $$
DECLARE
	v_function regprocedure;
BEGIN
	FOR v_function IN
		SELECT p.oid FROM pg_catalog.pg_proc AS p
		WHERE p.pronamespace = 'ledger'::regnamespace AND p.proowner = 'ledger_owner'::regrole
			AND pg_catalog.starts_with(p.proname::text, 'ledger_http_')
	LOOP
		EXECUTE pg_catalog.format('GRANT EXECUTE ON FUNCTION %s TO ledger_gateway', v_function);
	END LOOP;
END
$$;
GRANT EXECUTE ON FUNCTION
	ledger.ledger_log_access(text, jsonb, text, text), ledger.ledger_signed_anchor(text, uuid, bigint),
	ledger.ledger_maintenance_tick()
	TO ledger_gateway;
GRANT EXECUTE ON FUNCTION
	ledger.ledger_attachment_json(ledger.ledger_attachments, ledger.ledger_events),
	ledger.ledger_attachments_to_rewrap(text, text, uuid, integer), ledger.ledger_rewrap_attachment(text, uuid, text, text, bytea)
	TO ledger_gateway;
GRANT SELECT ON ledger.ledger_attachments TO ledger_gateway, ledger_auditor;
