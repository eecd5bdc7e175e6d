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
