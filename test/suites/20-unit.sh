#!/usr/bin/env bash
# Unit tests of extension/core, under AddressSanitizer and UBSan.
. "$(dirname "${BASH_SOURCE[0]}")/../lib/suite.sh"

tap_command 'unit tests of the core' make -s -C test/unit check
