#!/usr/bin/env bash
# clang-format is a help, not a judge: it cannot say all of PostgreSQL's style.  What
# is tested is that its configuration can be read; how many files it would lay out
# otherwise is told, and fails nothing.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tap.sh"

mapfile -t files < <(project_files 'extension/*.c' 'extension/*.h' 'gateway/*.c' 'gateway/*.h')

clang-format --style=file --dump-config 2>&1 >/dev/null | none '.clang-format can be read'

otherwise=$(clang-format --style=file --dry-run "${files[@]}" 2>&1 |
	search -oE '^[^:]+\.[ch]:' | sort -u | wc -l)
echo "# clang-format would lay out $otherwise of ${#files[@]} files otherwise"

# A configuration with a word that is none does not pass.
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed 's/^BreakBeforeBraces: Allman/BreakBeforeBraces: Nowhere/' .clang-format >"$work/.clang-format"
if (cd "$work" && clang-format --style=file --dump-config >/dev/null 2>&1); then
	echo 'it was read'
fi | none 'a broken .clang-format is found'
