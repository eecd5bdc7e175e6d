-- Anchors as verification sees them: what the report counts, who may ask for what,
-- and what each refusal says.
\set SHOW_CONTEXT never
SELECT count(*) FROM ledger_append_many((SELECT jsonb_agg(jsonb_build_object('tenant', 'acme', 'type', 'finding.created',
	'findingId', 'A-' || n, 'artifactId', 'img', 'policyVersion', 'anchored', 'payload', '{}'::jsonb)) FROM generate_series(1, 7) AS n));
SELECT ledger_chain_id('acme', 'anchored') AS chain \gset
SELECT tree_size, sequence_start, leaf_count FROM ledger.ledger_anchor_tick('acme', true) WHERE chain_id = :'chain';
SELECT count(*) FROM ledger_append_many((SELECT jsonb_agg(jsonb_build_object('tenant', 'acme', 'type', 'finding.created',
	'findingId', 'B-' || n, 'artifactId', 'img', 'policyVersion', 'anchored', 'payload', '{}'::jsonb)) FROM generate_series(1, 300) AS n));
SELECT tree_size, sequence_start, leaf_count FROM ledger.ledger_anchor_tick('acme', true) WHERE chain_id = :'chain';
SELECT r ->> 'verdict', r -> 'rows', r -> 'anchors', r -> 'tiles', r -> 'signatures', r -> 'unsigned' FROM ledger_verify_report('acme', :'chain') AS r;
-- A range has no anchors.
SELECT r -> 'anchors' FROM ledger_verify_report('acme', :'chain', 1, 307) AS r;

-- One chain is planned for by itself: of no other tenant a leaf is opened.
BEGIN;
SELECT kind, counts ->> 'anchors' AS anchors FROM ledger.ledger_verify_anchors('acme', :'chain', '[]');
SELECT DISTINCT t.tenant_id FROM pg_locks AS l JOIN pg_class AS c ON c.oid = l.relation JOIN ledger.ledger_tenants AS t ON t.leaf = c.relname
WHERE l.pid = pg_backend_pid();
COMMIT;

-- The tree again, in one pass: sizes that are not there have no row.
SELECT tree_size, root = ledger_chain_root('acme', :'chain', tree_size) AS as_proved, octet_length(frontier) / 32 AS hashes
FROM ledger.ledger_tree_check('acme', :'chain', '{307,7,7,1,308}') WHERE level IS NULL;
SELECT tree_size, level, tile_index, octet_length(hashes) / 32 AS hashes FROM ledger.ledger_tree_check('acme', :'chain', '{307}') WHERE level IS NOT NULL;
SELECT t.tree_size, t.root = r.root_hash AS from_a_frontier FROM ledger.ledger_merkle_roots AS r,
	ledger.ledger_tree_check('acme', :'chain', '{7,300,307}', 7, (SELECT frontier FROM ledger.ledger_merkle_roots WHERE chain_id = :'chain' AND tree_size = 7)) AS t
WHERE r.chain_id = :'chain' AND r.tree_size = t.tree_size AND t.level IS NULL;
SELECT count(*) FROM ledger.ledger_tree_check('acme', :'chain', '{307}', 7, '\x00');
SELECT count(*) FROM ledger.ledger_tree_check('acme', :'chain', '{307}', -1, '');
SELECT count(*) FROM ledger.ledger_tree_check('acme', :'chain', '{}');
SELECT count(*) FROM ledger.ledger_tree_check('acme', '00000000-0000-8000-8000-000000000000', '{1}');
SELECT ledger.ledger_frontier_root(frontier, tree_size) = root_hash, ledger.ledger_frontier_root(frontier, tree_size - 1) IS NULL,
	ledger.ledger_frontier_root(frontier, -1) IS NULL FROM ledger.ledger_merkle_roots WHERE chain_id = :'chain' ORDER BY tree_size;

-- Checkpoints.
SELECT count(*) FROM ledger_verify_against((SELECT array_agg(checkpoint) FROM ledger.ledger_merkle_roots WHERE chain_id = :'chain'));
SELECT ledger_checkpoint_text((SELECT origin FROM ledger.ledger_settings) || '/acme/' || :'chain', 9, sha256('another')) AS other,
	ledger_checkpoint_text((SELECT origin FROM ledger.ledger_settings) || '/acme/' || :'chain', 900, sha256('another')) AS beyond,
	ledger_checkpoint_text((SELECT origin FROM ledger.ledger_settings) || '/acme/00000000-0000-8000-8000-000000000000', 9, sha256('another')) AS nowhere,
	ledger_checkpoint_text((SELECT origin FROM ledger.ledger_settings) || '/acme/' || :'chain', 9, ledger_chain_root('acme', :'chain', 9)) AS right \gset
SELECT chain_id = :'chain' AS this, sequence_no, kind, detail FROM ledger_verify_against(ARRAY[:'other']);
SELECT sequence_no, kind, detail FROM ledger_verify_against(ARRAY[:'beyond']);
SELECT sequence_no, kind, detail FROM ledger_verify_against(ARRAY[:'nowhere']);
SELECT sequence_no, kind, detail FROM ledger_verify_against(ARRAY[:'right']);
SELECT sequence_no, kind, detail FROM ledger_verify_against(ARRAY[:'right', :'other']);
SELECT sequence_no, kind, detail FROM ledger_verify_against(ARRAY[:'beyond', :'right', :'nowhere', :'right']);
SELECT * FROM ledger_verify_against('{}');
SELECT * FROM ledger_verify_against(NULL);
SELECT * FROM ledger_verify_against(ARRAY[:'right', 'log.example/x' || E'\n9\n']);
SELECT * FROM ledger_verify_against(ARRAY[NULL]);
SELECT * FROM ledger_verify_against(ARRAY[ledger_checkpoint_text('other.log/acme/' || :'chain', 9, sha256(''))]);
SELECT * FROM ledger_verify_against(ARRAY[ledger_checkpoint_text('sum.golang.org/lookup', 9, sha256(''))]);

-- Who may ask.
SET ROLE globex_reader;
SELECT * FROM ledger_verify_against(ARRAY[:'right']);
SELECT * FROM ledger.ledger_tree_check('acme', :'chain', '{1}');
SELECT * FROM ledger_verify_new('acme');
SELECT * FROM ledger.ledger_verify_anchors(NULL, NULL, '[]');
RESET ROLE;
SET ROLE acme_writer;
SELECT * FROM ledger_verify_against(ARRAY[:'right']);
RESET ROLE;

-- Marks.
SELECT ledger_store_mark('{}');
SELECT ledger_store_mark('{"payload": "e30=", "payloadType": "application/vnd.stella-ledger-verified+json", "signatures": []}');
SELECT ledger_store_mark('{"payload": "\u00e9", "payloadType": "application/vnd.stella-ledger-verified+json", "signatures": []}');
SELECT count(*) FROM ledger_verify_new('acme');
SELECT count(*) FROM ledger_verify_new('no-such-tenant');
