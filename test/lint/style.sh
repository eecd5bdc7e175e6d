#!/usr/bin/env bash
# Layout of the source: PostgreSQL's C style, tabs, and no stray white space.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tap.sh"

mapfile -t c_files < <(project_files 'extension/*.c' 'extension/*.h' 'gateway/*.c' 'gateway/*.h' 'test/*.c' 'test/*.h')

mapfile -t texts < <(project_files ':!:test/vectors' ':!:test/fuzz/corpus' ':!:test/*/expected/*' ':!:*.png' ':!:*.gz')

# Reads each file with tabs of four; prints "file:line" of lines that match.
lines_where() {
	local condition=$1 file
	shift
	for file in "$@"; do
		expand -t4 "$file" | awk -v file="$file" "$condition"' { print file ":" NR ": " $0 }'
	done
}

# PostgreSQL's rule is 80 to 100 columns; nothing needs more than 120.  The list
# of error codes is a table.
lines_where 'length($0) > 120' "${c_files[@]}" | search -v '/errcodes\.h:' |
	none 'no line of C is longer than 120 columns'
search -nE '^(static |extern )?[A-Za-z_].*[a-z_]+\(.*\)$' "${c_files[@]}" |
	search -E '^[^:]+\.c:[0-9]+:(static|bool|int|void|char|size_t|lc_status|Datum) ' |
	search -vE '\b(pg_attribute|__attribute__)' |
	none "a function's return type stands on a line of its own"
search -nE '^[^"/]*\) *\{$' "${c_files[@]}" | none 'a brace begins on a line of its own'
search -nE '(^|[[:space:];])//' "${c_files[@]}" | none 'comments in C are /* */'
search -nE '^ {4}' "${c_files[@]}" | none 'indentation in C is made of tabs'
# With standard_conforming_strings off, which a session may have, it is another string.
mapfile -t sql_files < <(project_files 'sql/*.sql' 'extension/*.sql')
search -nE "(^|[^E])'[^']*\\\\" "${sql_files[@]}" | search -vE '^[^:]+:[0-9]+:[[:space:]]*(--|\\)' | search -vE '\\(gset|gexec)$' |
	none "a string of SQL with a backslash is written E'…'"
search -nIE '[[:space:]]+$' "${texts[@]}" | none 'no line ends with white space'
for file in "${texts[@]}"; do
	[ ! -s "$file" ] || [ -z "$(tail -c1 "$file")" ] || echo "$file"
done | none 'every file ends with a newline'
