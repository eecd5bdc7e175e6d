#!/usr/bin/env bash
# The container images: built for real by Debian's engine, on a base made of Debian's packages, from the distribution;
# what they are made of and how they behave alone. 30-compose.sh runs them together.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"
. test/lib/check.sh
. test/lib/npm.sh
. test/deploy/lib/docker.sh

here=test/deploy/images
need_packages "$here" @cyclonedx/cyclonedx-library ajv ajv-formats

# A property of an image.
of() {
	docker image inspect --format "$2" "$1"
}

# What the images promise by how they are run; none of them needs more than this.
hardened=(--read-only --cap-drop ALL --security-opt no-new-privileges --network none --tmpfs /tmp)

run_sh() {
	docker run --rm "${hardened[@]}" --entrypoint sh "$1" -c "$2"
}

# ---- what they are ----

label() {
	of "$1" "{{index .Config.Labels \"$2\"}}"
}

metadata() {
	local image=$1 user=$2
	check "$image: it runs as $user" is "$(of "$image" '{{.Config.User}}')" = "$user"
	check "$image: which is not root" is "$(run_sh "$image" 'id -u')" -gt 0
	check "$image: it has a health check" is "$(of "$image" '{{len .Config.Healthcheck.Test}}')" -ge 3
	check "$image: it says its version" is "$(label "$image" org.opencontainers.image.version)" = \
		"$(sed -n "s/^default_version = '\(.*\)'/\1/p" extension/findings_ledger.control)"
	check "$image: and what it was built from" is "$(label "$image" org.opencontainers.image.revision)" = test
	check "$image: no compiler came along" run_sh "$image" \
		'for program in gcc cc make ld; do ! command -v $program || exit 1; done'
	check "$image: no program gets more rights than who starts it" is \
		"$(run_sh "$image" 'find / -xdev -type f -perm /6000 2>/dev/null' | wc -l)" -eq 0
	check "$image: no library is missing" is "$(run_sh "$image" 'for file in /usr/local/bin/* \
		/usr/local/libexec/findings-ledger/* /usr/lib/postgresql/15/lib/findings_ledger.so; do
		[ ! -f $file ] || ldd $file; done' 2>/dev/null | grep -c 'not found')" -eq 0
	check "$image: its ledgerctl runs" run_sh "$image" 'ledgerctl --version && ledgerctl anchor --help'
	check "$image: the migrations are in it, whole" run_sh "$image" \
		'cd /usr/local/share/findings-ledger/migrations && sha256sum --quiet --check CHECKSUMS'
}

sbom() {
	local image=$1 path
	path=$(label "$image" findings-ledger.sbom)
	check "$image: it has the list that its label names" run_sh "$image" "cat $path"
	run_sh "$image" "cat $path" >"$work/sbom.json"
	run_sh "$image" 'dpkg-query -W -f "\${Package}\t\${Version}\n"' >"$work/packages"
	check "$image: which is CycloneDX, and names every package" node "$here/sbom.mjs" "$work/sbom.json" "$work/packages"
	# The judge can say no.
	sed '0,/"type": "library"/s//"type": "book"/' "$work/sbom.json" >"$work/bad.json"
	check "$image: a wrong kind would be found" refused 'must be equal' \
		node "$here/sbom.mjs" "$work/bad.json" "$work/packages"
	sed 1d "$work/packages" >"$work/fewer"
	check "$image: and a missing package" refused 'packages' node "$here/sbom.mjs" "$work/sbom.json" "$work/fewer"
}

# ---- the gateway alone ----

gateway() {
	docker run --rm "${hardened[@]}" -e LEDGER__AUTH__ISSUER=https://a -e LEDGER__AUTH__AUDIENCE=ledger "$@"
}

gateway_alone() {
	local secret=Xk7mQ2wYs9
	check 'the gateway: the settings file of the distribution is good' gateway \
		-v "$tree/etc/ledger/appsettings.json:/app/appsettings.json:ro" -e LEDGER__DB__CONNECTIONSTRING=Host=postgres \
		"$gateway_image" --check-config
	check 'the gateway: a misspelt connection string is refused, by name' refused LEDGER__DB__CONNECTIONSTRING gateway \
		-e "LEDGER__DB__CONNECTIONSTRING=Host=postgres;Pasword=$secret" "$gateway_image"
	check 'the gateway: without the secret in it' is "$(grep -c "$secret" "$work/refused.out")" -eq 0
	check 'the gateway: so is a bad key' refused 'LEDGER__ATTACHMENTS__ENCRYPTIONKEY' gateway \
		-e "LEDGER__ATTACHMENTS__ENCRYPTIONKEY=$secret" -e LEDGER__DB__CONNECTIONSTRING=Host=postgres "$gateway_image"
	check 'the gateway: without the key in it' is "$(grep -c "$secret" "$work/refused.out")" -eq 0
	check 'the gateway: nobody at the port is not ready' refused 'ready|connect' gateway \
		-e LEDGER__DB__CONNECTIONSTRING=Host=postgres "$gateway_image" --ready
}

