#!/usr/bin/env bash
# pg_regress: SQL contracts and every error text (test/regress/{sql,expected}).
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

mapfile -t tests < <(tests_in test/regress/sql sql "$@")
[ ${#tests[@]} -gt 0 ] || die "no tests in test/regress/sql"
stage
start_ledger
as_server_dir "$work/out"
status=0
as_server "$pgxs_test/regress/pg_regress" --use-existing --dbname=ledger --user=postgres \
	--host=127.0.0.1 --port="$(ledger_port)" --bindir="$pg_bin" \
	--inputdir="$work/src/test/regress" --outputdir="$work/out" "${tests[@]}" \
	>"$work/regress.out" 2>&1 || status=$?
regress_to_tap "$work/out" <"$work/regress.out"
# LEDGER_KEEP_RESULTS keeps what the tests printed, for writing expected files.
[ -z "${LEDGER_KEEP_RESULTS:-}" ] || { rm -rf build/results/regress; mkdir -p build/results; cp -r "$work/out/results" build/results/regress; }
exit "$status"
