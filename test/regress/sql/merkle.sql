-- RFC 6962 trees of given hashes.  Leaves and roots are those of the tests of Certificate
-- Transparency; the proofs were computed from the RFC's recursive definitions with node's crypto.
\set SHOW_CONTEXT never
\set code '\\echo :LAST_ERROR_SQLSTATE'
CREATE TEMP TABLE leaf AS
	SELECT n, sha256('\x00'::bytea || data) AS hash
	FROM unnest('{"", "\\x00", "\\x10", "\\x2021", "\\x3031", "\\x40414243", "\\x5051525354555657", "\\x606162636465666768696a6b6c6d6e6f"}'::bytea[]) WITH ORDINALITY AS d (data, n);
-- The aggregate: no leaf, one, several; in the order asked for, grouped, as a window.
SELECT ledger_merkle_root(hash) AS empty FROM leaf WHERE false;
SELECT ledger_merkle_root(hash) AS one, min(n) AS n FROM leaf WHERE n = 1;
SELECT n, ledger_merkle_root(hash) OVER (ORDER BY n) AS root FROM leaf ORDER BY n;
SELECT ledger_merkle_root(hash ORDER BY n DESC) = ledger_merkle_root(hash ORDER BY n) AS order_matters FROM leaf;
SELECT n % 2 AS odd, ledger_merkle_root(hash ORDER BY n) AS root FROM leaf GROUP BY 1 ORDER BY 1;
-- A million leaves in constant memory: the root of equal leaves is that of twenty doublings.
SELECT ledger_merkle_root('\x96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7'::bytea) =
	(WITH RECURSIVE d (height, hash) AS (SELECT 0, '\x96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7'::bytea
		UNION ALL SELECT height + 1, sha256('\x01'::bytea || hash || hash) FROM d WHERE height < 20) SELECT hash FROM d WHERE height = 20) AS million
FROM generate_series(1, 1048576);
-- What is no leaf hash.
SELECT ledger_merkle_root(h) FROM (VALUES (NULL::bytea)) AS v (h);
:code
SELECT ledger_merkle_root(h) FROM (VALUES (sha256('')), ('\x00'::bytea)) AS v (h);
SELECT ledger_merkle_root(h) FROM (VALUES (sha256('') || '\x00'::bytea)) AS v (h);

-- Inclusion.
CREATE TEMP TABLE path (index bigint, size bigint, proof bytea[]);
INSERT INTO path VALUES (0, 1, '{}'),
	(0, 8, '{"\\x96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7", "\\x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e", "\\x6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}'),
	(5, 8, '{"\\xbc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b", "\\xca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0", "\\xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}'),
	(2, 3, '{"\\xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"}'),
	(1, 5, '{"\\x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d", "\\x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e", "\\xbc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}');
CREATE TEMP TABLE root AS SELECT n AS size, ledger_merkle_root(hash) OVER (ORDER BY n) AS root FROM leaf;
SELECT index, size, ledger_verify_inclusion(hash, index, size, proof, root) AS good
FROM path JOIN leaf ON n = index + 1 JOIN root USING (size) ORDER BY 1, 2;
-- Nothing else is proved by the same hashes.  (Another size may be: what binds it is the checkpoint.)
SELECT 'index' AS other, count(*) FROM path JOIN leaf ON n = index + 1 JOIN root USING (size), generate_series(-1, 9) AS i
	WHERE i <> index AND ledger_verify_inclusion(hash, i, size, proof, root)
UNION ALL SELECT 'leaf', count(*) FROM path JOIN root USING (size), leaf WHERE n <> index + 1 AND ledger_verify_inclusion(hash, index, size, proof, root)
UNION ALL SELECT 'root', count(*) FROM path JOIN leaf ON n = index + 1, root WHERE root.size <> path.size AND ledger_verify_inclusion(hash, index, path.size, proof, root)
UNION ALL SELECT 'flipped bit', count(*) FROM path JOIN leaf ON n = index + 1 JOIN root USING (size), generate_series(1, cardinality(proof)) AS p, generate_series(0, 255) AS b
	WHERE ledger_verify_inclusion(hash, index, size, proof[:p - 1] || set_bit(proof[p], b, 1 - get_bit(proof[p], b)) || proof[p + 1:], root)
UNION ALL SELECT 'one less', count(*) FROM path JOIN leaf ON n = index + 1 JOIN root USING (size)
	WHERE cardinality(proof) > 0 AND (ledger_verify_inclusion(hash, index, size, trim_array(proof, 1), root) OR ledger_verify_inclusion(hash, index, size, proof[2:], root))
