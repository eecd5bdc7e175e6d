#!/usr/bin/env bash
# The Debian packages: built twice to the same bytes, clean for lintian, and in a clean Debian installed, used
# and taken away again.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"
. test/lib/check.sh
. test/lib/root.sh

one=$work/one
two=$work/two
root=$work/root
port=8080

# ---- the packages ----

build() {
	# Elsewhere, at another time, with another mask and language, by sources without git.
	mkdir "$work/elsewhere"
	tar -cf - --exclude=./.git --exclude=./build --exclude=node_modules --exclude='*.o' . | tar -C "$work/elsewhere" -xf -
	check 'they are built' deploy/deb.sh --out "$one"
	check 'and again elsewhere' env SOURCE_DATE_EPOCH="$(git -c safe.directory="$checkout" log -1 --format=%ct)" \
		TZ=Asia/Tokyo LANG=de_DE.UTF-8 bash -c 'umask 077; "$1/deploy/deb.sh" --out "$2"' - "$work/elsewhere" "$two"
	check 'to the same bytes' diff <(cd "$one" && sha256sum -- *.deb) <(cd "$two" && sha256sum -- *.deb)
	check 'there are four' is "$(find "$one" -name '*.deb' | wc -l)" -eq 4
}

hardened() {
	local file flag
	dpkg --fsys-tarfile "$one"/findings-ledger_*.deb | tar -C "$work" -xf - ./usr/bin ./usr/libexec
	dpkg --fsys-tarfile "$one"/postgresql-15-findings-ledger_*.deb | tar -C "$work" -xf - ./usr/lib
	for file in usr/bin/ledgerctl usr/bin/ledger-gateway usr/libexec/findings-ledger/ledgerctl-online \
		usr/lib/postgresql/15/lib/findings_ledger.so; do
		check "$file binds its symbols at the start" bash -c 'readelf -dW "$1" | grep -qE "BIND_NOW|\(FLAGS.*NOW"' - "$work/$file"
		check "$file has a stack protector" bash -c 'readelf -sW --dyn-syms "$1" | grep -q __stack_chk_fail' - "$work/$file"
		check "$file checks the bounds of library calls" bash -c 'readelf -sW --dyn-syms "$1" | grep -qE "__(mem|str|s?n?v?sn?printf|vf?printf|f?printf|read|poll).*_chk"' \
			- "$work/$file"
	done
	for file in ledgerctl ledger-gateway; do
		check "$file may lie anywhere in memory" bash -c 'readelf -hW "$1" | grep -q "Type: *DYN"' - "$work/usr/bin/$file"
	done
}

# ---- a clean Debian ----

in_it() { in_root "$root" "$@"; }
files_of_root() { (cd "$root" && find . -xdev -not -path './var/lib/dpkg/*' -not -path './var/cache/*' -not -path './var/log/*' \
	-not -path './run/*' -not -path './tmp/*' -not -path './var/lib/apt/*' -not -path './root/*' -not -path './etc/systemd/system/*' | sort); }

install_packages() {
	make_root "$root"
	mkdir -p "$root/etc/postgresql-common/createcluster.d"
	echo 'create_main_cluster = false' >"$root/etc/postgresql-common/createcluster.d/no-main.conf"
	# What ours need besides themselves, and what the test does.
	check 'their dependencies can be installed' in_it bash -ec 'apt-get update -q
		apt-get install -y -q --no-install-recommends curl postgresql-15 postgresql-15-partman libcurl4 libgnutls30 libmicrohttpd12 libpq5'
	files_of_root >"$work/before"
	mkdir "$root/tmp/deb"
	cp "$one"/findings-ledger_*.deb "$one"/postgresql-15-findings-ledger_*.deb "$root/tmp/deb/"
	check 'they are installed, and need nothing else' in_it bash -c 'dpkg --install /tmp/deb/*.deb'
	check 'no service is enabled' test -z "$(find "$root/etc/systemd/system" -name '*findings-ledger*')"
	check 'no user is made' bash -c '! grep -q ledger "$1/etc/passwd"' - "$root"
	check 'only root sees the folder of secrets' is "$(stat -c '%a %U' "$root/etc/findings-ledger/secrets")" = '700 root'
}

