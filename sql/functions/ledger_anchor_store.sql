-- What comes back from outside: signatures, receipts, and word of failures.  The
-- database holds no private key, so it believes nobody: what does not verify with a
-- registered key is not stored.

CREATE FUNCTION ledger.ledger_unsigned_anchors(key_id text) RETURNS SETOF ledger.ledger_merkle_roots
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
DECLARE
	v_chain  record;
	v_anchor record;
	v_signed bigint;
	v_first  bigint;
BEGIN
	IF NOT EXISTS (SELECT FROM ledger.ledger_keys AS k WHERE k.key_id = key_id AND k.purpose = 'log') THEN
		RAISE EXCEPTION 'key "%" is not registered as a key of the log', key_id
			USING ERRCODE = 'LG404', HINT = 'An operator registers it with ledger_register_key().';
	END IF;
	IF EXISTS (SELECT FROM ledger.ledger_keys AS k WHERE k.key_id = key_id AND k.revoked_at IS NOT NULL) THEN
		RETURN;
	END IF;
	FOR v_chain IN
		SELECT c.tenant_id, c.chain_id FROM ledger.ledger_chains AS c
		WHERE c.last_anchored_sequence IS NOT NULL ORDER BY c.tenant_id, c.chain_id
	LOOP
		-- Before its range a key signs nothing: one that came late need not walk through the past.
		v_first := coalesce((SELECT g.first_sequence FROM ledger.ledger_key_ranges AS g
			WHERE g.key_id = key_id AND g.tenant_id = v_chain.tenant_id AND g.chain_id = v_chain.chain_id), 1);
		-- A signer goes from old to new, so behind its newest signature nothing is left to do.
		v_signed := 0;
		FOR v_anchor IN
			SELECT r.tree_size, r.checkpoint FROM ledger.ledger_merkle_roots AS r
			WHERE r.tenant_id = v_chain.tenant_id AND r.chain_id = v_chain.chain_id AND r.tree_size >= v_first
			ORDER BY r.tree_size DESC
		LOOP
			v_signed := v_anchor.tree_size;
			EXIT WHEN EXISTS (SELECT FROM ledger.ledger_note_keys(v_anchor.checkpoint) AS line (key) WHERE line.key = key_id);
			v_signed := 0;
		END LOOP;
		RETURN QUERY
		SELECT r.* FROM ledger.ledger_merkle_roots AS r
		WHERE r.tenant_id = v_chain.tenant_id AND r.chain_id = v_chain.chain_id AND r.tree_size > v_signed AND r.tree_size >= v_first
			AND ledger.ledger_signature_valid(r.tenant_id, r.chain_id, r.tree_size, key_id)
		ORDER BY r.tree_size;
	END LOOP;
END
$$;
COMMENT ON FUNCTION ledger.ledger_unsigned_anchors(text) IS
	'Anchors of the granted tenants, in the key''s range, behind the newest that it signed, in the order in which they are to be signed. None for a revoked key. LG404: no such key of the log. For ledger_anchorer.';

CREATE FUNCTION ledger.ledger_anchor_to_store(in_tenant text, in_anchor uuid) RETURNS ledger.ledger_merkle_roots
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_row ledger.ledger_merkle_roots;
BEGIN
	IF in_tenant IS NULL OR in_anchor IS NULL THEN
		RAISE EXCEPTION 'tenant and anchor_id are required' USING ERRCODE = 'LG400', HINT = 'Pass those of an anchor.';
	END IF;
	IF NOT ledger.ledger_tenant_allowed(in_tenant) THEN
		RAISE EXCEPTION 'role may not touch tenant "%"', in_tenant
			USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
	END IF;
	SELECT r.* INTO v_row FROM ledger.ledger_merkle_roots AS r
	WHERE r.tenant_id = in_tenant AND r.anchor_id = in_anchor FOR UPDATE;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'anchor % does not exist', in_anchor
			USING ERRCODE = 'LG404', DETAIL = format('Tenant "%s" has no anchor of that id.', in_tenant);
	END IF;
	RETURN v_row;
END
$$;
COMMENT ON FUNCTION ledger.ledger_anchor_to_store(text, uuid) IS
	'The anchor that something is to be added to, locked. LG400: null; LG403: tenant not granted; LG404: no such anchor. Part of ledger_store_signature() and ledger_store_receipt().';

-- The line by itself is judged, not the checkpoint with it: what others have signed
-- there must not vouch for it.  Returns the key's id.
CREATE FUNCTION ledger.ledger_judge_line(in_anchor ledger.ledger_merkle_roots, in_line text, in_purpose text) RETURNS text
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_note  text := coalesce(ledger.ledger_note_text(in_anchor.checkpoint), in_anchor.checkpoint) || E'\n' || rtrim(in_line, E'\n') || E'\n';
	v_lines text[] := ARRAY(SELECT ledger.ledger_note_keys(v_note));
	v_key   ledger.ledger_keys;
	v_fault text;
