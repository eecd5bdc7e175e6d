-- Who may do what, exactly.  A function or table that is added must be added here:
-- that is the moment to ask who needs it.
BEGIN;
-- Names of the ledger's are then written with their schema.
SET LOCAL search_path = public;
SELECT plan(17);

CREATE TEMP VIEW function_grants AS
	SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS role,
		format('%s(%s)', p.proname, (SELECT string_agg(format_type(t, NULL), ', ' ORDER BY n)
			FROM unnest(p.proargtypes) WITH ORDINALITY AS u (t, n))) AS function,
		a.is_grantable
	FROM pg_proc AS p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
	WHERE p.pronamespace = 'ledger'::regnamespace AND a.grantee <> p.proowner
		AND p.prorettype NOT IN ('trigger'::regtype, 'event_trigger'::regtype);
CREATE TEMP VIEW table_grants AS
	SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS role,
		string_agg(a.privilege_type, ' ' ORDER BY a.privilege_type) AS privileges, c.relname::text AS relation
	FROM pg_class AS c, aclexplode(c.relacl) AS a
	WHERE c.relnamespace = 'ledger'::regnamespace AND a.grantee <> c.relowner
	GROUP BY 1, 3;

-- PUBLIC has what computes from its arguments alone, or asks with the caller's own
-- rights; everything else is granted by name.
-- The gateway's own functions are one rule, below.
SELECT set_eq($$ SELECT role, function FROM function_grants WHERE NOT (role = 'ledger_gateway' AND starts_with(function, 'ledger_http_')) $$, $$ VALUES
	('PUBLIC', 'ledger_canonical_json(json)'),
	('PUBLIC', 'ledger_canonical_json(jsonb)'),
	('PUBLIC', 'ledger_chain_check(record, bytea, bigint, bigint)'),
	('PUBLIC', 'ledger_chain_check_add(internal, record, bytea, bigint, bigint)'),
	('PUBLIC', 'ledger_chain_check_combine(internal, internal)'),
	('PUBLIC', 'ledger_chain_check_final(internal)'),
	('PUBLIC', 'ledger_chain_check_receive(bytea, internal)'),
	('PUBLIC', 'ledger_chain_check_send(internal)'),
	('PUBLIC', 'ledger_chain_id(text, text)'),
	('PUBLIC', 'ledger_computed_hash(record)'),
	('PUBLIC', 'ledger_event_envelope(record)'),
	('PUBLIC', 'ledger_event_hash(record)'),
	('PUBLIC', 'ledger_find_homes(anyarray, integer[], text[], uuid[], bigint[])'),
	('PUBLIC', 'ledger_leaf_hash(record)'),
	('PUBLIC', 'ledger_library_version()'),
	('PUBLIC', 'ledger_payload_hash(bytea, jsonb)'),
	('PUBLIC', 'ledger_checkpoint_text(text, bigint, bytea)'),
	('PUBLIC', 'ledger_key_id(text)'),
	('PUBLIC', 'ledger_merkle_add(internal, bytea)'),
	('PUBLIC', 'ledger_merkle_final(internal)'),
	('PUBLIC', 'ledger_merkle_root(bytea)'),
	('PUBLIC', 'ledger_note_keys(text)'),
	('PUBLIC', 'ledger_note_text(text)'),
	('PUBLIC', 'ledger_parse_checkpoint(text)'),
	('PUBLIC', 'ledger_proof_text(bigint, bytea[], text)'),
	('PUBLIC', 'ledger_frontier_root(bytea, bigint)'),
	('PUBLIC', 'ledger_tree_check(text, uuid, bigint[], bigint, bytea)'),
	('PUBLIC', 'ledger_verify_consistency(bigint, bytea, bigint, bytea, bytea[])'),
	('PUBLIC', 'ledger_verify_dsse(jsonb, text)'),
	('PUBLIC', 'ledger_verify_inclusion(bytea, bigint, bigint, bytea[], bytea)'),
	('PUBLIC', 'ledger_verify_note(text, text)'),
	('PUBLIC', 'ledger_row_facts(anyelement)'),
	('PUBLIC', 'ledger_tenant_allowed(text)'),
	('PUBLIC', 'ledger_tenant_selected(text)'),
	('PUBLIC', 'ledger_uuid(text)'),
	('PUBLIC', 'ledger_uuid_v7()'),
	('PUBLIC', 'ledger_verify_projection(text, timestamp with time zone)'),
	('PUBLIC', 'ledger_frontier_root(bytea, bigint)'),
	('PUBLIC', 'ledger_tree_check(text, uuid, bigint[], bigint, bytea)'),
	('ledger_auditor', 'ledger_check_access()'),
	('ledger_auditor', 'ledger_check_copy()'),
	('ledger_auditor', 'ledger_check_runtime()'),
	('ledger_auditor', 'ledger_check_software()'),
	('ledger_auditor', 'ledger_guard_state()'),
	('ledger_auditor', 'ledger_guard_triggers()'),
	('ledger_auditor', 'ledger_home()'),
	('ledger_auditor', 'ledger_partition_problems()'),
	('ledger_auditor', 'ledger_privilege_problems()'),
	('ledger_auditor', 'ledger_schema_version()'),
	('ledger_auditor', 'ledger_search_path_command()'),
	('ledger_auditor', 'ledger_store_mark(jsonb)'),
	('ledger_auditor', 'ledger_verify(text, uuid, bigint, bigint)'),
	('ledger_auditor', 'ledger_verify_against(text[])'),
	('ledger_auditor', 'ledger_verify_new(text)'),
	('ledger_auditor', 'ledger_verify_report(text, uuid, bigint, bigint)'),
	('ledger_loader', 'ledger_append(jsonb)'),
	('ledger_loader', 'ledger_append(text, text, text, text, text, jsonb, text, text, text, timestamp with time zone, uuid, uuid, uuid, text, bigint)'),
	('ledger_loader', 'ledger_append_many(jsonb)'),
	('ledger_loader', 'ledger_append_request(jsonb)'),
	('ledger_loader', 'ledger_import(jsonb)'),
	('ledger_loader', 'ledger_request_either(text, text, text)'),
	('ledger_loader', 'ledger_request_expected(jsonb)'),
	('ledger_loader', 'ledger_request_fault(jsonb)'),
	('ledger_loader', 'ledger_request_row(jsonb)'),
	('ledger_operator', 'ledger_add_event_type(text, text, text, text, text[], text, boolean)'),
	('ledger_operator', 'ledger_after_restore(text)'),
	('ledger_operator', 'ledger_check_access()'),
	('ledger_operator', 'ledger_check_copy()'),
	('ledger_operator', 'ledger_check_runtime()'),
	('ledger_operator', 'ledger_check_software()'),
	('ledger_operator', 'ledger_create_tenant(text, jsonb)'),
	('ledger_operator', 'ledger_ensure_partitions()'),
	('ledger_operator', 'ledger_grant_tenant(name, text)'),
	('ledger_operator', 'ledger_guard_state()'),
	('ledger_operator', 'ledger_guard_triggers()'),
	('ledger_operator', 'ledger_home()'),
	('ledger_operator', 'ledger_lock_copy()'),
	('ledger_operator', 'ledger_maintenance_tick()'),
	('ledger_operator', 'ledger_mend_event_triggers()'),
	('ledger_operator', 'ledger_partition_problems()'),
	('ledger_operator', 'ledger_privilege_problems()'),
	('ledger_operator', 'ledger_rebuild_projection(text)'),
	('ledger_operator', 'ledger_revoke_tenant(name, text)'),
	('ledger_operator', 'ledger_schema_version()'),
	('ledger_operator', 'ledger_search_path_command()'),
	('ledger_operator', 'ledger_set_retention(text, interval)'),
	('ledger_operator', 'ledger_start_incarnation(text)'),
	('ledger_operator', 'ledger_store_mark(jsonb)'),
	('ledger_operator', 'ledger_verify(text, uuid, bigint, bigint)'),
	('ledger_operator', 'ledger_verify_against(text[])'),
	('ledger_operator', 'ledger_verify_new(text)'),
	('ledger_operator', 'ledger_verify_report(text, uuid, bigint, bigint)'),
	('ledger_owner', 'ledger_import_lines(jsonb)'),
	('ledger_owner', 'ledger_lock_chains()'),
	('ledger_owner', 'ledger_refold(text, timestamp with time zone)'),
	('ledger_anchorer', 'ledger_chain_root(text, uuid, bigint)'),
	('ledger_anchorer', 'ledger_checkpoint(text, uuid, bigint)'),
	('ledger_anchorer', 'ledger_consistency_proof(text, uuid, bigint, bigint)'),
	('ledger_anchorer', 'ledger_inclusion_proof(text, uuid, bigint, bigint)'),
	('ledger_anchorer', 'ledger_incarnations(text, uuid)'),
	('ledger_anchorer', 'ledger_newest_anchors(text)'),
	('ledger_auditor', 'ledger_newest_anchors(text)'),
	('ledger_operator', 'ledger_newest_anchors(text)'),
	('ledger_anchorer', 'ledger_proof_bundle(text, uuid)'),
	('ledger_anchorer', 'ledger_signed_checkpoints(text, uuid, text, bigint)'),
	('ledger_anchorer', 'ledger_unpublished_anchors(text, text, text)'),
	('ledger_anchorer', 'ledger_anchor_tick(text, boolean)'),
	('ledger_anchorer', 'ledger_store_mark(jsonb)'),
	('ledger_anchorer', 'ledger_anchor_metrics()'),
	('ledger_anchorer', 'ledger_record_anchor_failure(text, text)'),
	('ledger_anchorer', 'ledger_signature_valid(text, uuid, bigint, text)'),
	('ledger_anchorer', 'ledger_store_receipt(text, uuid, text, text, text, bytea)'),
	('ledger_anchorer', 'ledger_store_signature(text, uuid, text, jsonb)'),
	('ledger_anchorer', 'ledger_unsigned_anchors(text)'),
	('ledger_auditor', 'ledger_chain_root(text, uuid, bigint)'),
	('ledger_auditor', 'ledger_checkpoint(text, uuid, bigint)'),
	('ledger_auditor', 'ledger_consistency_proof(text, uuid, bigint, bigint)'),
	('ledger_auditor', 'ledger_inclusion_proof(text, uuid, bigint, bigint)'),
	('ledger_auditor', 'ledger_proof_bundle(text, uuid)'),
	('ledger_auditor', 'ledger_guard_fingerprint(text)'),
	('ledger_auditor', 'ledger_guard_fingerprints(text[])'),
	('ledger_auditor', 'ledger_anchor_metrics()'),
	('ledger_auditor', 'ledger_signature_valid(text, uuid, bigint, text)'),
	('ledger_operator', 'ledger_chain_root(text, uuid, bigint)'),
	('ledger_operator', 'ledger_checkpoint(text, uuid, bigint)'),
	('ledger_operator', 'ledger_consistency_proof(text, uuid, bigint, bigint)'),
	('ledger_operator', 'ledger_inclusion_proof(text, uuid, bigint, bigint)'),
	('ledger_operator', 'ledger_proof_bundle(text, uuid)'),
	('ledger_operator', 'ledger_accept_guards(text)'),
	('ledger_operator', 'ledger_anchor_tick(text, boolean)'),
	('ledger_operator', 'ledger_guard_fingerprint(text)'),
	('ledger_operator', 'ledger_guard_fingerprints(text[])'),
	('ledger_operator', 'ledger_set_anchoring(text, integer, interval, interval)'),
	('ledger_operator', 'ledger_set_origin(text)'),
	('ledger_operator', 'ledger_anchor_metrics()'),
	('ledger_operator', 'ledger_register_key(text, text, boolean)'),
	('ledger_operator', 'ledger_retire_key(text, text)'),
	('ledger_operator', 'ledger_revoke_key(text, text, timestamp with time zone)'),
	('ledger_operator', 'ledger_signature_valid(text, uuid, bigint, text)'),
	('ledger_reader', 'ledger_chain_root(text, uuid, bigint)'),
	('ledger_reader', 'ledger_checkpoint(text, uuid, bigint)'),
	('ledger_reader', 'ledger_consistency_proof(text, uuid, bigint, bigint)'),
	('ledger_reader', 'ledger_inclusion_proof(text, uuid, bigint, bigint)'),
	('ledger_reader', 'ledger_proof_bundle(text, uuid)'),
	('ledger_owner', 'ledger_force_flush()'),
	('ledger_owner', 'ledger_tree_advance(text, uuid, bytea, bigint, bigint)'),
	('ledger_owner', 'ledger_tree_consistency(text, uuid, bigint, bigint)'),
	('ledger_owner', 'ledger_tree_head(text, uuid)'),
	('ledger_owner', 'ledger_tree_inclusion(text, uuid, bigint, bigint)'),
	('ledger_owner', 'ledger_tree_root(text, uuid, bigint)'),
	('ledger_owner', 'ledger_write(anyelement, bigint)'),
	('ledger_owner', 'ledger_write_many(anyarray)'),
	('ledger_owner', 'ledger_anchored_ends(timestamp with time zone)'),
	('ledger_owner', 'ledger_own_head()'),
	('ledger_reader', 'ledger_verify(text, uuid, bigint, bigint)'),
	('ledger_reader', 'ledger_verify_against(text[])'),
	('ledger_reader', 'ledger_verify_new(text)'),
	('ledger_reader', 'ledger_verify_report(text, uuid, bigint, bigint)'),
	('ledger_reader', 'ledger_signature_valid(text, uuid, bigint, text)'),
	('ledger_writer', 'ledger_append(jsonb)'),
	('ledger_writer', 'ledger_append(text, text, text, text, text, jsonb, text, text, text, timestamp with time zone, uuid, uuid, uuid, text, bigint)'),
	('ledger_writer', 'ledger_append_many(jsonb)'),
	('ledger_writer', 'ledger_append_request(jsonb)'),
	('ledger_writer', 'ledger_request_either(text, text, text)'),
	('ledger_writer', 'ledger_request_expected(jsonb)'),
	('ledger_writer', 'ledger_request_fault(jsonb)'),
	('ledger_writer', 'ledger_request_row(jsonb)'),
	('PUBLIC', 'ledger_event_json(record)'),
	('PUBLIC', 'ledger_event_line(text, uuid)'),
	('PUBLIC', 'ledger_fold_events(record, anyelement)'),
	('PUBLIC', 'ledger_fold_events_add(internal, record, anyelement)'),
	('PUBLIC', 'ledger_fold_events_final(internal, record, anyelement)'),
	('ledger_anchorer', 'ledger_http_ready(text, interval)'),
	('ledger_anchorer', 'ledger_metrics()'),
	('ledger_auditor', 'ledger_http_ready(text, interval)'),
	('ledger_auditor', 'ledger_metrics()'),
	('ledger_gateway', 'ledger_attachment_json(ledger.ledger_attachments, ledger.ledger_events)'),
	('ledger_gateway', 'ledger_attachments_to_rewrap(text, text, uuid, integer)'),
	('ledger_gateway', 'ledger_log_access(text, jsonb, text, text)'),
	('ledger_gateway', 'ledger_maintenance_tick()'),
	('ledger_gateway', 'ledger_rewrap_attachment(text, uuid, text, text, bytea)'),
	('ledger_gateway', 'ledger_signed_anchor(text, uuid, bigint)'),
	('ledger_operator', 'ledger_http_ready(text, interval)'),
	('ledger_operator', 'ledger_metrics()'),
	('ledger_owner', 'ledger_watch_chain(text, uuid, bigint)')
$$, 'functions: granted to these roles and no other');

