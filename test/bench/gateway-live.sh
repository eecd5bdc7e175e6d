# gateway-live: what HTTP alone costs here, against libmicrohttpd doing nothing.
#
# GET /health/live needs no database: what is measured is the loop, the strict look at
# the request, the route, the headers that every answer has.  Besides 64 connections
# there are 128 and 256, because libmicrohttpd's own epoll loop freezes when so many
# are ready at once, which is why ours is another (gateway/src/loop.c).
#
# The other side is libmicrohttpd's minimal example (baseline/mhd_minimal.c) at 64
# connections, whatever ours has.  The last figure is the gateway's memory after all
# that, against the 64 MiB that it may have.
# shellcheck shell=bash
. test/bench/load/gateway.sh

bench_login
${CC:-cc} -O2 -Wall -Wextra -Werror -o "$work/mhd_minimal" test/bench/baseline/mhd_minimal.c -lmicrohttpd
"$work/mhd_minimal" >"$work/mhd_port" &
minimal=$!
start_gateway
base_url=http://127.0.0.1:$(<"$work/mhd_port")
ours_rate() { ask "$connections" - /health/live; }
base_rate() { url=$base_url ask 64 - /health/live; }

for connections in 64 128 256; do
	interleave ours_rate base_rate
	figure "gateway-live-$connections" "$ours" "$base" 'requests/s' '>= 0.8'
done
figure gateway-live-rss "$(awk '/^VmRSS/ { print $2 / 1024 }' "/proc/$background/status")" 64 MiB '<= 1.0'
kill "$minimal"
wait "$minimal" || true
stop_gateway
