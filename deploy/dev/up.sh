#!/usr/bin/env bash
# A running ledger with real findings in it: starts the throw-away cluster,
# migrates, loads the demo once, verifies, and says what to try next.
#
# usage: up.sh [CATALOGUE.json]
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

catalogue=${1:-$checkout/deploy/demo/findings.json}
[ -f "$catalogue" ] || die "there is no file $catalogue" "DEMO= wants the path of a catalogue (JSON)"
cluster=$checkout/deploy/dev/cluster.sh

query() {
	psql -X -A -t -q -v ON_ERROR_STOP=1 -d "$dsn" "$@"
}

# Each catalogue is loaded once; .run/ remembers which ones are in.
load_demo() {
	local digest loaded=$run_dir/loaded
	digest=$(cat "$catalogue" "$checkout"/deploy/demo/*.mjs | sha256sum | cut -d' ' -f1)
	if grep -qsxF "$digest" "$loaded"; then
		echo "the demo is loaded already"
		return
	fi
	"$checkout/deploy/demo/load.sh" "$dsn" "$catalogue" || die "the demo was not loaded" \
		"if another version of this catalogue is in the ledger: make clean, then make up"
	echo "$digest" >>"$loaded"
}

verify() {
	local report verdict
	report=$(query -c 'SELECT ledger.ledger_verify_report()')
	verdict=$(query -v report="$report" <<<"SELECT :'report'::jsonb ->> 'verdict'")
	query -v report="$report" <<-'SQL'
		SELECT format('  %s %s', rpad(key, 12), value)
		FROM jsonb_each_text(:'report'::jsonb)
		WHERE jsonb_typeof(:'report'::jsonb -> key) IN ('number', 'string')
		ORDER BY key
	SQL
	[ "$verdict" = clean ] || {
		query -c "SELECT format('  %s %s %s: %s', tenant_id, sequence_no, kind, detail)
			FROM ledger.ledger_verify() LIMIT 20" >&2
		die "the ledger is not clean: $verdict" \
			"that is right if you tampered with it; make clean && make up starts afresh"
	}
}

echo "== cluster"
"$cluster" start
"$cluster" status
dsn=$("$cluster" dsn)

echo "== migrations"
"$checkout/migrations/migrate.sh" "$dsn"

echo "== demo: $catalogue"
load_demo
PGCLIENTENCODING=UTF8 query -o /dev/null -f "$checkout/deploy/dev/roles.sql"

echo "== verification"
verify

finding=$(query -c "SELECT finding_id FROM ledger.findings_projection
	WHERE tenant_id = 'acme' ORDER BY finding_id LIMIT 1")
cat <<TEXT

The ledger is running. To connect:

  make psql                            as superuser
  psql "\$(make -s dsn ROLE=writer)"    as a login that may only append (also: auditor, operator, reader, loader)

Then try, in make psql:

  SELECT status, count(*) FROM findings_projection GROUP BY 1;
  SELECT sequence_no, event_type, actor_id, occurred_at FROM ledger_events
    WHERE tenant_id = 'acme' AND finding_id = '$finding' ORDER BY sequence_no;

append an event:

  SELECT sequence_no, event_hash FROM ledger_append('{"tenant": "acme", "type": "finding.comment_added",
    "findingId": "first-look", "artifactId": "pkg:generic/first-look", "policyVersion": "first-look-1",
    "payload": {"comment": "Hello, ledger"}}'::jsonb);

tamper as only a superuser can, and see it named:

  \\i deploy/dev/tamper.sql
  SELECT * FROM ledger_verify();

make down stops it, make clean removes it.
TEXT
