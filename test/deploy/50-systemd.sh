#!/usr/bin/env bash
# The units of deploy/systemd: systemd understands every directive, each is hardened, and what a unit
# starts really runs with its environment and within its filter of system calls.  systemd itself is not
# started: it would have to be the first process.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"
. test/lib/check.sh

units=deploy/systemd
max_exposure=20                         # of 100; systemd-analyze prints 2.0

fails() { ! "$@"; }
prints() { local pattern=$1; shift; "$@" 2>&1 | tee "$work/prints.out" | grep -qE -- "$pattern" || { cat "$work/prints.out"; return 1; }; }

# ---- a root as make install leaves it ----

root=$work/root
mkdir -p "$root/etc/systemd/system" "$root/usr/lib/systemd" "$root/bin" "$root/etc/findings-ledger/secrets"
cp -r /lib/systemd/system "$root/usr/lib/systemd/"
ln -s usr/lib "$root/lib"
cp /bin/kill "$root/bin/"
make -s -C gateway install "DESTDIR=$root" prefix=/usr/local
cp "$units"/*.service "$units"/*.timer "$root/etc/systemd/system/"
cp "$units"/*.env "$root/etc/findings-ledger/"

# Nothing is printed about a unit that is as it should be.  The manuals are in the Debian package only.
verified() {
	local output
	output=$(systemd-analyze verify --man=no --recursive-errors=one "--root=$root" "$@" 2>&1)
	[ -z "$output" ] || { echo "$output"; return 1; }
}
hardened() { systemd-analyze security --no-pager --offline=true "--threshold=$max_exposure" "$1"; }

# A unit with a change of sed's, under its own name in a folder of its own.
changed() {
	mkdir -p "$work/changed"
	sed "$2" "$units/$1" >"$work/changed/$1"
	! cmp -s "$units/$1" "$work/changed/$1" || die "the change $2 changes nothing"
	echo "$work/changed/$1"
}
verified_changed() {
	cp "$(changed "$1" "$2")" "$root/etc/systemd/system/$1"
	local outcome=0
	verified "$1" || outcome=$?
	cp "$units/$1" "$root/etc/systemd/system/$1"
	return "$outcome"
}

for path in "$units"/*.service "$units"/*.timer; do
	check "systemd understands ${path##*/}" verified "${path##*/}"
done
for path in "$units"/*.service; do
	check "${path##*/} is exposed to 2.0 at most" hardened "$path"
done
for path in "$units"/*.timer; do
	check "${path##*/} has its service" test -f "${path%.timer}.service"
	while IFS= read -r when; do
		check "${path##*/}: $when is a time" systemd-analyze calendar "$when"
	done < <(sed -n 's/^OnCalendar=//p' "$path")
done

gateway_unit=findings-ledger-gateway.service
check 'a directive that does not exist is found' fails verified_changed "$gateway_unit" 's/^ProtectHome=/ProtectHouse=/'
check 'a value that does not exist is found' fails verified_changed "$gateway_unit" 's/^ProtectSystem=strict/ProtectSystem=very/'
check 'a program that is not installed is found' fails verified_changed "$gateway_unit" 's/^ExecStart=ledger-gateway/ExecStart=ledger-gatewy/'
check 'a group of system calls that does not exist is found' fails verified_changed "$gateway_unit" 's/@system-service/@sytem-service/'
check 'a unit that is not hardened is found' fails hardened \
	"$(changed "$gateway_unit" '/^\(Protect\|Private\|Restrict\|SystemCall\|Capability\)/d')"

# ---- what the units start ----

