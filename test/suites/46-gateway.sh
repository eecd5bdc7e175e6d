#!/usr/bin/env bash
# The gateway over its sockets: the real program and a real cluster (test/gateway/*.mjs).
# GATEWAY_ASAN=1 runs all of it with the build under sanitizers.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"
. test/lib/npm.sh

mapfile -t tests < <(tests_in test/gateway mjs "$@")
[ ${#tests[@]} -gt 0 ] || die "no tests in test/gateway"
files=("${tests[@]/#/test/gateway/}")
files=("${files[@]/%/.mjs}")
need_packages test/gateway ajv yaml @redocly/cli
make -s -C gateway all
# Before the clock of a test runs.
if [ -n "${GATEWAY_ASAN:-}" ] || grep -qE 'asan: true|program\(true\)' "${files[@]}"; then
	make -s -C gateway BIN=../build/gateway-asan SANITIZE=1 ../build/gateway-asan/ledger-gateway
fi
start_ledger
psql -XAtq -v ON_ERROR_STOP=1 -d "$dsn" -f test/gateway/lib/prepare.sql >/dev/null

export GATEWAY_TEST_DSN=$dsn GATEWAY_TEST_DIR=$work/gateway
mkdir -p "$GATEWAY_TEST_DIR"
# One file after the other: some of them stop the database.
node --test --test-concurrency=1 --test-timeout=300000 --test-reporter=tap "${files[@]}"
