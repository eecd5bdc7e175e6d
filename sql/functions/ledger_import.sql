-- Events of another ledger, as it recorded them (docs/formats.md section 10).  The
-- trace of an import stands in the reserved tenant's chain, not in the imported
-- one: there it would take the very place of the source's next event, and no later
-- part of that chain could follow (docs/decisions/0011-imports.md).
CREATE FUNCTION ledger.ledger_import(rows jsonb)
	RETURNS TABLE (tenant_id text, chain_id uuid, first_sequence bigint, last_sequence bigint,
		imported bigint, present bigint, source_digest bytea)
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
DECLARE
	v_range record;
BEGIN
	IF rows IS NULL OR jsonb_typeof(rows) <> 'array' THEN
		RAISE EXCEPTION 'rows must be a JSON array of lines'
			USING ERRCODE = 'LG400', HINT = 'Lines are described in docs/formats.md, section 10.';
	END IF;
	FOR v_range IN SELECT * FROM ledger.ledger_import_lines(rows)
	LOOP
		IF v_range.imported > 0 THEN
			PERFORM ledger.ledger_append_own('ledger.import_recorded', jsonb_build_object(
				'tenant', v_range.tenant_id, 'chainId', v_range.chain_id,
				'firstSequence', v_range.first_sequence + v_range.present, 'lastSequence', v_range.last_sequence,
				'importedBy', session_user, 'sourceDigest', encode(v_range.source_digest, 'hex'),
				'sourceLines', jsonb_array_length(rows)));
		END IF;
		tenant_id := v_range.tenant_id;
		chain_id := v_range.chain_id;
		first_sequence := v_range.first_sequence;
		last_sequence := v_range.last_sequence;
		imported := v_range.imported;
		present := v_range.present;
		source_digest := v_range.source_digest;
		RETURN NEXT;
	END LOOP;
END
$$;
COMMENT ON FUNCTION ledger.ledger_import(jsonb) IS
	'Imports an array of lines {envelope, eventHash, merkleLeafHash, payload, salt[, evaluation]} of one or more chains, each in its order, into an empty chain or behind its head, all or nothing. Every hash is recomputed; recordedAt and recordedBy are the source''s. Lines stored already, byte for byte, are skipped. Returns for each chain its range, how many events were imported and were present, and the SHA-256 of the canonical lines joined by newlines; leaves an event ledger.import_recorded for each chain that got events. Errors name the line: LG400 malformed, LG403 tenant not granted or reserved, LG404 unknown tenant or type, LG409 not contiguous or stored otherwise, LG413 too large, LG422 a hash differs or a number is not representable. For ledger_loader.';
