#!/usr/bin/env bash
# The plain SQL verifier against a ledger hashed by an independent program, and
# against every way to tamper with it; no extension is involved.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

tap_command 'the plain verifier' test/audit/run.sh
