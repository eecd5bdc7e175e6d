-- runs as: owner
-- Built from sql/ by migrations/freeze.sh.  Frozen once released: change sql/
-- and add a migration instead (migrations/README.md).

-- ---- sql/triggers/ledger_events.sql
-- The link trigger must fire last of all BEFORE triggers, which fire by name: a
-- later one could change what was hashed.
CREATE TRIGGER zzzz_ledger_link BEFORE INSERT ON ledger.ledger_events
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_link();
CREATE TRIGGER ledger_refuse_row BEFORE UPDATE OR DELETE ON ledger.ledger_events
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.ledger_events
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_events ENABLE ALWAYS TRIGGER zzzz_ledger_link;
ALTER TABLE ledger.ledger_events ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_events ENABLE ALWAYS TRIGGER ledger_refuse_statement;

-- Statement triggers see all new rows at once; a statement aimed at a leaf would not
-- fire it, which is why leaves refuse such statements.
CREATE TRIGGER ledger_project AFTER INSERT ON ledger.ledger_events
	REFERENCING NEW TABLE AS new_events
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_project();
ALTER TABLE ledger.ledger_events ENABLE ALWAYS TRIGGER ledger_project;

-- ---- sql/triggers/ledger_event_types.sql
-- The vocabulary only grows: a changed row would fold old events anew.
CREATE TRIGGER ledger_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.ledger_event_types
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_event_types ENABLE ALWAYS TRIGGER ledger_refuse_statement;

-- ---- sql/triggers/ledger_schema_migrations.sql
-- A recorded migration is what lets the owner's members change the ledger's
-- objects, so the record stays: only its event may be filled in, once.
CREATE TRIGGER ledger_refuse_row BEFORE UPDATE ON ledger.ledger_schema_migrations
	FOR EACH ROW
	WHEN (old.event_id IS NOT NULL
		OR (old.version, old.file_name, old.checksum, old.applied_at, old.applied_by)
			IS DISTINCT FROM (new.version, new.file_name, new.checksum, new.applied_at, new.applied_by))
	EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE DELETE OR TRUNCATE ON ledger.ledger_schema_migrations
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_schema_migrations ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_schema_migrations ENABLE ALWAYS TRIGGER ledger_refuse_statement;

-- ---- sql/triggers/ledger_settings.sql
-- One row, and the name in it is what every checkpoint that left says.
CREATE TRIGGER ledger_refuse_row BEFORE UPDATE ON ledger.ledger_settings
	FOR EACH ROW WHEN (NOT ledger.ledger_origin_stays(old, new))
	EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_delete BEFORE DELETE ON ledger.ledger_settings
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE DELETE OR TRUNCATE ON ledger.ledger_settings
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_settings ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_settings ENABLE ALWAYS TRIGGER ledger_refuse_delete;
ALTER TABLE ledger.ledger_settings ENABLE ALWAYS TRIGGER ledger_refuse_statement;

-- ---- sql/triggers/ledger_merkle_roots.sql
-- Anchors are evidence like events.  What changes in the course of their lives is only
-- what is added to them (functions/ledger_only_adds.sql).  Row triggers too, because
-- logical replication fires no others.
CREATE TRIGGER ledger_refuse_row BEFORE UPDATE ON ledger.ledger_merkle_roots
	FOR EACH ROW WHEN (NOT ledger.ledger_anchor_only_adds(old, new))
	EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_delete BEFORE DELETE ON ledger.ledger_merkle_roots
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE DELETE OR TRUNCATE ON ledger.ledger_merkle_roots
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_merkle_roots ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_merkle_roots ENABLE ALWAYS TRIGGER ledger_refuse_delete;
ALTER TABLE ledger.ledger_merkle_roots ENABLE ALWAYS TRIGGER ledger_refuse_statement;

-- Tiles, receipts, marks, and who got evidence: nothing at all.
CREATE TRIGGER ledger_refuse_row BEFORE UPDATE OR DELETE ON ledger.ledger_merkle_tiles
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.ledger_merkle_tiles
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_merkle_tiles ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_merkle_tiles ENABLE ALWAYS TRIGGER ledger_refuse_statement;

CREATE TRIGGER ledger_refuse_row BEFORE UPDATE OR DELETE ON ledger.ledger_anchor_receipts
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.ledger_anchor_receipts
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_anchor_receipts ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_anchor_receipts ENABLE ALWAYS TRIGGER ledger_refuse_statement;

CREATE TRIGGER ledger_refuse_row BEFORE UPDATE OR DELETE ON ledger.ledger_verification_marks
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.ledger_verification_marks
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_verification_marks ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_verification_marks ENABLE ALWAYS TRIGGER ledger_refuse_statement;

CREATE TRIGGER ledger_refuse_row BEFORE UPDATE OR DELETE ON ledger.ledger_access_log
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE UPDATE OR DELETE OR TRUNCATE ON ledger.ledger_access_log
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_access_log ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_access_log ENABLE ALWAYS TRIGGER ledger_refuse_statement;

