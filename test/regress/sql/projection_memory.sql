-- A fold is written in parts not only by the number of events but by their size: 100
-- payloads of a megabyte, which compress to nothing in the table, are folded again in
-- less than 256 MiB, of which the shared buffers are a part.
\set VERBOSITY terse
SELECT tenant_id FROM ledger_create_tenant('roomy');
SELECT count(*) FROM (
	SELECT ledger_append('roomy', 'finding.comment_added', 'big-' || n % 3, 'memory-1', 'img-1', jsonb_build_object('comment', repeat('x', 1000000)))
	FROM generate_series(1, 100) AS n) AS appended;
\c
SELECT ledger_rebuild_projection('roomy');
SELECT substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\s*(\d+) kB')::int < 256 * 1024 AS bounded;
SELECT count(*), min(length(payload ->> 'comment')) FROM triage_actions WHERE tenant_id = 'roomy';
