#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Checks in the machine code that a waiting pthreadpool thread spins as often as the patched header defines.
#
#   spin_test.sh OBJDUMP HEADER libpthreadpool.a PROGRAM...
set -euo pipefail
readonly objdump=$1 header=$2 archive=$3 upstream=1000000
fail() { echo "$*"; exit 1; }
ours=$(sed -n 's/^#define PTHREADPOOL_SPIN_WAIT_ITERATIONS \([0-9]*\)$/\1/p' "$header")
[ -n "$ours" ] && [ "$ours" -lt $upstream ] || fail "$header: expected a number of spins below $upstream, found '$ours'"

functions_of() { "$objdump" -d "$1" | sed -n 's/^[0-9a-f]* <\([^>]*\)>:$/\1/p' | sort -u; }

# Prints the pthreadpool functions in file $1 that load the constant $2: in one instruction, from a literal, or in two
# halves of 16 bits (movw and movt, or mov and movk).
users_of() {
  "$objdump" -d --no-show-raw-insn "$1" | awk -v number="$2" -v names="$functions" '
    BEGIN {
      hex = sprintf("%x", number); low = number % 65536; high = int(number / 65536)
      whole = "([$#]0x|[.]word[ \t]+0x0*)" hex "([^0-9a-f]|$)|[$#]" number "([^0-9]|$)"
      lower = "^movw?$"; upper = "^mov[kt]$"
      split(names, list, "\n"); for (i in list) wanted["<" list[i] ">:"] = 1
    }
    / <.*>:$/ { name = substr($2, 2, length($2) - 3); inside = $2 in wanted; delete half; next }
    !inside { next }
    $0 ~ whole { print name }
    $2 ~ lower { half[$3] = value($4) == low }
    $2 ~ upper && half[$3] && value($4) == high { print name }
    # Returns the number in an immediate such as #0x4240 or #16960.
    function value(text, digits, i, sum) {
      if (text !~ /^#/) return -1
      gsub(/[#,]/, "", text)
      if (text !~ /^0x/) return text + 0
      for (i = 3; i <= length(text); i++) sum = sum * 16 + index("0123456789abcdef", substr(text, i, 1)) - 1
      return sum
    }' | sort -u
}

functions=$(functions_of "$archive")
for file in "${@:3}"; do
  found=$(users_of "$file" $upstream)
  [ -z "$found" ] || fail "$file: spins $upstream times in" $found
  found=$(users_of "$file" "$ours")
  [ "$(wc -w <<< "$found")" -ge 2 ] || fail "$file: expected two or more functions that spin $ours times, found: $found"
  echo "$file: spins $ours times in" $found
done
