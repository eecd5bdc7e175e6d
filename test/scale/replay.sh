#!/usr/bin/env bash
# A replay of many events: makes them, exports them, replays them into an empty ledger, and
# prints what it took as one JSON line a step.  Fails if a hash differs, if the two reports say
# different things, or if ledgerctl needs more than 64 MiB at any length.
#
# usage: make replay-scale EVENTS=1000000        nightly; 5000000 weekly
#
# EVENTS      how many (100000)
# CHAINS      over how many chains (100)
# PARALLEL    connections of the replay (4)
# REPORT_DIR  where reports go, signed if LEDGER__MERKLE__SIGNINGKEY_FILE is set; thrown away without it
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../deploy/dev/common.sh"
cd "$checkout"

events=${EVENTS:-100000}
chains=${CHAINS:-100}
parallel=${PARALLEL:-4}
limit_kib=65536
# Statements of so many events: one transaction each.
step=50000
ledgerctl=$checkout/gateway/bin/ledgerctl
cluster=$checkout/deploy/dev/cluster.sh

# The server's user must reach it, and it must lie on a real disk.
work=$(mktemp -d /var/tmp/ledger-scale-XXXXXXXX)
chmod 755 "$work"
export LEDGER_RUN_DIR=$work/run
reports=${REPORT_DIR:-$work}
program=

clean_up() {
	local status=$?
	[ -z "$program" ] || kill "$program" 2>/dev/null || true
	"$cluster" destroy || true
	rm -rf "$work"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 143' TERM INT

fresh_ledger() {
	psql -Xq -d "${root_dsn%/*}/postgres" -c "CREATE DATABASE $1 TEMPLATE template0 ENCODING 'UTF8'"
	migrations/migrate.sh "${root_dsn%/*}/$1" >"$work/migrate.out" || { cat "$work/migrate.out" >&2; return 1; }
}

# Runs ledgerctl, and leaves in $peak_kib the most memory that it held.
measured() {
	local name=$1 status=0 seen
	shift
	peak_kib=0
	"$ledgerctl" "$@" --json >"$work/$name.out" 2>"$work/$name.err" &
	program=$!
	while seen=$(sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$program/status" 2>/dev/null) && [ -n "$seen" ]; do
		peak_kib=$seen
		sleep 0.05
	done
	wait "$program" || status=$?
	program=
	[ "$status" -eq 0 ] || { cat "$work/$name.err" >&2; die "$name ended with status $status"; }
	[ "$peak_kib" -le "$limit_kib" ] || die "$name needed $peak_kib KiB" "the limit is $limit_kib KiB, at any number of events"
}

# step NAME SECONDS: what it took.
told() {
	awk -v name="$1" -v seconds="$2" -v events="$events" -v peak="${peak_kib:-0}" 'BEGIN {
		printf "{\"step\": \"%s\", \"events\": %d, \"seconds\": %.1f, \"eventsPerSecond\": %d, \"ledgerctlPeakKiB\": %d}\n",
			name, events, seconds, (seconds > 0) ? events / seconds : 0, peak }'
}

timed() {
	local name=$1 begun=$EPOCHREALTIME
	shift
	"$@"
	told "$name" "$(awk -v a="$begun" -v b="$EPOCHREALTIME" 'BEGIN { print b - a }')"
}

# A finding has four events: it is created, judged anew, commented on and closed.
make_events() {
	local from to
	psql -Xq -d "$root_dsn" -c "SELECT ledger.ledger_create_tenant('scale')" >"$work/tenant.out"
	for ((from = 0; from < events; from += step)); do
		to=$((from + step < events ? from + step : events))
		psql -Xq -v ON_ERROR_STOP=1 -d "$root_dsn" <<-SQL
			INSERT INTO ledger.ledger_events (tenant_id, event_type, finding_id, policy_version, artifact_id, vuln_id, actor_id,
				actor_type, event_body)
			SELECT 'scale', ('{finding.created,finding.severity_changed,finding.comment_added,finding.closed}'::text[])[i % 4 + 1],
				'F-' || i / 4, 'policy-' || i / 4 % $chains, 'pkg:npm/left-pad@1.' || i / 4 % 100, 'CVE-2026-' || i / 4 % 5000,
				'nightly-scan', 'system', CASE i % 4
				WHEN 0 THEN jsonb_build_object('severity', (i / 4 % 100) / 10.0, 'labels', jsonb_build_object('team', 'shop'))
				WHEN 1 THEN jsonb_build_object('severity', 'high')
				WHEN 2 THEN jsonb_build_object('comment', repeat('seen ', i / 4 % 20 + 1))
				ELSE '{}' END
			FROM generate_series($from, $to - 1) AS i
		SQL
	done
}

export_fixture() {
	measured export export --fixture --tenant scale --out "$work/scale.ndjson" --connection "$root_dsn"
}

replay_into() {
	fresh_ledger "$1"
	measured "$1" replay --fixture "$work/scale.ndjson" --tenant scale --connection "${root_dsn%/*}/$1" \
		--max-parallel "$2" --report "$reports/$1.json"
}

rebuild() {
	measured rebuild replay --tenant all --connection "$root_dsn" --report "$reports/rebuild.json"
}

without_timings() {
	node -e 'const r = JSON.parse(require("fs").readFileSync(process.argv[1])); delete r.timings; console.log(JSON.stringify(r))' "$1"
}

CLUSTER_CONF="shared_buffers = 256MB
	max_wal_size = 4GB
	checkpoint_timeout = 30min" "$cluster" start
root_dsn=$("$cluster" dsn)
migrations/migrate.sh "$root_dsn" >"$work/migrate.out" || { cat "$work/migrate.out" >&2; exit 1; }
timed make make_events
timed export export_fixture
timed replay replay_into replay "$parallel"
timed replay-serial replay_into serial 1
timed rebuild rebuild
[ "$(without_timings "$reports/replay.json")" = "$(without_timings "$reports/serial.json")" ] ||
	die "two replays of one fixture differ" "compare $reports/replay.json and $reports/serial.json"
node -e 'const t = JSON.parse(require("fs").readFileSync(process.argv[1])).timings;
	const { buckets, ...calls } = t.calls;
	console.log(JSON.stringify({ step: "replay-report", importedPerSecond: t.importedPerSecond, verifiedPerSecond: t.verifiedPerSecond,
		checkSeconds: t.checkSeconds, projectionLagSeconds: t.projectionLagSeconds, calls }))' "$reports/replay.json"
echo "$events events: the same reports, at most $((limit_kib / 1024)) MiB"
