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
