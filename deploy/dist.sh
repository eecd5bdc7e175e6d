#!/usr/bin/env bash
# Lays out the distribution: build/dist/findings-ledger-VERSION, in which the commands of the deployment guide run
# as they are written, and a tar of it. The same sources make the same bytes, whenever and wherever.
#
# usage: dist.sh [DIRECTORY]        else build/dist
#
# Besides the sources and pages there are, as the guide names them: etc/secrets and etc/ledger (from
# deploy/compose) and ops/offline-kit (from deploy/offline-kit). SOURCE_DATE_EPOCH sets the time of all files; else
# it is that of the last commit.
set -euo pipefail
export LC_ALL=C

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
out=${1:-$top/build/dist}
contents=(deploy docs extension gateway migrations sql Makefile CHANGELOG.md CONTRIBUTING.md LICENSE META.json
	README.md SECURITY.md)

version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" "$top/extension/findings_ledger.control")
name=findings-ledger-$version
mkdir -p "$out"
tree=$(cd "$out" && pwd -P)/$name
epoch=${SOURCE_DATE_EPOCH:-$(
	if [ -e "$top/.git" ]; then git -C "$top" log -1 --format=%ct; else stat -c %Y "$top/CHANGELOG.md"; fi
)}

# What belongs to the project and not what was built from it; a distribution has no git to ask.
sources() {
	cd "$top"
	if [ -e .git ]; then
		git ls-files -z --cached --others --exclude-standard -- "${contents[@]}"
	else
		find "${contents[@]}" \( -name node_modules -o -path gateway/bin -o -path deploy/compose/etc \) -prune -o \
			-type f ! -name '*.o' ! -name '*.so' ! -name '*.a' ! -name '*.bc' -print0
	fi | sort -zu | while IFS= read -rd '' file; do [ ! -f "$file" ] || printf '%s\0' "$file"; done
}

lay_out() {
	rm -rf "$tree"
	mkdir -p "$tree"
	sources | tar -C "$top" --create --null --files-from=- | tar -C "$tree" --extract
	cd "$tree"
	mkdir -p etc/secrets etc/ledger ops/offline-kit
	cp deploy/compose/secrets/* etc/secrets/
	cp deploy/compose/settings/* etc/ledger/
	[ ! -d deploy/offline-kit ] || cp -R deploy/offline-kit/. ops/offline-kit/
	# Compose takes paths from the folder of its file, and the guide's are from here.
	ln -s ../../etc deploy/compose/etc
	find . -type d -exec chmod 755 {} +
	find . -type f -perm /111 -exec chmod 755 {} +
	find . -type f ! -perm /111 -exec chmod 644 {} +
	find . -type f ! -path ./SHA256SUMS -print0 | sort -z | xargs -0 sha256sum | sed 's|  \./|  |' >SHA256SUMS
	chmod 644 SHA256SUMS
	find . -exec touch --no-dereference --date="@$epoch" {} +
}

pack() {
	cd "${tree%/*}"
	tar --create --format=gnu --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$epoch" "$name" |
		gzip -9n >"$name.tar.gz"
	sha256sum "$name.tar.gz" >SHA256SUMS
}

(lay_out)
(pack)
echo "$tree.tar.gz"
