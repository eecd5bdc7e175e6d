#!/usr/bin/env bash
# Installs the Debian 12 packages that building, running and testing need.
# Does nothing, and needs neither network nor root, when all are there.
#
# usage: deploy/setup.sh [--deploy] [--list]
#
# --deploy adds what `make check-deploy` needs: engines and packagers.
set -euo pipefail

# What a server that runs the ledger needs.
runtime=(
	postgresql-15
	postgresql-client-15
	postgresql-15-partman
	libcurl4                              # ledgerctl-online, ledger-gateway
	libgnutls30                           # ledger-gateway: the peers of TLS
	libmicrohttpd12                       # ledger-gateway
	libpq5
	libssl3
	zlib1g
	perl                                  # the demo's and the runners' small helpers
)

# What compiling the extension and ledgerctl needs besides.
build=(
	build-essential
	libcurl4-openssl-dev                  # ledgerctl-online, ledger-gateway
	libgnutls28-dev
	libmicrohttpd-dev
	libpq-dev
	libssl-dev
	zlib1g-dev
	postgresql-server-dev-15
)

# What `make check` needs besides: a second compiler with sanitizers and
# libFuzzer, pgTAP, and what PostgreSQL's own test modules use.
test=(
	clang
	curl                                  # the commands of the guides
	clang-format                          # advisory, test/lint/format.sh
	golang-go                             # other people's notes and tiles, test/go
	golang-golang-x-mod-dev
	git                                   # the lints ask it which files are the project's
	libclang-rt-14-dev
	libipc-run-perl
	libtap-parser-sourcehandler-pgtap-perl
	openssl                               # a time stamp authority, test/tap
	prometheus                            # promtool, test/gateway
	python3-prometheus-client             # its parser of OpenMetrics, test/gateway
	slowhttptest                          # test/gateway
	strace                                # test/gateway
	postgresql-15-pgtap
	wrk                                   # test/gateway, test/bench
)

# What `make check-deploy` needs besides: what builds, renders and runs what is deployed.
deploy=(
	debhelper                             # make deb
	docker-compose                        # the Compose files, test/deploy/30-compose.sh
	docker.io                             # the images, test/deploy/20-images.sh
	golang-github-masterminds-sprig-dev   # renders the Helm chart, test/deploy/helm
	golang-k8s-sigs-yaml-dev
	help2man                              # make deb
	iproute2                              # a network of its own for a deployment
	lintian                               # test/deploy/60-deb.sh
	mmdebstrap                            # base images and clean roots
	catatonit                             # podman's
	podman                                # runs the chart's pods, test/deploy/helm
	runc
	strace                                # test/deploy/50-systemd.sh
)

# Node.js makes the demo's events and is the independent implementation of the
# differential test.  Any installation of it will do, Debian's or another.
command -v node >/dev/null || runtime+=(nodejs)
command -v npm >/dev/null || test+=(npm)

installed() {
	[ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

as_root() {
	if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

# Debian creates and starts a system cluster when a PostgreSQL server is first
# installed.  Nothing here uses one, so none is made; a machine that already
# has a server keeps its ways.
without_system_cluster() {
	local conf=/etc/postgresql-common/createcluster.d/findings-ledger.conf status=0
	if installed postgresql-15; then
		"$@"
		return
	fi
	as_root mkdir -p "${conf%/*}"
	echo 'create_main_cluster = false' | as_root tee "$conf" >/dev/null
	"$@" || status=$?
	as_root rm -f "$conf"
	return "$status"
}

install_packages() {
	as_root env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -q --no-install-recommends "$@"
}

wanted=("${runtime[@]}" "${build[@]}" "${test[@]}")
if [ "${1:-}" = --deploy ]; then
	wanted+=("${deploy[@]}")
	shift
fi
if [ "${1:-}" = --list ]; then
	printf '%s\n' "${wanted[@]}"
	exit
fi

missing=()
for package in "${wanted[@]}"; do
	installed "$package" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

echo "installing: ${missing[*]}"
# Package lists are fetched only if they do not know a package, or know one that
# the mirror no longer has.
apt-cache show "${missing[@]}" >/dev/null 2>&1 || as_root apt-get update -q
if ! without_system_cluster install_packages "${missing[@]}"; then
	as_root apt-get update -q
	without_system_cluster install_packages "${missing[@]}"
fi
