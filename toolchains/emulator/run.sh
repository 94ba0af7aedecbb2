#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs an ARM program on an emulated CPU. Instructions that the CPU does not support raise SIGILL. /proc/cpuinfo comes
# from a board with this CPU, because XNNPACK selects its kernels by it.
#
#   toolchains/emulator/run.sh CPU PROGRAM ARGUMENTS...
#
# CPU is a folder in sysroots/: cortex-a53, cortex-a55, cortex-a72, cortex-a76, max (i8mm), and for 32-bit programs
# cortex-a7, cortex-a15. QEMU_OPTIONS adds words to QEMU's command line.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
fail() { echo "run.sh: $*" >&2; exit 2; }

[ $# -ge 2 ] || fail "usage: run.sh CPU PROGRAM ARGUMENTS..."
cpu=$1 program=$2
[ -d "$here/sysroots/$cpu" ] || fail "there is no $cpu: choose from $(ls "$here/sysroots" | tr '\n' ' ')"
[ -f "$program" ] || fail "there is no $program"
case $(od -An -j18 -N1 -tx1 "$program") in  # e_machine
  *b7) emulator=qemu-aarch64 ;;
  *28) emulator=qemu-arm ;;
  *) fail "$program is not an ARM program" ;;
esac
command -v $emulator >/dev/null || fail "$emulator is missing: apt-get install qemu-user"
# shellcheck disable=SC2086  # options are words
exec $emulator -L "$here/sysroots/$cpu" -cpu "$cpu" ${QEMU_OPTIONS:-} "${@:2}"
