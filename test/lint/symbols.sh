#!/usr/bin/env bash
# The shared library exports what PostgreSQL looks up by name, and the core; any
# other name could clash with another library in the same backend.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tap.sh"

library=extension/findings_ledger.so
exported=$(nm --dynamic --defined-only "$library" | awk '{ print $NF }')

search -vE '^(ledger_|lc_|pg_finfo_ledger_|Pg_magic_func$|_PG_init$)' <<<"$exported" |
	none "$library exports only names with the project's prefixes"

comm -23 <(grep -oE "'MODULE_PATHNAME', *'[a-z0-9_]+'" extension/findings_ledger--*.sql |
	search -oE "[a-z0-9_]+'$" | tr -d "'" | sort -u) <(sort -u <<<"$exported") |
	none "every C function of the extension script is in $library"
