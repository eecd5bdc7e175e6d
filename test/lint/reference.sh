#!/usr/bin/env bash
# docs/reference/ is what docs/generate.sh makes of the sources.  LINT_DSN is a
# freshly migrated ledger on a spare cluster.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
: "${LINT_DSN:?}"
mkdir "$work/present" "$work/changed"

# Prints how the pages differ from those that a database, given by its DSN, makes.
differences() {
	docs/generate.sh --into "$2" "$1" && { diff -u docs/reference "$2" || [ $? -eq 1 ]; }
}

# The lists that must not be empty, and what comes in on standard input is.
some() {
	if grep -q .; then : | none "$1"; else echo 'nothing' | none "$1"; fi
}

differences "$LINT_DSN" "$work/present" | none 'the reference pages are up to date (make docs)'

# The check can fail: a changed COMMENT and a changed header each show.
server=${LINT_DSN%/*} database=${LINT_DSN##*/}
psql -Xq -d "$server/postgres" -c "CREATE DATABASE reference_changed TEMPLATE $database"
psql -Xq -d "$server/reference_changed" -c "COMMENT ON FUNCTION ledger.ledger_chain_id(text, text) IS 'Something else.'"
differences "$server/reference_changed" "$work/changed" | search '^+Something else\.' |
	some 'a changed COMMENT shows as a difference'
sed 's/"Mend the field/"Leave the field/' extension/src/errcodes.h >"$work/errcodes.h"
{ diff docs/reference/errors.md <(node docs/generate/errors.mjs "$work/errcodes.h") || [ $? -eq 1 ]; } |
	search '^> .*Leave the field' | some 'a changed error shows as a difference'
cat >"$work/ledgerctl" <<'END'
#!/bin/sh
gateway/bin/ledgerctl "$@" | sed 's/^  --event FILE .*/  --event FILE          something else/'
END
chmod +x "$work/ledgerctl"
{ diff docs/reference/ledgerctl.md <(docs/generate/ledgerctl.sh "$work/ledgerctl") || [ $? -eq 1 ]; } |
	search '^> .*something else' | some 'a changed --help shows as a difference'
grep -c '^| `LEDGER__' docs/reference/gateway-settings.md | search -vE '^[5-9][0-9]$' | none 'the page of the gateway has its settings'
sed 's/"LG400", "ledger_invalid"/LG400, "ledger_invalid"/' extension/src/errcodes.h >"$work/errcodes.h"
{ node docs/generate/errors.mjs "$work/errcodes.h" 2>&1 >/dev/null || true; } |
	search 'read [0-9]* of' | some 'an entry that cannot be read is refused'

# Every code is in the header, and every one of the header is raised somewhere.
listed=$(search -o '"LG[0-9]\{3\}"' extension/src/errcodes.h | tr -d '"' | sort -u)
mapfile -t sources < <(project_files 'extension/src/*.c' 'sql/*.sql' 'extension/*.sql')
raised=$({
	search -ohE "ERRCODE = 'LG[0-9]{3}'" "${sources[@]}" | search -oE 'LG[0-9]{3}'
	search -ohE 'ERRCODE_LEDGER_[A-Z_]+' "${sources[@]}" | sort -u | while read -r symbol; do
		search -oE "$symbol, \"LG[0-9]{3}\"" extension/src/errcodes.h | search -oE 'LG[0-9]{3}'
	done
} | sort -u)
comm -13 <(echo "$listed") <(search -ohE '\bLG[0-9]{3}\b' "${sources[@]}" | sort -u) |
	none 'every SQLSTATE that the sources name stands in errcodes.h'
comm -23 <(echo "$listed") <(echo "$raised") | none 'every SQLSTATE of errcodes.h is raised somewhere'
