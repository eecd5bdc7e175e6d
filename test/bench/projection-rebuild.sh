# projection-rebuild: all derived tables anew from the events.
#
# After a restore that lost them, or when an auditor doubts them, the derived tables
# are emptied and folded again, to identical rows and hashes.  Appends to the tenant
# wait meanwhile, so it must not take longer than what one would write by hand: the
# same DELETEs, and two set-based statements with window functions, which make no
# cycle hash and know one event type instead of a table of them.
#
# Ten events a finding; each round rebuilds over the dead rows of the one before, on
# both sides, after a VACUUM.
# shellcheck shell=bash

sql -c "SELECT bench.make_requests($rebuild_rows, $((rebuild_rows / 10)), 'rebuild-')" \
	-c "SELECT bench.append('rebuild', $rebuild_rows)" -c 'VACUUM ANALYZE' >/dev/null
sql -v side=plain -f test/bench/baseline/rebuild.sql >/dev/null

ours_seconds() {
	sql -c VACUUM
	calm
	seconds "SELECT ledger.ledger_rebuild_projection('bench')"
}
plain_seconds() {
	sql -c VACUUM
	calm
	seconds 'SELECT plain.rebuild()'
}

plain_seconds >/dev/null
interleave ours_seconds plain_seconds
figure projection-rebuild "$ours" "$base" s '<= 1.2'
