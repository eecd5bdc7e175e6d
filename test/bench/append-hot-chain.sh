# append-hot-chain: everybody wants the same chain, against what one builds by hand.
#
# A chain is a queue: each event holds the hash of the one before.  A trigger that
# takes an advisory lock (D1) keeps it until the commit record is on disk, so the
# chain goes as fast as the disk answers, one event at a time: 500 a second where
# an fsync takes 2 ms.  The ledger gives the lock back first and flushes then, before
# the client is answered (pipelined commit); flushes of waiting clients merge.
#
# 32 clients, one chain, one event a transaction, durable when answered, on both
# sides; both also keep the projection and the history, D1 by a hand-written
# statement.  Findings are many, so the queue is the chain's and not one row's.
#
# Two disks: the one of this machine, and one that takes 2 ms longer, as cloud
# volumes do (fsync_delay.c).  On the fast one the lock's critical section decides
# (target 2.5), on the slow one whether the lock waits for the disk (target 15).
# shellcheck shell=bash

ours_rate() { rate ledger -D chains=1 -D findings="$findings"; }
d1_rate() { rate d1 -D chains=1 -D findings="$findings"; }

interleave ours_rate d1_rate
figure append-hot-chain "$ours" "$base" 'events/s' '>= 2.5'
set_fsync_delay 2000
interleave ours_rate d1_rate
set_fsync_delay 0
figure append-hot-chain-2ms "$ours" "$base" 'events/s' '>= 15'
