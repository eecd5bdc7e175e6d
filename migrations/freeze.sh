#!/usr/bin/env bash
# Builds the migration files from sql/, in the order of sql/order.txt, and
# writes their SHA-256 to CHECKSUMS.  A migration named in RELEASED is never
# written again.
#
# usage: freeze.sh           write migrations/NNNN_*.sql and CHECKSUMS
#        freeze.sh --check   only say whether they are up to date
#        freeze.sh --into DIR
#                            write what sql/ says now, released or not, into DIR:
#                            for comparing sql/ with the migrations
#
# sql/order.txt: a line "[0002_tables owner]" begins a migration (owner or
# superuser runs it); the lines after it are files below sql/.  "by-hand" as a
# third word marks a migration that is written by hand, because it changes what
# an earlier one made: it has no files, and sql/ already says the result.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd -P)
sql=$here/../sql

fail() {
	printf 'freeze.sh: %s\n' "$@" >&2
	exit 1
}

# Prints order.txt as lines "migration role kind file"; file is - for a section
# without files.
sections() {
	awk '
		{ sub(/#.*/, ""); $1 = $1 }
		/^$/ { next }
		/^\[[0-9][0-9][0-9][0-9]_[a-z0-9_]+ (owner|superuser)( by-hand)?\]$/ {
			gsub(/[][]/, ""); name = $1; role = $2; kind = $3 ? $3 : "built"
			print name, role, kind, "-"; next
		}
		/^\[/ || name == "" { print "bad line " NR ": " $0 > "/dev/stderr"; exit 1 }
		{ print name, role, kind, $0 }
	' "$sql/order.txt"
}

# Writes the sources of one migration, each under a comment that names it.
build_one() {
	local name=$1 role=$2 target=$3 file
	{
		echo "-- runs as: $role"
		echo "-- Built from sql/ by migrations/freeze.sh.  Frozen once released: change sql/"
		echo "-- and add a migration instead (migrations/README.md)."
		while read -r _ _ _ file; do
			[ "$file" != - ] || continue
			[ -f "$sql/$file" ] || fail "sql/order.txt names $file, which does not exist"
			printf '\n-- ---- sql/%s\n' "$file"
			cat "$sql/$file"
		done < <(sections | awk -v name="$name" '$1 == name')
	} >"$target"
}

released() {
	[ -f "$here/RELEASED" ] && awk '{ print $2 }' "$here/RELEASED" | grep -qxF "$1"
}

check_released() {
	[ ! -s "$here/RELEASED" ] || (cd "$here" && sha256sum --check --quiet RELEASED) ||
		fail "a released migration was edited: restore it"
}

# Builds every migration into a directory; by-hand and released ones are copied
# unless what sql/ says is asked for.
build_all() {
	local target=$1 present=$2 name role kind file
	local listing
	listing=$(sections) || fail "sql/order.txt cannot be read"
	while read -r name role kind file; do
		[ "$file" = - ] || continue
		if [ "$present" = yes ] && [ "$kind" = by-hand ]; then
			printf -- '-- runs as: %s\n' "$role" >"$target/$name.sql"
		elif [ "$present" = no ] && { [ "$kind" = by-hand ] || released "$name.sql"; }; then
			cp "$here/$name.sql" "$target/$name.sql"
		else
			build_one "$name" "$role" "$target/$name.sql"
		fi
	done <<<"$listing"
	(cd "$target" && sha256sum [0-9][0-9][0-9][0-9]_*.sql >CHECKSUMS)
}

# What undoes them is written by hand.
rollback_sums() {
	(cd "$here/rollback" && sha256sum [0-9][0-9][0-9][0-9]_*.sql)
}

compare() {
	local stale=0 file
	for file in "$1"/*.sql "$1"/CHECKSUMS; do
		cmp -s "$file" "$here/${file##*/}" || { echo "not up to date: migrations/${file##*/}"; stale=1; }
	done
	for file in "$here"/[0-9][0-9][0-9][0-9]_*.sql; do
		[ -f "$1/${file##*/}" ] || { echo "not in sql/order.txt: migrations/${file##*/}"; stale=1; }
	done
	return "$stale"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
check_released
case ${1:-} in
	'')
		build_all "$work" no
		for file in "$here"/[0-9][0-9][0-9][0-9]_*.sql; do
			[ -f "$work/${file##*/}" ] || ! released "${file##*/}" ||
				fail "${file##*/} is released and no longer in sql/order.txt"
			rm -f "$file"
		done
		cp "$work"/*.sql "$work/CHECKSUMS" "$here/"
		rollback_sums >"$here/rollback/CHECKSUMS"
		;;
	--check)
		build_all "$work" no
		compare "$work"
		rollback_sums | cmp -s - "$here/rollback/CHECKSUMS" || fail 'not up to date: migrations/rollback/CHECKSUMS'
		;;
	--into)
		build_all "${2:?--into wants a directory}" yes
		;;
	*) fail "unknown option: $1" ;;
esac
