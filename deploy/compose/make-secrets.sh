#!/usr/bin/env bash
# Makes the files that docker-compose.secrets.yaml names, each once: what is there stays. Each belongs to the user
# that reads it in its container (10001 the gateway, 999 the migration step), so it needs root.
#
# usage: make-secrets.sh DIRECTORY LOGNAME
#
#   DIRECTORY   etc/secrets of the distribution
#   LOGNAME     what checkpoints are signed as, for instance ledger.example/prod
#
# LEDGERCTL names the ledgerctl that makes the signing keys; else the one in PATH.
set -euo pipefail
umask 077

[ $# -eq 2 ] || { sed -n '2,/^set/s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
dir=$1 log=$2
gateway=10001 postgres=999

# make FILE USER COMMAND...: keeps what the command prints.
make() {
	local file=$dir/$1 user=$2
	shift 2
	[ ! -s "$file" ] || { echo "$file: is there already"; return; }
	"$@" >"$file.new"
	give "$file" "$user"
}

give() {
	chown "$2:$2" "$1.new"
	chmod 400 "$1.new"
	mv "$1.new" "$1"
	echo "$1: made"
}

# make_key NAME LOGNAME: an Ed25519 key, and beside it the public one, which may be read by all.
make_key() {
	local file=$dir/$1.key
	[ ! -s "$file" ] || { echo "$file: is there already"; return; }
	rm -f "$file.new"
	"${LEDGERCTL:-ledgerctl}" keygen --name "$2" --out "$file.new" >"$dir/$1.pub"
	chmod 644 "$dir/$1.pub"
	give "$file" "$gateway"
}

random() {
	head -c "$1" /dev/urandom | "${@:2}"
}

# One word, as a password file wants it.
hex() {
	od -An -vtx1 -w64 | tr -d ' '
}

mkdir -p "$dir"
chmod 711 "$dir"
make ledger.password "$postgres" random 24 hex
password=$(cat "$dir/ledger.password")
make ledger.pgpass "$gateway" echo "*:*:*:ledger_service:$password"
make ledger.attachments.key "$gateway" random 32 base64
make ledger.cursor.key "$gateway" random 32 base64
make_key ledger.export "$log/exports"
make_key ledger.log "$log"