# ---- the database alone ----

# start_database NAME OPTION...
start_database() {
	docker run --detach --name "$1" "${hardened[@]}" -v "$1-data:/var/lib/postgresql/data" \
		-v "$1-socket:/var/run/postgresql" "${@:2}" "$postgres_image" >/dev/null
}

ask() {
	docker exec "$1" psql -XAtq -v ON_ERROR_STOP=1 -U postgres -d ledger -c "$2"
}

migrate() {
	local name=$1 password=$2
	shift 2
	docker exec -e LEDGER__DB__CONNECTIONSTRING='host=/var/run/postgresql user=postgres dbname=ledger' \
		-e LEDGER_SERVICE_LOGIN=ledger_service -e "PGPASSWORD=$password" "$@" "$name" ledger-migrate
}

log_in() {
	docker exec -e "PGPASSWORD=$1" db psql -h 127.0.0.1 -U ledger_service -d ledger -c 'SELECT 1'
}

database_alone() {
	check 'the database: another name than letters is refused' refused 'LEDGER_DATABASE' \
		docker run --rm "${hardened[@]}" -e 'LEDGER_DATABASE=x; DROP' "$postgres_image"
	start_database db
	check 'the database: it becomes healthy' wait_for 120 health_is db healthy
	check 'the database: its pages have checksums' is "$(ask db 'SHOW data_checksums')" = on
	check 'the database: its health check leaves no line in the log' is "$(docker logs db 2>&1 | grep -c FATAL)" -eq 0
	check 'the database: its superuser is let in by the socket only' refused 'pg_hba.conf rejects' \
		docker exec -e PGPASSWORD=x db psql -h 127.0.0.1 -U postgres -d ledger -c 'SELECT 1'
	check 'the step: no password is refused' refused 'there is no password' migrate db ''
	check 'the step: nor that of the example' refused 'still that of the example' migrate db CHANGE-ME
	check 'the step: nor the name of a role of the ledger' refused 'role that the ledger has itself' \
		migrate db abc -e LEDGER_SERVICE_LOGIN=ledger_owner
	check 'the step: it migrates, and makes the login' migrate db first -e 'LEDGER_TENANTS=acme  globex'
	check 'the step: twice is once' migrate db second -e 'LEDGER_TENANTS=acme globex'
	check 'the step: of which it says so' is "$(migrate db second | grep -cE 'nothing to do|ready')" -eq 2
	check 'the step: the login has the last password' log_in second
	check 'the step: not the one before' refused 'password authentication failed' log_in first
	check 'the step: which no log has' is "$(docker logs db 2>&1 | grep -cE 'first|second')" -eq 0
	check 'the step: the login is a gateway, with its tenants' is "$(ask db "
		SELECT string_agg(tenant_id, ' ' ORDER BY tenant_id) FROM ledger.ledger_tenant_grants
		WHERE role_name = 'ledger_service' AND pg_has_role('ledger_service', 'ledger_gateway', 'MEMBER')")" = \
		'acme globex ledger'
	check 'the step: and nothing more' is "$(ask db "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls
		OR pg_has_role('ledger_service', 'ledger_owner', 'MEMBER') FROM pg_roles WHERE rolname = 'ledger_service'")" = f
	check 'the ledger is fit' is "$(ask db 'SELECT count(*) FROM ledger.ledger_check_runtime() WHERE NOT ok')" -eq 0
	check 'the database: an orderly end' docker stop --time 60 db
	check 'the database: is status 0' is "$(docker inspect --format '{{.State.ExitCode}}' db)" -eq 0
	docker rm db >/dev/null
	start_database db
	check 'the database: another container with its volume' wait_for 120 health_is db healthy
	check 'the database: has its tenants' is "$(ask db 'SELECT count(*) FROM ledger.ledger_tenants')" -eq 3
}

# Killed while it makes its cluster: the volume holds a part of one, and the next start makes it anew.
database_killed() {
	docker volume create part-data >/dev/null
	docker run --rm "${hardened[@]}" -v part-data:/var/lib/postgresql/data --entrypoint sh "$postgres_image" \
		-c 'mkdir "$PGDATA.new" && echo 15 >"$PGDATA.new/PG_VERSION"'
	start_database part
	check 'the database: half a cluster is made anew' wait_for 120 health_is part healthy
}

check 'the distribution is laid out' deploy/dist.sh "$work/dist"
tree=$(echo "$work"/dist/findings-ledger-*/)
# The network is needed for packages only, and the host's own is left as it is.
start_docker --bridge=none --iptables=false
check 'both images are built' build_images "$tree" --network=host
metadata "$gateway_image" 10001:10001
metadata "$postgres_image" postgres
sbom "$gateway_image"
sbom "$postgres_image"
gateway_alone
database_alone
database_killed
