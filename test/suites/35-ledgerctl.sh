#!/usr/bin/env bash
# ledgerctl without a server: commands on what an independent log in JavaScript made,
# single-bit mutations, tiles against Go (test/ledgerctl).  With LEDGER_LONG also
# whether the tests notice when ledgerctl is broken (broken.sh).
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

here=test/ledgerctl
mapfile -t tests < <([ $# -gt 0 ] && printf '%s\n' "$@" || printf '%s\n' commands proofs exports findings checkpoints tiles mutations mangled examples)
make -s -j2 -C gateway
make -s -C "$here"
make -s -C test/go ../../build/go/tiles

export ASAN_OPTIONS=detect_leaks=1:detect_stack_use_after_return=1:strict_string_checks=1
export UBSAN_OPTIONS=print_stacktrace=1
export LEDGERCTL=$checkout/build/ledgerctl/ledgerctl LEDGERCTL_BUILT=$checkout/gateway/bin/ledgerctl
export GO_TILES=$checkout/build/go/tiles

# The judgements' own messages are many; a sanitizer's report comes last.
quietly() {
	"$@" 2>"$work/messages" || { tail -n 40 "$work/messages"; return 1; }
}

status=0
for test in "${tests[@]}"; do
	mkdir "$work/$test"
	case $test in
		mutations | mangled)
			node "$here/fixture.mjs" "$work/$test"
			tap_command "$test" quietly "build/ledgerctl/$test" "$work/$test" || status=1
			;;
		examples)
			tap_command "$test" node "$here/$test.mjs" docs/examples docs/formats.md || status=1
			node test/docs/run.mjs "$checkout" docs/how-to/audit-from-outside.md || status=1
			;;
		*) tap_command "$test" node "$here/$test.mjs" "$work/$test" || status=1 ;;
	esac
done
if [ -n "${LEDGER_LONG:-}" ] && [ $# -eq 0 ]; then
	tap_command 'mangled for long' quietly build/ledgerctl/mangled "$work/mangled" 2000000 "$RANDOM" || status=1
	"$here/broken.sh" || status=1
fi
exit "$status"
