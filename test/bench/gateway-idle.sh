# gateway-idle: clients that are connected and say nothing cost those who ask nothing.
#
# With poll(2) each waking looks at every connection: 4,000 idle ones take two thirds
# of the speed.  With epoll only those that are ready are looked at.
#
# GET /health/live over 64 connections while 4,000 others are open, keep-alive, each
# having asked once, against the same without them.
# shellcheck shell=bash
. test/bench/load/gateway.sh

ulimit -n "$(ulimit -Hn)"
bench_login
start_gateway
alone() { ask 64 - /health/live; }
beside_idle() {
	local keeper status=0
	coproc IDLE { exec node test/bench/load/idle.mjs "$url" "$idle"; }
	keeper=$IDLE_PID
	read -r -t 60 <&"${IDLE[0]}" || die 'the idle connections were not opened'
	ask 64 - /health/live
	exec {IDLE[1]}>&-
	wait "$keeper" || status=$?
	[ "$status" -eq 0 ] || die 'idle connections were closed'
}

interleave beside_idle alone
figure gateway-idle "$ours" "$base" 'requests/s' '>= 0.9'
stop_gateway
