#!/usr/bin/env bash
# Checks that read the source, or a freshly migrated database (test/lint).
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

[ $# -gt 0 ] || set -- symbols order tree words style format pages scripts catalog drift reference
status=0
for lint in "$@"; do
	case $lint in
		catalog | drift | reference) [ -n "${LINT_DSN:-}" ] || { start_ledger; export LINT_DSN=$dsn; } ;;
	esac
	bash "test/lint/$lint.sh" || status=$?
done
exit "$status"
