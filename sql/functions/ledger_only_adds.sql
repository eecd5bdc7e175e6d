-- What may still happen to a row that is recorded.  The triggers that refuse
-- changes ask these in their WHEN: a condition of one call is one that
-- ledger_guard_state() can compare with what it must be.

-- Signature lines behind a checkpoint, signatures behind those of its statement, and
-- one reference.  The text that was signed has no empty line, so the first signature
-- brings the one that ends it; a line that only looked like text would be one more
-- line of the checkpoint.
CREATE FUNCTION ledger.ledger_anchor_only_adds(before ledger.ledger_merkle_roots, after ledger.ledger_merkle_roots)
	RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT (
		(before.tenant_id, before.anchor_id, before.chain_id, before.window_start, before.window_end,
			before.sequence_start, before.sequence_end, before.root_hash, before.leaf_count, before.anchored_at,
			before.tree_size, before.previous_root_hash, before.frontier, before.origin,
			before.guard_fingerprint, before.guard_sequence)
		IS NOT DISTINCT FROM
		(after.tenant_id, after.anchor_id, after.chain_id, after.window_start, after.window_end,
			after.sequence_start, after.sequence_end, after.root_hash, after.leaf_count, after.anchored_at,
			after.tree_size, after.previous_root_hash, after.frontier, after.origin,
			after.guard_fingerprint, after.guard_sequence)
		AND coalesce(before.anchor_reference = after.anchor_reference, before.anchor_reference IS NULL)
		AND (before.checkpoint = after.checkpoint
			OR (starts_with(after.checkpoint, before.checkpoint)
				AND substr(after.checkpoint, length(before.checkpoint) + 1)
					~ (CASE WHEN before.checkpoint LIKE E'%\n\n%' THEN '^' ELSE E'^\n' END || E'(— [^\n]+\n)+$')))
		AND before.dsse - 'signatures' = after.dsse - 'signatures'
		AND (before.dsse = after.dsse
			OR before.dsse -> 'signatures' = (
				SELECT coalesce(jsonb_agg(s.signature ORDER BY s.n), '[]')
				FROM jsonb_array_elements(after.dsse -> 'signatures') WITH ORDINALITY AS s (signature, n)
				WHERE s.n <= jsonb_array_length(before.dsse -> 'signatures')))
	) IS TRUE
	$$;
COMMENT ON FUNCTION ledger.ledger_anchor_only_adds(ledger.ledger_merkle_roots, ledger.ledger_merkle_roots) IS
	'Does this change of an anchor only add signature lines, signatures, or the reference that was missing? For the trigger on ledger_merkle_roots.';

CREATE FUNCTION ledger.ledger_key_only_ends(before ledger.ledger_keys, after ledger.ledger_keys)
	RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT ((before.key_id, before.public_key, before.purpose, before.registered_at, before.registered_by)
			= (after.key_id, after.public_key, after.purpose, after.registered_at, after.registered_by)
		AND coalesce(before.retired_at = after.retired_at, before.retired_at IS NULL)
		AND coalesce(before.revoked_at = after.revoked_at, before.revoked_at IS NULL)) IS TRUE
	$$;
COMMENT ON FUNCTION ledger.ledger_key_only_ends(ledger.ledger_keys, ledger.ledger_keys) IS
	'Does this change of a key only retire or revoke it? For the trigger on ledger_keys.';

CREATE FUNCTION ledger.ledger_range_only_narrows(before ledger.ledger_key_ranges, after ledger.ledger_key_ranges)
	RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT ((before.key_id, before.tenant_id, before.chain_id, before.first_sequence)
			= (after.key_id, after.tenant_id, after.chain_id, after.first_sequence)
		AND coalesce(after.last_sequence <= before.last_sequence, before.last_sequence IS NULL)) IS TRUE
	$$;
COMMENT ON FUNCTION ledger.ledger_range_only_narrows(ledger.ledger_key_ranges, ledger.ledger_key_ranges) IS
	'Does this change of a key''s range only make it smaller? For the trigger on ledger_key_ranges.';

-- Checkpoints name the log by its origin: another name under the same events would be
-- another log.  A copy that takes an identity of its own may take one.
CREATE FUNCTION ledger.ledger_origin_stays(before ledger.ledger_settings, after ledger.ledger_settings)
	RETURNS boolean
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT before.first_anchored_at IS NULL
		OR (after.first_anchored_at = before.first_anchored_at
			AND (after.origin = before.origin OR after.instance_id <> before.instance_id)) IS TRUE
	$$;
COMMENT ON FUNCTION ledger.ledger_origin_stays(ledger.ledger_settings, ledger.ledger_settings) IS
	'Does this change leave the log''s name as it is, or is nothing anchored under it yet, or does a copy take an identity of its own? For the trigger on ledger_settings.';
