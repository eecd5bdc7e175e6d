#!/usr/bin/env bash
# Checks that read the source, or a freshly migrated database (test/lint).
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

stage
for lint in test/lint/*.sh; do
	[ $# -eq 0 ] || [[ " $* " == *" $(basename "$lint" .sh) "* ]] || continue
	tap_command "$(basename "$lint" .sh)" bash "$lint"
done
