#!/usr/bin/env bash
# pgTAP: facts about the schema (test/pgtap/*.sql).
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

mapfile -t tests < <(tests_in test/pgtap sql "$@")
[ ${#tests[@]} -gt 0 ] || die "no tests in test/pgtap"
start_ledger
files=("${tests[@]/#/test/pgtap/}")
pg_prove --verbose --merge --dbname "$dsn" "${files[@]/%/.sql}" 2>&1
