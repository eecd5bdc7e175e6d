#!/usr/bin/env bash
# The rendered migrations and the rendered Deployment, run by podman: the real image, the chart's user, read-only
# root, secrets and environment, and the guide's commands for verifying it.
#
# The image is built first; the rest has a network of its own, so that port 8080 is free there, and the
# guide's address holds.
. "$(dirname "${BASH_SOURCE[0]}")/../../lib/suite.sh"
. test/lib/check.sh
. test/lib/root.sh

image=localhost/stellaops/findings-ledger:chart-test
base=localhost/findings-ledger-test/debian:12
storage=$checkout/build/podman
name=stellaops-findings-ledger

# podman here: cgroups and limits as a container of its own allows, and nothing of the machine's.
configure_podman() {
	mkdir -p "$storage"
	cat >"$work/containers.conf" <<-'CONF'
		[containers]
		default_ulimits = ["nofile=4096:4096", "nproc=4096:4096"]
		[engine]
		runtime = "runc"
		cgroup_manager = "cgroupfs"
		events_logger = "file"
	CONF
	cat >"$work/storage.conf" <<-CONF
		[storage]
		driver = "overlay"
		graphroot = "$storage/storage"
		runroot = "$work/podman"
	CONF
	export CONTAINERS_CONF=$work/containers.conf CONTAINERS_STORAGE_CONF=$work/storage.conf
}

build_image() {
	podman image exists "$base" || podman import --change 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
		"$(base_archive)" "$base"
	# The layers of the run before are taken again, where nothing changed.
	DOCKER=podman STELLA_VERSION=chart-test COMMIT=test deploy/images/build.sh --base-gateway "$base" gateway -- --layers
}

# Nobody else uses this storage: what a run left that was killed goes, too.
clean_pods() {
	podman pod rm --all --force --time 1 >/dev/null 2>&1 || true
	podman secret ls --quiet | xargs -r podman secret rm >/dev/null
}

wait_until() {
	local tries
	for ((tries = 0; tries < 600; tries++)); do
		! "$@" >/dev/null 2>&1 || return 0
		sleep 0.1
	done
	echo "still not after a minute: $*"
	return 1
}

# Reached by the pods over their bridge; there is nobody else in this network.
start_database() {
	CLUSTER_CONF="fsync = off
		listen_addresses = '*'" "$cluster" start
	dsn=$("$cluster" dsn)
	psql -XAtq -d "$dsn" -c 'SHOW hba_file' | xargs -I '{}' sh -c 'echo "host all all 10.88.0.0/16 trust" >>"{}"'
	psql -XAtq -d "$dsn" -o /dev/null -c 'SELECT pg_reload_conf()'
}
from_pods() { echo "Host=10.88.0.1;Port=$(ledger_port);Database=ledger;Username=$1"; }

migrate() {
	local container=$name-migrate-migrate
	check 'the pod of the migrations starts' podman play kube --network podman "$work/migrate.yaml"
	check 'and ends with status 0' is "$(podman wait "$container")" -eq 0
	podman logs "$container" 2>&1 | sed 's/^/# /'
	check 'it migrated the database' is "$(psql -XAtq -d "$dsn" -c 'SELECT count(*) FROM ledger.ledger_schema_migrations')" -eq \
		"$(find migrations -maxdepth 1 -name '[0-9]*.sql' | wc -l)"
}

deploy() {
	container=$name-pod-0-findings-ledger
	check 'the Deployment starts' podman play kube --network podman "$work/deployment.yaml"
	check 'and becomes ready' wait_until curl -sf --max-time 5 http://127.0.0.1:8080/health/ready
	check 'the log says so' bash -o pipefail -c 'podman logs "$1" 2>&1 | grep "Ledger started"' - "$container"
	check 'the command of the guide shows metrics' bash -c 'curl -sf http://127.0.0.1:8080/metrics | head | grep "^# HELP"'
	check 'the smoke test as well' bash -c 'curl -sf http://127.0.0.1:8080/metrics | grep ledger_write_latency_seconds'
	check 'no secret is in the log' bash -c '! podman logs "$1" 2>&1 | grep -F "$2"' - "$container" \
		"$(node -p "Buffer.from(require('$work/findings-ledger-secrets.json').LEDGER__ATTACHMENTS__ENCRYPTIONKEY, 'base64').toString()")"
}

# What the chart says of the container, as the kernel sees it.
confined() {
	local process
	process=$(podman inspect --format '{{.State.Pid}}' "$container")
	check 'it runs as user 10001' grep -q $'^Uid:\t10001\t10001\t10001\t10001$' "/proc/$process/status"
	check 'without capabilities' grep -qE '^CapBnd:\s0+$' "/proc/$process/status"
	check 'it can get no new privileges' grep -qE '^NoNewPrivs:\s1$' "/proc/$process/status"
	check 'under a seccomp filter' grep -qE '^Seccomp:\s2$' "/proc/$process/status"
	check 'its root is read-only' refused 'Read-only file system' podman exec "$container" touch /app/x
	check '/tmp is not' podman exec "$container" touch /tmp/x
}

end_orderly() {
	check 'it is told to end' podman stop --time 30 "$container"
	check 'and ends with status 0' is "$(podman inspect --format '{{.State.ExitCode}}' "$container")" -eq 0
	check 'after draining' bash -o pipefail -c 'podman logs "$1" 2>&1 | grep "Ledger stopped"' - "$container"
}

run() {
	ip link set lo up
	trap 'clean_pods; clean_up' EXIT
	clean_pods
	start_database
	node deploy/dev/token.mjs init "$work/authority"
	chmod 755 "$work/authority"
	chmod 644 "$work/authority/jwks.json"
	node test/deploy/helm/pod.mjs "$work" "$image" "$(from_pods postgres)" "$(from_pods demo_gateway)"
	for secret in findings-ledger-migrator findings-ledger-secrets; do
		podman secret create "$secret" "$work/$secret.json" >/dev/null
	done
	migrate
	psql -XAtq -v ON_ERROR_STOP=1 -d "$dsn" -o /dev/null -f test/lib/fixture.sql -f deploy/dev/roles.sql
	deploy
	confined
	end_orderly
}

if [ "${1:-}" != --in-own-network ]; then
	configure_podman
	check 'the image is built' build_image
	trap - EXIT
	rm -rf "$work"
	exec unshare --net -- "${BASH_SOURCE[0]}" --in-own-network
fi
configure_podman
run
