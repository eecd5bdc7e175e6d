# Sourced by the lints: TAP from lists of offenders.
# shellcheck shell=bash
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../deploy/dev/common.sh"
cd "$checkout"

# One test: passes if nothing comes in on standard input; else shows what came.
none() {
	local offenders
	offenders=$(cat)
	if [ -z "$offenders" ]; then
		echo "ok - $1"
	else
		echo "not ok - $1"
		head -n 40 <<<"$offenders" | sed 's/^/#   /'
	fi
}

# Every file of the project (not what is built), optionally only some names:
# project_files '*.sql' 'deploy/*'.  Fails if there is none, so that a check
# never passes for want of anything to read.
project_files() {
	local files
	files=$(git -c safe.directory="$checkout" ls-files --cached --others --exclude-standard -- "$@" |
		while read -r file; do [ ! -f "$file" ] || echo "$file"; done | sort -u)
	[ -n "$files" ] || { echo "no files match: $*" >&2; return 1; }
	echo "$files"
}

# grep that has not failed when nothing matches; a real error still ends a lint.
search() {
	grep "$@" || [ $? -eq 1 ]
}
