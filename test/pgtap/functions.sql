-- Functions: what they promise to the planner, and that they keep it.
BEGIN;
SELECT plan(34);

CREATE TEMP VIEW ours AS
	SELECT p.*, l.lanname FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang WHERE p.pronamespace = 'ledger'::regnamespace;

-- The public C functions, exactly: volatility, parallel safety, STRICT.
SELECT set_eq($$ SELECT proname::text, pg_get_function_arguments(oid), provolatile::text || proparallel::text || CASE WHEN proisstrict THEN 's' ELSE '' END FROM ours
		WHERE lanname = 'c' AND proname IN ('ledger_canonical_json', 'ledger_payload_hash', 'ledger_event_hash', 'ledger_leaf_hash', 'ledger_event_envelope', 'ledger_event_json', 'ledger_event_line', 'ledger_fold_events',
			'ledger_chain_id', 'ledger_uuid', 'ledger_uuid_v7', 'ledger_tenant_allowed', 'ledger_tenant_selected') $$, $$ VALUES
	('ledger_canonical_json', 'document json', 'iss'),
	('ledger_canonical_json', 'document jsonb', 'iss'),
	('ledger_payload_hash', 'salt bytea, payload jsonb', 'iss'),
	('ledger_event_hash', 'event record', 'sss'),
	('ledger_leaf_hash', 'event record', 'sss'),
	('ledger_event_envelope', 'event record', 'sss'),
	('ledger_event_json', 'event record', 'sss'),
	('ledger_event_line', 'tenant text, event_id uuid, OUT chain_id uuid, OUT sequence_no bigint, OUT line text', 'sss'),
	('ledger_chain_id', 'tenant text, policy_version text', 'iss'),
	('ledger_uuid', 'value text', 'iss'),
	('ledger_uuid_v7', '', 'vs'),
	('ledger_tenant_allowed', 'tenant text', 'sss'),
	('ledger_tenant_selected', 'tenant text', 'sss') $$, 'the hash recipes');
SELECT set_eq($$ SELECT proname::text, pg_get_function_arguments(oid), provolatile::text || proparallel::text || CASE WHEN proisstrict THEN 's' ELSE '' END FROM ours
		WHERE proname ~ '^ledger_merkle_|^ledger_tree_(head|advance|root|inclusion|consistency)$|_(note|dsse|inclusion|consistency|checkpoint)$|^ledger_(note|checkpoint|proof)_text$'
			OR proname IN ('ledger_key_id', 'ledger_note_keys', 'ledger_force_flush') $$, $$ VALUES
	('ledger_merkle_add', 'internal, leaf bytea', 'is'),
	('ledger_merkle_final', 'internal', 'is'),
	('ledger_merkle_root', 'leaf bytea', 'is'),
	('ledger_verify_inclusion', 'leaf_hash bytea, leaf_index bigint, tree_size bigint, proof bytea[], root bytea', 'iss'),
	('ledger_verify_consistency', 'size1 bigint, root1 bytea, size2 bigint, root2 bytea, proof bytea[]', 'iss'),
	('ledger_key_id', 'public_key text', 'iss'),
	('ledger_verify_note', 'note text, public_key text', 'iss'),
	('ledger_note_keys', 'note text', 'iss'),
	('ledger_note_text', 'note text', 'iss'),
	('ledger_checkpoint_text', 'origin text, tree_size bigint, root bytea', 'iss'),
	('ledger_parse_checkpoint', 'checkpoint text, OUT origin text, OUT tree_size bigint, OUT root bytea, OUT signed boolean', 'iss'),
	('ledger_verify_dsse', 'envelope jsonb, public_key text', 'iss'),
	('ledger_proof_text', 'leaf_index bigint, proof bytea[], checkpoint text', 'iss'),
	('ledger_tree_head', 'tenant text, chain uuid', 'vrs'),
	('ledger_tree_advance', 'tenant text, chain uuid, frontier bytea, from_size bigint, to_size bigint, OUT new_frontier bytea, OUT root bytea, OUT nodes bytea', 'sss'),
	('ledger_tree_root', 'tenant text, chain uuid, tree_size bigint', 'sss'),
	('ledger_tree_inclusion', 'tenant text, chain uuid, leaf_index bigint, tree_size bigint', 'sss'),
	('ledger_tree_consistency', 'tenant text, chain uuid, size1 bigint, size2 bigint', 'sss'),
	('ledger_force_flush', '', 'vu'),
	('ledger_checkpoint', 'tenant text, chain uuid, tree_size bigint DEFAULT NULL::bigint', 'sr'),
	('ledger_http_checkpoint', 'tenant text, context jsonb', 'ss'),
	('ledger_http_consistency', 'tenant text, context jsonb', 'vu') $$, 'trees, notes and envelopes');
