#!/usr/bin/env bash
# Every fuzz target for a while: 5 seconds each, or 10 minutes each.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

seconds=5
[ -z "${LEDGER_LONG:-}" ] || seconds=600
tap_command "fuzz targets, $seconds seconds each" make -s -C test/fuzz smoke FUZZ_SECONDS="$seconds"
