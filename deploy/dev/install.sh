#!/usr/bin/env bash
# Builds the extension and ledgerctl, and installs the extension if PostgreSQL
# does not have this very build already: so that a second `make up` needs no sudo.
set -euo pipefail
. "$(dirname "${BASH_SOURCE[0]}")/common.sh"

cd "$checkout"
make -s -j2 -C extension all
make -s -j2 -C gateway all

lib_dir=$("$PG_CONFIG" --pkglibdir)
extension_dir=$("$PG_CONFIG" --sharedir)/extension
installed=yes
cmp -s extension/findings_ledger.so "$lib_dir/findings_ledger.so" || installed=no
for file in extension/findings_ledger.control extension/findings_ledger--*.sql; do
	cmp -s "$file" "$extension_dir/${file##*/}" || installed=no
done
if [ "$installed" = no ]; then
	make -s install-extension
fi
