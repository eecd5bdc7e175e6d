#!/usr/bin/env bash
# PostgreSQL::Test::Cluster: crash, standby, dump and restore (test/tap/*.pl).
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

mapfile -t tests < <(tests_in test/tap pl "$@")
[ ${#tests[@]} -gt 0 ] || die "no tests in test/tap"
stage
as_server_dir "$work/tap"
# Go's code judges us: the server's user cannot build it here.
case " ${tests[*]} " in *' external_anchors '* | *' handing_out '*)
	make -s -C test/go ../../build/go/witness ../../build/go/tiles
	cp build/go/witness build/go/tiles "$work/tap/"
esac
status=0
cd "$work/src/test/tap"
as_server env --chdir="$work/src/test/tap" \
	PATH="$PATH" PG_CONFIG="$PG_CONFIG" LEDGER_LONG="${LEDGER_LONG:-}" \
	LEDGER_WITNESS="$work/tap/witness" LEDGER_GO_TILES="$work/tap/tiles" PG_REGRESS="$pgxs_test/regress/pg_regress" \
	TESTDIR="$work/tap" TESTDATADIR="$work/tap/data" TESTLOGDIR="$work/tap/log" \
	prove --verbose --merge -I "$pgxs_test/perl" -I lib "${tests[@]/%/.pl}" 2>&1 || status=$?
# The servers' logs of a failed run are worth keeping.
if [ "$status" -ne 0 ]; then
	rm -rf "$checkout/build/logs/tap"
	mkdir -p "$checkout/build/logs/tap"
	find "$work/tap" -name '*log*' -type f -exec cp -t "$checkout/build/logs/tap" {} + || true
fi
exit "$status"
