# append-linear: an event costs the same however many came before it.
#
# A ledger that slows down as it grows is found out in production, years later.
# Where something quadratic can hide, it is made to grow, and the time per event at
# the greatest size is divided by the one at the smallest:
#
#   -statement   events in one INSERT … SELECT (trigger queues, transition tables)
#   -separate    appends in one transaction, each of another finding (head rows,
#                command counters, per-transaction memory)
#   -one-finding the same, all of one finding: its projection row is written again
#                each time, and no version of it may be removed before the commit
#   -savepoints  the same, each append under a savepoint of its own
#   -length      one append a transaction to a chain of 10^3 … events (the probe)
#   -tenants     one append with few and with many tenants (partition routing, locks, grants)
#
# Times are CPU times of the backend: what is asked is whether the work grows, and a
# neighbour on the machine is no work.  The sizes alternate over the rounds.
# shellcheck shell=bash

first_of() { echo "${1%% *}"; }
last_of() { echo "${1##* }"; }

# n events in one statement.
statement_us() {
	sql -c "SELECT bench.make_requests($1, $1, 'linear-$RANDOM-')" >/dev/null
	cpu_us "$1" "SELECT bench.append('statement-$1', $1)"
}

# n appends by a loop; $2 is the finding's name, $3 and $4 what stands around the append.
loop_us() {
	cpu_us "$1" "DO \$\$
		DECLARE
			v_salt text := random()::text;
		BEGIN
			FOR i IN 1..$1 LOOP
				${3:-}
				PERFORM ledger.ledger_append('bench', 'finding.severity_changed', $2, 'policy-1',
					'pkg:npm/left-pad@1.3.0', bench.payload(i % 101));
				${4:-}
			END LOOP;
		END \$\$"
}

many_us() { loop_us "$1" 'v_salt || i'; }
one_us() { loop_us "$1" 'v_salt'; }
savepoint_us() { loop_us "$1" 'v_salt || i' 'BEGIN' 'EXCEPTION WHEN division_by_zero THEN NULL; END;'; }
single_us() { loop_us 200 'v_salt || i' '' 'COMMIT;'; }

# Compares a way to append at two sizes.
compare() {
	local name=$1 way=$2 small=$3 large=$4
	large_us() { "$way" "$large"; }
	small_us() { "$way" "$small"; }
	interleave large_us small_us
	figure "append-linear-$name" "$ours" "$base" 'us CPU/event' '<= 1.3'
}

# Prints what a single append takes now: the middle one of three short runs.
median_single_us() {
	local i us=()
	for i in 1 2 3; do
		us+=("$(single_us)")
	done
	printf '%s\n' "${us[@]}" | median
}

# The chain grows to each length in turn.
lengths_compare() {
	local length have=0 result=()
	for length in $lengths; do
		sql -c "SELECT bench.make_requests($((length - have)), 5000, 'grown-')" \
			-c "SELECT bench.append('policy-1', $((length - have)))" -c 'VACUUM ANALYZE ledger.ledger_events' >/dev/null
		have=$length
		result+=("$(median_single_us)")
	done
	figure append-linear-length "${result[-1]}" "${result[0]}" 'us CPU/event' '<= 1.3'
}

tenants_compare() {
	local wanted have=1 result=()
	for wanted in $tenant_steps; do
		sql -c "SELECT count(ledger.ledger_create_tenant('tenant-' || g)) FROM generate_series($have, $wanted) AS g" \
			-c "SELECT count(ledger.ledger_grant_tenant(r.rolname, 'tenant-' || g))
				FROM generate_series($have, $wanted) AS g, pg_roles AS r WHERE r.rolname ~ '^ledger_'" >/dev/null
		have=$((wanted + 1))
		result+=("$(median_single_us)")
	done
	figure append-linear-tenants "${result[-1]}" "${result[0]}" 'us CPU/event' '<= 1.3'
}

compare statement statement_us "$(first_of "$steps")" "$(last_of "$steps")"
most=$(last_of "$steps")
[ "$most" -le "$most_separate" ] || most=$most_separate
compare separate many_us "$(first_of "$steps")" "$most"
compare one-finding one_us "$(first_of "$steps")" "$most"
compare savepoints savepoint_us "$(first_of "$steps")" "$most"
lengths_compare
tenants_compare
