#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tests toolchains/emulator: counter_test.sh COUNTER_EXAMPLE
set -euo pipefail
cd "$(dirname "$0")/../.."
fail() { echo "$1: $counted"; exit 1; }

counted=$(toolchains/emulator/count.sh cortex-a76 "$1")
[[ $counted == '{"label": 7, '* ]] || fail "the window does not carry its label"
[[ $counted == *'"dot": 2000,'* ]] || fail "the window has not 2000 dot products"
[[ $counted =~ '"branches": '([0-9]+) ]] && [ "${BASH_REMATCH[1]}" -lt 1020 ] || fail "the window is not 1000 branches"
[ "$(toolchains/emulator/count.sh cortex-a76 "$1")" = "$counted" ] || fail "a second count differs"

if { toolchains/emulator/run.sh cortex-a72 "$1"; } 2>/dev/null; then
  fail "a Cortex-A72 has executed a dot product"
fi
echo "all passed"
