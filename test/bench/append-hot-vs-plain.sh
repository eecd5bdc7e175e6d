# append-hot-vs-plain: what is left of plain speed when all write into one chain.
#
# Plain INSERTs know no order: 32 clients write side by side, and the flushes of
# their commits merge.  A chain must be linked one event after the other, so on a
# fast disk it cannot be as fast; the target says that the critical section (lock,
# probe, link, insert, fold) is short enough for 0.55.  On a disk that takes 2 ms the
# time is the disk's, and the ledger must not be slower than plain by more than 5 %:
# that is the whole promise of the pipelined commit.
#
# The same clients and statements as append-many-chains, with one chain.
# shellcheck shell=bash

ours_rate() { rate ledger -D chains=1 -D findings="$findings"; }
plain_rate() { rate plain -D chains=1 -D findings="$findings"; }

interleave ours_rate plain_rate
figure append-hot-vs-plain "$ours" "$base" 'events/s' '>= 0.55'
set_fsync_delay 2000
interleave ours_rate plain_rate
set_fsync_delay 0
figure append-hot-vs-plain-2ms "$ours" "$base" 'events/s' '>= 0.95'
