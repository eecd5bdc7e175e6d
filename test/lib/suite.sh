# Sourced by every suite: where things are, a place to work in, a cluster of
# one's own, and TAP for programs that do not speak it.
# shellcheck shell=bash
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/../../deploy/dev/common.sh"
cd "$checkout"

pgxs_test=$(dirname "$("$PG_CONFIG" --pgxs)")/../test
cluster=$checkout/deploy/dev/cluster.sh

# The server's user must be able to enter it, wherever the checkout lies.
work=$(mktemp -d /tmp/ledger-check-XXXXXXXX)
chmod 755 "$work"
export LEDGER_RUN_DIR=$work/run

clean_up() {
	local status=$?
	"$cluster" destroy || true
	rm -rf "$work"
	exit "$status"
}
trap clean_up EXIT
trap 'exit 143' TERM INT

# Copies what tests read to $work/src, owned by the server's user: the checkout
# may be private, and some tests write beside their files.
stage() {
	as_server_dir "$work/src"
	tar -cf - --exclude=./.git --exclude=./.run --exclude=./build --exclude=node_modules \
		--exclude='*.o' . | as_server tar -xf - -C "$work/src"
}

as_server_dir() {
	mkdir -p "$1"
	[ "$(id -u)" -ne 0 ] || chown "$server_user": "$1"
}

# A cluster whose database "ledger" is migrated and has the tenants acme and
# globex.  A crash of the machine is nothing a test needs to survive.
start_ledger() {
	CLUSTER_CONF="fsync = off
		${CLUSTER_CONF:-}" "$cluster" start
	dsn=$("$cluster" dsn)
	migrations/migrate.sh "$dsn" | sed 's/^/# /'
	psql -XAtq -v ON_ERROR_STOP=1 -d "$dsn" -f test/lib/fixture.sql >/dev/null
}

# The port of that cluster, for programs that take no connection string.
ledger_port() {
	local port=${dsn##*:}
	echo "${port%%/*}"
}

# Runs a command; if it prints no TAP of its own, its exit status is one test.
tap_command() {
	local name=$1 output=$work/command.out status=0
	shift
	"$@" >"$output" 2>&1 || status=$?
	if grep -qE '^(not )?ok( |$)' "$output"; then
		cat "$output"
		return "$status"
	fi
	if [ "$status" -eq 0 ]; then
		sed 's/^/# /' "$output"
		echo "ok - $name"
	else
		echo "not ok - $name"
		sed 's/^/# /' "$output"
	fi
}

# Turns the report of pg_regress into TAP, with the differences below a failure.
regress_to_tap() {
	local output_dir=$1
	awk '
		/^(test|    ) .* \.\.\. / {
			name = $1 == "test" ? $2 : $1
			result = $0; sub(/.* \.\.\. */, "", result)
			print (result ~ /^ok/ ? "ok - " : "not ok - ") name
		}
		!/^(test|    ) .* \.\.\. / { print "# " $0 }'
	[ ! -s "$output_dir/regression.diffs" ] || sed 's/^/# /' "$output_dir/regression.diffs"
}

# Names of the tests in a folder, or those asked for.
tests_in() {
	local dir=$1 ext=$2 file
	shift 2
	if [ $# -gt 0 ]; then
		for file in "$@"; do basename "$file" ".$ext"; done
	else
		for file in "$dir"/*."$ext"; do
			[ -f "$file" ] && basename "$file" ".$ext"
		done
	fi
}
