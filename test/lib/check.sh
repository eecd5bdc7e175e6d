# Sourced by suites of which each test is a command: needs $work of suite.sh.
# shellcheck shell=bash

# One test: the command ends well; else what it said is shown.
check() {
	local name=$1
	shift
	if "$@" >"$work/check.out" 2>&1; then
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/# /' "$work/check.out"
	fi
}

# Passes if the first argument is in the relation that test(1) names to the second.
is() {
	[ "$1" "$2" "$3" ] || { echo "$1 $2 $3 is false"; return 1; }
}

# Passes if the command fails, and says so.
refused() {
	local wanted=$1 status=0
	shift
	"$@" >"$work/refused.out" 2>&1 || status=$?
	cat "$work/refused.out"
	[ "$status" -ne 0 ] || { echo "it ended well"; return 1; }
	grep -qE -- "$wanted" "$work/refused.out" || { echo "it does not say: $wanted"; return 1; }
}
