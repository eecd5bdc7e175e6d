-- What a monitor sees: ledger_metrics() and ledger_http_ready().  Leaves a tenant behind,
-- since a tick anchors what other transactions committed.
\set VERBOSITY terse
SELECT tenant_id FROM ledger_create_tenant('watched');
CREATE ROLE watch_auditor LOGIN IN ROLE ledger_auditor;
SELECT ledger_grant_tenant('watch_auditor', 'watched');
-- Without what differs from run to run.
CREATE VIEW public.seen AS
	SELECT metric, labels, CASE WHEN metric ~ 'age_seconds|_sum$|size_bytes' THEN (value >= 0)::text ELSE value::text END AS value
	FROM ledger.ledger_metrics() WHERE metric !~ '_bucket$' OR labels ->> 'le' = '+Inf';
CREATE VIEW public.checks AS
	SELECT name, ok, degraded, regexp_replace(detail, '[0-9]+ s', 'N s') AS detail FROM ledger.ledger_http_ready('1.0', interval '1 microsecond')
	WHERE name <> 'durability';
GRANT SELECT ON public.seen, public.checks TO PUBLIC;
\c - watch_auditor

-- Nothing there: nothing counted, nothing late.
SELECT * FROM public.seen ORDER BY metric, labels;
SELECT * FROM public.checks;

\c - postgres
CREATE FUNCTION pg_temp.put(policy text, finding text, type text) RETURNS bigint LANGUAGE sql
	AS $$ SELECT sequence_no FROM ledger.ledger_append('watched', type, finding, policy, 'a') $$;
SELECT pg_temp.put('p1', 'F1', 'finding.created'), pg_temp.put('p1', 'F2', 'finding.created'), pg_temp.put('p2', 'F3', 'finding.created');
-- One that is not projected stands last: that is not behind.
SELECT pg_temp.put('p2', 'F3', 'attestation.verified');
\c - watch_auditor
SELECT * FROM public.seen ORDER BY metric, labels;
SELECT * FROM public.checks;
SELECT name, degraded FROM ledger_http_ready('1.0', interval '1 hour') WHERE name = 'anchoring';

-- The newest event of one chain is not folded any more, and then of all.
\c - postgres
DELETE FROM ledger.findings_projection WHERE tenant_id = 'watched' AND finding_id = 'F2';
\c - watch_auditor
SELECT value > 0 AND value < 60 AS behind FROM ledger_metrics() WHERE metric = 'ledger_projection_lag_seconds';
\c - postgres
DELETE FROM ledger.findings_projection WHERE tenant_id = 'watched';
\c - watch_auditor
SELECT value > 0 AND value < 60 AS behind FROM ledger_metrics() WHERE metric = 'ledger_projection_lag_seconds';
\c - postgres
SELECT ledger_rebuild_projection('watched');
SELECT ledger_rebuild_projection('watched');
\c - watch_auditor
SELECT * FROM public.seen WHERE metric ~ 'projection' ORDER BY metric, labels;
SELECT count(*) AS buckets, bool_and(value <= 2) AS cumulative FROM ledger_metrics() WHERE metric = 'ledger_projection_rebuild_seconds_bucket';

-- Anchored: nothing waits.  An anchor without a signature is late if there is a key.
\c - postgres
SELECT count(*) FROM ledger_anchor_tick('watched', true);
\c - watch_auditor
SELECT * FROM public.seen WHERE metric ~ 'merkle|backlog' ORDER BY metric, labels;
\c - postgres
BEGIN;
UPDATE ledger.ledger_keys SET retired_at = coalesce(retired_at, now()), reason = coalesce(reason, 'none') WHERE retired_at IS NULL;
SET SESSION AUTHORIZATION watch_auditor;
SELECT * FROM public.checks;
RESET SESSION AUTHORIZATION;
INSERT INTO ledger.ledger_keys (key_id, public_key, purpose)
SELECT ledger_key_id(k), k, 'log' FROM (VALUES ('PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW')) AS v (k) ON CONFLICT DO NOTHING;
SET SESSION AUTHORIZATION watch_auditor;
SELECT * FROM public.checks;
RESET SESSION AUTHORIZATION;
ROLLBACK;

-- What was built for another schema, and what is not as the ledger left it.
SET SESSION AUTHORIZATION watch_auditor;
SELECT expected, r.ok, r.detail FROM unnest('{0.9,1.0,1.1,2.0}'::text[]) AS expected, ledger_http_ready(expected) AS r WHERE r.name = 'migrations';
RESET SESSION AUTHORIZATION;
BEGIN;
ALTER EVENT TRIGGER ledger_guard_drop DISABLE;
SET LOCAL SESSION AUTHORIZATION watch_auditor;
SELECT * FROM public.checks WHERE name = 'guards';
ROLLBACK;
BEGIN;
SET LOCAL session_replication_role = replica;
ALTER TABLE ledger.finding_history NO FORCE ROW LEVEL SECURITY;
SET LOCAL SESSION AUTHORIZATION watch_auditor;
SELECT * FROM public.checks WHERE name = 'guards';
ROLLBACK;
BEGIN;
SET LOCAL ledger.allow_lossy_append = on;
SELECT ok, degraded, detail ~ 'ledger.allow_lossy_append is on' AS named FROM ledger_http_ready('1.0') WHERE name = 'durability';
ROLLBACK;

-- Who may not.
SET SESSION AUTHORIZATION nobody_special;
SELECT * FROM ledger_metrics();
SELECT * FROM ledger_http_ready('1.0');
SET SESSION AUTHORIZATION acme_writer;
SELECT * FROM ledger_metrics();
SET SESSION AUTHORIZATION watch_auditor;
SELECT * FROM ledger_watch();
SELECT * FROM ledger_watch_chain('acme', '00000000-0000-0000-0000-000000000000', 0);
RESET SESSION AUTHORIZATION;
SELECT * FROM ledger_watch_chain('acme', '00000000-0000-0000-0000-000000000000', 0);
DROP VIEW public.seen, public.checks;
