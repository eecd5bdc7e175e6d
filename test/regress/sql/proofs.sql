-- Proofs from a chain of 70 events, against the RFC's recursive definitions in plain SQL.
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
SELECT count(*) FROM ledger_append_many((SELECT jsonb_agg(jsonb_build_object('tenant', 'acme', 'type', 'finding.created', 'policyVersion', 'proofs-1',
	'findingId', 'PR-' || n, 'artifactId', 'img-1', 'payload', jsonb_build_object('n', n))) FROM generate_series(1, 70) AS n));
SELECT ledger_chain_id('acme', 'proofs-1') AS chain \gset
CREATE TEMP VIEW leaves AS SELECT array_agg(merkle_leaf_hash ORDER BY sequence_no) AS d FROM ledger_events WHERE tenant_id = 'acme' AND chain_id = :'chain';
-- RFC 9162 section 2.1.1: the largest power of two below n; MTH over leaf hashes.
CREATE FUNCTION pg_temp.below(n integer) RETURNS integer LANGUAGE sql IMMUTABLE AS $$ SELECT max(1 << i) FROM generate_series(0, 20) AS i WHERE 1 << i < n $$;
CREATE FUNCTION pg_temp.mth(d bytea[]) RETURNS bytea LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE n integer := cardinality(d); k integer := pg_temp.below(n);
BEGIN
	RETURN CASE n WHEN 0 THEN sha256('') WHEN 1 THEN d[1] ELSE sha256('\x01'::bytea || pg_temp.mth(d[:k]) || pg_temp.mth(d[k + 1:])) END;
