-- Keys of signers and witnesses.  A key counts in ranges of sequences, so that what it
-- signed stays verifiable after the next one took over, and what a thief signs with
-- it does not count.  Each change is an event of the ledger's own chain, which is
-- itself anchored and signed.

-- A key of the log signs notes and statements; a witness adds the time to its line
-- (C2SP tlog-cosignature), or signs like a log.
CREATE FUNCTION ledger.ledger_key_type(in_public_key text) RETURNS integer
	LANGUAGE sql IMMUTABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$ SELECT get_byte(decode(substring(in_public_key FROM '^[^+]+[+][0-9a-f]{8}[+](.+)$'), 'base64'), 0) $$;
COMMENT ON FUNCTION ledger.ledger_key_type(text) IS
	'Type byte of a verifier key (C2SP signed-note) that ledger_key_id() takes: 1 Ed25519, 4 cosignature.';

CREATE FUNCTION ledger.ledger_record_key(in_action text, in_key ledger.ledger_keys, in_more jsonb DEFAULT '{}') RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT ledger.ledger_append_own('ledger.key_changed', jsonb_strip_nulls(jsonb_build_object(
		'action', in_action, 'keyId', in_key.key_id, 'publicKey', in_key.public_key, 'purpose', in_key.purpose,
		'reason', in_key.reason, 'role', session_user) || in_more))
	$$;
COMMENT ON FUNCTION ledger.ledger_record_key(text, ledger.ledger_keys, jsonb) IS
	'Appends the ledger.key_changed event of a key that was registered, retired or revoked.';

CREATE FUNCTION ledger.ledger_register_key(public_key text, purpose text DEFAULT 'log', from_start boolean DEFAULT false)
	RETURNS ledger.ledger_keys
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
DECLARE
	v_row  ledger.ledger_keys;
	v_id   text := ledger.ledger_key_id(public_key);
	v_late boolean;
BEGIN
	IF v_id IS NULL OR purpose IS NULL OR purpose NOT IN ('log', 'witness') THEN
		RAISE EXCEPTION '% is not valid', CASE WHEN v_id IS NULL THEN 'public_key' ELSE 'purpose' END
			USING ERRCODE = 'LG400', DETAIL = format('It is %s.', coalesce('"' || CASE WHEN v_id IS NULL THEN public_key ELSE purpose END || '"', 'null')),
				HINT = 'A key is a C2SP verifier key, a purpose log or witness.';
	END IF;
	IF purpose = 'log' AND ledger.ledger_key_type(public_key) <> 1 THEN
		RAISE EXCEPTION 'key "%" makes cosignatures', v_id
			USING ERRCODE = 'LG400', DETAIL = 'A key of the log is of type 1, Ed25519.', HINT = 'Register it as witness.';
	END IF;
	-- What a range begins with must not change between two registrations.
	LOCK TABLE ledger.ledger_keys IN SHARE ROW EXCLUSIVE MODE;
	SELECT k.* INTO v_row FROM ledger.ledger_keys AS k WHERE k.key_id = v_id;
	IF FOUND THEN
		IF (v_row.public_key, v_row.purpose) = (public_key, purpose) AND v_row.retired_at IS NULL AND v_row.revoked_at IS NULL THEN
			RETURN v_row;
		END IF;
		RAISE EXCEPTION 'key "%" is registered', v_id
			USING ERRCODE = 'LG409', DETAIL = format('Its purpose is %s%s%s.', v_row.purpose,
					CASE WHEN v_row.retired_at IS NOT NULL THEN ', it was retired' ELSE '' END,
					CASE WHEN v_row.revoked_at IS NOT NULL THEN ', it was revoked' ELSE '' END),
				HINT = 'A key that ended does not come back: make another one.';
	END IF;
	v_late := purpose = 'log' AND from_start IS NOT TRUE
		AND EXISTS (SELECT FROM ledger.ledger_keys AS k WHERE k.purpose = 'log' AND k.retired_at IS NULL AND k.revoked_at IS NULL);
	INSERT INTO ledger.ledger_keys AS k (key_id, public_key, purpose) VALUES (v_id, public_key, purpose) RETURNING k.* INTO v_row;
	IF v_late THEN
		INSERT INTO ledger.ledger_key_ranges (key_id, tenant_id, chain_id, first_sequence)
		SELECT v_id, e.tenant_id, e.chain_id, e.last_sequence + 1 FROM ledger.ledger_anchored_ends(NULL) AS e;
	END IF;
	PERFORM ledger.ledger_record_key('registered', v_row, jsonb_build_object('fromStart', NOT v_late));
	RETURN v_row;
END
$$;
COMMENT ON FUNCTION ledger.ledger_register_key(text, text, boolean) IS
	'Registers the public key of a signer (log) or a witness, a C2SP verifier key, and records it. A further key of the log counts behind the newest anchor of each chain, or from its start if from_start says so; the first one counts from the start. Registering again what is registered changes nothing. LG400: malformed or weak key; LG409: retired, revoked or of another purpose. For ledger_operator.';

-- Ends a key's ranges: chains that have no row yet get one.  Never widens one.
CREATE FUNCTION ledger.ledger_end_ranges(in_key text, in_before timestamptz, in_nothing boolean) RETURNS void
	LANGUAGE sql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	INSERT INTO ledger.ledger_key_ranges AS r (key_id, tenant_id, chain_id, first_sequence, last_sequence)
	SELECT in_key, e.tenant_id, e.chain_id, 1, CASE WHEN in_nothing THEN 0 ELSE e.last_sequence END
	FROM ledger.ledger_anchored_ends(in_before) AS e
	ON CONFLICT (key_id, tenant_id, chain_id) DO UPDATE
	SET last_sequence = greatest(r.first_sequence - 1, least(r.last_sequence, excluded.last_sequence))
	$$;
