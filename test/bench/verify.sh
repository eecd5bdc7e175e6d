# verify: a full verification, against reading the table at all.
#
# The verifier reads every row, makes canonical JSON of payload and envelope, hashes
# both twice over and compares four hashes and a link.  The least that anyone who
# hashes the payloads must do is to read the rows and hash their text; scan does that
# with PostgreSQL's own functions, at the same degree of parallelism.  Twice its time
# is the target: then verifying daily is a matter of minutes, and there is no excuse.
#
# Events only: a chain is named, and a part of the ledger cannot say what was folded from
# all.  Folding again is measured by projection-rebuild.
#
# All rows lie in one chain with ten events a finding, vacuumed, in cache.
# shellcheck shell=bash

sql -c "SELECT bench.make_requests($verify_rows, $((verify_rows / 10)), 'verify-')" \
	-c "SELECT bench.append('verify', $verify_rows)" -c 'VACUUM ANALYZE' >/dev/null

verify_seconds() {
	[ "$(sql -c "SELECT ledger.ledger_verify_report('bench', ledger.ledger_chain_id('bench', 'verify')) ->> 'verdict'")" = clean ] ||
		die 'the ledger does not verify'
	seconds "SELECT ledger.ledger_verify_report('bench', ledger.ledger_chain_id('bench', 'verify'))"
}
scan_seconds() {
	seconds "SELECT sum(octet_length(sha256(convert_to(event_body::text, 'UTF8')))) FROM ledger.ledger_events
		WHERE tenant_id = 'bench'"
}

scan_seconds >/dev/null
interleave verify_seconds scan_seconds
figure verify "$ours" "$base" s '<= 2.0'