BEGIN
	SELECT k.* INTO v_key FROM ledger.ledger_keys AS k WHERE k.key_id = v_lines[1] AND k.purpose = in_purpose;
	v_fault := CASE
		WHEN cardinality(v_lines) <> 1 THEN 'It is not one signature line.'
		WHEN v_key.key_id IS NULL THEN format('Key "%s" is not registered as %s.', v_lines[1], in_purpose)
		WHEN v_key.revoked_at IS NOT NULL THEN format('Key "%s" was revoked.', v_key.key_id)
		WHEN NOT ledger.ledger_signature_valid(in_anchor.tenant_id, in_anchor.chain_id, in_anchor.tree_size, v_key.key_id)
		THEN format('Key "%s" does not count for size %s of this chain.', v_key.key_id, in_anchor.tree_size)
		WHEN NOT ledger.ledger_verify_note(v_note, v_key.public_key)
		THEN format('It is no signature of key "%s" on the checkpoint of size %s.', v_key.key_id, in_anchor.tree_size) END;
	IF v_fault IS NOT NULL THEN
		RAISE EXCEPTION 'signature line is not valid'
			USING ERRCODE = 'LG422', DETAIL = v_fault, HINT = CASE WHEN cardinality(v_lines) = 1 AND v_key.key_id IS NULL
				THEN format('An operator registers it: ledger_register_key(public key, %L).', in_purpose)
				ELSE 'Sign the checkpoint of this anchor, to its last newline, with a registered key.' END;
	END IF;
	RETURN v_key.key_id;
END
$$;
COMMENT ON FUNCTION ledger.ledger_judge_line(ledger.ledger_merkle_roots, text, text) IS
	'The id of the key that made a signature line, or LG422: it is not one valid line of a key of that purpose that counts for the anchor. Part of ledger_store_signature() and ledger_store_receipt().';

-- An unsigned checkpoint ends with its text; the first line brings the empty line before it.
CREATE FUNCTION ledger.ledger_add_line(in_checkpoint text, in_line text) RETURNS text
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT in_checkpoint || CASE WHEN ledger.ledger_note_text(in_checkpoint) IS NULL THEN E'\n' ELSE '' END || rtrim(in_line, E'\n') || E'\n'
	$$;
COMMENT ON FUNCTION ledger.ledger_add_line(text, text) IS
	'A checkpoint with one signature line more.';

CREATE FUNCTION ledger.ledger_store_signature(tenant text, anchor_id uuid, line text, dsse_signature jsonb) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
DECLARE
	v_anchor ledger.ledger_merkle_roots := ledger.ledger_anchor_to_store(tenant, anchor_id);
	v_key    text := ledger.ledger_judge_line(v_anchor, coalesce(line, ''), 'log');
	v_public text := (SELECT k.public_key FROM ledger.ledger_keys AS k WHERE k.key_id = v_key);
	v_noted  boolean := v_key IN (SELECT ledger.ledger_note_keys(v_anchor.checkpoint));
	v_stated boolean := EXISTS (SELECT FROM jsonb_array_elements(v_anchor.dsse -> 'signatures') AS s WHERE s ->> 'keyid' = v_key);
BEGIN
	IF dsse_signature ->> 'keyid' IS DISTINCT FROM v_key
		OR ledger.ledger_verify_dsse(jsonb_set(v_anchor.dsse, '{signatures}', jsonb_build_array(dsse_signature)), v_public) IS NULL THEN
		RAISE EXCEPTION 'dsse_signature is not valid'
			USING ERRCODE = 'LG422', DETAIL = format('It is no signature of key "%s" on the statement of anchor %s.', v_key, anchor_id),
				HINT = 'An object with keyid and sig, by the key that signed the checkpoint.';
	END IF;
	IF v_noted AND v_stated THEN
		RETURN false;
	END IF;
	UPDATE ledger.ledger_merkle_roots AS r
	   SET checkpoint = CASE WHEN v_noted THEN r.checkpoint ELSE ledger.ledger_add_line(r.checkpoint, line) END,
		dsse = CASE WHEN v_stated THEN r.dsse ELSE jsonb_insert(r.dsse, '{signatures,-1}',
			jsonb_build_object('keyid', v_key, 'sig', dsse_signature -> 'sig'), true) END
	 WHERE r.tenant_id = v_anchor.tenant_id AND r.chain_id = v_anchor.chain_id AND r.tree_size = v_anchor.tree_size;
	PERFORM ledger.ledger_commit_firmly();
	RETURN true;
