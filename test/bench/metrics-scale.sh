# metrics-scale: what a monitor asks every few seconds, when there are many events.
#
# ledger_metrics() makes a few probes of an index for each chain, so it must not grow with
# the events.  200 tenants (ten in a tiny run) of five chains are to take less than 20 ms:
# in SQL, as CPU time of a session that has its plans (what others do on the machine does
# not count), and as a scrape of the gateway, which serves from memory.  The growth is
# against the same chains with two events each.
#
# Of each chain the first two events and the last are appended.  Those in between are copies
# of the first, put into the leaves with the guards off: nothing here verifies them, and
# nothing that is measured reads more of them than their place in an index.
# shellcheck shell=bash
. test/bench/load/gateway.sh

# An event of each chain.
append_to_each() {
	sql -v title="$1" -v tenants="$metrics_tenants" <<-'END' >/dev/null
		SELECT count(ledger.ledger_append('metrics-' || t, 'finding.created', :'title', 'policy-' || c,
			'npm/left-pad@1.3.0', '{"severity": "high"}'))
		FROM generate_series(1, :tenants) AS t, generate_series(1, 5) AS c;
	END
}

# Chains of so many events.
fill_chains() {
	sql -v n="$1" <<-'END' >/dev/null
		BEGIN;
		SELECT format('ALTER EVENT TRIGGER %I DISABLE', evtname) FROM pg_event_trigger WHERE evtenabled = 'A' \gexec
		SELECT string_agg(CASE attname WHEN 'sequence_no' THEN 'g' WHEN 'event_id' THEN 'gen_random_uuid()'
			ELSE quote_ident(attname) END, ', ' ORDER BY attnum) AS columns
		FROM pg_attribute WHERE attrelid = 'ledger.ledger_events'::regclass AND attnum > 0 \gset
		SELECT format('ALTER TABLE ledger.%1$I DISABLE TRIGGER ALL', leaf),
			format('INSERT INTO ledger.%1$I SELECT %2$s FROM ledger.%1$I, generate_series(3, %3$s) AS g
				WHERE sequence_no = 1', leaf, :'columns', :n),
			format('ALTER TABLE ledger.%I ENABLE TRIGGER ALL', leaf)
		FROM ledger.ledger_tenants WHERE tenant_id ~ '^metrics-' \gexec
		SELECT format('ALTER TABLE ledger.%I ENABLE ALWAYS TRIGGER %I', leaf, g.tgname)
		FROM ledger.ledger_tenants, pg_trigger AS g
		WHERE tenant_id ~ '^metrics-' AND g.tgrelid = format('ledger.%I', leaf)::regclass AND NOT g.tgisinternal \gexec
		SELECT format('ALTER EVENT TRIGGER %I ENABLE ALWAYS', evtname) FROM pg_event_trigger WHERE evtenabled = 'D' \gexec
		COMMIT;
		VACUUM ANALYZE ledger.ledger_events;
	END
}

# Milliseconds of CPU, for a login that is granted each tenant, as the gateway's is.
metrics_ms() {
	local round
	for ((round = -2; round < ticks; round++)); do
		[ "$round" -ne 0 ] || echo "RESET SESSION AUTHORIZATION; SET log_statement_stats = on; SET client_min_messages = log;"
		[ "$round" -gt 0 ] || echo "SET SESSION AUTHORIZATION bench_gateway;"
		echo 'SELECT count(*) AS metrics FROM ledger.ledger_metrics();'
	done | sql 2>&1 >/dev/null |
		sed -nE 's/^!\s+([0-9.]+) s user, ([0-9.]+) s system, .* elapsed$/\1 \2/p' |
		awk '{ print 1000 * ($1 + $2) }' | tail -n "$ticks" | median
}

scrape_ms() {
	local round wanted
	wanted="ledger_chain_events{tenant=\"metrics-1\"} $((5 * (chain_events + 1)))"
	# The gateway asks the database now and then, and first when it has started.
	for ((round = 0; round < 200; round++)); do
		curl -fsS -o "$work/scrape" "$url/metrics"
		! grep -qF "$wanted" "$work/scrape" || break
		sleep 0.1
	done
	for ((round = 0; round < ticks; round++)); do
		curl -fsS -o "$work/scrape" -w '%{time_total}\n' "$url/metrics" | awk '{ print 1000 * $1 }'
	done | median
	grep -qxF "$wanted" "$work/scrape" || die "the scrape lacks $wanted"
}

sql -c "SELECT count(ledger.ledger_create_tenant('metrics-' || t)) FROM generate_series(1, $metrics_tenants) AS t" >/dev/null
bench_login
sql -c "SELECT count(ledger.ledger_grant_tenant('bench_gateway', 'metrics-' || t)) FROM generate_series(1, $metrics_tenants) AS t" >/dev/null
append_to_each first
append_to_each second
sql -c 'VACUUM ANALYZE'
few=$(metrics_ms)
fill_chains "$chain_events"
append_to_each last
sql -c 'VACUUM ANALYZE'
many=$(metrics_ms)
figure metrics-scale "$many" 20 ms '<= 1.0'
figure metrics-scale-growth "$many" "$few" ms '<= 1.3'
start_gateway
figure metrics-scale-scrape "$(scrape_ms)" 20 ms '<= 1.0'
stop_gateway
