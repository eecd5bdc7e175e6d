-- What a superuser can do who knows the formats: variables tenant, chain (texts),
-- victim (a sequence) and keep (the smallest size whose anchors are made again).
-- Everything is switched off, one payload is rewritten, every hash after it, the
-- links, leaves, anchors, tiles, edge and projection are made again, and everything is
-- switched on.  The session needs ledger on its search_path.
\set ON_ERROR_STOP on
BEGIN;
SELECT format('ALTER EVENT TRIGGER %I DISABLE', evtname) FROM pg_event_trigger WHERE evtname LIKE 'ledger%' \gexec
CREATE TEMP TABLE guarded ON COMMIT DROP AS
	SELECT tgrelid::regclass::text AS relation, tgname FROM pg_trigger
	WHERE tgrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'ledger'::regnamespace) AND NOT tgisinternal AND tgenabled = 'A';
SELECT format('ALTER TABLE ONLY %s DISABLE TRIGGER %I', relation, tgname) FROM guarded \gexec

CREATE TEMP TABLE target ON COMMIT DROP AS
	SELECT :'tenant'::text COLLATE "C" AS tenant_id, :'chain'::uuid AS chain_id, :victim::bigint AS victim, :keep::bigint AS keep;
DO $$
DECLARE
	v_target record;
	v_event  ledger.ledger_events;
	v_before bytea;
	v_anchor ledger.ledger_merkle_roots;
	v_root   bytea;
	v_tree   record;
BEGIN
	SELECT * INTO v_target FROM target;
	FOR v_event IN
		SELECT * FROM ledger.ledger_events AS e
		WHERE e.tenant_id = v_target.tenant_id AND e.chain_id = v_target.chain_id AND e.sequence_no >= v_target.victim ORDER BY e.sequence_no
	LOOP
		IF v_before IS NULL THEN
			v_event.event_body := v_event.event_body || '{"severity": "low"}';
			v_event.payload_hash := ledger.ledger_payload_hash(v_event.payload_salt, v_event.event_body);
		ELSE
			v_event.previous_hash := v_before;
		END IF;
		v_event.event_hash := ledger.ledger_event_hash(v_event);
		v_event.merkle_leaf_hash := ledger.ledger_leaf_hash(v_event);
		v_before := v_event.event_hash;
		UPDATE ledger.ledger_events AS e SET event_body = v_event.event_body, payload_hash = v_event.payload_hash,
			previous_hash = v_event.previous_hash, event_hash = v_event.event_hash, merkle_leaf_hash = v_event.merkle_leaf_hash
		WHERE e.tenant_id = v_event.tenant_id AND e.chain_id = v_event.chain_id AND e.sequence_no = v_event.sequence_no;
	END LOOP;

	FOR v_anchor IN
		SELECT * FROM ledger.ledger_merkle_roots AS r
		WHERE r.tenant_id = v_target.tenant_id AND r.chain_id = v_target.chain_id AND r.tree_size >= v_target.keep ORDER BY r.tree_size
	LOOP
		SELECT * INTO v_tree FROM ledger.ledger_tree_check(v_anchor.tenant_id, v_anchor.chain_id, ARRAY[v_anchor.tree_size]) AS t WHERE t.level IS NULL;
		v_anchor.previous_root_hash := coalesce(v_root, v_anchor.previous_root_hash);
		v_anchor.root_hash := v_tree.root;
		v_root := v_tree.root;
		-- He has no key: of the signatures that were there he can keep the lines, and they are wrong.
		UPDATE ledger.ledger_merkle_roots AS r SET root_hash = v_tree.root, frontier = v_tree.frontier, previous_root_hash = v_anchor.previous_root_hash,
			checkpoint = ledger.ledger_checkpoint_text(v_anchor.origin || '/' || v_anchor.tenant_id || '/' || v_anchor.chain_id, v_anchor.tree_size, v_tree.root)
				|| CASE WHEN strpos(v_anchor.checkpoint, E'\n\n') > 0 THEN E'\n' || split_part(v_anchor.checkpoint, E'\n\n', 2) ELSE '' END,
			dsse = jsonb_set(v_anchor.dsse, '{payload}', to_jsonb(translate(encode(convert_to(ledger.ledger_canonical_json(
				convert_from(decode(v_anchor.dsse ->> 'payload', 'base64'), 'UTF8')::jsonb
				|| jsonb_build_object('rootHash', encode(v_tree.root, 'hex'))
				|| CASE WHEN v_anchor.previous_root_hash IS NULL THEN '{}' ELSE jsonb_build_object('previousRootHash', encode(v_anchor.previous_root_hash, 'hex')) END),
				'UTF8'), 'base64'), E'\n', '')))
		WHERE r.tenant_id = v_anchor.tenant_id AND r.anchor_id = v_anchor.anchor_id;
	END LOOP;

	FOR v_tree IN
		SELECT t.* FROM ledger.ledger_tree_check(v_target.tenant_id, v_target.chain_id, ARRAY[
			(SELECT max(r.tree_size) FROM ledger.ledger_merkle_roots AS r WHERE r.tenant_id = v_target.tenant_id AND r.chain_id = v_target.chain_id)]) AS t
		WHERE t.level IS NOT NULL
	LOOP
		UPDATE ledger.ledger_merkle_tiles AS t SET hashes = v_tree.hashes
		WHERE t.tenant_id = v_target.tenant_id AND t.chain_id = v_target.chain_id AND t.level = v_tree.level AND t.tile_index = v_tree.tile_index;
		UPDATE ledger.ledger_merkle_edge AS t SET hashes = v_tree.hashes
		WHERE t.tenant_id = v_target.tenant_id AND t.chain_id = v_target.chain_id AND t.level = v_tree.level AND t.tile_index = v_tree.tile_index;
	END LOOP;
END
$$;
-- The derived tables take rows from the fold only: refolded with their guards as they are.
SELECT format('ALTER TABLE ONLY %s ENABLE ALWAYS TRIGGER %I', relation, tgname) FROM guarded \gexec
SELECT ledger.ledger_rebuild_projection(:'tenant') \gset ignored_
SELECT format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', evtname) FROM pg_event_trigger WHERE evtname LIKE 'ledger%' \gexec
COMMIT;
