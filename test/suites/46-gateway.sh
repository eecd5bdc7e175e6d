#!/usr/bin/env bash
# The gateway over its sockets: the real program and a real cluster (test/gateway/*.mjs).
#
# Files that send what attackers would run with the build under AddressSanitizer and UBSan,
# the others with the plain one.  GATEWAY_ASAN=1 runs all of them under these sanitizers,
# GATEWAY_TSAN=1 under ThreadSanitizer.  LEDGER_LONG=1 runs all of them with each build, and
# then demands that they notice what is broken on purpose (test/gateway/mutations.sh).
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"
. test/lib/npm.sh

# Documents, headers, targets, tokens and settings that are broken on purpose.
hostile=(api append attachments authority config limits logs openapi strict tenants tokens)

mapfile -t tests < <(tests_in test/gateway mjs "$@")
[ ${#tests[@]} -gt 0 ] || die "no tests in test/gateway"

is_hostile() {
	local name
	for name in "${hostile[@]}"; do
		[ "$name" != "$1" ] || return 0
	done
	return 1
}

# The builds that run a test, of plain, address and thread.
builds_of() {
	if [ -n "${LEDGER_LONG:-}" ]; then
		echo plain address thread
	elif [ -n "${GATEWAY_TSAN:-}" ]; then
		echo thread
	elif [ -n "${GATEWAY_ASAN:-}" ] || is_hostile "$1"; then
		echo address
	else
		echo plain
	fi
}

plain=() address=() thread=()
for name in "${tests[@]}"; do
	for build in $(builds_of "$name"); do
		declare -n files=$build
		files+=("test/gateway/$name.mjs")
	done
done

need_packages test/gateway ajv yaml @redocly/cli

# Before the clock of a test runs.
make -s -j2 -C gateway all
for sanitizer in address thread; do
	declare -n files=$sanitizer
	[ ${#files[@]} -eq 0 ] || make -s -j2 -C gateway BIN="../build/gateway-$sanitizer" SANITIZE="$sanitizer" \
		"../build/gateway-$sanitizer/ledger-gateway"
done
start_ledger
psql -XAtq -v ON_ERROR_STOP=1 -d "$dsn" -f test/gateway/lib/prepare.sql >/dev/null

export GATEWAY_TEST_DSN=$dsn GATEWAY_TEST_DIR=$work/gateway
mkdir -p "$GATEWAY_TEST_DIR"
status=0

# One file after the other: some of them stop the database.
run_files() {
	[ $# -gt 1 ] || return 0
	GATEWAY_SANITIZER=$1 node --test --test-concurrency=1 --test-timeout=1200000 --test-reporter=tap "${@:2}" || status=$?
}

run_files '' "${plain[@]}"
run_files address "${address[@]}"
run_files thread "${thread[@]}"
[ -z "${LEDGER_LONG:-}" ] || [ $# -gt 0 ] || test/gateway/mutations.sh || status=$?
exit "$status"
