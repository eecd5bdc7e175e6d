-- An auditor's own copies of checkpoints against the present ledger
-- (docs/verification.md, "Outside checkpoints").  Nothing inside a database shows that
-- all of it was rewritten; these do.

-- What was handed over, element by element.
CREATE FUNCTION ledger.ledger_given_checkpoints(checkpoints text[])
	RETURNS TABLE (tenant_id text, chain_id uuid, tree_size bigint, root bytea)
	LANGUAGE plpgsql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
DECLARE
	v_given  record;
	v_origin text[];
BEGIN
	IF coalesce(cardinality(checkpoints), 0) = 0 THEN
		RAISE EXCEPTION 'checkpoints are required'
			USING ERRCODE = 'LG400', HINT = 'Give copies of checkpoints that were kept outside this database.';
	END IF;
	FOR v_given IN
		SELECT p.*, c.number FROM unnest(checkpoints) WITH ORDINALITY AS c (text, number)
		-- A shell's $(…) and psql's `…` take the last newline away.
		LEFT JOIN LATERAL ledger.ledger_parse_checkpoint(rtrim(c.text, E'\n') || E'\n') AS p ON true
	LOOP
		v_origin := regexp_match(v_given.origin, '^(.+)/([^/]+)/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$');
		IF v_given.root IS NULL OR (v_origin IS NULL AND v_given.origin NOT LIKE '%/%') THEN
			RAISE EXCEPTION 'checkpoints[%] is no checkpoint', v_given.number
				USING ERRCODE = 'LG400', HINT = 'A checkpoint is a text of three lines, with or without signature lines (docs/formats.md section 6).';
		END IF;
		IF v_origin IS NULL OR (v_origin[1] NOT IN (SELECT s.origin FROM ledger.ledger_settings AS s)
			AND NOT EXISTS (SELECT FROM ledger.ledger_merkle_roots AS r
				WHERE r.tenant_id = v_origin[2] AND r.chain_id = v_origin[3]::uuid AND r.origin = v_origin[1])) THEN
			RAISE EXCEPTION 'checkpoints[%] is of another log', v_given.number
				USING ERRCODE = 'LG404', DETAIL = format('Its origin is "%s".', v_given.origin),
					HINT = 'ledger_settings.origin names this log.';
		END IF;
		IF NOT ledger.ledger_tenant_allowed(v_origin[2]) THEN
			RAISE EXCEPTION 'role may not touch tenant "%"', v_origin[2]
				USING ERRCODE = 'LG403', HINT = 'An operator can allow it with ledger_grant_tenant().';
		END IF;
		RETURN QUERY SELECT v_origin[2], v_origin[3]::uuid, v_given.tree_size, v_given.root;
	END LOOP;
END
$$;
COMMENT ON FUNCTION ledger.ledger_given_checkpoints(text[]) IS
	'Tenant, chain, size and root of each checkpoint. LG400: one is none; LG403: its tenant is not granted; LG404: it is of another log. Part of ledger_verify_against().';

