-- Reads the demo's events from standard input, one JSON object a line, and
-- appends them in batches.  Run by load.sh.
SET client_min_messages = warning;

SELECT ledger.ledger_create_tenant(name)
FROM unnest(ARRAY['acme', 'globex']) AS name
WHERE NOT EXISTS (SELECT FROM ledger.ledger_tenants WHERE tenant_id = name)
\g /dev/null

-- A line is one value: CSV with a quote and a delimiter that JSON text cannot
-- hold takes it as it is, backslashes included.
CREATE TEMPORARY TABLE demo_events (
	position bigint GENERATED ALWAYS AS IDENTITY,
	event    jsonb
);
\copy demo_events (event) FROM pstdin WITH (FORMAT csv, QUOTE E'\x01', DELIMITER E'\x02')

-- Batches of 500, each a transaction of its own, as a connector would send them.
\o /dev/null
SELECT format(
	'SELECT count(*) FROM ledger.ledger_append_many((
		SELECT jsonb_agg(event ORDER BY position) FROM demo_events
		WHERE position BETWEEN %s AND %s))', first, first + 499)
FROM generate_series(1, (SELECT max(position) FROM demo_events), 500) AS first
ORDER BY first
\gexec
\o

SELECT format('%s events for %s findings of %s tenants are in the ledger',
	count(*), count(DISTINCT (event ->> 'tenant', event ->> 'findingId')), count(DISTINCT event ->> 'tenant'))
FROM demo_events;
