-- Names the rows that were touched, by the rules of docs/verification.md.  It runs
-- when the scan has a doubt, on everything that was asked for: what a row is guilty
-- of depends on its neighbours, on rows with the same event id and on rows that
-- remember its hash.  One query of ordinary joins and windows, so that it works on a
-- hot standby, where nothing can be created, and spills to disk instead of growing.
CREATE FUNCTION ledger.ledger_judge(in_tenant text, in_chain uuid, in_from bigint, in_to bigint)
	RETURNS TABLE (tenant_id text, chain_id uuid, sequence_no bigint, kind text, detail text,
		finding_id text, policy_version text, home_tenant text, home_chain uuid, counts jsonb)
	LANGUAGE sql STABLE PARALLEL UNSAFE
	-- Nobody can estimate how many rows are tampered with: a nested loop chosen for
	-- one would be quadratic for many.
	SET search_path = pg_catalog, pg_temp SET enable_nestloop = off
	AS $$
	WITH
	-- 1. The rows asked for, and of each chain the next ones on both sides of a range as witnesses.
	bounds AS MATERIALIZED (
		SELECT e.tenant_id, e.chain_id, max(e.sequence_no) FILTER (WHERE e.sequence_no < in_from) AS before,
			min(e.sequence_no) FILTER (WHERE e.sequence_no > in_to) AS after
		FROM ledger.ledger_events AS e
		WHERE (in_from IS NOT NULL OR in_to IS NOT NULL)
			AND (in_tenant IS NULL OR e.tenant_id = in_tenant) AND (in_chain IS NULL OR e.chain_id = in_chain)
		GROUP BY e.tenant_id, e.chain_id),
	fact AS MATERIALIZED (
		SELECT r.*, (r.f).computed, (r.f).sound, (r.f).leaf_sound, (r.f).payload_fault,
			(r.f).payload_now, (r.f).evaluation_now, (r.f).stub
		FROM (SELECT row_number() OVER () AS row_no, e.tenant_id, e.chain_id, e.sequence_no, e.event_id,
				e.finding_id, e.policy_version, e.previous_hash, e.event_hash, e.event_body IS NOT NULL AS has_payload,
				(in_from IS NULL OR e.sequence_no >= in_from) AND (in_to IS NULL OR e.sequence_no <= in_to) AS in_range,
				ledger.ledger_row_facts(e) AS f
			-- Without a range every row is read, even one with no chain or number at all.
			FROM ledger.ledger_events AS e LEFT JOIN bounds AS b USING (tenant_id, chain_id)
			WHERE (in_tenant IS NULL OR e.tenant_id = in_tenant) AND (in_chain IS NULL OR e.chain_id = in_chain)
				AND (in_from IS NULL AND in_to IS NULL
				     OR e.sequence_no >= coalesce(b.before, e.sequence_no) AND e.sequence_no <= coalesce(b.after, e.sequence_no))
			OFFSET 0) AS r),
	-- 2. Homes of rows that are wrong where they stand.  Beyond 20,000 such rows memory
	--    would grow; the others are judged in place.
	stray AS MATERIALIZED (
		SELECT row_number() OVER (ORDER BY s.row_no)::integer AS stray, s.*
		FROM (SELECT f.row_no, f.tenant_id, f.chain_id, f.previous_hash, f.event_hash, f.stub FROM fact AS f
			WHERE NOT f.sound AND NOT f.leaf_sound
				-- A number that no envelope holds is one that was changed.
				AND (f.computed IS NOT NULL OR f.sequence_no NOT BETWEEN 1 AND 9007199254740991)
			ORDER BY f.tenant_id, f.chain_id, f.sequence_no LIMIT 20000) AS s),
	place AS MATERIALIZED (
		SELECT s.stray, p.tenant_id, p.chain_id, p.sequence_no + 1 AS sequence_no
		FROM stray AS s JOIN fact AS p ON s.previous_hash = CASE WHEN p.leaf_sound THEN p.computed ELSE p.event_hash END
		WHERE p.tenant_id IS NOT NULL AND p.chain_id IS NOT NULL AND p.sequence_no < 9007199254740991
		UNION
		SELECT s.stray, s.tenant_id, s.chain_id, 1 FROM stray AS s
		WHERE s.previous_hash = decode(repeat('00', 32), 'hex') AND s.tenant_id IS NOT NULL AND s.chain_id IS NOT NULL
		UNION
		SELECT s.stray, p.tenant_id, p.chain_id, 1
		FROM stray AS s JOIN fact AS p ON p.previous_hash = s.event_hash AND p.sequence_no = 2
		WHERE s.previous_hash = decode(repeat('00', 32), 'hex') AND p.tenant_id IS NOT NULL AND p.chain_id IS NOT NULL),
	home AS MATERIALIZED (
		SELECT s.row_no, h.tenant_id, h.chain_id, h.sequence_no
		FROM ledger.ledger_find_homes(
				(SELECT array_agg(s.stub ORDER BY s.stray) FROM stray AS s),
				(SELECT array_agg(p.stray ORDER BY p.stray, p.tenant_id, p.chain_id, p.sequence_no) FROM place AS p),
				(SELECT array_agg(p.tenant_id ORDER BY p.stray, p.tenant_id, p.chain_id, p.sequence_no) FROM place AS p),
				(SELECT array_agg(p.chain_id ORDER BY p.stray, p.tenant_id, p.chain_id, p.sequence_no) FROM place AS p),
				(SELECT array_agg(p.sequence_no ORDER BY p.stray, p.tenant_id, p.chain_id, p.sequence_no) FROM place AS p)) AS h
		JOIN stray AS s USING (stray)
		-- A row that stands there rightly makes this one a copy, not a stray.
		LEFT JOIN (SELECT DISTINCT o.tenant_id, o.chain_id, o.sequence_no FROM fact AS o WHERE o.sound OR o.leaf_sound) AS o
			ON (o.tenant_id, o.chain_id, o.sequence_no) = (h.tenant_id, h.chain_id, h.sequence_no)
		WHERE o.tenant_id IS NULL),
	housed AS MATERIALIZED (
		SELECT f.row_no, f.tenant_id, f.chain_id, f.sequence_no, f.event_id, f.finding_id, f.policy_version,
			f.previous_hash, f.event_hash, f.has_payload, f.in_range, f.sound, f.leaf_sound, f.payload_fault,
			f.payload_now, f.evaluation_now, f.stub, h.row_no IS NOT NULL AS moved,
			CASE WHEN h.row_no IS NULL THEN f.computed ELSE f.event_hash END AS computed,
			coalesce(h.tenant_id, f.tenant_id) AS home_tenant, coalesce(h.chain_id, f.chain_id) AS home_chain,
			coalesce(h.sequence_no, f.sequence_no) AS home_sequence
		FROM fact AS f LEFT JOIN home AS h USING (row_no)),
	-- 3. Duplicates: by event id, as copies of sound rows, by place.
	copied AS MATERIALIZED (
		SELECT r.row_no, min(format('copy of chain %s sequence %s', o.chain_id, o.sequence_no)) AS detail
		FROM fact AS r JOIN fact AS o ON o.event_id = r.event_id AND o.event_hash = r.event_hash AND o.sound
		WHERE NOT r.sound AND NOT r.leaf_sound
		GROUP BY r.row_no),
	marked AS MATERIALIZED (
		SELECT h.*, c.row_no IS NULL AS takes_place,
			CASE WHEN c.row_no IS NOT NULL THEN c.detail
			     WHEN row_number() OVER (PARTITION BY h.tenant_id, h.event_id
			                             ORDER BY h.sound DESC, h.chain_id, h.sequence_no, h.row_no) > 1
			     THEN format('event id %s stands in another row of the tenant too', h.event_id) END AS duplicate
		FROM housed AS h LEFT JOIN copied AS c USING (row_no)),
	crowded AS MATERIALIZED (
		SELECT * FROM (
			SELECT m.row_no, m.tenant_id, m.chain_id, m.sequence_no, m.event_id, m.event_hash, m.duplicate, m.sound, m.leaf_sound,
				m.home_tenant, m.home_chain, m.home_sequence,
				count(*) OVER (PARTITION BY m.home_tenant, m.home_chain, m.home_sequence) AS crowd
			FROM marked AS m WHERE m.takes_place) AS c
		WHERE c.crowd > 1),
	ranked AS MATERIALIZED (
		SELECT c.row_no, row_number() OVER (PARTITION BY c.home_tenant, c.home_chain, c.home_sequence
			ORDER BY c.duplicate IS NOT NULL, c.sound DESC, c.leaf_sound DESC, n.tenant_id IS NOT NULL DESC, c.event_id, c.row_no) AS place
		FROM crowded AS c LEFT JOIN (SELECT DISTINCT m.tenant_id, m.chain_id, m.sequence_no, m.previous_hash FROM marked AS m) AS n
			ON (n.tenant_id, n.chain_id, n.sequence_no, n.previous_hash) = (c.tenant_id, c.chain_id, nullif(c.sequence_no, 9223372036854775807) + 1, c.event_hash)),
	placed AS MATERIALIZED (
		SELECT m.*, m.takes_place AND coalesce(r.place, 1) = 1 AS holds,
			coalesce(m.duplicate, CASE WHEN r.place > 1
				THEN format('another row has the same sequence; this one has event id %s', m.event_id) END) AS twin
		FROM marked AS m LEFT JOIN ranked AS r USING (row_no)),
	-- 4. What the neighbours remember.
	told AS (
		SELECT p.*, CASE WHEN lead(p.home_sequence) OVER chain = nullif(p.home_sequence, 9223372036854775807) + 1 THEN lead(p.previous_hash) OVER chain END AS next_says
		FROM placed AS p WHERE p.holds
		WINDOW chain AS (PARTITION BY p.home_tenant, p.home_chain ORDER BY p.home_sequence)),
	trued AS (
		SELECT t.*, CASE WHEN NOT t.sound AND (t.leaf_sound OR coalesce(t.next_says = t.computed, false))
		                 THEN t.computed ELSE t.event_hash END AS true_hash
		FROM told AS t),
	linked AS MATERIALIZED (
		SELECT t.*, lag(t.home_sequence) OVER chain AS previous_sequence,
			CASE WHEN lag(t.home_sequence) OVER chain = nullif(t.home_sequence, -9223372036854775808) - 1 THEN lag(t.row_no) OVER chain END AS previous_row,
			CASE WHEN t.home_sequence = 1 THEN true
			     WHEN lag(t.home_sequence) OVER chain = nullif(t.home_sequence, -9223372036854775808) - 1 THEN lag(t.computed = t.true_hash) OVER chain END AS previous_fits,
			CASE WHEN t.home_sequence = 1 THEN decode(repeat('00', 32), 'hex')
			     WHEN lag(t.home_sequence) OVER chain = nullif(t.home_sequence, -9223372036854775808) - 1 THEN lag(t.true_hash) OVER chain END AS previous_true
		FROM trued AS t
		WINDOW chain AS (PARTITION BY t.home_tenant, t.home_chain ORDER BY t.home_sequence)),
	-- 5. The first rule that fits names a row.
	guilty AS MATERIALIZED (
		SELECT c.*, c.fault[1] AS kind, c.fault[2] AS detail
		FROM (SELECT l.*, CASE
				WHEN l.twin IS NULL AND NOT l.moved AND l.sound AND u.event_id IS NULL AND l.payload_fault IS NULL AND l.leaf_sound THEN NULL
				ELSE ledger.ledger_name_fault(l.twin, l.moved, (l.home_tenant, l.home_chain) = (l.tenant_id, l.chain_id),
					format('was sequence %s of tenant %s, chain %s', l.home_sequence, l.home_tenant, l.home_chain),
					l.sound, l.leaf_sound, l.computed, l.event_hash, l.next_says, l.stub, l.previous_true, l.payload_now,
					l.evaluation_now, u.event_id IS NOT NULL, l.payload_fault) END AS fault
			FROM linked AS l
			-- Rows that were copied are answered as often.
			LEFT JOIN (SELECT DISTINCT x.* FROM ledger.ledger_unexplained(in_tenant, in_chain) AS x) AS u
				ON NOT l.has_payload
				AND (u.tenant_id, u.chain_id, u.sequence_no, u.event_id) = (l.tenant_id, l.chain_id, l.sequence_no, l.event_id)
			OFFSET 0) AS c),
	-- 6. Two sound rows that do not fit: one was rewritten and hashed again.
	blamed AS MATERIALIZED (
		SELECT DISTINCT ON (b.row_no) b.row_no, b.detail
		FROM (SELECT CASE WHEN t.home_sequence > 1 AND (t.next_says IS NULL OR t.next_says = t.true_hash)
				THEN t.previous_row ELSE t.row_no END AS row_no,
				CASE WHEN t.home_sequence > 1 AND (t.next_says IS NULL OR t.next_says = t.true_hash)
				THEN 'rewritten: its hash is not the one that the next row recorded'
				ELSE 'previous_hash is not the hash of the row before, and the row was hashed again' END AS detail
			FROM guilty AS t
			WHERE t.in_range AND t.computed = t.true_hash AND t.previous_hash <> t.previous_true AND t.previous_fits) AS b
		ORDER BY b.row_no, b.detail),
	verdict AS MATERIALIZED (
		SELECT g.tenant_id, g.chain_id, g.sequence_no, coalesce(g.kind, CASE WHEN b.row_no IS NOT NULL THEN 'link_broken' END) AS kind,
			coalesce(g.detail, b.detail) AS detail, g.finding_id, g.policy_version, g.home_tenant, g.home_chain,
			g.in_range OR (g.kind IS NULL AND b.row_no IS NOT NULL) AS reported
		FROM guilty AS g LEFT JOIN blamed AS b USING (row_no)
		UNION ALL
		SELECT p.tenant_id, p.chain_id, p.sequence_no, 'duplicate', p.twin, p.finding_id, p.policy_version, p.home_tenant, p.home_chain, p.in_range
		FROM placed AS p WHERE NOT p.holds),
	-- 7. Numbers that no row takes, and chains that are gone.
	gap AS (
		SELECT g.home_tenant, g.home_chain, greatest(nullif(g.previous_sequence, 9223372036854775807) + 1, in_from, 1) AS first_no,
			least(greatest(g.home_sequence, 1) - 1, in_to) AS last_no
		FROM linked AS g)
	SELECT v.tenant_id, v.chain_id, v.sequence_no, v.kind, v.detail, v.finding_id, v.policy_version, v.home_tenant, v.home_chain, NULL::jsonb
	FROM verdict AS v WHERE v.kind IS NOT NULL AND v.reported
	UNION ALL
	SELECT g.home_tenant, g.home_chain, g.first_no, 'missing', format('no event with sequence %s', CASE
			WHEN g.first_no = g.last_no THEN g.first_no::text ELSE format('%s to %s', g.first_no, g.last_no) END),
		NULL, NULL, g.home_tenant, g.home_chain, NULL
	FROM gap AS g WHERE g.first_no <= g.last_no
	UNION ALL
	SELECT c.tenant_id, c.chain_id, NULL, 'missing_chain', 'a registered chain has no events', NULL, NULL, c.tenant_id, c.chain_id, NULL
	FROM ledger.ledger_chains AS c
	LEFT JOIN (SELECT DISTINCT h.home_tenant, h.home_chain FROM housed AS h) AS h
		ON (h.home_tenant, h.home_chain) = (c.tenant_id, c.chain_id)
	WHERE in_from IS NULL AND in_to IS NULL AND h.home_tenant IS NULL
		AND (in_tenant IS NULL OR c.tenant_id = in_tenant) AND (in_chain IS NULL OR c.chain_id = in_chain)
	UNION ALL
	SELECT NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, (
		SELECT jsonb_build_object('rows', count(*), 'payloads', count(*) FILTER (WHERE f.has_payload),
			'links', (SELECT count(*) FROM linked AS l WHERE l.in_range AND l.previous_true IS NOT NULL),
			'chains', count(DISTINCT (f.tenant_id, f.chain_id)))
		FROM fact AS f WHERE f.in_range)
	$$;
COMMENT ON FUNCTION ledger.ledger_judge(text, uuid, bigint, bigint) IS
	'Findings about events, gaps and chains by the rules of docs/verification.md, then one row of counts. Part of ledger_verify().';
