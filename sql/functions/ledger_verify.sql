-- Verification: docs/verification.md says what is checked and how a row is named.
-- One scan decides whether there is anything to name; only then the judge runs.
CREATE FUNCTION ledger.ledger_verify_all(
	in_tenant text, in_chain uuid, in_from bigint, in_to bigint, in_guards boolean)
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text, counts jsonb)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	-- Nothing here is worth compiling: the work is in C, and the compiler is 40 MiB.
	SET search_path = pg_catalog, pg_temp SET jit = off
	AS $$
DECLARE
	v_scan record;
	-- A part of the events cannot say what was folded from all.
	v_folds boolean := in_chain IS NULL AND in_from IS NULL AND in_to IS NULL;
	-- Nor can it give the root of a tree.
	v_anchors boolean := in_from IS NULL AND in_to IS NULL;
	v_guards boolean := in_guards AND in_tenant IS NULL AND v_folds;
	v_denied text;
BEGIN
	BEGIN
		SELECT * INTO v_scan FROM ledger.ledger_verify_scan(in_tenant, in_chain, in_from, in_to);
		IF v_scan.sound THEN
			RETURN QUERY SELECT c.tenant_id, c.chain_id, NULL::bigint, 'missing_chain', 'a registered chain has no events', NULL::jsonb
				FROM ledger.ledger_chains AS c
				WHERE in_from IS NULL AND in_to IS NULL
					AND (in_tenant IS NULL OR c.tenant_id = in_tenant) AND (in_chain IS NULL OR c.chain_id = in_chain)
					AND NOT EXISTS (SELECT FROM ledger.ledger_events AS e WHERE e.tenant_id = c.tenant_id AND e.chain_id = c.chain_id);
			RETURN QUERY SELECT NULL::text, NULL::uuid, NULL::bigint, NULL::text, NULL::text, jsonb_build_object(
				'rows', v_scan.rows, 'links', v_scan.rows, 'payloads', v_scan.payloads, 'chains', v_scan.chains, 'workers', v_scan.workers);
			RETURN QUERY SELECT a.* FROM ledger.ledger_verify_anchors(in_tenant, in_chain, '[]') AS a WHERE v_anchors;
		END IF;
		IF v_folds OR NOT v_scan.sound THEN
			-- What was folded from a tampered event is not reported again.
			RETURN QUERY
				WITH judged AS MATERIALIZED (
					SELECT * FROM ledger.ledger_judge(in_tenant, in_chain, in_from, in_to) WHERE NOT v_scan.sound),
				lost AS (
					SELECT c.tenant_id, c.chain_id FROM ledger.ledger_chains AS c
					WHERE v_scan.sound AND NOT EXISTS (
						SELECT FROM ledger.ledger_events AS e WHERE e.tenant_id = c.tenant_id AND e.chain_id = c.chain_id)),
				unsound_finding AS MATERIALIZED (
					SELECT j.tenant_id, j.finding_id, j.policy_version FROM judged AS j WHERE j.finding_id IS NOT NULL
					UNION SELECT j.home_tenant, j.finding_id, j.policy_version FROM judged AS j WHERE j.finding_id IS NOT NULL),
				unsound_chain AS MATERIALIZED (
					SELECT j.tenant_id, j.chain_id FROM judged AS j WHERE j.kind IN ('envelope_edited', 'link_broken', 'missing', 'missing_chain')
					UNION SELECT j.home_tenant, j.home_chain FROM judged AS j WHERE j.kind IN ('envelope_edited', 'link_broken')
					UNION SELECT l.tenant_id, l.chain_id FROM lost AS l),
				folded AS MATERIALIZED (
					SELECT * FROM ledger.ledger_verify_projection(in_tenant, ledger.ledger_history_horizon()) WHERE v_folds),
				-- Nor is what was anchored of its chain, or of the one that it was moved out of.
				doubt AS MATERIALIZED (
					SELECT p.tenant_id, p.chain_id, bool_or(j.kind = 'reordered' OR (j.tenant_id, j.chain_id) IS DISTINCT FROM (j.home_tenant, j.home_chain)) AS moved
					FROM judged AS j, LATERAL (VALUES (j.tenant_id, j.chain_id), (j.home_tenant, j.home_chain)) AS p (tenant_id, chain_id)
					WHERE j.kind IN ('duplicate', 'envelope_edited', 'hash_edited', 'link_broken', 'missing', 'reordered')
					GROUP BY p.tenant_id, p.chain_id)
				SELECT j.tenant_id, j.chain_id, j.sequence_no, j.kind, j.detail, j.counts FROM judged AS j
				UNION ALL
				SELECT p.tenant_id, p.chain_id, p.sequence_no, CASE WHEN p.folded IS NULL THEN 'projection_diverged' END, p.detail,
					CASE WHEN p.folded IS NOT NULL THEN jsonb_build_object('projections', p.folded) END
				FROM folded AS p
				LEFT JOIN unsound_finding AS f ON (f.tenant_id, f.finding_id, f.policy_version) = (p.tenant_id, p.finding_id, p.policy_version)
				LEFT JOIN unsound_chain AS c ON (c.tenant_id, c.chain_id) = (p.tenant_id, p.chain_id)
				LEFT JOIN unsound_chain AS s ON (s.tenant_id, s.chain_id) = (p.tenant_id, p.stored_chain)
				WHERE f.tenant_id IS NULL AND c.tenant_id IS NULL AND s.tenant_id IS NULL
				UNION ALL
				SELECT a.* FROM ledger.ledger_verify_anchors(in_tenant, in_chain,
					(SELECT coalesce(jsonb_agg(d), '[]') FROM doubt AS d)) AS a WHERE v_anchors AND NOT v_scan.sound;
		END IF;
	EXCEPTION WHEN insufficient_privilege THEN
		-- A table was taken from the owner.  The guards name it, where they are asked.
		IF NOT v_guards THEN
			RAISE;
		END IF;
		v_denied := SQLERRM;
	END;
	IF v_guards THEN
		RETURN QUERY SELECT g.tenant_id, NULL::uuid, NULL::bigint, g.kind, g.detail, NULL::jsonb
			FROM ledger.ledger_verify_guards(v_denied IS NULL) AS g;
		IF v_denied IS NOT NULL AND NOT FOUND THEN
			RAISE EXCEPTION 'the ledger cannot be read: %', v_denied USING ERRCODE = 'LG503';
		END IF;
	END IF;
