#!/usr/bin/env bash
# A database built by the migrations and one built from sql/ as it is now are the
# same, by pg_dump.  LINT_DSN is a superuser's connection to a spare cluster.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tap.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
server=${LINT_DSN%/*}

# The schema as text, without what differs from run to run: the dump's random
# restrict key, and the name of the database.
schema_of() {
	pg_dump --schema-only --no-comments --dbname="$server/$1" |
		sed -E -e '/^\\(un)?restrict /d' -e "s/\b$1\b/DATABASE/g" >"$work/$1.sql"
	pg_dump --schema-only --dbname="$server/$1" | grep '^COMMENT ON' | sort >>"$work/$1.sql"
	# The vocabulary is part of what a migration makes.
	psql -XAtq -d "$server/$1" -c 'TABLE ledger.ledger_event_types ORDER BY 1' \
		-c 'TABLE ledger.ledger_partition_intent ORDER BY 1' >>"$work/$1.sql"
}

build() {
	psql -Xq -d "$server/postgres" -c "CREATE DATABASE $1 TEMPLATE template0 ENCODING 'UTF8'"
	migrations/migrate.sh "$server/$1" --dir "$2" >/dev/null
	schema_of "$1"
}

mkdir "$work/present"
migrations/freeze.sh --into "$work/present"
build drift_migrations migrations
build drift_present "$work/present"

awk 'END { if (NR < 500) print NR " lines" }' "$work/drift_present.sql" |
	none 'the dump of the schema is a whole one'
{ diff -u "$work/drift_migrations.sql" "$work/drift_present.sql" || [ $? -eq 1 ]; } |
	none 'the migrations and sql/ make the same schema'
