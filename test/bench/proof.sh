# proof: what it takes to make a proof, and that it does not grow with the chain.
#
# An outsider asks for one proof at a time, so what counts is the slowest of a hundred:
# the 99th percentile of single calls through SQL, by the server's clock, warm.  A proof
# has a hash more for each doubling of the tree; where whole tiles are stored, it reads
# a few rows more.  The baseline is the same at the smaller size.
# shellcheck shell=bash

# Milliseconds, 99th percentile, of a proof's call, whose arguments are drawn from 1 to n.
p99_ms() {
	sql <<-SQL
		SET client_min_messages = warning;
		CREATE TEMP TABLE took (ms double precision);
		DO \$\$
		DECLARE
			v_chain uuid := ledger.ledger_chain_id('bench', 'proofs-$1');
			v_start timestamptz;
			v_proof bytea[];
		BEGIN
			FOR i IN 1..$proofs LOOP
				v_start := clock_timestamp();
				v_proof := $2;
				IF i > $proofs / 10 THEN
					INSERT INTO took VALUES (1000 * extract(epoch FROM clock_timestamp() - v_start));
				END IF;
			END LOOP;
		END \$\$;
		SELECT round(percentile_cont(0.99) WITHIN GROUP (ORDER BY ms)::numeric, 6) FROM took;
	SQL
}

inclusion_ms() { p99_ms "$1" "ledger.ledger_inclusion_proof('bench', v_chain, 1 + floor(random() * $1)::bigint, $1)"; }
consistency_ms() { p99_ms "$1" "ledger.ledger_consistency_proof('bench', v_chain, 1 + floor(random() * $1)::bigint, $1)"; }

for size in $tree_small $tree_large; do
	sql -c "SELECT bench.make_requests($size, 5000, 'proofs-')" -c "SELECT bench.append('proofs-$size', $size)" >/dev/null
done
sql -c 'VACUUM ANALYZE ledger.ledger_events' -c "SELECT count(*) FROM ledger.ledger_anchor_tick('bench', true)" >/dev/null

for kind in inclusion consistency; do
	large_ms() { "${kind}_ms" "$tree_large"; }
	small_ms() { "${kind}_ms" "$tree_small"; }
	large_ms >/dev/null
	interleave large_ms small_ms
	figure "proof-$kind" "$ours" "$base" 'ms, p99' '<= 1.2, ours < 1'
done