programs() {
	local program
	check 'ledgerctl finds what is online' in_it ledgerctl verify --help
	for program in $(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$root"/lib/systemd/system/findings-ledger-*.service | sort -u); do
		check "a unit names $program, which is there" in_it sh -c 'command -v "$1"' - "$program"
	done
	check 'their manuals are there' test -s "$root/usr/share/man/man1/ledgerctl.1.gz" -a -s "$root/usr/share/man/man8/ledger-gateway.8.gz"
	check 'so are the pages' test -s "$root/usr/share/doc/findings-ledger/docs/how-to/deploy-systemd.md"
	check 'the settings of the package are good' in_it bash -ec 'set -a; . /etc/findings-ledger/gateway.env; ledger-gateway --check-config'
}

# What a first day looks like, in one script, since mounts and processes end with it.
write_first_day() {
	cat >"$root/tmp/first_day" <<-'SCRIPT'
		set -euo pipefail
		port=$1
		as_postgres() { runuser -u postgres -- "$@"; }
		pg_createcluster 15 ledger --port=5433 -- --auth-local=trust >/dev/null
		pg_ctlcluster 15 ledger start
		trap 'pg_ctlcluster 15 ledger stop -m fast' EXIT
		export PGHOST=/var/run/postgresql PGPORT=5433 PGUSER=postgres
		psql -Xq -v ON_ERROR_STOP=1 -d postgres -c "CREATE DATABASE ledger TEMPLATE template0 ENCODING 'UTF8'"
		psql -XAtq -d ledger -c "SELECT name || ' ' || default_version FROM pg_available_extensions WHERE name = 'findings_ledger'"
		ledgerctl migrate --connection dbname=ledger
		psql -Xq -v ON_ERROR_STOP=1 -d ledger <<-'SQL'
			SELECT FROM ledger.ledger_create_tenant('acme');
			CREATE ROLE ledger_service LOGIN IN ROLE ledger_gateway;
			SELECT FROM ledger.ledger_grant_tenant('ledger_service', 'acme');
			SELECT FROM ledger.ledger_append('acme', 'finding.created', 'FND-1', 'policy-1', 'registry.example/shop:1.4.2');
		SQL
		psql -XAtq -d ledger -c "SELECT 'extension ' || extversion FROM pg_extension WHERE extname = 'findings_ledger'"
		ledgerctl verify --connection dbname=ledger
		cd /
		set -a
		. /etc/findings-ledger/gateway.env
		LEDGER__HTTP__LISTEN=http://127.0.0.1:$port
		LEDGER__AUTH__JWKS=/tmp/authority/jwks.json LEDGER__AUTH__ISSUER=https://authority.example LEDGER__AUTH__AUDIENCE=ledger
		LEDGER__DB__CONNECTIONSTRING="host=/var/run/postgresql port=5433 dbname=ledger user=ledger_service"
		set +a
		ledger-gateway --check-config
		setpriv --reuid=nobody --regid=nogroup --clear-groups ledger-gateway >/tmp/gateway.log &
		gateway=$!
		for _ in $(seq 300); do
			! ledger-gateway --ready 2>/dev/null || break
			kill -0 "$gateway"
			sleep 0.1
		done
		curl -sf "http://127.0.0.1:$port/health/ready"; echo
		curl -sf "http://127.0.0.1:$port/metrics" | grep -m 1 ledger_write_latency_seconds
		kill -TERM "$gateway"
		wait "$gateway"
		echo "gateway ended with status $?"
		grep -o 'Ledger started' /tmp/gateway.log
	SCRIPT
}

first_day() {
	local line
	write_first_day
	node deploy/dev/token.mjs init "$root/tmp/authority"
	chmod 755 "$root/tmp/authority"
	chmod 644 "$root/tmp/authority/jwks.json"
	port=$(perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(LocalAddr => "127.0.0.1", Listen => 1)->sockport')
	check 'a cluster, the migrations, an event, the gateway' in_it bash -c 'bash /tmp/first_day "$1" >/tmp/first_day.out 2>&1 || { cat /tmp/first_day.out; exit 1; }' - "$port"
	for line in '^findings_ledger 1\.0$' '^extension 1\.0$' '^clean: [1-9]' '^the settings are good$' '"status":"ready"' \
		'ledger_write_latency_seconds' '^gateway ended with status 0$' '^Ledger started$'; do
		check "it says $line" grep -qE "$line" "$root/tmp/first_day.out"
	done
}

removal() {
	check 'the cluster is dropped' in_it pg_dropcluster 15 ledger
	check 'they are removed' in_it apt-get remove -y -q findings-ledger postgresql-15-findings-ledger
	check 'the settings stay' test -s "$root/etc/findings-ledger/gateway.env"
	check 'and purged' in_it apt-get purge -y -q findings-ledger postgresql-15-findings-ledger
	files_of_root >"$work/after"
	check 'of which nothing is left' diff "$work/before" "$work/after"
}

build
check 'lintian has nothing to say' lintian --allow-root --pedantic --display-info \
	--fail-on error,warning,info,pedantic "$one"/*.changes
hardened
install_packages
programs
first_day
removal
