# Sourced by the benchmarks of the gateway: starts it on the benchmark's database, and asks
# it by wrk.
# shellcheck shell=bash

bench_login() {
	local roles
	roles=$(sql -c "SELECT count(*) FROM pg_roles WHERE rolname = 'bench_gateway'")
	[ "$roles" != 0 ] || sql -c 'CREATE ROLE bench_gateway LOGIN IN ROLE ledger_gateway'
	sql -c "SELECT ledger.ledger_grant_tenant('bench_gateway', 'bench')" >/dev/null
	gateway_db=${db/postgres@/bench_gateway@}
}

# The program as it is shipped, without quota and ticks; NAME=VALUE are settings of its own.
start_gateway() {
	[ -n "${program:-}" ] || {
		make -s -C gateway all
		program=gateway/bin/ledger-gateway
	}
	node test/bench/load/token.mjs "$work"
	token=$(<"$work/token")
	env -i PATH="$PATH" LEDGER__HTTP__LISTEN=http://127.0.0.1:0 LEDGER__HTTP__MAXCONNECTIONS=8192 \
		LEDGER__HTTP__IDLETIMEOUT=10m LEDGER__DB__CONNECTIONSTRING="$gateway_db" LEDGER__AUTH__JWKS="$work/jwks.json" \
		LEDGER__AUTH__ISSUER=https://authority.test LEDGER__AUTH__AUDIENCE=ledger LEDGER__QUOTA__BACKLOG=0 \
		LEDGER__TICKS__ENABLED=false "$@" "$program" >"$work/gateway.log" 2>&1 &
	background=$!
	local tries
	touch "$work/gateway.log"
	for ((tries = 0; tries < 200; tries++)); do
		url=$(sed -nE 's/.*Ledger started.*"listen": ?"([^";]*).*/\1/p; s/.*"listen": ?"([^";]*).*Ledger started.*/\1/p' "$work/gateway.log" | head -n 1)
		if [ -n "$url" ] && curl -fsS -o "$work/ready" "$url/health/live" 2>/dev/null; then
			return
		fi
		sleep 0.05
	done
	cat "$work/gateway.log" >&2
	die 'the gateway does not start'
}

stop_gateway() {
	kill "$background"
	wait "$background" || die "the gateway ended with status $?" "$(tail -n 3 "$work/gateway.log")"
	background=
}

# Requests a second: ask CONNECTIONS SCRIPT|- PATH.  An answer that is not good fails the
# benchmark: refusals are fast.
ask() {
	local connections=$1 script=() threads=2
	[ "$2" = - ] || script=(-s "$2")
	[ "$connections" -ge 2 ] || threads=1
	calm
	TOKEN=$token CHAINS=$chains FINDINGS=$findings \
		wrk -t "$threads" -c "$connections" -d "$seconds_a_slice" "${script[@]}" --latency "$url$3" >"$work/wrk.out" 2>&1 ||
		{ cat "$work/wrk.out" >&2; return 1; }
	! grep -E 'Non-2xx|Socket errors' "$work/wrk.out" >&2 || die 'some requests were not answered well'
	sed -nE 's/^Requests\/sec: +([0-9.]+)$/\1/p' "$work/wrk.out"
}

# Of pgbench, CLIENTS of them with that script.
pgbench_rate() {
	calm
	PGOPTIONS='-c app.current_tenant=bench' pgbench -n -M prepared -c "$1" -j 2 "${slice[@]}" \
		-D chains="$chains" -D findings="$findings" -f "$2" "$gateway_db" >"$work/pgbench.out" 2>&1 ||
		{ cat "$work/pgbench.out" >&2; return 1; }
	sed -n 's/^tps = \([0-9.]*\) .*/\1/p' "$work/pgbench.out"
}

case ${BENCH_SIZE:-default} in
	tiny) seconds_a_slice=1 idle=100 ;;
	default) seconds_a_slice=6 idle=4000 ;;
	long) seconds_a_slice=20 idle=4000 ;;
esac