SELECT set_eq('SELECT role, privileges, relation FROM table_grants', $$ VALUES
	('ledger_anchorer', 'SELECT', 'ledger_anchor_receipts'),
	('ledger_anchorer', 'SELECT', 'ledger_anchor_stats'),
	('ledger_anchorer', 'SELECT', 'ledger_chains'),
	('ledger_anchorer', 'SELECT', 'ledger_key_ranges'),
	('ledger_anchorer', 'SELECT', 'ledger_keys'),
	('ledger_anchorer', 'SELECT', 'ledger_merkle_edge'),
	('ledger_anchorer', 'SELECT', 'ledger_merkle_roots'),
	('ledger_anchorer', 'SELECT', 'ledger_merkle_tiles'),
	('ledger_anchorer', 'SELECT', 'ledger_settings'),
	('ledger_anchorer', 'SELECT', 'ledger_tenants'),
	('ledger_anchorer', 'SELECT', 'ledger_verification_marks'),
	('ledger_auditor', 'SELECT', 'finding_history'),
	('ledger_auditor', 'SELECT', 'findings_projection'),
	('ledger_auditor', 'SELECT', 'ledger_chains'),
	('ledger_auditor', 'SELECT', 'ledger_event_types'),
	('ledger_auditor', 'SELECT', 'ledger_events'),
	('ledger_reader', 'SELECT', 'ledger_redaction_rules'),
	('ledger_auditor', 'SELECT', 'ledger_redaction_rules'),
	('ledger_operator', 'SELECT', 'ledger_redaction_rules'),
	('ledger_auditor', 'SELECT', 'ledger_partition_intent'),
	('ledger_auditor', 'SELECT', 'ledger_schema_migrations'),
	('ledger_auditor', 'SELECT', 'ledger_settings'),
	('ledger_auditor', 'SELECT', 'ledger_tenant_grants'),
	('ledger_auditor', 'SELECT', 'ledger_tenants'),
	('ledger_auditor', 'SELECT', 'triage_actions'),
	('ledger_auditor', 'SELECT', 'ledger_anchor_receipts'),
	('ledger_auditor', 'SELECT', 'ledger_anchor_stats'),
	('ledger_auditor', 'SELECT', 'ledger_key_ranges'),
	('ledger_auditor', 'SELECT', 'ledger_keys'),
	('ledger_auditor', 'SELECT', 'ledger_merkle_edge'),
	('ledger_auditor', 'SELECT', 'ledger_merkle_roots'),
	('ledger_auditor', 'SELECT', 'ledger_merkle_tiles'),
	('ledger_auditor', 'SELECT', 'ledger_verification_marks'),
	('ledger_loader', 'INSERT SELECT', 'ledger_events'),
	('ledger_operator', 'SELECT', 'ledger_chains'),
	('ledger_operator', 'SELECT', 'ledger_partition_intent'),
	('ledger_operator', 'SELECT', 'ledger_schema_migrations'),
	('ledger_operator', 'SELECT', 'ledger_settings'),
	('ledger_operator', 'SELECT', 'ledger_tenant_grants'),
	('ledger_operator', 'SELECT', 'ledger_tenants'),
	('ledger_operator', 'SELECT', 'ledger_anchor_stats'),
	('ledger_operator', 'SELECT', 'ledger_key_ranges'),
	('ledger_operator', 'SELECT', 'ledger_keys'),
	('ledger_reader', 'SELECT', 'finding_history'),
	('ledger_reader', 'SELECT', 'findings_projection'),
	('ledger_reader', 'SELECT', 'ledger_event_types'),
	('ledger_reader', 'SELECT', 'ledger_events'),
	('ledger_reader', 'SELECT', 'triage_actions'),
	('ledger_reader', 'SELECT', 'ledger_anchor_receipts'),
	('ledger_reader', 'SELECT', 'ledger_key_ranges'),
	('ledger_reader', 'SELECT', 'ledger_keys'),
	('ledger_reader', 'SELECT', 'ledger_merkle_edge'),
	('ledger_reader', 'SELECT', 'ledger_merkle_roots'),
	('ledger_reader', 'SELECT', 'ledger_merkle_tiles'),
	('ledger_reader', 'SELECT', 'ledger_verification_marks'),
	('ledger_anchorer', 'SELECT', 'ledger_projection_stats'),
	('ledger_auditor', 'SELECT', 'ledger_access_log'),
	('ledger_auditor', 'SELECT', 'ledger_attachments'),
	('ledger_auditor', 'SELECT', 'ledger_projection_stats'),
	('ledger_gateway', 'SELECT', 'ledger_attachments'),
	('ledger_operator', 'SELECT', 'ledger_projection_stats')
$$, 'tables: granted to these roles and no other, no leaf and no partition to anyone');

SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc AS p WHERE p.pronamespace = 'ledger'::regnamespace AND starts_with(p.proname::text, 'ledger_http_')
		AND NOT EXISTS (SELECT FROM aclexplode(p.proacl) AS a WHERE a.grantee = 'ledger_gateway'::regrole AND a.privilege_type = 'EXECUTE')
$$, 'every function of the gateway is granted to it');
SELECT is_empty($$ SELECT * FROM function_grants WHERE is_grantable $$, 'no function may be passed on');
SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc AS p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
	WHERE p.pronamespace = 'ledger'::regnamespace AND p.prosecdef AND a.grantee = 0
$$, 'no SECURITY DEFINER function may be called by everyone');
SELECT is_empty($$
	SELECT p.oid::regprocedure FROM pg_proc AS p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) AS a
	WHERE p.pronamespace = 'ledger'::regnamespace AND p.prorettype = 'trigger'::regtype
		AND a.grantee NOT IN (p.proowner, 'ledger_owner'::regrole)
$$, 'nobody but the owner can put the trigger functions on a table');
SELECT is_empty($$
	SELECT a.attname FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid
	WHERE c.relnamespace = 'ledger'::regnamespace AND a.attacl IS NOT NULL
$$, 'no column has a grant of its own');
SELECT set_eq($$ SELECT CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END, a.privilege_type
	FROM pg_namespace AS n, aclexplode(n.nspacl) AS a WHERE n.nspname = 'ledger' AND a.grantee <> n.nspowner $$,
	$$ VALUES ('PUBLIC', 'USAGE'), ('ledger_owner', 'CREATE') $$, 'schema: everyone uses it, the owner creates in it');
