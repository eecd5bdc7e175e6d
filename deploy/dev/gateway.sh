#!/usr/bin/env bash
# The gateway of this checkout's throw-away cluster, with keys of its own in .run/.
# It listens on 127.0.0.1:8188 and, for health and metrics, 8189, or on other ports
# if somebody has these; .run/ remembers them.
#
# usage: gateway.sh start | stop | status | url | admin-url | destroy
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

program=$checkout/gateway/bin/ledger-gateway
pid_file=$run_dir/gateway.pid
settings_file=$run_dir/gateway.env
ports_file=$run_dir/gateway.ports
log=$run_dir/gateway.log

# The pid of the gateway that was started from here, if it still is one.
running_pid() {
	local pid
	[ -f "$pid_file" ] && pid=$(cat "$pid_file") && [[ $pid =~ ^[0-9]+$ ]] || return 1
	# Another program may have got the number since.
	case $(readlink "/proc/$pid/exe" 2>/dev/null) in
		*/ledger-gateway | */ledger-gateway' (deleted)') echo "$pid" ;;
		*) return 1 ;;
	esac
}

# Prints the port if it is free, else one that is.
free_port() {
	perl -MIO::Socket::INET -e '
		for my $port ($ARGV[0], 0) {
			my $s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $port,
				Listen => 1, ReuseAddr => 1) or next;
			print $s->sockport, "\n";
			exit;
		}
		exit 1;' "$1"
}

choose_ports() {
	local port=8188 admin_port=8189
	[ ! -f "$ports_file" ] || . "$ports_file"
	port=$(free_port "$port")
	admin_port=$(free_port "$admin_port")
	printf 'port=%q\nadmin_port=%q\n' "$port" "$admin_port" >"$ports_file"
}

url() {
	local port admin_port
	[ -f "$ports_file" ] || die "there is no gateway yet" "make up starts one"
	. "$ports_file"
	echo "http://127.0.0.1:${!1}"
}

# A secret of 32 bytes, made once.
secret() {
	[ -s "$run_dir/secrets/$1" ] || (umask 077 && head -c 32 /dev/urandom | base64 >"$run_dir/secrets/$1")
}

make_keys() {
	mkdir -p "$run_dir/keys" "$run_dir/signer" "$run_dir/checkpoints"
	install -d -m 700 "$run_dir/secrets"
	node "$checkout/deploy/dev/token.mjs" init "$run_dir/authority"
	secret attachments.key
	secret cursor.key
	if [ ! -f "$run_dir/keys/export.pub" ]; then
		rm -f "$run_dir/keys/export.key"
		"$checkout/gateway/bin/ledgerctl" keygen --name ledger.localhost/exports --out "$run_dir/keys/export.key" \
			>"$run_dir/keys/export.pub.new"
		mv "$run_dir/keys/export.pub.new" "$run_dir/keys/export.pub"
	fi
}

# Name=value, one a line; the program gets these and nothing else of the environment.
settings() {
	cat <<-ENV
		PATH=$pg_bin:/usr/local/bin:/usr/bin:/bin
		HOME=${HOME:-/}
		LEDGER__HTTP__LISTEN=$(url port)
		LEDGER__HTTP__ADMINLISTEN=$(url admin_port)
		LEDGER__HTTP__CURSORKEY_FILE=$run_dir/secrets/cursor.key
		LEDGER__DB__CONNECTIONSTRING=$("$checkout/deploy/dev/cluster.sh" dsn gateway)
		LEDGER__AUTH__JWKS=$run_dir/authority/jwks.json
		LEDGER__AUTH__ISSUER=https://authority.localhost
		LEDGER__AUTH__AUDIENCE=ledger
		LEDGER__ATTACHMENTS__ENCRYPTIONKEY_FILE=$run_dir/secrets/attachments.key
		LEDGER__EXPORT__SIGNINGKEY_FILE=$run_dir/keys/export.key
		LEDGER__TICKS__LEDGERCTL=$checkout/gateway/bin/ledgerctl
		LEDGER__MERKLE__SIGNINGKEY_FILE=$run_dir/keys/log.key
		LEDGER__MERKLE__STATEDIR=$run_dir/signer
		LEDGER__EXTERNALANCHORING__ENABLED=true
		LEDGER__EXTERNALANCHORING__WORM=required
		LEDGER__EXTERNALANCHORING__WORMDIR=$run_dir/checkpoints
	ENV
}

# Becomes the program, with the settings that are kept: for a subshell.
with_settings() {
	local lines
	mapfile -t lines <"$settings_file"
	exec env -i "${lines[@]}" "$@"
}

start() {
	local pid
	[ -x "$program" ] || die "$program is not built" "make build"
	make_keys
	if pid=$(running_pid) && [ -f "$settings_file" ] && cmp -s <(settings) "$settings_file" &&
		[ "$(readlink "/proc/$pid/exe")" = "$program" ]; then
		wait_ready
		return
	fi
	stop
	choose_ports
	(umask 077 && settings >"$settings_file")
	# In a session of its own: Ctrl-C in the terminal is not meant for it.
	(with_settings setsid "$program") >>"$log" 2>&1 </dev/null &
	echo "$!" >"$pid_file"
	disown
	wait_ready
}

wait_ready() {
	local tries
	for ((tries = 0; tries < 100; tries++)); do
		kill -0 "$(cat "$pid_file")" 2>/dev/null || { tail -n 5 "$log" >&2; die "the gateway did not start" "see $log"; }
		if (with_settings "$program" --ready) >/dev/null 2>&1; then return; fi
		sleep 0.1
	done
	(with_settings "$program" --ready) || true
	die "the gateway is not ready" "see $log"
}

stop() {
	local pid tries
	if pid=$(running_pid); then
		kill "$pid"
		for ((tries = 0; tries < 400; tries++)); do
			running_pid >/dev/null || break
			sleep 0.1
		done
		! running_pid >/dev/null || kill -9 "$pid"
	fi
	rm -f "$pid_file"
}

status() {
	local pid
	if pid=$(running_pid); then
		echo "running: $(url port), health and metrics also at $(url admin_port), pid $pid"
	else
		echo "stopped"
		return 3
	fi
}

destroy() {
	stop
	rm -rf "$settings_file" "$ports_file" "$log" "$run_dir/authority" "$run_dir/secrets"
}

case ${1:-} in
	start | stop | status | destroy) "$1" ;;
	url) url port ;;
	admin-url) url admin_port ;;
	*) die "usage: gateway.sh start | stop | status | url | admin-url | destroy" ;;
esac
