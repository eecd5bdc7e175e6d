#!/bin/sh
# usage: migrate.sh [DSN] [option of ledgerctl migrate...]
#
# Brings a database to this checkout's release with the ledgerctl that was built
# here.  Without DSN the environment variable DSN counts, else what ledgerctl
# goes by itself.
set -eu

here=$(cd "$(dirname "$0")" && pwd -P)
ledgerctl=$here/../gateway/bin/ledgerctl
if [ ! -x "$ledgerctl" ]; then
	echo "migrate.sh: $ledgerctl is not built: run make build" >&2
	exit 1
fi
dsn=${DSN:-}
case ${1:-} in
	'' | -*) ;;
	*)
		dsn=$1
		shift ;;
esac
if [ -n "$dsn" ]; then set -- --connection "$dsn" "$@"; fi
exec "$ledgerctl" migrate "$@"
