-- Signatures of anchors: rule 8 of "Anchors" in docs/verification.md.

CREATE FUNCTION ledger.ledger_anchor_signatures(
	anchor ledger.ledger_merkle_roots, OUT is_signed boolean, OUT verified bigint, OUT fault text)
	LANGUAGE plpgsql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_note record;
	v_dsse record;
BEGIN
	is_signed := strpos(anchor.checkpoint, E'\n\n') > 0 OR anchor.dsse -> 'signatures' <> '[]';
	verified := 0;
	IF NOT is_signed THEN
		RETURN;
	END IF;
	-- OFFSET 0: each signature is verified once, and not wherever its answer is asked for.
	SELECT count(*) FILTER (WHERE s.ok) AS good, string_agg(s.key_id, ', ' ORDER BY s.key_id) FILTER (WHERE NOT s.ok) AS bad,
			coalesce(bool_or(s.ok AND s.purpose = 'log'
				AND ledger.ledger_signature_valid(anchor.tenant_id, anchor.chain_id, anchor.tree_size, s.key_id)), false) AS counts
		INTO v_note
		FROM (SELECT k.key_id, k.purpose, ledger.ledger_verify_note(anchor.checkpoint, k.public_key) AS ok
			FROM ledger.ledger_keys AS k
			WHERE k.key_id IN (SELECT ledger.ledger_note_keys(anchor.checkpoint)) OFFSET 0) AS s;
	-- One at a time, so that a wrong one does not hide behind a right one.  The key
	-- id is a hint: without it every log key is tried.
	SELECT count(*) FILTER (WHERE s.ok) AS good, string_agg(s.key_id, ', ' ORDER BY s.key_id) FILTER (WHERE NOT s.ok AND s.named) AS bad,
			coalesce(bool_or(s.ok AND s.purpose = 'log'
				AND ledger.ledger_signature_valid(anchor.tenant_id, anchor.chain_id, anchor.tree_size, s.key_id)), false) AS counts
		INTO v_dsse
		FROM (SELECT k.key_id, k.purpose, coalesce(g.value ->> 'keyid', '') <> '' AS named,
				ledger.ledger_verify_dsse(jsonb_set(anchor.dsse, '{signatures}', jsonb_build_array(g.value)), k.public_key) IS NOT NULL AS ok
			FROM jsonb_array_elements(anchor.dsse -> 'signatures') AS g
			JOIN ledger.ledger_keys AS k
				ON CASE WHEN coalesce(g.value ->> 'keyid', '') <> '' THEN k.key_id = g.value ->> 'keyid' ELSE k.purpose = 'log' END OFFSET 0) AS s;
	verified := v_note.good + v_dsse.good;
	fault := CASE
		WHEN v_note.bad IS NOT NULL THEN format('the checkpoint''s signature of %s is wrong', v_note.bad)
		WHEN v_dsse.bad IS NOT NULL THEN format('the statement''s signature of %s is wrong', v_dsse.bad)
		WHEN NOT v_note.counts THEN 'no signature of the checkpoint counts'
		WHEN NOT v_dsse.counts THEN 'no signature of the statement counts' END;
END
$$;
COMMENT ON FUNCTION ledger.ledger_anchor_signatures(ledger.ledger_merkle_roots) IS
	'Is an anchor signed, how many signatures of registered keys verify, and what is wrong with them (NULL: nothing). Part of ledger_verify().';
