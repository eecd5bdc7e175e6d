#!/usr/bin/env bash
# Breaks a copy of the gateway in one place at a time and demands that the test file named
# notices: what no unit test can see, because it shows on the wire, in a log or to a sanitizer.
# A mutation that changes nothing any more is a failure too.  Prints TAP.
#
# usage: test/gateway/mutations.sh [PATTERN]	only those whose name matches; by
#		test/suites/46-gateway.sh, which has the cluster that GATEWAY_TEST_DSN names
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

pattern=${1:-.}
# Where lib/gateway.mjs looks for the build of that name.
build=$PWD/build/gateway-mutant
copy=$build/source
log=$build/log
survivors=0

rm -rf "$build"
mkdir -p "$copy"
cp -pR gateway "$copy"
rm -rf "$copy/gateway/bin"
ln -s "$PWD/extension" "$copy/extension"

# mutant FILE TEST NAME PERL-SUBSTITUTION [SANITIZER]
mutant() {
	local file=gateway/$1 test=$2 name=$3 change=$4 sanitizer=${5:-}
	[[ $name =~ $pattern ]] || return 0
	perl -0pe "$change" "$file" >"$copy/$file"
	if cmp -s "$file" "$copy/$file"; then
		echo "not ok - $name: the mutation finds its place in $file"
		survivors=$((survivors + 1))
	elif ! make -s -C "$copy/gateway" ${PG_CONFIG:+PG_CONFIG="$PG_CONFIG"} WARNINGS=-w BIN="bin$sanitizer" SANITIZE="$sanitizer" \
		"bin$sanitizer/ledger-gateway" >"$log" 2>&1; then
		echo "not ok - $name: it is built"
		sed 's/^/# /' "$log"
		survivors=$((survivors + 1))
	elif cp "$copy/gateway/bin$sanitizer/ledger-gateway" "$build/ledger-gateway" &&
		GATEWAY_SANITIZER=mutant timeout 300 node --test --test-concurrency=1 --test-timeout=1200000 --test-reporter=tap \
			"test/gateway/$test.mjs" >"$log" 2>&1; then
		echo "not ok - $name: $test.mjs notices"
		survivors=$((survivors + 1))
	else
		echo "ok - $name: $(grep -m 1 '^ *not ok' "$log" | sed -E 's/^ *not ok [0-9]+ - //' || echo stopped)"
	fi
	cp "$file" "$copy/$file"
}

mutant shared/http.c authority 'certificates of the authority are not checked' \
	's/(curl_easy_setopt\(curl, CURLOPT_URL, q->url\);)/$1 curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 0L);/'
mutant shared/http.c authority 'nor whose they are' \
	's/(curl_easy_setopt\(curl, CURLOPT_URL, q->url\);)/$1 curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 0L);/'
mutant src/jwks.c authority 'a place is compared in part' 's/strcmp\(last_place, place\)/strncmp(last_place, place, 511)/'
mutant src/auth.c reload 'the map of clients stays as it was' 's/clients = fresh;/if (old == NULL)\n\t\tclients = fresh;\n\telse\n\t\told = fresh;/'
mutant src/stream.c export 'an export whose time is over ends as if it were whole' \
	's/(if \(s->reader_gone\)\n\t\tresult = MHD_CONTENT_READER_END)_WITH_ERROR/$1_OF_STREAM/'
mutant src/stream.c export 'an export that failed ends as if it were whole' 's/s->good \? MHD_CONTENT_READER_END_OF_STREAM : \w+/MHD_CONTENT_READER_END_OF_STREAM/'
mutant src/config_env.c config 'settings that are not kept stay in memory' 's/wipe_free\(/free(/g'
mutant src/probe.c health 'every server tells its version' 's/version != NULL \? version : ""/version/'
mutant src/request.c limits 'a body counts as it came' 's/if \(canonical <= r->counted \|\|/if (canonical > 0 ||/'
mutant src/job_queue.c reads 'reads of two tenants share a statement' \
	's/\*c != .\\0.; c\+\+\)/false; c++)/; s/\(\*at\)->route == row && strcmp\(\(\*at\)->tenant, tenant\) == 0/(*at)->route == row/'
mutant src/dbpipe_answer.c reads 'what one read of a statement did wrong is the answer of all' 's/else if \(s->count > 1\)/else if (false)/'
mutant src/dbpipe_answer.c reads 'reads of a lost connection are not asked again' 's/\(j->route->flags & ROUTE_READ_ONLY\) != 0 && may_once\(j\)/false \&\& may_once(j)/'
mutant src/body.c strict 'a byte read behind the end of a body' \
	's/(if \(w->raw.len == 0\))/if (w->raw.len > 0 \&\& w->raw.data[w->raw.cap] == 1)\n\t\tw->events++;\n\t$1/' address
[ "$survivors" -eq 0 ]
