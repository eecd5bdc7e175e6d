#!/usr/bin/env bash
# A throw-away PostgreSQL cluster for this checkout, kept in .run/ (or in
# $LEDGER_RUN_DIR).  It never touches a cluster of the system.
#
# usage: cluster.sh start | stop | status | destroy
#        cluster.sh dsn [writer|auditor|operator|reader|loader|anchorer|gateway]
#
# CLUSTER_CONF, if set, holds lines that are added to postgresql.conf when the
# cluster is created.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

# What .run/ remembers: data_dir, socket_dir and port.
state_file=$run_dir/cluster
database=ledger

free_port() {
	perl -MIO::Socket::INET -e '
		my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ARGV[0],
			Listen => 1, ReuseAddr => 1)
			or exit 1;
		print $s->sockport, "\n";' "$1"
}

save_state() {
	printf 'data_dir=%q\nsocket_dir=%q\nport=%q\n' "$data_dir" "$socket_dir" "$port" >"$state_file"
}

load_state() {
	[ -f "$state_file" ] || return 1
	. "$state_file"
}

running() {
	as_server test -f "$data_dir/postmaster.pid" && ! defunct &&
		as_server pg_ctl status -D "$data_dir" >/dev/null
}

# A server that was killed stands in the list of processes until somebody reaps
# it, in a container perhaps never, and pg_ctl takes it for alive.
defunct() {
	local pid
	pid=$(as_server head -n 1 "$data_dir/postmaster.pid")
	grep -qs '^State:.Z' "/proc/$pid/status"
}

# A directory that only the server's user (and root) may enter.
private_dir() {
	install -d -m 700 "$1"
	[ "$(id -u)" -ne 0 ] || chown "$server_user": "$1"
}

# A private checkout (below /root, say) is out of the server user's reach: then
# the data lie below /var/tmp and .run/ remembers where.
choose_data_dir() {
	if as_server test -x "$run_dir"; then
		data_dir=$run_dir/data
	else
		data_dir=$(mktemp -d /var/tmp/findings-ledger-XXXXXXXX)/data
		chmod 711 "${data_dir%/data}"
	fi
	private_dir "$data_dir"
}

# A socket's path may have 107 bytes at most, wherever the checkout lies.
choose_socket_dir() {
	socket_dir=/tmp/findings-ledger-$(id -u)-$(printf '%s' "$run_dir" | sha256sum | cut -c1-10)
	ensure_socket_dir
}

ensure_socket_dir() {
	[ ! -L "$socket_dir" ] || die "$socket_dir is a symbolic link; remove it"
	[ -d "$socket_dir" ] || private_dir "$socket_dir"
	[ "$(stat -c %U "$socket_dir")" = "$server_user" ] ||
		die "$socket_dir belongs to someone else; remove it"
}

create() {
	mkdir -p "$run_dir"
	choose_data_dir
	choose_socket_dir
	port=$(free_port 0)
	as_server initdb --pgdata="$data_dir" --username=postgres --auth=trust \
		--encoding=UTF8 --locale=C.UTF-8 --no-instructions >"$run_dir/initdb.log" ||
		die "initdb failed" "see $run_dir/initdb.log"
	as_server tee -a "$data_dir/postgresql.conf" >/dev/null <<-CONF
		listen_addresses = '127.0.0.1'
		unix_socket_directories = '$socket_dir'
		log_line_prefix = '%m [%p] %q%u@%d '
		${CLUSTER_CONF:-}
	CONF
	save_state
}

server_log() {
	echo "${data_dir%/data}/server.log"
}

start() {
	load_state || create
	if running; then return; fi
	ensure_socket_dir
	# Its lock files would keep the next server from starting.  If its backends are
	# still alive, the shared memory that they hold does so.
	if as_server test -f "$data_dir/postmaster.pid" && defunct; then
		as_server rm -f "$data_dir/postmaster.pid" "$socket_dir"/.s.PGSQL.*
	fi
	# Someone may have taken the port since; the socket's name goes with it.
	if ! free_port "$port" >/dev/null; then
		port=$(free_port 0)
		save_state
	fi
	# The log stands beside the data, where the server's user may not create files.
	touch "$(server_log)"
	[ "$(id -u)" -ne 0 ] || chown "$server_user": "$(server_log)"
	as_server pg_ctl start -w -t 60 -D "$data_dir" -l "$(server_log)" -o "-p $port" >/dev/null ||
		die "the server did not start" "see $(server_log)"
	create_database
}

create_database() {
	local url=postgresql://postgres@127.0.0.1:$port/postgres
	if [ -z "$(psql -XAtq -d "$url" -c "SELECT 1 FROM pg_database WHERE datname = '$database'")" ]; then
		psql -Xq -d "$url" -c "CREATE DATABASE $database TEMPLATE template0 ENCODING 'UTF8'"
	fi
}

stop() {
	load_state || return 0
	if running; then
		as_server pg_ctl stop -w -m fast -D "$data_dir" >/dev/null
	fi
}

destroy() {
	load_state || return 0
	# A gateway of this cluster goes with it.
	"$(dirname "${BASH_SOURCE[0]}")/gateway.sh" destroy
	stop
	rm -rf "$data_dir" "$socket_dir"
	case $data_dir in
		/var/tmp/findings-ledger-*/data) rm -rf "${data_dir%/data}" ;;
	esac
	rm -f "$state_file" "$run_dir/loaded" "$run_dir/initdb.log" "$run_dir/server.log" "$run_dir/anchor.log"
	# Key, state and checkpoints are of the log that is gone.
	rm -rf "$run_dir/keys" "$run_dir/signer" "$run_dir/checkpoints"
	rmdir --ignore-fail-on-non-empty "$run_dir"
}

dsn() {
	local user=postgres
	case ${1:-} in
		'') ;;
		writer | auditor | operator | reader | loader | anchorer | gateway) user=demo_$1 ;;
		*) die "unknown role: $1" "one of writer, auditor, operator, reader, loader, anchorer, gateway" ;;
	esac
	load_state || die "there is no cluster yet" "make up creates one"
	echo "postgresql://$user@127.0.0.1:$port/$database"
}

status() {
	load_state || { echo "no cluster"; return 3; }
	if running; then
		echo "running: $(dsn)"
	else
		echo "stopped: data in $data_dir"
		return 3
	fi
}

case ${1:-} in
	start | stop | status | destroy) "$1" ;;
	dsn) dsn "${2:-}" ;;
	*) die "usage: cluster.sh start | stop | status | destroy | dsn [ROLE]" ;;
esac
