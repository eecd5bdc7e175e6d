# append-under-dump: a backup must not slow the writers.
#
# pg_dump holds a REPEATABLE READ snapshot for as long as it runs, and while it is
# open no dead row version can be removed.  A ledger that keeps its head in a row
# updated per event collapses then: each append walks over all versions of it.  Ours
# has no such row; the projection has one row a finding, so a finding that changes
# often does pay, and findings here are as many as a chain really has.
#
# The hot chain of append-hot-chain, with and without a held snapshot, in turn.
# shellcheck shell=bash

plain_rate() { rate ledger -D chains=1 -D findings="$findings"; }

dumped_rate() {
	local holder
	psql -Xq -d "$db" >/dev/null 2>&1 <<-'SQL' &
		SET application_name = 'bench_snapshot';
		BEGIN ISOLATION LEVEL REPEATABLE READ;
		SELECT count(*), pg_sleep(3600) FROM ledger.ledger_events;
	SQL
	holder=$!
	# The snapshot is there once the session shows an xmin.
	until [ "$(sql -c "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bench_snapshot'
			AND backend_xmin IS NOT NULL AND state = 'active'")" -eq 1 ]; do
		kill -0 "$holder"
	done
	plain_rate
	sql -c "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity
		WHERE application_name = 'bench_snapshot'" >/dev/null
	wait "$holder" || true
}

interleave dumped_rate plain_rate
figure append-under-dump "$ours" "$base" 'events/s' '>= 0.9'