SELECT set_eq($$ SELECT proname::text, provolatile::text || proparallel::text FROM ours WHERE prosecdef AND proname ~ '_(proof|root|checkpoint|bundle)$' $$, $$ VALUES
	('ledger_chain_root', 'sr'), ('ledger_inclusion_proof', 'sr'), ('ledger_consistency_proof', 'sr'), ('ledger_checkpoint', 'sr'), ('ledger_proof_bundle', 'sr') $$,
	'proofs: one snapshot for the whole statement');
SELECT set_eq($$ SELECT proname::text, provolatile::text || proparallel::text FROM ours WHERE prosecdef AND provolatile <> 's' $$, $$ VALUES
	('ledger_append', 'vu'), ('ledger_append_many', 'vu'), ('ledger_append_request', 'vu'), ('ledger_import', 'vu'),
	('ledger_create_tenant', 'vu'), ('ledger_grant_tenant', 'vu'), ('ledger_revoke_tenant', 'vu'), ('ledger_add_event_type', 'vu'),
	('ledger_rebuild_projection', 'vu'), ('ledger_ensure_partitions', 'vu'), ('ledger_maintenance_tick', 'vu'), ('ledger_set_retention', 'vu'),
	('ledger_record_guard_change', 'vu'), ('ledger_record_migrations', 'vu'), ('ledger_start_incarnation', 'vu'), ('ledger_lock_copy', 'vu'), ('ledger_store_mark', 'vu'),
	('ledger_set_anchoring', 'vu'), ('ledger_set_origin', 'vu'), ('ledger_anchor_tick', 'vu'), ('ledger_accept_guards', 'vu'),
	('ledger_register_key', 'vu'), ('ledger_retire_key', 'vu'), ('ledger_revoke_key', 'vu'), ('ledger_store_signature', 'vu'), ('ledger_store_receipt', 'vu'),
	('ledger_record_anchor_failure', 'vu'), ('ledger_http_attach', 'vu'), ('ledger_rewrap_attachment', 'vu'),
	('ledger_http_append', 'vu'), ('ledger_http_append_batch', 'vu'), ('ledger_log_access', 'vu') $$,
	'what writes with the owner''s rights, and never in a parallel plan');
SELECT is_empty($$ SELECT oid::regprocedure FROM ours WHERE prosecdef AND proowner <> 'ledger_owner'::regrole $$, 'SECURITY DEFINER is the owner, never a superuser');
SELECT is_empty($$ SELECT oid::regprocedure FROM ours
	WHERE lanname IN ('sql', 'plpgsql') AND prosqlbody IS NULL AND proconfig IS NULL $$, 'every SQL function pins its search_path');
SELECT is_empty($$ SELECT oid::regprocedure, proconfig FROM ours, unnest(proconfig) AS c
	WHERE c LIKE 'search_path=%' AND c <> 'search_path=pg_catalog, pg_temp' $$, 'and always to pg_catalog, with pg_temp last');
SELECT is_empty($$ SELECT oid::regprocedure FROM ours WHERE proparallel <> 'u' AND lanname = 'plpgsql' AND prosrc ~* '\mexception\s+when\M' $$,
	'no function that may run in a worker opens a subtransaction');
SELECT is_empty($$ SELECT oid::regprocedure FROM ours WHERE proleakproof $$, 'none claims to be leakproof');
SELECT is_empty($$ SELECT oid::regprocedure FROM ours WHERE lanname = 'c' AND NOT EXISTS (SELECT FROM pg_depend AS d
	WHERE d.classid = 'pg_proc'::regclass AND d.objid = ours.oid AND d.deptype = 'e') $$, 'every C function belongs to the extension');
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_class AS c JOIN pg_depend AS d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid
	JOIN pg_extension AS e ON e.oid = d.refobjid AND d.deptype = 'e' WHERE e.extname = 'findings_ledger' $$, 'and no table does: a dump would lose it');
SELECT is_empty($$ SELECT oid::regprocedure FROM ours WHERE obj_description(oid, 'pg_proc') IS NULL $$, 'every function has a comment');
SELECT is_empty($$ SELECT c.oid::regclass FROM pg_class AS c WHERE c.relnamespace = 'ledger'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
	AND obj_description(c.oid, 'pg_class') IS NULL $$, 'every table has a comment');
