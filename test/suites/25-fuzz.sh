#!/usr/bin/env bash
# The fuzz targets of the core and of the gateway (test/fuzz), 5 seconds each; 10 minutes with
# LEDGER_LONG.  An input that breaks one stays in build/fuzz/found.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

mapfile -t targets < <(tests_in test/fuzz c "$@")
[ ${#targets[@]} -gt 0 ] || die "no targets in test/fuzz"
make -s -j2 -C test/fuzz

# The short run begins the same each time; the long one goes where it has not been.
seconds=5 seed=8785 corpus=$work/corpus
[ -z "${LEDGER_LONG:-}" ] || { seconds=600 seed=0 corpus=build/fuzz/corpus; }
found=build/fuzz/found
mkdir -p "$found"

fuzz() {
	local target=$1 name=${1#fuzz_} log=$work/$1.log runs
	local options=(-max_total_time="$seconds" -seed="$seed" -max_len=4096 -timeout=20 -rss_limit_mb=2048
		-artifact_prefix="$found/$name-" -print_final_stats=1)
	case $name in
		jsonparse | canonicalize | dsse | jwks | jwt) options+=(-dict=test/fuzz/json.dict) ;;
		note | checkpoint | tlogproof | notekey) options+=(-dict=test/fuzz/note.dict) ;;
	esac
	# What the fuzzer finds worth keeping goes into the first folder.
	mkdir -p "$corpus/$name"
	if ! "build/fuzz/$target" "${options[@]}" "$corpus/$name" "test/fuzz/corpus/$name" >"$log" 2>&1; then
		echo "not ok - $target: found an input that breaks it"
		{ grep -m 2 -E 'does not hold|runtime error|ERROR' "$log"; grep -vE '^#[0-9]' "$log" | tail -n 30; } | sed 's/^/# /'
		return 1
	fi
	runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
	if [ "${runs:-0}" -lt 1000 ]; then
		echo "not ok - $target: ran ${runs:-0} inputs only"
		return 1
	fi
	echo "# $runs inputs, $(sed -n 's/.* cov: \([0-9]*\) .*/\1/p' "$log" | tail -n 1) places reached"
	echo "ok - $target: $seconds seconds without a fault"
}

status=0
for target in "${targets[@]}"; do
	fuzz "$target" || status=1
done
exit "$status"
