#!/usr/bin/env bash
# Every command of README.md, the tutorial and some how-to pages, run on a throw-away
# cluster as a newcomer would, with the output that the page shows (test/docs/run.mjs);
# and the examples of docs/formats.md, recomputed.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

copy=$work/checkout
export LEDGER_RUN_DIR=$copy/.run

# A copy of the checkout as it is, built: `make clean` is one of the commands.
fresh_copy() {
	[ ! -d "$copy" ] || { "$cluster" destroy; rm -rf "$copy"; }
	mkdir "$copy"
	tar -cf - --exclude=./.git --exclude=./.run --exclude=./build --exclude=node_modules . | tar -xf - -C "$copy"
}

bring_up() {
	deploy/dev/up.sh >"$work/up.out" 2>&1 || { cat "$work/up.out" >&2; die 'make up failed'; }
}

# The runner itself: it must find each wrong block of one page, and none of the other.
check_runner() {
	local wanted found
	bring_up
	node test/docs/run.mjs "$copy" test/docs/right.md || status=1
	wanted=$(awk '/^```(sh|sql)/ || /^    / { n++ } END { print n }' test/docs/wrong.md)
	found=$(node test/docs/run.mjs "$copy" test/docs/wrong.md || true)
	if [ "$(grep -c '^not ok' <<<"$found")" -eq "$wanted" ] && ! grep -q '^ok' <<<"$found"; then
		echo "ok - each of $wanted wrong blocks is found"
	else
		echo "not ok - each of $wanted wrong blocks is found"
		sed 's/^/# /' <<<"$found"
		status=1
	fi
}

# The examples of docs/formats.md, and that a byte changed in any of them shows.
check_formats() {
	local change
	node test/docs/formats.mjs docs/formats.md "$("$cluster" dsn)" || status=1
	for change in 's/"severity":7.5,/"severity":7.50,/' 's/nightly-scan/nightly_scan/' 's/| `1.50` | `1.5` |/| `1.50` | `1.50` |/' \
		's/^d141bca5/d141bca6/' 's/"sequence":2/"sequence":3/' 's/| `occurredAt` |/| `happenedAt` |/' 's/AAECAw/AAECBA/' 's/user:local/user:other/'; do
		sed "$change" docs/formats.md >"$work/formats.md"
		if grep -q '^not ok' < <(node test/docs/formats.mjs "$work/formats.md"); then
			echo "ok - a changed page is found: $change"
		else
			echo "not ok - a changed page is found: $change"
			status=1
		fi
	done
}

status=0
if [ $# -eq 0 ]; then
	fresh_copy
	check_runner
	check_formats
	set -- README.md docs/tutorial.md docs/how-to/write-events.md docs/how-to/tenants-and-roles.md docs/how-to/maintain.md docs/how-to/keys.md \
		docs/how-to/use-the-gateway.md docs/how-to/attachments.md docs/how-to/monitor.md
fi
for page in "$@"; do
	fresh_copy
	# A how-to page is read by somebody who has a ledger.
	[[ $page != docs/how-to/* ]] || bring_up
	node test/docs/run.mjs "$copy" "$page" || status=$?
done
exit "$status"
