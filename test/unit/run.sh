#!/usr/bin/env bash
# Runs one unit test program and passes its TAP on.  A program that a sanitizer
# ends, or that ends early without a word, is a failed test too.
#
# usage: test/unit/run.sh build/unit/test_NAME
set -uo pipefail

export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1

program=$1
name=$(basename "$program")
output=$(mktemp)
trap 'rm -f "$output"' EXIT

status=0
"$program" >"$output" 2>&1 || status=$?
# What the program printed, with the reports of a sanitizer as comments.
sed -E '/^((not )?ok |1\.\.|#)/!s/^/# /' "$output"

if [ "$status" -ne 0 ] && ! grep -q '^not ok' "$output"; then
	echo "not ok - $name ended with status $status"
elif ! grep -qE '^1\.\.[1-9]' "$output"; then
	echo "not ok - $name did not come to its end"
	status=1
fi
exit "$status"
