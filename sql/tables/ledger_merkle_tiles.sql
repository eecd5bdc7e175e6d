-- Hash tiles as in C2SP tlog-tiles: the 256 nodes of height 8·level from
-- 256·tile_index on.  Only full tiles; level 0 is merkle_leaf_hash itself.
CREATE TABLE ledger.ledger_merkle_tiles (
	tenant_id  text COLLATE "C" NOT NULL REFERENCES ledger.ledger_tenants,
	chain_id   uuid     NOT NULL,
	level      smallint NOT NULL CHECK (level BETWEEN 1 AND 7),
	tile_index bigint   NOT NULL CHECK (tile_index >= 0),
	hashes     bytea    NOT NULL CHECK (octet_length(hashes) = 8192),
	PRIMARY KEY (tenant_id, chain_id, level, tile_index)
);
-- Hashes do not compress.
ALTER TABLE ledger.ledger_merkle_tiles ALTER COLUMN hashes SET STORAGE EXTERNAL;
COMMENT ON TABLE ledger.ledger_merkle_tiles IS
	'Full hash tiles (C2SP tlog-tiles, 256 hashes) of levels 1 and up, made by ledger_anchor_tick(), immutable.';
COMMENT ON COLUMN ledger.ledger_merkle_tiles.tenant_id IS 'Whose chain it is.';
COMMENT ON COLUMN ledger.ledger_merkle_tiles.chain_id IS 'The chain.';
COMMENT ON COLUMN ledger.ledger_merkle_tiles.level IS 'Level of the tile: its hashes are roots of 256^level leaves.';
COMMENT ON COLUMN ledger.ledger_merkle_tiles.tile_index IS 'Place of the tile in its level, from 0.';
COMMENT ON COLUMN ledger.ledger_merkle_tiles.hashes IS '256 hashes of 32 bytes.';

-- The right edge: of each level the one tile that is not full yet.  Without it a
-- proof near the end of a chain would hash up to 65,535 leaves again.
CREATE TABLE ledger.ledger_merkle_edge (
	tenant_id  text COLLATE "C" NOT NULL REFERENCES ledger.ledger_tenants,
	chain_id   uuid     NOT NULL,
	level      smallint NOT NULL CHECK (level BETWEEN 1 AND 7),
	tile_index bigint   NOT NULL CHECK (tile_index >= 0),
	hashes     bytea    NOT NULL CHECK (octet_length(hashes) % 32 = 0 AND octet_length(hashes) < 8192),
	PRIMARY KEY (tenant_id, chain_id, level)
);
ALTER TABLE ledger.ledger_merkle_edge ALTER COLUMN hashes SET STORAGE EXTERNAL;
COMMENT ON TABLE ledger.ledger_merkle_edge IS
	'Of each chain and level the one tile that is not full yet: complete nodes up to the newest anchor. Derived; kept by ledger_anchor_tick().';
COMMENT ON COLUMN ledger.ledger_merkle_edge.tenant_id IS 'Whose chain it is.';
COMMENT ON COLUMN ledger.ledger_merkle_edge.chain_id IS 'The chain.';
COMMENT ON COLUMN ledger.ledger_merkle_edge.level IS 'Level of the tile.';
COMMENT ON COLUMN ledger.ledger_merkle_edge.tile_index IS 'Place of the tile in its level: how many full ones are before it.';
COMMENT ON COLUMN ledger.ledger_merkle_edge.hashes IS 'Its 0 to 255 hashes so far.';
