#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs `vitrine camera` for aarch64 on an emulated machine (machine.sh). Removes the camera during a run, adds it again, and
# makes it fail. Tests both V4L2 interfaces, single-planar and multi-planar.
#
#   tests/end_to_end/machine/machine_test.sh VITRINE MODEL.vit PRESS_CONTROL
set -euo pipefail
cd "$(dirname "$0")/../../.."
readonly vitrine=$1 model=$2 press_control=$3
source tests/end_to_end/machine/machine.sh

fetch_kernel
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
make_initrd "$work/initrd" vivid
for library in ld-linux-aarch64.so.1 libc.so.6 libm.so.6 libgcc_s.so.1 libstdc++.so.6; do
  cp -L "toolchains/emulator/sysroots/cortex-a72/lib/$library" "$work/initrd/lib/"
done
cp "$vitrine" "$work/initrd/bin/vitrine"
cp "$press_control" "$work/initrd/bin/press_control"
cp "$model" "$work/initrd/model.vit"
install -m 755 tests/end_to_end/machine/machine_init.sh "$work/initrd/init"
run_machine "$work/initrd" "$work/log" 400 -append "console=ttyAMA0 quiet panic=-1"
expect "$work/log" 'ten decisions: exit 0, 10 lines' {yuyv,nv12,i420,rgb24,bgr24,gray}': exit 0, 2 lines' \
  'after torn frames: exit 0, 20 lines, 3 damaged' 'after the stream broke: exit 0, 20 lines' \
  'after the camera came back: exit 0, 30 lines' 'stopped: exit 0' \
  {yuyv,nv12,i420,rgb24,bgr24,gray}', multiplanar=2: exit 0, 2 lines'
[ "$(grep -c 'the camera is unplugged' "$work/log")" = 2 ] && [ "$(grep -c 'the camera is back' "$work/log")" = 2 ]
