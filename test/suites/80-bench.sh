#!/usr/bin/env bash
# Every benchmark once on a tiny size, so that none rots; with LEDGER_LONG on the
# default size.  Speed is no test: of the figures only their form is checked, and
# that nothing grows with size as if it were quadratic.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

size=tiny
[ -z "${LEDGER_LONG:-}" ] || size=default
mapfile -t benches < <(tests_in test/bench sh "$@" | grep -vxE 'run|lib')
# Runs benchmarks and judges their figures; what failed can be asked again.
measure() {
	BENCH_SIZE=$size test/bench/run.sh "$@" >"$work/bench.out" 2>"$work/bench.err" ||
		{ sed 's/^/# /' "$work/bench.err" "$work/bench.out"; return 1; }
	node test/bench/check.mjs "$work/bench.out" "$@" >"$work/bench.tap"
	for name in "$@"; do
		! grep -qE "^not ok [0-9]+ - figure $name" "$work/bench.tap" || echo "$name"
	done >"$work/bench.slow"
}

measure "${benches[@]}"
grep '^ok' "$work/bench.tap" >"$work/bench.passed"
# On a busy machine something small can look slow once or twice, but what is
# quadratic looks so every time.
for _ in 1 2; do
	[ -s "$work/bench.slow" ] || break
	mapfile -t benches <"$work/bench.slow"
	measure "${benches[@]}"
done
{
	cat "$work/bench.passed" <(grep -v '^ok' "$work/bench.tap")
	[ -s "$work/bench.slow" ] || grep '^ok' "$work/bench.tap"
} | awk '/^ok/ { sub(/^ok [0-9]+/, "ok") } /^not ok/ { sub(/^not ok [0-9]+/, "not ok") } !seen[$0]++'

# The replay of many events, of few.
if [ $# -eq 0 ]; then
	if EVENTS=2000 CHAINS=10 test/scale/replay.sh >"$work/scale.out" 2>&1; then
		echo 'ok - replay-scale'
	else
		sed 's/^/# /' "$work/scale.out"
		echo 'not ok - replay-scale'
	fi
fi
