# merkle-root: the root over stored leaf hashes, against the hashing alone.
#
# A tree of n leaves has n - 1 nodes, each one SHA-256 of two blocks.  That is what no
# implementation can do without; a loop in C that does nothing else is the baseline.
# What the aggregate adds is PostgreSQL's scan and a call for each row: half as much
# again at most, or verification would be bound by bookkeeping.
#
# The hashes lie in a table of their own, read by its primary key, in cache.
# shellcheck shell=bash

"${CC:-cc}" -O2 -Wall -Wextra -Werror -o "$work/sha_loop" test/bench/sha_loop.c -lcrypto
sql -c 'CREATE UNLOGGED TABLE bench.leaves (position bigint PRIMARY KEY, leaf bytea NOT NULL)' \
	-c "INSERT INTO bench.leaves SELECT g, sha256(int8send(g)) FROM generate_series(1, $leaves) AS g" \
	-c 'VACUUM ANALYZE bench.leaves'

root_of_leaves='SELECT ledger_merkle_root(l.leaf) FROM (SELECT leaf FROM bench.leaves ORDER BY position) AS l'
root_of_leaves=${root_of_leaves/ledger_merkle_root/$(sql -c "SELECT n.nspname || '.ledger_merkle_root' FROM pg_proc AS p
	JOIN pg_namespace AS n ON n.oid = p.pronamespace WHERE p.proname = 'ledger_merkle_root'")}
root_seconds() { seconds "$root_of_leaves"; }
loop_seconds() { "$work/sha_loop" "$leaves"; }

root_seconds >/dev/null
interleave root_seconds loop_seconds
figure merkle-root "$ours" "$base" s '<= 1.5'
