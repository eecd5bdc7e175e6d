-- Tiles grow with the tree: each level's unfinished tile stands in ledger_merkle_edge,
-- and moves to ledger_merkle_tiles when it is full; its root is then one hash more of
-- the level above.  The cost is that of the new hashes.
CREATE FUNCTION ledger.ledger_extend_tiles(in_tenant text, in_chain uuid, in_size bigint, in_nodes bytea) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_level smallint := 1;
	v_nodes bytea    := in_nodes;
	v_edge  ledger.ledger_merkle_edge;
	v_up    bytea;
	v_tile  bytea;
	v_full  bigint;
BEGIN
	WHILE length(v_nodes) > 0
	LOOP
		SELECT e.* INTO v_edge
		FROM ledger.ledger_merkle_edge AS e
		WHERE e.tenant_id = in_tenant AND e.chain_id = in_chain AND e.level = v_level;
		IF NOT FOUND THEN
			v_edge.tile_index := 0;
			v_edge.hashes := '';
		END IF;
		IF v_edge.tile_index * 256 + length(v_edge.hashes) / 32 <> in_size >> (8 * v_level) THEN
			RAISE EXCEPTION 'the right edge of level % does not fit a tree of % leaves', v_level, in_size
				USING ERRCODE = 'LG500', DETAIL = format('It has tile %s with %s hashes.', v_edge.tile_index, length(v_edge.hashes) / 32),
					HINT = 'Run ledger_verify(), and keep the evidence.';
		END IF;
		v_nodes := v_edge.hashes || v_nodes;
		v_full := length(v_nodes) / 8192;
		v_up := '';
		FOR i IN 0 .. v_full - 1
		LOOP
			v_tile := substr(v_nodes, (i * 8192 + 1)::integer, 8192);
			INSERT INTO ledger.ledger_merkle_tiles (tenant_id, chain_id, level, tile_index, hashes)
			VALUES (in_tenant, in_chain, v_level, v_edge.tile_index + i, v_tile);
			v_up := v_up || (SELECT ledger.ledger_merkle_root(substr(v_tile, n * 32 + 1, 32) ORDER BY n) FROM generate_series(0, 255) AS n);
		END LOOP;
		INSERT INTO ledger.ledger_merkle_edge AS e (tenant_id, chain_id, level, tile_index, hashes)
		VALUES (in_tenant, in_chain, v_level, v_edge.tile_index + v_full, substr(v_nodes, (v_full * 8192 + 1)::integer))
		ON CONFLICT (tenant_id, chain_id, level) DO UPDATE SET tile_index = excluded.tile_index, hashes = excluded.hashes;
		v_nodes := v_up;
		v_level := v_level + 1;
	END LOOP;
END
$$;
COMMENT ON FUNCTION ledger.ledger_extend_tiles(text, uuid, bigint, bytea) IS
	'Takes the roots of newly completed subtrees of 256 leaves into the tiles of a chain whose tree had in_size leaves. LG500: what is stored does not fit that size. Part of ledger_anchor_tick().';