SELECT isnt_empty($$ SELECT obj_description('ledger'::regnamespace, 'pg_namespace') $$, 'so has the schema');
SELECT is_empty($$ SELECT rolname FROM pg_roles WHERE rolname ~ '^ledger_' AND shobj_description(oid, 'pg_authid') IS NULL $$, 'so has every role');
SELECT is_empty($$ SELECT evtname FROM pg_event_trigger WHERE evtname ~ '^ledger_' AND obj_description(oid, 'pg_event_trigger') IS NULL $$, 'so has every event trigger');

-- Parallel safe means: the same answer in a worker.  A table to scan in parallel, and
-- a plan that must launch a worker.
CREATE TABLE public.to_scan AS SELECT n, 'acme'::text AS tenant, 'p' || n AS policy, jsonb_build_object('n', n, 'é', '😀') AS document FROM generate_series(1, 2000) AS n;
SELECT count(*) FROM ledger.ledger_append_many((SELECT jsonb_agg(jsonb_build_object('tenant', 'acme', 'type', 'finding.created', 'policyVersion', 'pgtap',
	'findingId', 'F' || n, 'artifactId', 'a', 'payload', document)) FROM public.to_scan WHERE n <= 300)) \gset ignored_
GRANT SELECT ON public.to_scan TO PUBLIC;
ANALYZE public.to_scan;
CREATE FUNCTION pg_temp.in_workers(query text) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
	v_alone text;
	v_spread text;
	v_line text;
	v_workers integer := 0;
BEGIN
	SET LOCAL max_parallel_workers_per_gather = 0;
	EXECUTE query INTO v_alone;
	SET LOCAL max_parallel_workers_per_gather = 2;
	SET LOCAL parallel_setup_cost = 0;
	SET LOCAL parallel_tuple_cost = 0;
	SET LOCAL min_parallel_table_scan_size = 0;
	SET LOCAL min_parallel_index_scan_size = 0;
	SET LOCAL parallel_leader_participation = off;
	SET LOCAL enable_indexscan = off;
	SET LOCAL enable_bitmapscan = off;
	EXECUTE query INTO v_spread;
	FOR v_line IN EXECUTE 'EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) ' || query LOOP
		v_workers := v_workers + coalesce(substring(v_line FROM 'Workers Launched: (\d+)')::integer, 0);
	END LOOP;
	RETURN CASE WHEN v_workers = 0 THEN 'no worker was launched' WHEN v_alone IS DISTINCT FROM v_spread THEN format('alone %s, in workers %s', v_alone, v_spread) ELSE 'same' END;
END
$$;
-- The tree functions serve the owner's only.
CREATE FUNCTION public.tree(n bigint) RETURNS text LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
	SELECT concat_ws(' ', ledger.ledger_tree_root('acme', c, n), ledger.ledger_tree_inclusion('acme', c, n - 1, n), ledger.ledger_tree_consistency('acme', c, n / 2, n), ledger.ledger_tree_advance('acme', c, '', 0, n))
	FROM ledger.ledger_chain_id('acme', 'pgtap') AS c $$;
