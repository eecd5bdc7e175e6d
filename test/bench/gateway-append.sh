# gateway-append: one event by HTTP, against the same call by a client that is near.
#
# Everything that the gateway adds costs: HTTP, a token, JSON checked and made
# canonical, a second way through the network.  What it saves is more: events that
# come while a batch is on its way go together in the next, in one transaction with
# one flush (gateway/src/dbappend.c), where pgbench pays for each.
#
# wrk with 32 keep-alive connections posts one event a request; pgbench with 32
# clients calls ledger_http_append() with one event a transaction.  Events are of
# many chains, and in a second figure of one, whose lock everybody wants.  A lone
# client gains nothing from batches; its figure says what the way costs.
# shellcheck shell=bash
. test/bench/load/gateway.sh

bench_login
start_gateway
ours_rate() { ask "$connections" test/bench/load/gateway-append.lua /v1/ledger/events; }
base_rate() { pgbench_rate "$connections" test/bench/load/gateway-append.sql; }

connections=$clients
interleave ours_rate base_rate
figure gateway-append "$ours" "$base" 'events/s' '>= 1.0'
connections=1
interleave ours_rate base_rate
figure gateway-append-1-client "$ours" "$base" 'events/s' ''
all_chains=$chains
chains=1 connections=$clients
interleave ours_rate base_rate
figure gateway-append-hot-chain "$ours" "$base" 'events/s' '>= 1.0'
chains=$all_chains
stop_gateway
