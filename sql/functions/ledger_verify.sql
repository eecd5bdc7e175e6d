-- Every row of the tenants the caller may touch is hashed again by the
-- extension, and each link is compared with its neighbour.  Rows are taken in
-- (chain, sequence) order, never by time.
CREATE FUNCTION ledger.ledger_verify_rows(in_tenant text, in_chain uuid, in_from bigint, in_to bigint)
	RETURNS TABLE (chain_id uuid, sequence_no bigint, kind text, detail text, rows_checked bigint)
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	WITH hashed AS (
		SELECT e.chain_id, e.sequence_no, e.previous_hash, e.event_hash,
			ledger.ledger_event_hash(e) AS computed,
			ledger.ledger_leaf_hash(e) = e.merkle_leaf_hash AS leaf_ok,
			ledger.ledger_payload_hash(e.payload_salt, e.event_body) = e.payload_hash AS payload_ok
		FROM ledger.ledger_events AS e
		WHERE e.tenant_id = in_tenant AND (in_chain IS NULL OR e.chain_id = in_chain)
	), seen AS (
		SELECT h.*,
			lag(h.sequence_no) OVER w AS before_no,
			lag(CASE WHEN h.leaf_ok THEN h.computed ELSE h.event_hash END) OVER w AS before_hash,
			lead(h.sequence_no) OVER w AS after_no,
			lead(h.previous_hash) OVER w AS after_says
		FROM hashed AS h
		WINDOW w AS (PARTITION BY h.chain_id ORDER BY h.sequence_no)
	), judged AS (
		SELECT s.*,
			CASE WHEN s.after_no = s.sequence_no + 1 THEN s.after_says END AS next_says,
			CASE WHEN s.sequence_no = 1 THEN decode(repeat('00', 32), 'hex')
			     WHEN s.before_no = s.sequence_no - 1 THEN s.before_hash END AS remembered
		FROM seen AS s
		WHERE (in_from IS NULL OR s.sequence_no >= in_from) AND (in_to IS NULL OR s.sequence_no <= in_to)
	)
	SELECT j.chain_id, j.sequence_no, v.kind, v.detail, 1::bigint
	FROM judged AS j, LATERAL (
		SELECT CASE
			WHEN j.computed <> j.event_hash AND (j.leaf_ok OR j.next_says = j.computed) THEN 'hash_edited'
			WHEN j.computed <> j.event_hash THEN 'envelope_edited'
			WHEN j.payload_ok IS NOT TRUE THEN 'payload_edited'
			WHEN NOT j.leaf_ok THEN 'hash_edited'
			WHEN j.previous_hash <> j.remembered THEN 'link_broken' END AS kind,
			CASE
			WHEN j.computed <> j.event_hash AND (j.leaf_ok OR j.next_says = j.computed) THEN 'event_hash'
			WHEN j.computed <> j.event_hash THEN 'the columns do not give event_hash'
			WHEN j.payload_ok IS NOT TRUE THEN 'payload does not give payload_hash'
			WHEN NOT j.leaf_ok THEN 'merkle_leaf_hash'
			ELSE 'previous_hash is not the hash of the row before' END AS detail) AS v
	UNION ALL
	SELECT s.chain_id, coalesce(s.before_no, 0) + 1, 'missing',
		format('sequence %s to %s', coalesce(s.before_no, 0) + 1, s.sequence_no - 1), 0
	FROM seen AS s
	WHERE s.sequence_no > coalesce(s.before_no, 0) + 1
		AND (in_from IS NULL OR s.sequence_no > in_from) AND (in_to IS NULL OR s.sequence_no <= in_to)
	$$;
COMMENT ON FUNCTION ledger.ledger_verify_rows(text, uuid, bigint, bigint) IS
	'One row for each event of a tenant, with what is wrong with it or NULL, and one for each gap. The work of ledger_verify().';

CREATE FUNCTION ledger.ledger_verify_report(
	tenant_id text DEFAULT NULL, chain_id uuid DEFAULT NULL,
	from_sequence bigint DEFAULT NULL, to_sequence bigint DEFAULT NULL)
	RETURNS jsonb
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp
	AS $$
#variable_conflict use_column
DECLARE
	v_started  timestamptz := clock_timestamp();
	v_tenant   text;
	v_rows     bigint := 0;
	v_chains   bigint := 0;
	v_findings jsonb := '[]';
	v_part     record;
BEGIN
	FOR v_tenant IN
		SELECT t.tenant_id FROM ledger.ledger_tenants AS t
		WHERE (ledger_verify_report.tenant_id IS NULL OR t.tenant_id = ledger_verify_report.tenant_id)
			AND ledger.ledger_tenant_allowed(t.tenant_id)
		ORDER BY 1
	LOOP
		SELECT coalesce(sum(r.rows_checked), 0) AS n, count(DISTINCT r.chain_id) AS chains,
			coalesce(jsonb_agg(jsonb_build_object('tenantId', v_tenant, 'chainId', r.chain_id,
				'sequence', r.sequence_no, 'kind', r.kind, 'detail', r.detail)
				ORDER BY r.chain_id, r.sequence_no) FILTER (WHERE r.kind IS NOT NULL), '[]') AS findings
		INTO v_part
		FROM ledger.ledger_verify_rows(v_tenant, ledger_verify_report.chain_id,
			ledger_verify_report.from_sequence, ledger_verify_report.to_sequence) AS r;
		v_rows := v_rows + v_part.n;
		v_chains := v_chains + v_part.chains;
		v_findings := v_findings || v_part.findings;
	END LOOP;
	RETURN jsonb_build_object('rows', v_rows, 'links', v_rows, 'leaves', v_rows, 'chains', v_chains,
		'findings', v_findings,
		'durationMs', round(extract(epoch FROM clock_timestamp() - v_started) * 1000),
		'verdict', CASE WHEN v_findings <> '[]' THEN 'tampered' WHEN v_rows = 0 THEN 'nothing_checked' ELSE 'clean' END);
END
$$;
COMMENT ON FUNCTION ledger.ledger_verify_report(text, uuid, bigint, bigint) IS
	'Verifies all tenants the role may touch, or one, or one chain or range of it. Counts of rows, links, leaves and chains checked, findings, duration and verdict: clean, tampered, or nothing_checked (zero rows are never clean).';

CREATE FUNCTION ledger.ledger_verify(
	tenant_id text DEFAULT NULL, chain_id uuid DEFAULT NULL,
	from_sequence bigint DEFAULT NULL, to_sequence bigint DEFAULT NULL)
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text)
	LANGUAGE sql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	SELECT f ->> 'tenantId', (f ->> 'chainId')::uuid, (f ->> 'sequence')::bigint, f ->> 'kind', f ->> 'detail'
	FROM jsonb_array_elements(ledger.ledger_verify_report($1, $2, $3, $4) -> 'findings') AS f
	$$;
COMMENT ON FUNCTION ledger.ledger_verify(text, uuid, bigint, bigint) IS
	'One row for each thing that is not as the ledger left it, naming the row that was touched; none when clean.';