UNION ALL SELECT 'one more', count(*) FROM path JOIN leaf ON n = index + 1 JOIN root USING (size) WHERE ledger_verify_inclusion(hash, index, size, proof || root, root);
-- Malformed is false, and never an error; null is unknown.
SELECT what, ledger_verify_inclusion(leaf, index, size, proof, root) AS good FROM (SELECT sha256('') AS h) AS s, LATERAL (VALUES
	('fine', h, 0, 1, '{}'::bytea[], h), ('short leaf', '\x00'::bytea, 0, 1, '{}', h), ('short root', h, 0, 1, '{}', '\x00'),
	('empty root', h, 0, 1, '{}', ''), ('negative index', h, -1, 1, '{}', h), ('negative size', h, 0, -1, '{}', h), ('no leaves', h, 0, 0, '{}', h),
	('least index', h, -9223372036854775808, 9223372036854775807, '{}', h), ('greatest size', h, 9223372036854775806, 9223372036854775807, '{}', h),
	('index beyond', h, 1, 1, '{}', h), ('null element', h, 0, 2, '{NULL}', h), ('short element', h, 0, 2, '{"\\x00"}', h), ('long element', h, 0, 2, ARRAY[h || '\x00'::bytea], h),
	('two dimensions', h, 0, 2, ARRAY[ARRAY[h], ARRAY[h]], h), ('too many', h, 0, 2, array_fill(h, ARRAY[65]), h), ('very many', h, 0, 2, array_fill(h, ARRAY[100000]), h),
	('other bounds', sha256('\x00'), 0, 2, '[7:7]={"\\xe3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}', sha256('\x01'::bytea || sha256('\x00') || h)),
	('null proof', h, 0, 1, NULL, h)) AS v (what, leaf, index, size, proof, root);

-- Consistency.
CREATE TEMP TABLE grown (size1 bigint, size2 bigint, proof bytea[]);
INSERT INTO grown VALUES
	(1, 8, '{"\\x96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7", "\\x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e", "\\x6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}'),
	(6, 8, '{"\\x0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a", "\\xca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0", "\\xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7"}'),
	(2, 5, '{"\\x5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e", "\\xbc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b"}'),
	(4, 8, '{"\\x6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4"}'),
	(3, 7, '{"\\x0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7", "\\x07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7", "\\xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125", "\\x837dbb152e9b079010717e84e865da4ebc0fa198a806d59d31bf15accef22d0e"}'),
	(5, 5, '{}');
CREATE TEMP VIEW pair AS SELECT g.*, a.root AS root1, b.root AS root2 FROM grown AS g JOIN root AS a ON a.size = size1 JOIN root AS b ON b.size = size2;
SELECT size1, size2, ledger_verify_consistency(size1, root1, size2, root2, proof) AS good FROM pair ORDER BY 1, 2;
SELECT 'size1' AS other, count(*) FROM pair, generate_series(-1, 9) AS s WHERE s <> size1 AND ledger_verify_consistency(s, root1, size2, root2, proof)
UNION ALL SELECT 'root1', count(*) FROM pair, root WHERE root <> root1 AND ledger_verify_consistency(size1, root, size2, root2, proof)
UNION ALL SELECT 'root2', count(*) FROM pair, root WHERE root <> root2 AND ledger_verify_consistency(size1, root1, size2, root, proof)
UNION ALL SELECT 'swapped', count(*) FROM pair WHERE size1 <> size2 AND ledger_verify_consistency(size2, root2, size1, root1, proof)
UNION ALL SELECT 'flipped bit', count(*) FROM pair, generate_series(1, cardinality(proof)) AS p, generate_series(0, 255) AS b
	WHERE ledger_verify_consistency(size1, root1, size2, root2, proof[:p - 1] || set_bit(proof[p], b, 1 - get_bit(proof[p], b)) || proof[p + 1:])
UNION ALL SELECT 'one less', count(*) FROM pair
	WHERE cardinality(proof) > 0 AND (ledger_verify_consistency(size1, root1, size2, root2, trim_array(proof, 1)) OR ledger_verify_consistency(size1, root1, size2, root2, proof[2:]))
UNION ALL SELECT 'one more', count(*) FROM pair WHERE ledger_verify_consistency(size1, root1, size2, root2, proof || root2);
SELECT what, ledger_verify_consistency(size1, root1, size2, root2, proof) AS good FROM (SELECT sha256('') AS h, sha256('\x00') AS o) AS s, LATERAL (VALUES
	('from nothing', 0, h, 7, o, '{}'::bytea[]), ('from nothing, other root', 0, o, 7, o, '{}'), ('from nothing, a hash', 0, h, 7, o, ARRAY[o]),
	('nothing to nothing', 0, h, 0, h, '{}'), ('nothing of other root', 0, o, 0, o, '{}'), ('same', 3, o, 3, o, '{}'), ('same size, other root', 3, o, 3, h, '{}'),
	('same, a hash', 3, o, 3, o, ARRAY[o]), ('backwards', 3, o, 2, o, '{}'), ('empty proof', 2, o, 3, h, '{}'), ('negative', -1, o, 3, o, '{}'), ('both negative', -1, o, -1, o, '{}'),
	('short root1', 3, '\x00', 3, o, '{}'), ('short root2', 3, o, 3, '\x00', '{}'), ('null element', 2, o, 3, o, '{NULL}'), ('short element', 2, o, 3, o, '{"\\x00"}'),
	('null root', 3, NULL, 3, o, '{}')) AS v (what, size1, root1, size2, root2, proof);
