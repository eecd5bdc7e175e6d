# append-many-chains: the everyday load of a service with many policy versions.
#
# 32 clients append one event a transaction to 1,000 chains, at random, so two of
# them rarely want the same chain: what is measured is the price of the ledger's
# arithmetic and bookkeeping, not of waiting.  Both sides write the same rows: the
# event with its three unique or ordered indexes, the finding's projection (upsert)
# and its history.  Ours does that through ledger_append() as a writer would, with
# defaults, validation, the tenant's grant, canonical JSON, two envelope hashes and
# the salted payload hash; plain writes random bytes where hashes stand, in one
# hand-written statement, as the superuser, without policies or triggers.
#
# One statement is one round trip on both sides, prepared, so that neither pays for
# parsing.  Each slice begins after a checkpoint: otherwise the side that runs second
# would find fewer full-page images to write.
#
# At 0.85 of plain a ledger is affordable everywhere a table is.  Below it, look
# first at what runs once per statement rather than once per row: snapshots, SPI,
# plan set-up, catalogue look-ups.
# shellcheck shell=bash

ours_rate() { rate ledger -D chains="$chains" -D findings=20; }
plain_rate() { rate plain -D chains="$chains" -D findings=20; }

interleave ours_rate plain_rate
figure append-many-chains "$ours" "$base" 'events/s' '>= 0.85'