# The environment that systemd would make: credentials, EnvironmentFile=, Environment= with %d and %S.
unit_environment() {
	local unit=$1 credentials=$work/credentials/$1 line
	mkdir -p "$credentials"
	environment=("PATH=$root/usr/local/bin:$PATH")
	while IFS= read -r line; do
		cp "$root${line#*:}" "$credentials/${line%%:*}"
	done < <(sed -n 's/^LoadCredential=//p' "$units/$unit")
	while IFS= read -r line; do
		[ ! -f "$root${line#-}" ] || mapfile -t -O ${#environment[@]} environment < <(grep -E '^[A-Z]' "$root${line#-}")
	done < <(sed -n 's/^EnvironmentFile=//p' "$units/$unit")
	while IFS= read -r line; do
		environment+=("$(directories "$unit" "$line")")
	done < <(sed -n 's/^Environment=//p' "$units/$unit")
	while IFS= read -r line; do
		mkdir -p "$work/state/$line"
	done < <(sed -n 's/^StateDirectory=//p' "$units/$unit")
}
directories() {
	sed -e "s,%d,$work/credentials/$1,g" -e "s,%S,$work/state,g" <<<"$2"
}
# Runs the unit's program, traced.
run_unit() {
	local unit=$1 command
	shift
	unit_environment "$unit"
	read -ra command < <(directories "$unit" "$(sed -n 's/^ExecStart=//p' "$units/$unit")")
	env -i "${environment[@]}" strace -f -qq -e signal=none -o "$work/$unit.trace" "${command[@]}" "$@"
}
no_denied() {
	local denied
	denied=$(test/deploy/systemd/denied_calls.pl "$1" "$2")
	[ -z "$denied" ] || { echo "refused by SystemCallFilter=: $denied" | tr '\n' ' '; return 1; }
}
# MemoryDenyWriteExecute= would refuse that.
no_writable_code() { ! grep -E '^[0-9]+ +(mmap|mprotect)\(.*PROT_WRITE[^,]*PROT_EXEC' "$1"; }

start_ledger
psql -XAtq -v ON_ERROR_STOP=1 -d "$dsn" -f deploy/dev/roles.sql
secrets=$root/etc/findings-ledger/secrets
"$cluster" dsn gateway >"$secrets/connection"
"$cluster" dsn anchorer >"$secrets/anchor.connection"
"$cluster" dsn auditor >"$secrets/verify.connection"
"$cluster" dsn >"$secrets/backup.connection"
openssl rand -base64 32 >"$secrets/attachments.key"
node deploy/dev/token.mjs init "$work/authority"
sed -i -e "s,^#LEDGER__AUTH__JWKS=.*,LEDGER__AUTH__JWKS=$work/authority/jwks.json," -e 's,^#LEDGER__AUTH__,LEDGER__AUTH__,' \
	"$root/etc/findings-ledger/gateway.env"
origin=$(psql -XAtq -d "$dsn" -c 'SELECT origin FROM ledger.ledger_settings')
key=$(gateway/bin/ledgerctl keygen --name "$origin" --out "$secrets/log.key")
psql -XAtq -o /dev/null -v ON_ERROR_STOP=1 -v key="$key" -d "$dsn" <<-'SQL'
	SELECT ledger.ledger_register_key(:'key');
	SELECT ledger.ledger_append('acme', 'finding.created', 'FND-1', 'policy-1', 'registry.example/shop:1.4.2');
SQL

check 'the gateway takes the settings of its unit' prints 'the settings are good' run_unit "$gateway_unit" --check-config
check 'the signer signs with the environment of its unit' run_unit findings-ledger-anchor.service --force
check 'and remembers what it signed' prints . ls "$work/state/findings-ledger-anchor"
check 'the verification finds nothing, with the environment of its unit' prints '^clean' run_unit findings-ledger-verify.service

# The gateway until it is ready, through a request for its metrics, to its end at SIGTERM.
serve() (
	set -e
	local pid tries url
	LEDGER_PORT=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1)->sockport')
	sed -i "s,^LEDGER__HTTP__LISTEN=.*,LEDGER__HTTP__LISTEN=http://127.0.0.1:$LEDGER_PORT," "$root/etc/findings-ledger/gateway.env"
	url=http://127.0.0.1:$LEDGER_PORT
	run_unit "$gateway_unit" >"$work/gateway.log" &
	pid=$!
	for ((tries = 0; tries < 300; tries++)); do
		! curl -sf "$url/health/ready" || break
		kill -0 "$pid"
		sleep 0.1
	done
	curl -s "$url/health/ready" | grep '"status":"ready"'
	curl -sf "$url/metrics" | grep process_resident_memory_bytes
	# strace would not hand the signal on.
	kill -TERM "$(sed -n 's/.*"message":"Ledger started".*"pid":\([0-9]*\).*/\1/p' "$work/gateway.log")"
	wait "$pid"
)
check 'the gateway serves with the environment of its unit, and ends well' serve

for unit in "$gateway_unit" findings-ledger-anchor.service findings-ledger-verify.service; do
	check "$unit: the filter lets through what it calls" no_denied "$units/$unit" "$work/$unit.trace"
	check "$unit: no memory is writable and executable" no_writable_code "$work/$unit.trace"
done
check 'a filter that is too narrow is found' fails no_denied \
	"$(changed "$gateway_unit" 's/^SystemCallFilter=~.*/SystemCallFilter=~@network-io/')" "$work/$gateway_unit.trace"

read -r _ command option _ < <(sed -n 's/^ExecStart=//p' "$units/findings-ledger-backup.service")
check "the backup's command has the option $option" prints "^  $option" "$root/usr/local/bin/ledgerctl" "$command" --help