END
$$;
COMMENT ON FUNCTION ledger.ledger_store_signature(text, uuid, text, jsonb) IS
	'Adds a signature to an anchor''s checkpoint (line) and statement (dsse_signature: keyid and sig), by one registered key of the log that counts there. False if the key has signed it already. LG403: tenant not granted; LG404: no such anchor; LG422: a signature does not verify. For ledger_anchorer.';

CREATE FUNCTION ledger.ledger_store_receipt(tenant text, anchor_id uuid, kind text, name text, reference text, receipt bytea) RETURNS boolean
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
DECLARE
	v_anchor ledger.ledger_merkle_roots := ledger.ledger_anchor_to_store(tenant, anchor_id);
	v_line   text;
	v_key    text;
BEGIN
	IF kind NOT IN ('worm', 'tsa', 'witness', 'airgap') OR name = '' OR octet_length(name) > 512 OR octet_length(reference) > 1024
		OR NOT starts_with(reference, kind || '::') OR length(reference) = length(kind) + 2 OR length(receipt) = 0
		OR kind IS NULL OR name IS NULL OR reference IS NULL OR receipt IS NULL THEN
		RAISE EXCEPTION 'receipt is not valid'
			USING ERRCODE = 'LG400', DETAIL = format('kind is %s, name %s, reference %s, of %s bytes.', coalesce(kind, 'null'), coalesce(left(name, 80), 'null'),
					coalesce(left(reference, 80), 'null'), coalesce(length(receipt)::text, 'null')),
				HINT = 'kind is worm, tsa, witness or airgap; the reference starts with it and two colons; the receipt is not empty.';
	END IF;
	IF kind = 'witness' THEN
		BEGIN
			v_line := convert_from(receipt, 'UTF8');
		EXCEPTION WHEN character_not_in_repertoire OR untranslatable_character THEN
			v_line := '';
		END;
		v_key := ledger.ledger_judge_line(v_anchor, v_line, 'witness');
	END IF;
	INSERT INTO ledger.ledger_anchor_receipts AS a (tenant_id, anchor_id, kind, name, reference, receipt)
	VALUES (tenant, anchor_id, kind, name, reference, receipt) ON CONFLICT DO NOTHING;
	IF NOT FOUND THEN
		RETURN false;
	END IF;
	UPDATE ledger.ledger_merkle_roots AS r
	   SET anchor_reference = coalesce(r.anchor_reference, reference),
		checkpoint = CASE WHEN v_key IS NULL OR v_key IN (SELECT ledger.ledger_note_keys(r.checkpoint)) THEN r.checkpoint
			ELSE ledger.ledger_add_line(r.checkpoint, v_line) END
	 WHERE r.tenant_id = v_anchor.tenant_id AND r.chain_id = v_anchor.chain_id AND r.tree_size = v_anchor.tree_size;
	PERFORM ledger.ledger_commit_firmly();
	RETURN true;
END
$$;
COMMENT ON FUNCTION ledger.ledger_store_receipt(text, uuid, text, text, text, bytea) IS
	'Stores what an external anchor answered: a time stamp token, the SHA-256 of a file, or a witness'' cosignature line, which must verify with a registered witness key and is also added to the checkpoint. False if that anchor has one of this kind and name. LG400: malformed; LG403: tenant not granted; LG404: no such anchor; LG422: the cosignature does not verify. For ledger_anchorer.';

CREATE FUNCTION ledger.ledger_record_anchor_failure(tenant text, reason text) RETURNS void
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
BEGIN
	IF tenant IS NULL OR reason IS NULL OR reason !~ '^[a-z0-9_]{1,63}$' THEN
		RAISE EXCEPTION 'tenant and reason are required'
			USING ERRCODE = 'LG400', DETAIL = format('reason is %s.', coalesce('"' || left(reason, 80) || '"', 'null')),
				HINT = 'A reason is one word of up to 63 lower-case letters, digits and underscores.';
	END IF;
	IF NOT ledger.ledger_tenant_allowed(tenant) THEN
		RAISE EXCEPTION 'role may not touch tenant "%"', tenant
			USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
	END IF;
	PERFORM ledger.ledger_count_failure(tenant, reason);
END
$$;
COMMENT ON FUNCTION ledger.ledger_record_anchor_failure(text, text) IS
	'Counts a failure to sign or to anchor outside, for ledger_merkle_anchor_failures_total; behind 32 reasons of a tenant as "other". LG400: malformed reason; LG403: tenant not granted. For ledger_anchorer.';
