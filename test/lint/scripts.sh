#!/usr/bin/env bash
# Every script parses, in the language that it says it is.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tap.sh"

perl_lib=$(dirname "$("$PG_CONFIG" --pgxs)")/../test/perl

# One line for a script that does not parse, with what its interpreter said.
parse() {
	local output
	output=$("$@" 2>&1) || echo "${*: -1}: $(head -n 1 <<<"$output")"
}

project_files '*.sh' '.ci/run' 'test/run' | while read -r file; do
	case $(head -n 1 "$file") in
		'#!/bin/sh') parse dash -n "$file" ;;
		*) parse bash -n "$file" ;;
	esac
done | none 'every shell script parses'

project_files '*.pl' '*.pm' | while read -r file; do
	parse perl -I "$perl_lib" -I test/tap/lib -c "$file"
done | none 'every Perl file compiles'

project_files '*.mjs' | while read -r file; do
	parse node --check "$file"
done | none 'every JavaScript file parses'

project_files '*.json' | search -v '^test/vectors/' | while read -r file; do
	parse node -e 'JSON.parse(require("fs").readFileSync(process.argv[1], "utf8"))' "$file"
done | none 'every JSON file parses'

project_files '*.sh' | while read -r file; do
	[ "$(head -c 2 "$file")" != '#!' ] || [ -x "$file" ] || echo "$file"
done | none 'every script with an interpreter line is executable'

project_files '*.sh' '.ci/run' 'test/run' | search -vE '^test/(suites|lint|lib)/|/common\.sh$' | while read -r file; do
	search -qE '^[[:space:]]*set -(eu|u)' "$file" || echo "$file"
done | none 'every shell script refuses unset variables'
