#!/usr/bin/env bash
# The core and the SQL functions against an independent implementation: the npm
# package canonicalize and node's crypto (test/differential).
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

here=test/differential
mapfile -t tests < <([ $# -gt 0 ] && printf '%s\n' "$@" || printf '%s\n' canonical stored hostile)

# The lock file pins the package by version and digest.
if [ "$(node -p "require('./$here/node_modules/canonicalize/package.json').version" 2>/dev/null)" != \
	"$(node -p "require('./$here/package.json').dependencies.canonicalize")" ]; then
	(cd "$here" && npm ci) >"$work/npm.out" 2>&1 || { sed 's/^/# /' "$work/npm.out"; die 'npm ci failed'; }
fi
make -s -C "$here"
start_ledger
export CORE_CLI=$checkout/build/differential/core_cli DSN=$dsn PSQL="$("$PG_CONFIG" --bindir)/psql"
status=0
for test in "${tests[@]}"; do
	tap_command "$test" node "$here/$test.mjs" || status=1
done
exit "$status"
