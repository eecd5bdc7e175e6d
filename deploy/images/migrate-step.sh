#!/bin/sh
# The migration step of a deployment, run before the gateway of a new release starts. Running it again
# changes nothing.
#
#   1. waits for the database, and migrates it;
#   2. if LEDGER_SERVICE_LOGIN is set: makes that login, gives it the password of PGPASSWORD (or of the file
#      that PGPASSWORD_FILE names) and what a gateway needs, and the tenants of LEDGER_TENANTS.
#
# LEDGER__DB__CONNECTIONSTRING is the connection of a superuser here, a URI or keywords of libpq, and has
# nothing to do with the string of that name that the gateway gets.
set -eu

share=/usr/local/share/findings-ledger

fail() {
	echo "ledger-migrate: $1" >&2
	echo "  hint: $2" >&2
	exit 1
}

connection=${LEDGER__DB__CONNECTIONSTRING:?"it is to name the database, as a superuser"}
login=${LEDGER_SERVICE_LOGIN:-}
password=${PGPASSWORD:-}
# It is the login's, not ours.
unset PGPASSWORD
if [ -n "${PGPASSWORD_FILE:-}" ]; then
	[ -r "$PGPASSWORD_FILE" ] || fail "cannot read $PGPASSWORD_FILE (PGPASSWORD_FILE)" "user $(id -u) must be able to"
	password=$(cat "$PGPASSWORD_FILE")
fi

check_login() {
	case $login in
		[!a-z_]* | *[!a-z0-9_]*)
			fail "LEDGER_SERVICE_LOGIN is to be made of a-z, 0-9 and _" "for instance ledger_service" ;;
		postgres | ledger_*) [ "$login" = ledger_service ] ||
			fail "LEDGER_SERVICE_LOGIN is a role that the ledger has itself" "for instance ledger_service" ;;
	esac
	[ -n "$password" ] || fail "there is no password for $login" "set PGPASSWORD or PGPASSWORD_FILE"
	[ "$password" != CHANGE-ME ] || fail "the password for $login is still that of the example" "openssl rand -hex 24"
}

[ -z "$login" ] || check_login
ledgerctl migrate --wait 60s
[ -n "$login" ] || exit 0

psql -Xq -v ON_ERROR_STOP=1 -v login="$login" -v tenants="${LEDGER_TENANTS:-}" -d "$connection" \
	-f "$share/service-login.sql"
# psql hashes it before it sends it, so that no log of the server can hold it. Without a terminal it reads it
# from its input.
printf '%s\n%s\n' "$password" "$password" |
	setsid --wait psql -Xq -v ON_ERROR_STOP=1 -d "$connection" -c "\\password $login" >/dev/null 2>&1 ||
	fail "the password of $login could not be set" "the server's log says why"
echo "login $login: ready"
