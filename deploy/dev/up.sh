#!/usr/bin/env bash
# A running ledger with real findings in it: starts the throw-away cluster,
# migrates, loads the demo once, anchors, verifies, starts the gateway, and says what to
# try next.
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

# A key of its own, a signer that remembers what it signed, and a directory that stands
# for the place outside to which checkpoints are carried.  All of it lies in .run/, which
# no real signer would do: there key, state and copies belong to different hands.
anchor() {
	local ledgerctl=$checkout/gateway/bin/ledgerctl keys=$run_dir/keys origin
	mkdir -p "$keys" "$run_dir/signer" "$run_dir/checkpoints"
	if [ ! -f "$keys/log.pub" ]; then
		origin=$(query -c 'SELECT origin FROM ledger.ledger_settings')
		rm -f "$keys/log.key"
		"$ledgerctl" keygen --name "$origin" --out "$keys/log.key" >"$keys/log.pub.new"
		mv "$keys/log.pub.new" "$keys/log.pub"
	fi
	query -o /dev/null -v key="$(cat "$keys/log.pub")" <<<"SELECT ledger.ledger_register_key(:'key')"
	LEDGER__DB__CONNECTIONSTRING=$("$cluster" dsn anchorer) \
	LEDGER__EXTERNALANCHORING__ENABLED=true LEDGER__EXTERNALANCHORING__WORM=required \
	LEDGER__EXTERNALANCHORING__WORMDIR=$run_dir/checkpoints \
		"$ledgerctl" anchor --force --key-file "$keys/log.key" --state-dir "$run_dir/signer" 2>"$run_dir/anchor.log" || {
		cat "$run_dir/anchor.log" >&2
		die "the ledger was not anchored" "that is right if you rewrote it; make clean && make up starts afresh"
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

echo "== anchors"
anchor

echo "== verification"
verify

echo "== gateway"
"$checkout/deploy/dev/gateway.sh" start
"$checkout/deploy/dev/gateway.sh" status

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

or over HTTP (make token prints another token):

  curl -s -H 'X-Stella-Tenant: acme' -H 'Authorization: Bearer $(node "$checkout/deploy/dev/token.mjs" mint "$run_dir/authority")' \\
    '$("$checkout/deploy/dev/gateway.sh" url)/v1/ledger/projections/findings?limit=2'

  curl -sf $("$checkout/deploy/dev/gateway.sh" url)/health/ready
  curl -sf $("$checkout/deploy/dev/gateway.sh" url)/metrics | grep ledger_write_latency_seconds

tamper as only a superuser can, and see it named:

  \\i deploy/dev/tamper.sql
  SELECT * FROM ledger_verify();

make down stops it, make clean removes it.
TEXT
