# Sourced by run.sh and so by every benchmark: sizes, clocks, rounds, figures.
# shellcheck shell=bash

# Sizes.  tiny shows that a benchmark still runs; default takes minutes; long takes
# an hour and reaches the sizes that the targets speak of.
choose_sizes() {
	case ${BENCH_SIZE:-default} in
		tiny)
			clients=4 chains=20 findings=50 slice=(-t 25) rounds=1
			bulk=2000 verify_rows=3000 rebuild_rows=2000 aborted=2000 probes=20 abort_wait=0
			steps='500 5000' most_separate=5000 lengths='250 2500' tenant_steps='2 12'
			leaves=5000 tree_small=500 tree_large=5000 proofs=200 ticks=3 chain_events=10 metrics_tenants=10
			;;
		default)
			clients=32 chains=1000 findings=10000 slice=(-T 6) rounds=3
			bulk=200000 verify_rows=200000 rebuild_rows=100000 aborted=100000 probes=300 abort_wait=60
			steps='1000 10000 100000' most_separate=20000 lengths='1000 10000 100000 500000' tenant_steps='10 300'
			leaves=1000000 tree_small=10000 tree_large=500000 proofs=5000 ticks=7 chain_events=1000 metrics_tenants=200
			;;
		long)
			clients=32 chains=1000 findings=10000 slice=(-T 20) rounds=5
			bulk=200000 verify_rows=1000000 rebuild_rows=1000000 aborted=100000 probes=1000 abort_wait=60
			steps='1000 10000 100000 1000000' most_separate=100000 lengths='1000 100000 1000000 10000000' tenant_steps='10 1000'
			leaves=1000000 tree_small=10000 tree_large=10000000 proofs=20000 ticks=15 chain_events=10000 metrics_tenants=200
			;;
		*) die "BENCH_SIZE is ${BENCH_SIZE}" "one of tiny, default, long" ;;
	esac
}

# A database of its own for each benchmark: no bloat of another one in it.
fresh_database() {
	local server=${root_dsn%/*}
	psql -Xq -d "$server/postgres" -c "CREATE DATABASE $1 TEMPLATE ledger"
	db=$server/$1
	writer_db=${db/postgres@/bench_writer@}
}

drop_database() {
	# The cluster goes with it; dropping one waits for a checkpoint.
	[ "${BENCH_SIZE:-default}" != tiny ] || return 0
	psql -Xq -d "${root_dsn%/*}/postgres" -c "DROP DATABASE $1"
}

# Runs SQL as the superuser; prints what it returns.
sql() {
	psql -XAtq -v ON_ERROR_STOP=1 -d "$db" "$@"
}

# Seconds that one statement took, its commit included, by the server's clock.
seconds() {
	sql <<-SQL
		SELECT clock_timestamp() AS start \gset
		\o /dev/null
		$1;
		\o
		SELECT round(extract(epoch FROM clock_timestamp() - :'start')::numeric, 6);
	SQL
}

# Microseconds of CPU an event that a statement of n events took, after a first append
# has filled the session's caches.  What others do on the machine does not count.
cpu_us() {
	sql -c "SELECT ledger.ledger_append('bench', 'finding.created', 'warm', 'warm', 'warm')" \
		-c 'SET client_min_messages = log' -c 'SET log_statement_stats = on' -c "$2" 2>&1 >/dev/null |
		sed -nE 's/^!\s+([0-9.]+) s user, ([0-9.]+) s system, .* elapsed$/\1 \2/p' |
		tail -n 1 | awk -v n="$1" '{ print ($1 + $2) / n * 1e6 }'
}

# Transactions a second of a pgbench script against a side: ledger, plain, d1.
rate() {
	local side=$1 target=$db script=$work/load-$1.sql
	shift
	if [ "$side" = ledger ]; then
		target=$writer_db
		cp test/bench/load/ledger.sql "$script"
	else
		sed "s/SIDE/$side/g" test/bench/load/baseline.sql >"$script"
	fi
	calm
	pgbench -n -M prepared -c "$clients" -j 2 "${slice[@]}" "$@" -f "$script" "$target" >"$work/pgbench.out" 2>&1 ||
		{ cat "$work/pgbench.out" >&2; return 1; }
	sed -n 's/^tps = \([0-9.]*\) .*/\1/p' "$work/pgbench.out"
}

# Each measurement begins after a checkpoint: full-page images would favour whoever
# runs second.
calm() {
	[ "${BENCH_SIZE:-default}" = tiny ] || sql -c CHECKPOINT
}

# The middle one of the numbers on standard input.
median() {
	sort -g | awk '{ v[NR] = $1 } END { if (NR == 0) exit 1; print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}

# Interleaves two commands, A B A B …, each printing a number; leaves their medians
# in $ours and $base.
interleave() {
	local round a=() b=()
	for ((round = 0; round < rounds; round++)); do
		a+=("$($1)")
		b+=("$($2)")
	done
	ours=$(printf '%s\n' "${a[@]}" | median)
	base=$(printf '%s\n' "${b[@]}" | median)
}

# How long every fdatasync sleeps from now on, in microseconds.
set_fsync_delay() {
	printf '%-15s' "$1" | dd of="$delay_file" conv=notrunc status=none
}

# figure NAME OURS BASELINE UNIT TARGET: one JSON line, and one line for the table.
# The ratio is ours / baseline; whether more is better stands in the target.
figure() {
	local number
	for number in "$2" "$3"; do
		[[ $number =~ ^[0-9.]+(e[-+]?[0-9]+)?$ ]] && [[ $number =~ [1-9] ]] || die "$1: \"$number\" is no measurement"
	done
	awk -v name="$1" -v ours="$2" -v base="$3" -v unit="$4" -v target="$5" -v size="${BENCH_SIZE:-default}" 'BEGIN {
		printf "{\"name\": \"%s\", \"ours\": %.6g, \"baseline\": %.6g, \"ratio\": %.3f, \"target\": \"%s\", \"unit\": \"%s\", \"size\": \"%s\"}\n",
			name, ours, base, ours / base, target, unit, size }' | tee -a "$figures"
}

# What people read: the figures again as a table.
table() {
	printf '\n%-34s %12s %12s  %-14s %7s  %s\n' name ours baseline unit ratio target
	sed -E 's/^\{"name": "([^"]*)", "ours": ([^,]*), "baseline": ([^,]*), "ratio": ([^,]*), "target": "([^"]*)", "unit": "([^"]*)".*/\1\t\2\t\3\t\6\t\4\t\5/' "$figures" |
		awk -F '\t' '{ printf "%-34s %12s %12s  %-14s %7s  %s\n", $1, $2, $3, $4, $5, $6 }'
}
