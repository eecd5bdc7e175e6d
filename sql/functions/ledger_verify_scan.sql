-- The fast path: one parallel scan in any order tells whether every chain is
-- intact (extension/src/verify_chain.c).  It need not tell what is wrong: any
-- doubt is the judge's to settle, so a doubt too many costs time and no more.
CREATE FUNCTION ledger.ledger_verify_scan(
	in_tenant text, in_chain uuid, in_from bigint, in_to bigint,
	OUT sound boolean, OUT rows bigint, OUT payloads bigint, OUT chains bigint, OUT workers bigint)
	RETURNS record
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_erased bigint;
	v_doubt  boolean;
BEGIN
	-- The key of the multiset hash: 122 random bits.  Dynamic, so that the plan is
	-- made for these very arguments; without INTO's row limit, so that it may be parallel.
	EXECUTE $q$
		SELECT coalesce(bool_and(s.c[4] = 1), true), coalesce(sum(s.c[1]), 0), coalesce(sum(s.c[2]), 0),
			count(*) FILTER (WHERE s.c[1] > 0), length(replace(coalesce(bit_or(s.c[5]), 0)::bit(32)::text, '0', '')),
			coalesce(sum(s.c[3]), 0)
		FROM (SELECT ledger.ledger_chain_check(e, $5, coalesce($3, 1), coalesce($4, 9223372036854775807)) AS c
		      FROM ledger.ledger_events AS e
		      WHERE ($1 IS NULL OR e.tenant_id = $1) AND ($2 IS NULL OR e.chain_id = $2)
		        -- A neighbour on each side; the ends of bigint have none.
		        AND ($3 IS NULL OR e.sequence_no >= greatest($3, -9223372036854775807) - 1)
		        AND ($4 IS NULL OR e.sequence_no <= least($4, 9223372036854775806) + 1)
		      GROUP BY e.tenant_id, e.chain_id) AS s $q$
	INTO sound, rows, payloads, chains, workers, v_erased
	USING in_tenant, in_chain, in_from, in_to, uuid_send(gen_random_uuid());
	IF NOT sound THEN
		RETURN;
	END IF;
	-- A range may end in a gap, or lie in one.  The chains are those of the events, found
	-- by leaps through the primary key: the registry may have lost one.
	IF in_to IS NOT NULL THEN
		EXECUTE $q$
			WITH RECURSIVE chain (tenant_id, chain_id) AS (
				(SELECT e.tenant_id, e.chain_id FROM ledger.ledger_events AS e
				 WHERE ($1 IS NULL OR e.tenant_id = $1) AND ($2 IS NULL OR e.chain_id = $2)
				 ORDER BY e.tenant_id, e.chain_id LIMIT 1)
				UNION ALL
				SELECT n.tenant_id, n.chain_id
				FROM chain AS c, LATERAL (
					SELECT e.tenant_id, e.chain_id FROM ledger.ledger_events AS e
					WHERE (e.tenant_id, e.chain_id) > (c.tenant_id, c.chain_id)
					  AND ($1 IS NULL OR e.tenant_id = $1) AND ($2 IS NULL OR e.chain_id = $2)
					ORDER BY e.tenant_id, e.chain_id LIMIT 1) AS n)
			SELECT EXISTS (
				SELECT FROM chain AS c
				WHERE EXISTS (SELECT FROM ledger.ledger_events AS e
				              WHERE e.tenant_id = c.tenant_id AND e.chain_id = c.chain_id AND e.sequence_no > least($3, 9223372036854775806) + 1)
				  AND NOT EXISTS (SELECT FROM ledger.ledger_events AS e
				                  WHERE e.tenant_id = c.tenant_id AND e.chain_id = c.chain_id AND e.sequence_no = least($3, 9223372036854775806) + 1)) $q$
		INTO v_doubt USING in_tenant, in_chain, in_to;
	ELSE
		-- Links say nothing about event ids.  An index on them that is no longer
		-- unique would not have stopped a second row.
		EXECUTE $q$
			SELECT EXISTS (
				SELECT FROM ledger.ledger_events AS e
				WHERE ($1 IS NULL OR e.tenant_id = $1) AND ($2 IS NULL OR e.chain_id = $2)
				GROUP BY e.tenant_id, e.event_id HAVING count(*) > 1) $q$
		INTO v_doubt USING in_tenant, in_chain;
	END IF;
	IF NOT v_doubt AND v_erased > 0 THEN
		v_doubt := EXISTS (SELECT FROM ledger.ledger_unexplained(in_tenant, in_chain));
	END IF;
	sound := NOT v_doubt;
END
$$;
COMMENT ON FUNCTION ledger.ledger_verify_scan(text, uuid, bigint, bigint) IS
	'Is every chain in the tenant, chain and range asked for (NULL: all) intact? With the counts of what was asked for, and how many parallel workers took part. Part of ledger_verify().';

-- "An event whose payload is gone without such an event is payload_missing."
CREATE FUNCTION ledger.ledger_unexplained(in_tenant text, in_chain uuid)
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, event_id uuid)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT e.tenant_id, e.chain_id, e.sequence_no, e.event_id
	FROM ledger.ledger_events AS e
	WHERE e.event_body IS NULL AND (in_tenant IS NULL OR e.tenant_id = in_tenant) AND (in_chain IS NULL OR e.chain_id = in_chain)
		AND NOT EXISTS (
			SELECT FROM ledger.ledger_events AS x
			WHERE x.event_type = 'ledger.payload_redacted'
				AND x.tenant_id = e.tenant_id AND x.chain_id = e.chain_id AND x.sequence_no > e.sequence_no
				AND x.event_body ->> 'eventId' = e.event_id::text
				AND x.event_body -> 'sequence' = to_jsonb(e.sequence_no)
				AND x.event_body ->> 'payloadHash' = encode(e.payload_hash, 'hex'))
	$$;
COMMENT ON FUNCTION ledger.ledger_unexplained(text, uuid) IS
	'Events without a payload that no later ledger.payload_redacted event of their chain names by id, sequence and payload hash. Part of ledger_verify().';
