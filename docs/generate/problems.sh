#!/usr/bin/env bash
# Prints docs/reference/problems.md: the gateway's table of problems, asked itself.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
program=$(mktemp /tmp/ledger-problems-XXXXXXXX)
trap 'rm -f "$program"' EXIT
${CC:-cc} -std=c11 -Wall -Wextra -Werror -o "$program" -Iextension/core -Iextension/src -Igateway/src \
	docs/generate/problems.c gateway/src/problem_table.c
"$program"
