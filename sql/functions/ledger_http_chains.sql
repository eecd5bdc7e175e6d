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