-- ---- sql/triggers/ledger_keys.sql
-- A key that was once trusted stays in the books: it ends, and its ranges shrink, but
-- neither is taken out, widened or given another content.
CREATE TRIGGER ledger_refuse_row BEFORE UPDATE ON ledger.ledger_keys
	FOR EACH ROW WHEN (NOT ledger.ledger_key_only_ends(old, new))
	EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_delete BEFORE DELETE ON ledger.ledger_keys
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE DELETE OR TRUNCATE ON ledger.ledger_keys
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_keys ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_keys ENABLE ALWAYS TRIGGER ledger_refuse_delete;
ALTER TABLE ledger.ledger_keys ENABLE ALWAYS TRIGGER ledger_refuse_statement;

CREATE TRIGGER ledger_refuse_row BEFORE UPDATE ON ledger.ledger_key_ranges
	FOR EACH ROW WHEN (NOT ledger.ledger_range_only_narrows(old, new))
	EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_delete BEFORE DELETE ON ledger.ledger_key_ranges
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE DELETE OR TRUNCATE ON ledger.ledger_key_ranges
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_key_ranges ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_key_ranges ENABLE ALWAYS TRIGGER ledger_refuse_delete;
ALTER TABLE ledger.ledger_key_ranges ENABLE ALWAYS TRIGGER ledger_refuse_statement;

-- ---- sql/triggers/ledger_attachments.sql
-- An attachment stays as it was stored.  Only its data key may be wrapped anew
-- (functions/ledger_attachments.sql).
CREATE TRIGGER ledger_refuse_row BEFORE UPDATE ON ledger.ledger_attachments
	FOR EACH ROW WHEN (NOT ledger.ledger_attachment_only_rewraps(old, new))
	EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_delete BEFORE DELETE ON ledger.ledger_attachments
	FOR EACH ROW EXECUTE FUNCTION ledger.ledger_refuse_change();
CREATE TRIGGER ledger_refuse_statement BEFORE DELETE OR TRUNCATE ON ledger.ledger_attachments
	FOR EACH STATEMENT EXECUTE FUNCTION ledger.ledger_refuse_change();
ALTER TABLE ledger.ledger_attachments ENABLE ALWAYS TRIGGER ledger_refuse_row;
ALTER TABLE ledger.ledger_attachments ENABLE ALWAYS TRIGGER ledger_refuse_delete;
ALTER TABLE ledger.ledger_attachments ENABLE ALWAYS TRIGGER ledger_refuse_statement;

-- ---- sql/policies/tenant_rows.sql
-- Row-level security, forced: it holds for the owner too.  A reader sees the
-- tenant that app.current_tenant selects, if a grant allows it.  Inside the
-- owner's SECURITY DEFINER functions the tenant comes as a parameter, so there the
-- grant alone decides; the asked subject stays the session's role.
DO $$
DECLARE
	v_table text;
BEGIN
	FOREACH v_table IN ARRAY ARRAY['ledger_events', 'findings_projection', 'finding_history', 'triage_actions', 'ledger_chains',
		'ledger_merkle_roots', 'ledger_merkle_tiles', 'ledger_merkle_edge', 'ledger_key_ranges', 'ledger_anchor_receipts',
		'ledger_anchor_stats', 'ledger_verification_marks', 'ledger_access_log', 'ledger_attachments',
		'ledger_projection_stats']
	LOOP
		EXECUTE format('ALTER TABLE ledger.%I ENABLE ROW LEVEL SECURITY', v_table);
		EXECUTE format('ALTER TABLE ledger.%I FORCE ROW LEVEL SECURITY', v_table);
		EXECUTE format('CREATE POLICY tenant_selected ON ledger.%I
			USING (ledger.ledger_tenant_selected(tenant_id))', v_table);
		EXECUTE format('CREATE POLICY tenant_granted ON ledger.%I TO ledger_owner
			USING (ledger.ledger_tenant_allowed(tenant_id))', v_table);
	END LOOP;
END
$$;

-- The ledger writes its own events whoever the session is.  The link trigger lets
-- only the owner's SECURITY DEFINER functions do that, and only with ledger.* types.
CREATE POLICY own_events ON ledger.ledger_events FOR INSERT TO ledger_owner
	WITH CHECK (event_type LIKE 'ledger.%');

-- A key is registered and ended for all tenants at once, by an operator who may touch
-- none of them.  A range is two numbers, and only the key functions hand it on.
CREATE POLICY own_ranges ON ledger.ledger_key_ranges TO ledger_owner
	USING (true);

-- ---- sql/privileges/grants.sql
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

-- ---- sql/bootstrap/first_rows.sql
-- The log's name and this copy's identity; and the reserved tenant that holds
-- the ledger's events about itself.
INSERT INTO ledger.ledger_settings (origin, instance_id, home)
SELECT 'ledger-' || encode(uuid_send(gen_random_uuid()), 'hex'), gen_random_uuid(), ledger.ledger_home();

SELECT ledger.ledger_create_tenant('ledger');

SELECT ledger.ledger_ensure_partitions();
