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
