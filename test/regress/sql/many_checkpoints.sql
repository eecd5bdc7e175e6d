-- An auditor brings a checkpoint of each quarter of an hour.  What each one costs must
-- not grow with the chain: the events are read as often for 300 as for one.
SELECT tenant_id FROM ledger_create_tenant('audited');
SELECT count(*) FROM ledger_append_many((
	SELECT jsonb_agg(jsonb_build_object('tenant', 'audited', 'type', 'finding.created', 'findingId', 'F-' || n, 'artifactId', 'img',
		'policyVersion', 'p-1', 'payload', '{"severity": "high"}'::jsonb)) FROM generate_series(1, 400) AS n));
CREATE TEMPORARY TABLE kept AS
SELECT n, ledger_checkpoint('audited', ledger_chain_id('audited', 'p-1'), n) AS checkpoint,
	ledger_checkpoint_text(ledger_checkpoint_origin('audited', ledger_chain_id('audited', 'p-1')), n, sha256('another')) AS wrong
FROM generate_series(101, 400) AS n;

CREATE FUNCTION pg_temp.events_read() RETURNS bigint LANGUAGE sql VOLATILE AS $$
	SELECT sum(pg_stat_get_xact_tuples_returned(c.oid) + pg_stat_get_xact_tuples_fetched(c.oid))::bigint
	FROM pg_class AS c WHERE c.oid IN (SELECT inhrelid FROM pg_inherits WHERE inhparent = 'ledger.ledger_events'::regclass)
		OR c.oid IN (SELECT indexrelid FROM pg_index JOIN pg_inherits ON inhrelid = indrelid WHERE inhparent = 'ledger.ledger_events'::regclass)
$$;
BEGIN;
CREATE TEMPORARY TABLE read ON COMMIT DROP AS SELECT 0 AS step, pg_temp.events_read() AS tuples;
SELECT count(*) AS findings FROM ledger_verify_against(ARRAY(SELECT checkpoint FROM kept WHERE n = 400));
INSERT INTO read SELECT 1, pg_temp.events_read();
SELECT count(*) AS findings FROM ledger_verify_against(ARRAY(SELECT checkpoint FROM kept));
INSERT INTO read SELECT 2, pg_temp.events_read();
SELECT (b.tuples - a.tuples) > 400 AS events_are_counted, (c.tuples - b.tuples) <= 2 * (b.tuples - a.tuples) AS not_read_for_each
FROM read AS a, read AS b, read AS c WHERE (a.step, b.step, c.step) = (0, 1, 2);
COMMIT;

-- Of many that disagree the smallest tells: all behind the last that agrees.
SELECT tenant_id, sequence_no, kind, detail
FROM ledger_verify_against(ARRAY(SELECT CASE WHEN n > 150 THEN wrong ELSE checkpoint END FROM kept));
