# Sourced by the scripts beside it: where things are, and who runs the server.
# shellcheck shell=bash

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd -P)

# LEDGER_RUN_DIR lets a test have a cluster of its own.
run_dir=${LEDGER_RUN_DIR:-$checkout/.run}

die() {
	printf '%s: %s\n' "${0##*/}" "$1" >&2
	shift
	[ $# -eq 0 ] || printf '  %s\n' "$@" >&2
	exit 1
}

if [ -z "${PG_CONFIG:-}" ]; then
	PG_CONFIG=/usr/lib/postgresql/15/bin/pg_config
	[ -x "$PG_CONFIG" ] || PG_CONFIG=pg_config
fi
pg_bin=$("$PG_CONFIG" --bindir) ||
	die "PostgreSQL was not found" "run deploy/setup.sh, or set PG_CONFIG"
export PATH="$pg_bin:$PATH"

# A server refuses to run as root, so root lends it the unprivileged user that
# Debian's package made.
if [ "$(id -u)" -eq 0 ]; then
	server_user=postgres
else
	server_user=$(id -un)
fi

# Runs a command as the server's user, in a directory that user can enter.
as_server() {
	if [ "$(id -u)" -eq 0 ]; then
		(cd / && exec runuser -u "$server_user" -- "$@")
	else
		(cd / && exec "$@")
	fi
}
