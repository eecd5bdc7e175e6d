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
# Times are of the second half of each size where one statement allows it: a mean
# over the whole hides growth.  The sizes alternate over the rounds.
# shellcheck shell=bash

first_of() { echo "${1%% *}"; }
last_of() { echo "${1##* }"; }

# Microseconds an event, for n events in one statement.
statement_us() {
	sql -c "SELECT bench.make_requests($1, $1, 'linear-$RANDOM-')" -c CHECKPOINT >/dev/null
	seconds "SELECT bench.append('statement-$1', $1)" | awk -v n="$1" '{ print $1 / n * 1e6 }'
}

# Microseconds an event over the last tenth of n appends in one transaction; $2 is the
# finding's name, and $3 what stands around the append.
separate_us() {
	local n=$1 finding=$2 before=${3:-} after=${4:-}
	sql -c CHECKPOINT
	sql 2>&1 <<-SQL | sed -n 's/.*NOTICE: *//p'
		DO \$\$
		DECLARE
			v_start timestamptz;
			v_salt  text := random()::text;
		BEGIN
			FOR i IN 1..$n LOOP
				IF i = $n - greatest($n / 10, 50) + 1 THEN v_start := clock_timestamp(); END IF;
				$before
				PERFORM ledger.ledger_append('bench', 'finding.severity_changed', $finding, 'separate',
					'pkg:npm/left-pad@1.3.0', bench.payload(i % 101));
				$after
			END LOOP;
			RAISE NOTICE '%', extract(epoch FROM clock_timestamp() - v_start) / greatest($n / 10, 50) * 1e6;
		END \$\$;
	SQL
}

many_us() { separate_us "$1" "v_salt || i"; }
one_us() { separate_us "$1" "v_salt"; }
savepoint_us() { separate_us "$1" "v_salt || i" 'BEGIN' 'EXCEPTION WHEN division_by_zero THEN NULL; END;'; }

# Compares a way to append at two sizes.
compare() {
	local name=$1 way=$2 small=$3 large=$4
	ours_us() { "$way" "$large"; }
	small_us() { "$way" "$small"; }
	interleave ours_us small_us
	figure "append-linear-$name" "$ours" "$base" 'us/event' '<= 1.3'
}

# Microseconds a single append takes, by one client, to the chain of policy-1: the
# middle one of three short runs.
single_us() {
	local clients=1 slice=(-t "$probes") i us=()
	for i in 1 2 3; do
		us+=("$(rate ledger -D chains=1 -D findings=1000)")
	done
	printf '%s\n' "${us[@]}" | median | awk '{ print 1e6 / $1 }'
}

# The chain grows to each length in turn.
lengths_compare() {
	local length have=0 result=()
	for length in $lengths; do
		sql -c "SELECT bench.make_requests($((length - have)), 5000, 'grown-')" >/dev/null
		sql -c "SELECT bench.append('policy-1', $((length - have)))" -c 'VACUUM ANALYZE ledger.ledger_events' >/dev/null
		have=$length
		result+=("$(single_us)")
	done
	figure append-linear-length "${result[-1]}" "${result[0]}" 'us/event' '<= 1.3'
}

tenants_compare() {
	local wanted have=1 result=()
	for wanted in $tenant_steps; do
		sql -c "SELECT count(ledger.ledger_create_tenant('tenant-' || g)) FROM generate_series($have, $wanted) AS g" \
			-c "SELECT count(ledger.ledger_grant_tenant(r.rolname, 'tenant-' || g))
				FROM generate_series($have, $wanted) AS g, pg_roles AS r WHERE r.rolname ~ '^ledger_'" >/dev/null
		have=$((wanted + 1))
		result+=("$(single_us)")
	done
	figure append-linear-tenants "${result[-1]}" "${result[0]}" 'us/event' '<= 1.3'
}

compare statement statement_us "$(first_of "$steps")" "$(last_of "$steps")"
most=$(last_of "$steps")
[ "$most" -le 20000 ] || most=20000
compare separate many_us "$(first_of "$steps")" "$most"
compare one-finding one_us "$(first_of "$steps")" "$most"
compare savepoints savepoint_us "$(first_of "$steps")" "$most"
lengths_compare
tenants_compare
