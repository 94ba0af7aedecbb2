#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Counts the instructions that an ARM program executes on an emulated CPU: see counter.c. Prints one JSON line per window
# after the program's output, or appends it to FILE.
#
#   toolchains/emulator/count.sh [-t TOP] [-o FILE] CPU PROGRAM ARGUMENTS...
#
# -t adds the TOP functions with the most instructions. Needs qemu-user 7.2 from Debian bookworm: later packages do not
# have the plugin interface.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=${VITRINE_DEPS_DIR:-$here/../../.deps}/build/counter

top=0 output=
while getopts t:o: option; do
  case $option in
    t) top=$OPTARG ;;
    o) output=$(realpath "$OPTARG") ;;
    *) exit 2 ;;
  esac
done
shift $((OPTIND - 1))

# Leaves the plugin's calls unresolved: QEMU defines these functions.
mkdir -p "$build"
(
  flock 9
  for source in "$here"/*.[ch]; do
    if [ "$source" -nt "$build/counter.so" ]; then
      gcc -std=gnu11 -O2 -Wall -Wextra -fPIC -fvisibility=hidden -shared -Wl,--unresolved-symbols=ignore-all \
        -o "$build/counter.so.partial" "$here"/*.c
      mv "$build/counter.so.partial" "$build/counter.so"
      break
    fi
  done
) 9> "$build/flock"

result=${output:-$(mktemp)}
QEMU_OPTIONS="-plugin $build/counter.so,top=$top,out=$result" "$here/run.sh" "$@" || status=$?
if [ -z "$output" ]; then
  cat "$result"
  rm "$result"
fi
exit "${status:-0}"