END $$;
-- Section 2.1.3.1, with the arrays counted from one.
CREATE FUNCTION pg_temp.path(m integer, d bytea[]) RETURNS bytea[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE n integer := cardinality(d); k integer := pg_temp.below(n);
BEGIN
	RETURN CASE WHEN n = 1 THEN '{}' WHEN m < k THEN pg_temp.path(m, d[:k]) || pg_temp.mth(d[k + 1:]) ELSE pg_temp.path(m - k, d[k + 1:]) || pg_temp.mth(d[:k]) END;
END $$;
-- Section 2.1.4.1.
CREATE FUNCTION pg_temp.subproof(m integer, d bytea[], whole boolean) RETURNS bytea[] LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE n integer := cardinality(d); k integer := pg_temp.below(n);
BEGIN
	RETURN CASE WHEN m = n THEN CASE WHEN whole THEN '{}' ELSE ARRAY[pg_temp.mth(d)] END WHEN m <= k THEN pg_temp.subproof(m, d[:k], whole) || pg_temp.mth(d[k + 1:])
		ELSE pg_temp.subproof(m - k, d[k + 1:], false) || pg_temp.mth(d[:k]) END;
END $$;
-- Every root, every proof.
SELECT count(*), bool_and(ledger_chain_root('acme', :'chain', n) = pg_temp.mth(d[:n])) AS roots FROM leaves, generate_series(0, 70) AS n;
CREATE TEMP TABLE inclusion AS SELECT s, n, ledger_inclusion_proof('acme', :'chain', s, n) AS proof FROM generate_series(1, 70) AS n, generate_series(1, n) AS s;
SELECT count(*), bool_and(ledger_verify_inclusion(d[s], s - 1, n, proof, root)) AS verified
FROM inclusion JOIN (SELECT n, pg_temp.mth(d[:n]) AS root FROM leaves, generate_series(1, 70) AS n) AS r USING (n), leaves;
SELECT count(*), bool_and(proof = pg_temp.path(s - 1, d[:n])) AS same FROM inclusion, leaves WHERE n <= 20 OR n > 66 AND s % 7 = 0;
CREATE TEMP TABLE consistency AS SELECT m, n, ledger_consistency_proof('acme', :'chain', m, n) AS proof FROM generate_series(1, 70) AS n, generate_series(1, n) AS m;
SELECT count(*), bool_and(ledger_verify_consistency(m, r1.root, n, r2.root, proof)) AS verified
FROM consistency JOIN (SELECT n AS m, pg_temp.mth(d[:n]) AS root FROM leaves, generate_series(1, 70) AS n) AS r1 USING (m)
	JOIN (SELECT n, pg_temp.mth(d[:n]) AS root FROM leaves, generate_series(1, 70) AS n) AS r2 USING (n);
SELECT count(*), bool_and(proof = pg_temp.subproof(m, d[:n], true)) AS same FROM consistency, leaves WHERE n <= 20 OR n > 66 AND m % 7 = 0;
-- Without a size: all of it.
SELECT ledger_chain_root('acme', :'chain') = ledger_chain_root('acme', :'chain', 70) AS root, ledger_inclusion_proof('acme', :'chain', 5) = ledger_inclusion_proof('acme', :'chain', 5, 70) AS inclusion,
	ledger_consistency_proof('acme', :'chain', 5, NULL) = ledger_consistency_proof('acme', :'chain', 5, 70) AS consistency;
-- The checkpoint of a tree that no anchor fixed is its text.
SELECT ledger_checkpoint('acme', :'chain', 70) = s.origin || '/acme/' || :'chain' || E'\n70\n' || encode(pg_temp.mth(d), 'base64') || E'\n' AS text,
	ledger_checkpoint('acme', :'chain', 0) = s.origin || '/acme/' || :'chain' || E'\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n' AS empty FROM leaves, ledger_settings AS s;

-- What there is no proof of.
SELECT ledger_chain_root('acme', :'chain', 71);
:code
SELECT ledger_chain_root('acme', :'chain', -1);
SELECT ledger_inclusion_proof('acme', :'chain', 1, 71);
SELECT ledger_inclusion_proof('acme', :'chain', 6, 5);
:code
SELECT ledger_inclusion_proof('acme', :'chain', 0);
SELECT ledger_inclusion_proof('acme', :'chain', NULL);
SELECT ledger_consistency_proof('acme', :'chain', 0, 5);
:code
SELECT ledger_consistency_proof('acme', :'chain', 6, 5);
SELECT ledger_consistency_proof('acme', :'chain', 6, 71);
SELECT ledger_consistency_proof('acme', :'chain', NULL, 5);
SELECT ledger_checkpoint('acme', :'chain', 71);
SELECT ledger_chain_root('acme', '00000000-0000-8000-8000-000000000000');
:code
SELECT ledger_chain_root('globex', :'chain');
SELECT ledger_chain_root('no-such-tenant', :'chain');
SELECT ledger_checkpoint('acme', NULL);
:code
SELECT ledger_inclusion_proof(NULL, :'chain', 1);
SELECT ledger_proof_bundle('acme', NULL);
SELECT ledger_proof_bundle('acme', '00000000-0000-7000-8000-000000000000');
:code
SELECT event_id FROM ledger_append('acme', 'finding.created', 'PR-B', 'proofs-2', 'img-1', event_id => '01890000-0000-7000-8000-00000000b0b0');
SELECT ledger_proof_bundle('acme', '01890000-0000-7000-8000-00000000b0b0');
:code

-- What this transaction wrote may still vanish: it is not testified to, however it was written.
BEGIN;
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'PR-71', 'proofs-1', 'img-1');
SAVEPOINT s;
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'PR-72', 'proofs-1', 'img-1');
SELECT split_part(ledger_checkpoint('acme', :'chain'), E'\n', 2) AS size;
RELEASE s;
SELECT split_part(ledger_checkpoint('acme', :'chain'), E'\n', 2) AS size;
SELECT cardinality(ledger_inclusion_proof('acme', :'chain', 70));
SAVEPOINT s;
SELECT ledger_inclusion_proof('acme', :'chain', 71);
ROLLBACK TO s;
-- A chain that is all new.
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'PR-N', 'proofs-3', 'img-1');
SELECT ledger_chain_root('acme', ledger_chain_id('acme', 'proofs-3')) = sha256('') AS empty;
SELECT ledger_inclusion_proof('acme', ledger_chain_id('acme', 'proofs-3'), 1);
ROLLBACK;
SELECT split_part(ledger_checkpoint('acme', :'chain'), E'\n', 2) AS size;
BEGIN;
SELECT sequence_no FROM ledger_append('acme', 'finding.created', 'PR-71', 'proofs-1', 'img-1');
COMMIT;
SELECT split_part(ledger_checkpoint('acme', :'chain'), E'\n', 2) AS size, cardinality(ledger_inclusion_proof('acme', :'chain', 71)) AS hashes;
-- One statement sees one tree.
SELECT count(DISTINCT ledger_chain_root('acme', :'chain')) AS roots FROM generate_series(1, 3) AS n, LATERAL ledger_append('acme', 'finding.created', 'PR-L' || n, 'proofs-1', 'img-1');

