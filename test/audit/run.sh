#!/usr/bin/env bash
# Tests of both verifiers, sql/audit/verify_plain.sql and ledger_verify(), on a
# throw-away cluster: TAP on stdout.
# Needs initdb and psql of PG_CONFIG (default: pg_config) and node.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

bin=$("${PG_CONFIG:-pg_config}" --bindir)
dir=$(mktemp -d /tmp/ledger-audit-XXXXXX)
as_server=()
if [ "$(id -u)" -eq 0 ]; then
	as_server=(runuser -u postgres --)
	chown postgres: "$dir"
fi

clean_up() {
	local status=$?
	if [ -f "$dir/data/postmaster.pid" ]; then
		(cd / && "${as_server[@]}" "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null) || true
	fi
	rm -rf "$dir"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 143' TERM INT

(
	cd /
	"${as_server[@]}" "$bin/initdb" -D "$dir/data" -A trust -U postgres -E UTF8 --locale=C.UTF-8 -N >/dev/null
	"${as_server[@]}" "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -w \
		-o "-c listen_addresses='' -c unix_socket_directories='$dir' -p 54321 -c fsync=off" start >/dev/null
)
export PGHOST=$dir PGPORT=54321 PGUSER=postgres PGDATABASE=postgres PSQLRC=/dev/null
psql=("$bin/psql" -XAtq -v ON_ERROR_STOP=1)

"${psql[@]}" -c 'CREATE DATABASE audit' -c 'CREATE DATABASE bare'
export PGDATABASE=audit
{
	# A key's CHECK asks the extension.
	echo 'CREATE SCHEMA ledger; CREATE EXTENSION findings_ledger SCHEMA ledger;'
	for table in schema_migrations settings tenants event_types chains partition_intent events \
		merkle_roots merkle_tiles keys anchor_receipts verification_marks access_log attachments projection_stats; do
		cat "sql/tables/ledger_$table.sql"
	done
	cat sql/tables/finding*.sql sql/tables/triage_actions.sql sql/data/event_types.sql sql/data/partition_intent.sql test/audit/schema.sql
	# The other verifier.  Its functions only: the tables stay without guards.
	for function in only_adds attachments rebuild_projection guard_state guard_fingerprint require_subject verify_scan name_fault judge own_events keys verify_signatures verify_anchors verify_guards verify; do
		cat "sql/functions/ledger_$function.sql"
	done
} | "${psql[@]}"
"${psql[@]}" -d postgres -c 'CREATE DATABASE dice TEMPLATE audit'
export PSQL=$bin/psql
status=0
node test/audit/cases.mjs || status=1
# In a database of its own: cases.mjs ends with guards in place.
PGDATABASE=dice node test/audit/random_cases.mjs "${LEDGER_TAMPERINGS:-$([ -n "${LEDGER_LONG:-}" ] && echo 5000 || echo 300)}" || status=1
exit "$status"
