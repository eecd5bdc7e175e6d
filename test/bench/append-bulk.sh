# append-bulk: a backfill, 200,000 events by one INSERT … SELECT.
#
# Nothing waits here: neither for a client nor for the disk.  Ours pays per row for
# reading the payload, canonical JSON, three SHA-256, the probe for the last entry
# and the fold; plain pays for the rows themselves and for its set-based projection
# and history, written by hand with window functions.  Both read the requests from
# the same unlogged table, so that making them is not measured.
#
# Each round goes to a chain and to findings of its own: ten events a finding, so
# that most of them change a row which the same statement has made.
# shellcheck shell=bash

findings_a_round=$((bulk / 10))
round_no=0

new_round() {
	round_no=$((round_no + 1))
	sql -c "SELECT bench.make_requests($bulk, $findings_a_round, 'bulk-$round_no-')" >/dev/null
	calm
}

# Both sides of a round see the same requests; $() would lose the counter.
a=() b=()
for ((round = 0; round < rounds; round++)); do
	new_round
	a+=("$(seconds "SELECT bench.append('bulk-$round_no', $bulk)")")
	calm
	b+=("$(seconds "SELECT plain.append('bulk-$round_no', $bulk)")")
done
per_second() { printf '%s\n' "$@" | median | awk -v n="$bulk" '{ print n / $1 }'; }
ours=$(per_second "${a[@]}")
base=$(per_second "${b[@]}")
figure append-bulk "$ours" "$base" 'events/s' '>= 0.75'
