#!/usr/bin/env bash
# Loads the demo into a migrated ledger: the findings of a catalogue and what
# became of them, for the tenants acme and globex.  Running again adds nothing:
# the same catalogue gives the same event ids.
#
# usage: load.sh DSN [CATALOGUE.json]
#
# DSN's login must be a superuser, or an operator and writer with grants on both
# tenants.  Without a catalogue the project's own small one is taken.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)

[ $# -ge 1 ] || { echo "usage: load.sh DSN [CATALOGUE.json]" >&2; exit 2; }
dsn=$1
catalogue=${2:-$here/findings.json}

events=$(mktemp)
trap 'rm -f "$events"' EXIT
node "$here/generate.mjs" "$catalogue" >"$events"

PGCLIENTENCODING=UTF8 psql -X -q -At -v ON_ERROR_STOP=1 -v events="$events" -d "$dsn" -f "$here/load.sql" <"$events"
