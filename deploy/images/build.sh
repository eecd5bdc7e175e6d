#!/usr/bin/env bash
# Builds the images from the sources beside this script.
#
# usage: build.sh [--base-postgres IMAGE] [--base-gateway IMAGE] [--tag TAG] [postgres | gateway]... [-- OPTION...]
#
#   --base-…   what to build on; pin it by digest
#   --tag      the tag of what is built (STELLA_VERSION, or 2025.11.0): stellaops/findings-ledger-postgres:TAG
#              and stellaops/findings-ledger:TAG
#   OPTION     goes to "docker build"
#
# DOCKER names another engine's program: DOCKER=podman.
set -euo pipefail

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)
version=$(sed -n "s/^default_version = '\(.*\)'/\1/p" "$top/extension/findings_ledger.control")
commit=${COMMIT:-$(git -C "$top" rev-parse HEAD 2>/dev/null || echo unknown)}
tag=${STELLA_VERSION:-2025.11.0}
base_postgres='' base_gateway='' images=() options=()

usage() {
	sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
	exit 2
}

while [ $# -gt 0 ]; do
	case $1 in
		--base-postgres | --base-gateway | --tag)
			[ $# -gt 1 ] || usage
			case $1 in
				--base-postgres) base_postgres=$2 ;;
				--base-gateway) base_gateway=$2 ;;
				*) tag=$2 ;;
			esac
			shift ;;
		postgres | gateway) images+=("$1") ;;
		--) shift; options=("$@"); break ;;
		*) usage ;;
	esac
	shift
done
[ ${#images[@]} -gt 0 ] || images=(postgres gateway)

# The sources and nothing that was built from them, always in the same order: what did not change is taken
# from the engine's cache.
context() {
	tar -C "$top" --create --sort=name --owner=0 --group=0 --numeric-owner --mtime=@0 \
		--exclude='*.o' --exclude='*.so' --exclude='*.a' --exclude='*.bc' --exclude=gateway/bin \
		extension gateway migrations deploy/images LICENSE
}

build() {
	local image=$1 name=$2 base=$3
	# BuildKit is not everywhere, and nothing here needs it.
	context | DOCKER_BUILDKIT=${DOCKER_BUILDKIT:-0} "${DOCKER:-docker}" build ${base:+--build-arg "BASE=$base"} \
		--build-arg "VERSION=$version" --build-arg "COMMIT=$commit" "${options[@]}" \
		--tag "stellaops/$name:$tag" --file "deploy/images/$image.Dockerfile" -
}

for image in "${images[@]}"; do
	case $image in
		postgres) build postgres findings-ledger-postgres "$base_postgres" ;;
		gateway) build gateway findings-ledger "$base_gateway" ;;
	esac
done
