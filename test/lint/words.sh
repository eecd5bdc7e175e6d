#!/usr/bin/env bash
# The project speaks of itself only, and is finished: no path of the machine it
# was written on, no word that marks work left over.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tap.sh"

mapfile -t files < <(project_files ':!:test/vectors' ':!:test/lint/words.sh')

search -nIE -e '\b(TODO|FIXME|XXX|HACK)\b' -e '[Nn]ot (yet )?implemented' "${files[@]}" | none 'nothing is left over'
search -nI -F -e "$checkout/" "${files[@]}" | none 'no file names the folder it lies in'
search -nIE -e '(^|[^A-Za-z0-9_.])/(home|work|Users)/[a-z]' "${files[@]}" | none 'no file names a folder of someone'\''s machine'
