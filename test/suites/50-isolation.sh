#!/usr/bin/env bash
# pg_isolation_regress: every claim about concurrency (test/isolation/{specs,expected}).
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

mapfile -t tests < <(tests_in test/isolation/specs spec "$@")
[ ${#tests[@]} -gt 0 ] || die "no tests in test/isolation/specs"
stage
start_ledger
psql -Xq -v ON_ERROR_STOP=1 -d "$dsn" -f test/lib/isolation.sql
as_server_dir "$work/out"
status=0
as_server "$pgxs_test/isolation/pg_isolation_regress" --use-existing --dbname=ledger \
	--user=postgres --host=127.0.0.1 --port="$(ledger_port)" --bindir="$pg_bin" \
	--inputdir="$work/src/test/isolation" --outputdir="$work/out" "${tests[@]}" \
	>"$work/regress.out" 2>&1 || status=$?
regress_to_tap "$work/out" <"$work/regress.out"
[ -z "${LEDGER_KEEP_RESULTS:-}" ] || { rm -rf build/results/isolation; mkdir -p build/results; cp -r "$work/out/results" build/results/isolation; }
exit "$status"
