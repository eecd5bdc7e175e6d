-- Anchoring: fixing the head of a chain's tree, so that it can be signed and carried
-- outside.  A function to be called again and again, by any number of drivers; what
-- is due is anchored once, what is not is left alone.

CREATE FUNCTION ledger.ledger_set_anchoring(
	tenant          text,
	batch_size      integer  DEFAULT NULL,
	window_duration interval DEFAULT NULL,
	anchor_interval interval DEFAULT NULL)
	RETURNS ledger.ledger_tenants
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_variable
DECLARE
	v_row ledger.ledger_tenants;
BEGIN
	UPDATE ledger.ledger_tenants AS t
	   SET anchor_batch_size = batch_size, anchor_window = window_duration, anchor_interval = anchor_interval
	 WHERE t.tenant_id = tenant
	RETURNING t.* INTO v_row;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'tenant "%" does not exist', tenant
			USING ERRCODE = 'LG404', HINT = 'Create it with ledger_create_tenant().';
	END IF;
	RETURN v_row;
EXCEPTION
	WHEN check_violation THEN
		RAISE EXCEPTION 'anchoring cannot be set like that'
			USING ERRCODE = 'LG400', DETAIL = format('batch_size is %s, window_duration %s, anchor_interval %s.',
					coalesce(batch_size::text, 'null'), coalesce(window_duration::text, 'null'), coalesce(anchor_interval::text, 'null')),
				HINT = 'The first two are greater than 0, the last is not negative; NULL takes the deployment''s ledger.anchor_* settings.';
END
$$;
COMMENT ON FUNCTION ledger.ledger_set_anchoring(text, integer, interval, interval) IS
	'When a tenant''s chains are anchored: with so many new events, or when the first of them is as old as the window or the interval (0: none), whichever is shorter. NULL: the settings ledger.anchor_*. LG400: out of range; LG404: no such tenant. For ledger_operator.';

-- The bounds of the histogram ledger_merkle_anchor_duration_seconds.
CREATE FUNCTION ledger.ledger_anchor_buckets() RETURNS double precision[]
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$ SELECT '{0.01,0.025,0.05,0.1,0.25,0.5,1,2.5,5,10,30,60}'::double precision[] $$;
COMMENT ON FUNCTION ledger.ledger_anchor_buckets() IS
	'Upper bounds in seconds of the buckets in ledger_anchor_stats.';

