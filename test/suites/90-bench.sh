#!/usr/bin/env bash
# The benchmarks run, at a size that shows only that: make bench measures.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

size=tiny
[ -z "${LEDGER_LONG:-}" ] || size=large
tap_command "benchmarks, size $size" test/bench/run.sh "$size"