ALTER FUNCTION public.tree(bigint) OWNER TO ledger_owner;
SELECT is(pg_temp.in_workers(query), 'same', 'in workers: ' || name) FROM (VALUES
	('ledger_canonical_json(jsonb)', $$ SELECT md5(string_agg(ledger.ledger_canonical_json(document), '' ORDER BY n)) FROM public.to_scan $$),
	('ledger_canonical_json(json)', $$ SELECT md5(string_agg(ledger.ledger_canonical_json(document::text::json), '' ORDER BY n)) FROM public.to_scan $$),
	('ledger_payload_hash', $$ SELECT md5(string_agg(ledger.ledger_payload_hash('', document)::text, '' ORDER BY n)) FROM public.to_scan $$),
	('ledger_chain_id', $$ SELECT md5(string_agg(ledger.ledger_chain_id(tenant, policy)::text, '' ORDER BY n)) FROM public.to_scan $$),
	('ledger_uuid', $$ SELECT md5(string_agg(ledger.ledger_uuid(ledger.ledger_chain_id(tenant, policy)::text)::text, '' ORDER BY n)) FROM public.to_scan $$),
	('ledger_uuid_v7', $$ SELECT count(DISTINCT ledger.ledger_uuid_v7()) FROM public.to_scan $$),
	('ledger_event_hash, ledger_leaf_hash and ledger_event_envelope', $$ SELECT count(*) FILTER (WHERE ledger.ledger_event_hash(e) = e.event_hash AND ledger.ledger_leaf_hash(e) = e.merkle_leaf_hash
		AND ledger.ledger_event_envelope(e) ->> 'tenant' = 'acme') FROM ledger.ledger_events AS e WHERE e.tenant_id = 'acme' AND e.policy_version = 'pgtap' $$),
	('ledger_verify_inclusion and ledger_verify_consistency', $$ SELECT count(*) FILTER (WHERE ledger.ledger_verify_inclusion(h, n % 2, 2, ARRAY[h], r)), count(*) FILTER (WHERE ledger.ledger_verify_consistency(1, h, 2, r, ARRAY[h]))
		FROM public.to_scan, LATERAL (SELECT sha256(convert_to(policy, 'UTF8')) AS h OFFSET 0) AS x, LATERAL (SELECT sha256('\x01'::bytea || h || h) AS r) AS y $$),
	('ledger_verify_note, ledger_note_keys, ledger_note_text, ledger_key_id and ledger_parse_checkpoint', $$ SELECT md5(string_agg(concat_ws(' ', ledger.ledger_verify_note(note, key), ledger.ledger_note_text(note),
			(SELECT k FROM ledger.ledger_note_keys(note) AS k), ledger.ledger_key_id(key), ledger.ledger_parse_checkpoint(note)), '' ORDER BY n))
		FROM public.to_scan, LATERAL (SELECT E'o\n' || n || E'\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n\n— example.com/log m+XTxirAu74U/OmgsnDSJ9+vfuzYGajKDpRSfHLc2tF3mGeHQwV5uzEuisjGg5zYjrWJjgFigE/cxnPXPiXsl8DbKws=\n' AS note,
			'example.com/log+9be5d3c6+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c' AS key) AS x $$),
	('ledger_verify_dsse', $$ SELECT count(ledger.ledger_verify_dsse('{"payload": "eyJ0cmVlU2l6ZSI6M30=", "payloadType": "application/vnd.stella-ledger-anchor+json", "signatures": [{"keyid": "example.com/log+9be5d3c6",
		"sig": "SDORrBbuJSF6O6sObaYzYo8jTaXLhf2FbfzB3tM8ESpk1zlTYDomBisZX3tTWjcDK613EuRJoF9C8oNqi/n/Ag=="}]}' || document, 'example.com/log+9be5d3c6+AYqI4910CfGV/VLbLTy6XXLKZwm/HZQSG/N0iAG0D29c')) FROM public.to_scan WHERE n % 20 = 0 $$),
	('ledger_checkpoint_text and ledger_proof_text', $$ SELECT md5(string_agg(ledger.ledger_proof_text(n, ARRAY[sha256('')], ledger.ledger_checkpoint_text(policy, n, sha256(''))), '' ORDER BY n)) FROM public.to_scan $$),
	('ledger_merkle_root', $$ SELECT md5(string_agg((SELECT ledger.ledger_merkle_root(sha256(convert_to(policy || i, 'UTF8')) ORDER BY i) FROM generate_series(1, 1 + n % 3) AS i)::text, '' ORDER BY n)) FROM public.to_scan $$),
	('ledger_tree_root, ledger_tree_inclusion, ledger_tree_consistency and ledger_tree_advance', $$ SELECT md5(string_agg(public.tree(1 + n % 300), '' ORDER BY n)) FROM public.to_scan $$)) AS v (name, query);
-- Access, in a worker of a role that SET ROLE chose.
SET LOCAL ROLE acme_reader;
SELECT set_config('app.current_tenant', 'acme', true) \gset ignored_
SELECT is(pg_temp.in_workers($$ SELECT count(*) FILTER (WHERE ledger.ledger_tenant_allowed(tenant)) FROM public.to_scan $$), 'same', 'in workers: ledger_tenant_allowed');
SELECT is(pg_temp.in_workers($$ SELECT count(*) FILTER (WHERE ledger.ledger_tenant_selected(tenant)) FROM public.to_scan $$), 'same', 'in workers: ledger_tenant_selected');
SELECT is((SELECT count(*) FILTER (WHERE ledger.ledger_tenant_allowed(tenant)) FROM public.to_scan), 2000::bigint, 'and both say yes');
SELECT is(pg_temp.in_workers($$ SELECT count(*) FROM ledger.ledger_events WHERE policy_version = 'pgtap' $$), 'same', 'in workers: the policies');
SELECT is((SELECT count(*) FROM ledger.ledger_events WHERE policy_version = 'pgtap'), 300::bigint, 'which show what is granted');
RESET ROLE;

SELECT * FROM finish();
ROLLBACK;
