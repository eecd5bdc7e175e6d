-- A fold is written in parts, and a check goes on with fresh memory, not only by the number
-- of events but by their size: 100 payloads of a megabyte, which compress to nothing in
-- the table, are folded and verified in less than 128 MiB, the shared buffers included.
\set VERBOSITY terse
SELECT tenant_id FROM ledger_create_tenant('roomy');
SELECT count(*) FROM (
	SELECT ledger_append('roomy', 'finding.comment_added', 'big-1', 'memory-1', 'img-1', jsonb_build_object('comment', repeat('x', 1000000)))
	FROM generate_series(1, 100) AS n) AS appended;
\c
SELECT ledger_rebuild_projection('roomy');
SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\s*(\d+) kB')::int < 128 * 1024 AS bounded;
\c
SELECT ledger_verify_report('roomy') ->> 'verdict' AS verdict;
SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\s*(\d+) kB')::int < 128 * 1024 AS bounded;
SELECT count(*), min(length(payload ->> 'comment')) FROM triage_actions WHERE tenant_id = 'roomy';
