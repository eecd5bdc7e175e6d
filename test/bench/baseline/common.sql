-- What both sides of a benchmark use: the tenant, its writer, and the requests.
CREATE ROLE bench_writer LOGIN IN ROLE ledger_writer;
SELECT ledger.ledger_create_tenant('bench');
SELECT ledger.ledger_grant_tenant('bench_writer', 'bench');

CREATE SCHEMA bench;
GRANT USAGE ON SCHEMA bench TO PUBLIC;

-- 32 bytes where the plain side has no hash.  Cheap to make, and inlined.
CREATE FUNCTION bench.noise() RETURNS bytea LANGUAGE sql VOLATILE
	AS $$ SELECT uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) $$;

-- A payload of everyday size.  STABLE, as its parts are, so that it is inlined.
CREATE FUNCTION bench.payload(severity integer) RETURNS jsonb LANGUAGE sql STABLE
	AS $$
	SELECT jsonb_build_object('severity', severity / 10.0, 'status', 'triaged',
		'labels', '{"team": "platform", "env": "production"}'::jsonb,
		'comment', 'Reachable from the public gateway; the owner was told and has agreed to a date.')
	$$;

-- Requests made beforehand, so that making them is not measured.
CREATE UNLOGGED TABLE bench.requests (position bigint, finding_id text, payload jsonb);

CREATE FUNCTION bench.make_requests(n bigint, findings bigint, prefix text) RETURNS void
	LANGUAGE sql VOLATILE
	AS $$
	TRUNCATE bench.requests;
	INSERT INTO bench.requests
	SELECT g, prefix || (g % findings), bench.payload((g % 101)::integer) FROM generate_series(1, n) AS g;
	ANALYZE bench.requests
	$$;

-- n events in one statement, into the chain of that policy version.
CREATE FUNCTION bench.append(policy text, n bigint) RETURNS void LANGUAGE sql VOLATILE
	AS $$
	INSERT INTO ledger.ledger_events (tenant_id, event_type, policy_version, finding_id, artifact_id, event_body)
	SELECT 'bench', 'finding.severity_changed', policy, r.finding_id, 'pkg:npm/left-pad@1.3.0', r.payload
	FROM bench.requests AS r WHERE r.position <= n
	$$;
