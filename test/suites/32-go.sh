#!/usr/bin/env bash
# The core against Go's golang.org/x/mod/sumdb (Debian's golang-golang-x-mod-dev),
# which shares no line with it (test/go).
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

mapfile -t tests < <(tests_in test/go c "$@")
[ ${#tests[@]} -gt 0 ] || die "no tests in test/go"
make -s -C test/go

status=0
for test in "${tests[@]}"; do
	name=${test%_cli}
	tap_command "$name" "build/go/$name" "build/go/${name}_cli" || status=1
done
exit "$status"