SELECT is((SELECT r.rolsuper FROM pg_namespace AS n JOIN pg_roles AS r ON r.oid = n.nspowner WHERE n.nspname = 'ledger'), true,
	'a superuser owns the schema, so that the owner''s members cannot drop the extension in it');
SELECT is_empty($$ SELECT * FROM pg_default_acl WHERE defaclnamespace IN (0, 'ledger'::regnamespace) $$, 'nothing is granted in advance');

SELECT set_eq($$ SELECT rolname, rolcanlogin, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls
	FROM pg_roles WHERE rolname ~ '^ledger_' $$, $$ VALUES
	('ledger_owner'::name, false, false, false, false, false, false),
	('ledger_reader', false, false, false, false, false, false),
	('ledger_writer', false, false, false, false, false, false),
	('ledger_auditor', false, false, false, false, false, false),
	('ledger_operator', false, false, false, false, false, false),
	('ledger_anchorer', false, false, false, false, false, false),
	('ledger_gateway', false, false, false, false, false, false),
	('ledger_loader', false, false, false, false, false, true),
	('ledger_backup', false, false, false, false, false, true) $$, 'roles: none logs in, two see every row');
SELECT is_empty($$ SELECT m.member::regrole FROM pg_auth_members AS m WHERE m.roleid = 'ledger_owner'::regrole $$, 'no role is a member of the owner');
SELECT set_eq($$ SELECT m.member::regrole::text, m.roleid::regrole::text FROM pg_auth_members AS m
	WHERE m.member IN (SELECT oid FROM pg_roles WHERE rolname ~ '^ledger_') $$, $$ VALUES ('ledger_backup', 'pg_read_all_data'),
		('ledger_gateway', 'ledger_reader'), ('ledger_gateway', 'ledger_writer'), ('ledger_gateway', 'ledger_auditor'), ('ledger_gateway', 'ledger_anchorer') $$,
	'no role is a member of another, but for the backup that reads everything, and the gateway');

