# gateway-read: one event by its id, against the same call by a client that is near.
#
# Nothing can be saved here but system calls: one pipelined connection carries the
# requests of all clients, each bound to its tenant in a transaction of its own
# (gateway/src/dbpipe.c).  So this measures what HTTP, token, route and reply cost.
#
# wrk with 64 keep-alive connections, against pgbench with 64 clients that call
# ledger_http_event() with the same context.
# shellcheck shell=bash
. test/bench/load/gateway.sh

bench_login
sql -v n="$findings" -v chains="$chains" <<'END' >/dev/null
INSERT INTO ledger.ledger_events (event_id, tenant_id, event_type, policy_version, finding_id, artifact_id, event_body)
SELECT ('0198c0de-0000-7000-8000-' || lpad(g::text, 12, '0'))::uuid, 'bench', 'finding.severity_changed', 'policy-' || g % :chains,
	'CVE-2024-' || g, 'npm/left-pad@1.3.0', bench.payload((g % 101)::integer)
FROM generate_series(1, :n) AS g;
END
sql -c 'VACUUM ANALYZE ledger.ledger_events'
start_gateway
connections=$((clients * 2))
ours_rate() { ask "$connections" test/bench/load/gateway-read.lua /; }
base_rate() { pgbench_rate "$connections" test/bench/load/gateway-read.sql; }

interleave ours_rate base_rate
figure gateway-read "$ours" "$base" 'reads/s' '>= 0.9'
stop_gateway
