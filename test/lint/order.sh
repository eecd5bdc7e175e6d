#!/usr/bin/env bash
# sql/order.txt names every file of sql/, and the migrations are what it says.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/tap.sh"

listed=$(sed 's/#.*//' sql/order.txt | awk 'NF && !/^\[/ { print $1 }' | sort -u)
# sql/audit is for auditors: it runs without the ledger and is never installed.
present=$(project_files 'sql/*.sql' | search -v '^sql/audit/' | sed 's,^sql/,,' | sort -u)

comm -13 <(echo "$listed") <(echo "$present") | none 'every file of sql/ stands in sql/order.txt'
comm -23 <(echo "$listed") <(echo "$present") | none 'every file in sql/order.txt exists'
migrations/freeze.sh --check 2>&1 | none 'the migrations are built from sql/ (make freeze)'
