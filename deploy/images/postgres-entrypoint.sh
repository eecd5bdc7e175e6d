#!/bin/sh
# The entry point of the PostgreSQL image, on whatever base: makes the cluster and its database once,
# then becomes the server. Any other command than "postgres …" is run as it is.
#
# The superuser has no password and is let in by the socket only, to a process of the same user: who
# administers the database does so in this container, or in one that is given the socket. Everybody else
# comes by TCP with a password.
#
# LEDGER_DATABASE names the database (ledger).
set -eu

[ "${1:-postgres}" = postgres ] || exec "$@"
[ $# -eq 0 ] || shift

database=${LEDGER_DATABASE:-ledger}
case $database in
	*[!a-z0-9_]* | '') echo "ledger-postgres: LEDGER_DATABASE may have a-z, 0-9 and _ only" >&2; exit 1 ;;
esac

# Made beside its place and moved there when it is whole: whoever is killed in between starts anew.
make_cluster() {
	new=$PGDATA.new
	rm -rf "$new"
	initdb --pgdata="$new" --username=postgres --auth=peer --data-checksums \
		--encoding=UTF8 --locale=C.UTF-8 --no-instructions
	cat >>"$new/postgresql.conf" <<-'CONF'

		listen_addresses = '*'
		unix_socket_directories = '/var/run/postgresql'
		password_encryption = 'scram-sha-256'
		log_line_prefix = '%m [%p] %q%u@%d '
	CONF
	cat >"$new/pg_hba.conf" <<-'HBA'
		# type  database     user      address  method
		local   all          postgres           peer
		local   all          all                scram-sha-256
		host    all          postgres  all      reject
		host    all          all       all      scram-sha-256
	HBA
	echo "CREATE DATABASE $database TEMPLATE template0 ENCODING 'UTF8'" |
		postgres --single -j -D "$new" postgres >/dev/null
	mv "$new" "$PGDATA"
	sync
	echo "ledger-postgres: made the cluster and the database $database"
}

[ -s "$PGDATA/PG_VERSION" ] || make_cluster
exec postgres -D "$PGDATA" "$@"