-- Row-level security: forced, with these policies.
SELECT set_eq($$ SELECT c.relname::text FROM pg_class AS c WHERE c.relnamespace = 'ledger'::regnamespace
		AND c.relrowsecurity AND c.relforcerowsecurity AND NOT c.relispartition $$,
	$$ VALUES ('ledger_events'), ('ledger_chains'), ('findings_projection'), ('finding_history'), ('triage_actions'), ('ledger_merkle_roots'), ('ledger_merkle_tiles'),
		('ledger_merkle_edge'), ('ledger_key_ranges'), ('ledger_anchor_receipts'), ('ledger_anchor_stats'), ('ledger_verification_marks'),
		('ledger_attachments'), ('ledger_access_log'), ('ledger_projection_stats') $$,
	'row security is forced on every table that holds a tenant''s rows');
SELECT is_empty($$ SELECT t.leaf FROM ledger.ledger_tenants AS t JOIN pg_class AS c ON c.relname = t.leaf AND c.relnamespace = 'ledger'::regnamespace
	WHERE NOT (c.relrowsecurity AND c.relforcerowsecurity) $$, 'and on every leaf');
SELECT set_eq($$ SELECT c.relname::text, p.polname::text, p.polcmd::text, p.polpermissive,
		(SELECT string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE r::regrole::text END, ' ') FROM unnest(p.polroles) AS r) AS role,
		pg_get_expr(p.polqual, p.polrelid) AS qual, pg_get_expr(p.polwithcheck, p.polrelid) AS checked
	FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid WHERE c.relnamespace = 'ledger'::regnamespace $$, $$
	SELECT t, p.name, p.cmd, true, p.role, p.qual, p.checked
	FROM unnest('{ledger_events,ledger_chains,findings_projection,finding_history,triage_actions,ledger_merkle_roots,ledger_merkle_tiles,ledger_merkle_edge,
			ledger_key_ranges,ledger_anchor_receipts,ledger_anchor_stats,ledger_verification_marks,ledger_attachments,ledger_access_log,ledger_projection_stats}'::text[]) AS t,
		(VALUES ('tenant_selected', '*', 'PUBLIC', 'ledger.ledger_tenant_selected(tenant_id)', NULL),
			('tenant_granted', '*', 'ledger_owner', 'ledger.ledger_tenant_allowed(tenant_id)', NULL)) AS p (name, cmd, role, qual, checked)
	UNION ALL VALUES ('ledger_events', 'own_events', 'a', true, 'ledger_owner', NULL, '(event_type ~~ ''ledger.%''::text)'),
		('ledger_key_ranges', 'own_ranges', '*', true, 'ledger_owner', 'true', NULL) $$,
	'policies: selected and allowed; the ledger''s own events; ranges of keys');
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_class AS c, aclexplode(c.relacl) AS a
	WHERE c.relnamespace = 'ledger'::regnamespace AND c.relispartition AND a.grantee <> c.relowner $$, 'partitions have no grants: row security is not theirs');

SELECT * FROM finish();
ROLLBACK;