-- What a chain's signer will be asked to sign besides the checkpoint (docs/formats.md section 7).
CREATE FUNCTION ledger.ledger_anchor_statement(in_anchor ledger.ledger_merkle_roots, in_policy text) RETURNS text
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT ledger.ledger_canonical_json(jsonb_strip_nulls(jsonb_build_object(
		'anchorId', in_anchor.anchor_id, 'chainId', in_anchor.chain_id, 'tenant', in_anchor.tenant_id,
		'policyHash', in_policy, 'schemaVersion', 'ledger.event.v1',
		'sequenceStart', in_anchor.sequence_start, 'sequenceEnd', in_anchor.sequence_end,
		'leafCount', in_anchor.leaf_count, 'treeSize', in_anchor.tree_size,
		'rootHash', encode(in_anchor.root_hash, 'hex'), 'previousRootHash', encode(in_anchor.previous_root_hash, 'hex'),
		'windowStart', to_char(in_anchor.window_start AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
		'windowEnd', to_char(in_anchor.window_end AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'))))
	$$;
COMMENT ON FUNCTION ledger.ledger_anchor_statement(ledger.ledger_merkle_roots, text) IS
	'The anchor statement (docs/formats.md section 7) of an anchor in a chain of that policy version, as canonical JSON.';

-- Is there anything new, and enough or old enough?  Imported events bring their own
-- recorded_at, and so are due at once.
CREATE FUNCTION ledger.ledger_anchor_due(in_tenant text, in_chain uuid, in_from bigint, in_head bigint, in_force boolean) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	-- Planned for this tenant: a plan for any would lock the leaves of all.
	SET plan_cache_mode = force_custom_plan
	AS $$
DECLARE
	v_rule record;
BEGIN
	IF in_head <= in_from THEN
		RETURN false;
	END IF;
	SELECT coalesce(t.anchor_batch_size, current_setting('ledger.anchor_batch_size')::integer) AS batch_size,
		least(coalesce(t.anchor_window, current_setting('ledger.anchor_window')::interval),
			nullif(coalesce(t.anchor_interval, current_setting('ledger.anchor_interval')::interval), '0')) AS age
	INTO STRICT v_rule FROM ledger.ledger_tenants AS t WHERE t.tenant_id = in_tenant;
	IF in_force OR in_head - in_from >= v_rule.batch_size THEN
		RETURN true;
	END IF;
	RETURN coalesce((
		SELECT clock_timestamp() - e.recorded_at >= v_rule.age FROM ledger.ledger_events AS e
		WHERE e.tenant_id = in_tenant AND e.chain_id = in_chain AND e.sequence_no = in_from + 1), true);
END
$$;
COMMENT ON FUNCTION ledger.ledger_anchor_due(text, uuid, bigint, bigint, boolean) IS
	'Is a chain anchored up to in_from to be anchored up to in_head? An event that is not there makes it due: the tick names it. Part of ledger_anchor_tick().';

-- What an anchor builds on must be what was left, or the next one would give a
-- tampered row the look of a sound one.
CREATE FUNCTION ledger.ledger_require_anchor(in_chain ledger.ledger_chains, in_newest ledger.ledger_merkle_roots, in_head bigint) RETURNS void
	LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_fault text := CASE
		WHEN in_chain.last_anchored_sequence IS DISTINCT FROM in_newest.tree_size
		THEN format('The registry says %s was anchored, the newest anchor %s.',
			coalesce(in_chain.last_anchored_sequence::text, 'nothing'), coalesce(in_newest.tree_size::text, 'nothing'))
		WHEN in_newest.tree_size > in_head
		THEN format('%s was anchored, and the chain ends at %s.', in_newest.tree_size, in_head)
		WHEN in_newest.root_hash <> coalesce(ledger.ledger_frontier_root(in_newest.frontier, in_newest.tree_size), '')
		THEN format('The frontier of the anchor of size %s does not give its root.', in_newest.tree_size) END;
BEGIN
	IF v_fault IS NOT NULL THEN
		RAISE EXCEPTION 'the newest anchor cannot be built upon'
			USING ERRCODE = 'LG500', DETAIL = v_fault, HINT = 'Run ledger_verify(), and keep the evidence.';
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_require_anchor(ledger.ledger_chains, ledger.ledger_merkle_roots, bigint) IS
	'LG500 unless registry, newest anchor and head of a chain agree. Part of ledger_anchor_tick().';

-- One chain.  The lock is the registry's row: any other lock could be held by anyone,
-- and appends never take this one.
CREATE FUNCTION ledger.ledger_anchor_chain(
	in_tenant text, in_chain uuid, in_force boolean, in_fingerprint bytea, in_guard_sequence bigint)
	RETURNS ledger.ledger_merkle_roots
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	SET plan_cache_mode = force_custom_plan
	AS $$
DECLARE
	v_chain ledger.ledger_chains;
	v_last  ledger.ledger_merkle_roots;
	v_new   ledger.ledger_merkle_roots;
	v_from  bigint;
	v_head  bigint;
	v_tree  record;
BEGIN
	SELECT c.* INTO v_chain FROM ledger.ledger_chains AS c
	WHERE c.tenant_id = in_tenant AND c.chain_id = in_chain FOR UPDATE SKIP LOCKED;
	IF NOT FOUND THEN
		RETURN NULL;
	END IF;
	-- Read after the lock: what another driver has anchored meanwhile is committed.
	SELECT r.* INTO v_last FROM ledger.ledger_merkle_roots AS r
	WHERE r.tenant_id = in_tenant AND r.chain_id = in_chain ORDER BY r.tree_size DESC LIMIT 1;
	v_from := coalesce(v_last.tree_size, 0);
	v_head := ledger.ledger_tree_head(in_tenant, in_chain);
	PERFORM ledger.ledger_require_anchor(v_chain, v_last, v_head);
	IF NOT ledger.ledger_anchor_due(in_tenant, in_chain, v_from, v_head, in_force) THEN
		RETURN NULL;
	END IF;

	SELECT * INTO v_tree FROM ledger.ledger_tree_advance(in_tenant, in_chain, coalesce(v_last.frontier, ''), v_from, v_head);
	SELECT in_tenant, ledger.ledger_uuid_v7(), in_chain, a.recorded_at, z.recorded_at, v_from + 1, v_head, v_tree.root,
		v_head - v_from, clock_timestamp(), NULL, v_head, v_last.root_hash, v_tree.new_frontier, s.origin,
		ledger.ledger_checkpoint_text(ledger.ledger_checkpoint_origin(in_tenant, in_chain), v_head, v_tree.root),
		NULL, in_fingerprint, in_guard_sequence
	INTO v_new
	FROM ledger.ledger_events AS a, ledger.ledger_events AS z, ledger.ledger_settings AS s
	WHERE a.tenant_id = in_tenant AND a.chain_id = in_chain AND a.sequence_no = v_from + 1
		AND z.tenant_id = in_tenant AND z.chain_id = in_chain AND z.sequence_no = v_head;
	v_new.dsse := jsonb_build_object('payloadType', 'application/vnd.stella-ledger-anchor+json', 'signatures', '[]'::jsonb,
		'payload', translate(encode(convert_to(ledger.ledger_anchor_statement(v_new, v_chain.policy_version), 'UTF8'), 'base64'), E'\n', ''));
	INSERT INTO ledger.ledger_merkle_roots SELECT v_new.*;
	PERFORM ledger.ledger_extend_tiles(in_tenant, in_chain, v_from, v_tree.nodes);
	UPDATE ledger.ledger_chains AS c
	   SET first_anchored_sequence = coalesce(c.first_anchored_sequence, 1), last_anchored_sequence = v_head
	 WHERE c.tenant_id = in_tenant AND c.chain_id = in_chain;
	RETURN v_new;
END
$$;
COMMENT ON FUNCTION ledger.ledger_anchor_chain(text, uuid, boolean, bytea, bigint) IS
	'Anchors one chain if it is due and no other driver is at it; NULL if not. LG500: what lies there cannot be built upon. Part of ledger_anchor_tick().';

CREATE FUNCTION ledger.ledger_count_anchors(in_tenants text[], in_seconds double precision[]) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	INSERT INTO ledger.ledger_anchor_stats AS s (tenant_id, anchors, duration_seconds, buckets)
	SELECT a.tenant_id, count(*), sum(a.seconds),
		ARRAY(SELECT count(*) FILTER (WHERE t.seconds <= b.bound)
		      FROM unnest(ledger.ledger_anchor_buckets()) WITH ORDINALITY AS b (bound, n),
			unnest(in_tenants, in_seconds) AS t (tenant_id, seconds)
		      WHERE t.tenant_id = a.tenant_id GROUP BY b.n ORDER BY b.n)
	FROM unnest(in_tenants, in_seconds) AS a (tenant_id, seconds)
	GROUP BY a.tenant_id
	ORDER BY a.tenant_id COLLATE "C"
	ON CONFLICT (tenant_id) DO UPDATE
	SET anchors = s.anchors + excluded.anchors, duration_seconds = s.duration_seconds + excluded.duration_seconds,
		buckets = ARRAY(SELECT coalesce(b.before, 0) + b.more FROM unnest(s.buckets, excluded.buckets) WITH ORDINALITY AS b (before, more, n) ORDER BY b.n)
	$$;
COMMENT ON FUNCTION ledger.ledger_count_anchors(text[], double precision[]) IS
	'Counts anchors of these tenants and how long each took. Part of ledger_anchor_tick().';

CREATE FUNCTION ledger.ledger_count_failure(in_tenant text, in_reason text) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	INSERT INTO ledger.ledger_anchor_stats AS s (tenant_id, failures)
	VALUES (in_tenant, jsonb_build_object(in_reason, 1))
	ON CONFLICT (tenant_id) DO UPDATE
	SET failures = (
		-- A reason is a label of a metric: there must not be ever more of them.
		SELECT s.failures || jsonb_build_object(r.reason, coalesce((s.failures ->> r.reason)::bigint, 0) + 1)
		FROM (SELECT CASE WHEN s.failures ? in_reason OR (SELECT count(*) FROM jsonb_object_keys(s.failures)) < 32
		                  THEN in_reason ELSE 'other' END) AS r (reason))
	$$;
COMMENT ON FUNCTION ledger.ledger_count_failure(text, text) IS
	'Counts a failure to anchor for a reason. Part of ledger_anchor_tick() and ledger_record_anchor_failure().';

-- Chains that look due, without a lock: a tick that finds nothing to do writes nothing.
CREATE FUNCTION ledger.ledger_anchor_candidates(in_tenant text, in_force boolean)
	RETURNS TABLE (tenant_id text, chain_id uuid, fault text)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_chain record;
	v_head  bigint;
BEGIN
	FOR v_chain IN
		SELECT c.tenant_id, c.chain_id, coalesce(c.last_anchored_sequence, 0) AS anchored FROM ledger.ledger_chains AS c
		WHERE (in_tenant IS NULL OR c.tenant_id = in_tenant) AND ledger.ledger_tenant_allowed(c.tenant_id)
		ORDER BY c.tenant_id, c.chain_id
	LOOP
		tenant_id := v_chain.tenant_id;
		chain_id := v_chain.chain_id;
		fault := NULL;
		BEGIN
			v_head := ledger.ledger_tree_head(v_chain.tenant_id, v_chain.chain_id);
			-- A chain that has become shorter is no candidate to anchor but one to name.
			CONTINUE WHEN v_head >= v_chain.anchored
				AND NOT ledger.ledger_anchor_due(v_chain.tenant_id, v_chain.chain_id, v_chain.anchored, v_head, in_force);
		EXCEPTION WHEN OTHERS THEN
			fault := SQLSTATE || ' ' || SQLERRM;
		END;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION ledger.ledger_anchor_candidates(text, boolean) IS
	'Chains of the tenants that the role may touch which seem to be due; fault says why one could not be looked at. Part of ledger_anchor_tick().';

-- Fingerprints, and the head of the ledger's own chain at which they were true: a guard
-- that changes while they are taken would leave its event on one side or the other.
CREATE FUNCTION ledger.ledger_guard_witness(in_tenants text[], OUT fingerprints jsonb, OUT guard_sequence bigint)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_before bigint;
BEGIN
	guard_sequence := ledger.ledger_own_head();
	LOOP
		v_before := guard_sequence;
		SELECT jsonb_object_agg(f.tenant_id, encode(f.fingerprint, 'hex')) INTO fingerprints
		FROM ledger.ledger_guard_fingerprints(in_tenants) AS f;
		guard_sequence := ledger.ledger_own_head();
		EXIT WHEN guard_sequence = v_before;
	END LOOP;
END
$$;
COMMENT ON FUNCTION ledger.ledger_guard_witness(text[]) IS
	'Guard fingerprints of tenants (hex, by name), and the newest event of the ledger''s own chain then. Part of ledger_anchor_tick().';

CREATE FUNCTION ledger.ledger_require_tick(in_tenant text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	-- With an older snapshot another driver's anchor is out of sight, and the same
	-- window would be anchored twice.
	IF current_setting('transaction_isolation') <> 'read committed' THEN
		RAISE EXCEPTION 'ledger_anchor_tick() needs isolation level read committed'
			USING ERRCODE = 'LG400', DETAIL = format('It is %s.', current_setting('transaction_isolation')),
				HINT = 'Call it in a transaction of its own.';
	END IF;
	IF in_tenant IS NOT NULL AND NOT ledger.ledger_tenant_allowed(in_tenant) THEN
		RAISE EXCEPTION 'role may not touch tenant "%"', in_tenant
			USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
	END IF;
	IF in_tenant IS NOT NULL AND NOT EXISTS (SELECT FROM ledger.ledger_tenants AS t WHERE t.tenant_id = in_tenant) THEN
		RAISE EXCEPTION 'tenant "%" does not exist', in_tenant
			USING ERRCODE = 'LG404', HINT = 'Create it with ledger_create_tenant().';
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_require_tick(text) IS
	'What ledger_anchor_tick() refuses before it begins.';

-- Outsiders sign what this transaction commits, so it must not be lost with the
-- server, nor with it where events are not.
CREATE FUNCTION ledger.ledger_commit_firmly() RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
BEGIN
	PERFORM ledger.ledger_force_flush();
	IF current_setting('synchronous_standby_names') <> '' AND current_setting('synchronous_commit') IN ('off', 'local') THEN
		PERFORM set_config('synchronous_commit', 'on', true);
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_commit_firmly() IS
	'The present transaction''s commit is flushed and, with synchronous standbys, replicated, whatever synchronous_commit says. Part of what anchors and signs.';

CREATE FUNCTION ledger.ledger_anchor_tick(tenant text DEFAULT NULL, force boolean DEFAULT false)
	RETURNS SETOF ledger.ledger_merkle_roots
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
DECLARE
	v_force    boolean := coalesce(force, false);
	v_due      record;
	v_witness  record;
	v_anchor   ledger.ledger_merkle_roots;
	v_begun    timestamptz;
	v_fault    text;
	v_detail   text;
	v_anchored text[] := '{}';
	v_seconds  double precision[] := '{}';
BEGIN
	PERFORM ledger.ledger_require_tick(tenant);
	SELECT array_agg(c.tenant_id) AS tenants, array_agg(c.chain_id) AS chains, array_agg(c.fault) AS faults INTO v_due
	FROM ledger.ledger_anchor_candidates(tenant, v_force) AS c;
	IF v_due.tenants IS NULL THEN
		RETURN;
	END IF;
	v_witness := ledger.ledger_guard_witness(v_due.tenants);
	FOR i IN 1 .. cardinality(v_due.tenants)
	LOOP
		v_fault := v_due.faults[i];
		v_begun := clock_timestamp();
		-- What is wrong with one chain must not keep the others from being anchored.
		BEGIN
			IF v_fault IS NULL THEN
				v_anchor := ledger.ledger_anchor_chain(v_due.tenants[i], v_due.chains[i], v_force,
					decode(v_witness.fingerprints ->> v_due.tenants[i], 'hex'), v_witness.guard_sequence);
				CONTINUE WHEN v_anchor.anchor_id IS NULL;
				v_anchored := v_anchored || v_due.tenants[i];
				v_seconds := v_seconds || extract(epoch FROM clock_timestamp() - v_begun)::double precision;
				RETURN NEXT v_anchor;
			END IF;
		EXCEPTION WHEN OTHERS THEN
			GET STACKED DIAGNOSTICS v_detail = PG_EXCEPTION_DETAIL;
			v_fault := concat_ws(' ', SQLSTATE, SQLERRM || '.', nullif(v_detail, ''));
		END;
		IF v_fault IS NOT NULL THEN
			RAISE WARNING 'chain % of tenant "%" could not be anchored', v_due.chains[i], v_due.tenants[i]
				USING DETAIL = v_fault, HINT = 'SELECT * FROM ledger_verify(tenant, chain) says more.';
			PERFORM ledger.ledger_count_failure(v_due.tenants[i], CASE left(v_fault, 5) WHEN 'LG500' THEN 'corrupted' ELSE left(v_fault, 5) END);
		END IF;
	END LOOP;
	IF v_anchored <> '{}' THEN
		PERFORM ledger.ledger_count_anchors(v_anchored, v_seconds);
		UPDATE ledger.ledger_settings AS s SET first_anchored_at = clock_timestamp() WHERE s.first_anchored_at IS NULL;
		PERFORM ledger.ledger_commit_firmly();
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_anchor_tick(text, boolean) IS
	'Anchors every chain that is due (ledger_set_anchoring()), or with force every one that has new events, of one tenant or of all that the role may touch, and returns the new anchors. Any number of drivers may call it at any time. What it anchors is durable and, with synchronous standbys, replicated; its own transaction is flushed. A chain that cannot be anchored is a WARNING and is counted. LG400: above READ COMMITTED; LG403: tenant not granted; LG404: no such tenant. For ledger_anchorer.';
