#!/bin/sh
# Applies the migrations beside this script to a database.  Needs psql and
# sha256sum, nothing else.
set -eu

usage() {
	cat <<'TEXT'
usage: migrate.sh [options] [DSN]

Applies migrations/NNNN_*.sql in order, each in one transaction. Running again
does nothing. Several runners at once are safe.

  DSN                    connection string; else the environment variable DSN,
                         else libpq's own PG* variables
  --superuser-dsn DSN    connection for the migrations marked "runs as: superuser",
                         when DSN's login is not one (or SUPERUSER_DSN)
  --dry-run              say what would be applied, change nothing
  --help                 this text

Passwords belong into PGPASSWORD or a password file: a connection string can be
seen in the list of processes.

exit status: 0 up to date  1 a migration or a connection failed  2 wrong usage
             3 a migration was edited, is missing or is out of order
             4 the database is unfit (encoding, server version)
             5 the login lacks a right that a migration needs
TEXT
}

# One constant for every runner: nobody else has a reason to take this lock.
lock_key=5497853135693827906
here=$(cd "$(dirname "$0")" && pwd -P)
history_table=ledger.ledger_schema_migrations

fail() {
	status=$1
	echo "migrate.sh: $2" >&2
	if [ $# -gt 2 ]; then echo "  hint: $3" >&2; fi
	exit "$status"
}

# ---------------------------------------------------------------- the files

# Every file is numbered without a gap, listed in CHECKSUMS, and as listed.
check_files() {
	number=0
	for path in "$here"/[0-9][0-9][0-9][0-9]_*.sql; do
		[ -f "$path" ] || fail 3 "there are no migrations in $here"
		file=${path##*/}
		number=$((number + 1))
		[ "${file%%_*}" = "$(printf %04d "$number")" ] ||
			fail 3 "$file is out of order: number $(printf %04d "$number") was due"
		check_checksum "$file"
		runs_as "$file" >/dev/null
	done
	while read -r sum file; do
		[ -f "$here/$file" ] || fail 3 "$file is listed in CHECKSUMS and missing"
	done <"$here/CHECKSUMS"
}

checksum_of() {
	sha256sum <"$here/$1" | cut -d' ' -f1
}

check_checksum() {
	listed=$(awk -v file="$1" '$2 == file { print $1 }' "$here/CHECKSUMS")
	[ -n "$listed" ] || fail 3 "$1 is not listed in CHECKSUMS" "add migrations with migrations/freeze.sh"
	[ "$listed" = "$(checksum_of "$1")" ] ||
		fail 3 "$1 was edited: its SHA-256 is not the one in CHECKSUMS" \
			"a migration is frozen; restore it and put the change into a new one"
}

# The first line says who must run it.
runs_as() {
	read -r line <"$here/$1" || line=
	case $line in
		'-- runs as: superuser') echo superuser ;;
		'-- runs as: owner') echo owner ;;
		*) fail 3 "$1 does not begin with \"-- runs as: superuser\" or \"-- runs as: owner\"" ;;
	esac
}

# ------------------------------------------------------------- the database

# A subshell, so that the settings reach this psql only.
run_psql() {
	(
		# The files are UTF-8, and notices such as "already exists" tell nothing.
		export PGCLIENTENCODING=UTF8 PGOPTIONS="${PGOPTIONS:-} -c client_min_messages=warning"
		if [ -n "$1" ]; then set -- -d "$@"; else shift; fi
		exec psql -X -A -t -q -v ON_ERROR_STOP=1 "$@"
	)
}

ask() {
	run_psql "$dsn" -c "$1" || fail 1 "cannot ask the database"
}

