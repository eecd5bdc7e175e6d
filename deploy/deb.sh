#!/usr/bin/env bash
# Builds the Debian packages findings-ledger and postgresql-15-findings-ledger (deploy/debian).  The same
# sources make the same bytes, wherever and whenever they are built.
#
# usage: deb.sh [--out DIR]            into build/deb, if not told otherwise
#
# The version is that of META.json; before its release it is 1.0.0~dev, which the release follows.  The time in
# the packages is SOURCE_DATE_EPOCH, else the last commit's.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
out=$top/build/deb
case ${1:-} in
	--out) out=${2:?"--out wants a directory"} ;;
	'') ;;
	*) sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
esac

die() {
	echo "deb.sh: $1" >&2
	echo "  hint: $2" >&2
	exit 1
}
command -v dpkg-buildpackage >/dev/null || die 'dpkg-buildpackage was not found' 'deploy/setup.sh --deploy'

version=$(sed -n 's/^\t"version": "\(.*\)",/\1/p' "$top/META.json")
grep -q "^## ${version//./\\.} - " "$top/CHANGELOG.md" || version+='~dev'
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -c safe.directory="$top" -C "$top" log -1 --format=%ct 2>/dev/null ||
	stat -c %Y "$top/CHANGELOG.md")}
export SOURCE_DATE_EPOCH LC_ALL=C.UTF-8

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/findings-ledger-$version

# The sources, without what was built from them and what only the repository needs.
copy_sources() {
	mkdir "$tree"
	tar -C "$top" --create --exclude='*.o' --exclude='*.so' --exclude='*.a' --exclude='*.bc' --exclude=gateway/bin \
		--exclude='docs/generate*' \
		extension gateway migrations docs deploy/systemd README.md CHANGELOG.md SECURITY.md LICENSE META.json |
		tar -C "$tree" --extract --no-same-permissions --no-same-owner
	cp -R "$top/deploy/debian" "$tree/debian"
	chmod -R u=rwX,go=rX "$tree"
}

write_changelog() {
	cat >"$tree/debian/changelog" <<-TEXT
		findings-ledger ($version) unstable; urgency=medium

		  * What changed stands in CHANGELOG.md, of the package findings-ledger.

		 -- The Findings Ledger developers <maintainers@ledger.invalid>  $(date -R -u -d "@$SOURCE_DATE_EPOCH")
	TEXT
}

# LICENSE, in the form that Debian's copyright files have: a blank line is a full stop.
write_copyright() {
	{
		echo 'Files: *'
		sed -n 's/^Copyright (c) /Copyright: /p' "$top/LICENSE"
		echo 'License: PostgreSQL'
		sed '1,/^Copyright/d' "$top/LICENSE" | sed '1{/^$/d}' | sed -e 's/^$/./' -e 's/^/ /'
	} >>"$tree/debian/copyright"
}

umask 022
copy_sources
write_changelog
write_copyright
# Nothing of the caller's environment changes what is built.
(cd "$tree" && env -u PG_CONFIG -u MAKEFLAGS -u MAKELEVEL -u CFLAGS -u LDFLAGS -u DEB_BUILD_OPTIONS TZ=UTC \
	dpkg-buildpackage --jobs=auto --build=binary --no-sign --post-clean) >"$work/log" 2>&1 || {
	tail -n 60 "$work/log" >&2
	die 'the build failed' 'its last lines stand above'
}
mkdir -p "$out"
rm -f "$out"/*.deb "$out"/*.changes "$out"/*.buildinfo
cp "$work"/*.deb "$work"/*.changes "$work"/*.buildinfo "$out/"
cp "$work/log" "$out/build.log"
(cd "$out" && sha256sum -- *.deb)