CREATE FUNCTION ledger.ledger_compare_checkpoints(checkpoints text[])
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text)
	LANGUAGE sql STABLE PARALLEL UNSAFE
	SET search_path = pg_catalog, pg_temp
	AS $$
	WITH given AS MATERIALIZED (
		SELECT DISTINCT g.* FROM ledger.ledger_given_checkpoints(checkpoints) AS g),
	chain AS MATERIALIZED (
		SELECT g.tenant_id, g.chain_id, array_agg(g.tree_size) AS sizes,
			(SELECT max(e.sequence_no) FROM ledger.ledger_events AS e
			 WHERE e.tenant_id = g.tenant_id AND e.chain_id = g.chain_id) AS head
		FROM given AS g GROUP BY g.tenant_id, g.chain_id),
	tree AS MATERIALIZED (
		SELECT c.tenant_id, c.chain_id, t.tree_size, t.root
		FROM chain AS c, LATERAL ledger.ledger_tree_check(c.tenant_id, c.chain_id,
			ARRAY(SELECT s FROM unnest(c.sizes) AS s WHERE s <= c.head)) AS t
		WHERE t.level IS NULL),
	-- A restore to N is told by the event N + 1 (ledger_start_incarnation()).  Looked for once
	-- in a chain: no index leads to it, and a year has 35,000 checkpoints.
	restore AS MATERIALIZED (
		SELECT e.tenant_id, e.chain_id, e.sequence_no, e.recorded_at
		FROM chain AS c, LATERAL (
			SELECT * FROM ledger.ledger_events AS e
			WHERE e.tenant_id = c.tenant_id AND e.chain_id = c.chain_id AND e.event_type = 'ledger.incarnation_started') AS e),
	compared AS MATERIALIZED (
		SELECT g.tenant_id, g.chain_id, g.tree_size, g.root, c.head, t.root AS present, r.sequence_no AS restored_at_sequence, r.recorded_at,
			count(*) OVER (PARTITION BY g.tenant_id, g.chain_id, g.tree_size) > 1 AS twofold,
			coalesce(max(g.tree_size) FILTER (WHERE t.root = g.root) OVER (PARTITION BY g.tenant_id, g.chain_id ORDER BY g.tree_size
				GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS agreed
		FROM given AS g JOIN chain AS c USING (tenant_id, chain_id)
		LEFT JOIN tree AS t USING (tenant_id, chain_id, tree_size)
		LEFT JOIN LATERAL (
			SELECT e.sequence_no, e.recorded_at FROM restore AS e
			WHERE e.tenant_id = g.tenant_id AND e.chain_id = g.chain_id AND e.sequence_no <= g.tree_size
			ORDER BY e.sequence_no DESC LIMIT 1) AS r ON true),
	named AS (
		SELECT c.*, CASE
			WHEN c.head IS NULL THEN 'missing_chain'
			WHEN c.present = c.root AND NOT (c.twofold AND c.restored_at_sequence IS NULL) THEN NULL
			WHEN c.restored_at_sequence IS NOT NULL AND (c.present <> c.root OR c.tree_size > c.head) THEN 'rolled_back'
			WHEN c.twofold THEN 'inconsistent_history'
			WHEN c.tree_size > c.head THEN 'truncated'
			-- Where a gap hides the root, the gap is the finding.
			WHEN c.present <> c.root THEN 'rewritten' END AS kind
		FROM compared AS c),
	finding AS (
		SELECT n.tenant_id, n.chain_id, n.kind, n.tree_size, CASE n.kind
				WHEN 'rolled_back' THEN n.restored_at_sequence WHEN 'inconsistent_history' THEN n.tree_size
				WHEN 'truncated' THEN n.head + 1 WHEN 'rewritten' THEN n.agreed + 1 END AS sequence_no,
			CASE n.kind
				WHEN 'missing_chain' THEN format('a checkpoint of size %s is known, and the chain has no events', n.tree_size)
				WHEN 'rolled_back' THEN format('rolled back to %s by restore at %s; a checkpoint of size %s is known',
					n.restored_at_sequence - 1, to_char(n.recorded_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'), n.tree_size)
				WHEN 'inconsistent_history' THEN format('checkpoints of size %s with different roots are known', n.tree_size)
				WHEN 'truncated' THEN format('a checkpoint of size %s is known, and the chain ends at %s', n.tree_size, n.head)
				WHEN 'rewritten' THEN format('an event between %s and %s is not the one that the checkpoint of size %s covers', n.agreed + 1, n.tree_size, n.tree_size)
			END AS detail
		FROM named AS n WHERE n.kind IS NOT NULL)
	-- Of truncated and rewritten events the smallest checkpoint tells most.
	SELECT DISTINCT ON (f.tenant_id, f.chain_id, f.kind, CASE WHEN f.kind IN ('rolled_back', 'inconsistent_history') THEN f.sequence_no END)
		f.tenant_id, f.chain_id, f.sequence_no, f.kind, f.detail
	FROM finding AS f
	ORDER BY f.tenant_id, f.chain_id, f.kind, CASE WHEN f.kind IN ('rolled_back', 'inconsistent_history') THEN f.sequence_no END, f.tree_size
	$$;
COMMENT ON FUNCTION ledger.ledger_compare_checkpoints(text[]) IS
	'Findings about checkpoints by "Outside checkpoints" of docs/verification.md. Part of ledger_verify_against().';

CREATE FUNCTION ledger.ledger_verify_against(checkpoints text[])
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text)
	LANGUAGE sql STABLE PARALLEL UNSAFE SECURITY DEFINER ROWS 10
	SET search_path = pg_catalog, pg_temp SET jit = off
	SET row_security = on
	AS $$
	SELECT DISTINCT ON (f.tenant_id, f.chain_id, f.sequence_no, f.kind) f.tenant_id, f.chain_id, f.sequence_no, f.kind, f.detail
	FROM (
		SELECT c.tenant_id, c.chain_id, c.sequence_no, c.kind, c.detail, 0 AS place FROM ledger.ledger_compare_checkpoints($1) AS c
		UNION ALL
		SELECT v.tenant_id, v.chain_id, v.sequence_no, v.kind, v.detail, 1
		FROM (SELECT DISTINCT g.tenant_id, g.chain_id FROM ledger.ledger_given_checkpoints($1) AS g) AS g,
			LATERAL ledger.ledger_verify_all(g.tenant_id, g.chain_id, NULL, NULL, false) AS v
		WHERE v.kind IS NOT NULL) AS f (tenant_id, chain_id, sequence_no, kind, detail, place)
	ORDER BY f.tenant_id, f.chain_id, f.sequence_no, f.kind, f.place, f.detail
	$$;
COMMENT ON FUNCTION ledger.ledger_verify_against(text[]) IS
	'Checks copies of old checkpoints, kept outside, against the present ledger, and verifies the chains that they name: one row for each thing that is not as it was, none when clean. Shows what nothing inside a database can: rewritten, truncated, missing_chain; rolled_back where a restore explains it (docs/verification.md). Who signed them is for ledger_verify_note() to say. LG400: none given, or one is no checkpoint; LG403: tenant not granted; LG404: of another log.';