-- Who may ask.
SET ROLE acme_reader;
SELECT ledger_chain_root('acme', :'chain', 70) IS NOT NULL AS reader, ledger_inclusion_proof('acme', :'chain', 3, 70) IS NOT NULL, ledger_checkpoint('acme', :'chain', 70) IS NOT NULL;
SELECT ledger_proof_bundle('acme', '01890000-0000-7000-8000-00000000b0b0');
SET ROLE globex_reader;
SELECT ledger_chain_root('acme', :'chain');
:code
SELECT ledger_inclusion_proof('acme', :'chain', 1);
SELECT ledger_consistency_proof('acme', :'chain', 1, 2);
SELECT ledger_checkpoint('acme', :'chain');
SELECT ledger_proof_bundle('acme', '01890000-0000-7000-8000-00000000b0b0');
:code
SET ROLE acme_writer;
SELECT ledger_checkpoint('acme', :'chain');
SET ROLE globex_reader;
SELECT ledger_tree_head('globex', :'chain');
RESET ROLE;
-- The parts are not for a superuser either.
SELECT ledger_tree_head('acme', :'chain');
:code
SELECT ledger_tree_root('acme', :'chain', 1);
SELECT ledger_tree_advance('acme', :'chain', '', 0, 1);
SELECT ledger_tree_inclusion('acme', :'chain', 0, 1);
SELECT ledger_tree_consistency('acme', :'chain', 0, 1);
-- The owner's functions, on one that asks wrongly.
CREATE FUNCTION public.advance(frontier bytea, from_size bigint, to_size bigint, OUT new_frontier bytea, OUT root bytea, OUT nodes bytea) LANGUAGE sql SECURITY DEFINER
	SET search_path = pg_catalog, pg_temp AS $$ SELECT * FROM ledger.ledger_tree_advance('acme', ledger.ledger_chain_id('acme', 'proofs-1'), $1, $2, $3) $$;
ALTER FUNCTION public.advance(bytea, bigint, bigint) OWNER TO ledger_owner;
-- From nothing to 70 in one step, and in steps of one: the same frontier, the roots of 64, 4 and 2 leaves.
SELECT a.root = pg_temp.mth(d[:70]) AS root, a.new_frontier = pg_temp.mth(d[:64]) || pg_temp.mth(d[65:68]) || pg_temp.mth(d[69:70]) AS frontier, length(a.nodes) AS nodes FROM leaves, public.advance('', 0, 70) AS a;
WITH RECURSIVE step (size, new_frontier, root) AS (SELECT 0, ''::bytea, ''::bytea UNION ALL SELECT size + 1, a.new_frontier, a.root FROM step, public.advance(new_frontier, size, size + 1) AS a WHERE size < 70)
SELECT bool_and(step.root = pg_temp.mth(d[:size])) AS every_root, bool_and(size < 70 OR step.new_frontier = a.new_frontier) AS frontier FROM step, leaves, public.advance('', 0, 70) AS a WHERE size > 0;
SELECT (public.advance('', 0, 0)).*;
SELECT public.advance('', 1, 2);
:code
SELECT public.advance(sha256('') || sha256(''), 1, 2);
SELECT public.advance('', 0, 75);
:code
SELECT public.advance('', 0, -1);
:code
SELECT public.advance('', -1, 0);
-- A leaf that is gone is named, by every function that needs it.
BEGIN;
ALTER TABLE ledger_events_acme_822b33ad DISABLE TRIGGER ALL;
DELETE FROM ledger_events_acme_822b33ad WHERE chain_id = :'chain' AND sequence_no = 33;
SAVEPOINT s;
SELECT public.advance('', 0, 70);
:code
ROLLBACK TO s;
SELECT ledger_inclusion_proof('acme', :'chain', 1, 70);
:code
ROLLBACK TO s;
SELECT ledger_chain_root('acme', :'chain', 40);
ROLLBACK TO s;
-- What lies before it stays provable.
SELECT ledger_chain_root('acme', :'chain', 32) IS NOT NULL AS before;
ROLLBACK;
DROP FUNCTION public.advance(bytea, bigint, bigint);
