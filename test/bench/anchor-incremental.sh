# anchor-incremental: anchoring costs what came since, not what was there.
#
# A tick goes on from the last anchor's frontier.  Were it to read the chain again, it
# would be fast in every test and slow in every old ledger.  The time of a tick after a
# thousand new events, its flush included, at the greater length of the chain and at the
# smaller.
# shellcheck shell=bash

# The chain grows by so many events; then a thousand more are anchored by themselves.
grow() {
	sql -c "SELECT bench.make_requests($1, 5000, 'anchors-')" -c "SELECT bench.append('anchors', $1)" \
		-c "SELECT count(*) FROM ledger.ledger_anchor_tick('bench', true)" >/dev/null
}

# The middle one of a few ticks.
tick_seconds() {
	local i took=()
	for ((i = 0; i < ticks; i++)); do
		sql -c "SELECT bench.make_requests(1000, 500, 'tick-$RANDOM-')" -c "SELECT bench.append('anchors', 1000)" >/dev/null
		calm
		took+=("$(seconds "SELECT count(*) FROM ledger.ledger_anchor_tick('bench', true)")")
	done
	printf '%s\n' "${took[@]}" | median
}

grow "$tree_small"
small=$(tick_seconds)
grow $((tree_large - tree_small))
figure anchor-incremental "$(tick_seconds)" "$small" s '<= 1.5'
[ "$(sql -c "SELECT count(*) FROM ledger.ledger_merkle_roots WHERE tenant_id = 'bench' AND leaf_count = 1000")" -ge $((2 * ticks)) ] ||
	die 'the ticks did not anchor a thousand events each'
