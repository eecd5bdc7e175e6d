#!/usr/bin/env bash
# Canonical JSON and hashes against an independent implementation.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

tap_command 'differential test' make -s -C test/differential check
