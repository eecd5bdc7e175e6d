#!/usr/bin/env bash
# Runs the benchmarks (docs/performance.md): one JSON line a figure, and a table at
# the end.  Each benchmark is a file beside this one that says in its head what it
# measures and why; it is sourced here, on a cluster made for the run.
#
# usage: test/bench/run.sh [NAME...]     all without names; make bench BENCH=NAME
#        BENCH_SIZE=tiny|default|long    tiny only shows that they run
#
# Figures are ratios of two sides measured in turn in the same run; an absolute one
# from a shared machine means nothing.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../deploy/dev/common.sh"
cd "$checkout"
. test/bench/lib.sh
choose_sizes

all='append-many-chains append-hot-chain append-hot-vs-plain append-bulk append-linear append-after-abort
	append-under-dump verify verify-plpgsql projection-rebuild merkle-root proof
	anchor-incremental gateway-append gateway-read gateway-live gateway-idle metrics-scale'

# The server's user must reach it, and it must lie on a real disk.
work=$(mktemp -d /var/tmp/ledger-bench-XXXXXXXX)
chmod 755 "$work"
export LEDGER_RUN_DIR=$work/run
figures=$work/figures
delay_file=$work/fsync-delay
cluster=$checkout/deploy/dev/cluster.sh

clean_up() {
	local status=$?
	[ -z "${background:-}" ] || kill "$background" 2>/dev/null || true
	"$cluster" destroy || true
	rm -rf "$work"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 143' TERM INT

# Settings as one would run it on a small machine; fsync is on.
start_cluster() {
	${CC:-cc} -shared -fPIC -O2 -Wall -Wextra -Werror -o "$work/fsync_delay.so" test/bench/fsync_delay.c -ldl
	truncate -s 16 "$delay_file"
	chmod 644 "$delay_file"
	CLUSTER_CONF="fsync = on
		shared_buffers = 256MB
		max_wal_size = 4GB
		checkpoint_timeout = 30min
		max_connections = 100" \
		LD_PRELOAD=$work/fsync_delay.so LEDGER_FSYNC_DELAY_FILE=$delay_file "$cluster" start
	root_dsn=$("$cluster" dsn)
	migrations/migrate.sh "$root_dsn" >"$work/migrate.out" || { cat "$work/migrate.out" >&2; return 1; }
	db=$root_dsn
	sql -f test/bench/baseline/common.sql >/dev/null
	for side in plain d1; do
		sql -v side=$side -f test/bench/baseline/tables.sql -f test/bench/baseline/bulk.sql >/dev/null
	done
	sql -f test/bench/baseline/d1.sql >/dev/null
}

# The delay must really be there, or the figures at 2 ms are those of the fast disk.
check_delay() {
	local slow
	set_fsync_delay 20000
	slow=$(seconds 'CREATE TABLE bench.delay_check ()')
	set_fsync_delay 0
	sql -c 'DROP TABLE bench.delay_check'
	awk -v s="$slow" 'BEGIN { exit !(s >= 0.02) }' || die 'the preloaded library does not slow fdatasync'
}

[ $# -gt 0 ] || read -r -d '' -a names <<<"${BENCH:-$all}" || true
[ $# -eq 0 ] || names=("$@")
for name in "${names[@]}"; do
	[ -f "test/bench/$name.sh" ] && grep -qw -- "$name" <<<"$all" || die "no such benchmark: $name" "one of $all"
done

start_cluster
check_delay
: >"$figures"
for name in "${names[@]}"; do
	fresh_database "bench_${name//-/_}"
	. "test/bench/$name.sh"
	drop_database "bench_${name//-/_}"
done
table