COMMENT ON FUNCTION ledger.ledger_end_ranges(text, timestamptz, boolean) IS
	'Ends the ranges of a key at each chain''s newest anchor, at the newest made before that time, or before they begin. Part of ledger_retire_key() and ledger_revoke_key().';

CREATE FUNCTION ledger.ledger_key_to_end(in_key text, in_reason text) RETURNS ledger.ledger_keys
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_row ledger.ledger_keys;
BEGIN
	IF in_reason IS NULL OR btrim(in_reason) = '' OR octet_length(in_reason) > 4096 THEN
		RAISE EXCEPTION 'a reason is required'
			USING ERRCODE = 'LG400', HINT = 'Say in up to 4096 bytes why the key ends.';
	END IF;
	LOCK TABLE ledger.ledger_keys IN SHARE ROW EXCLUSIVE MODE;
	SELECT k.* INTO v_row FROM ledger.ledger_keys AS k WHERE k.key_id = in_key;
	IF NOT FOUND THEN
		RAISE EXCEPTION 'key "%" is not registered', in_key
			USING ERRCODE = 'LG404', HINT = 'SELECT key_id FROM ledger_keys lists them: <name>+<8 hex digits>.';
	END IF;
	RETURN v_row;
END
$$;
COMMENT ON FUNCTION ledger.ledger_key_to_end(text, text) IS
	'The key that is to end, with the table locked. LG400: no reason; LG404: unknown. Part of ledger_retire_key() and ledger_revoke_key().';

CREATE FUNCTION ledger.ledger_retire_key(key_id text, reason text) RETURNS ledger.ledger_keys
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
DECLARE
	v_row ledger.ledger_keys := ledger.ledger_key_to_end(key_id, reason);
BEGIN
	IF v_row.retired_at IS NOT NULL OR v_row.revoked_at IS NOT NULL THEN
		RAISE EXCEPTION 'key "%" has ended', key_id
			USING ERRCODE = 'LG409', DETAIL = CASE WHEN v_row.revoked_at IS NULL THEN 'It was retired.' ELSE 'It was revoked.' END,
				HINT = 'A retired key that is no longer trusted is revoked: ledger_revoke_key().';
	END IF;
	UPDATE ledger.ledger_keys AS k SET retired_at = clock_timestamp(), reason = reason WHERE k.key_id = key_id RETURNING k.* INTO v_row;
	IF v_row.purpose = 'log' THEN
		PERFORM ledger.ledger_end_ranges(key_id, NULL, false);
	END IF;
	PERFORM ledger.ledger_record_key('retired', v_row);
	RETURN v_row;
END
$$;
COMMENT ON FUNCTION ledger.ledger_retire_key(text, text) IS
	'Ends a key that is no longer used: what it signed up to the newest anchor of each chain stays valid, nothing after it. Recorded. LG400: no reason; LG404: unknown; LG409: it has ended. For ledger_operator.';

CREATE FUNCTION ledger.ledger_revoke_key(key_id text, reason text, trusted_until timestamptz DEFAULT NULL) RETURNS ledger.ledger_keys
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
#variable_conflict use_variable
DECLARE
	v_row ledger.ledger_keys := ledger.ledger_key_to_end(key_id, reason);
BEGIN
	UPDATE ledger.ledger_keys AS k SET revoked_at = coalesce(k.revoked_at, clock_timestamp()), reason = reason
	 WHERE k.key_id = key_id RETURNING k.* INTO v_row;
	IF v_row.purpose = 'log' THEN
		PERFORM ledger.ledger_end_ranges(key_id, trusted_until, trusted_until IS NULL);
	END IF;
	PERFORM ledger.ledger_record_key('revoked', v_row, jsonb_build_object('trustedUntil',
		to_char(trusted_until AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')));
	RETURN v_row;
END
$$;
COMMENT ON FUNCTION ledger.ledger_revoke_key(text, text, timestamptz) IS
	'Ends a key that can no longer be trusted: only signatures under anchors made before trusted_until count, and none without it. Of a witness none counts. Revoking again can only take away more. Recorded. LG400: no reason; LG404: unknown. For ledger_operator.';

CREATE FUNCTION ledger.ledger_signature_valid(tenant text, chain uuid, tree_size bigint, key_id text) RETURNS boolean
	LANGUAGE sql STABLE PARALLEL SAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
	-- What was copied behind a dropped key must not be worth more than each of it.
	SELECT ledger.ledger_tenant_allowed($1) AND coalesce((
		SELECT bool_and(CASE k.purpose WHEN 'witness' THEN k.revoked_at IS NULL
			ELSE coalesce($3 BETWEEN r.first_sequence AND coalesce(r.last_sequence, $3), k.retired_at IS NULL AND k.revoked_at IS NULL) END)
		FROM ledger.ledger_keys AS k
		LEFT JOIN ledger.ledger_key_ranges AS r ON r.key_id = k.key_id AND r.tenant_id = $1 AND r.chain_id = $2
		WHERE k.key_id = $4), false)
	$$;
COMMENT ON FUNCTION ledger.ledger_signature_valid(text, uuid, bigint, text) IS
	'Does a signature of this key count under a tree of that size of that chain: is the key registered, and the size in its range? False for one that is not, and for a tenant that is not granted. Whether there is such a signature, and whether it is right, is another question.';
