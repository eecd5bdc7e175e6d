# Sourced by suites that use packages of npm, after suite.sh.
# shellcheck shell=bash

# need_packages DIRECTORY PACKAGE...: these are there in the versions that DIRECTORY's package.json says; the lock file
# beside it pins all of them by digest.
need_packages() {
	local dir=$1 package
	shift
	for package in "$@"; do
		[ "$(node -p "require('./$dir/node_modules/$package/package.json').version" 2>/dev/null)" = \
			"$(node -p "require('./$dir/package.json').devDependencies['$package']")" ] && continue
		(cd "$dir" && npm ci) >"$work/npm.out" 2>&1 || { sed 's/^/# /' "$work/npm.out"; die 'npm ci failed'; }
		return
	done
}
