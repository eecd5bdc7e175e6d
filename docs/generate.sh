#!/usr/bin/env bash
# Writes docs/reference/{errors,gateway-settings,ledgerctl,metrics,problems,settings,sql}.md: from
# extension/src/errcodes.h, the programs, and the catalog of a freshly migrated database.
#
# usage: generate.sh [--into DIR] [DSN]
#
# DSN names a superuser's connection to a migrated database; without it one is made on a
# throw-away cluster.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../deploy/dev/common.sh"
cd "$checkout"

target=docs/reference
if [ "${1:-}" = --into ]; then
	target=${2:?--into wants a directory}
	shift 2
fi
dsn=${1:-}

# A cluster of its own, so that what the reader keeps in .run/ is not looked at.
own_cluster() {
	work=$(mktemp -d /tmp/ledger-docs-XXXXXXXX)
	chmod 755 "$work"
	export LEDGER_RUN_DIR=$work/run
	trap 'deploy/dev/cluster.sh destroy; rm -rf "$work"' EXIT
	CLUSTER_CONF='fsync = off' deploy/dev/cluster.sh start
	dsn=$(deploy/dev/cluster.sh dsn)
	migrations/migrate.sh "$dsn" >/dev/null
}

# The pages name no schema before types and functions: users need none.
from_catalog() {
	PGCLIENTENCODING=UTF8 PGOPTIONS='-c search_path=pg_catalog,ledger -c client_min_messages=warning' \
		psql -X -A -t -q -v ON_ERROR_STOP=1 -d "$dsn" -f "docs/generate/$1.sql"
}

[ -n "$dsn" ] || own_cluster
node docs/generate/errors.mjs extension/src/errcodes.h >"$target/errors.md"
make -s -C gateway all
docs/generate/ledgerctl.sh gateway/bin/ledgerctl >"$target/ledgerctl.md"
gateway/bin/ledger-gateway --print-settings-reference >"$target/gateway-settings.md"
docs/generate/problems.sh >"$target/problems.md"
node docs/generate/metrics.mjs gateway/src/prom_table.c >"$target/metrics.md"
from_catalog settings >"$target/settings.md"
from_catalog sql >"$target/sql.md"