check_database() {
	facts=$(ask "SELECT pg_catalog.current_setting('server_version_num')::int / 10000,
		pg_catalog.current_setting('server_encoding'),
		(SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = current_user),
		pg_catalog.current_database(), current_user") || exit $?
	IFS='|' read -r major encoding is_superuser database login <<-FACTS
		$facts
	FACTS
	[ "$major" -ge 14 ] ||
		fail 4 "the server is PostgreSQL $major; 14 or newer is needed"
	[ "$encoding" = UTF8 ] ||
		fail 4 "the encoding of database $database is $encoding; it must be UTF8" \
			"CREATE DATABASE ... TEMPLATE template0 ENCODING 'UTF8'"
}

# What was applied must be what lies here, name by name and byte by byte.
check_history() {
	exists=$(ask "SELECT pg_catalog.to_regclass('$history_table') IS NOT NULL") || exit $?
	[ "$exists" = t ] || return 0
	history=$(as_owner_ask "SELECT file_name, checksum FROM $history_table ORDER BY version") ||
		exit $?
	while IFS='|' read -r file sum; do
		[ -n "$file" ] || continue
		[ -f "$here/$file" ] ||
			fail 3 "$file was applied to database $database and is missing here" \
				"run the release that applied it, or a newer one"
		[ "$(checksum_of "$file")" = "$sum" ] ||
			fail 3 "$file is not what was applied to database $database" \
				"history cannot be edited; restore the file and put the change into a new migration"
	done <<-HISTORY
		$history
	HISTORY
}

# Reads as ledger_owner, which a plain login is a member of.
as_owner_ask() {
	if [ "$is_superuser" = t ]; then
		ask "$1"
	else
		check_owner_member
		run_psql "$dsn" -c "SET ROLE ledger_owner" -c "$1" || fail 1 "cannot ask the database"
	fi
}

check_owner_member() {
	member=$(ask "SELECT pg_catalog.pg_has_role(oid, 'MEMBER')
		FROM pg_catalog.pg_roles WHERE rolname = 'ledger_owner'") || exit $?
	[ "$member" = t ] ||
		fail 5 "role $login is not a member of ledger_owner" \
			"as superuser: GRANT ledger_owner TO \"$login\""
}

applied() {
	case "
$history
" in
		*"
$1|"*) return 0 ;;
		*) return 1 ;;
	esac
}

# ---------------------------------------------------------------- one migration

dsn_for() {
	if [ "$(runs_as "$1")" = superuser ]; then
		if [ "$is_superuser" = t ]; then
			echo "$dsn"
		elif [ -n "$superuser_dsn" ]; then
			echo "$superuser_dsn"
		else
			fail 5 "$1 must be run by a superuser, and $login is none" \
				"give a superuser's connection with --superuser-dsn; later migrations run as $login"
		fi
	else
		[ "$is_superuser" = t ] || check_owner_member
		echo "$dsn"
	fi
}

# The row is written before the file runs: the guard against DDL lets only a
# transaction through that has recorded a migration.  The first migration makes
# the table, so there it is written after.
migration_script() {
	cat <<'SQL'
BEGIN ISOLATION LEVEL READ COMMITTED;
SELECT pg_catalog.pg_advisory_xact_lock(:migration_lock) \g /dev/null
SELECT pg_catalog.to_regclass(:'migration_table') IS NULL AS migration_first \gset
\if :migration_as_owner
SET LOCAL ROLE ledger_owner;
\endif
\if :migration_first
SELECT true AS migration_due \gset
\else
SELECT count(*) = 0 AS migration_due
FROM ledger.ledger_schema_migrations
WHERE version = :migration_version \gset
\endif
\if :migration_due
\if :migration_first
\i :migration_path
\endif
INSERT INTO ledger.ledger_schema_migrations (version, file_name, checksum)
VALUES (:migration_version, :'migration_file', :'migration_checksum');
\if :migration_first
\else
\i :migration_path
\endif
COMMIT;
\echo applied
\else
ROLLBACK;
\echo already applied
\endif
SQL
}

apply() {
	file=$1
	target=$(dsn_for "$file") || exit $?
	as_owner=false
	[ "$(runs_as "$file")" = superuser ] || as_owner=true
	outcome=$(migration_script | run_psql "$target" \
		-v migration_lock="$lock_key" -v migration_table="$history_table" \
		-v migration_as_owner="$as_owner" -v migration_path="$here/$file" \
		-v migration_file="$file" -v migration_checksum="$(checksum_of "$file")" \
		-v migration_version="$(echo "${file%%_*}" | sed 's/^0*//')" -f -) ||
		fail 1 "$file failed; nothing of it was kept" "the error stands above"
	# What a migration itself prints comes before the runner's own word.
	outcome=$(echo "$outcome" | tail -n 1)
	echo "$file: $outcome"
	[ "$outcome" != applied ] || count=$((count + 1))
}

# The ledger's own chain gets a ledger.migrated event for each migration that
# has none yet; an interrupted run is caught up by the next.
record_events() {
	exists=$(ask "SELECT pg_catalog.to_regprocedure('ledger.ledger_record_migrations()') IS NOT NULL") ||
		exit $?
	[ "$exists" = t ] || return 0
	unrecorded=$(as_owner_ask "SELECT count(*) FROM $history_table WHERE event_id IS NULL") || exit $?
	[ "$unrecorded" != 0 ] || return 0
	run_psql "$dsn" -o /dev/null <<-SQL || fail 1 "the migrations were applied but not recorded as events" "run again"
		BEGIN;
		SELECT pg_catalog.pg_advisory_xact_lock($lock_key);
		SELECT ledger.ledger_record_migrations();
		COMMIT;
	SQL
}

# -------------------------------------------------------------------- main

dsn=${DSN:-}
superuser_dsn=${SUPERUSER_DSN:-}
dry_run=no
while [ $# -gt 0 ]; do
	case $1 in
		--help | -h) usage; exit 0 ;;
		--dry-run) dry_run=yes ;;
		--superuser-dsn)
			[ $# -gt 1 ] || fail 2 "--superuser-dsn wants a connection string"
			superuser_dsn=$2
			shift ;;
		--superuser-dsn=*) superuser_dsn=${1#*=} ;;
		-*) fail 2 "unknown option: $1" "migrate.sh --help" ;;
		*) dsn=$1 ;;
	esac
	shift
done

history=
count=0
check_files
check_database
check_history

for path in "$here"/[0-9][0-9][0-9][0-9]_*.sql; do
	file=${path##*/}
	if applied "$file"; then
		continue
	elif [ "$dry_run" = yes ]; then
		echo "$file: would be applied, as $(runs_as "$file")"
	else
		apply "$file"
	fi
done
[ "$dry_run" = no ] || exit 0
record_events
if [ "$count" -eq 0 ]; then
	echo "database $database is up to date: nothing to do"
else
	echo "database $database is up to date: $count applied"
fi
