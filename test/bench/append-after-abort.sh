# append-after-abort: a great append that failed must not make small ones slow.
#
# There is no head row: an append looks for the chain's last entry from the end of
# the index backwards.  After a rolled-back append of 100,000 events those entries
# stand dead exactly there, and every append walks over them until they are marked
# or vacuumed away.  So leaves are vacuumed eagerly (their settings as shipped, and
# autovacuum as the server has it), and within a minute a single append may take at
# most twice what it took before.
#
# Measured by one client, median of its transactions: before, at once after the
# roll-back, and a minute later.  The first of the two ratios is information, the
# second has the target.
# shellcheck shell=bash

# Median microseconds of single appends, from pgbench's own log of each.
probe_us() {
	rm -f "$work"/probe.*
	(cd "$work" && pgbench -n -M prepared -c 1 -t "$probes" -l --log-prefix=probe -D chains=1 -D findings=1000 \
		-f "$checkout/test/bench/load/ledger.sql" "$writer_db" >/dev/null 2>&1)
	awk '{ print $3 }' "$work"/probe.* | median
}

sql -c "SELECT bench.make_requests($aborted, 5000, 'aborted-')" -c "SELECT bench.append('policy-1', 1000)" \
	-c 'VACUUM ANALYZE' >/dev/null
before=$(probe_us)
sql -c BEGIN -c "SELECT bench.append('policy-1', $aborted)" -c ROLLBACK >/dev/null
figure append-after-abort-at-once "$(probe_us)" "$before" us 'none'
sleep "$abort_wait"
figure append-after-abort "$(probe_us)" "$before" us '<= 2'