END
$$;
COMMENT ON FUNCTION ledger.ledger_verify_all(text, uuid, bigint, bigint, boolean) IS
	'Findings, with NULL kind for rows that hold counts. Part of ledger_verify() and ledger_verify_report().';

CREATE FUNCTION ledger.ledger_verify(
	tenant_id text DEFAULT NULL, chain_id uuid DEFAULT NULL,
	from_sequence bigint DEFAULT NULL, to_sequence bigint DEFAULT NULL)
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text)
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER ROWS 10
	SET search_path = pg_catalog, pg_temp
	-- The session that ran a plain dump has it off, and ought to verify.
	SET row_security = on
	AS $$
	SELECT ledger.ledger_require_subject($1, $2, $3, $4);
	SELECT v.tenant_id, v.chain_id, v.sequence_no, v.kind, v.detail
	FROM ledger.ledger_verify_all($1, $2, $3, $4, true) AS v
	WHERE v.kind IS NOT NULL
	ORDER BY v.tenant_id, v.chain_id, v.sequence_no, v.kind, v.detail
	$$;
COMMENT ON FUNCTION ledger.ledger_verify(text, uuid, bigint, bigint) IS
	'One row for each thing that is not as the ledger left it, naming the row that was touched and only that one; none when clean. Arguments: tenant, chain, first and last sequence, all optional; without any, everything that the role may touch, and the guards. The kinds are listed in docs/verification.md. Reads only, so it works on a hot standby. LG400: the range ends before it starts; LG403: tenant not granted; LG404: no such tenant or chain.';

CREATE FUNCTION ledger.ledger_verify_report(
	tenant_id text DEFAULT NULL, chain_id uuid DEFAULT NULL,
	from_sequence bigint DEFAULT NULL, to_sequence bigint DEFAULT NULL)
	RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	SET row_security = on
	AS $$
DECLARE
	v_started  timestamptz := clock_timestamp();
	v_counts   jsonb := '{"rows": 0, "links": 0, "payloads": 0, "chains": 0, "projections": 0, "workers": 0, "anchors": 0, "tiles": 0, "signatures": 0, "unsigned": 0}';
	v_kinds    jsonb := '{}';
	v_findings bigint := 0;
	v_part     record;
BEGIN
	PERFORM ledger.ledger_require_subject($1, $2, $3, $4);
	FOR v_part IN
		SELECT v.kind, v.counts, count(*) AS n
		FROM ledger.ledger_verify_all($1, $2, $3, $4, true) AS v
		GROUP BY v.kind, v.counts
	LOOP
		IF v_part.kind IS NULL THEN
			v_counts := v_counts || v_part.counts;
		ELSE
			v_kinds := v_kinds || jsonb_build_object(v_part.kind, v_part.n);
			v_findings := v_findings + v_part.n;
		END IF;
	END LOOP;
	RETURN v_counts || jsonb_build_object(
		'leaves', v_counts -> 'rows', 'findings', v_findings, 'kinds', v_kinds,
		'durationMs', round(extract(epoch FROM clock_timestamp() - v_started) * 1000),
		'verdict', CASE WHEN v_findings > 0 THEN 'tampered'
		                WHEN (v_counts ->> 'rows')::bigint = 0 THEN 'nothing_checked' ELSE 'clean' END);
END
$$;
COMMENT ON FUNCTION ledger.ledger_verify_report(text, uuid, bigint, bigint) IS
	'What ledger_verify() with the same arguments checked: counts of rows, links, payloads, leaves, projections (findings folded), chains, anchors, full tiles, signatures and unsigned anchors; findings in all and by kind; duration in ms; parallel workers that took part; and the verdict: clean, tampered, or nothing_checked (zero rows checked are never clean).';
