#!/usr/bin/env bash
# The documents say what is true: generated pages are as generated, and every
# command of the tutorial does what the page shows.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

start_ledger
export DSN=$dsn
tap_command 'generated pages are up to date' docs/generate.sh --check
for script in test/docs/*.sh; do
	tap_command "$(basename "$script" .sh)" "$script"
done
