#!/usr/bin/env bash
# The distribution: what the deployment guide names is where it names it, and the same sources make the same bytes.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"
. test/lib/check.sh

version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" extension/findings_ledger.control)
name=findings-ledger-$version

digest() {
	sha256sum <"$1/$name.tar.gz"
}

# What the guide copies, edits, builds or calls.
guides_paths() {
	local path
	for path in deploy/compose/env/ledger.env.example etc/secrets/ledger.postgres.secret.example \
		deploy/compose/docker-compose.prod.yaml etc/ledger/appsettings.json deploy/compose/etc/ledger/appsettings.json \
		ops/offline-kit deploy/images/build.sh migrations/0001_bootstrap.sql docs/how-to/install.md Makefile LICENSE; do
		check "there is $path" test -e "$tree/$path"
	done
	# As the guide writes them.
	check 'the guide copies its settings' bash -ec 'cd "$1"
		cp deploy/compose/env/ledger.env.example ledger.env
		cp etc/secrets/ledger.postgres.secret.example ledger.postgres.env
		rm ledger.env ledger.postgres.env' - "$tree"
}

# Every file is one of the project, with the bytes that it has there.
same_as_the_sources() {
	local dir
	# What diff says of a place that it cannot read is a difference too.  grep ends with 1 where there is
	# none to show, which is what is hoped for.
	for dir in deploy docs extension gateway migrations sql; do
		diff -r "$dir" "$tree/$dir" 2>&1 | grep -v '^Only in' || true
		diff -r "$dir" "$tree/$dir" | grep "^Only in $tree" | grep -v "^Only in $tree/deploy/compose: etc$" || true
	done >"$work/differences"
	check 'every file is as it is in the sources' test ! -s "$work/differences"
	git -c safe.directory="$checkout" ls-files --cached --others --exclude-standard -- \
		deploy docs extension gateway migrations sql | while read -r file; do
		[ ! -f "$file" ] || [ -f "$tree/$file" ] || echo "$file"
	done >"$work/missing"
	check 'and none is missing' test ! -s "$work/missing"
	check 'nothing that was built is in it' is "$(find "$tree" -name '*.[oa]' -o -name '*.so' -o -name node_modules |
		wc -l)" -eq 0
}

sums() {
	check 'SHA256SUMS of the tree hold' bash -c 'cd "$1" && sha256sum --quiet --check SHA256SUMS' - "$tree"
	check 'and name every file' diff <(cd "$tree" && find . -type f ! -name SHA256SUMS | sed 's|^\./||' | sort) \
		<(awk '{ print $2 }' "$tree/SHA256SUMS" | sort)
	check 'SHA256SUMS of the archive hold' bash -c 'cd "$1" && sha256sum --quiet --check SHA256SUMS' - "$work/one"
	check 'the archive is that tree' bash -ec 'mkdir "$2"
		tar -C "$2" -xf "$1/$3.tar.gz"
		diff -r --no-dereference "$1/$3" "$2/$3"' - "$work/one" "$work/unpacked" "$name"
	check 'of nobody in particular, and of one time' is "$(TZ=UTC tar --numeric-owner --full-time -tvf \
		"$work/one/$name.tar.gz" | awk '{ print $2, $4, $5 }' | sort -u | wc -l)" -eq 1
}

reproducible() {
	check 'another zone, mask and language: the same bytes' bash -ec 'umask 077
		export TZ=Asia/Tokyo LANG=de_DE.UTF-8
		deploy/dist.sh "$1"' - "$work/two"
	check 'they are' is "$(digest "$work/two")" = "$(digest "$work/one")"
	# Without git, from the archive, in another place.
	check 'the distribution makes itself' "$work/unpacked/$name/deploy/dist.sh" "$work/three"
	check 'with the same bytes' is "$(digest "$work/three")" = "$(digest "$work/one")"
	echo >>"$work/unpacked/$name/LICENSE"
	check 'a changed file makes another one' "$work/unpacked/$name/deploy/dist.sh" "$work/four"
	check 'with other bytes' is "$(digest "$work/four")" != "$(digest "$work/one")"
}

check 'make dist ends well' deploy/dist.sh "$work/one"
tree=$work/one/$name
guides_paths
same_as_the_sources
sums
reproducible
