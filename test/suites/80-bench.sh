#!/usr/bin/env bash
# Every benchmark once on a tiny size, so that none rots.  Speed is no test: of the
# figures only their form is checked, and that nothing grows with size as if it
# were quadratic.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

mapfile -t benches < <(tests_in test/bench sh "$@" | grep -vxE 'run|lib')
measure() {
	BENCH_SIZE=tiny test/bench/run.sh "$@" >"$work/bench.out" 2>"$work/bench.err" ||
		{ sed 's/^/# /' "$work/bench.err" "$work/bench.out"; return 1; }
	node test/bench/check.mjs "$work/bench.out" "$@" >"$work/bench.tap"
}

measure "${benches[@]}"
# On a busy machine a small size can look slow once; not twice.
if grep -q '^not ok' "$work/bench.tap"; then
	measure "${benches[@]}"
fi
cat "$work/bench.tap"
