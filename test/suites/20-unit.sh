#!/usr/bin/env bash
# Unit tests of the core and the gateway, built with sanitizers (test/unit).  With LEDGER_LONG
# also whether they notice when the core or the gateway is broken (mutations.sh,
# gateway_mutations.sh).
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

mapfile -t tests < <(tests_in test/unit c "$@")
[ ${#tests[@]} -gt 0 ] || die "no tests in test/unit"
make -s -j2 -C test/unit

status=0
for test in "${tests[@]}"; do
	test/unit/run.sh "build/unit/$test" || status=1
done
[ $# -gt 0 ] || tap_command 'trees written by hand have these hashes' \
	node test/vectors/rfc6962/hashes.mjs --check || status=1
if [ -n "${LEDGER_LONG:-}" ] && [ $# -eq 0 ]; then
	test/unit/mutations.sh || status=1
	test/unit/gateway_mutations.sh || status=1
fi
exit "$status"
