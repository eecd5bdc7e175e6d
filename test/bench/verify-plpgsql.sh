# verify-plpgsql: against the verifier that comes with a hand-made chain.
#
# Whoever builds D1 also writes a plpgsql function that walks the chain and compares
# each hash.  It checks less than ours (no canonical JSON, no salt, no projection) and
# takes one row at a time on one core.  Ten times faster is what C, a parallel scan
# and no interpreter must give; as a time the ratio is at most 0.1.
# shellcheck shell=bash

sql -c "SELECT bench.make_requests($verify_rows, $((verify_rows / 10)), 'verify-')" \
	-c "SELECT bench.append('verify', $verify_rows)" -c "SELECT d1.append('verify', $verify_rows)" \
	-c 'VACUUM ANALYZE' >/dev/null

[ "$(sql -c "SELECT d1.verify(ledger.ledger_chain_id('bench', 'verify'))")" -eq "$verify_rows" ] ||
	die "the baseline's chain does not verify"

ours_seconds() { seconds "SELECT ledger.ledger_verify_report('bench', ledger.ledger_chain_id('bench', 'verify'))"; }
d1_seconds() { seconds "SELECT d1.verify(ledger.ledger_chain_id('bench', 'verify'))"; }

interleave ours_seconds d1_seconds
figure verify-plpgsql "$ours" "$base" s '<= 0.1'
