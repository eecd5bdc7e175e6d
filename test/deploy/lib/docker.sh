# Sourced after suite.sh: an engine of one's own, and the images. Layers and the base are kept in build/docker,
# so that a second run builds only what changed.
# shellcheck shell=bash

docker_cache=$checkout/build/docker
dockerd_pid=
export DOCKER_HOST=unix://$work/docker.sock
images_tag=2025.11.0
base_image=findings-ledger-test/debian:12
gateway_image=stellaops/findings-ledger:$images_tag
postgres_image=stellaops/findings-ledger-postgres:$images_tag

# start_docker OPTION...: ends with the suite. One engine at a time has the cache.
start_docker() {
	local tries
	mkdir -p "$docker_cache"
	exec 9>"$docker_cache/lock"
	flock 9
	dockerd --host "$DOCKER_HOST" --data-root "$docker_cache/data" --exec-root "$work/docker-exec" \
		--pidfile "$work/docker.pid" "$@" >"$work/dockerd.log" 2>&1 9>&- &
	dockerd_pid=$!
	trap end_docker EXIT
	for ((tries = 0; tries < 600; tries++)); do
		if docker info >/dev/null 2>&1; then
			remove_containers
			return
		fi
		kill -0 "$dockerd_pid" 2>/dev/null || break
		sleep 0.1
	done
	tail -n 20 "$work/dockerd.log" | sed 's/^/# /'
	die 'dockerd did not start'
}

# What a run left that was killed, too: nobody else uses this engine.
remove_containers() {
	docker ps --all --quiet | xargs -r docker rm --force --volumes >/dev/null
	docker volume ls --quiet | xargs -r docker volume rm --force >/dev/null
	docker network prune --force >/dev/null
}

stop_docker() {
	[ -n "$dockerd_pid" ] || return 0
	remove_containers || true
	kill "$dockerd_pid" || true
	wait "$dockerd_pid" || true
	dockerd_pid=
	# The engine leaves its own network namespace mounted.
	find "$work/docker-exec/netns" -type f -exec umount {} + 2>/dev/null || true
	exec 9>&-
}

end_docker() {
	local status=$?
	stop_docker
	rm -rf "$work"
	exit "$status"
}

# No registry is asked: the base is made of Debian's packages.
make_base() {
	if [ ! -s "$docker_cache/base.tar" ]; then
		mmdebstrap --quiet --variant=minbase --include=ca-certificates bookworm "$docker_cache/base.tar.new"
		mv "$docker_cache/base.tar.new" "$docker_cache/base.tar"
	fi
	docker image inspect "$base_image" >/dev/null 2>&1 || docker import "$docker_cache/base.tar" "$base_image"
}

# build_images SOURCES OPTION...: both, from the sources of a checkout or a distribution.
build_images() {
	make_base
	COMMIT=test "$1/deploy/images/build.sh" --base-postgres "$base_image" --base-gateway "$base_image" \
		--tag "$images_tag" -- "${@:2}"
}

# wait_for SECONDS COMMAND...: until it ends well.
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || { echo "still not after all that time: $*"; return 1; }
		sleep 0.2
	done
}

health_is() {
	[ "$(docker inspect --format '{{.State.Health.Status}}' "$1")" = "$2" ]
}
